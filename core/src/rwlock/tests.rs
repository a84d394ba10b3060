use core::mem::size_of;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::sync::Arc;
use std::thread;
use std::vec;
use std::vec::Vec;

use super::raw::{WAITING, readers};
use super::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard,
    OwnedRwLockUpgradableReadGuard as OwnedUpgradable, OwnedRwLockWriteGuard, Read, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockUpgradableReadGuard as Upgradable,
    RwLockWriteGuard, UpgradableRead, Upgrade, Waiter, Write,
};
use crate::io::{Bare, Block};
use crate::test_util::{Wakes, counting_waker, panic_message, poll, poll_noop, scope};
use crate::wake_batch::BATCH;

mod any;

const MAX: usize = RwLock::<()>::MAX_READERS;

/// A queued wait of a task of its own.
struct Queued<F> {
    wait: Pin<Box<F>>,
    wakes: Arc<Wakes>,
    waker: Waker,
}

type QueuedRead<'a, T> = Queued<Read<'a, T>>;
type QueuedUpgradable<'a, T> = Queued<UpgradableRead<'a, T>>;
type QueuedWrite<'a, T> = Queued<Write<'a, T>>;
type QueuedUpgrade<'a, T> = Queued<Upgrade<'a, T>>;

impl<F: Future> Queued<F> {
    #[track_caller]
    fn new(wait: F) -> Self {
        let (wakes, waker) = counting_waker();
        let mut wait = Box::pin(wait);
        assert!(poll(wait.as_mut(), &waker).is_pending());
        Self { wait, wakes, waker }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        poll(self.wait.as_mut(), &self.waker)
    }

    /// The guard of a wait that has been woken.
    #[track_caller]
    fn won(&mut self) -> F::Output {
        assert_eq!(self.wakes.count(), 1);
        match self.poll() {
            Poll::Ready(guard) => guard,
            Poll::Pending => panic!("it was woken, and is pending"),
        }
    }

    fn is_woken(&self) -> bool {
        self.wakes.count() > 0
    }
}

fn read<T>(lock: &RwLock<T>) -> QueuedRead<'_, T> {
    Queued::new(lock.read_future())
}

fn upgradable<T>(lock: &RwLock<T>) -> QueuedUpgradable<'_, T> {
    Queued::new(lock.upgradable_read_future())
}

fn write<T>(lock: &RwLock<T>) -> QueuedWrite<'_, T> {
    Queued::new(lock.write_future())
}

fn upgrade<'a, T>(guard: Upgradable<'a, T>) -> QueuedUpgrade<'a, T> {
    Queued::new(Upgradable::upgrade(guard, Bare))
}

/// No task waits, no grant is left, and no task holds it.
#[track_caller]
fn is_free<T: ?Sized>(lock: &RwLock<T>) {
    assert_eq!((lock.raw.waiter_count(), lock.raw.grant_count()), (0, 0));
    assert_eq!(lock.raw.word() & WAITING, 0);
    assert_eq!(readers(lock.raw.word()), 0);
    drop(lock.try_write().expect("nobody holds it"));
}

// rwlock::

#[test]
fn readers_share() {
    let lock = RwLock::new(7);
    let readers: Vec<_> = (0..100).map(|_| lock.try_read().unwrap()).collect();
    assert!(lock.try_write().is_none());
    let late = Bare.block_on(lock.read_future());
    assert_eq!(readers.iter().map(|guard| **guard).sum::<i32>(), 700);
    drop(late);
    let mut writer = write(&lock);
    let mut readers = readers.into_iter();
    let last = readers.next();
    readers.for_each(drop);
    assert!(!writer.is_woken(), "one is left");
    drop(last);
    *writer.won() += 1;
    is_free(&lock);
}

#[test]
fn writer_excludes_all() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 2_000;
    let lock = RwLock::new((0_usize, 0_usize));
    let (writing, reading) = (AtomicUsize::new(0), AtomicUsize::new(0));
    scope(|scope| {
        for thread in 0..THREADS {
            let (lock, writing, reading) = (&lock, &writing, &reading);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    match (thread + round) % 4 {
                        0 | 1 => {
                            let mut guard = match round % 8 {
                                0 => lock.blocking_write(),
                                _ => {
                                    let guard = Bare.block_on(lock.upgradable_read_future());
                                    Bare.block_on(Upgradable::upgrade(guard, Bare))
                                }
                            };
                            assert_eq!(writing.fetch_add(1, Ordering::Relaxed), 0);
                            assert_eq!(reading.load(Ordering::Relaxed), 0);
                            guard.0 += 1;
                            guard.1 += 1;
                            writing.fetch_sub(1, Ordering::Relaxed);
                            drop(guard);
                        }
                        _ => {
                            let guard = lock.blocking_read();
                            reading.fetch_add(1, Ordering::Relaxed);
                            assert_eq!(writing.load(Ordering::Relaxed), 0);
                            assert_eq!(guard.0, guard.1);
                            reading.fetch_sub(1, Ordering::Relaxed);
                            drop(guard);
                        }
                    }
                }
            });
        }
    });
    is_free(&lock);
    assert_eq!(lock.into_inner().0, THREADS * ROUNDS / 2);
}

#[test]
fn a_held_write_stops_every_kind() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    assert!(lock.try_read().is_none());
    assert!(lock.try_upgradable_read().is_none());
    assert!(lock.try_write().is_none());
    let waits = (read(&lock), upgradable(&lock), write(&lock));
    assert_eq!(lock.waiter_count(), 3);
    drop(guard);
    drop(waits);
    is_free(&lock);
}

#[test]
fn waiting_writer_stops_new_readers() {
    let lock = RwLock::new(());
    let reader = lock.try_read().unwrap();
    let mut writer = write(&lock);
    assert!(lock.try_read().is_none());
    assert!(lock.try_upgradable_read().is_none());
    let mut late = read(&lock);
    drop(reader);
    assert!(!late.is_woken());
    drop(writer.won());
    drop(late.won());
    is_free(&lock);
}

#[test]
fn is_fifo() {
    // R R W U R R W R, behind a writer: four turns.
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let mut first = (read(&lock), read(&lock));
    let mut second = write(&lock);
    let mut third = (upgradable(&lock), read(&lock), read(&lock));
    let mut fourth = write(&lock);
    let mut fifth = read(&lock);
    let order = |fifth: &QueuedRead<'_, ()>, waiting| {
        assert_eq!((lock.waiter_count(), fifth.is_woken()), (waiting, false));
    };
    drop(guard);
    order(&fifth, 6);
    let guards = (first.1.won(), first.0.won());
    drop(guards.0);
    assert!(!second.is_woken());
    drop(guards.1);
    order(&fifth, 5);
    drop(second.won());
    order(&fifth, 2);
    let guards = (third.2.won(), third.0.won(), third.1.won());
    drop(guards);
    order(&fifth, 1);
    drop(fourth.won());
    drop(fifth.won());
    is_free(&lock);
}

#[test]
fn writers_are_served_in_order() {
    let lock = RwLock::new(());
    let mut guard = lock.try_write();
    let mut waits: Vec<_> = (0..100).map(|_| write(&lock)).collect();
    for served in 0..waits.len() {
        assert_eq!(lock.waiter_count(), waits.len() - served);
        drop(guard.take());
        // Polled last to first: their order is that of the queue.
        for later in (served + 1..waits.len()).rev() {
            assert!(waits[later].poll().is_pending());
        }
        guard = Some(waits[served].won());
    }
}

#[test]
fn more_readers_than_one_batch_are_let_in_together() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let mut waits: Vec<_> = (0..3 * BATCH).map(|_| read(&lock)).collect();
    let writer = write(&lock);
    drop(guard);
    let guards: Vec<_> = waits.iter_mut().map(Queued::won).collect();
    assert!(!writer.is_woken());
    drop(guards);
    assert!(writer.is_woken());
    drop(writer);
    is_free(&lock);
}

#[test]
fn nobody_passes_a_grant_that_is_not_fetched() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let mut first = write(&lock);
    drop(guard);
    assert!(lock.try_write().is_none());
    assert!(lock.try_read().is_none());
    let mut newcomer = read(&lock);
    drop(first.won());
    drop(newcomer.won());
    is_free(&lock);
}

#[test]
fn cancelled_writer_lets_readers_in() {
    let lock = RwLock::new(());
    let reader = lock.try_read().unwrap();
    let writer = write(&lock);
    let mut behind = (read(&lock), upgradable(&lock), read(&lock));
    let next = write(&lock);
    let last = read(&lock);
    drop(writer);
    // All before the next writer, also beside the reader.
    let guards = (behind.0.won(), behind.1.won(), behind.2.won());
    assert!(!last.is_woken() && !next.is_woken());
    drop((reader, guards));
    assert!(next.is_woken());

    // Granted and never polled.
    drop(next);
    assert!(last.is_woken());
    drop(last);
    is_free(&lock);
}

#[test]
fn downgrade_lets_no_writer_in_between() {
    let lock = RwLock::new(1);
    let mut guard = lock.try_write().unwrap();
    let mut before = read(&lock);
    let mut writer = write(&lock);
    let late = read(&lock);
    *guard = 2;
    let reader = RwLockWriteGuard::downgrade(guard);
    // Readers before the writer are let in, and the writer only after them.
    assert_eq!(*before.won() + *reader, 4);
    assert!(!writer.is_woken() && !late.is_woken());
    assert!(lock.try_read().is_none());
    drop(reader);
    *writer.won() += 1;
    drop(late);
    is_free(&lock);

    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(lock.try_write().unwrap());
    assert!(lock.try_upgradable_read().is_none());
    assert_eq!(*lock.try_read().unwrap(), *upgradable);
    let mut next = self::upgradable(&lock);
    let reader = Upgradable::downgrade(upgradable);
    drop(next.won());
    drop(reader);
    is_free(&lock);
    assert_eq!(*lock.try_read().unwrap(), 3);
}

#[test]
fn upgradable_coexists_with_readers() {
    let lock = RwLock::new(5);
    let reader = lock.try_read().unwrap();
    let guard = lock.try_upgradable_read().unwrap();
    assert_eq!(*lock.try_read().unwrap() + *reader + *guard, 15);
    assert!(lock.try_upgradable_read().is_none());
    assert!(lock.try_write().is_none());
    let mut second = upgradable(&lock);
    drop(reader);
    assert!(!second.is_woken(), "at most one at a time");
    drop(guard);
    drop(second.won());
    is_free(&lock);
}

#[test]
fn upgrade_is_atomic() {
    let lock = RwLock::new(1);
    let guard = lock.try_upgradable_read().unwrap();
    let reader = lock.try_read().unwrap();
    let mut writer = write(&lock);
    let late = read(&lock);
    let mut upgrading = upgrade(guard);
    // It passes the queue, and no other is let in meanwhile.
    drop(late);
    let newcomer = read(&lock);
    assert!(!upgrading.is_woken());
    drop(reader);
    let mut guard = upgrading.won();
    assert_eq!(*guard, 1, "nobody has written in between");
    *guard = 2;
    assert!(!writer.is_woken() && !newcomer.is_woken());
    drop(guard);
    *writer.won() *= 10;
    drop(newcomer);
    is_free(&lock);

    // With no other task reading it need not wait, also past a queue.
    let guard = lock.try_upgradable_read().unwrap();
    let writer = write(&lock);
    let mut upgrading = pin!(Upgradable::upgrade(guard, Bare));
    let Poll::Ready(guard) = poll_noop(upgrading.as_mut()) else {
        panic!("nobody else reads");
    };
    assert_eq!(*guard, 20);
    assert!(!writer.is_woken());
    drop(guard);
    assert!(writer.is_woken());
    drop(writer);
    is_free(&lock);
}

#[test]
fn try_upgrade_gives_the_guard_back() {
    let lock = RwLock::new(1);
    let reader = lock.try_read().unwrap();
    let guard = lock.try_upgradable_read().unwrap();
    let guard = Upgradable::try_upgrade(guard).unwrap_err();
    let writer = write(&lock);
    let guard = Upgradable::try_upgrade(guard).unwrap_err();
    drop(reader);
    // Past the writer that waits.
    let mut guard = Upgradable::try_upgrade(guard).unwrap();
    *guard = 2;
    assert!(!writer.is_woken());
    drop(guard);
    assert!(writer.is_woken());
    drop(writer);
    let guard = lock.try_upgradable_read().unwrap();
    *Upgradable::try_upgrade(guard).unwrap() += 1;
    is_free(&lock);
    assert_eq!(*lock.try_read().unwrap(), 3);
}

#[test]
fn dropped_upgrade_gives_everything_back() {
    let lock = RwLock::new(1);
    // Not polled: it holds the upgradable read.
    let pending = Upgradable::upgrade(lock.try_upgradable_read().unwrap(), Bare);
    assert!(lock.try_upgradable_read().is_none());
    assert!(lock.try_read().is_some());
    drop(pending);
    is_free(&lock);

    // Queued: those behind it are let in.
    let reader = lock.try_read().unwrap();
    let upgrading = upgrade(lock.try_upgradable_read().unwrap());
    let mut behind = (read(&lock), upgradable(&lock));
    drop(upgrading);
    drop((behind.0.won(), behind.1.won()));
    drop(reader);
    is_free(&lock);

    // Granted: as an unlock.
    let reader = lock.try_read().unwrap();
    let upgrading = upgrade(lock.try_upgradable_read().unwrap());
    let mut behind = read(&lock);
    drop(reader);
    assert!(upgrading.is_woken() && !behind.is_woken());
    drop(upgrading);
    drop(behind.won());
    is_free(&lock);

    // Owned.
    let lock = Arc::new(RwLock::new(1));
    let guard = lock.clone().try_upgradable_read_owned().unwrap();
    drop(OwnedUpgradable::upgrade(guard, Bare));
    let reader = lock.try_read().unwrap();
    let guard = lock.clone().try_upgradable_read_owned().unwrap();
    let upgrading = Queued::new(OwnedUpgradable::upgrade(guard, Bare));
    drop(reader);
    drop(upgrading);
    is_free(&lock);
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn reader_limit_is_enforced() {
    let lock = RwLock::with_max_readers((), 2);
    assert_eq!(lock.max_readers(), 2);
    let one = lock.try_read().unwrap();
    let two = lock.try_upgradable_read().unwrap();
    assert!(lock.try_read().is_none());
    let mut third = read(&lock);
    let mut fourth = read(&lock);
    drop(one);
    let three = third.won();
    assert!(!fourth.is_woken());
    // A downgrade and an upgrade keep what they have.
    let two = Upgradable::downgrade(two);
    assert!(!fourth.is_woken());
    drop((two, three));
    drop(fourth.won());
    is_free(&lock);

    let single = RwLock::with_max_readers((), 1);
    let reader = RwLockWriteGuard::downgrade(single.try_write().unwrap());
    assert!(single.try_read().is_none());
    assert!(single.try_upgradable_read().is_none());
    drop(reader);
    let upgradable = single.try_upgradable_read().unwrap();
    drop(Upgradable::try_upgrade(upgradable).unwrap());
    is_free(&single);
    assert_eq!(RwLock::new(()).max_readers(), MAX);
}

#[test]
fn a_limit_out_of_range_is_refused_clearly() {
    for limit in [0, MAX + 1, usize::MAX] {
        let message = panic_message(|| _ = RwLock::with_max_readers((), limit));
        assert_eq!(
            message,
            format!("a limit of readers of {limit} is out of range: it may be 1 to {MAX}")
        );
    }
    static LOCK: RwLock<()> = RwLock::with_max_readers((), MAX);
    assert_eq!(LOCK.max_readers(), MAX);
    #[cfg(not(target_pointer_width = "16"))]
    assert_eq!(MAX, (1 << 29) - 1);
}

#[test]
fn unlocks_on_drop_and_unwind() {
    let lock = RwLock::new(0);
    let message = panic_message(|| {
        let mut guard = lock.try_write().unwrap();
        *guard = 1;
        std::panic::panic_any("writing");
    });
    assert_eq!(message, "writing");
    is_free(&lock);
    // There is no poison.
    let message = panic_message(|| {
        let _reader = lock.try_read().unwrap();
        let _upgradable = lock.try_upgradable_read().unwrap();
        std::panic::panic_any("reading");
    });
    assert_eq!(message, "reading");
    is_free(&lock);
    assert_eq!(*lock.try_read().unwrap(), 1);
}

// Mapped and owned guards.

#[test]
fn mapped_guard_unlocks_once() {
    let lock = RwLock::new((1, vec![2, 3]));
    let all = lock.try_read().unwrap();
    let list = RwLockReadGuard::map(all, |all| &all.1);
    let list = RwLockReadGuard::try_map(list, |list| list.get(9)).unwrap_err();
    let slice: RwLockReadGuard<'_, [i32]> = RwLockReadGuard::map(list, |list| &list[..]);
    let second = RwLockReadGuard::try_map(slice, |slice| slice.get(1)).unwrap();
    assert_eq!(*second, 3);
    assert_eq!(readers(lock.raw.word()), 1);
    drop(second);
    is_free(&lock);

    let all = lock.try_write().unwrap();
    let all = RwLockWriteGuard::try_map(all, |all| all.1.get_mut(9)).unwrap_err();
    let all = RwLockWriteGuard::try_downgrade_map(all, |all| all.1.get(9)).unwrap_err();
    let list = RwLockWriteGuard::map(all, |all| &mut all.1);
    let list = RwLockMappedWriteGuard::try_map(list, |list| list.get_mut(9)).unwrap_err();
    let mut slice: RwLockMappedWriteGuard<'_, [i32]> =
        RwLockMappedWriteGuard::map(list, |list| &mut list[..]);
    slice[0] = 20;
    let mut first = RwLockMappedWriteGuard::try_map(slice, |slice| slice.first_mut()).unwrap();
    *first += 1;
    assert!(lock.try_read().is_none());
    drop(first);
    is_free(&lock);

    let mut one = RwLockWriteGuard::try_map(lock.try_write().unwrap(), |all| Some(&mut all.0));
    *one.as_deref_mut().unwrap() = 10;
    drop(one);
    let whole = RwLockWriteGuard::into_mapped(lock.try_write().unwrap());
    assert_eq!(*whole, (10, vec![21, 3]));
    drop(whole);
    let one = RwLockWriteGuard::downgrade_map(lock.try_write().unwrap(), |all| &all.0);
    assert_eq!((*one, lock.try_read().unwrap().0), (10, 10));
    drop(one);
    let all = lock.try_write().unwrap();
    let one = RwLockWriteGuard::try_downgrade_map(all, |all| Some(&all.0)).unwrap();
    assert_eq!(readers(lock.raw.word()), 1);
    drop(one);
    is_free(&lock);
}

#[test]
fn a_closure_that_panics_unlocks() {
    let lock = RwLock::new(1);
    let panic = || -> ! { std::panic::panic_any("no such part") };
    panic_message(|| _ = RwLockReadGuard::map::<u8>(lock.try_read().unwrap(), |_| panic()));
    is_free(&lock);
    panic_message(|| _ = RwLockWriteGuard::map::<u8>(lock.try_write().unwrap(), |_| panic()));
    is_free(&lock);
    panic_message(|| {
        _ = RwLockWriteGuard::downgrade_map::<u8>(lock.try_write().unwrap(), |_| panic());
    });
    is_free(&lock);
    let lock = Arc::new(lock);
    panic_message(|| {
        let guard = lock.clone().try_write_owned().unwrap();
        _ = OwnedRwLockWriteGuard::map::<u8>(guard, |_| panic());
    });
    is_free(&lock);
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn owned_guard_keeps_the_lock_alive() {
    struct Server {
        name: &'static str,
        routes: RwLock<Vec<String>>,
    }

    let server = Arc::new(Server {
        name: "one",
        routes: RwLock::new(vec!["a".into()]),
    });
    let routes = |server: &Arc<Server>| server.clone();
    fn find(server: &Server) -> &RwLock<Vec<String>> {
        &server.routes
    }

    let mut all = Bare.block_on(RwLock::write_owned_by(routes(&server), find, Bare));
    all.push("b".into());
    assert_eq!(OwnedRwLockWriteGuard::owner(&all).name, "one");
    assert!(OwnedRwLockWriteGuard::rwlock(&all).try_read().is_none());
    let all = OwnedRwLockWriteGuard::downgrade_to_upgradable(all);
    assert_eq!(OwnedUpgradable::owner(&all).name, "one");
    assert!(OwnedUpgradable::rwlock(&all).try_read().is_some());
    let all = OwnedUpgradable::try_upgrade(all).unwrap();
    let all = OwnedRwLockWriteGuard::try_map(all, |all| all.get_mut(5)).unwrap_err();
    let all = OwnedRwLockWriteGuard::try_downgrade_map(all, |all| all.get(5)).unwrap_err();
    let all = OwnedRwLockWriteGuard::into_mapped(all);
    let all = OwnedRwLockMappedWriteGuard::try_map(all, |all| all.get_mut(5)).unwrap_err();
    let mut second = OwnedRwLockMappedWriteGuard::map(all, |all| &mut all[1]);
    second.push('b');
    assert_eq!(OwnedRwLockMappedWriteGuard::owner(&second).name, "one");
    let mut text: OwnedRwLockMappedWriteGuard<str, Server> =
        OwnedRwLockMappedWriteGuard::try_map(second, |text| Some(&mut **text)).unwrap();
    text.make_ascii_uppercase();
    drop(text);
    let all = RwLock::try_write_owned_by(routes(&server), find).unwrap();
    let first = OwnedRwLockWriteGuard::downgrade_map(all, |all| &all[0]);
    let weak = Arc::downgrade(&server);
    drop(server);
    let server = OwnedRwLockReadGuard::owner(&first).clone();
    let all = RwLock::try_read_owned_by(server.clone(), find).unwrap();
    assert!(RwLock::try_write_owned_by(server.clone(), find).is_none());
    let all = OwnedRwLockReadGuard::try_map(all, |all| all.get(5)).unwrap_err();
    let second = OwnedRwLockReadGuard::try_map(all, |all| all.get(1)).unwrap();
    let text: OwnedRwLockReadGuard<str, Server> = OwnedRwLockReadGuard::map(second, |text| &**text);
    assert_eq!((&**first, &*text), ("a", "BB"));
    drop((server, first));
    let sent = thread::spawn(move || text.len()).join().unwrap();
    assert_eq!(sent, 2);
    assert!(weak.upgrade().is_none());
}

#[test]
fn owned_guards_come_in_every_kind() {
    let lock = Arc::new(RwLock::new(1));
    let reader = Bare.block_on(lock.clone().read_owned(Bare));
    let guard = Bare.block_on(lock.clone().upgradable_read_owned(Bare));
    assert!(lock.clone().try_write_owned().is_none());
    assert!(lock.clone().try_upgradable_read_owned().is_none());
    assert!(lock.clone().try_read_owned().is_some());
    let guard = OwnedUpgradable::try_upgrade(guard).unwrap_err();
    let mut upgrading = Queued::new(OwnedUpgradable::upgrade(guard, Bare));
    drop(reader);
    *upgrading.won() += 1;
    let message = panic_message(|| drop(upgrading.poll()));
    assert!(message.contains("after it had finished"));
    drop(upgrading);
    let mut guard = Bare.block_on(lock.clone().write_owned(Bare));
    *guard += 1;
    let guard = OwnedRwLockWriteGuard::downgrade(guard);
    let other = Bare.block_on(RwLock::upgradable_read_owned_by(lock.clone(), |l| l, Bare));
    let other = OwnedUpgradable::downgrade(other);
    assert_eq!((*guard, *other), (3, 3));
    let third = Bare.block_on(RwLock::read_owned_by(lock.clone(), |l| l, Bare));
    drop((guard, other, third));
    is_free(&lock);
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn an_owner_may_be_a_trait_object_and_a_value_unsized() {
    trait HasList: Send + Sync {
        fn list(&self) -> &RwLock<[u8]>;
    }
    impl HasList for RwLock<[u8; 3]> {
        fn list(&self) -> &RwLock<[u8]> {
            self
        }
    }
    let owner: Arc<dyn HasList> = Arc::new(RwLock::new([1, 2, 3]));
    let guard = RwLock::try_read_owned_by(owner.clone(), |owner| owner.list()).unwrap();
    assert_eq!(&*guard, [1, 2, 3]);
    let mut wait = Queued::new(RwLock::write_owned_by(
        owner.clone(),
        |owner| owner.list(),
        Bare,
    ));
    drop(guard);
    wait.won()[0] = 7;
    assert_eq!(owner.list().try_read().unwrap()[0], 7);

    let mut boxed: Box<RwLock<[u8]>> = Box::new(RwLock::new([1, 2]));
    boxed.get_mut()[0] = 3;
    assert_eq!(Bare.block_on(boxed.write_future())[0], 3);
    assert_eq!(format!("{boxed:?}"), "RwLock { data: [3, 2] }");
}

#[test]
fn an_owned_wait_holds_its_share_until_it_is_done() {
    let lock = Arc::new(RwLock::new(()));
    let wait = lock.clone().read_owned(Bare);
    assert_eq!(Arc::strong_count(&lock), 2);
    drop(wait);
    assert_eq!(Arc::strong_count(&lock), 1);

    let held = lock.try_write().unwrap();
    let mut done = Queued::new(lock.clone().read_owned(Bare));
    let granted = Queued::new(lock.clone().upgradable_read_owned(Bare));
    let queued = Queued::new(lock.clone().write_owned(Bare));
    drop(held);
    let guard = done.won();
    // The share has gone over to the guard.
    drop(done);
    assert_eq!(Arc::strong_count(&lock), 4);
    assert!(granted.is_woken() && !queued.is_woken());
    drop((granted, guard));
    assert!(queued.is_woken());
    drop(queued);
    is_free(&lock);
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn drop_and_into_inner_meet_the_value_once() {
    let value = Arc::new(());
    drop(RwLock::new(value.clone()));
    let lock = RwLock::from(value.clone());
    drop(lock.try_write());
    assert_eq!(Arc::strong_count(&value), 2);
    drop(lock.into_inner());
    assert_eq!(Arc::strong_count(&value), 1);
    assert_eq!(RwLock::<Vec<u8>>::default().into_inner(), [0_u8; 0]);
}

#[test]
fn sizes_are_as_documented() {
    #[cfg(target_pointer_width = "64")]
    {
        assert_eq!(size_of::<RwLock<()>>(), 64);
        assert!(size_of::<RwLock<u64>>() <= 72);
        assert!(size_of::<Read<'static, u8>>() <= 56);
        assert!(size_of::<super::WriteOwned<u8>>() <= 56);
        assert_eq!(size_of::<RwLockWriteGuard<'static, u8>>(), 8);
        assert_eq!(size_of::<Upgradable<'static, u8>>(), 8);
        assert_eq!(size_of::<RwLockReadGuard<'static, u8>>(), 16);
        assert_eq!(size_of::<RwLockMappedWriteGuard<'static, u8>>(), 16);
        assert_eq!(size_of::<OwnedRwLockWriteGuard<u8>>(), 16);
        assert_eq!(size_of::<OwnedRwLockReadGuard<u8>>(), 24);
        assert!(size_of::<Waiter<'static>>() <= 64);
    }
}

#[test]
fn values_say_what_they_are() {
    let lock = Arc::new(RwLock::new(7));
    assert_eq!(format!("{lock:?}"), "RwLock { data: 7 }");
    let guard = lock.try_write().unwrap();
    assert_eq!(format!("{lock:?}"), "RwLock { data: <locked> }");
    assert_eq!(format!("{guard:?} {guard}"), "7 7");
    assert!(core::ptr::eq(RwLockWriteGuard::rwlock(&guard), &*lock));
    let mut wait = pin!(lock.read_future());
    assert!(format!("{wait:?}").contains("idle"));
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert!(format!("{wait:?}").contains("queued"));
    drop(guard);
    assert!(format!("{wait:?}").contains("granted"));
    let Poll::Ready(reader) = poll_noop(wait.as_mut()) else {
        panic!("it was granted");
    };
    assert!(format!("{wait:?}").contains("finished"));
    assert_eq!(reader.to_string(), "7");
    drop(reader);
    let guard = lock.try_upgradable_read().unwrap();
    assert!(core::ptr::eq(Upgradable::rwlock(&guard), &*lock));
    assert_eq!(format!("{guard:?}"), "7");
    drop(guard);
    let owned = lock.clone().write_owned(Bare);
    assert!(format!("{owned:?}").starts_with("WriteOwned"));
    let owned = lock.clone().try_read_owned().unwrap();
    assert_eq!(
        format!("{owned} {:?}", Waiter::new()),
        "7 Waiter { status: \"idle\", .. }"
    );
}

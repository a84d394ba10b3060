//! Waits of one task among those of others, and the third way to wait.

use core::cell::Cell;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use super::raw::WAITING;
use super::{RwLock, RwLockUpgradableReadGuard as Upgradable, RwLockWriteGuard, Waiter};
use crate::io::Bare;
use crate::test_util::{
    WAKER_PANIC, counting_waker, panic_message, panicking_waker, poll, poll_noop,
};

#[track_caller]
fn queued<F: Future>(wait: F, waker: &Waker) -> Pin<Box<F>> {
    let mut wait = Box::pin(wait);
    assert!(poll(wait.as_mut(), waker).is_pending());
    wait
}

#[track_caller]
fn won<F: Future>(wait: &mut Pin<Box<F>>, waker: &Waker) -> F::Output {
    match poll(wait.as_mut(), waker) {
        Poll::Ready(guard) => guard,
        Poll::Pending => panic!("it ought to be granted"),
    }
}

#[track_caller]
fn pending<F: Future>(wait: &mut Pin<Box<F>>, waker: &Waker) {
    assert!(poll(wait.as_mut(), waker).is_pending());
}

/// The guard of a wait that meets a grant of its task which is not polled: at the third
/// poll.
#[track_caller]
fn won_at_third<F: Future>(wait: &mut Pin<Box<F>>, waker: &Waker) -> F::Output {
    pending(wait, waker);
    pending(wait, waker);
    won(wait, waker)
}

#[track_caller]
fn is_free(lock: &RwLock<()>) {
    assert_eq!((lock.raw.waiter_count(), lock.raw.grant_count()), (0, 0));
    assert_eq!(lock.raw.word() & WAITING, 0);
    drop(lock.try_write().expect("nobody holds it"));
}

fn tasks() -> (Waker, Waker) {
    (counting_waker().1, counting_waker().1)
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task() {
    // Every kind that is left alone, against every kind that is polled then, with
    // a writer of another task in the queue.
    let lock = RwLock::new(());
    let (task, stranger) = tasks();
    macro_rules! check {
        ($left:ident, $polled:ident) => {{
            let guard = lock.try_write().unwrap();
            let mut left_alone = queued(lock.$left(), &task);
            drop(guard);
            let mut other = queued(lock.write_future(), &stranger);
            let mut polled = Box::pin(lock.$polled());
            let guard = won_at_third(&mut polled, &task);
            // The one that gave way is the first again when it is polled.
            pending(&mut other, &stranger);
            let own = poll(left_alone.as_mut(), &task);
            drop(guard);
            match own {
                Poll::Ready(guard) => drop(guard),
                Poll::Pending => drop(won(&mut left_alone, &task)),
            }
            drop(won(&mut other, &stranger));
            is_free(&lock);
        }};
    }
    check!(read_future, read_future);
    check!(read_future, upgradable_read_future);
    check!(read_future, write_future);
    check!(upgradable_read_future, read_future);
    check!(upgradable_read_future, upgradable_read_future);
    check!(upgradable_read_future, write_future);
    check!(write_future, read_future);
    check!(write_future, upgradable_read_future);
    check!(write_future, write_future);
}

#[test]
fn a_wait_that_meets_a_grant_of_its_task_wakes_itself() {
    let lock = RwLock::new(());
    let (wakes, task) = counting_waker();
    let guard = lock.try_write().unwrap();
    let mut left_alone = queued(lock.write_future(), &task);
    drop(guard);
    assert_eq!(wakes.count(), 1);
    let mut polled = queued(lock.read_future(), &task);
    assert_eq!(wakes.count(), 2);
    pending(&mut polled, &task);
    assert_eq!(wakes.count(), 3);
    // A branch that is polled in between has what it was granted.
    drop(won(&mut left_alone, &task));
    drop(won(&mut polled, &task));
    is_free(&lock);
}

#[test]
fn a_write_changes_places_with_a_write() {
    let lock = RwLock::new(());
    let (task, stranger) = tasks();
    let guard = lock.try_write().unwrap();
    let mut left_alone = queued(lock.write_future(), &task);
    let mut other = queued(lock.write_future(), &stranger);
    // In the queue with another waker, so that the poll has to renew it too.
    let mut polled = queued(lock.write_future(), &counting_waker().1);
    drop(guard);
    pending(&mut other, &stranger);
    let guard = won_at_third(&mut polled, &task);
    pending(&mut left_alone, &task);
    drop(guard);
    // The one that gave way is the first again.
    pending(&mut other, &stranger);
    drop(won(&mut left_alone, &task));
    drop(won(&mut other, &stranger));
    is_free(&lock);
}

#[test]
fn a_granted_write_becomes_a_read() {
    let lock = RwLock::new(());
    let (task, stranger) = tasks();
    let guard = lock.try_write().unwrap();
    let mut left_alone = queued(lock.write_future(), &task);
    drop(guard);
    let mut polled = Box::pin(lock.read_future());
    let reader = won_at_third(&mut polled, &task);
    // The writer is in no queue until it is polled; then it is the first.
    drop(lock.try_read().unwrap());
    pending(&mut left_alone, &task);
    assert!(lock.try_read().is_none());
    let mut newcomer = queued(lock.read_future(), &stranger);
    drop(reader);
    pending(&mut newcomer, &stranger);
    drop(won(&mut left_alone, &task));
    drop(won(&mut newcomer, &stranger));
    is_free(&lock);
}

#[test]
fn grants_that_do_not_suffice_are_taken_back_one_after_the_other() {
    let lock = RwLock::with_max_readers((), 3);
    let (task, stranger) = tasks();
    let guard = lock.try_write().unwrap();
    let mut first = queued(lock.read_future(), &task);
    let mut second = queued(lock.upgradable_read_future(), &task);
    let mut other = queued(lock.read_future(), &stranger);
    drop(guard);
    let mut polled = queued(lock.write_future(), &task);
    for grants in [3, 3, 2, 2] {
        assert_eq!(lock.raw.grant_count(), grants);
        pending(&mut polled, &task);
    }
    // Only the stranger's is left.
    drop(won(&mut other, &stranger));
    let writer = won(&mut polled, &task);
    assert_eq!(lock.waiter_count(), 0);
    pending(&mut second, &task);
    let reader = RwLockWriteGuard::downgrade(writer);
    drop((won(&mut second, &task), won(&mut first, &task), reader));
    is_free(&lock);
}

#[test]
fn a_granted_upgrade_gives_way_to_a_read() {
    let lock = RwLock::new(());
    let (task, _) = tasks();
    let reader = lock.try_read().unwrap();
    let upgradable = lock.try_upgradable_read().unwrap();
    let mut left_alone = queued(Upgradable::upgrade(upgradable, Bare), &task);
    // Queued while the upgrade is queued, too: it is not passed.
    let mut polled = queued(lock.read_future(), &task);
    drop(reader);
    let reader = won_at_third(&mut polled, &task);
    // It has gone back to the upgradable read, and is the first in the queue when it
    // is polled.
    assert!(lock.try_upgradable_read().is_none());
    pending(&mut left_alone, &task);
    assert!(lock.try_read().is_none());
    drop(reader);
    drop(won(&mut left_alone, &task));
    is_free(&lock);
}

#[test]
fn an_upgrade_comes_before_all_that_may_not_read_beside_it() {
    let lock = RwLock::with_max_readers((), 1);
    let (task, _) = tasks();
    let budget = Broke(Cell::new(true));
    let reader = lock.try_upgradable_read().unwrap();
    let mut left_alone = Box::pin(Upgradable::upgrade(reader, &budget));
    pending(&mut left_alone, &task);
    let mut writer = queued(lock.write_future(), &task);
    let mut upgradable = queued(lock.upgradable_read_future(), &task);
    // Nor a second reader where there may be but one.
    let mut second = queued(lock.read_future(), &task);
    for _ in 0..10 {
        pending(&mut writer, &task);
        pending(&mut upgradable, &task);
        pending(&mut second, &task);
    }
    budget.0.set(false);
    drop(won(&mut left_alone, &task));
    drop(won(&mut writer, &task));
    drop(won(&mut upgradable, &task));
    drop(won(&mut second, &task));
    is_free(&lock);
}

struct Broke(Cell<bool>);

impl crate::io::Io for Broke {
    fn poll_spend(&self, _: &mut core::task::Context<'_>) -> Poll<()> {
        if self.0.get() {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

#[test]
fn nobody_passes_an_upgrade_by_a_grant() {
    let lock = RwLock::new(());
    let (task, stranger) = tasks();
    let guard = lock.try_write().unwrap();
    let mut left_alone = queued(lock.read_future(), &task);
    let guard = RwLockWriteGuard::downgrade_to_upgradable(guard);
    let mut upgrading = queued(Upgradable::upgrade(guard, Bare), &stranger);
    // The read that was granted is given back, so the upgrade is alone.
    let mut polled = queued(lock.read_future(), &task);
    pending(&mut polled, &task);
    pending(&mut polled, &task);
    let guard = won(&mut upgrading, &stranger);
    pending(&mut left_alone, &task);
    drop(guard);
    drop(won(&mut polled, &task));
    drop(won(&mut left_alone, &task));
    is_free(&lock);

    // Nor does the wait that gave way pass it when it comes back.
    let guard = lock.try_write().unwrap();
    let mut left_alone = queued(lock.read_future(), &task);
    let guard = RwLockWriteGuard::downgrade_to_upgradable(guard);
    let mut polled = queued(lock.write_future(), &task);
    pending(&mut polled, &task);
    pending(&mut polled, &task);
    let other = lock.try_read();
    assert!(other.is_none(), "a writer waits");
    let mut upgrading = Box::pin(Upgradable::upgrade(guard, Broke(Cell::new(true))));
    pending(&mut upgrading, &stranger);
    pending(&mut left_alone, &task);
    assert_eq!(lock.raw.grant_count(), 1);
    drop(upgrading);
    drop(won(&mut left_alone, &task));
    drop(won(&mut polled, &task));
    is_free(&lock);
}

#[test]
fn an_upgrade_takes_back_the_reads_of_its_task() {
    let lock = RwLock::new(());
    let (task, _) = tasks();
    let guard = lock.try_write().unwrap();
    let mut left_alone = queued(lock.read_future(), &task);
    let guard = RwLockWriteGuard::downgrade_to_upgradable(guard);
    let mut upgrading = Box::pin(Upgradable::upgrade(guard, Bare));
    drop(won_at_third(&mut upgrading, &task));
    drop(won(&mut left_alone, &task));
    is_free(&lock);
}

#[test]
fn a_win_kept_for_lack_of_budget_can_be_taken_over() {
    let lock = RwLock::new(());
    let task = counting_waker().1;
    let mut left_alone = Box::pin(lock.write(Broke(Cell::new(true))));
    pending(&mut left_alone, &task);
    let mut polled = Box::pin(lock.upgradable_read_future());
    drop(won_at_third(&mut polled, &task));
    drop(left_alone);
    is_free(&lock);
}

/// An executor whose budget cannot be asked for.
struct Faulty;

impl crate::io::Io for Faulty {
    fn poll_spend(&self, _: &mut core::task::Context<'_>) -> Poll<()> {
        panic!("no budget")
    }
}

#[test]
fn a_win_is_given_back_when_the_budget_panics() {
    let lock = RwLock::new(());
    let task = counting_waker().1;
    // Every kind, beside a reader where there may be one: just that much is
    // given back.
    macro_rules! check {
        ($wait:expr) => {{
            let mut wait = Box::pin($wait);
            let message = panic_message(|| drop(poll(wait.as_mut(), &task)));
            assert_eq!(message, "no budget");
        }};
    }
    let reader = lock.try_read().expect("nobody holds it");
    check!(lock.read(Faulty));
    check!(lock.upgradable_read(Faulty));
    assert!(lock.try_write().is_none(), "the reader is still in");
    drop(reader);
    is_free(&lock);
    check!(lock.write(Faulty));
    is_free(&lock);
    let guard = lock.try_upgradable_read().expect("nobody holds it");
    check!(Upgradable::upgrade(guard, Faulty));
    is_free(&lock);
}

#[test]
fn a_granted_read_gives_way_to_a_read_where_there_is_room_for_one() {
    let lock = RwLock::with_max_readers((), 1);
    let (task, stranger) = tasks();
    let guard = lock.try_write().unwrap();
    let mut left_alone = queued(lock.read_future(), &task);
    drop(guard);
    let mut writer = queued(lock.write_future(), &stranger);
    // It has the grant: the writer is not let in between.
    let mut polled = Box::pin(lock.read_future());
    let guard = won_at_third(&mut polled, &task);
    pending(&mut left_alone, &task);
    drop(guard);
    drop(won(&mut left_alone, &task));
    drop(won(&mut writer, &stranger));
    is_free(&lock);
}

#[test]
fn a_wait_that_gave_way_may_be_dropped() {
    let lock = RwLock::new(());
    let (wakes, task) = counting_waker();
    let guard = lock.try_write().unwrap();
    let gave_way = queued(lock.read_future(), &task);
    let too_little = queued(lock.read_future(), &task);
    drop(guard);
    let mut polled = queued(lock.write_future(), &task);
    for _ in 0..3 {
        pending(&mut polled, &task);
    }
    let writer = won(&mut polled, &task);
    drop((gave_way, too_little));
    drop(writer);
    is_free(&lock);
    drop(task);
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
}

#[test]
fn a_panicking_waker_leaves_nothing_locked_that_was_taken_over() {
    // What is given back lets in a wait whose waker panics, in the poll that gives
    // it back.
    let lock = RwLock::new(());
    let task = counting_waker().1;
    let guard = lock.try_write().unwrap();
    let mut left_alone = queued(lock.write_future(), &task);
    drop(guard);
    let mut bad = Box::pin(lock.read_future());
    // It meets the grant of a task that it does not know.
    let message = panic_message(|| drop(poll(bad.as_mut(), &panicking_waker())));
    assert_eq!(message, WAKER_PANIC);
    let mut polled = queued(lock.read_future(), &task);
    pending(&mut polled, &task);
    let message = panic_message(|| drop(poll(polled.as_mut(), &task)));
    assert_eq!(message, WAKER_PANIC);
    let reader = won(&mut polled, &task);
    assert!(poll_noop(bad.as_mut()).is_ready());
    pending(&mut left_alone, &task);
    drop(reader);
    drop(won(&mut left_alone, &task));
    is_free(&lock);
}

#[test]
fn waits_of_one_task_in_any_order_all_finish() {
    // A `join` of waits of every kind, polled from either end.
    for reversed in [false, true] {
        let lock = RwLock::with_max_readers((), 2);
        let task = counting_waker().1;
        let mut held = lock.try_write();
        let mut waits: Vec<Option<Pin<Box<dyn Future<Output = ()> + '_>>>> = Vec::new();
        for kind in [0, 2, 1, 0, 0, 1, 2, 2, 0] {
            let lock = &lock;
            waits.push(Some(match kind {
                0 => Box::pin(async { drop(lock.read_future().await) }),
                1 => Box::pin(async {
                    let guard = lock.upgradable_read_future().await;
                    drop(Upgradable::upgrade(guard, Bare).await);
                }),
                _ => Box::pin(async { drop(lock.write_future().await) }),
            }));
        }
        for _ in 0..20 {
            if reversed {
                waits.reverse();
            }
            for slot in &mut waits {
                if let Some(wait) = slot {
                    if poll(wait.as_mut(), &task).is_ready() {
                        *slot = None;
                    }
                }
            }
            if reversed {
                waits.reverse();
            }
            drop(held.take());
        }
        assert!(waits.iter().all(Option::is_none));
        is_free(&lock);
    }
}

// The third way to wait.

#[test]
fn raw_waiter_reports_state() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let (wakes, waker) = counting_waker();
    let mut waiter = pin!(Waiter::with_waker(waker));
    assert!(!waiter.is_ready());
    assert!(lock.read_with(waiter.as_mut()).is_none());
    assert!(lock.read_with(waiter.as_mut()).is_none());
    assert_eq!((lock.waiter_count(), waiter.is_ready()), (1, false));
    drop(guard);
    assert_eq!((wakes.count(), waiter.is_ready()), (1, true));
    let reader = lock.read_with(waiter.as_mut()).unwrap();
    assert!(!waiter.is_ready());

    // It may be used again, with the same waker and for another kind, and be
    // reset.
    assert!(lock.write_with(waiter.as_mut()).is_none());
    waiter.as_mut().reset();
    assert_eq!(lock.waiter_count(), 0);
    let upgradable = lock.upgradable_read_with(waiter.as_mut()).unwrap();
    assert!(lock.upgradable_read_with(waiter.as_mut()).is_none());
    drop(upgradable);
    assert_eq!(wakes.count(), 2);
    drop(reader);
    // Granted, and not fetched: passed on.
    waiter.as_mut().reset();
    drop(lock.write_with(waiter.as_mut()).unwrap());
    is_free(&lock);
}

#[test]
fn a_waiter_is_of_one_lock_and_one_kind() {
    let (lock, other) = (RwLock::new(()), RwLock::new(()));
    let guard = lock.try_write().unwrap();
    let mut waiter = pin!(Waiter::new());
    assert!(lock.write_with(waiter.as_mut()).is_none());
    let message = panic_message(|| drop(other.write_with(waiter.as_mut())));
    assert!(message.contains("another `RwLock`"));
    let message = panic_message(|| drop(lock.read_with(waiter.as_mut())));
    assert!(message.contains("waits to write, not to read"));
    let message = panic_message(|| drop(lock.upgradable_read_with(waiter.as_mut())));
    assert!(message.contains("not to read upgradably"));
    assert_eq!(lock.waiter_count(), 1);
    waiter.as_mut().reset();
    assert!(other.read_with(waiter.as_mut()).is_some());
    drop(guard);
    is_free(&lock);
}

#[test]
fn a_waiter_may_upgrade() {
    let lock = RwLock::new(());
    let (wakes, waker) = counting_waker();
    let mut waiter = pin!(Waiter::with_waker(waker));
    let upgradable = || lock.try_upgradable_read().unwrap();
    drop(Upgradable::upgrade_with(upgradable(), waiter.as_mut()).unwrap());
    is_free(&lock);

    let reader = lock.try_read().unwrap();
    assert!(Upgradable::upgrade_with(upgradable(), waiter.as_mut()).is_none());
    assert!(lock.try_read().is_none());
    let message = panic_message(|| drop(lock.read_with(waiter.as_mut())));
    assert!(message.contains("waits to write, not to read"));
    assert!(lock.write_with(waiter.as_mut()).is_none());
    drop(reader);
    assert_eq!((wakes.count(), waiter.is_ready()), (1, true));
    drop(lock.write_with(waiter.as_mut()).unwrap());
    is_free(&lock);

    // Reset it gives everything back, queued or granted.
    for granted in [false, true] {
        let mut reader = lock.try_read();
        assert!(Upgradable::upgrade_with(upgradable(), waiter.as_mut()).is_none());
        if granted {
            drop(reader.take());
        }
        waiter.as_mut().reset();
        drop(reader);
        is_free(&lock);
    }

    // One that waits takes no guard in.
    let writer = lock.try_write().unwrap();
    assert!(lock.read_with(waiter.as_mut()).is_none());
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writer);
    let message = panic_message(|| _ = Upgradable::upgrade_with(upgradable, waiter.as_mut()));
    assert!(message.contains("waits already"));
    drop(lock.read_with(waiter.as_mut()).unwrap());
    is_free(&lock);
}

#[test]
fn a_waiter_takes_a_new_waker_at_any_time() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let (first, first_waker) = counting_waker();
    let (second, second_waker) = counting_waker();
    let (third, third_waker) = counting_waker();
    let mut waiter = pin!(Waiter::new());
    waiter.as_mut().set_waker(first_waker);
    assert!(lock.write_with(waiter.as_mut()).is_none());
    waiter.as_mut().set_waker(second_waker);
    drop(guard);
    assert_eq!((first.count(), second.count()), (0, 1));
    // It is ready: the new waker learns it at once, and names its task.
    waiter.as_mut().set_waker(third_waker.clone());
    assert_eq!(third.count(), 1);
    let mut sibling = Box::pin(lock.write_future());
    let guard = won_at_third(&mut sibling, &third_waker);
    assert_eq!(third.count(), 4, "the sibling has woken itself");
    assert!(lock.write_with(waiter.as_mut()).is_none());
    drop(guard);
    assert_eq!(third.count(), 5);
    assert!(lock.write_with(waiter.as_mut()).is_some());
    is_free(&lock);
}

#[test]
fn waiters_with_one_callback_are_of_one_task() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn call(calls: &'static AtomicUsize) {
        calls.fetch_add(1, Ordering::Relaxed);
    }

    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let mut reader = pin!(Waiter::with_callback(&CALLS, call));
    let mut writer = pin!(Waiter::with_callback(&CALLS, call));
    let mut silent = pin!(Waiter::new());
    assert!(lock.read_with(reader.as_mut()).is_none());
    drop(guard);
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    assert!(lock.write_with(silent.as_mut()).is_none(), "no task");
    silent.as_mut().reset();
    // It meets what the other one was granted, and has itself called for that.
    assert!(lock.write_with(writer.as_mut()).is_none());
    assert_eq!(CALLS.load(Ordering::Relaxed), 2);
    assert!(lock.write_with(writer.as_mut()).is_none());
    let guard = lock.write_with(writer.as_mut());
    assert!(guard.is_some());
    // The other one is worth a try, and is the first in the queue by it.
    assert!(reader.is_ready());
    assert!(lock.read_with(reader.as_mut()).is_none());
    assert!(!reader.is_ready());
    let before = CALLS.load(Ordering::Relaxed);
    drop(guard);
    assert_eq!(CALLS.load(Ordering::Relaxed), before + 1);
    assert!(lock.read_with(reader.as_mut()).is_some());
    is_free(&lock);
}

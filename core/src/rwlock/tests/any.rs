use core::cell::Cell;
use core::task::Context;
use std::time::{Duration, Instant};

use super::*;
use crate::io::Io;
use crate::test_util::{
    WAKER_PANIC, allocations, denying_waker, panicking_waker, reentrant_waker, scope,
};

/// An executor whose tasks have spent their budget while `broke` says so.
#[derive(Default)]
struct Budget {
    broke: Cell<bool>,
    asked: Cell<usize>,
}

impl Io for Budget {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.asked.set(self.asked.get() + 1);
        if self.broke.get() {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

#[test]
fn dropped_wait_leaves_no_trace() {
    let lock = RwLock::new(());
    let (wakes, waker) = counting_waker();
    macro_rules! each_kind {
        ($wait:ident => $($code:tt)*) => {{
            { let $wait = lock.read_future(); $($code)* }
            { let $wait = lock.upgradable_read_future(); $($code)* }
            { let $wait = lock.write_future(); $($code)* }
        }};
    }
    each_kind!(wait => {
        // Unpolled.
        drop(wait);
        is_free(&lock);
    });
    each_kind!(wait => {
        // Queued.
        let guard = lock.try_write().unwrap();
        let mut wait = Box::pin(wait);
        assert!(poll(wait.as_mut(), &waker).is_pending());
        drop(wait);
        drop(guard);
        is_free(&lock);
    });
    each_kind!(wait => {
        // Woken and unpolled.
        let guard = lock.try_write().unwrap();
        let mut wait = Box::pin(wait);
        assert!(poll(wait.as_mut(), &waker).is_pending());
        drop(guard);
        drop(wait);
        is_free(&lock);
    });
    each_kind!(wait => {
        // Done.
        let mut wait = Box::pin(wait);
        drop(poll(wait.as_mut(), &waker));
        drop(wait);
        is_free(&lock);
    });
    drop(waker);
    assert_eq!(wakes.count(), 3);
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
}

#[test]
fn dropped_from_the_middle_the_others_keep_their_order() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let mut waits: Vec<_> = (0..5).map(|_| write(&lock)).collect();
    drop(waits.remove(2));
    drop(waits.remove(0));
    drop(waits.remove(2));
    assert_eq!(lock.waiter_count(), 2);
    drop(guard);
    drop(waits[0].won());
    drop(waits[1].won());
    is_free(&lock);
}

#[test]
fn dropped_win_is_passed_on() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let first = write(&lock);
    let readers = (read(&lock), read(&lock));
    let mut last = write(&lock);
    drop(guard);
    assert!(first.is_woken() && !readers.0.is_woken());
    drop(first);
    assert!(readers.0.is_woken() && readers.1.is_woken());
    drop(readers.0);
    assert!(!last.is_woken());
    drop(readers.1);
    drop(last.won());
    is_free(&lock);
}

#[test]
fn last_waker_is_the_one_woken() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let (old_wakes, old) = counting_waker();
    let (new_wakes, new) = counting_waker();
    let mut wait = pin!(lock.read_future());
    assert!(poll(wait.as_mut(), &old).is_pending());
    assert!(poll(wait.as_mut(), &new).is_pending());
    drop(old);
    assert_eq!(Arc::strong_count(&old_wakes), 1, "the old one was kept");
    drop(guard);
    assert_eq!((old_wakes.count(), new_wakes.count()), (0, 1));
}

#[test]
fn a_waker_may_deny_its_own_clones() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let waker = denying_waker();
    let mut wait = pin!(lock.read_future());
    for _ in 0..3 {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    drop(guard);
    assert!(poll(wait.as_mut(), &waker).is_ready());
}

#[test]
fn spurious_poll_is_harmless() {
    let lock = RwLock::new(());
    let reader = lock.try_read().unwrap();
    let (mut first, mut second) = (write(&lock), read(&lock));
    let mut upgrading = None;
    for _ in 0..3 {
        assert!(second.poll().is_pending());
        assert!(first.poll().is_pending());
    }
    assert_eq!(lock.waiter_count(), 2);
    drop(reader);
    assert!(second.poll().is_pending());
    drop(first.won());
    drop(second.won());

    let reader = lock.try_read().unwrap();
    let upgrading = upgrading.insert(upgrade(lock.try_upgradable_read().unwrap()));
    assert!(upgrading.poll().is_pending());
    assert!(upgrading.poll().is_pending());
    drop(reader);
    drop(upgrading.won());
    is_free(&lock);
}

#[test]
fn waker_may_reenter() {
    static LOCK: RwLock<u32> = RwLock::new(0);
    static RAN: AtomicUsize = AtomicUsize::new(0);

    let waker = || {
        reentrant_waker(|| {
            RAN.fetch_add(1, Ordering::Relaxed);
            drop(LOCK.try_read());
            drop(LOCK.try_write());
            drop(LOCK.try_upgradable_read().map(Upgradable::try_upgrade));
            let mut inner = Box::pin(LOCK.write_future());
            drop(poll(inner.as_mut(), &counting_waker().1));
            drop(inner);
            let mut waiter = Box::pin(Waiter::new());
            drop(LOCK.read_with(waiter.as_mut()));
            let _ = (LOCK.waiter_count(), format!("{LOCK:?}"));
        })
    };

    let guard = LOCK.try_write().unwrap();
    let mut wait = Box::pin(LOCK.read_future());
    assert!(poll(wait.as_mut(), &waker()).is_pending()); // cloned
    assert!(poll(wait.as_mut(), &waker()).is_pending()); // replaced, dropped
    drop(guard); // woken
    assert!(poll(wait.as_mut(), &waker()).is_ready());
    let guard = LOCK.try_write().unwrap();
    let mut wait = Box::pin(LOCK.write_future());
    assert!(poll(wait.as_mut(), &waker()).is_pending());
    drop(wait); // dropped while queued
    let mut wait = Box::pin(LOCK.upgradable_read_future());
    assert!(poll(wait.as_mut(), &waker()).is_pending());
    let guard = RwLockWriteGuard::downgrade(guard); // woken by a downgrade
    let Poll::Ready(upgradable) = poll(wait.as_mut(), &waker()) else {
        panic!("it was granted");
    };
    let mut wait = Box::pin(Upgradable::upgrade(upgradable, Bare));
    assert!(poll(wait.as_mut(), &waker()).is_pending());
    drop(guard);
    assert!(poll(wait.as_mut(), &waker()).is_ready());
    assert!(RAN.load(Ordering::Relaxed) >= 7);
    is_free(&LOCK);
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    for downgrade in [false, true] {
        let lock = RwLock::new(());
        let guard = lock.try_write().unwrap();
        let mut bad = Box::pin(lock.read_future());
        assert!(poll(bad.as_mut(), &panicking_waker()).is_pending());
        let mut waits: Vec<_> = (0..2 * BATCH).map(|_| read(&lock)).collect();
        let message = panic_message(|| {
            if downgrade {
                drop(RwLockWriteGuard::downgrade(guard));
            } else {
                drop(guard);
            }
        });
        assert_eq!(message, WAKER_PANIC);
        for wait in &mut waits {
            drop(wait.won());
        }
        assert!(poll_noop(bad.as_mut()).is_ready());
        is_free(&lock);
    }
}

#[test]
fn a_waker_that_panics_while_unwinding_does_not_abort() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let mut wait = Box::pin(lock.write_future());
    assert!(poll(wait.as_mut(), &panicking_waker()).is_pending());
    let message = panic_message(move || {
        let _guard = guard;
        std::panic::panic_any("the first panic");
    });
    assert_eq!(message, "the first panic");
    assert!(poll_noop(wait.as_mut()).is_ready());
    is_free(&lock);
}

#[test]
fn completed_future_is_fused_or_panics_clearly() {
    let lock = RwLock::new(());
    let mut first = pin!(lock.read_future());
    let mut second = pin!(lock.write_future());
    assert!(poll_noop(first.as_mut()).is_ready());
    assert!(poll_noop(second.as_mut()).is_ready());
    let mut third = pin!(Upgradable::upgrade(
        lock.try_upgradable_read().unwrap(),
        Bare
    ));
    assert!(poll_noop(third.as_mut()).is_ready());
    for message in [
        panic_message(|| drop(poll_noop(first.as_mut()))),
        panic_message(|| drop(poll_noop(second.as_mut()))),
        panic_message(|| drop(poll_noop(third.as_mut()))),
    ] {
        assert_eq!(
            message,
            "a wait for a `RwLock` was polled after it had finished"
        );
    }
    is_free(&lock);
}

#[test]
fn moves_between_executors() {
    let lock = Arc::new(RwLock::new(5));
    let guard = lock.clone().try_write_owned().unwrap();
    let (wakes, waker) = counting_waker();
    let mut wait = Box::pin(lock.clone().read_owned(Bare));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    let waiting = thread::spawn(move || *Bare.block_on(wait));
    // Unlocked on a third thread, whether or not the second has polled yet.
    thread::spawn(move || drop(guard)).join().unwrap();
    assert_eq!(waiting.join().unwrap(), 5);
    assert!(wakes.count() <= 1);
    is_free(&lock);
}

#[test]
fn happens_before() {
    use core::cell::UnsafeCell;

    struct Shared(UnsafeCell<u64>);
    // SAFETY: the test writes with the write guard in hand, and reads with any.
    unsafe impl Sync for Shared {}

    const THREADS: u64 = 3;
    const ROUNDS: u64 = 3_000;
    let lock = RwLock::new(Shared(UnsafeCell::new(0)));
    scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut least = 0;
                for _ in 0..ROUNDS {
                    let guard = lock.blocking_write();
                    // SAFETY: see above.
                    unsafe { *guard.0.get() += 1 };
                    drop(guard);
                    let guard = lock.blocking_read();
                    // SAFETY: see above.
                    let seen = unsafe { *guard.0.get() };
                    assert!(seen > least);
                    least = seen;
                }
            });
        }
    });
    assert_eq!(lock.into_inner().0.into_inner(), THREADS * ROUNDS);
}

#[test]
fn waits_without_allocation() {
    let lock = RwLock::new(());
    let waker = counting_waker().1;
    let counted = allocations(|| {
        let guard = lock.try_write().unwrap();
        let mut first = pin!(lock.read_future());
        let mut second = pin!(lock.upgradable_read_future());
        let mut third = pin!(lock.write_future());
        let mut waiter = pin!(Waiter::new());
        assert!(poll(first.as_mut(), &waker).is_pending());
        assert!(poll(second.as_mut(), &waker).is_pending());
        assert!(poll(third.as_mut(), &waker).is_pending());
        assert!(lock.write_with(waiter.as_mut()).is_none());
        drop(guard);
        let Poll::Ready(reader) = poll(first.as_mut(), &waker) else {
            panic!("granted")
        };
        let Poll::Ready(upgradable) = poll(second.as_mut(), &waker) else {
            panic!("granted")
        };
        let mut upgrade = pin!(Upgradable::upgrade(upgradable, Bare));
        assert!(poll(upgrade.as_mut(), &waker).is_pending());
        drop(reader);
        assert!(poll(upgrade.as_mut(), &waker).is_ready());
        assert!(poll(third.as_mut(), &waker).is_ready());
        assert!(lock.write_with(waiter.as_mut()).is_some());
    });
    assert_eq!(counted, 0);
    is_free(&lock);
}

#[test]
fn free_lock_allocates_nothing() {
    let lock = Arc::new(RwLock::new(0));
    let counted = allocations(|| {
        drop(poll_noop(pin!(lock.write_future())));
        drop(poll_noop(pin!(lock.read_future())));
        drop(poll_noop(pin!(lock.clone().write_owned(Bare))));
        drop(lock.try_write());
        let local = RwLock::new(1);
        drop(local.try_read());
    });
    assert_eq!(counted, 0);
}

#[test]
fn an_owned_wait_allocates_nothing_either() {
    let lock = Arc::new(RwLock::new(0));
    let counted = allocations(|| {
        let guard = lock.clone().try_read_owned();
        let mut wait = pin!(lock.clone().write_owned(Bare));
        assert!(poll_noop(wait.as_mut()).is_pending());
        drop(guard);
        assert!(poll_noop(wait.as_mut()).is_ready());
    });
    assert_eq!(counted, 0);
}

#[test]
fn cancel_is_constant_time() {
    // The middle one of many against one of one, both many times over: a scan of
    // the queue would take tens of thousands of times as long.
    fn time_of_cancels(lock: &RwLock<()>, behind: usize) -> Duration {
        let _before: Vec<_> = (0..behind).map(|_| write(lock)).collect();
        let cancelled: Vec<_> = (0..100).map(|_| write(lock)).collect();
        let _after: Vec<_> = (0..behind).map(|_| read(lock)).collect();
        let start = Instant::now();
        drop(cancelled);
        start.elapsed()
    }

    let lock = RwLock::new(());
    let guard = lock.try_write();
    let alone = (0..5).map(|_| time_of_cancels(&lock, 0)).min().unwrap();
    let among_many = (0..3)
        .map(|_| time_of_cancels(&lock, 50_000))
        .min()
        .unwrap();
    assert!(
        among_many < alone * 100 + Duration::from_millis(1),
        "{among_many:?} against {alone:?}"
    );
    drop(guard);
    is_free(&lock);
}

#[test]
fn spends_budget_after_winning() {
    let lock = RwLock::new(());
    let budget = Budget::default();
    let (wakes, waker) = counting_waker();
    budget.broke.set(true);

    // Won without waiting: kept, and counted as held.
    let mut wait = Box::pin(lock.write(&budget));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert_eq!((budget.asked.get(), wakes.count()), (1, 1));
    assert!(lock.try_read().is_none());
    assert_eq!(lock.waiter_count(), 0);
    let mut behind = read(&lock);
    assert_eq!(budget.asked.get(), 1, "queueing costs nothing");
    budget.broke.set(false);
    let Poll::Ready(guard) = poll(wait.as_mut(), &waker) else {
        panic!("the win was lost");
    };
    drop(guard);

    // Won from the queue.
    let guard = behind.won();
    budget.broke.set(true);
    let mut wait = Box::pin(lock.write(&budget));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert_eq!(budget.asked.get(), 2, "nothing is spent before it is won");
    let mut behind = read(&lock);
    drop(guard);
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert!(!behind.is_woken(), "it lost its place");
    drop(wait);
    drop(behind.won());

    // An upgrade.
    for finished in [false, true] {
        budget.broke.set(true);
        let guard = lock.try_upgradable_read().unwrap();
        let mut wait = Box::pin(Upgradable::upgrade(guard, &budget));
        assert!(poll(wait.as_mut(), &waker).is_pending());
        assert!(lock.try_read().is_none(), "it has the lock to write");
        budget.broke.set(false);
        assert!(!finished || poll(wait.as_mut(), &waker).is_ready());
        drop(wait);
        is_free(&lock);
    }
}

#[test]
fn an_io_that_panics_leaves_nothing_locked() {
    struct Broken;
    impl Io for Broken {
        fn poll_spend(&self, _: &mut Context<'_>) -> Poll<()> {
            std::panic::panic_any("no budget");
        }
    }
    let lock = Arc::new(RwLock::new(()));
    let mut wait = Box::pin(lock.write(Broken));
    assert_eq!(
        panic_message(|| drop(poll_noop(wait.as_mut()))),
        "no budget"
    );
    drop(wait);
    is_free(&lock);
    let guard = lock.try_upgradable_read().unwrap();
    let mut wait = Box::pin(Upgradable::upgrade(guard, Broken));
    assert_eq!(
        panic_message(|| drop(poll_noop(wait.as_mut()))),
        "no budget"
    );
    drop(wait);
    is_free(&lock);
    let guard = lock.clone().try_upgradable_read_owned().unwrap();
    let mut wait = Box::pin(OwnedUpgradable::upgrade(guard, Broken));
    assert_eq!(
        panic_message(|| drop(poll_noop(wait.as_mut()))),
        "no budget"
    );
    drop(wait);
    is_free(&lock);
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn a_guard_whose_downgrade_panics_unlocks() {
    let lock = RwLock::new(());
    let guard = lock.try_write().unwrap();
    let mut bad = Box::pin(lock.read_future());
    assert!(poll(bad.as_mut(), &panicking_waker()).is_pending());
    let message = panic_message(|| drop(RwLockWriteGuard::downgrade_to_upgradable(guard)));
    assert_eq!(message, WAKER_PANIC);
    drop(bad);
    is_free(&lock);
}

#[test]
fn usable_in_a_static() {
    static LOCK: RwLock<[u8; 2]> = RwLock::new([1, 2]);
    LOCK.blocking_write()[0] = 5;
    assert_eq!(*LOCK.blocking_read(), [5, 2]);
}

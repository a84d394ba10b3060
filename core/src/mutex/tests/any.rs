//! The laws that every waiting primitive keeps.

use core::cell::Cell;
use core::pin::pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll};
use std::boxed::Box;
use std::format;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::super::{Mutex, Waiter};
use super::{Budget, boxed, is_untouched, queued};
use crate::io::{Bare, Block, Io};
use crate::test_util::{
    WAKER_PANIC, allocations, counting_waker, panic_message, panicking_waker, poll, poll_noop,
    poll_thrice, reentrant_waker, scope,
};

#[test]
fn dropped_wait_leaves_no_trace() {
    let mutex = Mutex::new(());
    let (wakes, waker) = counting_waker();

    drop(mutex.lock_future());
    assert!(is_untouched(&mutex));

    let guard = mutex.try_lock();
    let mut wait = boxed(&mutex);
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(wait);
    assert_eq!(mutex.waiter_count(), 0);
    drop(guard);
    assert!(is_untouched(&mutex));

    // Handed the lock, and not polled.
    let guard = mutex.try_lock();
    let mut wait = boxed(&mutex);
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(guard);
    drop(wait);
    assert!(is_untouched(&mutex));

    // Finished.
    let mut wait = boxed(&mutex);
    drop(poll(wait.as_mut(), &waker));
    drop(wait);
    assert!(is_untouched(&mutex));

    drop(waker);
    assert_eq!(wakes.count(), 1);
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
}

#[test]
fn dropped_from_the_middle_the_others_keep_their_order() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let mut waits = queued(&mutex, 5);
    drop(waits.remove(2));
    drop(waits.remove(0));
    drop(waits.remove(2));
    assert_eq!(mutex.waiter_count(), 2);
    drop(guard);
    for mut wait in waits {
        assert!(poll_noop(wait.as_mut()).is_ready());
    }
    assert!(is_untouched(&mutex));
}

#[test]
fn dropped_win_is_passed_on() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (first_wakes, first_waker) = counting_waker();
    let (second_wakes, second_waker) = counting_waker();
    let (mut first, mut second) = (boxed(&mutex), boxed(&mutex));
    assert!(poll(first.as_mut(), &first_waker).is_pending());
    assert!(poll(second.as_mut(), &second_waker).is_pending());
    drop(guard);
    assert_eq!((first_wakes.count(), second_wakes.count()), (1, 0));
    drop(first);
    assert_eq!((first_wakes.count(), second_wakes.count()), (1, 1));
    assert!(poll(second.as_mut(), &second_waker).is_ready());
}

#[test]
fn last_waker_is_the_one_woken() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (old_wakes, old) = counting_waker();
    let (new_wakes, new) = counting_waker();
    let mut wait = boxed(&mutex);
    assert!(poll(wait.as_mut(), &old).is_pending());
    assert!(poll(wait.as_mut(), &new).is_pending());
    drop(old);
    assert_eq!(Arc::strong_count(&old_wakes), 1, "the old one was kept");
    drop(guard);
    assert_eq!((old_wakes.count(), new_wakes.count()), (0, 1));
}

#[test]
fn waker_may_reenter() {
    static MUTEX: Mutex<()> = Mutex::new(());
    static RAN: AtomicUsize = AtomicUsize::new(0);

    let waker = || {
        reentrant_waker(|| {
            RAN.fetch_add(1, Ordering::Relaxed);
            let mut inner = boxed(&MUTEX);
            drop(poll_noop(inner.as_mut()));
            drop(MUTEX.try_lock());
            let mut waiter = Box::pin(Waiter::new());
            drop(MUTEX.lock_with(waiter.as_mut()));
            let _ = (MUTEX.is_locked(), MUTEX.waiter_count());
            let _ = format!("{MUTEX:?}");
        })
    };

    let guard = MUTEX.try_lock();
    let mut wait = boxed(&MUTEX);
    assert!(poll(wait.as_mut(), &waker()).is_pending()); // cloned
    assert!(poll(wait.as_mut(), &waker()).is_pending()); // replaced, dropped
    drop(guard); // woken
    assert!(poll(wait.as_mut(), &waker()).is_ready());
    let guard = MUTEX.try_lock();
    let mut wait = boxed(&MUTEX);
    assert!(poll(wait.as_mut(), &waker()).is_pending());
    drop(wait); // dropped while queued
    drop(guard);
    assert!(RAN.load(Ordering::Relaxed) >= 5);
    assert!(is_untouched(&MUTEX));
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (wakes, waker) = counting_waker();
    let (mut first, mut second) = (boxed(&mutex), boxed(&mutex));
    assert!(poll(first.as_mut(), &panicking_waker()).is_pending());
    assert!(poll(second.as_mut(), &waker).is_pending());
    assert_eq!(panic_message(|| drop(guard)), WAKER_PANIC);
    // The lock was handed over before the waker ran.
    drop(first);
    assert_eq!(wakes.count(), 1);
    assert!(poll(second.as_mut(), &waker).is_ready());
    assert!(is_untouched(&mutex));
}

#[test]
fn a_waker_that_panics_when_dropped_loses_no_lock() {
    use crate::test_util::{Event, hooked_waker};

    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (_, task) = counting_waker();
    let (mut first, mut second) = (boxed(&mutex), boxed(&mutex));
    assert!(poll(first.as_mut(), &task).is_pending());
    let armed = Arc::new(AtomicBool::new(false));
    let armed_too = armed.clone();
    let waker = hooked_waker(move |event| {
        if event == Event::Drop && armed_too.load(Ordering::Relaxed) {
            std::panic::panic_any("dropped");
        }
    });
    assert!(poll(second.as_mut(), &waker).is_pending());
    drop(guard);
    // The second takes over from the first, and its outdated waker panics with
    // the lock just won.
    armed.store(true, Ordering::Relaxed);
    assert_eq!(
        panic_message(|| drop(poll(second.as_mut(), &task))),
        "dropped"
    );
    armed.store(false, Ordering::Relaxed);
    assert!(poll(first.as_mut(), &task).is_ready());
    drop(second);
    assert!(is_untouched(&mutex));
}

#[test]
fn spurious_poll_is_harmless() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (_, a) = counting_waker();
    let (_, b) = counting_waker();
    let (mut first, mut second) = (boxed(&mutex), boxed(&mutex));
    assert!(poll(first.as_mut(), &a).is_pending());
    assert!(poll(second.as_mut(), &b).is_pending());
    for _ in 0..3 {
        assert!(poll(first.as_mut(), &a).is_pending());
        assert!(poll(second.as_mut(), &b).is_pending());
    }
    assert_eq!(mutex.waiter_count(), 2);
    drop(guard);
    assert!(poll(second.as_mut(), &b).is_pending());
    assert!(poll(first.as_mut(), &a).is_ready());
}

#[test]
fn completed_future_is_fused_or_panics_clearly() {
    let mutex = Mutex::new(());
    let mut wait = boxed(&mutex);
    drop(poll_noop(wait.as_mut()));
    let message = panic_message(|| drop(poll_noop(wait.as_mut())));
    assert_eq!(
        message,
        "a wait for a `Mutex` was polled after it had finished"
    );
    drop(wait);
    assert!(is_untouched(&mutex));
}

#[test]
fn moves_between_executors() {
    // Polled here, unlocked by a plain thread, finished on a third.
    let mutex = Arc::new(Mutex::new(0));
    for round in 0..100 {
        let mut guard = mutex.try_lock().unwrap();
        let (wakes, waker) = counting_waker();
        let mut wait = boxed(&mutex);
        assert!(poll(wait.as_mut(), &waker).is_pending());
        scope(|scope| {
            scope
                .spawn(move || {
                    *guard += 1;
                    drop(guard);
                })
                .join()
                .unwrap();
            assert_eq!(wakes.count(), 1);
            scope.spawn(move || assert_eq!(*Bare.block_on(wait), round + 1));
        });
    }
}

#[test]
fn happens_before() {
    // What is written beside the lock is ordered by it as well.
    let mutex = Mutex::new(());
    let beside: Vec<AtomicUsize> = (0..8).map(|_| AtomicUsize::new(0)).collect();
    let start = Barrier::new(3);
    scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                start.wait();
                for _ in 0..2_000 {
                    let _guard = Bare.block_on(mutex.lock_future());
                    let seen = beside[0].load(Ordering::Relaxed);
                    for cell in &beside {
                        assert_eq!(cell.load(Ordering::Relaxed), seen);
                        cell.store(seen + 1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(beside[7].load(Ordering::Relaxed), 6_000);
}

#[test]
fn waits_without_allocation() {
    let mutex = Mutex::new(());
    let (_, a) = counting_waker();
    let (_, b) = counting_waker();
    let spent = allocations(|| {
        drop(mutex.try_lock());
        let mut guard = Some(mutex.try_lock().unwrap());
        for _ in 0..10 {
            let (mut first, mut second) = (pin!(mutex.lock_future()), pin!(mutex.lock_future()));
            assert!(poll(first.as_mut(), &a).is_pending());
            assert!(poll(second.as_mut(), &b).is_pending());
            assert!(poll(second.as_mut(), &a).is_pending());
            drop(guard.take());
            // Moves over to the one of the same task.
            let won = poll_thrice(second.as_mut(), &a);
            assert!(poll(first.as_mut(), &a).is_pending());
            drop(won);
            let Poll::Ready(won) = poll(first.as_mut(), &a) else {
                panic!("it is the first");
            };
            guard = Some(won);
        }
    });
    assert_eq!(spent, 0);
}

#[test]
fn cancel_is_constant_time() {
    // The best of several, so that a busy machine does not matter; a scan of
    // the long queue would take a hundred times as long.
    fn best_time_to_cancel(queue: usize, cancelled: usize) -> Duration {
        (0..5)
            .map(|_| {
                let mutex = Mutex::new(());
                let guard = mutex.try_lock();
                let mut waits: Vec<_> = (0..queue).map(|_| boxed(&mutex)).collect();
                for wait in &mut waits {
                    assert!(poll_noop(wait.as_mut()).is_pending());
                }
                let middle = (queue - cancelled) / 2;
                let doomed: Vec<_> = waits.drain(middle..middle + cancelled).rev().collect();
                let begin = Instant::now();
                drop(doomed);
                let took = begin.elapsed();
                assert_eq!(mutex.waiter_count(), queue - cancelled);
                drop(waits);
                drop(guard);
                took
            })
            .min()
            .unwrap()
    }
    let short = best_time_to_cancel(1_000, 1_000);
    let long = best_time_to_cancel(100_000, 1_000);
    assert!(long < short * 20, "{long:?} against {short:?}");
}

#[test]
fn spends_budget_after_winning() {
    let mutex = Mutex::new(());
    let io = Budget::default();
    let (wakes, task) = counting_waker();

    // Queued: not asked, so the place is safe.
    let guard = mutex.try_lock();
    let mut wait = Box::pin(mutex.lock(&io));
    io.broke.set(true);
    assert!(poll(wait.as_mut(), &task).is_pending());
    assert_eq!(io.asked.get(), 0);
    // Won, and no budget: the lock stays with it, whichever task comes.
    drop(guard);
    assert!(poll(wait.as_mut(), &task).is_pending());
    assert_eq!((io.asked.get(), wakes.count()), (1, 2));
    assert!(mutex.try_lock().is_none());
    let mut later = boxed(&mutex);
    assert!(poll(later.as_mut(), &counting_waker().1).is_pending());
    assert!(poll(wait.as_mut(), &task).is_pending());
    io.broke.set(false);
    let won = poll(wait.as_mut(), &task);
    assert!(won.is_ready());
    drop(won);
    assert!(poll_noop(later.as_mut()).is_ready());

    // Won at once, and no budget: the same.
    io.broke.set(true);
    let mut wait = Box::pin(mutex.lock(&io));
    assert!(poll(wait.as_mut(), &task).is_pending());
    assert!(mutex.is_locked());
    assert!(mutex.try_lock().is_none());
    io.broke.set(false);
    assert!(poll(wait.as_mut(), &task).is_ready());
    assert!(is_untouched(&mutex));
}

#[test]
fn a_wait_without_budget_passes_on_and_gives_way() {
    let mutex = Mutex::new(());
    let io = Budget::default();
    io.broke.set(true);
    let (_, task) = counting_waker();
    let (next_wakes, next_waker) = counting_waker();

    let mut wait = Box::pin(mutex.lock(&io));
    assert!(poll(wait.as_mut(), &task).is_pending());
    let mut next = boxed(&mutex);
    assert!(poll(next.as_mut(), &next_waker).is_pending());
    // Another wait of its task gets what it keeps, though it has queued later.
    let mut same_task = boxed(&mutex);
    let won = poll_thrice(same_task.as_mut(), &task);
    assert!(won.is_ready());
    assert!(poll(wait.as_mut(), &task).is_pending());
    assert_eq!(mutex.waiter_count(), 2);
    drop(won);
    assert_eq!(next_wakes.count(), 0);
    drop(wait);
    assert_eq!(next_wakes.count(), 1);
    assert!(poll(next.as_mut(), &next_waker).is_ready());
    assert!(is_untouched(&mutex));
}

#[test]
fn a_budget_that_panics_loses_no_lock() {
    struct Bankrupt;
    impl Io for Bankrupt {
        fn poll_spend(&self, _: &mut Context<'_>) -> Poll<()> {
            std::panic::panic_any("bankrupt")
        }
    }

    let mutex = Mutex::new(());
    let mut wait = Box::pin(mutex.lock(Bankrupt));
    assert_eq!(panic_message(|| drop(poll_noop(wait.as_mut()))), "bankrupt");
    drop(wait);
    assert!(is_untouched(&mutex));
}

#[test]
fn usable_in_a_static() {
    static MUTEX: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    static LOCK_ONLY: Mutex<()> = const { Mutex::new(()) };

    MUTEX.try_lock().unwrap().push(1);
    assert_eq!(*Bare.block_on(MUTEX.lock_future()), [1]);
    assert!(LOCK_ONLY.try_lock().is_some());
    assert!(!const { Waiter::<'static, u32>::new() }.is_ready());
}

#[test]
fn wait_stays_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let mutex = Mutex::new(Cell::new(1));
    scope(|scope| {
        let wait = send(mutex.lock_future());
        // A guard is dropped on another thread than the one that locked.
        let guard = send(Bare.block_on(wait));
        let mut next = boxed(&mutex);
        assert!(poll(next.as_mut(), &counting_waker().1).is_pending());
        scope.spawn(move || {
            guard.set(2);
            drop(guard);
        });
        assert_eq!(Bare.block_on(next).get(), 2);
    });
}

use core::cell::{Cell, RefCell};
use core::fmt::Debug;
use core::mem::size_of;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::format;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::{Lock, Mutex, MutexGuard, Waiter};
use crate::io::{Bare, Block, Io};
use crate::test_util::{
    WAKER_PANIC, allocations, counting_waker, panic_message, panicking_waker, poll, poll_noop,
    reentrant_waker,
};

/// A wait on the heap, so that a test can drop it when it likes.
fn boxed<T: ?Sized>(mutex: &Mutex<T>) -> Pin<Box<Lock<'_, T>>> {
    Box::pin(mutex.lock_future())
}

/// `count` waits, queued in order, each of a task of its own.
fn queued<T: ?Sized>(mutex: &Mutex<T>, count: usize) -> Vec<Pin<Box<Lock<'_, T>>>> {
    (0..count)
        .map(|_| {
            let mut wait = boxed(mutex);
            assert!(poll(wait.as_mut(), &counting_waker().1).is_pending());
            wait
        })
        .collect()
}

fn is_untouched<T: ?Sized>(mutex: &Mutex<T>) -> bool {
    !mutex.is_locked() && mutex.waiter_count() == 0 && !mutex.seat.is_taken()
}

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

// mutex::

#[test]
fn excludes() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 2_000;
    // A counter that loses steps if two have it at once.
    let mutex = Mutex::new(0_usize);
    let inside = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    let mut count = Bare.block_on(mutex.lock_future());
                    assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                    *count += 1;
                    assert_eq!(inside.fetch_sub(1, Ordering::Relaxed), 1);
                }
            });
        }
    });
    assert!(is_untouched(&mutex));
    assert_eq!(mutex.into_inner(), THREADS * ROUNDS);
}

#[test]
fn unlocks_on_drop_and_unwind() {
    let mutex = Mutex::new(1);
    drop(mutex.try_lock().unwrap());
    assert!(!mutex.is_locked());

    let message = panic_message(|| {
        let mut guard = mutex.try_lock().unwrap();
        *guard = 2;
        std::panic::panic_any("with the guard in hand");
    });
    assert_eq!(message, "with the guard in hand");
    // No poison: the next finds what was written.
    assert_eq!(*mutex.try_lock().unwrap(), 2);
}

#[test]
fn unwinding_hands_over_to_the_next() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (wakes, waker) = counting_waker();
    let mut wait = boxed(&mutex);
    assert!(poll(wait.as_mut(), &waker).is_pending());
    panic_message(move || {
        let _guard = guard;
        std::panic::panic_any("with the guard in hand");
    });
    assert_eq!(wakes.count(), 1);
    assert!(poll(wait.as_mut(), &waker).is_ready());
}

#[test]
fn a_waker_that_panics_while_unwinding_does_not_abort() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let mut wait = boxed(&mutex);
    assert!(poll(wait.as_mut(), &panicking_waker()).is_pending());
    let message = panic_message(move || {
        let _guard = guard;
        std::panic::panic_any("the first panic");
    });
    assert_eq!(message, "the first panic");
    assert!(poll_noop(wait.as_mut()).is_ready());
}

#[test]
fn try_lock_never_waits() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    assert!(guard.is_some());
    assert!(mutex.try_lock().is_none());
    assert_eq!(mutex.waiter_count(), 0);
    drop(guard);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn is_fifo() {
    let mutex = Mutex::new(());
    let mut guard = mutex.try_lock();
    let mut waits = queued(&mutex, 100);
    let tasks: Vec<Waker> = waits.iter().map(|_| counting_waker().1).collect();
    for served in 0..waits.len() {
        assert_eq!(mutex.waiter_count(), waits.len() - served);
        drop(guard.take());
        // Polled last to first: their order is that of the queue.
        for later in (served + 1..waits.len()).rev() {
            assert!(poll(waits[later].as_mut(), &tasks[later]).is_pending());
        }
        let Poll::Ready(won) = poll_noop(waits[served].as_mut()) else {
            panic!("the first in the queue was not served");
        };
        guard = Some(won);
    }
}

#[test]
fn no_barging_past_a_queue() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let mut first = queued(&mutex, 1).pop().unwrap();
    drop(guard);
    // Handed over, not free: neither a try nor a newcomer comes first.
    assert!(mutex.is_locked());
    assert!(mutex.try_lock().is_none());
    let mut newcomer = boxed(&mutex);
    assert!(poll_noop(newcomer.as_mut()).is_pending());
    let Poll::Ready(guard) = poll_noop(first.as_mut()) else {
        panic!("the lock was handed to it");
    };
    drop(guard);
    assert!(poll_noop(newcomer.as_mut()).is_ready());
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (wakes, task) = counting_waker();
    let mut left_alone = boxed(&mutex);
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    drop(guard);
    assert_eq!(wakes.count(), 1);

    // The task goes on in another branch, and waits for the same lock there.
    let mut polled = boxed(&mutex);
    let Poll::Ready(guard) = poll(polled.as_mut(), &task) else {
        panic!("the task waits for itself");
    };
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    assert_eq!(mutex.waiter_count(), 1);
    drop(guard);
    assert_eq!(wakes.count(), 2);
    assert!(poll(left_alone.as_mut(), &task).is_ready());
    assert!(is_untouched(&mutex));
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task_that_has_queued() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (_, task) = counting_waker();
    let (_, stranger) = counting_waker();
    let mut left_alone = boxed(&mutex);
    let mut other = boxed(&mutex);
    let mut polled = boxed(&mutex);
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    assert!(poll(other.as_mut(), &stranger).is_pending());
    // In the queue with another waker, so that the poll has to renew it too.
    assert!(poll(polled.as_mut(), &counting_waker().1).is_pending());
    drop(guard);

    assert!(poll(other.as_mut(), &stranger).is_pending(), "not its task");
    let Poll::Ready(guard) = poll(polled.as_mut(), &task) else {
        panic!("the task waits for itself");
    };
    assert_eq!(mutex.waiter_count(), 2);
    drop(guard);
    // The one that gave way is the first again.
    assert!(poll(other.as_mut(), &stranger).is_pending());
    let Poll::Ready(guard) = poll(left_alone.as_mut(), &task) else {
        panic!("the wait that gave way lost its place");
    };
    drop(guard);
    assert!(poll(other.as_mut(), &stranger).is_ready());
    assert!(is_untouched(&mutex));
}

#[test]
fn a_wait_that_gave_way_may_be_dropped() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (wakes, task) = counting_waker();
    let mut left_alone = boxed(&mutex);
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    drop(guard);
    let guard = poll(boxed(&mutex).as_mut(), &task);
    assert!(guard.is_ready());
    drop(left_alone);
    assert_eq!(mutex.waiter_count(), 0);
    drop(guard);
    assert!(is_untouched(&mutex));
    drop(task);
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
}

// any::

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
        thread::scope(|scope| {
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
    thread::scope(|scope| {
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
            assert!(poll(second.as_mut(), &a).is_ready());
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
    // Won, and no budget: the lock stays with it, whoever comes.
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
    let won = poll(same_task.as_mut(), &task);
    assert!(won.is_ready());
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
    thread::scope(|scope| {
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

// The third level.

#[test]
fn raw_waiter_queues_and_reports() {
    let mutex = Mutex::new(0);
    let guard = mutex.try_lock().unwrap();
    let (wakes, waker) = counting_waker();
    let mut waiter = Box::pin(Waiter::with_waker(waker));
    let mut silent = Box::pin(Waiter::new());
    assert!(mutex.lock_with(waiter.as_mut()).is_none());
    assert!(mutex.lock_with(silent.as_mut()).is_none());
    assert!(mutex.lock_with(waiter.as_mut()).is_none(), "a poll");
    assert_eq!(mutex.waiter_count(), 2);
    assert!(!waiter.is_ready());
    drop(guard);
    assert_eq!(wakes.count(), 1);
    assert!(waiter.is_ready());
    assert!(!silent.is_ready());
    let guard = mutex.lock_with(waiter.as_mut()).unwrap();
    assert!(!waiter.is_ready());
    drop(guard);
    assert!(silent.is_ready());
    drop(mutex.lock_with(silent.as_mut()).unwrap());
    // Used again, free this time.
    drop(mutex.lock_with(silent.as_mut()).unwrap());
    assert!(is_untouched(&mutex));
}

#[test]
fn raw_waiter_passes_on_when_it_goes() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let mut waiters: Vec<_> = (0..4).map(|_| Box::pin(Waiter::new())).collect();
    for waiter in &mut waiters {
        assert!(mutex.lock_with(waiter.as_mut()).is_none());
    }
    drop(guard);
    assert!(waiters[0].is_ready());
    waiters[0].as_mut().reset();
    assert!(!waiters[0].is_ready() && waiters[1].is_ready());
    drop(waiters.remove(1));
    assert!(waiters[1].is_ready());
    waiters[2].as_mut().reset();
    assert_eq!(mutex.waiter_count(), 0);
    drop(waiters);
    assert!(is_untouched(&mutex));
}

#[test]
fn raw_waiter_takes_a_waker_at_any_time() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (idle, idle_waker) = counting_waker();
    let (queued, queued_waker) = counting_waker();
    let (ready, ready_waker) = counting_waker();
    let mut waiter = Box::pin(Waiter::new());
    waiter.as_mut().set_waker(idle_waker);
    assert!(mutex.lock_with(waiter.as_mut()).is_none());
    waiter.as_mut().set_waker(queued_waker);
    assert_eq!(Arc::strong_count(&idle), 1, "the old one was kept");
    drop(guard);
    assert_eq!((idle.count(), queued.count()), (0, 1));
    waiter.as_mut().set_waker(ready_waker.clone());
    assert_eq!(ready.count(), 1, "it has been handed the lock");

    // By it the waiter is known as of that task.
    let mut wait = boxed(&mutex);
    let won = poll(wait.as_mut(), &ready_waker);
    assert!(won.is_ready());
    assert!(!waiter.is_ready());
    assert!(mutex.lock_with(waiter.as_mut()).is_none());
    drop(won);
    assert_eq!(ready.count(), 2);
    assert!(mutex.lock_with(waiter.as_mut()).is_some());
}

#[test]
fn raw_waiter_takes_over_in_its_own_task() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (wakes, task) = counting_waker();
    let mut left_alone = boxed(&mutex);
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    let mut early = Box::pin(Waiter::with_waker(task.clone()));
    assert!(mutex.lock_with(early.as_mut()).is_none());
    drop(guard);
    // Queued already.
    let guard = mutex.lock_with(early.as_mut());
    assert!(guard.is_some());
    drop(guard);
    assert_eq!(wakes.count(), 2);
    // Not queued yet.
    let mut late = Box::pin(Waiter::with_waker(task));
    assert!(mutex.lock_with(late.as_mut()).is_some());
    // Without a waker it is of no task.
    let mut nobody = Box::pin(Waiter::new());
    assert!(mutex.lock_with(nobody.as_mut()).is_none());
    drop(left_alone);
    assert!(nobody.is_ready());
    let mut nobody_too = Box::pin(Waiter::new());
    assert!(mutex.lock_with(nobody_too.as_mut()).is_none());
    assert!(nobody.is_ready());
}

#[test]
fn raw_waiter_of_another_mutex_is_refused() {
    let (one, two) = (Mutex::new(()), Mutex::new(()));
    let guard = one.try_lock();
    let mut waiter = Box::pin(Waiter::new());
    assert!(one.lock_with(waiter.as_mut()).is_none());
    let refused = "this `Waiter` waits for another `Mutex`: reset it first";
    assert_eq!(
        panic_message(|| drop(two.lock_with(waiter.as_mut()))),
        refused
    );
    drop(guard);
    assert_eq!(
        panic_message(|| drop(two.lock_with(waiter.as_mut()))),
        refused
    );
    waiter.as_mut().reset();
    assert!(two.lock_with(waiter.as_mut()).is_some());
    assert!(is_untouched(&one) && is_untouched(&two));
}

// The value and its faces.

#[test]
fn holds_values_without_a_size() {
    let slice: &Mutex<[u8]> = &Mutex::new([1, 2, 3]);
    slice.try_lock().unwrap()[0] = 9;
    let mut wait = boxed(slice);
    let Poll::Ready(guard) = poll_noop(wait.as_mut()) else {
        panic!("the lock is free");
    };
    assert_eq!(*guard, [9, 2, 3]);
    let mut waiter = Box::pin(Waiter::new());
    assert!(slice.lock_with(waiter.as_mut()).is_none());
    drop(guard);
    assert_eq!(slice.lock_with(waiter.as_mut()).unwrap().len(), 3);

    let shown: Arc<Mutex<dyn Debug + Send>> = Arc::new(Mutex::new(5));
    assert_eq!(format!("{:?}", shown.try_lock().unwrap()), "5");
}

#[test]
fn gives_the_value_back() {
    let mut mutex = Mutex::from(RefCell::new(1));
    *mutex.get_mut().get_mut() += 1;
    assert_eq!(mutex.into_inner().into_inner(), 2);
    assert_eq!(Mutex::<u8>::default().into_inner(), 0);

    // Dropped once, with the lock or with the value.
    let alive = Arc::new(());
    drop(Mutex::new(alive.clone()));
    drop(Mutex::new(alive.clone()).into_inner());
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn shows_itself() {
    let mutex = Mutex::new("value");
    assert_eq!(format!("{mutex:?}"), r#"Mutex { data: "value" }"#);
    let guard = mutex.try_lock().unwrap();
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
    assert_eq!(format!("{guard:?} {guard}"), r#""value" value"#);
    let mut wait = boxed(&mutex);
    assert_eq!(format!("{wait:?}"), r#"Lock { status: "idle", .. }"#);
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!(format!("{wait:?}"), r#"Lock { status: "queued", .. }"#);
    drop(guard);
    assert_eq!(format!("{wait:?}"), r#"Lock { status: "ready", .. }"#);
    assert!(poll_noop(wait.as_mut()).is_ready());
    assert_eq!(format!("{wait:?}"), r#"Lock { status: "finished", .. }"#);
    assert_eq!(
        format!("{:?}", Waiter::<'_, u8>::new()),
        r#"Waiter { status: "idle", .. }"#
    );
}

#[test]
fn guard_leads_to_its_mutex() {
    let mutex = Mutex::new(1);
    let guard = mutex.try_lock().unwrap();
    let found = MutexGuard::mutex(&guard);
    drop(guard);
    assert!(core::ptr::eq(found, &mutex));
    assert!(found.try_lock().is_some());
}

#[test]
fn leaked_guard_stays_locked() {
    let mutex = Mutex::new(());
    core::mem::forget(mutex.try_lock());
    let mut wait = boxed(&mutex);
    assert!(poll_noop(wait.as_mut()).is_pending());
    drop(wait);
    assert!(mutex.is_locked());
    assert_eq!(mutex.waiter_count(), 0);
}

#[test]
#[cfg(target_pointer_width = "64")]
fn sizes() {
    assert!(size_of::<Mutex<()>>() <= 32);
    assert_eq!(size_of::<Mutex<u64>>(), size_of::<Mutex<()>>() + 8);
    assert!(size_of::<Lock<'_, u64>>() <= 48);
    assert_eq!(size_of::<MutexGuard<'_, u64>>(), 8);
    assert!(size_of::<Waiter<'_, u64>>() <= 64);
}

#[test]
fn stormed_by_threads_that_give_up() {
    // Waits that are dropped at any moment, tries, and waits to the end, all on
    // one lock: nothing is lost, and the value counts each that had it.
    static MUTEX: Mutex<usize> = Mutex::new(0);
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| {
        std::env::var("ANYSYNC_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or(0x5eed)
    });
    let had = AtomicUsize::new(0);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        thread::scope(|scope| {
            for thread in 0..4_u64 {
                let had = &had;
                scope.spawn(move || {
                    let mut random = seed ^ (thread + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let (_, waker) = counting_waker();
                    for _ in 0..3_000 {
                        random ^= random << 13;
                        random ^= random >> 7;
                        random ^= random << 17;
                        let guard = match random % 4 {
                            0 => MUTEX.try_lock(),
                            1 => {
                                let mut wait = pin!(MUTEX.lock_future());
                                match poll(wait.as_mut(), &waker) {
                                    Poll::Ready(guard) => Some(guard),
                                    Poll::Pending => None,
                                }
                            }
                            _ => Some(Bare.block_on(MUTEX.lock_future())),
                        };
                        if let Some(mut guard) = guard {
                            *guard += 1;
                            had.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
    }));
    assert!(outcome.is_ok(), "seed: ANYSYNC_SEED={seed}");
    assert!(is_untouched(&MUTEX));
    assert_eq!(*MUTEX.try_lock().unwrap(), had.load(Ordering::Relaxed));
}

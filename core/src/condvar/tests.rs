use core::cell::Cell;
use core::mem::size_of;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll};
use std::boxed::Box;
use std::format;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::{Condvar, Wait, WaitWhile, Waiter};
use crate::io::{Bare, Block, Io, block_on};
use crate::mutex::{Fairness, Mutex};
use crate::test_util::{
    WAKER_PANIC, allocations, counting_waker, panic_message, panicking_waker, poll, poll_noop,
    reentrant_waker, scope,
};

type Boxed<'a, T> = Pin<Box<Wait<'a, T>>>;

/// A wait that has given up the lock and is queued.
fn queued<'a, T: ?Sized>(condvar: &'a Condvar, mutex: &'a Mutex<T>) -> Boxed<'a, T> {
    let guard = mutex.try_lock().expect("the lock is free");
    let mut wait = Box::pin(condvar.wait_future(guard));
    assert!(poll_noop(wait.as_mut()).is_pending());
    wait
}

fn ready<G>(polled: Poll<G>) -> G {
    match polled {
        Poll::Ready(guard) => guard,
        Poll::Pending => panic!("the wait has not ended"),
    }
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

#[test]
fn wait_releases_and_reacquires() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let (wakes, waker) = counting_waker();
    let mut wait = Box::pin(condvar.wait_future(mutex.try_lock().unwrap()));
    assert!(mutex.is_locked(), "until the first poll");
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert!(!mutex.is_locked());
    assert_eq!(condvar.waiter_count(), 1);

    let mut guard = mutex.try_lock().unwrap();
    *guard = 1;
    condvar.notify_one();
    assert_eq!((wakes.count(), condvar.waiter_count()), (1, 0));
    // Notified, and the lock is held by another.
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert_eq!(mutex.waiter_count(), 1);
    drop(guard);
    assert_eq!(wakes.count(), 2);
    let guard = ready(poll(wait.as_mut(), &waker));
    assert_eq!(*guard, 1);
    assert!(mutex.try_lock().is_none());
    drop(guard);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn notify_between_unlock_and_wait_is_not_lost() {
    // From inside the unlock, by the waker of the one that gets the lock: there
    // is no moment in which the lock is free and the wait not in the queue.
    static PAIR: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
    static NOTIFIED: AtomicBool = AtomicBool::new(false);

    let guard = PAIR.0.try_lock().unwrap();
    let mut other = Box::pin(PAIR.0.lock_future());
    let notifies = crate::test_util::hooked_waker(|event| {
        if event == crate::test_util::Event::Wake {
            PAIR.1.notify_one();
            NOTIFIED.store(true, Ordering::Relaxed);
        }
    });
    assert!(poll(other.as_mut(), &notifies).is_pending());
    let (wakes, waker) = counting_waker();
    let mut wait = Box::pin(PAIR.1.wait_future(guard));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert!(NOTIFIED.load(Ordering::Relaxed));
    assert_eq!(wakes.count(), 1);
    drop(ready(poll_noop(other.as_mut())));
    drop(ready(poll(wait.as_mut(), &waker)));
}

#[test]
fn notify_between_unlock_and_wait_is_not_lost_by_threads() {
    let condvar = Condvar::new();
    for fairness in [Fairness::Fifo, Fairness::Eventual] {
        const ROUNDS: usize = 2_000;
        let mutex = Mutex::with_fairness(0_usize, fairness);
        // Two that take turns: the one that misses a notification stops both.
        scope(|scope| {
            for parity in 0..2 {
                let (mutex, condvar) = (&mutex, &condvar);
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        let guard = mutex.blocking_lock();
                        let wait = condvar.wait_while_future(guard, |turn| *turn % 2 != parity);
                        *block_on(wait) += 1;
                        condvar.notify_one();
                    }
                });
            }
        });
        assert_eq!(mutex.into_inner(), 2 * ROUNDS);
    }
    assert_eq!(condvar.waiter_count(), 0);
}

#[test]
fn notification_without_a_wait_is_lost() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    condvar.notify_one();
    condvar.notify_all();
    let mut wait = queued(&condvar, &mutex);
    assert!(poll_noop(wait.as_mut()).is_pending());
    // Nor does one count that comes before the first poll: the lock is held
    // until then, so what it tells of was there to be seen.
    let mut late = Box::pin(condvar.wait_future(mutex.try_lock().unwrap()));
    condvar.notify_all();
    assert!(poll_noop(late.as_mut()).is_pending());
    assert_eq!(condvar.waiter_count(), 1);
    drop(ready(poll_noop(wait.as_mut())));
}

#[test]
fn one_wakes_exactly_one_in_fifo_order() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut waits: Vec<_> = (0..5).map(|_| queued(&condvar, &mutex)).collect();
    drop(waits.remove(2));
    for served in 0..4 {
        condvar.notify_one();
        assert_eq!(condvar.waiter_count(), 3 - served);
        for later in (served + 1..4).rev() {
            assert!(poll_noop(waits[later].as_mut()).is_pending());
        }
        drop(ready(poll_noop(waits[served].as_mut())));
    }
}

#[test]
fn all_wakes_exactly_those_before() {
    static PAIR: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
    static LATE: std::sync::Mutex<Vec<Boxed<'static, ()>>> = std::sync::Mutex::new(Vec::new());

    // More than one batch; each waker queues a newcomer.
    let mut waits: Vec<_> = (0..70)
        .map(|_| {
            let mut wait = Box::pin(PAIR.1.wait_future(PAIR.0.try_lock().unwrap()));
            let waker = reentrant_waker(|| {
                if let Some(guard) = PAIR.0.try_lock() {
                    let mut late = Box::pin(PAIR.1.wait_future(guard));
                    assert!(poll_noop(late.as_mut()).is_pending());
                    LATE.lock().unwrap().push(late);
                }
            });
            assert!(poll(wait.as_mut(), &waker).is_pending());
            wait
        })
        .collect();
    LATE.lock().unwrap().clear();
    assert_eq!(PAIR.1.waiter_count(), 70);
    PAIR.1.notify_all();
    let late = core::mem::take(&mut *LATE.lock().unwrap());
    assert!(late.len() >= 70);
    assert_eq!(PAIR.1.waiter_count(), late.len());
    for wait in &mut waits {
        drop(ready(poll_noop(wait.as_mut())));
    }
    for mut late in late {
        assert!(poll_noop(late.as_mut()).is_pending());
    }
    assert_eq!(PAIR.1.waiter_count(), 0);
}

#[test]
fn dropped_on_its_way_to_be_woken_is_counted_once() {
    type Doomed = std::sync::Mutex<Option<Boxed<'static, ()>>>;
    static PAIR: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
    static DOOMED: Doomed = std::sync::Mutex::new(None);

    // Also the wait that has seen two calls is counted with the first of them.
    for further_calls in [0, 0, 1, 2] {
        let mut first = Box::pin(PAIR.1.wait_future(PAIR.0.try_lock().unwrap()));
        let drops_the_last = crate::test_util::hooked_waker(move |event| {
            if event == crate::test_util::Event::Wake {
                for _ in 0..further_calls {
                    let _other = queued(&PAIR.1, &PAIR.0);
                    PAIR.1.notify_all();
                }
                drop(DOOMED.lock().unwrap().take());
            }
        });
        assert!(poll(first.as_mut(), &drops_the_last).is_pending());
        // The last is in a later batch, so it is still on its way.
        let others: Vec<_> = (0..70).map(|_| queued(&PAIR.1, &PAIR.0)).collect();
        *DOOMED.lock().unwrap() = Some(queued(&PAIR.1, &PAIR.0));
        PAIR.1.notify_all();
        assert!(DOOMED.lock().unwrap().is_none());
        assert_eq!(PAIR.1.waiter_count(), 0);
        drop(others);
        drop(queued(&PAIR.1, &PAIR.0));
        assert_eq!(PAIR.1.waiter_count(), 0);
    }
}

#[test]
fn waits_with_guards_of_several_mutexes() {
    let condvar = Condvar::new();
    let (one, two) = (Mutex::new(1), Mutex::new("two"));
    let mut first = queued(&condvar, &one);
    let mut second = queued(&condvar, &two);
    condvar.notify_all();
    assert_eq!(*ready(poll_noop(second.as_mut())), "two");
    assert_eq!(*ready(poll_noop(first.as_mut())), 1);
}

#[test]
fn wait_while_asks_before_and_after_each_wait() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let asked = Cell::new(0);
    let condition = |value: &mut i32| {
        asked.set(asked.get() + 1);
        *value < 2
    };
    let guard = mutex.try_lock().unwrap();
    let mut wait = Box::pin(condvar.wait_while_future(guard, condition));
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!((asked.get(), mutex.is_locked()), (1, false));
    // Notified in vain: it queues again.
    *mutex.try_lock().unwrap() = 1;
    condvar.notify_one();
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!((asked.get(), condvar.waiter_count()), (2, 1));
    assert!(!mutex.is_locked());
    *mutex.try_lock().unwrap() = 2;
    condvar.notify_one();
    let guard = ready(poll_noop(wait.as_mut()));
    assert_eq!((asked.get(), *guard), (3, 2));
    // Not at all, if the value is as it should be.
    let mut wait = Box::pin(condvar.wait_while_future(guard, condition));
    let guard = ready(poll_noop(wait.as_mut()));
    assert_eq!((asked.get(), *guard), (4, 2));
    let message = panic_message(|| drop(poll_noop(wait.as_mut())));
    assert_eq!(
        message,
        "a wait on a `Condvar` was polled after it had finished"
    );
}

#[test]
fn a_condition_that_panics_leaves_the_lock_to_the_drop() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let guard = mutex.try_lock().unwrap();
    let mut wait = Box::pin(condvar.wait_while_future(guard, |_| std::panic::panic_any("no idea")));
    assert_eq!(panic_message(|| drop(poll_noop(wait.as_mut()))), "no idea");
    assert!(mutex.is_locked());
    drop(wait);
    assert!(!mutex.is_locked());
}

// any::

#[test]
fn dropped_wait_leaves_no_trace() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let free = || mutex.try_lock().is_some() && mutex.waiter_count() == 0;
    // Not polled.
    drop(condvar.wait_future(mutex.try_lock().unwrap()));
    assert!(free());
    // Queued.
    drop(queued(&condvar, &mutex));
    assert_eq!(condvar.waiter_count(), 0);
    assert!(free());
    // Notified.
    let wait = queued(&condvar, &mutex);
    condvar.notify_one();
    drop(wait);
    assert!(free());
    // Waiting for the lock.
    let mut wait = queued(&condvar, &mutex);
    condvar.notify_all();
    let guard = mutex.try_lock();
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!(mutex.waiter_count(), 1);
    drop(wait);
    assert_eq!(mutex.waiter_count(), 0);
    drop(guard);
    // Handed the lock.
    let mut wait = queued(&condvar, &mutex);
    condvar.notify_one();
    let guard = mutex.try_lock();
    assert!(poll_noop(wait.as_mut()).is_pending());
    drop(guard);
    assert!(mutex.is_locked());
    drop(wait);
    assert!(free());
    // Finished.
    let mut wait = queued(&condvar, &mutex);
    condvar.notify_one();
    drop(ready(poll_noop(wait.as_mut())));
    drop(wait);
    assert!(free());
    assert_eq!(condvar.waiter_count(), 0);
}

#[test]
fn dropped_win_is_passed_on() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    // Notified, and not polled since.
    let first = queued(&condvar, &mutex);
    let mut second = queued(&condvar, &mutex);
    condvar.notify_one();
    drop(first);
    drop(ready(poll_noop(second.as_mut())));

    // Notified, and waiting for the lock; and handed it.
    for handed in [false, true] {
        let mut first = queued(&condvar, &mutex);
        let mut second = queued(&condvar, &mutex);
        condvar.notify_one();
        let mut guard = mutex.try_lock();
        assert!(poll_noop(first.as_mut()).is_pending());
        if handed {
            guard = None;
        }
        drop(first);
        assert_eq!(condvar.waiter_count(), 0);
        drop(guard);
        drop(ready(poll_noop(second.as_mut())));
    }

    // It has had the lock: the notification is used up.
    let mut first = queued(&condvar, &mutex);
    let mut second = queued(&condvar, &mutex);
    condvar.notify_one();
    drop(ready(poll_noop(first.as_mut())));
    drop(first);
    assert!(poll_noop(second.as_mut()).is_pending());
    // Nor is that of a `notify_all` passed on.
    condvar.notify_all();
    let mut third = queued(&condvar, &mutex);
    drop(second);
    assert!(poll_noop(third.as_mut()).is_pending());
}

#[test]
fn last_waker_is_the_one_woken() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let (old_wakes, old) = counting_waker();
    let (new_wakes, new) = counting_waker();
    let mut wait = Box::pin(condvar.wait_future(mutex.try_lock().unwrap()));
    assert!(poll(wait.as_mut(), &old).is_pending());
    assert!(poll(wait.as_mut(), &new).is_pending());
    drop(old);
    assert_eq!(Arc::strong_count(&old_wakes), 1, "the old one was kept");
    condvar.notify_one();
    assert_eq!((old_wakes.count(), new_wakes.count()), (0, 1));
    drop(ready(poll(wait.as_mut(), &new)));
    drop((wait, new));
    assert_eq!(Arc::strong_count(&new_wakes), 1, "a waker was leaked");
}

#[test]
fn waker_may_reenter() {
    static PAIR: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
    static RAN: AtomicUsize = AtomicUsize::new(0);

    let waker = || {
        reentrant_waker(|| {
            RAN.fetch_add(1, Ordering::Relaxed);
            if let Some(guard) = PAIR.0.try_lock() {
                drop(poll_noop(Box::pin(PAIR.1.wait_future(guard)).as_mut()));
            }
            if let Some(guard) = PAIR.0.try_lock() {
                let mut waiter = Box::pin(Waiter::new());
                PAIR.1.wait_with(guard, waiter.as_mut());
                let _ = waiter.is_notified();
            }
            let _ = (PAIR.1.waiter_count(), format!("{:?}", PAIR.1));
        })
    };
    let wait = || {
        let mut wait = Box::pin(PAIR.1.wait_future(PAIR.0.try_lock().unwrap()));
        assert!(poll(wait.as_mut(), &waker()).is_pending()); // cloned
        assert!(poll(wait.as_mut(), &waker()).is_pending()); // replaced, dropped
        wait
    };
    let (mut first, mut second) = (wait(), wait());
    let dropped = wait();
    PAIR.1.notify_one();
    drop(dropped);
    PAIR.1.notify_all();
    drop(ready(poll(first.as_mut(), &waker())));
    drop(ready(poll(second.as_mut(), &waker())));
    assert!(RAN.load(Ordering::Relaxed) >= 5);
    assert_eq!(PAIR.1.waiter_count(), 0);
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let panics = || {
        let mut wait = Box::pin(condvar.wait_future(mutex.try_lock().unwrap()));
        assert!(poll(wait.as_mut(), &panicking_waker()).is_pending());
        wait
    };
    let (mut first, mut second) = (panics(), panics());
    let mut third = queued(&condvar, &mutex);
    assert_eq!(panic_message(|| condvar.notify_all()), WAKER_PANIC);
    for wait in [&mut first, &mut second, &mut third] {
        drop(ready(poll_noop(wait.as_mut())));
    }

    // Passed on by a drop, the panic goes on once; the next keeps the win.
    let (first, mut second) = (queued(&condvar, &mutex), panics());
    condvar.notify_one();
    assert_eq!(panic_message(|| drop(first)), WAKER_PANIC);
    drop(ready(poll_noop(second.as_mut())));
    assert_eq!(condvar.waiter_count(), 0);
}

#[test]
fn unlocking_with_a_waker_that_panics_keeps_the_place() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut wait = Box::pin(condvar.wait_future(mutex.try_lock().unwrap()));
    let mut locks = Box::pin(mutex.lock_future());
    assert!(poll(locks.as_mut(), &panicking_waker()).is_pending());
    assert_eq!(
        panic_message(|| drop(poll_noop(wait.as_mut()))),
        WAKER_PANIC
    );
    drop(ready(poll_noop(locks.as_mut())));
    assert_eq!(condvar.waiter_count(), 1);
    condvar.notify_one();
    drop(ready(poll_noop(wait.as_mut())));
}

#[test]
fn spurious_poll_is_harmless() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let (mut first, mut second) = (queued(&condvar, &mutex), queued(&condvar, &mutex));
    for _ in 0..3 {
        assert!(poll_noop(second.as_mut()).is_pending());
        assert!(poll_noop(first.as_mut()).is_pending());
    }
    condvar.notify_one();
    assert!(poll_noop(second.as_mut()).is_pending());
    drop(ready(poll_noop(first.as_mut())));
}

#[test]
fn completed_future_is_fused_or_panics_clearly() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut wait = queued(&condvar, &mutex);
    condvar.notify_one();
    drop(ready(poll_noop(wait.as_mut())));
    let message = panic_message(|| drop(poll_noop(wait.as_mut())));
    assert_eq!(
        message,
        "a wait on a `Condvar` was polled after it had finished"
    );
    drop(wait);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn moves_between_executors() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    for round in 0..100 {
        let (wakes, waker) = counting_waker();
        let mut wait = Box::pin(condvar.wait_future(mutex.try_lock().unwrap()));
        assert!(poll(wait.as_mut(), &waker).is_pending());
        scope(|scope| {
            let notifier = scope.spawn(|| {
                *mutex.blocking_lock() += 1;
                condvar.notify_one();
            });
            notifier.join().unwrap();
            assert_eq!(wakes.count(), 1);
            scope.spawn(move || assert_eq!(*Bare.block_on(wait), round + 1));
        });
    }
}

#[test]
fn waits_without_allocation() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let (_, waker) = counting_waker();
    let spent = allocations(|| {
        let guard = mutex.try_lock().unwrap();
        let mut wait = pin!(condvar.wait_while_future(guard, |value| *value < 2));
        for _ in 0..2 {
            assert!(poll(wait.as_mut(), &waker).is_pending());
            let mut guard = mutex.try_lock().unwrap();
            condvar.notify_one();
            assert!(poll(wait.as_mut(), &waker).is_pending());
            *guard += 1;
        }
        drop(ready(poll(wait.as_mut(), &waker)));
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
                let (mutex, condvar) = (Mutex::new(()), Condvar::new());
                let mut waits: Vec<_> = (0..queue).map(|_| queued(&condvar, &mutex)).collect();
                let middle = (queue - cancelled) / 2;
                let doomed: Vec<_> = waits.drain(middle..middle + cancelled).rev().collect();
                let begin = Instant::now();
                drop(doomed);
                let took = begin.elapsed();
                assert_eq!(condvar.waiter_count(), queue - cancelled);
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
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let io = Budget::default();
    let mut wait = Box::pin(condvar.wait(&io, mutex.try_lock().unwrap()));
    assert!(poll_noop(wait.as_mut()).is_pending());
    condvar.notify_one();
    io.broke.set(true);
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!(io.asked.get(), 1);
    assert!(mutex.is_locked(), "it keeps what it has won");
    io.broke.set(false);
    drop(ready(poll_noop(wait.as_mut())));

    // A loop of waits that are met at once spends too; the condition is asked
    // once all the same.
    let asked = Cell::new(0);
    io.broke.set(true);
    let guard = mutex.try_lock().unwrap();
    let mut wait: Pin<Box<WaitWhile<'_, _, _, _>>> =
        Box::pin(condvar.wait_while(&io, guard, |_: &mut i32| {
            asked.set(asked.get() + 1);
            false
        }));
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert!(mutex.is_locked());
    io.broke.set(false);
    drop(ready(poll_noop(wait.as_mut())));
    assert_eq!(asked.get(), 1);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn usable_in_a_static() {
    static PAIR: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
    scope(|scope| {
        scope.spawn(|| {
            let guard = PAIR.0.blocking_lock();
            assert!(*block_on(PAIR.1.wait_while_future(guard, |set| !*set)));
        });
        *PAIR.0.blocking_lock() = true;
        PAIR.1.notify_all();
    });
    assert!(!const { Waiter::<'static>::new() }.is_ready());
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let (_, task) = counting_waker();
    let mut left_alone = Box::pin(condvar.wait_future(mutex.try_lock().unwrap()));
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    condvar.notify_one();
    let guard = mutex.try_lock();
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    drop(guard);
    // The lock has been handed to it, and its task goes on elsewhere.
    let mut polled = Box::pin(mutex.lock_future());
    for _ in 0..2 {
        assert!(poll(polled.as_mut(), &task).is_pending());
    }
    drop(ready(poll(polled.as_mut(), &task)));
    drop(ready(poll(left_alone.as_mut(), &task)));
}

// The third level.

#[test]
fn raw_waiter_reports_state() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let lock = || mutex.try_lock().unwrap();
    let (wakes, waker) = counting_waker();
    let mut waiter = Box::pin(Waiter::with_waker(waker));
    condvar.wait_with(lock(), waiter.as_mut());
    assert!(!mutex.is_locked());
    assert_eq!(condvar.waiter_count(), 1);
    assert!(!waiter.is_ready() && !waiter.is_notified());
    condvar.notify_one();
    assert_eq!(wakes.count(), 1);
    assert!(waiter.is_ready() && waiter.is_notified() && waiter.is_notified());
    // Used again.
    condvar.wait_with(lock(), waiter.as_mut());
    assert!(!waiter.is_ready());
    let busy = "this `Waiter` waits for a `Condvar`, or has been notified: reset it first";
    let mut other = Box::pin(Waiter::new());
    condvar.wait_with(lock(), other.as_mut());
    assert_eq!(
        panic_message(|| condvar.wait_with(lock(), other.as_mut())),
        busy
    );
    assert!(!mutex.is_locked());
    drop(other);
    condvar.notify_all();
    assert_eq!(wakes.count(), 2);
    waiter.as_mut().reset();
    assert!(!waiter.is_ready());
}

#[test]
fn raw_waiter_passes_on_what_nobody_has_seen() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut waiters: Vec<_> = (0..4).map(|_| Box::pin(Waiter::new())).collect();
    for waiter in &mut waiters {
        condvar.wait_with(mutex.try_lock().unwrap(), waiter.as_mut());
    }
    condvar.notify_one();
    waiters[0].as_mut().reset();
    assert!(!waiters[0].is_ready() && waiters[1].is_ready());
    drop(waiters.remove(1));
    assert!(waiters[1].is_notified());
    // Seen, so it stays here.
    drop(waiters.remove(1));
    assert!(!waiters[1].is_ready());
    waiters[1].as_mut().reset();
    assert_eq!(condvar.waiter_count(), 0);
}

#[test]
fn raw_waiter_takes_a_waker_at_any_time() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let (idle, idle_waker) = counting_waker();
    let (queued, queued_waker) = counting_waker();
    let (late, late_waker) = counting_waker();
    let mut waiter = Box::pin(Waiter::new());
    waiter.as_mut().set_waker(idle_waker);
    condvar.wait_with(mutex.try_lock().unwrap(), waiter.as_mut());
    waiter.as_mut().set_waker(queued_waker);
    assert_eq!(Arc::strong_count(&idle), 1, "the old one was kept");
    condvar.notify_one();
    assert_eq!((idle.count(), queued.count()), (0, 1));
    waiter.as_mut().set_waker(late_waker);
    assert_eq!((queued.count(), late.count()), (1, 1));
    assert!(waiter.is_notified());
}

#[test]
fn shows_itself() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::default());
    let mut wait = Box::pin(condvar.wait_future(mutex.try_lock().unwrap()));
    assert_eq!(format!("{wait:?}"), r#"Wait { status: "idle", .. }"#);
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!(format!("{wait:?}"), r#"Wait { status: "queued", .. }"#);
    assert_eq!(format!("{condvar:?}"), "Condvar { waiter_count: 1 }");
    condvar.notify_one();
    assert_eq!(format!("{wait:?}"), r#"Wait { status: "notified", .. }"#);
    drop(ready(poll_noop(wait.as_mut())));
    assert_eq!(format!("{wait:?}"), r#"Wait { status: "finished", .. }"#);
    let wait = condvar.wait_while_future(mutex.try_lock().unwrap(), |()| true);
    assert_eq!(format!("{wait:?}"), r#"WaitWhile { status: "idle", .. }"#);
    assert_eq!(
        format!("{:?}", Waiter::default()),
        r#"Waiter { status: "idle", .. }"#
    );
}

#[test]
#[cfg(target_pointer_width = "64")]
fn sizes() {
    assert!(size_of::<Condvar>() <= 32);
    assert!(size_of::<Wait<'_, u64>>() <= 104);
    assert!(size_of::<WaitWhile<'_, u64, fn(&mut u64) -> bool>>() <= 120);
    assert!(size_of::<Waiter<'_>>() <= 64);
}

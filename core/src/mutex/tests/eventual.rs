//! The lock that is free between two holders.

use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::Waker;
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use super::super::{Fairness, Lock, Mutex, Waiter};
use super::{Budget, boxed, is_untouched, queued, ready};
use crate::fairness::PATIENCE;
use crate::io::{Bare, Block};
use crate::test_util::{
    WAKER_PANIC, allocations, counting_waker, panic_message, panicking_waker, poll, poll_noop,
    poll_thrice, reentrant_waker, scope,
};

fn eventual<T>(value: T) -> Mutex<T> {
    Mutex::with_fairness(value, Fairness::Eventual)
}

#[test]
fn fairness_is_chosen_at_construction() {
    static EVENTUAL: Mutex<()> = Mutex::with_fairness((), Fairness::Eventual);
    assert_eq!(EVENTUAL.fairness(), Fairness::Eventual);
    assert_eq!(Mutex::new(()).fairness(), Fairness::Fifo);
    assert_eq!(Fairness::default(), Fairness::Fifo);
    // It stays so, whatever happens.
    drop(EVENTUAL.try_lock());
    drop(queued(&EVENTUAL, 0));
    let guard = EVENTUAL.try_lock();
    let mut waits = queued(&EVENTUAL, 2);
    drop(guard);
    drop(ready(poll_noop(waits[0].as_mut())));
    drop(waits);
    assert_eq!(EVENTUAL.fairness(), Fairness::Eventual);
    assert!(is_untouched(&EVENTUAL));
}

#[test]
fn a_runner_may_take_a_free_lock() {
    let mutex = eventual(());
    let guard = mutex.try_lock();
    let (wakes, waker) = counting_waker();
    let (behind_wakes, behind) = counting_waker();
    let (mut first, mut second) = (boxed(&mutex), boxed(&mutex));
    assert!(poll(first.as_mut(), &waker).is_pending());
    assert!(poll(second.as_mut(), &behind).is_pending());
    drop(guard);
    assert!(!mutex.is_locked());
    assert_eq!(mutex.waiter_count(), 1, "the first is called");
    assert_eq!((wakes.count(), behind_wakes.count()), (1, 0));
    let guard = ready(poll(first.as_mut(), &waker));
    assert_eq!(mutex.waiter_count(), 1);
    drop(guard);
    assert_eq!((wakes.count(), behind_wakes.count()), (1, 1));
    drop(ready(poll(second.as_mut(), &behind)));
    assert!(is_untouched(&mutex));
}

#[test]
fn each_release_calls_the_next() {
    let mutex = eventual(());
    let guard = mutex.try_lock();
    let tasks: Vec<_> = (0..3).map(|_| counting_waker()).collect();
    let mut waits: Vec<_> = tasks.iter().map(|_| boxed(&mutex)).collect();
    for (wait, (_, waker)) in waits.iter_mut().zip(&tasks) {
        assert!(poll(wait.as_mut(), waker).is_pending());
    }
    let wakes = || [0, 1, 2].map(|task: usize| tasks[task].0.count());
    drop(guard);
    assert_eq!(wakes(), [1, 0, 0]);
    // The first does not come: a lock that others take and free goes on.
    drop(mutex.try_lock().unwrap());
    assert_eq!(wakes(), [1, 1, 0]);
    drop(mutex.try_lock().unwrap());
    assert_eq!(wakes(), [1, 1, 1]);
    assert_eq!(mutex.waiter_count(), 0);
    for (wait, (_, waker)) in waits.iter_mut().zip(&tasks) {
        drop(ready(poll(wait.as_mut(), waker)));
    }
    assert!(is_untouched(&mutex));
}

#[test]
fn starves_nobody() {
    let mutex = eventual(0);
    let mut waits = queued(&mutex, 0);
    let tasks: Vec<_> = (0..3).map(|_| counting_waker()).collect();
    let mut guard = mutex.try_lock();
    for (_, waker) in &tasks {
        let mut wait = boxed(&mutex);
        assert!(poll(wait.as_mut(), waker).is_pending());
        waits.push(wait);
    }
    for (served, (wakes, waker)) in tasks.iter().enumerate() {
        // A greedy one takes the lock again before the first in the queue comes.
        for lost in 1..=PATIENCE {
            drop(guard.take());
            assert_eq!(wakes.count(), lost);
            guard = mutex.try_lock();
            assert!(guard.is_some());
            assert!(poll(waits[served].as_mut(), waker).is_pending());
            // A poll that was not asked for is not counted.
            assert!(poll(waits[served].as_mut(), waker).is_pending());
        }
        drop(guard.take());
        assert!(mutex.is_locked(), "handed over");
        assert!(mutex.try_lock().is_none());
        assert_eq!(wakes.count(), PATIENCE + 1);
        guard = Some(ready(poll(waits[served].as_mut(), waker)));
    }
    drop(guard);
    assert!(is_untouched(&mutex));
}

#[test]
fn starves_nobody_among_greedy_threads() {
    let mutex = eventual(0_usize);
    let stop = AtomicBool::new(false);
    let served = AtomicUsize::new(0);
    scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let mut count = mutex.blocking_lock();
                    *count += 1;
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..200 {
                    *Bare.block_on(mutex.lock_future()) += 1;
                    served.fetch_add(1, Ordering::Relaxed);
                }
                if served.load(Ordering::Relaxed) == 400 {
                    stop.store(true, Ordering::Relaxed);
                }
            });
        }
    });
    assert!(is_untouched(&mutex));
    assert!(mutex.into_inner() >= 400);
}

#[test]
fn a_late_one_waits_to_be_told_again() {
    let mutex = eventual(());
    let guard = mutex.try_lock();
    let (wakes, waker) = counting_waker();
    let mut wait = boxed(&mutex);
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(guard);
    let guard = mutex.try_lock();
    assert!(guard.is_some());
    // With another waker this time, which is the one to be woken.
    let (new_wakes, new) = counting_waker();
    assert!(poll(wait.as_mut(), &new).is_pending());
    drop(guard);
    assert_eq!((wakes.count(), new_wakes.count()), (1, 1));
    drop(ready(poll(wait.as_mut(), &new)));
    drop((waker, new));
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
    assert_eq!(Arc::strong_count(&new_wakes), 1, "a waker was leaked");
    assert!(is_untouched(&mutex));
}

#[test]
fn dropped_win_is_passed_on() {
    let mutex = eventual(());
    let guard = mutex.try_lock();
    let tasks: Vec<_> = (0..3).map(|_| counting_waker()).collect();
    let mut waits: Vec<Pin<Box<Lock<'_, ()>>>> = Vec::new();
    for (_, waker) in &tasks {
        let mut wait = boxed(&mutex);
        assert!(poll(wait.as_mut(), waker).is_pending());
        waits.push(wait);
    }
    let told = || [0, 1, 2].map(|task: usize| tasks[task].0.count());
    drop(guard);
    assert_eq!(told(), [1, 0, 0]);
    // The lock is free: the next is told.
    drop(waits.remove(0));
    assert_eq!(told(), [1, 1, 0]);
    // The lock is held: its holder tells the next.
    let guard = mutex.try_lock();
    drop(waits.remove(0));
    assert_eq!(told(), [1, 1, 0]);
    drop(guard);
    assert_eq!(told(), [1, 1, 1]);
    // One that was not told leaves: no other is owed anything.
    let mut last = boxed(&mutex);
    let (wakes, waker) = counting_waker();
    let guard = mutex.try_lock();
    assert!(poll(last.as_mut(), &waker).is_pending());
    drop(last);
    drop(guard);
    assert_eq!((told(), wakes.count()), ([1, 1, 1], 0));
    drop(waits.remove(0));
    assert!(is_untouched(&mutex));
    for (wakes, _) in &tasks {
        assert_eq!(Arc::strong_count(wakes), 2, "a waker was leaked");
    }
}

#[test]
fn dropped_call_of_an_owned_lock_is_passed_on() {
    let mutex = Arc::new(eventual(()));
    let guard = mutex.try_lock();
    let tasks = [counting_waker(), counting_waker()];
    let mut waits = tasks.each_ref().map(|(_, waker)| {
        let mut wait = Box::pin(Arc::clone(&mutex).lock_owned(Bare));
        assert!(poll(wait.as_mut(), waker).is_pending());
        Some(wait)
    });
    drop(guard);
    drop(waits[0].take());
    assert_eq!(tasks.each_ref().map(|(wakes, _)| wakes.count()), [1, 1]);
    drop(waits);
    assert!(is_untouched(&mutex));
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task() {
    let mutex = eventual(());
    let guard = mutex.try_lock();
    let (_, task) = counting_waker();
    let (_, stranger) = counting_waker();
    let (mut left_alone, mut polled) = (boxed(&mutex), boxed(&mutex));
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    // By a waker of its own, as `FuturesUnordered` would have it.
    assert!(poll(polled.as_mut(), &stranger).is_pending());
    drop(guard);
    // Called and left alone. Any wait that is polled has the lock, queued or not.
    drop(ready(poll_noop(boxed(&mutex).as_mut())));
    drop(ready(poll(polled.as_mut(), &stranger)));
    drop(ready(poll(left_alone.as_mut(), &task)));
    assert!(is_untouched(&mutex));
}

/// Is quicker than `wait`, until the lock is handed to that.
fn hand_over<'a>(mutex: &'a Mutex<()>, wait: &mut Pin<Box<Lock<'a, ()>>>, task: &Waker) {
    *wait = boxed(mutex);
    let mut guard = mutex.try_lock();
    assert!(poll(wait.as_mut(), task).is_pending());
    for _ in 0..PATIENCE {
        drop(guard.take());
        guard = mutex.try_lock();
        assert!(poll(wait.as_mut(), task).is_pending());
    }
    drop(guard);
    assert!(mutex.is_locked());
}

#[test]
fn handed_over_and_unpolled_does_not_block_its_own_task() {
    let mutex = eventual(());
    let (_, task) = counting_waker();
    let mut left_alone = boxed(&mutex);
    hand_over(&mutex, &mut left_alone, &task);
    let mut polled = boxed(&mutex);
    let guard = ready(poll_thrice(polled.as_mut(), &task));
    drop(guard);
    assert!(is_untouched(&mutex));
    drop(ready(poll(left_alone.as_mut(), &task)));

    // Also by attempts, and by a wait of another task.
    let (_, other) = counting_waker();
    hand_over(&mutex, &mut left_alone, &task);
    assert!(mutex.try_lock().is_none() && mutex.try_lock().is_none());
    drop(mutex.try_lock().expect("the third has it"));
    hand_over(&mutex, &mut left_alone, &task);
    drop(ready(poll_thrice(boxed(&mutex).as_mut(), &other)));
}

#[test]
fn spends_budget_after_winning() {
    let mutex = eventual(());
    let io = Budget::default();
    let (_, task) = counting_waker();
    let guard = mutex.try_lock();
    let mut wait = Box::pin(mutex.lock(&io));
    io.broke.set(true);
    assert!(poll(wait.as_mut(), &task).is_pending());
    assert_eq!(io.asked.get(), 0);
    drop(guard);
    // Told, and it takes the lock, which stays with it.
    assert!(poll(wait.as_mut(), &task).is_pending());
    assert!(mutex.is_locked());
    assert!(mutex.try_lock().is_none());
    io.broke.set(false);
    drop(ready(poll(wait.as_mut(), &task)));
    assert!(is_untouched(&mutex));
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let mutex = eventual(());
    let guard = mutex.try_lock();
    let (wakes, waker) = counting_waker();
    let (mut first, mut second, mut third) = (boxed(&mutex), boxed(&mutex), boxed(&mutex));
    assert!(poll(first.as_mut(), &panicking_waker()).is_pending());
    assert!(poll(second.as_mut(), &panicking_waker()).is_pending());
    assert!(poll(third.as_mut(), &waker).is_pending());
    assert_eq!(panic_message(|| drop(guard)), WAKER_PANIC);
    assert!(!mutex.is_locked());
    assert_eq!(panic_message(|| drop(first)), WAKER_PANIC);
    drop(second);
    assert_eq!(wakes.count(), 1);
    drop(ready(poll(third.as_mut(), &waker)));
    assert!(is_untouched(&mutex));
}

#[test]
fn waker_may_reenter() {
    static MUTEX: Mutex<()> = Mutex::with_fairness((), Fairness::Eventual);
    static RAN: AtomicUsize = AtomicUsize::new(0);

    fn waker() -> Waker {
        reentrant_waker(|| {
            RAN.fetch_add(1, Ordering::Relaxed);
            drop(poll_noop(boxed(&MUTEX).as_mut()));
            drop(MUTEX.try_lock());
            let mut waiter = Box::pin(Waiter::new());
            drop(MUTEX.lock_with(waiter.as_mut()));
        })
    }

    let guard = MUTEX.try_lock();
    let (mut first, mut second) = (boxed(&MUTEX), boxed(&MUTEX));
    assert!(poll(first.as_mut(), &waker()).is_pending());
    assert!(poll(second.as_mut(), &waker()).is_pending());
    drop(guard);
    let guard = MUTEX.try_lock();
    assert!(poll(first.as_mut(), &waker()).is_pending());
    drop(guard);
    drop(first);
    drop(ready(poll(second.as_mut(), &waker())));
    assert!(RAN.load(Ordering::Relaxed) >= 5);
    assert!(is_untouched(&MUTEX));
}

#[test]
fn waits_without_allocation() {
    let mutex = eventual(());
    let (_, waker) = counting_waker();
    let spent = allocations(|| {
        let guard = mutex.try_lock();
        let mut wait = core::pin::pin!(mutex.lock_future());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        drop(guard);
        let guard = mutex.try_lock();
        assert!(poll(wait.as_mut(), &waker).is_pending());
        drop(guard);
        drop(ready(poll(wait.as_mut(), &waker)));
    });
    assert_eq!(spent, 0);
}

#[test]
fn raw_waiter_is_told_and_calls_again() {
    let mutex = eventual(0);
    let guard = mutex.try_lock();
    let (wakes, waker) = counting_waker();
    let mut waiter = Box::pin(Waiter::with_waker(waker));
    assert!(mutex.lock_with(waiter.as_mut()).is_none());
    assert!(!waiter.is_ready());
    drop(guard);
    assert!(waiter.is_ready());
    assert_eq!(wakes.count(), 1);
    // Too late: it waits on, with the waker that it has.
    let guard = mutex.try_lock();
    assert!(mutex.lock_with(waiter.as_mut()).is_none());
    assert!(!waiter.is_ready());
    drop(guard);
    assert!(waiter.is_ready());
    assert_eq!(wakes.count(), 2);
    // A waker that comes late is woken at once.
    let (late_wakes, late) = counting_waker();
    waiter.as_mut().set_waker(late);
    assert_eq!((wakes.count(), late_wakes.count()), (2, 1));
    assert!(mutex.lock_with(waiter.as_mut()).is_some());
    assert!(!waiter.is_ready());
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");

    // Reset while it is told, it passes that on.
    let guard = mutex.try_lock();
    let mut silent = Box::pin(Waiter::new());
    assert!(mutex.lock_with(waiter.as_mut()).is_none());
    assert!(mutex.lock_with(silent.as_mut()).is_none());
    drop(guard);
    waiter.as_mut().reset();
    assert!(silent.is_ready());
    assert!(mutex.lock_with(silent.as_mut()).is_some());
    assert!(is_untouched(&mutex));
}

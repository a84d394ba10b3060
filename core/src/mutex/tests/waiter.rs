//! The third level: waits without a future.

use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use super::super::{Mutex, Waiter};
use super::{boxed, is_untouched};
use crate::test_util::{counting_waker, panic_message, poll, poll_thrice};

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
    let won = poll_thrice(wait.as_mut(), &ready_waker);
    assert!(won.is_ready());
    assert_eq!(ready.count(), 3);
    assert!(waiter.is_ready(), "it is to be called");
    assert!(mutex.lock_with(waiter.as_mut()).is_none());
    assert!(!waiter.is_ready());
    drop(won);
    assert_eq!(ready.count(), 4);
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
    for _ in 0..2 {
        assert!(mutex.lock_with(early.as_mut()).is_none());
    }
    let guard = mutex.lock_with(early.as_mut());
    assert!(guard.is_some());
    assert_eq!(wakes.count(), 3);
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    drop(guard);
    assert_eq!(wakes.count(), 4);
    // Without a waker it is of no task: many calls are needed.
    let mut nobody = Box::pin(Waiter::new());
    let calls = (0..).take_while(|_| mutex.lock_with(nobody.as_mut()).is_none());
    assert_eq!(calls.count(), 127);
    drop(left_alone);
    assert!(is_untouched(&mutex));
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

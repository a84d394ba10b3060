//! Models of the condition for loom: two or three threads in every order, with
//! no more forced switches than the bound says. A notification that is lost
//! shows as a deadlock.

use core::pin::Pin;
use core::task::Poll;
use std::boxed::Box;
use std::sync::Arc;

use loom::thread;

use super::{Condvar, Wait};
use crate::loom_util::{Wakes, block_on, counting_waker, model, poll, poll_noop};
use crate::mutex::{Fairness, Mutex};

struct Pair {
    mutex: Mutex<usize>,
    changed: Condvar,
}

/// For threads that are not scoped. It is leaked: a few bytes for each order
/// that is tried.
fn pair(fairness: Fairness) -> &'static Pair {
    Box::leak(Box::new(Pair {
        mutex: Mutex::with_fairness(0, fairness),
        changed: Condvar::new(),
    }))
}

impl Pair {
    async fn until(&'static self, least: usize) -> usize {
        let guard = self.mutex.lock_future().await;
        let wait = self
            .changed
            .wait_while_future(guard, |value| *value < least);
        *wait.await
    }

    async fn add(&'static self) {
        *self.mutex.lock_future().await += 1;
    }
}

fn queued(pair: &'static Pair) -> (Pin<Box<Wait<'static, usize>>>, Arc<Wakes>) {
    let (wakes, waker) = counting_waker();
    let mut wait = Box::pin(pair.changed.wait_future(pair.mutex.try_lock().unwrap()));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    (wait, wakes)
}

/// Proves: a change that is made under the lock and notified without it reaches
/// a wait that has looked before, in both kinds of lock.
#[test]
fn loom_notify_between_unlock_and_wait_is_not_lost() {
    for fairness in [Fairness::Fifo, Fairness::Eventual] {
        model(3, move || {
            let pair = pair(fairness);
            let waits = thread::spawn(move || block_on(pair.until(1)));
            block_on(pair.add());
            pair.changed.notify_one();
            assert_eq!(waits.join().unwrap(), 1);
            assert_eq!(pair.changed.waiter_count(), 0);
            assert!(pair.mutex.try_lock().is_some());
        });
    }
}

/// Proves: `notify_all` reaches both of two waits.
#[test]
fn loom_notify_all_reaches_everybody_before() {
    model(1, || {
        let pair = pair(Fairness::Fifo);
        let waits: [_; 2] =
            core::array::from_fn(|_| thread::spawn(move || block_on(pair.until(1))));
        block_on(pair.add());
        pair.changed.notify_all();
        for wait in waits {
            assert_eq!(wait.join().unwrap(), 1);
        }
        assert_eq!(pair.changed.waiter_count(), 0);
        assert!(pair.mutex.try_lock().is_some());
    });
}

/// Proves: of a `notify_one` and the drop of the wait that it chooses, or that
/// leaves before, the next wait comes out notified, once.
#[test]
fn loom_cancel_against_notify_one() {
    model(3, || {
        let pair = pair(Fairness::Fifo);
        let (first, _) = queued(pair);
        let (mut second, wakes) = queued(pair);
        let other = thread::spawn(move || drop(first));
        pair.changed.notify_one();
        other.join().unwrap();
        assert_eq!(wakes.count(), 1);
        assert!(poll_noop(second.as_mut()).is_ready());
        assert_eq!(pair.changed.waiter_count(), 0);
    });
}

/// Proves: a wait that is notified, and dropped while it is handed the lock,
/// passes both on.
#[test]
fn loom_cancel_of_the_notified_against_unlock() {
    model(3, || {
        let pair = pair(Fairness::Fifo);
        let (mut first, _) = queued(pair);
        let (mut second, wakes) = queued(pair);
        let guard = pair.mutex.try_lock().unwrap();
        pair.changed.notify_one();
        assert!(poll_noop(first.as_mut()).is_pending());
        let other = thread::spawn(move || drop(first));
        drop(guard);
        other.join().unwrap();
        assert_eq!(wakes.count(), 1);
        assert!(poll_noop(second.as_mut()).is_ready());
        drop(second);
        assert!(pair.mutex.try_lock().is_some());
    });
}

/// Proves: waits that are dropped and polled while a `notify_all` is on its way
/// to them are counted out once.
#[test]
fn loom_cancel_against_notify_all() {
    model(3, || {
        let pair = pair(Fairness::Fifo);
        let (first, _) = queued(pair);
        let (second, _) = queued(pair);
        let (mut last, _) = queued(pair);
        let other = thread::spawn(move || {
            // The second may have been moved aside, and not been told yet.
            drop(second);
            drop(first);
            match poll_noop(last.as_mut()) {
                Poll::Ready(_) => None,
                Poll::Pending => Some(last),
            }
        });
        pair.changed.notify_all();
        if let Some(mut last) = other.join().unwrap() {
            assert!(poll_noop(last.as_mut()).is_ready());
        }
        assert_eq!(pair.changed.waiter_count(), 0);
        let (third, _) = queued(pair);
        assert_eq!(pair.changed.waiter_count(), 1);
        drop(third);
        assert_eq!(pair.changed.waiter_count(), 0);
        assert!(pair.mutex.try_lock().is_some());
    });
}

/// Proves: a wait that queues beside a `notify_all` that does not hold the lock
/// is reached by it, or is counted.
#[test]
fn loom_queueing_against_notify_all() {
    model(3, || {
        let pair = pair(Fairness::Fifo);
        let (mut first, _) = queued(pair);
        let other = thread::spawn(move || queued(pair).0);
        pair.changed.notify_all();
        let mut late = other.join().unwrap();
        assert!(poll_noop(first.as_mut()).is_ready());
        drop(first);
        let reached = poll_noop(late.as_mut()).is_ready();
        assert_eq!(pair.changed.waiter_count(), usize::from(!reached));
        drop(late);
        assert_eq!(pair.changed.waiter_count(), 0);
    });
}

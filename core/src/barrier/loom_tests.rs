//! Models of the laws that depend on how threads interleave. Each says how many
//! forced switches it allows; a lost wake-up shows as a deadlock, and reading
//! what has not happened before as a race.

use core::pin::{Pin, pin};
use core::task::Poll;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use std::boxed::Box;

use super::*;
use crate::loom_util::{block_on, model, poll_noop};

/// A wait that has arrived, on a barrier that the test keeps alive.
fn arrived(barrier: &Barrier) -> Pin<Box<Wait<'_>>> {
    let mut wait = Box::pin(barrier.wait_future());
    assert!(poll_noop(wait.as_mut()).is_pending());
    wait
}

/// All gone: two fresh waits find each other and no other.
fn assert_as_new(barrier: &Barrier) {
    assert_eq!(barrier.arrived(), 0);
    let mut first = arrived(barrier);
    let mut last = Box::pin(barrier.wait_future());
    assert_eq!(poll_noop(last.as_mut()), Poll::Ready(true));
    assert_eq!(poll_noop(first.as_mut()), Poll::Ready(false));
}

/// Two threads write, wait, and read what both have written; one of them leads.
#[test]
fn loom_happens_before() {
    model(3, || {
        let shared = Arc::new((Barrier::new(2), [UnsafeCell::new(0), UnsafeCell::new(0)]));
        let work = |shared: &(Barrier, [UnsafeCell<u32>; 2]), own: usize| {
            // SAFETY: no other thread touches it before the wait is over.
            shared.1[own].with_mut(|cell| unsafe { *cell = 1 });
            let leader = block_on(shared.0.wait_future());
            for cell in &shared.1 {
                // SAFETY: no thread writes after the wait.
                assert_eq!(cell.with(|cell| unsafe { *cell }), 1);
            }
            leader
        };
        let other = {
            let shared = shared.clone();
            thread::spawn(move || work(&shared, 1))
        };
        let leads = work(&shared, 0);
        assert_ne!(leads, other.join().unwrap());
        assert_as_new(&shared.0);
    });
}

/// What the action of the last to come reads was written before, and what it
/// writes is read by both; it runs once.
#[test]
fn loom_leader_action_runs_before_release() {
    struct Shared {
        barrier: Barrier,
        parts: [UnsafeCell<u32>; 2],
        total: UnsafeCell<u32>,
    }
    model(3, || {
        let shared = Arc::new(Shared {
            barrier: Barrier::new(2),
            parts: [UnsafeCell::new(0), UnsafeCell::new(0)],
            total: UnsafeCell::new(0),
        });
        let work = |shared: &Shared, own: usize| {
            // SAFETY: no other thread touches it before the action.
            shared.parts[own].with_mut(|part| unsafe { *part = 1 });
            let add = || {
                for part in &shared.parts {
                    // SAFETY: all have arrived, and none is released.
                    let part = part.with(|part| unsafe { *part });
                    // SAFETY: the same.
                    shared.total.with_mut(|total| unsafe { *total += part });
                }
            };
            block_on(shared.barrier.wait_then(Bare, add));
            // SAFETY: no thread writes after the wait.
            assert_eq!(shared.total.with(|total| unsafe { *total }), 2);
        };
        let other = {
            let shared = shared.clone();
            thread::spawn(move || work(&shared, 1))
        };
        work(&shared, 0);
        other.join().unwrap();
        assert_as_new(&shared.barrier);
    });
}

/// A wait is dropped while the other arrives: either both were there, or the
/// other waits for another, is woken by it, and no count is off.
#[test]
fn loom_dropped_arrival_withdraws() {
    model(3, || {
        let barrier = Arc::new(Barrier::new(2));
        let dropped = arrived(&barrier);
        let other = {
            let barrier = barrier.clone();
            thread::spawn(move || block_on(barrier.wait_future()))
        };
        drop(dropped);
        let mut third = Box::pin(barrier.wait_future());
        let leads = poll_noop(third.as_mut());
        let other_led = other.join().unwrap();
        match leads {
            Poll::Ready(leads) => assert!(leads && !other_led),
            // Whether with the dropped one or with the third, it was the last.
            Poll::Pending => assert!(other_led),
        }
        if leads.is_pending() && barrier.arrived() == 0 {
            assert_eq!(poll_noop(third.as_mut()), Poll::Ready(false));
        }
        drop(third);
        assert_as_new(&barrier);
    });
}

/// Two threads pass twice, each generation with one leader, and none overtakes.
#[test]
fn loom_is_reusable() {
    model(2, || {
        let shared = Arc::new((Barrier::new(2), UnsafeCell::new(0)));
        let work = |shared: &(Barrier, UnsafeCell<u32>)| {
            let mut led = 0;
            for generation in 1..=2 {
                let write = || {
                    // SAFETY: all have arrived, and none is released.
                    shared.1.with_mut(|cell| unsafe { *cell += 1 });
                };
                led += u32::from(block_on(shared.0.wait_then(Bare, write)));
                // SAFETY: it is not written before both have read and arrived.
                assert_eq!(shared.1.with(|cell| unsafe { *cell }), generation);
            }
            led
        };
        let other = {
            let shared = shared.clone();
            thread::spawn(move || work(&shared))
        };
        let led = work(&shared);
        assert_eq!(led + other.join().unwrap(), 2);
        assert_as_new(&shared.0);
    });
}

/// A leader fails while another wait arrives, before, during or after its action:
/// that one completes the generation, and neither it nor the member sleeps on.
#[test]
fn loom_failed_leader_action_withdraws() {
    model(3, || {
        let barrier = Arc::new(Barrier::new(2));
        let member = arrived(&barrier);
        let fails = {
            let barrier = barrier.clone();
            thread::spawn(move || {
                let wait = pin!(barrier.try_wait_then(Bare, || Err::<(), ()>(())));
                // Pending if it came too late, and then it withdraws.
                assert_ne!(poll_noop(wait), Poll::Ready(Ok(true)));
            })
        };
        let last = {
            let barrier = barrier.clone();
            thread::spawn(move || block_on(barrier.wait_then(Bare, || ())))
        };
        assert!(!block_on(member));
        assert!(last.join().unwrap());
        fails.join().unwrap();
        assert_as_new(&barrier);
    });
}

/// The same with a wait without an action behind the one that fails: the release
/// is then by the thread that fails.
#[test]
fn loom_failed_leader_releases_those_behind_it() {
    model(3, || {
        let barrier = Arc::new(Barrier::new(2));
        let member = arrived(&barrier);
        let fails = {
            let barrier = barrier.clone();
            thread::spawn(move || {
                let mut wait = Box::pin(barrier.wait_then_async(Bare, core::future::pending::<()>));
                assert!(poll_noop(wait.as_mut()).is_pending());
            })
        };
        let last = {
            let barrier = barrier.clone();
            thread::spawn(move || block_on(barrier.wait_future()))
        };
        assert!(!block_on(member));
        assert!(last.join().unwrap());
        fails.join().unwrap();
        assert_as_new(&barrier);
    });
}

/// A leader is cancelled, and the one that was given the lead may be dropped
/// before it looks: a third is always given it.
#[test]
fn loom_dropped_win_is_passed_on() {
    model(3, || {
        let barrier = Arc::new(Barrier::new(1));
        let mut cancelled = Box::pin(barrier.wait_then_async(Bare, core::future::pending::<()>));
        assert!(poll_noop(cancelled.as_mut()).is_pending());
        let dropped = {
            let barrier = barrier.clone();
            thread::spawn(move || _ = poll_noop(pin!(barrier.wait_then(Bare, || ()))))
        };
        let third = {
            let barrier = barrier.clone();
            thread::spawn(move || block_on(barrier.wait_then(Bare, || ())))
        };
        drop(cancelled);
        assert!(third.join().unwrap());
        dropped.join().unwrap();
        assert_eq!(barrier.arrived(), 0);
        assert!(block_on(barrier.wait_future()));
    });
}

/// Four arrivals of which one acts, in two generations: a wait that queues behind the
/// action is released with the next one.
#[test]
fn loom_latecomers_form_the_next_generation() {
    model(2, || {
        let barrier = Arc::new(Barrier::new(2));
        let member = arrived(&barrier);
        let acts = {
            let barrier = barrier.clone();
            thread::spawn(move || block_on(barrier.wait_then(Bare, || ())))
        };
        let late = {
            let barrier = barrier.clone();
            thread::spawn(move || block_on(barrier.wait_future()))
        };
        assert!(!block_on(member));
        let last = block_on(barrier.wait_future());
        let leaders = [acts.join().unwrap(), late.join().unwrap(), last];
        assert_eq!(leaders.iter().filter(|leads| **leads).count(), 2);
        assert_as_new(&barrier);
    });
}

/// A wait gets another waker while it is being released: the wake-up is not lost.
#[test]
fn loom_last_waker_is_the_one_woken() {
    model(3, || {
        let barrier = Arc::new(Barrier::new(2));
        let mut moved = arrived(&barrier);
        let last = {
            let barrier = barrier.clone();
            thread::spawn(move || assert!(block_on(barrier.wait_future())))
        };
        // A second poll in the name of no task, then one that is to be woken.
        if poll_noop(moved.as_mut()).is_pending() {
            assert!(!block_on(moved));
        }
        last.join().unwrap();
        assert_as_new(&barrier);
    });
}

/// A release is one event, though the news of it goes out in parts: a thread that sees
/// it reach one wait sees it reach all; and a wait that is dropped between is not
/// counted out of the next generation.
#[test]
fn loom_release_reaches_all_at_once() {
    for drops in [false, true] {
        model(3, move || {
            let barrier: &'static Barrier = Box::leak(Box::new(Barrier::new(3)));
            let (mut first, mut second) = (arrived(barrier), arrived(barrier));
            let looks = thread::spawn(move || {
                if drops {
                    drop(second);
                    return (first, None);
                }
                if poll_noop(first.as_mut()).is_ready() {
                    assert_eq!(poll_noop(second.as_mut()), Poll::Ready(false));
                }
                (first, Some(second))
            });
            let mut last = Box::pin(barrier.wait_future());
            let released = poll_noop(last.as_mut()).is_ready();
            let others = looks.join().unwrap();
            assert!(released || drops);
            assert_eq!(barrier.arrived(), if released { 0 } else { 2 });
            drop((others, last));
            assert_eq!(barrier.arrived(), 0);
        });
    }
}

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::thread;

use crate::io::{block_on, block_on_until, yield_now};
use crate::test_util::{allocations, scope};
use crate::{Bare, Block, Notify};

#[test]
fn block_on_returns_the_value() {
    assert_eq!(Bare.block_on(async { 42 }), 42);
}

#[test]
fn wake_from_another_thread() {
    let signal = Arc::new(Notify::new());
    let other = thread::spawn({
        let signal = signal.clone();
        move || {
            while signal.waiter_count() == 0 {
                thread::yield_now();
            }
            signal.notify_one();
        }
    });
    block_on(signal.wait_future());
    other.join().unwrap();
}

/// `unpark` is for all: a future that was not woken is not polled for it.
#[test]
fn foreign_unpark_is_no_wakeup() {
    let mut polls = 0;
    let notify = Notify::new();
    let this = thread::current();
    scope(|scope| {
        block_on(async {
            scope.spawn(|| {
                while notify.waiter_count() == 0 {
                    thread::yield_now();
                }
                for _ in 0..100 {
                    this.unpark();
                }
                notify.notify_one();
            });
            let mut wait = core::pin::pin!(notify.wait_future());
            core::future::poll_fn(|cx| {
                polls += 1;
                wait.as_mut().poll(cx)
            })
            .await;
        });
    });
    assert_eq!(polls, 2);
}

/// The outer future was woken before the inner one blocked.
#[test]
fn nested_call_leaves_the_outer_wakeup_alone() {
    block_on(async {
        let mut turns = 0;
        core::future::poll_fn(|cx| {
            turns += 1;
            if turns == 1 {
                cx.waker().wake_by_ref();
                block_on(async {
                    yield_now().await;
                    yield_now().await;
                });
                core::task::Poll::Pending
            } else {
                core::task::Poll::Ready(())
            }
        })
        .await;
        assert_eq!(turns, 2);
    });
}

#[test]
fn second_call_allocates_nothing() {
    block_on(yield_now());
    assert_eq!(allocations(|| block_on(yield_now())), 0);
}

#[test]
fn panic_goes_on_in_the_caller() {
    let outcome = catch_unwind(AssertUnwindSafe(|| block_on(async { panic_any(42_u32) })));
    assert_eq!(outcome.unwrap_err().downcast_ref::<u32>(), Some(&42));
    assert_eq!(block_on(async { 42 }), 42);
}

/// A wake-up that comes when the call is over disturbs no later one.
#[test]
fn late_wakeup_is_harmless() {
    let mut kept = None;
    block_on(core::future::poll_fn(|cx| {
        kept = Some(cx.waker().clone());
        core::task::Poll::Ready(())
    }));
    kept.unwrap().wake();
    block_on(yield_now());
}

#[test]
fn yield_now_is_pending_once_and_wakes_itself() {
    use crate::test_util::{counting_waker, poll};

    let (wakes, waker) = counting_waker();
    let mut turn = core::pin::pin!(yield_now());
    assert!(poll(turn.as_mut(), &waker).is_pending());
    assert_eq!(wakes.count(), 1);
    assert!(poll(turn.as_mut(), &waker).is_ready());
    assert_eq!(wakes.count(), 1);
}

#[test]
fn block_on_until_polls_once_more_after_its_deadline() {
    use std::time::{Duration, Instant};

    let past = Instant::now();
    assert_eq!(block_on_until(async { 42 }, past).unwrap(), 42);
    assert!(block_on_until(core::future::pending::<()>(), past).is_err());

    let signal = Notify::new();
    let soon = Instant::now() + Duration::from_millis(5);
    assert!(block_on_until(signal.wait(Bare), soon).is_err());
    assert!(Instant::now() >= soon);
    assert_eq!(signal.waiter_count(), 0);

    let far = Instant::now() + Duration::from_secs(60);
    thread::scope(|scope| {
        scope.spawn(|| signal.notify_one());
        block_on_until(signal.wait(Bare), far).unwrap();
    });
}

#[test]
fn block_on_until_sleeps_until_its_deadline() {
    use core::task::Poll;
    use std::time::{Duration, Instant};

    let mut polls = 0;
    let soon = Instant::now() + Duration::from_millis(20);
    let idle = core::future::poll_fn(|_| {
        polls += 1;
        Poll::<()>::Pending
    });
    assert!(block_on_until(idle, soon).is_err());
    // A few, if the thread wakes by itself; thousands, if it does not sleep.
    assert!((2..100).contains(&polls), "it was polled {polls} times");
}

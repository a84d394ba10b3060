use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use anysync::{Bare, Block, Timer};
use anysync_smol::Smol;

use super::RateLimiter;

struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

/// A task, and a future that it polls. Each request here is a task of its own:
/// two of one task may take each other's tokens.
struct Polled<F> {
    task: Waker,
    future: Pin<Box<F>>,
}

impl<F: Future> Polled<F> {
    fn new(future: F) -> Self {
        Self {
            task: Waker::from(Arc::new(Task)),
            future: Box::pin(future),
        }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        self.future
            .as_mut()
            .poll(&mut Context::from_waker(&self.task))
    }
}

#[test]
fn a_burst_passes_and_the_next_is_one_too_many() {
    let limiter = RateLimiter::new(3);
    assert!(limiter.try_acquire(2));
    assert!(!limiter.try_acquire(2));
    assert!(limiter.try_acquire(1));
    assert!(!limiter.try_acquire(1));
    limiter.refill(1);
    assert!(limiter.try_acquire(1));
}

#[test]
fn what_does_not_fit_runs_over() {
    let limiter = RateLimiter::new(3);
    limiter.refill(usize::MAX);
    assert_eq!(limiter.available(), 3);
    assert!(limiter.try_acquire(2));
    limiter.refill(1);
    assert_eq!(limiter.available(), 2);
}

#[test]
fn a_request_for_many_is_not_overtaken() {
    let limiter = RateLimiter::new(5);
    assert!(limiter.try_acquire(5));
    let mut big = Polled::new(limiter.acquire(Bare, 5));
    let mut small = Polled::new(limiter.acquire(Bare, 1));
    assert!(big.poll().is_pending());
    assert!(small.poll().is_pending());
    limiter.refill(4);
    assert!(small.poll().is_pending());
    assert!(!limiter.try_acquire(1));
    limiter.refill(1);
    assert!(small.poll().is_pending());
    assert!(big.poll().is_ready());
    limiter.refill(1);
    assert!(small.poll().is_ready());
    assert_eq!((limiter.available(), limiter.waiting()), (0, 0));
}

#[test]
fn a_cancelled_request_uses_no_tokens() {
    let limiter = RateLimiter::new(2);
    assert!(limiter.try_acquire(2));
    let mut next = Polled::new(limiter.acquire(Bare, 1));
    {
        let mut cancelled = Polled::new(limiter.acquire(Bare, 2));
        assert!(cancelled.poll().is_pending());
        assert!(next.poll().is_pending());
        limiter.refill(1);
        assert!(next.poll().is_pending());
    }
    assert!(next.poll().is_ready());
}

#[test]
fn tokens_that_are_given_back_do_not_overfill_the_bucket_for_long() {
    let limiter = RateLimiter::new(2);
    assert!(limiter.try_acquire(2));
    {
        let mut cancelled = Polled::new(limiter.acquire(Bare, 2));
        assert!(cancelled.poll().is_pending());
        limiter.refill(2);
        limiter.refill(2);
    }
    assert_eq!(limiter.available(), 4);
    limiter.refill(1);
    assert_eq!(limiter.available(), 2);
}

#[test]
fn a_refill_that_does_not_suffice_for_the_first_is_kept_for_it() {
    let limiter = RateLimiter::new(3);
    assert!(limiter.try_acquire(3));
    let mut first = Polled::new(limiter.acquire(Bare, 3));
    assert!(first.poll().is_pending());
    limiter.refill(2);
    limiter.refill(3);
    assert!(first.poll().is_ready());
    // 2 + 3 - 3.
    assert_eq!(limiter.available(), 2);
}

#[test]
#[should_panic = "a request of 4 tokens, of a bucket for 3"]
fn a_request_that_can_never_be_granted_panics() {
    Bare.block_on(RateLimiter::new(3).acquire(Bare, 4));
}

#[test]
fn filling_is_not_faster_than_the_clock() {
    let limiter = RateLimiter::new(2);
    let period = Duration::from_millis(5);
    let start = Smol.now();
    Smol.block_on(async {
        let filling = limiter.keep_filling(Smol, 1, period);
        let using = async {
            for _ in 0..6 {
                limiter.acquire(Smol, 1).await;
            }
        };
        smol::future::or(using, filling).await;
    });
    assert!(start.elapsed() >= 4 * period);
}

//! Futures polled by hand, and tasks for them to wake.
//!
//! What takes a future is inlined, so that it is polled where it was made, as by
//! `.await`. Else it would be moved into the call first: written in words and read in
//! pairs of them, for which the processor waits longer than some operations take.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A task as cheap as one can be: what wakes it counts.
#[derive(Default)]
pub(crate) struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The waker of a new task.
pub(crate) fn waker() -> Waker {
    Waker::from(Arc::<Task>::default())
}

pub(crate) fn wakers(count: usize) -> Vec<Waker> {
    (0..count).map(|_| waker()).collect()
}

#[inline(always)]
pub(crate) fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// The output of a future that has to be ready.
#[inline(always)]
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    finished(pin!(future), Waker::noop())
}

/// The output of a future that has to be ready now.
#[inline(always)]
pub(crate) fn finished<F: Future>(future: Pin<&mut F>, waker: &Waker) -> F::Output {
    match poll(future, waker) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it had to be ready"),
    }
}

/// A future that has to wait.
#[inline(always)]
pub(crate) fn queued<F: Future>(future: Pin<&mut F>, waker: &Waker) {
    assert!(poll(future, waker).is_pending(), "it had to wait");
}

/// Registers a wait, has it end, and completes it.
#[inline(always)]
pub(crate) fn round_trip<F: Future>(wait: F, waker: &Waker, signal: impl FnOnce()) -> F::Output {
    let mut wait = pin!(wait);
    queued(wait.as_mut(), waker);
    signal();
    finished(wait, waker)
}

/// Lets the other tasks of any executor run.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

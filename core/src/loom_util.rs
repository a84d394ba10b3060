//! What the loom models of all the primitives share.
//!
//! A model is run for every interleaving of its threads, and every value that
//! the memory model lets a load return, with at most a given number of forced
//! switches between threads: bugs need few. A wait that is never woken shows as
//! a deadlock.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

pub(crate) use loom::future::block_on;

/// Runs `model` in every way with at most `preemptions` forced switches, and says
/// how many ways those are (to the user that runs the tests with `--nocapture`).
///
/// # Panics
///
/// If there is one way only: then the model proves nothing about threads.
#[track_caller]
pub(crate) fn model(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    check(Some(preemptions), model);
}

/// [`model`] with any number of forced switches.
#[track_caller]
pub(crate) fn model_unbounded(model: impl Fn() + Send + Sync + 'static) {
    check(None, model);
}

#[track_caller]
fn check(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let ways = Arc::new(AtomicUsize::new(0));
    let way = ways.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(move || {
        way.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let ways = ways.load(Ordering::Relaxed);
    std::eprintln!("{}: {ways} ways", std::panic::Location::caller());
    assert!(ways > 1, "the threads do not meet");
}

/// Polls once, in the name of `waker`.
pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// Polls once, in the name of no task.
pub(crate) fn poll_noop<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    poll(future, Waker::noop())
}

/// How often the wakers of one [`counting_waker`] were woken. Loom does not see
/// the count, which orders nothing.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker and the count of its wake-ups.
pub(crate) fn counting_waker() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    (wakes.clone(), Waker::from(wakes))
}

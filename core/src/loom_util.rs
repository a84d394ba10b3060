//! What the loom models of all the primitives share.
//!
//! A model is run for every interleaving of its threads, and every value that
//! the memory model lets a load return, with at most a given number of forced
//! switches between threads: bugs need few. A wait that is never woken shows as
//! a deadlock.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

pub(crate) use loom::future::block_on;

/// Runs `model` in every way with at most `preemptions` forced switches.
pub(crate) fn model(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Polls once, in the name of nobody.
pub(crate) fn poll_noop<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

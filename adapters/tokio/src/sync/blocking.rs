//! Waiting on a thread, as tokio allows it.

use std::future::Future;

use anysync::{Bare, Block};

/// Panics, as tokio's own blocking methods do and in its words, where a thread
/// that runs tasks would be blocked.
///
/// Only tokio knows whether this is one, and it tells by such a panic alone. So
/// we let a lock of tokio's that is free ask.
#[inline]
#[track_caller]
pub(crate) fn may_block() {
    drop(tokio::sync::Mutex::const_new(()).blocking_lock());
}

/// Waits for `future` on this thread.
#[track_caller]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    may_block();
    Bare.block_on(future)
}

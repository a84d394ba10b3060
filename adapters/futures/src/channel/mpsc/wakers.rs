//! Waking, when nothing is locked.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;
use std::thread;

/// Wakes all, also when one of them panics: its panic goes on when the others have
/// been woken, unless the thread is panicking already.
pub(super) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    let mut panicked = None;
    for waker in wakers {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
            panicked.get_or_insert(payload);
        }
    }
    if let Some(payload) = panicked {
        if !thread::panicking() {
            resume_unwind(payload);
        }
    }
}

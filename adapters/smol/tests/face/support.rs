//! What the bodies share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

pub(crate) use anysync_adapter_tests::face::{Task, now, panic_of};

/// Runs `work` on a thread of its own; fails if it takes a minute.
#[track_caller]
pub(crate) fn within_a_minute<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, finished) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        done.send(()).ok();
        result
    });
    finished
        .recv_timeout(Duration::from_secs(60))
        .expect("blocked for more than a minute");
    match thread.join().expect("caught") {
        Ok(result) => result,
        Err(payload) => std::panic::resume_unwind(payload),
    }
}

//! The primitives of `tokio::sync`, by what their documentation promises.

use crate::subject::{Promise, Subject};

/// The locks and signals, in one body for tokio's own and for the drop-in.
mod locks {
    use ::tokio::sync;

    include!("tokio/locks.rs");
}

/// What passes messages, in one body for tokio's own and for the drop-in.
mod messages {
    use ::tokio::sync;
    use ::tokio_util::sync as util;

    include!("tokio/messages.rs");
}

/// `tokio::sync`, and the token of `tokio-util`.
///
/// It says of its `Barrier` that `wait` is not cancel safe, so this breaks what
/// the laws ask of a dropped wait; and of `Notified::enable` that it is a poll, so
/// that what it has won is returned and not passed on any more. It has no handle of an executor: its waits
/// spend the budget of tokio's tasks by themselves, where they do. Of
/// `run_until_cancelled` it says that it prefers the future.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Subject for Tokio {
    fn name(&self) -> &str {
        "tokio"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[
            super::WAKER_CALLS_BACK,
            super::WAKER_PANICS,
            (
                "semaphore::overflow_is_an_error",
                "`Semaphore::add_permits` says that it panics, and not that nothing changes then.",
            ),
            (
                "any::dropped_wait_leaves_no_trace",
                "`Barrier::wait` says: \"This method is not cancel safe.\"",
            ),
        ]
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::CountsFromCreation,
            Promise::FifoMutex,
            Promise::FifoOnceCell,
            Promise::MappedMutexGuard,
            Promise::OwnedMutexGuard,
            Promise::AcquireMany,
            Promise::CloseSemaphore,
            Promise::SplitPermits,
            Promise::FifoRwLock,
            Promise::Downgrade,
            Promise::ReaderLimit,
            Promise::FifoSenders,
            Promise::Reserve,
            Promise::CloseChannel,
        ]
    }

    locks!();
    messages!();
}

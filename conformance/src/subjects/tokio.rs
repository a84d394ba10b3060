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

    fn promises(&self) -> &[Promise] {
        &[
            Promise::CountsFromCreation,
            Promise::FifoMutex,
            Promise::MappedMutexGuard,
            Promise::AcquireMany,
            Promise::CloseSemaphore,
            Promise::SplitPermits,
            Promise::FifoRwLock,
            Promise::ReaderLimit,
            Promise::FifoSenders,
            Promise::Reserve,
        ]
    }

    locks!();
    messages!();
}

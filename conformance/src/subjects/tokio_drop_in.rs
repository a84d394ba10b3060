//! `anysync_tokio::sync`, the drop-in for `tokio::sync`.

use crate::subject::{BarrierSubject, Promise, Subject};

/// `anysync_tokio::sync`, by the same body as [`Tokio`](super::Tokio), and the
/// token.
///
/// It departs from the laws where the original does otherwise: a wait for a signal,
/// for a token, and for a value that another task makes spends nothing from the
/// budget, and `run_until_cancelled` prefers the future.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioDropIn;

impl Subject for TokioDropIn {
    fn name(&self) -> &str {
        "tokio-drop-in"
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

    /// The original has no `const` constructor.
    fn static_barrier(&self) -> Option<(&'static dyn BarrierSubject, usize)> {
        static BARRIER: anysync_tokio::sync::Barrier = anysync_tokio::sync::Barrier::new(2);
        Some((&BARRIER, 2))
    }

    locks!();
    messages!();
}

mod locks {
    use anysync_tokio::sync;

    include!("tokio/locks.rs");
}

mod messages {
    use anysync_tokio::sync;
    use anysync_tokio::sync as util;

    include!("tokio/messages.rs");
}

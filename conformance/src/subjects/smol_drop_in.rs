//! `anysync_smol::{lock, channel}`, the drop-ins for `async-lock` and
//! `async-channel`.

use crate::subject::{Promise, Subject};

mod primitives {
    use anysync_smol::{channel, lock};

    include!("smol/primitives.rs");
}

/// `anysync_smol::{lock, channel}`, by the same body as [`Smol`](super::Smol).
///
/// It promises the order that the originals leave open, but for the mutex, which is
/// fair in the long run as theirs is. As they, it has no handle of an executor, so
/// that its waits spend nothing of any budget.
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolDropIn;

impl Subject for SmolDropIn {
    fn name(&self) -> &str {
        "smol-drop-in"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        const FREES: &str =
            "who comes first is served, as in the original: a release frees, and wakes.";
        &[
            ("semaphore::is_fifo_even_for_many", FREES),
            ("rwlock::cancelled_writer_lets_readers_in", FREES),
            ("rwlock::is_fifo", FREES),
        ]
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::Downgrade,
            Promise::OwnedMutexGuard,
            Promise::UpgradableRead,
            Promise::CloseChannel,
        ]
    }

    primitives!();
}

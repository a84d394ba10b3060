//! The primitives that smol brings, by what their documentation promises.

use crate::subject::{Promise, Subject};

mod primitives {
    use async_channel as channel;
    use async_lock as lock;

    include!("smol/primitives.rs");
}

/// `async-lock` and `async-channel`.
///
/// It promises no order of those who wait: its mutex is fair in the long run, its
/// `RwLock` prefers writers. It has no handle of an executor: its waits spend
/// nothing of any budget. What `event-listener` has is no Notify, as it stores no
/// permit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

impl Subject for Smol {
    fn name(&self) -> &str {
        "smol"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[
            super::WAKER_CALLS_BACK,
            super::WAKER_PANICS,
            (
                "any::dropped_wait_leaves_no_trace",
                "nothing is said of a wait at a `Barrier` that is dropped.",
            ),
            (
                "any::spurious_poll_is_harmless",
                "it does not say that the end of a write wakes all who read at once: each that goes on wakes the next.",
            ),
            (
                "any::completed_future_is_fused_or_panics_clearly",
                "what a poll after the end does is left open by `Future::poll`; it panics.",
            ),
            ("semaphore::is_fifo_even_for_many", "no order is promised."),
            (
                "semaphore::overflow_is_an_error",
                "nothing is said of an overflow.",
            ),
        ]
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::OwnedMutexGuard,
            Promise::UpgradableRead,
            Promise::Downgrade,
            Promise::CloseChannel,
        ]
    }

    primitives!();
}

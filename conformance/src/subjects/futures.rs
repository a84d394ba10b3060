//! `futures::{lock, channel}`, and the drop-in for them.

use std::sync::Arc;

use crate::subject::{MutexSubject, Oneshot, Promise, SendFact, Subject};

/// The methods of a subject out of its module of primitives.
macro_rules! primitives {
    ($primitives:ident) => {
        fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
            Some($primitives::new_mutex())
        }

        fn static_mutex(&self) -> Option<&'static dyn MutexSubject> {
            Some($primitives::static_mutex())
        }

        fn mutex_send_facts(&self) -> Vec<SendFact> {
            $primitives::mutex_send_facts()
        }

        fn new_oneshot(&self) -> Option<Oneshot> {
            Some($primitives::new_oneshot())
        }

        fn oneshot_send_facts(&self) -> Vec<SendFact> {
            $primitives::oneshot_send_facts()
        }
    };
}

mod original {
    use ::futures::{channel, lock};

    include!("futures/primitives.rs");
}

mod drop_in {
    use anysync_futures::{channel, lock};

    include!("futures/primitives.rs");
}

/// `futures::lock` and the oneshot of `futures::channel`.
///
/// It promises no order of those who wait. Its `mpsc` is not judged: a send that is
/// dropped while it waits has sent there, as each sender has a slot of its own. It has
/// no handle of an executor: its waits spend nothing of any budget.
#[derive(Clone, Copy, Debug, Default)]
pub struct Futures;

impl Subject for Futures {
    fn name(&self) -> &str {
        "futures"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[
            super::WAKER_CALLS_BACK,
            super::WAKER_PANICS,
            (
                "any::dropped_wait_leaves_no_trace",
                "no order is promised, and the law takes for granted that the first is woken.",
            ),
            (
                "any::completed_future_is_fused_or_panics_clearly",
                "no order is promised, and the law takes for granted that the first is woken.",
            ),
            (
                "mutex::starves_nobody",
                "`lock::Mutex` says: \"This mutex provides no fairness guarantees.\"",
            ),
        ]
    }

    fn promises(&self) -> &[Promise] {
        &[Promise::MappedMutexGuard, Promise::OwnedMutexGuard]
    }

    primitives!(original);
}

/// `anysync_futures::{lock, channel}`, by the same body as [`Futures`].
#[derive(Clone, Copy, Debug, Default)]
pub struct FuturesDropIn;

impl Subject for FuturesDropIn {
    fn name(&self) -> &str {
        "futures-drop-in"
    }

    fn promises(&self) -> &[Promise] {
        &[Promise::MappedMutexGuard, Promise::OwnedMutexGuard]
    }

    primitives!(drop_in);
}

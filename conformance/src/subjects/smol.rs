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

    fn promises(&self) -> &[Promise] {
        &[Promise::UpgradableRead]
    }

    primitives!();
}

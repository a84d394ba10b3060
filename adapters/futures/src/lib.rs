#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod channel;
mod local;
pub mod lock;
mod pool;
mod sleep;
mod turn;

pub use anysync;
pub use local::FuturesLocal;
pub use pool::{Futures, FuturesPool};
pub use sleep::Sleep;

/// Gives a handle its [`anysync::SpawnBlocking`]: `futures` has no threads for
/// blocking code, so there is one pool for all.
macro_rules! impl_spawn_blocking {
    ($handle:ty) => {
        impl anysync::SpawnBlocking for $handle {
            type BlockingHandle<T: Send + 'static> = anysync::io::TaskHandle<T>;

            fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
            where
                F: FnOnce() -> T + Send + 'static,
                T: Send + 'static,
            {
                let (run, handle) = anysync::io::package_blocking(work);
                blocking::unblock(run).detach();
                handle
            }
        }
    };
}
pub(crate) use impl_spawn_blocking;

#[doc = include_str!("../MIGRATION.md")]
pub mod migration {}

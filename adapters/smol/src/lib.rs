#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod channel;
pub mod event;
#[cfg(feature = "executor")]
mod executor;
#[cfg(feature = "executor")]
mod global;
#[cfg(feature = "executor")]
mod local;
pub mod lock;
#[doc = include_str!("../MIGRATION.md")]
pub mod migration {}
#[cfg(feature = "executor")]
mod sleep;
mod translate;

pub use anysync;
#[cfg(feature = "executor")]
pub use executor::SmolExecutor;
#[cfg(feature = "executor")]
pub use global::Smol;
#[cfg(feature = "executor")]
pub use local::SmolLocal;
#[cfg(feature = "executor")]
pub use sleep::Sleep;

/// Gives a handle its [`anysync::SpawnBlocking`]: smol has one pool of threads
/// for blocking code.
#[cfg(feature = "executor")]
macro_rules! impl_spawn_blocking {
    ([$($generics:tt)*] $handle:ty) => {
        impl<$($generics)*> anysync::SpawnBlocking for $handle {
            type BlockingHandle<T: Send + 'static> = anysync::io::TaskHandle<T>;

            fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
            where
                F: FnOnce() -> T + Send + 'static,
                T: Send + 'static,
            {
                let (run, handle) = anysync::io::package_blocking(work);
                smol::unblock(run).detach();
                handle
            }
        }
    };
}
#[cfg(feature = "executor")]
pub(crate) use impl_spawn_blocking;

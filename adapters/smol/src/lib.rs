#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod channel;
pub mod event;
mod executor;
mod global;
mod local;
pub mod lock;
mod sleep;
mod translate;

pub use anysync;
pub use executor::SmolExecutor;
pub use global::Smol;
pub use local::SmolLocal;
pub use sleep::Sleep;

/// Gives a handle its [`anysync::SpawnBlocking`]: smol has one pool of threads
/// for blocking code.
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
pub(crate) use impl_spawn_blocking;

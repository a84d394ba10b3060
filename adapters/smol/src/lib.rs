//! anysync on [smol](https://docs.rs/smol).
//!
//! | handle | executor | `Send` tasks | local tasks |
//! |-|-|-|-|
//! | [`Smol`] | the one of the whole process, `smol::spawn` | yes | no |
//! | [`SmolExecutor`] | an [`Executor`](smol::Executor) of yours | yes | no |
//! | [`SmolLocal`] | a [`LocalExecutor`](smol::LocalExecutor) of yours | no | yes |
//!
//! All of them have smol's timer and its threads for blocking code. Pass them to
//! the primitives, or to a program that takes any [`Runtime`](anysync::Runtime).
//!
//! ```
//! use anysync::{Notify, Runtime};
//! use anysync_smol::Smol;
//!
//! static READY: Notify = Notify::new();
//!
//! fn run<R: Runtime>(rt: R) -> u32 {
//!     let io = rt.clone();
//!     rt.block_on(async move {
//!         let worker = io.spawn({
//!             let io = io.clone();
//!             async move {
//!                 READY.wait(io).await;
//!                 42
//!             }
//!         });
//!         READY.notify_one();
//!         worker.await.expect("the worker did not panic")
//!     })
//! }
//!
//! assert_eq!(run(Smol), 42);
//! ```
//!
//! # What the adapter evens out
//!
//! | | smol | here |
//! |-|-|-|
//! | handle of a task dropped | cancels the task | detaches |
//! | a task panics | the panic goes on in whoever awaits | a [`JoinError`](anysync::JoinError) with its payload |
//! | abort | dropping the handle, or `cancel`, which takes it | [`abort`](anysync::Join::abort) by reference; the future is dropped, a finished task keeps its output |
//! | the executor is dropped | awaiting its tasks panics | a `JoinError` that says cancelled |
//! | handle of blocking code dropped | cancels what has not started | lets it run |
//! | `block_on` inside a task | blocks the thread | the same |
//! | `sleep(Duration::MAX)` | never ends | never ends |
//! | cooperative budget | none | none |

#![forbid(unsafe_code)]

mod executor;
mod global;
mod local;
mod sleep;

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

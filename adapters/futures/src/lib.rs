//! anysync on the executors of the [futures] crate, with the timer and the
//! threads for blocking code that they lack.
//!
//! | handle | executor | `Send` tasks | local tasks |
//! |-|-|-|-|
//! | [`Futures`] | one [`ThreadPool`](futures::executor::ThreadPool) for the whole process | yes | no |
//! | [`FuturesPool`] | a `ThreadPool` of yours | yes | no |
//! | [`FuturesLocal`] | a [`LocalPool`](futures::executor::LocalPool) | no | yes |
//!
//! Pass them to the primitives, or to a program that takes any
//! [`Runtime`](anysync::Runtime).
//!
//! ```
//! use anysync::{Notify, Runtime};
//! use anysync_futures::Futures;
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
//! assert_eq!(run(Futures), 42);
//! ```
//!
//! # What the adapter evens out
//!
//! | | futures | here |
//! |-|-|-|
//! | handle of a task dropped | cancels the task (`spawn_with_handle`) | detaches |
//! | a task panics | the panic goes on in whoever awaits, and ends a pool's thread if nobody does | a [`JoinError`](anysync::JoinError) with its payload |
//! | abort | `abortable`, around the future | [`abort`](anysync::Join::abort) of every task; the future is dropped, a finished task keeps its output |
//! | a pool is dropped | its tasks' handles panic | a `JoinError` that says cancelled |
//! | timer | none | `async-io`'s; `sleep(Duration::MAX)` never ends |
//! | blocking code | none | the threads of the `blocking` crate |
//! | `block_on` inside a task | panics | panics with the same message |
//! | cooperative budget | none | none |

#![forbid(unsafe_code)]

mod local;
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

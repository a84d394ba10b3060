//! anysync on [tokio].
//!
//! | handle | runtime | `Send` tasks | local tasks |
//! |-|-|-|-|
//! | [`Tokio`] | the one that the code runs in | yes | in a [`LocalSet`](tokio::task::LocalSet) |
//! | [`TokioHandle`] | that of a [`Handle`](tokio::runtime::Handle) | yes | no |
//! | [`TokioRuntime`] | one that it owns | yes | no |
//! | [`TokioLocal`] | a single-threaded one that it owns, with a `LocalSet` | no | yes |
//!
//! All of them spend tokio's cooperative budget and follow its clock, paused or
//! not. Pass them to the primitives, or to a program that takes any
//! [`Runtime`](anysync::Runtime).
//!
//! ```
//! use anysync::{Notify, Runtime};
//! use anysync_tokio::Tokio;
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
//! assert_eq!(run(Tokio), 42);
//! ```
//!
//! # What the adapter evens out
//!
//! | | tokio | here |
//! |-|-|-|
//! | handle of a task dropped | detaches | detaches |
//! | a task panics | an error of its handle | a [`JoinError`](anysync::JoinError) with its payload |
//! | abort | drops the future; a finished task keeps its output | the same |
//! | the runtime shuts down | tasks are cancelled | a `JoinError` that says cancelled |
//! | `block_on` outside a runtime | needs a runtime | [`Tokio`] builds one for the call |
//! | `block_on` inside a task | panics | panics with the same message |
//! | timer | needs an entered runtime with time enabled | [`TokioHandle`] enters its own; without time enabled, tokio's message |
//! | a deadline in the past | ready after up to a millisecond, or a turn of the driver | ready at the first poll |
//! | `sleep(Duration::MAX)` | never ends | never ends |
//! | a timeout around a future that uses up the budget in each poll | `tokio::time::timeout` ends in time | ends in time, a turn later |

#![forbid(unsafe_code)]

mod ambient;
mod handle;
mod join;
mod local;
mod runtime;
mod sleep;

pub use ambient::Tokio;
pub use anysync;
pub use handle::TokioHandle;
pub use join::TokioJoin;
pub use local::TokioLocal;
pub use runtime::TokioRuntime;
pub use sleep::Sleep;

use std::task::{Context, Poll};

/// Spends one unit of the budget of the tokio task that is being polled; always
/// ready outside one.
#[inline]
fn poll_spend(cx: &mut Context<'_>) -> Poll<()> {
    tokio::task::coop::poll_proceed(cx).map(|unit| unit.made_progress())
}

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod ambient;
mod handle;
mod join;
mod local;
mod runtime;
mod sleep;
pub mod sync;

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

/// The code of the page about moving to it.
#[cfg(doctest)]
#[doc = include_str!("../MIGRATION.md")]
struct Migration;

//! The drop-in for [`tokio::sync`] of tokio 1.54, and for the `CancellationToken`
//! of tokio-util 0.7: change `use tokio::sync::` and `use tokio_util::sync::` to
//! `use anysync_tokio::sync::`.
//!
//! Each page says what is better than the original, and what differs.

mod blocking;
pub mod broadcast;
mod cancellation;
pub mod mpsc;
pub mod oneshot;
pub mod watch;

pub use cancellation::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};

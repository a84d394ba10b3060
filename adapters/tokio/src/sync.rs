//! The drop-in for [`tokio::sync`] of tokio 1.54: change `use tokio::sync::` to
//! `use anysync_tokio::sync::`.

mod blocking;
pub mod broadcast;
pub mod mpsc;
pub mod oneshot;
pub mod watch;

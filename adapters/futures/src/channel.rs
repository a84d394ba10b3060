//! The drop-in for [`futures::channel`]: change `use futures::channel` to
//! `use anysync_futures::channel`.
//!
//! Each module's page says what is better than the original, and what differs.

pub mod mpsc;
pub mod oneshot;

//! The drop-in for [`async_std::channel`]: change `use async_std::channel` to
//! `use anysync_async_std::channel`.
//!
//! What async-std shows there is async-channel 1.9, so this is
//! [`anysync_smol::channel`], the drop-in for async-channel, which has the names of
//! version 2.5. What is better than the original and what differs is said there.
//!
//! ```
//! use anysync_async_std::channel::{self, RecvError};
//!
//! # async_std::task::block_on(async {
//! let (sender, receiver) = channel::bounded(4);
//! let producer = async_std::task::spawn(async move {
//!     for number in 1..=3 {
//!         sender.send(number).await.expect("somebody receives");
//!     }
//! });
//! let mut sum = 0;
//! while let Ok(number) = receiver.recv().await {
//!     sum += number;
//! }
//! assert_eq!(sum, 6);
//! assert_eq!(receiver.recv().await, Err(RecvError));
//! producer.await;
//! # });
//! ```

pub use anysync_smol::channel::*;

//! [`Pool`]: objects that are dear to make and that one caller uses at a time.
//!
//! It stands on `anysync` alone and names no executor. So a program on tokio, a
//! program on smol and a plain thread use it as it is, also one and the same
//! pool at the same time.
//!
//! ```
//! use anysync_example_pool::Pool;
//! use anysync_example_pool::anysync::{Bare, Block};
//!
//! let pool = Pool::new(["left", "right"]);
//! Bare.block_on(async {
//!     let tool = pool.get(Bare).await;
//!     assert_eq!(*tool, "left");
//!     assert_eq!(pool.idle(), 1);
//! });
//! assert_eq!(pool.idle(), 2);
//! ```

#![forbid(unsafe_code)]

mod error;
mod pool;

/// The version of `anysync` whose [`Io`](anysync::Io) and
/// [`Timer`](anysync::Timer) the methods take.
pub use anysync;
pub use error::TimedOut;
pub use pool::{Pool, Pooled};

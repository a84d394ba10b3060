//! The drop-in for [`async_std::sync`]: change `use async_std::sync` to
//! `use anysync_async_std::sync`.
//!
//! async-std shows async-lock's types there, so these are those of
//! [`anysync_smol::lock`], the drop-in for async-lock: without allocation while they
//! wait, in order, and with a `Barrier` whose waits may be dropped. [`Condvar`] and
//! `Barrier` need no feature `unstable`.
//!
//! ```
//! use anysync_async_std::sync::{Arc, Mutex};
//!
//! # async_std::task::block_on(async {
//! let total = Arc::new(Mutex::new(0));
//! let tasks = [1, 2, 3].map(|number| {
//!     let total = Arc::clone(&total);
//!     async_std::task::spawn(async move { *total.lock().await += number })
//! });
//! for task in tasks {
//!     task.await;
//! }
//! assert_eq!(*total.lock().await, 6);
//! # });
//! ```

mod condvar;

pub use std::sync::{Arc, Weak};

pub use anysync_smol::lock::{
    Barrier, BarrierWaitResult, Mutex, MutexGuard, MutexGuardArc, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard,
};
pub use condvar::{Condvar, WaitTimeoutResult};

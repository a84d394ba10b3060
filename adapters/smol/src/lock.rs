//! The drop-in for [async-lock](https://docs.rs/async-lock/3.5) 3.5: change
//! `use async_lock::` (or `use smol::lock::`) to `use anysync_smol::lock::`.
//!
//! ```
//! use std::sync::Arc;
//! use anysync_smol::lock::{Mutex, Semaphore};
//!
//! smol::block_on(async {
//!     let total = Arc::new(Mutex::new(0));
//!     let slots = Arc::new(Semaphore::new(2));
//!     let adders = (1..=4).map(|n| {
//!         let (total, slots) = (total.clone(), slots.clone());
//!         smol::spawn(async move {
//!             let _slot = slots.acquire_arc().await;
//!             *total.lock().await += n;
//!         })
//!     });
//!     for adder in adders.collect::<Vec<_>>() {
//!         adder.await;
//!     }
//!     assert_eq!(*total.lock().await, 10);
//! });
//! ```
//!
//! Each type is one of [`anysync`]'s inside, so they run on any executor,
//! wait without allocating, and keep `anysync`'s laws.
//!
//! | | async-lock 3.5 | here |
//! |-|-|-|
//! | a wait that has to queue | allocates | lies in its future: no allocation |
//! | [`Mutex`] | fair after half a millisecond by the clock | fair after four times in vain, by count |
//! | [`RwLock`] | a writer first, readers in no order | strictly in order |
//! | [`Semaphore`] | whoever comes first | strictly in order, and [`acquire_many`](Semaphore::acquire_many) |
//! | [`Barrier`], a wait dropped early | stays counted for ever | withdraws |
//! | [`OnceCell`], an initialiser that needs its own cell | waits for ever | panics and says so |
//! | a waker that locks the same lock | may hang | is fine: wakers run outside every lock |
//!
//! What differs in the small is listed on each type's page under "Differences".
//!
//! # Without the standard library
//!
//! As async-lock, without its default features: what blocks a thread is behind the
//! feature `std`, and smol's executors are behind `executor`.

mod barrier;
mod condvar;
mod mutex;
mod once_cell;
mod rwlock;
mod semaphore;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::Condvar;
pub use mutex::{Mutex, MutexGuard, MutexGuardArc};
pub use once_cell::OnceCell;
pub use rwlock::{
    RwLock, RwLockReadGuard, RwLockReadGuardArc, RwLockUpgradableReadGuard,
    RwLockUpgradableReadGuardArc, RwLockWriteGuard, RwLockWriteGuardArc,
};
pub use semaphore::{Semaphore, SemaphoreGuard, SemaphoreGuardArc};

/// The named futures.
pub mod futures {
    pub use super::barrier::BarrierWait;
    pub use super::mutex::{Lock, LockArc};
    pub use super::rwlock::{
        Read, ReadArc, UpgradableRead, UpgradableReadArc, Upgrade, UpgradeArc, Write, WriteArc,
    };
    pub use super::semaphore::{Acquire, AcquireArc};
}

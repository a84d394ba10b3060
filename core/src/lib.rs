//! Placeholder.
#![no_std]
#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod action;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod auto_traits;
pub mod barrier;
mod callback;
#[cfg(feature = "alloc")]
pub mod channel;
pub mod condvar;
pub mod io;
mod limit;
#[cfg(all(test, anysync_loom))]
mod loom_util;
pub mod mutex;
pub mod notify;
pub mod once_cell;
#[cfg(feature = "alloc")]
mod owner;
mod primitive;
pub mod rwlock;
pub mod semaphore;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod test_util;
mod wait_list;
mod wake_batch;

pub use barrier::Barrier;
pub use condvar::Condvar;
#[cfg(feature = "std")]
pub use io::Block;
pub use io::{Bare, Elapsed, Io, Timer, yield_now};
#[cfg(feature = "alloc")]
pub use io::{Join, JoinError, Runtime, Spawn, SpawnBlocking, SpawnLocal};
pub use mutex::{Fairness, MappedMutexGuard, Mutex, MutexGuard};
#[cfg(feature = "alloc")]
pub use mutex::{OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::Notify;
pub use once_cell::OnceCell;
#[cfg(feature = "alloc")]
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard,
    OwnedRwLockWriteGuard,
};
pub use rwlock::{
    RwLock, RwLockMappedWriteGuard, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
#[cfg(feature = "alloc")]
pub use semaphore::OwnedSemaphorePermit;
pub use semaphore::{AcquireError, Semaphore, SemaphorePermit, TryAcquireError};

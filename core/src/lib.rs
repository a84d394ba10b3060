//! Async coordination primitives, written once against an abstract [`Io`]: the
//! same on every executor, on plain threads and without an operating system.
//!
//! # Map
//!
//! | you want to | take | because |
//! |-|-|-|
//! | share data that changes | [`Mutex`] | one holder at a time, served in order |
//! | wait until shared data is as you need it | [`Condvar`] | gives up the lock while it waits, and has it again when it ends |
//! | share data that is mostly read | [`RwLock`] | readers go together, a waiting writer stops new ones |
//! | let at most N do something at once | [`Semaphore`] | N permits, served in order |
//! | say that something happened | [`Notify`] | `notify_one` for a consumer, `notify_all` for all that wait |
//! | build a primitive of your own | [`Event`] | listens before the condition is looked at, tells so many |
//! | tell all tasks to stop | [`CancellationToken`] | stays cancelled, also for a task that asks later; has children |
//! | have N tasks meet before any goes on | [`Barrier`] | the last to arrive may run an action before the others are released |
//! | make something once, on first use | [`OnceCell`] | the first caller makes it, the others wait; afterwards a read is one atomic load |
//! | pass one value | [`oneshot`] | one send, one receive; one allocation, or none in a `Slot` |
//! | pass many values | [`channel`] | a queue of many producers and consumers, bounded or not |
//! | have many see the latest value | [`watch`] | receivers wait for a change and skip what was replaced |
//! | have many see every message | [`broadcast`] | each receiver gets all of them, or learns how many it missed |
//!
//! Each module's page draws the states of its primitive, says what each
//! operation does in each, and argues its memory orderings.
//!
//! # Each in a line or two
//!
//! On [`Bare`], which asks nothing of any executor:
//!
//! ```
//! # #[cfg(feature = "std")] {
//! use anysync::*;
//!
//! static READY: Condvar = Condvar::new();
//!
//! Bare.block_on(async {
//!     let mutex = Mutex::new(1);
//!     *mutex.lock(Bare).await += 1;
//!
//!     let full = READY.wait_while(Bare, mutex.lock(Bare).await, |value| *value < 2).await;
//!     drop(full);
//!
//!     let lock = RwLock::new(1);
//!     assert_eq!(*lock.read(Bare).await, 1);
//!
//!     let two = Semaphore::new(2);
//!     let _permit = two.acquire(Bare).await.unwrap();
//!
//!     let notify = Notify::new();
//!     notify.notify_one();
//!     notify.wait(Bare).await;
//!
//!     let token = CancellationToken::new();
//!     token.cancel();
//!     token.cancelled(Bare).await;
//!
//!     let barrier = Barrier::new(1);
//!     assert!(barrier.wait(Bare).await); // it leads
//!
//!     let cell = OnceCell::new();
//!     assert_eq!(*cell.get_or_init(Bare, || 7).await, 7);
//!
//!     let (sender, mut receiver) = oneshot::channel();
//!     sender.send(1).unwrap();
//!     assert_eq!(receiver.recv(Bare).await, Ok(1));
//!
//!     let (sender, receiver) = channel::bounded(8);
//!     sender.send(Bare, 1).await.unwrap();
//!     assert_eq!(receiver.recv(Bare).await, Ok(1));
//!
//!     let (sender, mut receiver) = watch::channel(1);
//!     sender.send(2).unwrap();
//!     receiver.changed(Bare).await.unwrap();
//!
//!     let (sender, mut receiver) = broadcast::channel(8);
//!     sender.send(1).unwrap();
//!     assert_eq!(receiver.recv(Bare).await, Ok(1));
//! });
//! # }
//! ```
//!
//! Not sure? Ask in this order:
//!
//! 1. Is data to pass from one task to another? One value: a [`oneshot`]. Many, each for one
//!    receiver: a [`channel`]; each for every receiver: [`broadcast`]; only the latest:
//!    [`watch`].
//! 2. Is data to be shared that changes? Reads far outnumber writes: [`RwLock`]. Else
//!    [`Mutex`], and a [`Condvar`] beside it to wait until the data is as you need it.
//! 3. Is it only how many do something at once? [`Semaphore`].
//! 4. Is it a signal without data? Wake one: [`Notify::notify_one`]. Wake all:
//!    [`Notify::notify_all`]. If a task that comes late must see it too, it is a state and not
//!    a signal: cancel a [`CancellationToken`].
//! 5. Is it a point that all must reach? [`Barrier`].
//! 6. Is it something to make once? [`OnceCell`].
//!
//! # Three ways to wait
//!
//! ```
//! # #[cfg(feature = "std")] {
//! use std::pin::pin;
//! use anysync::{Bare, Block, Notify, notify::Waiter};
//!
//! let notify = Notify::new();
//!
//! // With the handle of an executor, whose budget the wait spends.
//! notify.notify_one();
//! Bare.block_on(notify.wait(Bare));
//!
//! // The future alone.
//! notify.notify_one();
//! Bare.block_on(notify.wait_future());
//!
//! // A pinned waiter and no future: for callbacks, FFI, futures of your own.
//! let mut waiter = pin!(Waiter::new());
//! notify.wait_with(waiter.as_mut());
//! notify.notify_one();
//! assert!(waiter.is_notified());
//! # }
//! ```
//!
//! [`Bare`] needs no executor; the handles of executors are in the
//! adapter crates `anysync-tokio`, `anysync-smol`, `anysync-async-std` and
//! `anysync-futures`. A library takes `impl Io` and stays neutral.
//!
//! # Words
//!
//! - **Cancel safe**: a wait may be dropped at any moment. It leaves no trace;
//!   what it had won and not yet returned goes to the next in the queue. All
//!   waits of this crate are cancel safe, so any of them can be given a
//!   deadline by [`Timer::timeout`]. It does not add up by itself: a function
//!   that awaits twice may be dropped between the two.
//! - **Fair**: first in, first out. A wait takes its place in the queue when it
//!   is first polled, unless its method says otherwise, and keeps it however
//!   often it is polled. [`Mutex`], [`RwLock`], [`Semaphore`] and [`channel`] may be
//!   made [`Fairness::Eventual`] instead, which is faster under contention and
//!   starves no waiter.
//! - **Law**: a property with a name, such as
//!   `notify::cancelled_one_goes_to_the_next`. The same name is a unit test, a
//!   model of interleavings where that matters, and a check that
//!   `anysync-conformance` runs on every executor.
//!
//! # Features
//!
//! | feature | default | gives |
//! |-|-|-|
//! | `std` | yes | `Block`, `io::block_on`; a thread that waits for an inner lock yields, where it would spin |
//! | `alloc` | with `std` | [`Spawn`] and its relatives, owned waits and guards |
//! | `critical-section` | no | without `std`: the inner lock is a critical section, in place of a bit |
//! | `futures-core` | no | `Stream` for a channel's receiver; needs `alloc` |
//! | `futures-sink` | no | `Sink` for a channel's sender; needs `alloc` |
//!
//! Without features the crate is `no_std` and allocates nothing.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(not(target_has_atomic = "ptr"))]
compile_error!(
    "`anysync` needs atomic compare-and-swap of a pointer's width, which this target does not have \
     (as thumbv6m)"
);

pub mod action;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod auto_traits;
pub mod barrier;
#[cfg(feature = "alloc")]
pub mod broadcast;
mod callback;
#[cfg(feature = "alloc")]
pub mod cancellation;
#[cfg(feature = "alloc")]
pub mod channel;
pub mod condvar;
#[cfg(feature = "alloc")]
pub mod event;
pub mod face;
mod fairness;
pub mod io;
mod limit;
#[cfg(all(test, anysync_loom))]
mod loom_util;
pub mod mutex;
pub mod notify;
pub mod once_cell;
pub mod oneshot;
#[cfg(feature = "alloc")]
mod owner;
mod primitive;
pub mod rwlock;
pub mod semaphore;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod shown_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod test_util;
mod wait_list;
mod wake_batch;
#[cfg(feature = "alloc")]
pub mod watch;

#[doc(inline)]
pub use barrier::Barrier;
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use cancellation::CancellationToken;
#[doc(inline)]
pub use condvar::Condvar;
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use event::Event;
#[doc(inline)]
pub use fairness::Fairness;
#[cfg(feature = "std")]
#[doc(inline)]
pub use io::Block;
#[doc(inline)]
pub use io::{Bare, Elapsed, Io, Timer, yield_now};
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use io::{Join, JoinError, Runtime, Spawn, SpawnBlocking, SpawnLocal};
#[doc(inline)]
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard};
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use mutex::{OwnedMappedMutexGuard, OwnedMutexGuard};
#[doc(inline)]
pub use notify::Notify;
#[doc(inline)]
pub use once_cell::OnceCell;
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard,
    OwnedRwLockWriteGuard,
};
#[doc(inline)]
pub use rwlock::{
    RwLock, RwLockMappedWriteGuard, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use semaphore::OwnedSemaphorePermit;
#[doc(inline)]
pub use semaphore::{AcquireError, Semaphore, SemaphorePermit, TryAcquireError};

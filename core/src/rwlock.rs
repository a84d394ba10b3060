//! [`RwLock`]: many tasks read a value at once, or one writes; waits are served in
//! order.
//!
//! A writer that waits stops new readers, and what an unlock makes room for goes
//! to the first in the queue: to a writer, or to all readers before the next
//! writer. So neither side starves the other.
//!
//! ```text
//!                  read: n+1, up to the limit
//!                    ┌──────┐
//!   FREE ── read ──► READ(n) ── upgradable read ──► READ(n)+U ── the others end ─┐
//!    │ ▲ ◄── end ─────┘  ▲ ◄────────── end ────────────┘  ▲ (one of n is U)      │
//!    │ │                 │                                │                 upgrade
//!    │ │                 └──── downgrade ──┐              │                      │
//!    │ └──────────── unlock ────────────── WRITE ─────────┘ ◄────────────────────┘
//!    └─────────────── write ────────────► (downgrade to upgradable)
//! ```
//!
//! In each of them but FREE a queue may form: then the state is also WAITING.
//!
//! | | FREE | READ(n), with U or not | WRITE | any, WAITING |
//! |-|-|-|-|-|
//! | `try_read` | reads | n below the limit: reads, else `None` | `None` | `None` |
//! | `try_upgradable_read` | reads | the same, without U | `None` | `None` |
//! | `try_write` | writes | `None` | `None` | `None` |
//! | first poll | as the `try_` form, else queues | the same | queues | queues last |
//! | `try_upgrade` | – | n = 1: writes, else given back | – | the same |
//! | first poll of an upgrade | – | n = 1: writes, else queues | – | n = 1: writes, else queues first |
//! | poll of the called | as the `try_` form, else queues | the same | queues | queues first, then grants to the first ones |
//! | poll of the queued | – | – | – | renews its waker, meets a grant |
//! | poll of the granted | takes it | takes it | takes it | takes it |
//! | end of a guard, downgrade | – | makes room | makes room | makes room, then grants to the first ones |
//! | drop of the queued | – | – | – | leaves, then grants to the first ones |
//! | drop of the granted | – | as an end | as an end | as an end |
//!
//! A first poll that queues meets a grant, too. A *called* wait is in no queue, and has
//! been woken: the next poll makes it the first in the queue, or the second behind an
//! upgrade.
//!
//! # Eventual
//!
//! In a lock that is [`Fairness::Eventual`] the flag RESERVED is clear, and then what is
//! free is for the first that comes, also while waits are queued. The end of a guard calls as
//! many of the first waits as would get in together; if the lock is free, also those
//! behind them of the other kind, readers behind a writer or a writer behind readers, in
//! case that the first ones do not come. Each leaves the queue, is woken, and tries like
//! any other; one that does not get in queues again, as the first. RESERVED is set while
//! a writer is the first in the queue and readers are in, so that no other reader joins
//! them; and when waits have come in vain `PATIENCE` times, until the
//! first in the queue has been granted its part. It stays clear while an upgradable read
//! is held for whose end the first waits: a task that has it may read once more.
//!
//! # Invariants
//!
//! - **HELD**: the word counts every part that is held, by a guard, by an upgrade
//!   that waits, by a `Won` or by a node in the ring of grants, once; each was counted
//!   by the thread that found it compatible with the others in the same atomic step: a
//!   writer with no other part, an upgradable reader with readers. So the holder of a
//!   writer's part reaches the value alone, and the holder of a reader's shares it with
//!   readers only.
//! - **WAITING**: the flag is set exactly when the queue is not empty.
//! - **RESERVED**: the flag is set only with WAITING, and always with it in a lock that
//!   keeps the order. Then the first in the queue is not compatible with what is held, or
//!   a thread is about to grant, and the word changes only under the inner lock, so that
//!   no task passes the queue. While the flag is clear the word changes only by
//!   read-modify-writes; and if the first in the queue is compatible with what is held, a
//!   wait has been called and has not come yet, or a thread is about to call.
//! - **UPGRADE FIRST**: an upgrade that is queued is the first in the queue.
//!   There is one at most, since it holds the upgradable read.
//!
//! # A grant that is not polled
//!
//! A task that waits in two branches of a `select!`, and leaves the one that is
//! granted, would wait for itself in the other. So a queued wait that is polled meets an
//! unclaimed grant, one of its own task if there is one, and
//! `Watch` counts. When a grant has been met often enough its wait
//! is called, and its part is given back and granted anew: to the wait that has met it,
//! which moves to the front (but not before an upgrade), if both are of one task; else to
//! the first in the queue. Several grants of one task go on one after the other, until
//! the wait that is polled gets in.
//!
//! A granted upgrade that is not polled goes back to its upgradable read. So it gives way
//! to a wait that reads; no other wait may write before it, and so such a task waits for
//! itself, as it would with the upgradable guard in hand.
//!
//! In an eventual lock every wait counts like one of the same task, and so does an
//! attempt that does not wait: the third that meets a grant has the part itself, if the
//! lock is open to it. A called wait keeps the lock from no task.
//!
//! # Memory ordering
//!
//! A thread that gives a part back writes the word with Release, one that takes a part
//! reads it with Acquire. All changes of the word are read-modify-writes, or stores
//! under the inner lock with Release after a load with Acquire, so a later change
//! passes on what an earlier one released: a writer sees what was done under every
//! guard before. A grant is made and taken under the inner lock. A wait that queues and
//! a guard that ends meet in the word: whichever comes second sees the first, so no
//! fence is needed.

use core::fmt;
use core::panic::UnwindSafe;
use core::pin::Pin;
use core::ptr::NonNull;

#[cfg(feature = "alloc")]
use alloc::sync::Arc;

use crate::fairness::{Fairness, Queue};
use crate::io::{Bare, Io};
#[cfg(feature = "alloc")]
use crate::owner::Projected;
use crate::primitive::{TrackedCell, const_fn};
use crate::wait_list::{Ring, has_list};
use raw::{HasRaw, READ, Raw, UPGRADABLE_READ, WRITE};

mod eventual;
mod futures;
mod guard;
#[cfg(feature = "alloc")]
mod hidden;
mod hold;
#[cfg(all(test, not(anysync_loom)))]
mod law_tests;
#[cfg(all(test, anysync_loom))]
mod loom_tests;
mod machine;
#[cfg(all(test, not(anysync_loom)))]
mod model_tests;
#[cfg(feature = "alloc")]
mod owned;
mod raw;
#[cfg(all(test, not(anysync_loom)))]
mod task_tests;
#[cfg(all(test, not(anysync_loom)))]
mod tests;
mod waiter;

pub use futures::{Read, UpgradableRead, Upgrade, Write};
#[cfg(feature = "alloc")]
pub use futures::{ReadOwned, UpgradableReadOwned, UpgradeOwned, WriteOwned};
pub use guard::{
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
#[cfg(feature = "alloc")]
pub use hidden::{HiddenReadGuard, OnlyRwLock};
#[cfg(feature = "alloc")]
pub use owned::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard,
    OwnedRwLockWriteGuard,
};
pub use waiter::Waiter;

/// Gives many tasks at once access to read a value, or one to write it, in the
/// order in which they asked for it.
///
/// Its guards may be held across an `.await`, and may be sent to another thread
/// and dropped there. Where neither is needed and the value is held for a few
/// instructions, `std::sync::RwLock` is as good in async code; and a
/// [`Mutex`](crate::Mutex) is quicker where reading is short.
///
/// ```
/// use std::collections::HashMap;
/// use anysync::{Io, RwLock};
///
/// struct Routes(RwLock<HashMap<String, String>>);
///
/// impl Routes {
///     async fn find(&self, io: impl Io, name: &str) -> Option<String> {
///         self.0.read(io).await.get(name).cloned()
///     }
///
///     async fn set(&self, io: impl Io, name: String, address: String) {
///         self.0.write(io).await.insert(name, address);
///     }
/// }
/// ```
///
/// A third kind of access, the upgradable read, is for tasks that read first and then
/// perhaps write what no other task may write meanwhile:
/// [`upgrade`](RwLockUpgradableReadGuard::upgrade).
///
/// # Deadlocks
///
/// A task that holds a guard and waits to write waits for itself for ever; also
/// one that holds a guard and waits to read, as soon as a writer is before it.
///
/// # Poisoning
///
/// There is none: a task that panics with a guard in hand unlocks, and the next
/// finds the value as it was left.
///
/// # Fairness
///
/// First in, first out: a writer that waits stops new readers, and is let in as
/// soon as those before it have ended; when a writer ends and a reader is the
/// first in the queue, all readers before the next writer are let in together.
/// No task passes the queue, the `try_` methods included, but for an upgrade,
/// which has the lock already.
///
/// A part that has been granted stays with its wait until that is polled or dropped. A
/// task may keep such a wait and poll another one on the same `RwLock` instead. So that
/// it does not wait for itself, the grant goes on when other waits have been polled
/// beside it often enough: to another wait of the same task at its third poll, and else
/// to the first in the queue at the 8,192nd poll of waits that have queued. A wait that
/// meets such a grant wakes itself, unless it can tell by its waker that the grant is of
/// another task of the same executor, which has been woken and will come. The wait that
/// did not come is the first in the queue when it is polled again. What cannot be had: a
/// wait that sleeps behind a grant that is not polled, and that no poll passes on, sleeps
/// on; so drop a wait that you do not poll any more. A granted upgrade that is not polled
/// gives way to waits that read, not to one that writes.
///
/// Two waits are of one task if their wakers have the same data and functions; a no-op
/// waker is of no task. A combinator that gives each branch a waker of its own
/// (`FuturesUnordered` does; `select!` and `join!` do not) makes them waits of unknown
/// tasks, for which the 8,192nd poll counts.
///
/// A lock made by [`with_fairness`](RwLock::with_fairness) with
/// [`Fairness::Eventual`] is for the first that comes: see there.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. Queued, it leaves the queue, and those
/// behind it that it alone held up are let in; granted, what it was granted goes to
/// the next.
///
/// # Memory ordering
///
/// What one writer did before it unlocked is visible to all readers and writers after
/// it; what was done before a read ended is visible to the writers after it.
///
/// # Size
///
/// On a 64-bit target 64 bytes beside the value; a wait at most 48, or 56 where it
/// owns a share; a guard 8 to write and to read upgradably, 16 to read or of a
/// part, and 8 more where it owns a share.
pub struct RwLock<T: ?Sized> {
    raw: Raw,
    value: TrackedCell<T>,
}

has_list!([T: ?Sized] RwLock<T>, raw.list: WaitList<Queue, [Ring; 2]>);

impl<T: ?Sized> HasRaw for RwLock<T> {
    #[inline]
    fn raw(&self) -> &Raw {
        &self.raw
    }
}

// SAFETY: invariant HELD: a shared `RwLock` hands its value from one thread to
// the next, for which `T: Send` is needed, and lends it to several at once, for
// which `T: Sync` is. The rest of it is `Sync`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

// Nothing but the value can be left half done by a panic.
impl<T: ?Sized + UnwindSafe> UnwindSafe for RwLock<T> {}

/// The largest number that [`RwLock::with_max_readers`] takes.
const MAX_READERS: usize = raw::MAX_READERS;

impl<T> RwLock<T> {
    const_fn! {
        /// A free lock, for up to [`MAX_READERS`](Self::MAX_READERS)
        /// readers at once.
        ///
        /// ```
        /// use anysync::RwLock;
        ///
        /// static NAMES: RwLock<Vec<String>> = RwLock::new(Vec::new());
        /// NAMES.try_write().unwrap().push("anysync".to_owned());
        /// assert_eq!(NAMES.try_read().unwrap().len(), 1);
        /// ```
        pub const fn new(value: T) -> Self {
            Self::with_max_readers(value, MAX_READERS)
        }
    }

    const_fn! {
        /// A free lock, for up to `max_readers` readers at once; a task that wants to
        /// read beyond that waits.
        ///
        /// ```
        /// let lock = anysync::RwLock::with_max_readers("value", 2);
        /// let readers = [lock.try_read().unwrap(), lock.try_read().unwrap()];
        /// assert!(lock.try_read().is_none());
        /// # drop(readers);
        /// ```
        ///
        /// # Panics
        ///
        /// With 0, or more than [`MAX_READERS`](Self::MAX_READERS); in a constant
        /// this is an error of the compiler.
        #[track_caller]
        pub const fn with_max_readers(value: T, max_readers: usize) -> Self {
            Self {
                raw: Raw::new(max_readers, Fairness::Fifo),
                value: TrackedCell::new(value),
            }
        }
    }

    const_fn! {
        /// A free lock, with the given fairness.
        ///
        /// With [`Fairness::Eventual`] the end of a guard wakes the first waits in the
        /// queue, and the lock belongs to the first that comes; a writer that is the
        /// first in the queue still stops new readers.
        ///
        /// ```
        /// use anysync::{Fairness, RwLock};
        ///
        /// static HITS: RwLock<u64> = RwLock::with_fairness(0, Fairness::Eventual);
        /// assert_eq!(HITS.fairness(), Fairness::Eventual);
        /// ```
        pub const fn with_fairness(value: T, fairness: Fairness) -> Self {
            Self {
                raw: Raw::new(MAX_READERS, fairness),
                value: TrackedCell::new(value),
            }
        }
    }

    /// The value, with the lock used up.
    ///
    /// ```
    /// assert_eq!(anysync::RwLock::new(5).into_inner(), 5);
    /// ```
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// The largest number of readers at once that a lock can be made for: 2²⁹ − 1,
    /// or 2²⁸ − 1 where a word has 32 bits.
    pub const MAX_READERS: usize = MAX_READERS;

    /// Whether the lock is acquired in order.
    pub fn fairness(&self) -> Fairness {
        self.raw.fairness()
    }

    /// Waits until it may read; `io` is the executor that it runs on.
    ///
    /// The wait has a place in the queue from its first poll on. If no task writes or
    /// waits, that poll takes its part by one atomic read-modify-write.
    ///
    /// ```
    /// use anysync::{Bare, Block, Io, RwLock};
    ///
    /// async fn total(io: impl Io, numbers: &RwLock<Vec<u32>>) -> u32 {
    ///     numbers.read(io).await.iter().sum()
    /// }
    ///
    /// let numbers = RwLock::new(vec![1, 2, 3]);
    /// assert_eq!(Bare.block_on(total(Bare, &numbers)), 6);
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out: it queues behind a writer that waits; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time, or gives back what it
    /// was granted. To wait again is to queue again, as the last.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the writers before it released.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    #[inline]
    pub fn read<I: Io>(&self, io: I) -> Read<'_, T, I> {
        Read::new(self, io)
    }

    /// Waits to read on any executor: [`read`](RwLock::read) with [`Bare`].
    #[inline]
    pub fn read_future(&self) -> Read<'_, T> {
        self.read(Bare)
    }

    /// Waits until it may read and, later, perhaps write: see
    /// [`upgrade`](RwLockUpgradableReadGuard::upgrade). `io` is the executor that
    /// it runs on.
    ///
    /// Goes together with readers, among which it counts for their limit, but not
    /// with another upgradable read, nor with a writer.
    ///
    /// ```
    /// use anysync::{Io, RwLock, RwLockUpgradableReadGuard as Upgradable};
    ///
    /// async fn raise(io: impl Io, highest: &RwLock<u32>, to: u32) {
    ///     let current = highest.upgradable_read(&io).await;
    ///     if *current < to {
    ///         *Upgradable::upgrade(current, &io).await = to;
    ///     }
    /// }
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Memory ordering
    ///
    /// Acquires what the writers before it released.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    #[inline]
    pub fn upgradable_read<I: Io>(&self, io: I) -> UpgradableRead<'_, T, I> {
        UpgradableRead::new(self, io)
    }

    /// Waits to read upgradably on any executor:
    /// [`upgradable_read`](RwLock::upgradable_read) with [`Bare`].
    #[inline]
    pub fn upgradable_read_future(&self) -> UpgradableRead<'_, T> {
        self.upgradable_read(Bare)
    }

    /// Waits until it may write; `io` is the executor that it runs on.
    ///
    /// The wait has a place in the queue from its first poll on, and stops readers
    /// that come later. If the lock is free, that poll takes it by one atomic
    /// read-modify-write.
    ///
    /// ```
    /// use anysync::{Bare, Block, Io, RwLock};
    ///
    /// async fn push(io: impl Io, numbers: &RwLock<Vec<u32>>, number: u32) {
    ///     numbers.write(io).await.push(number);
    /// }
    ///
    /// let numbers = RwLock::new(vec![1]);
    /// Bare.block_on(push(Bare, &numbers, 2));
    /// assert_eq!(numbers.into_inner(), [1, 2]);
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time, and readers that it alone
    /// held up are let in; what it was granted goes to the next. To wait again is to
    /// queue again, as the last.
    ///
    /// # Memory ordering
    ///
    /// Acquires what readers and writers before it released.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    #[inline]
    pub fn write<I: Io>(&self, io: I) -> Write<'_, T, I> {
        Write::new(self, io)
    }

    /// Waits to write on any executor: [`write`](RwLock::write) with [`Bare`].
    #[inline]
    pub fn write_future(&self) -> Write<'_, T> {
        self.write(Bare)
    }

    /// Reads if no task writes or waits, and there are fewer readers than the lock
    /// is made for.
    ///
    /// Never waits, never takes the inner lock, and never passes the queue.
    ///
    /// ```
    /// let lock = anysync::RwLock::new(1);
    /// let reader = lock.try_read().unwrap();
    /// assert_eq!(*lock.try_read().unwrap() + *reader, 2);
    /// assert!(lock.try_write().is_none());
    /// ```
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.raw.attempt(READ).then(|| RwLockReadGuard::new(self))
    }

    /// Reads upgradably if [`try_read`](RwLock::try_read) would read and no other task
    /// reads upgradably.
    ///
    /// ```
    /// let lock = anysync::RwLock::new(1);
    /// let upgradable = lock.try_upgradable_read().unwrap();
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_upgradable_read().is_none());
    /// # drop(upgradable);
    /// ```
    #[inline]
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        self.raw
            .attempt(UPGRADABLE_READ)
            .then(|| RwLockUpgradableReadGuard::new(self))
    }

    /// Writes if the lock is free: neither held nor granted to a wait.
    ///
    /// Never waits, never takes the inner lock, and never passes the queue.
    ///
    /// ```
    /// let lock = anysync::RwLock::new(1);
    /// *lock.try_write().unwrap() = 2;
    /// assert_eq!(*lock.try_read().unwrap(), 2);
    /// ```
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.raw.attempt(WRITE).then(|| RwLockWriteGuard::new(self))
    }

    /// Waits to read without a future: returns the guard if it may read or has
    /// been granted to `waiter`, else queues `waiter` and returns `None` at once.
    /// Its waker or callback is called when it has been granted; call this again
    /// then.
    ///
    /// It is a poll, and may be called as often as you like: a waiter that is
    /// queued keeps its place. After it has returned the guard, the waiter may be
    /// used again, with the waker that it has.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{RwLock, rwlock::Waiter};
    ///
    /// let lock = RwLock::new(7);
    /// let writer = lock.try_write().unwrap();
    /// let mut waiter = pin!(Waiter::new());
    /// assert!(lock.read_with(waiter.as_mut()).is_none());
    /// drop(writer);
    /// assert!(waiter.is_ready());
    /// assert_eq!(*lock.read_with(waiter.as_mut()).unwrap(), 7);
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out, from the first call on; see [`RwLock`]. A waiter with
    /// a waker or callback counts as of one task with any other that has the same.
    ///
    /// # Cancel safety
    ///
    /// Dropped or [`reset`](Waiter::reset), the waiter leaves the queue, or passes
    /// on what it has been granted.
    ///
    /// # Memory ordering
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Panics
    ///
    /// If the waiter waits on another `RwLock`, or not to read.
    pub fn read_with<'a>(&'a self, waiter: Pin<&mut Waiter<'a>>) -> Option<RwLockReadGuard<'a, T>> {
        waiter.poll(&self.raw, READ)?.accept();
        Some(RwLockReadGuard::new(self))
    }

    /// Waits to read upgradably without a future. In everything else like
    /// [`read_with`](RwLock::read_with).
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped or [`reset`](Waiter::reset), the waiter leaves the queue, or passes
    /// on what it has been granted.
    ///
    /// # Memory ordering
    ///
    /// As [`read_with`](RwLock::read_with).
    ///
    /// # Panics
    ///
    /// If the waiter waits on another `RwLock`, or not to read upgradably.
    pub fn upgradable_read_with<'a>(
        &'a self,
        waiter: Pin<&mut Waiter<'a>>,
    ) -> Option<RwLockUpgradableReadGuard<'a, T>> {
        waiter.poll(&self.raw, UPGRADABLE_READ)?.accept();
        Some(RwLockUpgradableReadGuard::new(self))
    }

    /// Waits to write without a future. In everything else like
    /// [`read_with`](RwLock::read_with).
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped or [`reset`](Waiter::reset), the waiter leaves the queue, or passes
    /// on what it has been granted.
    ///
    /// # Memory ordering
    ///
    /// As [`read_with`](RwLock::read_with).
    ///
    /// # Panics
    ///
    /// If the waiter waits on another `RwLock`, or neither to write nor for
    /// [an upgrade](RwLockUpgradableReadGuard::upgrade_with).
    pub fn write_with<'a>(
        &'a self,
        waiter: Pin<&mut Waiter<'a>>,
    ) -> Option<RwLockWriteGuard<'a, T>> {
        waiter.poll(&self.raw, WRITE)?.accept();
        Some(RwLockWriteGuard::new(self))
    }

    /// Parks the thread until it may read: for code outside of any executor.
    ///
    /// ```
    /// let lock = anysync::RwLock::new(1);
    /// assert_eq!(*lock.blocking_read(), 1);
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Memory ordering
    ///
    /// As [`read`](RwLock::read).
    #[cfg(feature = "std")]
    #[doc(alias("read_blocking"))]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        crate::io::block_on(self.read_future())
    }

    /// Parks the thread until it may write: for code outside of any executor.
    ///
    /// ```
    /// let lock = anysync::RwLock::new(1);
    /// *lock.blocking_write() += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Memory ordering
    ///
    /// As [`write`](RwLock::write).
    #[cfg(feature = "std")]
    #[doc(alias("write_blocking"))]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        crate::io::block_on(self.write_future())
    }

    /// The value, without locking: no other task can hold it.
    ///
    /// ```
    /// let mut lock = anysync::RwLock::new(1);
    /// *lock.get_mut() = 2;
    /// assert_eq!(*lock.try_read().unwrap(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: invariant HELD: a guard would borrow the `RwLock`, or a share of
        // the `Arc` that it lies in.
        self.value.with_mut(|value| unsafe { &mut *value })
    }

    /// How many readers at once the lock was made for.
    pub fn max_readers(&self) -> usize {
        self.raw.max_readers()
    }

    /// How many waits are queued, at this moment, upgrades included. A wait that
    /// has been granted is not queued any more.
    ///
    /// Counts them one by one under the inner lock: for tests and diagnostics.
    pub fn waiter_count(&self) -> usize {
        self.raw.waiter_count()
    }

    /// Where the value is.
    #[inline]
    fn value_ptr(&self) -> NonNull<T> {
        // SAFETY: a part of `self` is not at null.
        self.value
            .with(|value| unsafe { NonNull::new_unchecked(value.cast_mut()) })
    }
}

#[cfg(feature = "alloc")]
impl<T: ?Sized> RwLock<T> {
    /// [`read`](RwLock::read) with a future and a guard that own a share of the
    /// lock, and so may be spawned or stored.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Bare, Block, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new(5));
    /// let reader = Bare.block_on(lock.clone().read_owned(Bare));
    /// drop(lock); // kept alive by the guard
    /// std::thread::spawn(move || assert_eq!(*reader, 5)).join().unwrap();
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue or gives back what it was granted.
    ///
    /// # Memory ordering
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    #[inline]
    #[doc(alias("read_arc"))]
    pub fn read_owned<I: Io>(self: Arc<Self>, io: I) -> ReadOwned<T, Self, I> {
        ReadOwned::new(Projected::whole(self), io)
    }

    /// Waits to read from a lock somewhere inside of `owner`, with a future and a
    /// guard that own a share of it. `project` finds the lock.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Io, OwnedRwLockReadGuard, RwLock};
    ///
    /// struct Server {
    ///     config: RwLock<String>,
    /// }
    ///
    /// async fn config(io: impl Io, server: Arc<Server>) -> OwnedRwLockReadGuard<String, Server> {
    ///     RwLock::read_owned_by(server, |server| &server.config, io).await
    /// }
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue or gives back what it was granted.
    ///
    /// # Memory ordering
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    pub fn read_owned_by<O: ?Sized, I: Io>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a RwLock<T>,
        io: I,
    ) -> ReadOwned<T, O, I> {
        ReadOwned::new(Projected::new(owner, project), io)
    }

    /// [`upgradable_read`](RwLock::upgradable_read) with a future and a guard that
    /// own a share of the lock.
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue or gives back what it was granted.
    ///
    /// # Memory ordering
    ///
    /// As [`upgradable_read`](RwLock::upgradable_read).
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    #[inline]
    #[doc(alias("upgradable_read_arc"))]
    pub fn upgradable_read_owned<I: Io>(self: Arc<Self>, io: I) -> UpgradableReadOwned<T, Self, I> {
        UpgradableReadOwned::new(Projected::whole(self), io)
    }

    /// [`upgradable_read`](RwLock::upgradable_read) of a lock somewhere inside of
    /// `owner`; see [`read_owned_by`](RwLock::read_owned_by).
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue or gives back what it was granted.
    ///
    /// # Memory ordering
    ///
    /// As [`upgradable_read`](RwLock::upgradable_read).
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    pub fn upgradable_read_owned_by<O: ?Sized, I: Io>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a RwLock<T>,
        io: I,
    ) -> UpgradableReadOwned<T, O, I> {
        UpgradableReadOwned::new(Projected::new(owner, project), io)
    }

    /// [`write`](RwLock::write) with a future and a guard that own a share of the
    /// lock.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Bare, Block, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new(5));
    /// *Bare.block_on(lock.clone().write_owned(Bare)) += 1;
    /// assert_eq!(*lock.try_read().unwrap(), 6);
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue or gives back what it was granted.
    ///
    /// # Memory ordering
    ///
    /// As [`write`](RwLock::write).
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    #[inline]
    #[doc(alias("write_arc"))]
    pub fn write_owned<I: Io>(self: Arc<Self>, io: I) -> WriteOwned<T, Self, I> {
        WriteOwned::new(Projected::whole(self), io)
    }

    /// [`write`](RwLock::write) of a lock somewhere inside of `owner`; see
    /// [`read_owned_by`](RwLock::read_owned_by).
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue or gives back what it was granted.
    ///
    /// # Memory ordering
    ///
    /// As [`write`](RwLock::write).
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    pub fn write_owned_by<O: ?Sized, I: Io>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a RwLock<T>,
        io: I,
    ) -> WriteOwned<T, O, I> {
        WriteOwned::new(Projected::new(owner, project), io)
    }

    /// [`try_read`](RwLock::try_read) with a guard that owns a share of the lock.
    #[inline]
    #[doc(alias("try_read_arc"))]
    pub fn try_read_owned(self: Arc<Self>) -> Option<OwnedRwLockReadGuard<T>> {
        Self::try_read_owned_by(self, |lock| lock)
    }

    /// [`try_read`](RwLock::try_read) of a lock somewhere inside of `owner`; see
    /// [`read_owned_by`](RwLock::read_owned_by).
    pub fn try_read_owned_by<O: ?Sized>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a RwLock<T>,
    ) -> Option<OwnedRwLockReadGuard<T, O>> {
        let lock = Projected::new(owner, project);
        lock.raw
            .attempt(READ)
            .then(|| OwnedRwLockReadGuard::new(lock))
    }

    /// [`try_upgradable_read`](RwLock::try_upgradable_read) with a guard that owns
    /// a share of the lock.
    #[inline]
    #[doc(alias("try_upgradable_read_arc"))]
    pub fn try_upgradable_read_owned(self: Arc<Self>) -> Option<OwnedRwLockUpgradableReadGuard<T>> {
        Self::try_upgradable_read_owned_by(self, |lock| lock)
    }

    /// [`try_upgradable_read`](RwLock::try_upgradable_read) of a lock somewhere
    /// inside of `owner`; see [`read_owned_by`](RwLock::read_owned_by).
    pub fn try_upgradable_read_owned_by<O: ?Sized>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a RwLock<T>,
    ) -> Option<OwnedRwLockUpgradableReadGuard<T, O>> {
        let lock = Projected::new(owner, project);
        lock.raw
            .attempt(UPGRADABLE_READ)
            .then(|| OwnedRwLockUpgradableReadGuard::new(lock))
    }

    /// [`try_write`](RwLock::try_write) with a guard that owns a share of the lock.
    #[inline]
    #[doc(alias("try_write_arc"))]
    pub fn try_write_owned(self: Arc<Self>) -> Option<OwnedRwLockWriteGuard<T>> {
        Self::try_write_owned_by(self, |lock| lock)
    }

    /// [`try_write`](RwLock::try_write) of a lock somewhere inside of `owner`; see
    /// [`read_owned_by`](RwLock::read_owned_by).
    pub fn try_write_owned_by<O: ?Sized>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a RwLock<T>,
    ) -> Option<OwnedRwLockWriteGuard<T, O>> {
        let lock = Projected::new(owner, project);
        lock.raw
            .attempt(WRITE)
            .then(|| OwnedRwLockWriteGuard::new(lock))
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    /// Shows the value if it may be read at the moment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.try_read() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}

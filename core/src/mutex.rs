//! [`Mutex`]: one task at a time has the value; waits are served in order.
//!
//! Its guard may be held across an `.await`. An unlock while waits are queued does not
//! free the lock: it hands it to the first in the queue, so that no task that comes later
//! can be quicker. A lock that is made [`Fairness::Eventual`] is freed instead, and the
//! first in the queue is called; it is handed over only to a wait that has come too late
//! a number of times.
//!
//! | file | holds |
//! |-|-|
//! | this | [`Mutex`] |
//! | `raw.rs` | the lock without its value, and the machine of a wait |
//! | `wait.rs` | the futures, and [`Waiter`] |
//! | `guard.rs`, `mapped.rs` | the guards, of the value and of a part |
//!
//! ```text
//!              lock, try_lock                lock: queues
//!     FREE ────────────────────► HELD ────────────────────► HELD, n queued ─┐
//!       ▲ ◄──────────────────── ▲ │ ▲ ◄──────────────────── │  ▲ ▲         │ lock
//!       │        unlock         │ │ └──── the last leaves ──┘  │ └─────────┘
//!       │                       │ │                            │
//!       │        its owner polls│ │ budget spent               │ its owner polls
//!       │                       │ ▼            unlock: seats the first
//!       └───────────────────── SEATED ◄──────────────────── HELD, n queued
//!          the seated is dropped,
//!          no wait is queued
//!
//!     Eventual:
//!                       unlock: calls the first
//!     FREE, n - 1 queued ◄──────────────────── HELD, n queued
//!              │                                   ▲    ▲
//!              │ lock, try_lock, the called polls  │    │ the called polls: in vain
//!              └───────────────────────────────────┘    └── it queues as the first
//! ```
//!
//! SEATED: the lock is handed to a wait whose task has not been polled since. A *called*
//! wait is in no queue and has been woken: the lock was free, or the one that it had been
//! handed has gone on while its task did not poll it.
//!
//! | | FREE | HELD | HELD, n queued | SEATED, n ≥ 0 queued | FREE, n queued (Eventual) |
//! |-|-|-|-|-|-|
//! | `try_lock` | locks | `None` | `None` | `None` | locks |
//! | first poll | locks | queues | queues last | queues last, meets the seated one | locks |
//! | poll of the called | locks | queues first | queues first | queues first, meets the seated one | locks |
//! | poll of the queued | – | – | renews its waker | the same, and meets the seated one | locks |
//! | poll of the seated | – | – | – | claims the lock: HELD | – |
//! | unlock | – | FREE | Fifo, or the first was called in vain too often: seats it, wakes it; else frees, and calls it | – | – |
//! | drop of the queued | – | – | leaves the queue | leaves the queue | leaves the queue |
//! | drop of the called | – | – | – | – | calls the first |
//! | drop of the seated | – | – | – | as an unlock | – |
//!
//! # Invariants
//!
//! - **HELD**: at most one guard (or `Held`, from which guards are made) exists,
//!   and the value is reached through it alone (or through `&mut Mutex`, or by
//!   value). Who makes one has set LOCKED in a word without it, or has taken a node
//!   from the seat, its own or another; and neither can happen before the guard from
//!   the time before has ended in `unlock`.
//! - **COUNTED**: the number in the word above the flags is the length of the
//!   ring; it changes under the inner lock only. In a lock that is fair in order
//!   it is 0 unless LOCKED is set.
//! - **HANDED**: the seat is taken only while LOCKED is set and no guard exists.
//! - **COMING**: a lock that is free while waits are queued (it is eventual) has called
//!   one since it was last held, which has not come yet and is not dropped; or a thread
//!   is about to call. A called wait that finds the lock held queues again, and the
//!   holder's unlock calls.
//!
//! # A lock granted and not polled
//!
//! A task that waits in two branches of a `select!`, and leaves the one that the lock is
//! handed to, would wait for itself for ever in the other. So a queued wait that is
//! polled while the seat is taken meets the seated one, and `Watch` counts. When it
//! has been met often enough it is called: it leaves the seat, and the lock is the
//! other's if both are of one task, else it is handed to the first in the queue. The
//! called wait has been woken, so it is owed no other wake-up. If it was taken for one
//! of the same task by mistake (the waker that it had is gone, and another one is at
//! its address), or its task was only late, it has lost one turn: its next poll makes
//! it the first in the queue.
//!
//! One poll is not enough: with two looping branches in one `join!`, each would take the
//! lock from the other for ever, and no other task would have it.
//!
//! In an eventual lock every wait counts like one of the same task, and the one that
//! meets the seated wait for the third time takes the lock itself. A called wait keeps
//! the lock from no task: it is free, any wait that is polled takes it, queued or not,
//! and the unlock after that calls the next.
//!
//! # Memory ordering
//!
//! A lock is passed on in one of three ways, each a Release and an Acquire that
//! reads it: the word (unlock clears LOCKED with Release, who sets it reads the
//! word with Acquire), the seat (stored with Release, left with Acquire), or the
//! seat that another wait takes over (swapped with Acquire). The count
//! carries no data: by COUNTED the inner lock orders its changes, so
//! those are Relaxed. All changes of a word without LOCKED are read-modify-writes,
//! so those between an unlock and the next lock pass on what the unlock released.
//! While LOCKED is set the word is changed by its holder, and under the inner
//! lock; whoever has both, or has the inner lock of a lock that is fair in order and
//! has a queue, whose holder needs it too, may change it by a store, and none is
//! lost. An unlock that expects no wait to be queued finds one that has queued meanwhile,
//! since both change the same word; no fence is needed.

use core::fmt;
use core::panic::UnwindSafe;
use core::pin::Pin;

#[cfg(feature = "alloc")]
use alloc::sync::Arc;

use crate::io::{Bare, Io};
#[cfg(feature = "alloc")]
use crate::owner::Projected;
use crate::primitive::{TrackedCell, const_fn};
use crate::wait_list::{IDLE, Ring, Watch, has_list};

use raw::{Held, RawMutex};

mod guard;
#[cfg(all(test, anysync_loom))]
mod loom_tests;
mod mapped;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
mod raw;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;
mod wait;

pub use crate::fairness::Fairness;
pub use guard::MutexGuard;
#[cfg(feature = "alloc")]
pub use guard::OwnedMutexGuard;
pub use mapped::MappedMutexGuard;
#[cfg(feature = "alloc")]
pub use mapped::OwnedMappedMutexGuard;
#[cfg(feature = "alloc")]
pub use wait::LockOwned;
pub use wait::{Lock, Waiter};

/// Gives one task at a time access to a value, in the order in which they asked
/// for it.
///
/// Its guard may be held across an `.await`, and may be sent to another thread
/// and dropped there. Where neither is needed and the value is held for a few
/// instructions, `std::sync::Mutex` is as good in async code.
///
/// ```
/// use std::sync::Arc;
/// use anysync::{Bare, Io, Mutex};
///
/// struct Connection { /* .. */ }
///
/// impl Connection {
///     async fn send(&mut self, _message: &str) { /* .. */ }
/// }
///
/// async fn client(io: impl Io, shared: Arc<Mutex<Connection>>) {
///     let mut connection = shared.lock(io).await;
///     // Nobody's message comes between these two.
///     connection.send("hello").await;
///     connection.send("goodbye").await;
/// }
/// ```
///
/// # Poisoning
///
/// There is none: a task that panics with the guard in hand unlocks, and the
/// next finds the value as it was left.
///
/// # Fairness
///
/// First in, first out, unless it is made [`Eventual`](Fairness::Eventual): the lock
/// is handed from the task that unlocks to the first wait in the queue, and no task
/// passes the queue, [`try_lock`](Mutex::try_lock) included. Several waits of one task
/// that are all polled (by `join!`, say) are served in order like those of several
/// tasks.
///
/// # Waits that are not polled
///
/// A task may leave a wait unpolled (a `select!` arm that is kept, a member of
/// `FuturesUnordered` while the loop's body awaits). If the lock is handed to such a
/// wait, it does not stay there for ever:
///
/// - Another wait of the same task gets the lock at its third poll. It wakes its task
///   until then. Two waits are of one task if
///   [`Waker::will_wake`](core::task::Waker::will_wake) says so of their wakers and
///   these carry data: a no-op waker belongs to no task.
/// - Where the wakers are of different kinds, the task is unknown (`FuturesUnordered`
///   and `buffered` poll each member with a waker of their own). Then the lock goes to
///   the first in the queue when the waits behind it have been polled 8,192 times, and
///   they wake themselves until then.
/// - Where they are of one kind, and so of two tasks of one executor, the other task is
///   taken to come when it is woken. A wait that is polled again all the same counts
///   as well, and the lock goes on at the 8,192nd poll. A wait that is polled once and
///   then sleeps is woken when the lock is passed on, and not before: so poll your
///   waits or drop them.
///
/// The wait that was passed over is the first in the queue as soon as it is polled.
///
/// In an `Eventual` lock an unlock frees the lock, so a wait that is not polled keeps
/// it from no task that is polled. It keeps the wake-up that it was given, though:
/// waits behind it that sleep are woken by an unlock after it has come or was dropped.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. Queued, it leaves the queue; a lock that
/// it had been handed, or told of, goes on to the next.
///
/// # Memory ordering
///
/// What one holder did before it unlocked is visible to the next.
///
/// # Size
///
/// On a 64-bit target at most 48 bytes beside the value; a wait at most 48, or 56
/// where it owns a share; a guard 8, 16 where it owns a share or is of a part, 24
/// where it is both.
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    value: TrackedCell<T>,
}

has_list!([T: ?Sized] Mutex<T>, raw.list: WaitList<Watch, [Ring; 1]>);

// SAFETY: invariant HELD: a shared `Mutex` hands its value from one thread to
// the next, one at a time, which `T: Send` allows. The rest of it is `Sync`.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

// Nothing but the value can be left half done by a panic.
impl<T: ?Sized + UnwindSafe> UnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    const_fn! {
        /// A lock that nobody holds.
        ///
        /// ```
        /// use anysync::Mutex;
        ///
        /// static TOTAL: Mutex<u64> = Mutex::new(0);
        /// *TOTAL.try_lock().unwrap() += 1;
        /// ```
        pub const fn new(value: T) -> Self {
            Self::with_fairness(value, Fairness::Fifo)
        }
    }

    const_fn! {
        /// A lock that nobody holds, fair as it is said.
        ///
        /// ```
        /// use anysync::{Fairness, Mutex};
        ///
        /// static HITS: Mutex<u64> = Mutex::with_fairness(0, Fairness::Eventual);
        /// *HITS.try_lock().unwrap() += 1;
        /// ```
        pub const fn with_fairness(value: T, fairness: Fairness) -> Self {
            Self {
                raw: RawMutex::new(fairness),
                value: TrackedCell::new(value),
            }
        }
    }

    /// The value, with the lock used up.
    ///
    /// ```
    /// assert_eq!(anysync::Mutex::new(5).into_inner(), 5);
    /// ```
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock; `io` is the executor that it runs on.
    ///
    /// The wait has a place in the queue from its first poll on. If the lock is
    /// free, that poll takes it by one atomic read-modify-write.
    ///
    /// ```
    /// use anysync::{Bare, Block, Io, Mutex};
    ///
    /// async fn increment(io: impl Io, counter: &Mutex<u32>) -> u32 {
    ///     let mut count = counter.lock(io).await;
    ///     *count += 1;
    ///     *count
    /// }
    ///
    /// let counter = Mutex::new(0);
    /// assert_eq!(Bare.block_on(increment(Bare, &counter)), 1);
    /// ```
    ///
    /// A task that holds the guard and locks again waits for itself for ever.
    ///
    /// # Fairness
    ///
    /// As the lock was made: first in, first out, by hand-over, or
    /// [`Eventual`](Fairness::Eventual); see [`Mutex`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time; a lock that it had
    /// been handed goes to the next. To wait again is to queue again, as the
    /// last.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the holder before it released.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    #[inline]
    pub fn lock<I: Io>(&self, io: I) -> Lock<'_, T, I> {
        Lock::new(self, io)
    }

    /// Waits for the lock on any executor: [`lock`](Mutex::lock) with [`Bare`].
    #[inline]
    pub fn lock_future(&self) -> Lock<'_, T> {
        self.lock(Bare)
    }

    /// Takes the lock if it is free: neither held nor handed to somebody.
    ///
    /// Never waits, never takes the inner lock, and never passes the queue of a
    /// lock that is [`Fifo`](Fairness::Fifo).
    ///
    /// ```
    /// use anysync::Mutex;
    ///
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_none());
    /// drop(guard);
    /// assert!(mutex.try_lock().is_some());
    /// ```
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let held = self.raw.attempt()?;
        Some(MutexGuard::new(self, held))
    }

    /// [`lock`](Mutex::lock) with a future and a guard that own a share of the
    /// lock, and have no lifetime: a task that is spawned may take them along.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Bare, Block, Io, Mutex, OwnedMutexGuard};
    ///
    /// async fn reserve(io: impl Io, seats: Arc<Mutex<u32>>) -> OwnedMutexGuard<u32> {
    ///     let mut seats = seats.lock_owned(io).await;
    ///     *seats -= 1;
    ///     seats
    /// }
    ///
    /// let guard = Bare.block_on(reserve(Bare, Arc::new(Mutex::new(3))));
    /// assert_eq!(*guard, 2);
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering, panics
    ///
    /// As [`lock`](Mutex::lock).
    #[cfg(feature = "alloc")]
    #[inline]
    #[doc(alias("lock_arc"))]
    pub fn lock_owned<I: Io>(self: Arc<Self>, io: I) -> LockOwned<T, Self, I> {
        LockOwned::new(Projected::whole(self), io)
    }

    /// Waits for a lock somewhere inside of `owner`, with a future and a guard
    /// that own a share of it.
    ///
    /// `project` finds the lock.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Io, Mutex, OwnedMutexGuard};
    ///
    /// struct Server {
    ///     log: Mutex<Vec<String>>,
    /// }
    ///
    /// async fn log(io: impl Io, server: Arc<Server>) -> OwnedMutexGuard<Vec<String>, Server> {
    ///     Mutex::lock_owned_by(server, |server| &server.log, io).await
    /// }
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering, panics
    ///
    /// As [`lock`](Mutex::lock). Panics where `project` does.
    #[cfg(feature = "alloc")]
    pub fn lock_owned_by<O: ?Sized, I: Io>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a Self,
        io: I,
    ) -> LockOwned<T, O, I> {
        LockOwned::new(Projected::new(owner, project), io)
    }

    /// [`try_lock`](Mutex::try_lock) with a guard that owns a share of the lock.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::Mutex;
    ///
    /// let mutex = Arc::new(Mutex::new(1));
    /// let guard = mutex.clone().try_lock_owned().unwrap();
    /// assert!(mutex.try_lock().is_none());
    /// # drop(guard);
    /// ```
    #[cfg(feature = "alloc")]
    #[inline]
    #[doc(alias("try_lock_arc"))]
    pub fn try_lock_owned(self: Arc<Self>) -> Option<OwnedMutexGuard<T>> {
        Self::try_lock_projected(Projected::whole(self))
    }

    /// [`try_lock`](Mutex::try_lock) with a guard that owns a share of what the
    /// lock lies in; see [`lock_owned_by`](Mutex::lock_owned_by).
    #[cfg(feature = "alloc")]
    pub fn try_lock_owned_by<O: ?Sized>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a Self,
    ) -> Option<OwnedMutexGuard<T, O>> {
        Self::try_lock_projected(Projected::new(owner, project))
    }

    #[cfg(feature = "alloc")]
    fn try_lock_projected<O: ?Sized>(mutex: Projected<O, Self>) -> Option<OwnedMutexGuard<T, O>> {
        mutex.raw.attempt()?.into_raw();
        Some(OwnedMutexGuard::new(mutex))
    }

    /// Blocks this thread until it has the lock: [`lock`](Mutex::lock) in
    /// [`block_on`](crate::io::block_on), for code that is not async.
    ///
    /// In a task it stops its whole thread, and if the holder is a task that
    /// only this thread would run, for ever.
    ///
    /// ```
    /// use anysync::Mutex;
    ///
    /// let total = Mutex::new(0);
    /// std::thread::scope(|scope| {
    ///     for _ in 0..3 {
    ///         scope.spawn(|| *total.blocking_lock() += 1);
    ///     }
    /// });
    /// assert_eq!(total.into_inner(), 3);
    /// ```
    ///
    /// # Fairness, memory ordering
    ///
    /// As [`lock`](Mutex::lock): threads and tasks are in one queue.
    #[cfg(feature = "std")]
    #[doc(alias("lock_blocking"))]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        self.try_lock()
            .unwrap_or_else(|| crate::io::block_on(self.lock_future()))
    }

    /// [`blocking_lock`](Mutex::blocking_lock) with a guard that owns a share of
    /// the lock.
    #[cfg(feature = "std")]
    #[doc(alias("lock_arc_blocking"))]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        crate::io::block_on(self.lock_owned(Bare))
    }

    /// Waits without a future: returns the guard if the lock is free or has been
    /// handed to `waiter`, else queues `waiter` and returns `None` at once. Its
    /// waker or callback is called when the lock has been handed to it, or told
    /// to be free; call this again then.
    ///
    /// It is a poll, and may be called as often as you like: a waiter that is
    /// queued keeps its place. After it has returned the guard, the waiter may be
    /// used again, with the waker that it has.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{Mutex, mutex::Waiter};
    ///
    /// let mutex = Mutex::new(7);
    /// let mut waiter = pin!(Waiter::new());
    /// let first = mutex.lock_with(waiter.as_mut()).unwrap();
    ///
    /// let mut other = pin!(Waiter::new());
    /// assert!(mutex.lock_with(other.as_mut()).is_none());
    /// drop(first);
    /// assert!(other.is_ready());
    /// assert_eq!(*mutex.lock_with(other.as_mut()).unwrap(), 7);
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out, from the first call on; see [`Mutex`]. A waiter with
    /// a waker or callback counts as of one task with any other that has the
    /// same.
    ///
    /// # Cancel safety
    ///
    /// Dropped or [`reset`](Waiter::reset), the waiter leaves the queue, or
    /// passes on the lock that it had been handed.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the holder before it released.
    ///
    /// # Panics
    ///
    /// If the waiter is queued on another `Mutex`, or has been handed its lock.
    pub fn lock_with<'a>(&'a self, waiter: Pin<&mut Waiter<'a, T>>) -> Option<MutexGuard<'a, T>> {
        self.lock_raw_with(waiter)
            .map(|held| MutexGuard::new(self, held))
    }

    fn lock_raw_with<'a>(&'a self, waiter: Pin<&mut Waiter<'a, T>>) -> Option<Held<'a>> {
        let mut entry = waiter.entry();
        if entry.status() == IDLE {
            return self.raw.try_lock().or_else(|| {
                entry.as_mut().bind(self);
                {
                    let (_, ticket, waker) = entry.as_mut().parts_with_waker();
                    self.raw.queue(ticket, waker, true)
                }
            });
        }
        assert!(
            entry.is_bound_to(self),
            "this `Waiter` waits for another `Mutex`: reset it first"
        );
        let (_, mut ticket, waker) = entry.parts_with_waker();
        self.raw
            .claim(&mut ticket)
            .or_else(|| self.raw.look(ticket.again(), waker))
    }

    /// The value, without locking: nobody else can hold it.
    ///
    /// ```
    /// let mut mutex = anysync::Mutex::new(1);
    /// *mutex.get_mut() = 2;
    /// assert_eq!(*mutex.try_lock().unwrap(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: invariant HELD: a guard would borrow the `Mutex`.
        self.value.with_mut(|value| unsafe { &mut *value })
    }

    /// How fair it was made.
    #[inline]
    pub fn fairness(&self) -> Fairness {
        self.raw.fairness()
    }

    /// Whether somebody holds the lock or has been handed it, at this moment.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    /// How many waits are queued, at this moment. A wait that has been handed
    /// the lock is not queued any more.
    #[inline]
    pub fn waiter_count(&self) -> usize {
        self.raw.waiter_count()
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    /// Shows the value if the lock is free at the moment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}

//! [`Semaphore`]: a number of permits; a task that finds too few waits in order.
//!
//! Permits that come back while a task waits belong to the first in the queue:
//! they add up until it has enough, so that a request for many is not starved by
//! requests for few.
//!
//! ```text
//!   acquire, release                                      acquire: queues behind
//!       ┌───┐      acquire of more than there are             ┌───┐
//!       │  FREE(n) ──────────────────────────────────► WAITING(n) │ release, cancel:
//!       └─► │ ▲ ◄──────────────────────────────────────── │   ◄─┘ grants to the first,
//!           │            the queue is empty again         │       as long as n suffices
//!     close │                                             │ close: refuses all
//!           └───────────────► CLOSED(n) ◄─────────────────┘
//!                              │     ▲
//!                              └─────┘ release
//! ```
//!
//! | | FREE(n) | WAITING(n) | CLOSED(n) |
//! |-|-|-|-|
//! | `try_acquire_many(k)` | k ≤ n: takes k, else `NoPermits` | `NoPermits` | `Closed` |
//! | first poll of an acquire of k | k ≤ n: takes k, else queues | queues last, meets a grant | an error |
//! | poll of the called | k ≤ n: takes k, else queues | queues first, then grants to the first ones | an error |
//! | poll of the queued | – | renews its waker, meets a grant | an error |
//! | poll of the granted | takes the grant | takes the grant | takes the grant |
//! | release of k, `add_permits(k)` | n + k | n + k, then grants to the first ones | n + k |
//! | `forget_permits(k)` | n − min(k, n) | 0 are forgotten | n − min(k, n) |
//! | drop of the queued | – | leaves, then grants to the first ones | leaves |
//! | drop of the granted | as a release | as a release | as a release |
//!
//! An acquire of 0 does not queue.
//!
//! # Eventual
//!
//! The flag RESERVED is clear then, and permits in the word are for the first that comes,
//! also while waits are queued. A release adds its permits and *calls* as many of the
//! first waits as what is free suffices for: each leaves the queue, is woken, and tries
//! like any other; one that finds too few queues again, as the first. After
//! `PATIENCE` times in vain RESERVED is set, so that the semaphore is
//! in order until the first in the queue has been granted its own.
//!
//! # Invariants
//!
//! - **COUNTED**: a permit is counted in the state word, or in one
//!   [`SemaphorePermit`], or in the tag of one node in the ring of grants. It
//!   moves from one to another by a single atomic step or under the inner lock.
//! - **WAITING**: the flag is set exactly when the queue is not empty.
//! - **RESERVED**: the flag is set only with WAITING, and always with it in a semaphore
//!   that keeps the order. Then the permits in the word do not suffice for the first in
//!   the queue, or a thread is about to grant, and the word changes only under the inner
//!   lock, so that no task passes the queue. While the flag is clear the word changes
//!   only by read-modify-writes.
//! - **CLOSED**: the flag is set once, and then the queue is empty for ever: a
//!   node that is queued nevertheless is on its way to be refused.
//!
//! # Permits granted and not polled
//!
//! A task that waits in two branches of a `select!`, and leaves the one that is granted
//! its permits, would wait for itself in the other. So a queued wait that is polled
//! meets an unclaimed grant, one of its own task if there is one, and
//! `Watch` counts. When a grant has been met often enough its wait
//! is called, and its permits are granted anew: to the wait that has met it, which moves
//! to the front, if both are of one task; else to the first in the queue.
//!
//! # Memory ordering
//!
//! A release writes the word with Release and an acquire reads it with Acquire.
//! All changes of the word are read-modify-writes, or stores under the inner
//! lock with Release after a load with Acquire, so a later change passes on what
//! an earlier one released. A grant is made and taken under the inner lock. An
//! acquire that queues and a release meet in the word: whichever comes second
//! sees the first, so no fence is needed.

use core::fmt;
use core::pin::Pin;

#[cfg(feature = "alloc")]
use alloc::sync::Arc;

use crate::fairness::{Fairness, Queue};
use crate::io::{Bare, Io};
use crate::limit::out_of_range;
#[cfg(feature = "alloc")]
use crate::owner::Projected;
use crate::primitive::{AtomicUsize, Ordering, const_fn};
use crate::wait_list::{IDLE, Locked, Ring, TAG_MAX, TicketOf, VERDICT, WaitList, has_list};

mod acquire;
mod error;
#[cfg(all(test, anysync_loom))]
mod loom_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
mod permit;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod task_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;
mod wait;
mod word;

use wait::Won;
use word::Changed;

#[cfg(feature = "alloc")]
pub use acquire::AcquireOwned;
pub use acquire::{Acquire, Waiter};
pub use error::{AcquireError, AddPermitsError, TryAcquireError};
#[cfg(feature = "alloc")]
pub use permit::OwnedSemaphorePermit;
pub use permit::SemaphorePermit;

// The state word: three flags and the number of free permits.
const CLOSED: usize = 1;
const WAITING: usize = 2;
/// Free permits are for the waits in the queue.
const RESERVED: usize = 4;
const SHIFT: u32 = 3;

/// The queue's ring, and the ring of grants that no task has fetched yet.
const QUEUE: usize = 0;
const GRANTS: usize = 1;

// The verdicts on a node, whose tag is the number of permits that it waits for.
/// The semaphore was closed while it was queued.
const REFUSED: usize = VERDICT;
/// The outcome has been handed out.
const TAKEN: usize = VERDICT + 1;

/// Permits, of which a number is free and the others are held. A task that wants more
/// than are free waits.
///
/// It bounds how many do something at once: so many connections, requests, open
/// files. What is acquired goes back when the [`SemaphorePermit`] is dropped.
///
/// ```
/// use anysync::{Io, Semaphore};
///
/// /// At most eight downloads at a time, however many ask.
/// static DOWNLOADS: Semaphore = Semaphore::new(8);
///
/// async fn download(io: impl Io, url: &str) {
///     let _permit = DOWNLOADS.acquire(io).await.expect("never closed");
///     // ..
/// }
/// ```
///
/// Permits need not go back to where they came from: with
/// [`forget`](SemaphorePermit::forget) on one side and
/// [`add_permits`](Semaphore::add_permits) on the other they count something
/// that is produced here and consumed there, or the tokens of a rate limit.
///
/// # Fairness
///
/// First in, first out, also for many: a request at the head of the queue is
/// not overtaken by a smaller one, and permits that come back add up until it
/// has enough. While a wait is queued all that is free is for the queue, and
/// [`try_acquire`](Semaphore::try_acquire) gets nothing. Made
/// [`Eventual`](Fairness::Eventual), it serves whichever task comes first.
///
/// # Waits that are not polled
///
/// Permits that have been granted to a wait which its task does not poll any more do
/// not stay there for ever: another wait of the same task has them at its third poll
/// (what is too many goes back; what is too few adds up at the head of the queue), and
/// else they go to the first in the queue when other waits have been polled 8,192 times
/// beside them. The wait that was passed over is the first in the queue as soon as it
/// is polled. How a task is known, and which waits wake themselves, is told at
/// [`Mutex`](crate::Mutex#waits-that-are-not-polled). Each poll looks through 64
/// grants for one of its own task, and the next poll through the next 64.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. Queued, it leaves the queue, and those
/// behind it that it alone held up are granted theirs; granted, its permits go
/// to the next.
///
/// # Memory ordering
///
/// What was done before permits were released or added is visible to the task that
/// acquires them.
///
/// # Size
///
/// On a 64-bit target at most 72 bytes; an acquire at most 48, or 56 where it owns
/// a share; a permit 16, or 24.
pub struct Semaphore {
    state: AtomicUsize,
    list: WaitList<Queue, [Ring; 2]>,
    /// Also for callers that have not locked the list.
    is_eventual: bool,
}

has_list!([] Semaphore, list: WaitList<Queue, [Ring; 2]>);

type List<'a> = Locked<'a, Queue, [Ring; 2]>;
type Ticket<'a> = TicketOf<'a, Semaphore>;
type LockedTicket<'a> = crate::wait_list::LockedTicket<'a, Queue, [Ring; 2]>;
type Outcome<'a> = Result<SemaphorePermit<'a>, AcquireError>;

impl Semaphore {
    /// The largest number of permits that can be free, held in one
    /// [`SemaphorePermit`] or acquired at once: `usize::MAX / 8`.
    ///
    /// Permits that are released above it (which takes
    /// [`add_permits`](Semaphore::add_permits) while about as many are held) are
    /// lost.
    pub const MAX_PERMITS: usize = TAG_MAX;

    const_fn! {
        /// A semaphore with `permits` free permits.
        ///
        /// ```
        /// use anysync::Semaphore;
        ///
        /// static SLOTS: Semaphore = Semaphore::new(3);
        /// assert_eq!(SLOTS.available_permits(), 3);
        /// ```
        ///
        /// # Panics
        ///
        /// With more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS); in a constant
        /// this is an error of the compiler.
        pub const fn new(permits: usize) -> Self {
            Self::with_fairness(permits, Fairness::Fifo)
        }
    }

    const_fn! {
        /// A semaphore with `permits` free permits, and the given fairness.
        ///
        /// ```
        /// use anysync::{Fairness, Semaphore};
        ///
        /// static SLOTS: Semaphore = Semaphore::with_fairness(3, Fairness::Eventual);
        /// assert_eq!(SLOTS.fairness(), Fairness::Eventual);
        /// ```
        ///
        /// # Panics
        ///
        /// With more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS); in a constant
        /// this is an error of the compiler.
        pub const fn with_fairness(permits: usize, fairness: Fairness) -> Self {
            if permits > Self::MAX_PERMITS {
                out_of_range("a number of permits", permits, 0, Self::MAX_PERMITS);
            }
            Self {
                state: AtomicUsize::new(permits << SHIFT),
                list: WaitList::new(
                    [Ring::new(), Ring::new()],
                    Queue::new(fairness),
                ),
                is_eventual: matches!(fairness, Fairness::Eventual),
            }
        }
    }

    /// Whether permits are acquired in order.
    pub fn fairness(&self) -> Fairness {
        self.list.lock().fairness()
    }

    /// How many permits could be acquired without waiting, at this moment: none
    /// while a wait is queued, since all that are free are promised then (unless it is
    /// [`Eventual`](Fairness::Eventual)). A closed semaphore still counts them.
    #[inline]
    pub fn available_permits(&self) -> usize {
        let state = self.state.load(Ordering::Relaxed);
        if is_reserved(state) {
            0
        } else {
            state >> SHIFT
        }
    }

    /// How many waits are queued, at this moment. A wait that has been granted
    /// its permits is not queued any more.
    ///
    /// Counts them one by one under the inner lock: for tests and diagnostics.
    pub fn waiter_count(&self) -> usize {
        self.list.lock().count(QUEUE)
    }

    /// Adds `n` permits that no task has held, and grants what the first in the
    /// queue wait for.
    ///
    /// ```
    /// let semaphore = anysync::Semaphore::new(0);
    /// semaphore.add_permits(5);
    /// assert_eq!(semaphore.available_permits(), 5);
    /// ```
    ///
    /// # Panics
    ///
    /// If there would be more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS) free
    /// ones; nothing has changed then. Passes on the panic of a waker, after all
    /// the others have been woken.
    #[inline]
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        if let Err(error) = self.try_add_permits(n) {
            panic!("{error}");
        }
    }

    /// Like [`add_permits`](Semaphore::add_permits), with an error in place of
    /// the panic.
    ///
    /// ```
    /// use anysync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    /// assert_eq!(semaphore.try_add_permits(5).unwrap_err().permits(), 5);
    /// assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    /// ```
    pub fn try_add_permits(&self, n: usize) -> Result<(), AddPermitsError> {
        let fits = |free| n <= Self::MAX_PERMITS - free;
        if self.put(|state| fits(state >> SHIFT).then(|| state + (n << SHIFT))) {
            Ok(())
        } else {
            Err(AddPermitsError { permits: n })
        }
    }

    /// Takes up to `n` of the [available](Semaphore::available_permits) permits
    /// away for good, and returns how many. While a task waits that is none.
    ///
    /// To take away held ones too, acquire and
    /// [`forget`](SemaphorePermit::forget) them.
    ///
    /// ```
    /// let semaphore = anysync::Semaphore::new(5);
    /// assert_eq!(semaphore.forget_permits(3), 3);
    /// assert_eq!(semaphore.forget_permits(3), 2);
    /// ```
    pub fn forget_permits(&self, n: usize) -> usize {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let forgotten = n.min(state >> SHIFT);
            if is_reserved(state) || forgotten == 0 {
                return 0;
            }
            match self.state.compare_exchange_weak(
                state,
                state - (forgotten << SHIFT),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return forgotten,
                Err(actual) => state = actual,
            }
        }
    }

    /// Waits for a permit; `io` is the executor that it runs on.
    ///
    /// The wait has a place in the queue from its first poll on. If a permit is
    /// free, that poll takes it by one atomic read-modify-write.
    ///
    /// ```
    /// use anysync::{Bare, Block, Io, Semaphore};
    ///
    /// async fn work(io: impl Io, slots: &Semaphore) -> bool {
    ///     match slots.acquire(io).await {
    ///         Ok(_permit) => true,
    ///         Err(_closed) => false,
    ///     }
    /// }
    ///
    /// let slots = Semaphore::new(1);
    /// assert!(Bare.block_on(work(Bare, &slots)));
    /// slots.close();
    /// assert!(!Bare.block_on(work(Bare, &slots)));
    /// ```
    ///
    /// # Errors
    ///
    /// If the semaphore is closed before the wait is granted its permit.
    ///
    /// # Fairness
    ///
    /// First in, first out, also for many; see [`Semaphore`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time; a permit that it had
    /// been granted goes to the next. To wait again is to queue again, as the
    /// last.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was released with the permit.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has finished.
    #[inline]
    pub fn acquire<I: Io>(&self, io: I) -> Acquire<'_, I> {
        Acquire::new(self, 1, io)
    }

    /// Waits for `n` permits, which come all at once. With 0 it does not wait,
    /// and fails only if the semaphore is closed.
    ///
    /// ```
    /// use anysync::{Bare, Block, Semaphore};
    ///
    /// let semaphore = Semaphore::new(3);
    /// let permits = Bare.block_on(semaphore.acquire_many(Bare, 3)).unwrap();
    /// assert_eq!(permits.num_permits(), 3);
    /// ```
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Fairness
    ///
    /// First in, first out: at the head of the queue it is not overtaken by
    /// smaller requests.
    ///
    /// # Cancel safety
    ///
    /// As [`acquire`](Semaphore::acquire); what had added up for it goes to the
    /// next at once.
    ///
    /// # Memory ordering
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Panics
    ///
    /// If `n` is above [`MAX_PERMITS`](Semaphore::MAX_PERMITS), as there never
    /// are so many; and when the future is polled after it has finished.
    #[inline]
    #[track_caller]
    pub fn acquire_many<I: Io>(&self, io: I, n: usize) -> Acquire<'_, I> {
        Acquire::new(self, attainable(n), io)
    }

    /// Waits for a permit on any executor: [`acquire`](Semaphore::acquire) with
    /// [`Bare`].
    #[inline]
    pub fn acquire_future(&self) -> Acquire<'_> {
        self.acquire(Bare)
    }

    /// Waits for `n` permits on any executor:
    /// [`acquire_many`](Semaphore::acquire_many) with [`Bare`].
    #[inline]
    #[track_caller]
    pub fn acquire_many_future(&self, n: usize) -> Acquire<'_> {
        self.acquire_many(Bare, n)
    }

    /// Takes a permit if one is free and no task waits.
    ///
    /// Never waits, never takes the inner lock, and never passes the queue.
    ///
    /// ```
    /// use anysync::{Semaphore, TryAcquireError};
    ///
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    /// drop(permit);
    /// assert!(semaphore.try_acquire().is_ok());
    /// ```
    #[inline]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits if they are free and no task waits. Otherwise as
    /// [`try_acquire`](Semaphore::try_acquire); 0 are had at any time before the
    /// semaphore is closed.
    #[inline]
    pub fn try_acquire_many(&self, n: usize) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_take(n)?;
        Ok(SemaphorePermit::new(self, n))
    }

    /// Waits without a future: returns the outcome if the permits are free or
    /// have been granted to `waiter`, or the semaphore is closed; else queues
    /// `waiter` and returns `None` at once. Its waker or callback is called when
    /// there is an outcome; call this again then.
    ///
    /// It is a poll, and may be called as often as you like: a waiter that is
    /// queued keeps its place. After it has returned something, the waiter may be
    /// used again.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{Semaphore, semaphore::Waiter};
    ///
    /// let semaphore = Semaphore::new(2);
    /// let one = semaphore.try_acquire().unwrap();
    /// let mut waiter = pin!(Waiter::new());
    /// assert!(semaphore.acquire_with(2, waiter.as_mut()).is_none());
    /// drop(one);
    /// assert!(waiter.is_ready());
    /// let two = semaphore.acquire_with(2, waiter.as_mut()).unwrap().unwrap();
    /// assert_eq!(two.num_permits(), 2);
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out, from the first call on; see [`Semaphore`]. A waiter
    /// with a waker or callback counts as of one task with any other that has the
    /// same.
    ///
    /// # Cancel safety
    ///
    /// Dropped or [`reset`](Waiter::reset), the waiter leaves the queue, or
    /// passes on the permits that it has been granted.
    ///
    /// # Memory ordering
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Panics
    ///
    /// If the waiter waits on another `Semaphore` or for another number of
    /// permits, or if `n` is above [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    pub fn acquire_with<'a>(
        &'a self,
        n: usize,
        waiter: Pin<&mut Waiter<'a>>,
    ) -> Option<Result<SemaphorePermit<'a>, AcquireError>> {
        let mut entry = waiter.project().entry;
        let won = if entry.status() == IDLE {
            entry.as_mut().bind(self);
            let (_, mut ticket, waker) = entry.as_mut().parts_with_waker();
            ticket.set(IDLE, attainable(n));
            match self.try_take(n) {
                Ok(()) => Some(Won::Permits),
                Err(_) => self.queue_with(ticket, waker),
            }
        } else {
            assert!(
                entry.is_bound_to(self),
                "this `Waiter` waits on another `Semaphore`: reset it first"
            );
            let (_, ticket, waker) = entry.as_mut().parts_with_waker();
            let waits_for = ticket.tag();
            assert!(
                waits_for == n,
                "this `Waiter` waits for {waits_for} permits, not for {n}: reset it first"
            );
            self.look(ticket, waker)
        };
        let outcome = won?.outcome(self, n);
        entry.parts().1.set(IDLE, 0);
        Some(outcome)
    }

    /// [`acquire`](Semaphore::acquire) with a future and a permit that own a
    /// share of the semaphore, and so may be spawned or stored.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Bare, Block, Semaphore};
    ///
    /// let slots = Arc::new(Semaphore::new(4));
    /// let permit = Bare.block_on(slots.clone().acquire_owned(Bare)).unwrap();
    /// std::thread::spawn(move || {
    ///     // .. work ..
    ///     drop(permit);
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Fairness
    ///
    /// First in, first out, also for many.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue or passes on what it was granted.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was released with the permits.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has finished.
    #[cfg(feature = "alloc")]
    #[inline]
    #[doc(alias("acquire_arc"))]
    pub fn acquire_owned<I: Io>(self: Arc<Self>, io: I) -> AcquireOwned<Self, I> {
        AcquireOwned::new(Projected::whole(self), 1, io)
    }

    /// [`acquire_many`](Semaphore::acquire_many) with a future and a permit that
    /// own a share of the semaphore.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Bare, Block, Semaphore};
    ///
    /// let slots = Arc::new(Semaphore::new(4));
    /// let all = Bare.block_on(slots.clone().acquire_many_owned(Bare, 4)).unwrap();
    /// drop(slots); // kept alive by the permit
    /// assert_eq!(all.semaphore().available_permits(), 0);
    /// ```
    ///
    /// # Errors
    ///
    /// As [`acquire_many`](Semaphore::acquire_many).
    ///
    /// # Fairness
    ///
    /// First in, first out, also for many.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue or passes on what it was granted.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was released with the permits.
    ///
    /// # Panics
    ///
    /// If `n` is above [`MAX_PERMITS`](Semaphore::MAX_PERMITS), and when the future
    /// is polled after it has finished.
    #[cfg(feature = "alloc")]
    #[inline]
    #[track_caller]
    pub fn acquire_many_owned<I: Io>(self: Arc<Self>, io: I, n: usize) -> AcquireOwned<Self, I> {
        AcquireOwned::new(Projected::whole(self), attainable(n), io)
    }

    /// Waits for `n` permits of a semaphore somewhere inside of `owner`, with a
    /// future and a permit that own a share of it.
    ///
    /// `project` finds the semaphore.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Io, OwnedSemaphorePermit, Semaphore};
    ///
    /// struct Server {
    ///     connections: Semaphore,
    /// }
    ///
    /// async fn accept(io: impl Io, server: Arc<Server>) -> OwnedSemaphorePermit<Server> {
    ///     Semaphore::acquire_owned_by(server, |server| &server.connections, io, 1)
    ///         .await
    ///         .expect("never closed")
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`acquire_many`](Semaphore::acquire_many).
    ///
    /// # Fairness
    ///
    /// First in, first out, also for many.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue or passes on what it was granted.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was released with the permits.
    ///
    /// # Panics
    ///
    /// If `n` is above [`MAX_PERMITS`](Semaphore::MAX_PERMITS), and when the future
    /// is polled after it has finished.
    #[cfg(feature = "alloc")]
    #[track_caller]
    pub fn acquire_owned_by<O: ?Sized, I: Io>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a Semaphore,
        io: I,
        n: usize,
    ) -> AcquireOwned<O, I> {
        AcquireOwned::new(Projected::new(owner, project), attainable(n), io)
    }

    /// [`try_acquire`](Semaphore::try_acquire) with a permit that owns a share of
    /// the semaphore.
    #[cfg(feature = "alloc")]
    #[inline]
    #[doc(alias("try_acquire_arc"))]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// [`try_acquire_many`](Semaphore::try_acquire_many) with a permit that owns
    /// a share of the semaphore.
    #[cfg(feature = "alloc")]
    #[inline]
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: usize,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        Self::try_acquire_owned_by(self, |semaphore| semaphore, n)
    }

    /// [`try_acquire_many`](Semaphore::try_acquire_many) with a permit that owns
    /// a share of what the semaphore lies in; see
    /// [`acquire_owned_by`](Semaphore::acquire_owned_by).
    #[cfg(feature = "alloc")]
    pub fn try_acquire_owned_by<O: ?Sized>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a Semaphore,
        n: usize,
    ) -> Result<OwnedSemaphorePermit<O>, TryAcquireError> {
        let semaphore = Projected::new(owner, project);
        semaphore.try_take(n)?;
        Ok(OwnedSemaphorePermit::new(semaphore, n))
    }

    /// Closes the semaphore for good: all that wait are woken with an error, and
    /// so is every acquire from now on. Permits that are held, or granted and not
    /// fetched yet, stay valid, and go back as before.
    ///
    /// ```
    /// use anysync::{Bare, Block, Semaphore};
    ///
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.try_acquire().unwrap();
    /// semaphore.close();
    /// drop(permit);
    /// assert!(semaphore.is_closed());
    /// assert!(Bare.block_on(semaphore.acquire_future()).is_err());
    /// ```
    ///
    /// # Panics
    ///
    /// Passes on the panic of a waker, after all the others have been woken.
    pub fn close(&self) {
        let list = self.list.lock();
        let closed = |state| (state | CLOSED) & !(WAITING | RESERVED);
        if let Changed::Waiting(state) = self.change(|state| Some(closed(state))) {
            self.state.store(state, Ordering::Release);
        }
        list.settle_all(QUEUE, REFUSED);
    }

    /// Whether [`close`](Semaphore::close) has been called.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.state.load(Ordering::Acquire) & CLOSED != 0
    }
}

/// Whether what is free is for the waits in the queue.
#[inline]
const fn is_reserved(state: usize) -> bool {
    state & RESERVED != 0
}

/// `n`, if a semaphore can have so many permits.
#[inline]
#[track_caller]
fn attainable(n: usize) -> usize {
    assert!(
        n <= Semaphore::MAX_PERMITS,
        "{n} permits cannot be acquired at once: a semaphore has at most {}",
        Semaphore::MAX_PERMITS
    );
    n
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available_permits", &self.available_permits())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

//! [`Mutex`]: one task at a time has the value; whoever waits is served in
//! order.
//!
//! Its guard may be held across an `.await`. An unlock with somebody waiting
//! does not free the lock: it hands it to the first in the queue, so that nobody
//! who comes later can be quicker.
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
//!          nobody is queued
//! ```
//!
//! SEATED: the lock is handed to a wait whose task has not been polled since.
//!
//! | | FREE | HELD | HELD, n queued | SEATED, n ≥ 0 queued |
//! |-|-|-|-|-|
//! | `try_lock` | locks | `None` | `None` | `None` |
//! | first poll | locks | queues | queues last | takes the lock from a seated wait of its own task, else queues last |
//! | poll of the queued | – | – | renews its waker | the same, or takes the lock from a seated wait of its own task |
//! | poll of the seated | – | – | – | claims the lock: HELD |
//! | unlock | – | FREE | seats the first, wakes it | – |
//! | drop of the queued | – | – | leaves the queue | leaves the queue |
//! | drop of the seated | – | – | – | as an unlock |
//!
//! # Invariants
//!
//! - **HELD**: at most one [`MutexGuard`] exists, and the value is reached
//!   through it alone (or through `&mut Mutex`, or by value). Who makes one has
//!   changed the word from FREE, has taken its own node from the seat, or has
//!   unseated another; and none of the three can happen before the guard from
//!   the time before has ended in `unlock`.
//! - **COUNTED**: the number in the word above the flags is the length of the
//!   ring; it changes under the inner lock only, and is 0 unless LOCKED is set.
//! - **HANDED**: the seat is taken only while LOCKED is set and no guard exists.
//!
//! # A lock granted and not polled
//!
//! A task that waits in two branches of a `select!`, and leaves the one that the
//! lock is handed to, would wait for itself for ever in the other. So a wait
//! that is polled while the seat is taken compares wakers: if the seated wait is
//! of the same task, the lock changes over to the one that is polled, and the
//! other is the first in the queue again. The seated wait has been woken, so it
//! is owed no other wake-up, and if it was taken for one of that task by mistake
//! (the waker that it had is gone, and another one is at its address) it has
//! lost its turn to one other, and nothing else: its next poll gives it the right
//! waker back.
//!
//! # Memory ordering
//!
//! A lock is passed on in one of three ways, each a Release and an Acquire that
//! reads it: the word (unlock stores FREE with Release, who sets LOCKED reads it
//! with Acquire), the seat (stored with Release, left with Acquire), or the seat
//! that another wait takes over (swapped with Acquire). The count carries no
//! data: by COUNTED the inner lock orders its changes, so they are Relaxed. They
//! are read-modify-writes, or the word's owner's stores, so none is lost. An
//! unlock that expects the word to be LOCKED and nothing else finds a waiter that
//! has joined, since both change the same word; no fence is needed.

use core::fmt;
use core::future::Future;
use core::mem;
use core::panic::UnwindSafe;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::callback::waker_of;
use crate::io::{Bare, Io};
use crate::primitive::{AtomicUsize, Ordering, TrackedCell, const_fn};
use crate::wait_list::{
    Bound, Entry, IDLE, QUEUED, Ring, SEATED, Seat, Ticket, VERDICT, WaitList, has_list,
};
use crate::wake_batch::{discard, wake};

mod guard;
#[cfg(all(test, anysync_loom))]
mod loom_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

pub use guard::MutexGuard;

// The state word: a flag, room for one more (how fair the lock is), and the
// number of queued waits, which cannot overflow: each takes more than four
// bytes of memory.
const FREE: usize = 0;
const LOCKED: usize = 1;
const WAITER: usize = 1 << 2;

/// The verdict on a node whose guard has been handed out.
const TAKEN: usize = VERDICT;

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
/// First in, first out: the lock is handed from the one that unlocks to the
/// first in the queue. Nobody passes the queue, [`try_lock`](Mutex::try_lock)
/// included. There is one exception, so that a task does not wait for itself:
/// when the lock has been handed to a wait that its task does not poll, and the
/// task polls another wait on the same `Mutex`, that one gets it, and the
/// former is the first in the queue. Two waits are of one task if
/// [`Waker::will_wake`] says so of the wakers that they were polled with, which
/// it cannot where a combinator hands out wakers of its own for each of them
/// (`FuturesUnordered` does; `select!` and `join!` do not). A waker is known by
/// its address, so one that has been freed may be taken for another.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. Queued, it leaves the queue; a lock that
/// it had been handed goes on to the next.
///
/// # Memory ordering
///
/// What one holder did before it unlocked is visible to the next.
pub struct Mutex<T: ?Sized> {
    state: AtomicUsize,
    list: WaitList<()>,
    seat: Seat,
    value: TrackedCell<T>,
}

has_list!([T: ?Sized] Mutex<T>, list: WaitList<(), [Ring; 1]>);

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
            Self {
                state: AtomicUsize::new(FREE),
                list: WaitList::new([Ring::new()], ()),
                seat: Seat::new(),
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
    /// First in, first out, by hand-over; see [`Mutex`].
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
        Lock {
            entry: Entry::new(self, 0),
            io,
        }
    }

    /// Waits for the lock on any executor: [`lock`](Mutex::lock) with [`Bare`].
    #[inline]
    pub fn lock_future(&self) -> Lock<'_, T> {
        self.lock(Bare)
    }

    /// Takes the lock if it is free: neither held nor handed to somebody.
    ///
    /// Never waits, never takes the inner lock, and never passes the queue.
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
        // Looked at first: an attempt that fails takes the cache line as well.
        let won = self.state.load(Ordering::Relaxed) == FREE
            && self
                .state
                .compare_exchange(FREE, LOCKED, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        won.then(|| self.guard())
    }

    /// Waits without a future: returns the guard if the lock is free or has been
    /// handed to `waiter`, else queues `waiter` and returns `None` at once. Its
    /// waker or callback is called when the lock has been handed to it; call
    /// this again then.
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
        let mut entry = waiter.project().entry;
        if entry.status() == IDLE {
            self.try_lock().or_else(|| {
                entry.as_mut().bind(self);
                self.queue(&mut entry.parts().1)
            })
        } else {
            assert!(
                entry.is_bound_to(self),
                "this `Waiter` waits for another `Mutex`: reset it first"
            );
            let (_, mut ticket) = entry.parts();
            self.claim(&mut ticket).or_else(|| self.look(&mut ticket))
        }
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

    /// Whether somebody holds the lock or has been handed it, at this moment.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.state.load(Ordering::Relaxed) & LOCKED != 0
    }

    /// How many waits are queued, at this moment. A wait that has been handed
    /// the lock is not queued any more.
    #[inline]
    pub fn waiter_count(&self) -> usize {
        self.state.load(Ordering::Relaxed) / WAITER
    }

    /// A guard for who has the lock: one of the three cases of invariant HELD.
    #[inline]
    fn guard(&self) -> MutexGuard<'_, T> {
        MutexGuard::new(self)
    }

    /// The end of a guard.
    #[inline]
    fn unlock(&self) {
        if self
            .state
            .compare_exchange(LOCKED, FREE, Ordering::Release, Ordering::Relaxed)
            .is_err()
        {
            self.hand_over();
        }
    }

    /// An unlock with somebody waiting, or who was a moment ago.
    #[cold]
    fn hand_over(&self) {
        let mut list = self.list.lock();
        if list.is_empty(0) {
            // Nobody else changes a word that is LOCKED but who queues, for
            // which they need the inner lock.
            self.state.store(FREE, Ordering::Release);
            return;
        }
        // Counted out first: who is seated may unlock at once.
        self.state.fetch_sub(WAITER, Ordering::Relaxed);
        let waker = list.seat_front(0, &self.seat);
        drop(list);
        wake(waker.flatten());
    }

    // What follows is the machine of a single wait. It is the same for a future
    // and for a `Waiter`, and for any owner that leads to this lock. A lock that
    // is won is a guard from that moment on, so that foreign code which panics
    // (a waker, an `Io`) loses nothing.

    /// A poll: the lock, or a place in the queue with the newest waker.
    #[inline]
    fn poll_won(&self, ticket: &mut Ticket<'_, ()>, waker: &Waker) -> Option<MutexGuard<'_, T>> {
        match ticket.status() {
            IDLE => self.try_lock().or_else(|| self.first_poll(ticket, waker)),
            TAKEN => panic!("a wait for a `Mutex` was polled after it had finished"),
            _ => self.claim(ticket).or_else(|| self.renew(ticket, waker)),
        }
    }

    /// Takes the lock that was handed to this wait, without the inner lock.
    #[inline]
    fn claim(&self, ticket: &mut Ticket<'_, ()>) -> Option<MutexGuard<'_, T>> {
        ticket.claim(&self.seat).then(|| self.guard())
    }

    #[cold]
    fn first_poll(&self, ticket: &mut Ticket<'_, ()>, waker: &Waker) -> Option<MutexGuard<'_, T>> {
        // Cloned before the lock is taken: it is foreign code.
        discard(ticket.replace_waker(Some(waker.clone())));
        let won = self.queue(ticket);
        if won.is_some() {
            discard(ticket.replace_waker(None));
        }
        won
    }

    /// Queues an idle wait, unless it can have the lock.
    fn queue(&self, ticket: &mut Ticket<'_, ()>) -> Option<MutexGuard<'_, T>> {
        let mut locked = ticket.lock();
        let won = self.join() || {
            locked.push_back(0, 0);
            locked.unseat(0, &self.seat)
        };
        won.then(|| self.guard())
    }

    /// Locks (`true`) or counts one more waiter. The caller has the inner lock.
    fn join(&self) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let free = state & LOCKED == 0;
            let next = if free { state | LOCKED } else { state + WAITER };
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return free,
                Err(actual) => state = actual,
            }
        }
    }

    /// Whether a queued wait can have the lock after all. The count stays: by
    /// `unseat` one wait leaves the queue and one joins it.
    #[cold]
    fn look(&self, ticket: &mut Ticket<'_, ()>) -> Option<MutexGuard<'_, T>> {
        let mut locked = ticket.lock();
        let won = locked.claim(&self.seat) || locked.unseat(0, &self.seat);
        won.then(|| self.guard())
    }

    /// [`look`](Self::look), with `waker` as the one that says of which task the
    /// wait is, and that will be woken.
    #[cold]
    fn renew(&self, ticket: &mut Ticket<'_, ()>, waker: &Waker) -> Option<MutexGuard<'_, T>> {
        let mut spare = None;
        let won = loop {
            let mut locked = ticket.lock();
            if locked.claim(&self.seat) {
                break Some(self.guard());
            }
            if !locked.will_wake(waker) {
                if spare.is_none() {
                    drop(locked);
                    spare = Some(waker.clone());
                    continue;
                }
                spare = locked.replace_waker(spare);
            }
            break locked.unseat(0, &self.seat).then(|| self.guard());
        };
        discard(spare);
        won
    }

    /// Leaves a lock that is won in the seat: the budget is spent, and `waker`
    /// will be woken to come back for it.
    #[cold]
    fn keep(guard: MutexGuard<'_, T>, ticket: &mut Ticket<'_, ()>, waker: &Waker) {
        let mutex = MutexGuard::mutex(&guard);
        mem::forget(guard);
        ticket.lock().sit(&mutex.seat, waker);
    }

    /// Takes a wait out of the queue, or passes on the lock that it was handed.
    #[inline]
    fn abandon(&self, ticket: &mut Ticket<'_, ()>) {
        if matches!(ticket.status(), QUEUED | SEATED) {
            self.abandon_place(ticket);
        }
    }

    #[cold]
    fn abandon_place(&self, ticket: &mut Ticket<'_, ()>) {
        let mut locked = ticket.lock();
        if locked.claim(&self.seat) {
            drop(locked);
            self.unlock();
        } else {
            let waker = locked.remove();
            self.state.fetch_sub(WAITER, Ordering::Relaxed);
            drop(locked);
            discard(waker);
        }
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

pin_project! {
    /// The future of [`Mutex::lock`] and [`Mutex::lock_future`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Lock<'a, T: ?Sized, I = Bare> {
        #[pin]
        entry: Entry<&'a Mutex<T>>,
        io: I,
    }

    impl<'a, T: ?Sized, I> PinnedDrop for Lock<'a, T, I> {
        fn drop(this: Pin<&mut Self>) {
            let (mutex, mut ticket) = this.project().entry.parts();
            mutex.abandon(&mut ticket);
        }
    }
}

impl<'a, T: ?Sized, I: Io> Future for Lock<'a, T, I> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<MutexGuard<'a, T>> {
        let this = self.project();
        let mutex: &'a Mutex<T> = this.entry.owner();
        let (_, mut ticket) = this.entry.parts();
        let Some(guard) = mutex.poll_won(&mut ticket, cx.waker()) else {
            return Poll::Pending;
        };
        if this.io.poll_spend(cx).is_pending() {
            Mutex::keep(guard, &mut ticket, cx.waker());
            return Poll::Pending;
        }
        ticket.set(TAKEN, 0);
        Poll::Ready(guard)
    }
}

impl<T: ?Sized, I> fmt::Debug for Lock<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// A place in the queue of a [`Mutex`] for code that has no future: hand it
    /// to [`Mutex::lock_with`], pinned.
    ///
    /// It leaves the queue by itself when it is dropped; a lock that it has been
    /// handed and that nobody has fetched goes on to the next.
    pub struct Waiter<'a, T: ?Sized> {
        #[pin]
        entry: Entry<Bound<'a, Mutex<T>>>,
    }

    impl<'a, T: ?Sized> PinnedDrop for Waiter<'a, T> {
        fn drop(this: Pin<&mut Self>) {
            this.reset();
        }
    }
}

impl<'a, T: ?Sized> Waiter<'a, T> {
    const_fn! {
        /// A waiter that wakes nobody: ask it by [`is_ready`](Waiter::is_ready).
        pub const fn new() -> Self {
            Self { entry: Entry::new(Bound::unbound(), 0) }
        }
    }

    /// A waiter that wakes `waker` when the lock has been handed to it.
    pub fn with_waker(waker: Waker) -> Self {
        let mut waiter = Self::new();
        waiter.entry.init_waker(waker);
        waiter
    }

    /// A waiter that calls `callback(context)` when the lock has been handed to
    /// it, on the thread that unlocks, outside any inner lock.
    ///
    /// `callback` must be a function or a closure that captures nothing (this
    /// is checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use anysync::{Mutex, mutex::Waiter};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let mutex = Mutex::new(());
    /// let guard = mutex.try_lock();
    /// let mut waiter = pin!(Waiter::with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// assert!(mutex.lock_with(waiter.as_mut()).is_none());
    /// drop(guard);
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// assert!(mutex.lock_with(waiter.as_mut()).is_some());
    /// ```
    pub fn with_callback<C, F>(context: &'static C, callback: F) -> Self
    where
        C: Sync,
        F: Fn(&'static C) + Copy + Send + Sync + 'static,
    {
        Self::with_waker(waker_of(context, callback))
    }

    /// Wakes `waker` from now on, also while it is queued. If the lock has been
    /// handed to the waiter already, `waker` is woken at once.
    pub fn set_waker(self: Pin<&mut Self>, waker: Waker) {
        let mut entry = self.project().entry;
        entry.as_mut().renew_waker(waker.clone());
        if matches!(entry.status(), IDLE | QUEUED) {
            discard(Some(waker));
            return;
        }
        let (mutex, mut ticket) = entry.parts();
        let mut locked = ticket.lock();
        if locked.claim(&mutex.seat) {
            locked.sit(&mutex.seat, &waker);
            drop(locked);
            wake(Some(waker));
        } else {
            let outdated = locked.replace_waker(Some(waker));
            drop(locked);
            discard(outdated);
        }
    }

    /// Whether the lock has been handed to this waiter, so that
    /// [`Mutex::lock_with`] will return the guard. Looks, and takes nothing.
    pub fn is_ready(&self) -> bool {
        self.entry.status() == SEATED
    }

    /// Makes it as new, but keeps its waker: leaves the queue, or passes on the
    /// lock that it has been handed.
    pub fn reset(self: Pin<&mut Self>) {
        let entry = self.project().entry;
        if let Some(mutex) = entry.owner().get() {
            mutex.abandon(&mut entry.parts().1);
        }
    }
}

impl<T: ?Sized> Default for Waiter<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: ?Sized> fmt::Debug for Waiter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

fn status_name(status: usize) -> &'static str {
    match status {
        IDLE => "idle",
        QUEUED => "queued",
        SEATED => "ready",
        _ => "finished",
    }
}

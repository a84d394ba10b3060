//! [`Condvar`]: waits for a change of what a [`Mutex`] guards.
//!
//! A wait gives up the lock, is notified, and has the lock again when it ends.
//! Between the look at the value, which the lock guards, and the place in the
//! queue there is no gap for a notification to fall into.
//!
//! ```text
//!            first poll: queues,            notify_one, notify_all
//!            then unlocks
//!   IDLE ────────────────────► QUEUED ────────────────────► NOTIFIED
//!   holds the guard            the lock is free              │ poll
//!                                                            ▼
//!   TAKEN ◄──────────────────────────────────────────────── LOCKING
//!   the guard is handed out     has the lock                in the mutex's queue
//! ```
//!
//! | | IDLE | QUEUED | NOTIFIED | LOCKING |
//! |-|-|-|-|-|
//! | poll | queues, unlocks | renews its waker | waits for the lock | waits for the lock |
//! | `notify_one` | – | the first: NOTIFIED | – | – |
//! | `notify_all` | – | all: NOTIFIED | – | – |
//! | drop | unlocks | leaves | by `notify_one`: notifies the next | the same, and leaves the mutex's queue or unlocks |
//!
//! To the queue of the condition NOTIFIED and LOCKING are the same verdict; the
//! two differ in the [`Lock`] that a wait has inside.
//!
//! # Invariants
//!
//! - **COUNTED**: `waiters` is the length of the ring; it changes under the inner
//!   lock only.
//! - **CALLED**: the tag of a queued node is the number of `notify_all` calls
//!   when it queued. A node with another number than the present one has been
//!   moved aside by such a call, and is counted no more.
//!
//! # Memory ordering
//!
//! A thread that notifies looks at `waiters` first, without the inner lock. A wait is
//! counted before its guard is unlocked. So if it has seen the value as it was
//! before the change, the change came under the lock later, and a thread that notifies
//! after it sees the count: Relaxed suffices. A verdict is stored with Release and read
//! with Acquire.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use crate::callback::waker_of;
use crate::io::{Bare, Io};
use crate::mutex::{Lock, MutexGuard};
use crate::primitive::{AtomicUsize, Ordering, const_fn};
use crate::wait_list::{
    Bound, Entry, IDLE, QUEUED, Ring, TAG_MAX, TicketOf, VERDICT, WaitList, has_list,
};
use crate::wake_batch::{discard, wake};

#[cfg(doc)]
use crate::Mutex;

#[cfg(all(test, anysync_loom))]
mod loom_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

// The verdicts on a node.
const BY_ONE: usize = VERDICT;
const BY_ALL: usize = VERDICT + 1;
/// The notification has been handed out.
const TAKEN: usize = VERDICT + 2;

/// Waits until what a [`Mutex`] guards has changed.
///
/// A task that finds the value not as it needs it gives up the lock and waits;
/// the task that changes the value notifies. A notification is not kept: with no task
/// waiting it is lost, which is right, as one that comes later looks at the value
/// first. Another task may be quicker with the lock after a notification, and a
/// notification may be passed on (see below), so look again after each wait, or let
/// [`wait_while`](Condvar::wait_while) do it.
///
/// ```
/// use std::collections::VecDeque;
/// use anysync::{Bare, Block, Condvar, Io, Mutex};
///
/// #[derive(Default)]
/// struct Queue {
///     items: Mutex<VecDeque<u32>>,
///     pushed: Condvar,
/// }
///
/// impl Queue {
///     async fn push(&self, io: impl Io, item: u32) {
///         self.items.lock(io).await.push_back(item);
///         self.pushed.notify_one();
///     }
///
///     async fn pop(&self, io: impl Io) -> u32 {
///         let items = self.items.lock(&io).await;
///         let mut items = self
///             .pushed
///             .wait_while(&io, items, |items| items.is_empty())
///             .await;
///         items.pop_front().expect("it is not empty")
///     }
/// }
///
/// let queue = Queue::default();
/// Bare.block_on(async {
///     queue.push(Bare, 1).await;
///     assert_eq!(queue.pop(Bare).await, 1);
/// });
/// ```
///
/// # With which mutex
///
/// A condition knows no mutex: each wait locks the one again whose guard it was
/// given, and guards of several may wait at one condition. `notify_one` wakes the
/// first of them, whichever mutex it belongs to, so then `notify_all` is what is
/// meant.
///
/// # Fairness
///
/// `notify_one` notifies in the order in which the waits were first polled. Then
/// each waits for the lock, in the order of the [`Mutex`].
///
/// # Cancel safety
///
/// A wait may be dropped at any moment, and the mutex is not held afterwards.
/// Queued, it leaves the queue. If `notify_one` had chosen it and it does not
/// have the lock yet, the notification goes to the next in the queue, also to one
/// that has queued after the call; with no wait there it is lost, as it would have
/// been without this wait.
///
/// # Memory ordering
///
/// What is written before a notification is visible after the wait that it ends.
/// A notification reaches every wait that saw the value as it was before the
/// change, if the change was made under the lock; the notification itself may
/// come with or without the lock.
///
/// # Size
///
/// On a 64-bit target at most 32 bytes; a wait, which has the lock's inside, at most
/// 104, and 120 with a condition of 8.
pub struct Condvar {
    waiters: AtomicUsize,
    list: WaitList<Queue>,
}

/// What the inner lock guards.
pub(crate) struct Queue {
    calls: usize,
}

has_list!([] Condvar, list: WaitList<Queue, [Ring; 1]>);

type Ticket<'a> = TicketOf<'a, Condvar>;

impl Condvar {
    const_fn! {
        /// A condition for which no task waits.
        ///
        /// ```
        /// use anysync::{Condvar, Mutex};
        ///
        /// static READY: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
        /// assert_eq!(READY.1.waiter_count(), 0);
        /// ```
        pub const fn new() -> Self {
            Self {
                waiters: AtomicUsize::new(0),
                list: WaitList::new([Ring::new()], Queue { calls: 0 }),
            }
        }
    }

    /// Gives up the lock, waits for a notification, and locks again; `io` is the
    /// executor that it runs on.
    ///
    /// The guard is held until the first poll, which queues the wait and then
    /// unlocks: what is notified after that reaches it. What was changed before,
    /// under the lock, was there to be seen.
    ///
    /// ```
    /// use anysync::{Bare, Block, Condvar, Io, Mutex};
    ///
    /// async fn until_ready(io: impl Io, ready: &Mutex<bool>, changed: &Condvar) {
    ///     let mut guard = ready.lock(&io).await;
    ///     while !*guard {
    ///         guard = changed.wait(&io, guard).await;
    ///     }
    /// }
    ///
    /// let (ready, changed) = (Mutex::new(false), Condvar::new());
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| Bare.block_on(until_ready(Bare, &ready, &changed)));
    ///     *ready.blocking_lock() = true;
    ///     changed.notify_all();
    /// });
    /// ```
    ///
    /// With a deadline, `io.timeout(d, condvar.wait(&io, guard))`: when it has
    /// elapsed the lock is not held, so lock again to look at the value.
    ///
    /// # Fairness
    ///
    /// In the order of the first polls; see [`Condvar`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time, or passes on what
    /// `notify_one` had given to it. The lock is not held afterwards.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was released by the notification, and by the holder of the
    /// lock before it.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    #[inline]
    pub fn wait<'a, T: ?Sized, I: Io>(&'a self, io: I, guard: MutexGuard<'a, T>) -> Wait<'a, T, I> {
        Wait {
            entry: Entry::new(self, 0),
            lock: MutexGuard::mutex(&guard).lock(io),
            guard: Some(guard),
        }
    }

    /// Waits on any executor: [`wait`](Condvar::wait) with [`Bare`].
    #[inline]
    pub fn wait_future<'a, T: ?Sized>(&'a self, guard: MutexGuard<'a, T>) -> Wait<'a, T> {
        self.wait(Bare, guard)
    }

    /// Waits as long as `condition` is true of the value; returns at once, with
    /// the guard that it was given, if it is not.
    ///
    /// `condition` runs under the lock: before the first wait and after each
    /// notification. It may change the value.
    ///
    /// ```
    /// use anysync::{Bare, Block, Condvar, Mutex};
    ///
    /// let (permits, freed) = (Mutex::new(2), Condvar::new());
    /// Bare.block_on(async {
    ///     let guard = permits.lock_future().await;
    ///     let mut permits = freed.wait_while(Bare, guard, |permits| *permits == 0).await;
    ///     *permits -= 1;
    /// });
    /// assert_eq!(permits.into_inner(), 1);
    /// ```
    ///
    /// # Fairness
    ///
    /// As [`wait`](Condvar::wait); a wait that was notified in vain queues again,
    /// as the last.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Condvar::wait).
    ///
    /// # Memory ordering
    ///
    /// As [`wait`](Condvar::wait).
    ///
    /// # Panics
    ///
    /// Where `condition` does, with the lock still held by the future; and when
    /// the future is polled after it has returned the guard.
    #[inline]
    #[doc(alias("wait_until"))]
    pub fn wait_while<'a, T: ?Sized, I: Io, F: FnMut(&mut T) -> bool>(
        &'a self,
        io: I,
        guard: MutexGuard<'a, T>,
        condition: F,
    ) -> WaitWhile<'a, T, F, I> {
        WaitWhile {
            wait: self.wait(io, guard),
            condition,
            met: false,
            spent: false,
        }
    }

    /// Waits on any executor: [`wait_while`](Condvar::wait_while) with [`Bare`].
    #[inline]
    pub fn wait_while_future<'a, T: ?Sized, F: FnMut(&mut T) -> bool>(
        &'a self,
        guard: MutexGuard<'a, T>,
        condition: F,
    ) -> WaitWhile<'a, T, F> {
        self.wait_while(Bare, guard, condition)
    }

    /// Waits without a future: queues `waiter`, then unlocks, and returns at once.
    /// When it is notified, its waker or callback is called, and
    /// [`is_notified`](Waiter::is_notified) says so; then lock again.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{Condvar, Mutex, condvar::Waiter};
    ///
    /// let (ready, changed) = (Mutex::new(false), Condvar::new());
    /// let mut waiter = pin!(Waiter::new());
    /// let guard = ready.try_lock().unwrap();
    /// assert!(!*guard);
    /// changed.wait_with(guard, waiter.as_mut());
    ///
    /// *ready.try_lock().unwrap() = true;
    /// changed.notify_one();
    /// assert!(waiter.is_notified());
    /// assert!(*ready.try_lock().unwrap());
    /// ```
    ///
    /// # Fairness
    ///
    /// In the order of the calls; see [`Condvar`].
    ///
    /// # Cancel safety
    ///
    /// Dropped or [`reset`](Waiter::reset), the waiter leaves the queue, or passes
    /// on what `notify_one` had given to it and no task has seen.
    ///
    /// # Memory ordering
    ///
    /// `is_notified` acquires what was released by the notification.
    ///
    /// # Panics
    ///
    /// If the waiter is queued, or has a notification that no task has seen. The
    /// lock is free then.
    pub fn wait_with<'a, T: ?Sized>(
        &'a self,
        guard: MutexGuard<'_, T>,
        waiter: Pin<&mut Waiter<'a>>,
    ) {
        let mut entry = waiter.project().entry;
        assert!(
            matches!(entry.status(), IDLE | TAKEN),
            "this `Waiter` waits for a `Condvar`, or has been notified: reset it first"
        );
        entry.as_mut().bind(self);
        let (_, mut ticket) = entry.parts();
        ticket.set(IDLE, 0);
        self.queue(&mut ticket);
        drop(guard);
    }

    /// Notifies the wait that has queued for longest, if there is one.
    ///
    /// Never waits. With no task waiting this is one load.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the waker that it wakes.
    #[inline]
    pub fn notify_one(&self) {
        if self.waiter_count() != 0 {
            self.notify_first();
        }
    }

    #[cold]
    fn notify_first(&self) {
        let mut list = self.list.lock();
        let Some(waker) = list.pop_front(0, BY_ONE) else {
            return;
        };
        self.waiters.fetch_sub(1, Ordering::Relaxed);
        drop(list);
        wake(waker);
    }

    /// Notifies all waits that have queued, all at one moment: one that queues later,
    /// even from inside a waker that this wakes, is not among them.
    ///
    /// They are woken first to last, and then wait for the lock one after the
    /// other. Never waits. With no task waiting this is one load.
    ///
    /// ```
    /// use std::thread;
    /// use anysync::{Condvar, Mutex};
    ///
    /// let (go, changed) = (Mutex::new(false), Condvar::new());
    /// thread::scope(|scope| {
    ///     for _ in 0..3 {
    ///         scope.spawn(|| {
    ///             let guard = go.blocking_lock();
    ///             drop(anysync::io::block_on(changed.wait_while_future(guard, |go| !*go)));
    ///         });
    ///     }
    ///     *go.blocking_lock() = true;
    ///     changed.notify_all();
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// Passes on the panic of a waker, after all the others have been woken.
    #[inline]
    #[doc(alias("broadcast", "notify_waiters"))]
    pub fn notify_all(&self) {
        if self.waiter_count() != 0 {
            self.notify_each();
        }
    }

    #[cold]
    fn notify_each(&self) {
        let mut list = self.list.lock();
        list.calls = list.calls.wrapping_add(1) & TAG_MAX;
        self.waiters.store(0, Ordering::Relaxed);
        list.settle_all(0, BY_ALL);
    }

    /// How many waits are queued, at this moment. A wait that has been notified
    /// is not queued any more.
    #[inline]
    pub fn waiter_count(&self) -> usize {
        self.waiters.load(Ordering::Relaxed)
    }

    // What follows is the machine of a single wait, the same for a future and for
    // a `Waiter`.

    /// Queues an idle wait.
    fn queue(&self, ticket: &mut Ticket<'_>) {
        let mut locked = ticket.lock();
        let calls = locked.calls;
        locked.push_back(0, calls);
        self.waiters.fetch_add(1, Ordering::Relaxed);
    }

    /// A queued wait is polled again: whether it has been notified after all, else
    /// makes sure that `waker` is the one that will be woken.
    fn renew(ticket: &mut Ticket<'_>, waker: &Waker) -> bool {
        // A clone of the waker, made while the list was open; later the old one.
        let mut spare = None;
        let notified = loop {
            let mut locked = ticket.lock();
            if locked.status() != QUEUED {
                break true;
            }
            if locked.will_wake(waker) {
                break false;
            }
            if spare.is_some() {
                spare = locked.replace_waker(spare);
                break false;
            }
            drop(locked);
            spare = Some(waker.clone());
        };
        discard(spare);
        notified
    }

    /// Takes a wait out of the queue, or passes on its notification.
    fn abandon(&self, ticket: &mut Ticket<'_>) {
        if ticket.status() == QUEUED && self.unqueue(ticket) {
            return;
        }
        let verdict = ticket.status();
        // First, lest it be passed on again if a waker panics.
        ticket.set(IDLE, 0);
        if verdict == BY_ONE {
            self.notify_one();
        }
    }

    /// `false` if the wait is not queued any more.
    fn unqueue(&self, ticket: &mut Ticket<'_>) -> bool {
        let mut locked = ticket.lock();
        if locked.status() != QUEUED {
            return false;
        }
        // See CALLED.
        if locked.tag() == locked.calls {
            self.waiters.fetch_sub(1, Ordering::Relaxed);
        }
        let waker = locked.remove();
        drop(locked);
        discard(waker);
        true
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar")
            .field("waiter_count", &self.waiter_count())
            .finish()
    }
}

pin_project! {
    /// The future of [`Condvar::wait`] and [`Condvar::wait_future`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Wait<'a, T: ?Sized, I = Bare> {
        #[pin]
        entry: Entry<&'a Condvar>,
        #[pin]
        lock: Lock<'a, T, I>,
        // Until the first poll.
        guard: Option<MutexGuard<'a, T>>,
    }

    impl<'a, T: ?Sized, I> PinnedDrop for Wait<'a, T, I> {
        fn drop(this: Pin<&mut Self>) {
            // The lock's own wait and the guard end by themselves.
            let (condvar, mut ticket) = this.project().entry.parts();
            condvar.abandon(&mut ticket);
        }
    }
}

impl<'a, T: ?Sized, I> Wait<'a, T, I> {
    /// The guard, while this has it.
    #[inline]
    fn guard(self: Pin<&mut Self>) -> &mut Option<MutexGuard<'a, T>> {
        self.project().guard
    }

    /// Makes a wait that has finished, and returned `guard`, ready to wait again.
    fn restart(self: Pin<&mut Self>, guard: MutexGuard<'a, T>) {
        let this = self.project();
        *this.guard = Some(guard);
        this.entry.parts().1.set(IDLE, 0);
        this.lock.restart();
    }

    /// Ends a wait that still has its guard.
    fn finish(self: Pin<&mut Self>) {
        self.project().entry.parts().1.set(TAKEN, 0);
    }
}

impl<'a, T: ?Sized, I: Io> Future for Wait<'a, T, I> {
    type Output = MutexGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<MutexGuard<'a, T>> {
        let this = self.project();
        let (condvar, mut ticket) = this.entry.parts();
        match ticket.status() {
            IDLE => {
                ticket.give_waker(Some(cx.waker()));
                condvar.queue(&mut ticket);
                drop(this.guard.take());
                return Poll::Pending;
            }
            QUEUED if !Condvar::renew(&mut ticket, cx.waker()) => return Poll::Pending,
            TAKEN => panic!("a wait on a `Condvar` was polled after it had finished"),
            _ => {}
        }
        let guard = ready!(this.lock.poll(cx));
        ticket.set(TAKEN, 0);
        Poll::Ready(guard)
    }
}

impl<T: ?Sized, I> fmt::Debug for Wait<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`Condvar::wait_while`] and [`Condvar::wait_while_future`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct WaitWhile<'a, T: ?Sized, F, I = Bare> {
        #[pin]
        wait: Wait<'a, T, I>,
        condition: F,
        // The condition has said `false`, and is not asked again.
        met: bool,
        // The last wait for the lock has spent budget.
        spent: bool,
    }
}

impl<'a, T: ?Sized, F: FnMut(&mut T) -> bool, I: Io> Future for WaitWhile<'a, T, F, I> {
    type Output = MutexGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<MutexGuard<'a, T>> {
        let mut this = self.project();
        loop {
            if let Some(guard) = this.wait.as_mut().guard() {
                *this.met = *this.met || !(this.condition)(guard);
            }
            if *this.met {
                if !*this.spent {
                    ready!(this.wait.lock.io().poll_spend(cx));
                }
                if let Some(guard) = this.wait.as_mut().guard().take() {
                    this.wait.finish();
                    return Poll::Ready(guard);
                }
            }
            let guard = ready!(this.wait.as_mut().poll(cx));
            *this.spent = true;
            this.wait.as_mut().restart(guard);
        }
    }
}

impl<T: ?Sized, F, I> fmt::Debug for WaitWhile<'_, T, F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitWhile")
            .field("status", &status_name(self.wait.entry.status()))
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// A place in the queue of a [`Condvar`] for code that has no future: hand it
    /// to [`Condvar::wait_with`], pinned.
    ///
    /// It leaves the queue by itself when it is dropped. A notification counts
    /// as taken once [`is_notified`](Waiter::is_notified) has told of it; dropped
    /// before, it passes on what `notify_one` had given to it.
    pub struct Waiter<'a> {
        #[pin]
        entry: Entry<Bound<'a, Condvar>>,
    }

    impl<'a> PinnedDrop for Waiter<'a> {
        fn drop(this: Pin<&mut Self>) {
            this.reset();
        }
    }
}

impl<'a> Waiter<'a> {
    const_fn! {
        /// A waiter that wakes no task: ask it by
        /// [`is_notified`](Waiter::is_notified).
        pub const fn new() -> Self {
            Self { entry: Entry::new(Bound::unbound(), 0) }
        }
    }

    /// A waiter that wakes `waker` when it is notified.
    pub fn with_waker(waker: Waker) -> Self {
        let mut waiter = Self::new();
        waiter.entry.init_waker(waker);
        waiter
    }

    /// A waiter that calls `callback(context)` when it is notified, on the thread
    /// that notifies, outside any inner lock.
    ///
    /// `callback` must be a function or a closure that captures nothing (this
    /// is checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use anysync::{Condvar, Mutex, condvar::Waiter};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let (mutex, changed) = (Mutex::new(()), Condvar::new());
    /// let mut waiter = pin!(Waiter::with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// changed.wait_with(mutex.try_lock().unwrap(), waiter.as_mut());
    /// changed.notify_one();
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// ```
    pub fn with_callback<C, F>(context: &'static C, callback: F) -> Self
    where
        C: Sync,
        F: Fn(&'static C) + Copy + Send + Sync + 'static,
    {
        Self::with_waker(waker_of(context, callback))
    }

    /// Wakes `waker` from now on, also while it is queued. If it has been
    /// notified and no task has looked yet, `waker` is woken at once: so a
    /// notification that comes between a look and this call is not lost.
    pub fn set_waker(self: Pin<&mut Self>, waker: Waker) {
        let mut entry = self.project().entry;
        entry.as_mut().renew_waker(waker);
        if !matches!(entry.status(), IDLE | QUEUED | TAKEN) {
            entry.wake();
        }
    }

    /// Whether it has been notified. Looks, and takes nothing.
    pub fn is_ready(&self) -> bool {
        !matches!(self.entry.status(), IDLE | QUEUED)
    }

    /// Whether it has been notified; `true` takes the notification, which then is
    /// not passed on any more.
    pub fn is_notified(&self) -> bool {
        match self.entry.status() {
            IDLE | QUEUED => false,
            verdict => {
                // Fails if another thread took it first.
                let _ = verdict == TAKEN || self.entry.advance(verdict, TAKEN);
                true
            }
        }
    }

    /// Makes it as new, but keeps its waker: leaves the queue, passes on what
    /// `notify_one` had given to it and no task has seen.
    pub fn reset(self: Pin<&mut Self>) {
        let entry = self.project().entry;
        if let Some(condvar) = entry.owner().get() {
            condvar.abandon(&mut entry.parts().1);
        }
    }
}

impl Default for Waiter<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Waiter<'_> {
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
        TAKEN => "finished",
        _ => "notified",
    }
}

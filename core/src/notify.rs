//! [`Notify`]: wakes one waiting task, or all of them, and passes no data.
//!
//! A signal to one with no wait there to hear it is kept as a *permit* for the next
//! that waits. A signal to all is one event in time: it reaches every wait that exists
//! at that moment and is not kept.
//!
//! ```text
//!             notify_one                        wait
//!   NOTIFIED ◄────────── EMPTY ─────────────────────────────► WAITING
//!       │  ▲ notify_one    ▲ ▲                                 │  │ ▲ wait
//!       │  └──┘            │ └── last waiter notified or gone ─┘  └─┘
//!       └──── wait ────────┘      (notify_one, notify_all, drop)
//! ```
//!
//! | | EMPTY | NOTIFIED | WAITING |
//! |-|-|-|-|
//! | `notify_one` | stores the permit | merges with the stored one | wakes the first waiter |
//! | `notify_all` | counts | counts, keeps the permit | counts, wakes all the waiters |
//! | first poll of a wait created before the latest `notify_all` | ready | ready, keeps the permit | ready |
//! | first poll of another wait | queues | takes the permit | queues behind |
//! | drop of a queued wait | – | – | leaves the queue |
//! | drop of a wait that `notify_one` had chosen | `notify_one` once more | the same | the same |
//!
//! Invariant **WAITING**: the state is WAITING exactly when the ring is not
//! empty, and it changes from or to WAITING only under the lock. EMPTY and
//! NOTIFIED change into each other without the lock.
//!
//! # Memory ordering
//!
//! The state word holds the kind in its low bits and the number of `notify_all`
//! calls above them. Every signal is a read-modify-write of it with Release (or
//! happens under the lock), and every wait that ends because of what it reads
//! there reads with Acquire. All changes of the word are read-modify-writes or
//! are stores under the lock after an Acquire load, so a later change passes on
//! what an earlier one released. A wait that was queued reads its node's verdict
//! with Acquire, which was stored with Release.
//!
//! A waiter that queues and then looks at a condition, and a notifier that
//! changes the condition and then signals, meet in one word: whichever of their
//! two read-modify-writes comes second sees the first. So no fence is needed.

#[cfg(feature = "alloc")]
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::io::{Bare, Io};
#[cfg(feature = "alloc")]
use crate::owner::Projected;
use crate::primitive::{AtomicUsize, Ordering, const_fn};
use crate::wait_list::{
    Entry, IDLE, LockedTicket, QUEUED, Ring, Ticket, VERDICT, WaitList, has_list,
};
use crate::wake_batch::{discard, wake};

#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

#[cfg(all(test, anysync_loom))]
mod loom_tests;

mod waiter;

pub use waiter::Waiter;

// The kinds of the state word.
const EMPTY: usize = 0;
const NOTIFIED: usize = 1;
const WAITING: usize = 2;
/// As many bits as a node's status has: so a node's tag has room for the count.
const KIND: usize = 0b111;
/// One call of `notify_all` in the state word. The count wraps: to be missed, a
/// wait would have to be created, and not polled while 2^61 calls pass (2^29 on
/// a 32-bit machine), exactly.
const CALL: usize = KIND + 1;

// The verdicts on a node.
const BY_ONE: usize = VERDICT;
const BY_ALL: usize = VERDICT + 1;
const BY_LAST: usize = VERDICT + 2;
/// The win has been handed out.
const TAKEN: usize = VERDICT + 3;

#[inline]
fn calls(state: usize) -> usize {
    state / CALL
}

#[inline]
fn with_kind(state: usize, kind: usize) -> usize {
    (state & !KIND) | kind
}

/// Wakes one waiting task, or all of them, without passing data.
///
/// [`notify_one`](Notify::notify_one) reaches the wait that has queued for
/// longest, or is stored as a permit that the next wait takes; permits do not
/// add up. [`notify_all`](Notify::notify_all) reaches every wait that has been
/// created and leaves nothing behind.
///
/// Because a permit is a single one, a consumer looks for work *before* it
/// waits and again after every wake-up. And because it may be dropped after its
/// wait, when it asks for the lock, it holds what it has heard in a guard that
/// passes it on: a wait that is over cannot do so any more.
///
/// ```
/// use std::collections::VecDeque;
/// use anysync::{Bare, Block, Io, Mutex, Notify};
///
/// struct Queue {
///     items: Mutex<VecDeque<u32>>,
///     pushed: Notify,
/// }
///
/// /// There may be work: dropped, it goes on to the next consumer.
/// struct Signal<'a>(&'a Notify);
///
/// impl Drop for Signal<'_> {
///     fn drop(&mut self) {
///         self.0.notify_one();
///     }
/// }
///
/// impl Queue {
///     async fn push(&self, io: impl Io, item: u32) {
///         self.items.lock(io).await.push_back(item);
///         self.pushed.notify_one();
///     }
///
///     async fn pop(&self, io: impl Io) -> u32 {
///         let mut signal = None;
///         loop {
///             let mut items = self.items.lock(&io).await;
///             let item = items.pop_front();
///             if items.is_empty() {
///                 // There is no work for another.
///                 std::mem::forget(signal.take());
///             } else if signal.is_none() {
///                 // Two pushes may have merged into one permit.
///                 self.pushed.notify_one();
///             }
///             if let Some(item) = item {
///                 return item;
///             }
///             drop(items);
///             self.pushed.wait(&io).await;
///             signal = Some(Signal(&self.pushed));
///         }
///     }
/// }
///
/// let queue = Queue { items: Mutex::new(VecDeque::new()), pushed: Notify::new() };
/// Bare.block_on(async {
///     queue.push(Bare, 1).await;
///     queue.push(Bare, 2).await;
///     assert_eq!(queue.pop(Bare).await, 1);
///     assert_eq!(queue.pop(Bare).await, 2);
/// });
/// ```
///
/// # Fairness
///
/// `notify_one` serves in the order in which the waits were first polled (or
/// [`enable`](Wait::enable)d).
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. If `notify_one` had chosen it, the
/// signal goes to the next wait or becomes the permit.
///
/// # Memory ordering
///
/// What is written before a signal is visible after the wait that it ends.
///
/// # Size
///
/// On a 64-bit target at most 32 bytes; a wait at most 48, or 56 where it owns a
/// share; a [`Waiter`] at most 64.
pub struct Notify {
    state: AtomicUsize,
    list: WaitList<Queue>,
}

/// What the lock guards.
pub(crate) struct Queue {
    waiters: usize,
}

has_list!([] Notify, list: WaitList<Queue, [Ring; 1]>);

impl Notify {
    const_fn! {
        /// A signal that has not been given yet.
        ///
        /// ```
        /// static READY: anysync::Notify = anysync::Notify::new();
        /// assert!(!READY.has_permit());
        /// ```
        pub const fn new() -> Self {
            Self {
                state: AtomicUsize::new(EMPTY),
                list: WaitList::new([Ring::new()], Queue { waiters: 0 }),
            }
        }
    }

    /// Wakes the wait that has queued for longest, or stores one permit if none
    /// has.
    ///
    /// Never waits. With no task waiting this is one atomic read-modify-write.
    ///
    /// ```
    /// use anysync::{Bare, Block, Notify};
    ///
    /// let notify = Notify::new();
    /// notify.notify_one();
    /// notify.notify_one(); // merges with the first
    /// Bare.block_on(notify.wait_future()); // takes the permit
    /// assert!(!notify.has_permit());
    /// ```
    ///
    /// # Panics
    ///
    /// Passes on a panic of the waker that it wakes.
    #[inline]
    pub fn notify_one(&self) {
        if !self.store_permit() {
            self.notify_queued(Which::First);
        }
    }

    /// Wakes the wait that has queued *last*, or stores one permit if none has.
    ///
    /// For a pool of workers of which the latest to fall idle has the warmest
    /// caches; the others may starve. Otherwise as
    /// [`notify_one`](Notify::notify_one).
    ///
    /// ```
    /// use std::{pin::pin, task::{Context, Waker}, future::Future};
    /// use anysync::Notify;
    ///
    /// let notify = Notify::new();
    /// let mut cx = Context::from_waker(Waker::noop());
    /// let (mut first, mut last) = (pin!(notify.wait_future()), pin!(notify.wait_future()));
    /// assert!(first.as_mut().poll(&mut cx).is_pending());
    /// assert!(last.as_mut().poll(&mut cx).is_pending());
    /// notify.notify_last();
    /// assert!(first.as_mut().poll(&mut cx).is_pending());
    /// assert!(last.as_mut().poll(&mut cx).is_ready());
    /// ```
    #[inline]
    pub fn notify_last(&self) {
        if !self.store_permit() {
            self.notify_queued(Which::Last);
        }
    }

    /// Wakes every wait that exists: those that have queued, and those that
    /// have been created and not polled yet. Stores no permit and takes none
    /// away.
    ///
    /// A wait that is created later is not reached, even from inside a waker
    /// that this call wakes.
    ///
    /// ```
    /// use anysync::{Bare, Block, Notify};
    ///
    /// let notify = Notify::new();
    /// let before = notify.wait_future();
    /// notify.notify_all();
    /// Bare.block_on(before);
    /// assert!(!notify.has_permit());
    /// ```
    ///
    /// # Panics
    ///
    /// If a waker panics, all the others are woken first; then the first panic
    /// goes on.
    #[doc(alias("notify_waiters"))]
    pub fn notify_all(&self) {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & KIND != WAITING {
            match self.state.compare_exchange_weak(
                state,
                state.wrapping_add(CALL),
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(actual) => state = actual,
            }
        }
        let mut queue = self.list.lock();
        let state = self.state.fetch_add(CALL, Ordering::AcqRel);
        if state & KIND != WAITING {
            return;
        }
        // Under the lock no other thread changes a word that says WAITING.
        let state = with_kind(state.wrapping_add(CALL), EMPTY);
        self.state.store(state, Ordering::Release);
        queue.waiters = 0;
        queue.settle_all(0, BY_ALL);
    }

    /// Waits for a signal; `io` is the executor that it runs on.
    ///
    /// The wait counts for [`notify_all`](Notify::notify_all) from now on, and
    /// for [`notify_one`](Notify::notify_one) from its first poll or
    /// [`enable`](Wait::enable).
    ///
    /// ```
    /// use anysync::{Io, Notify};
    ///
    /// async fn consumer(io: impl Io, ready: &Notify) {
    ///     ready.wait(io).await;
    /// }
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves the queue in constant time; a signal that it had won
    /// goes to the next.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the signal released.
    #[inline]
    #[doc(alias("notified"))]
    pub fn wait<I: Io>(&self, io: I) -> Wait<'_, I> {
        Wait {
            entry: Entry::new(self, self.current_calls()),
            io,
        }
    }

    /// Waits for a signal on any executor: [`wait`](Notify::wait) with
    /// [`Bare`].
    #[inline]
    pub fn wait_future(&self) -> Wait<'_> {
        self.wait(Bare)
    }

    /// Waits for a signal with a future that owns its share of the `Notify`,
    /// and so may be spawned or stored.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Bare, Block, Notify};
    ///
    /// let notify = Arc::new(Notify::new());
    /// let wait = notify.clone().wait_owned(Bare);
    /// std::thread::spawn(move || notify.notify_all());
    /// Bare.block_on(wait);
    /// ```
    #[cfg(feature = "alloc")]
    #[inline]
    #[doc(alias("notified_owned"))]
    pub fn wait_owned<I: Io>(self: Arc<Self>, io: I) -> OwnedWait<I> {
        Self::wait_owned_by(self, |notify| notify, io)
    }

    /// Waits for a signal of a `Notify` somewhere inside of `owner`, with a future
    /// that owns a share of it. `project` finds the `Notify`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Bare, Block, Notify};
    ///
    /// struct Server {
    ///     stopped: Notify,
    /// }
    ///
    /// let server = Arc::new(Server { stopped: Notify::new() });
    /// let wait = Notify::wait_owned_by(server.clone(), |server| &server.stopped, Bare);
    /// std::thread::spawn(move || server.stopped.notify_all());
    /// Bare.block_on(wait);
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Notify::wait).
    ///
    /// # Memory ordering
    ///
    /// As [`wait`](Notify::wait).
    #[cfg(feature = "alloc")]
    pub fn wait_owned_by<O: ?Sized, I: Io>(
        owner: Arc<O>,
        project: impl for<'a> FnOnce(&'a O) -> &'a Notify,
        io: I,
    ) -> OwnedWait<I, O> {
        let notify = Projected::new(owner, project);
        let calls = notify.current_calls();
        OwnedWait {
            entry: Entry::new(notify, calls),
            io,
        }
    }

    /// Waits without a future: queues `waiter`, whose waker or callback will be
    /// called, and returns at once. `true` says that the waiter is notified
    /// already, because it took the stored permit.
    ///
    /// A waiter that is queued here stays where it is; one that is notified
    /// stays so until it is [`reset`](Waiter::reset). `true` takes the
    /// notification, as [`Waiter::is_notified`] does.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{Notify, notify::Waiter};
    ///
    /// let notify = Notify::new();
    /// let mut waiter = pin!(Waiter::new());
    /// assert!(!notify.wait_with(waiter.as_mut()));
    /// notify.notify_one();
    /// assert!(waiter.is_notified());
    /// ```
    ///
    /// # Panics
    ///
    /// If the waiter waits on another `Notify`, or has been notified by it, and
    /// was not [`reset`](Waiter::reset) since.
    pub fn wait_with<'a>(&'a self, mut waiter: Pin<&mut Waiter<'a>>) -> bool {
        let mut entry = waiter.as_mut().project().entry;
        if entry.status() == IDLE {
            entry.as_mut().bind(self);
            let (_, mut ticket) = entry.parts();
            ticket.set(IDLE, self.current_calls());
            self.queue(ticket, None);
        } else {
            assert!(
                entry.is_bound_to(self),
                "this `Waiter` waits on another `Notify`: `reset` it first"
            );
        }
        waiter.is_notified()
    }

    /// Ends a wait that [`wait_with`](Notify::wait_with) began. `true` when the
    /// waiter was still waiting; `false` when it had been notified, or does not
    /// wait here. A notification of `notify_one` that no task has seen
    /// ([`Waiter::is_notified`]) goes on to the next.
    ///
    /// Afterwards a waiter of this `Notify` is as after
    /// [`reset`](Waiter::reset).
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{Notify, notify::Waiter};
    ///
    /// let notify = Notify::new();
    /// let mut waiter = pin!(Waiter::new());
    /// notify.wait_with(waiter.as_mut());
    /// assert!(notify.cancel_wait(waiter.as_mut()));
    /// assert_eq!(notify.waiter_count(), 0);
    /// ```
    pub fn cancel_wait<'a>(&'a self, waiter: Pin<&mut Waiter<'a>>) -> bool {
        let entry = waiter.project().entry;
        entry.is_bound_to(self) && self.abandon(entry.parts().1)
    }

    /// Queues `waiter` unless `is_over`, which is looked at afterwards so that no
    /// signal comes between; one that has been signalled is queued anew. For
    /// signals of [`notify_all`](Notify::notify_all).
    #[cfg(feature = "alloc")]
    pub(crate) fn wait_unless<'a>(
        &'a self,
        mut waiter: Pin<&mut Waiter<'a>>,
        is_over: impl FnOnce() -> bool,
    ) -> bool {
        if waiter.is_ready() {
            waiter.as_mut().reset();
        }
        self.wait_with(waiter.as_mut());
        let is_over = is_over();
        if is_over {
            self.cancel_wait(waiter);
        }
        is_over
    }

    /// Whether a permit is stored, at this moment.
    #[inline]
    pub fn has_permit(&self) -> bool {
        self.state.load(Ordering::Acquire) & KIND == NOTIFIED
    }

    /// How many waits are queued, at this moment.
    pub fn waiter_count(&self) -> usize {
        self.list.lock().waiters
    }

    /// Whether a wait is queued.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn has_waiters(&self) -> bool {
        self.state.load(Ordering::Acquire) & KIND == WAITING
    }

    #[inline]
    fn current_calls(&self) -> usize {
        calls(self.state.load(Ordering::Acquire))
    }

    /// The path without the lock; `false` when a task waits.
    #[inline]
    fn store_permit(&self) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & KIND != WAITING {
            // A permit that is there already is written again: what was done
            // before this call is to be seen by the task that takes it.
            match self.state.compare_exchange_weak(
                state,
                with_kind(state, NOTIFIED),
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(actual) => state = actual,
            }
        }
        false
    }

    /// The path with the lock: a task waits, or did a moment ago.
    fn notify_queued(&self, which: Which) {
        let mut queue = self.list.lock();
        let popped = match which {
            Which::First => queue.pop_front(0, BY_ONE),
            Which::Last => queue.pop_back(0, BY_LAST),
        };
        match popped {
            Some(waker) => {
                self.count_out(&mut queue);
                drop(queue);
                wake(waker);
            }
            None => {
                // The last waiter went before we had the lock, and no wait joins while
                // we hold it.
                let stored = self.store_permit();
                debug_assert!(stored, "WAITING, and nobody waits");
            }
        }
    }

    /// Counts a waiter that has left the ring, under the lock.
    #[inline]
    fn count_out(&self, queue: &mut Queue) {
        queue.waiters -= 1;
        if queue.waiters == 0 {
            let state = self.state.load(Ordering::Acquire);
            debug_assert_eq!(state & KIND, WAITING);
            self.state.store(with_kind(state, EMPTY), Ordering::Release);
        }
    }

    // What follows is the machine of a single wait. It is the same for a
    // borrowing future, an owning one and a `Waiter`.

    /// Wins without waiting, if a permit or a `notify_all` since the wait's
    /// creation allows it. Else, if asked to, sets the state to WAITING, for
    /// which the caller holds the lock.
    #[inline]
    fn try_win(&self, created: usize, or_wait: bool) -> Option<usize> {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            if calls(state) != created {
                return Some(BY_ALL);
            }
            let (next, won) = match state & KIND {
                NOTIFIED => (EMPTY, Some(BY_ONE)),
                EMPTY if or_wait => (WAITING, None),
                _ => return None,
            };
            match self.state.compare_exchange_weak(
                state,
                with_kind(state, next),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return won,
                Err(actual) => state = actual,
            }
        }
    }

    /// Wins at once, without the lock, if that is possible.
    #[inline]
    fn win_now(&self, ticket: &mut Ticket<'_, Queue>) -> bool {
        let won = self.try_win(ticket.tag(), false);
        if let Some(verdict) = won {
            ticket.set_status(verdict);
        }
        won.is_some()
    }

    /// Whether a wait has won; queues it, or renews its waker, if it has not.
    #[inline]
    fn poll_won(&self, ticket: &mut Ticket<'_, Queue>, waker: &Waker) -> bool {
        match ticket.status() {
            IDLE => self.win_now(ticket) || self.queue(ticket.again(), Some(waker)),
            QUEUED => self.renew(ticket.again(), waker),
            TAKEN => panic!("a wait on a `Notify` was polled after it had finished"),
            _ => true,
        }
    }

    /// Queues an idle wait, with a clone of a waker if it has none of its own;
    /// `true` if it has won instead.
    #[inline(never)]
    fn queue(&self, mut ticket: Ticket<'_, Queue>, waker: Option<&Waker>) -> bool {
        ticket.give_waker(waker);
        let created = ticket.tag();
        let mut locked = ticket.lock();
        let Some(verdict) = self.try_win(created, true) else {
            locked.push_back(0, created);
            locked.waiters += 1;
            return false;
        };
        drop(locked);
        ticket.set_status(verdict);
        discard(ticket.replace_waker(None));
        true
    }

    /// A queued wait is polled again: whether it has won after all, else makes
    /// sure that `waker` is the one that will be woken.
    #[inline(never)]
    fn renew(&self, mut ticket: Ticket<'_, Queue>, waker: &Waker) -> bool {
        let mut fresh = None;
        loop {
            let mut locked = ticket.lock();
            if locked.status() != QUEUED {
                drop(locked);
                discard(fresh);
                return true;
            }
            if self.is_aside(&locked) {
                // A `notify_all` is on its way to this wait: it has happened.
                let own = locked.remove();
                let created = locked.tag();
                drop(locked);
                ticket.set(BY_ALL, created);
                discard(own);
                discard(fresh);
                return true;
            }
            if locked.will_wake(waker) {
                drop(locked);
                discard(fresh);
                return false;
            }
            if let Some(fresh) = fresh {
                let outdated = locked.replace_waker(Some(fresh));
                drop(locked);
                discard(outdated);
                return false;
            }
            drop(locked);
            fresh = Some(waker.clone());
        }
    }

    /// Whether a queued wait was moved aside by a `notify_all`: in the ring itself, no
    /// wait is older than the latest call.
    fn is_aside(&self, locked: &LockedTicket<'_, Queue>) -> bool {
        calls(self.state.load(Ordering::Acquire)) != locked.tag()
    }

    /// Takes a wait out of the queue, or passes on what it had won: `true` if it had
    /// not been notified.
    #[inline(never)]
    fn abandon(&self, mut ticket: Ticket<'_, Queue>) -> bool {
        if ticket.status() == QUEUED {
            let mut locked = ticket.lock();
            if let Some((created, waker)) = locked.try_remove() {
                // Else a `notify_all` was on its way to it.
                let in_time = self.current_calls() == created;
                if in_time {
                    self.count_out(&mut locked);
                }
                drop(locked);
                discard(waker);
                return in_time;
            }
        }
        let verdict = ticket.status();
        // First, lest the win be passed on again if a waker panics.
        ticket.set(IDLE, 0);
        match verdict {
            BY_ONE => self.notify_one(),
            BY_LAST => self.notify_last(),
            _ => {}
        }
        false
    }
}

/// Whether a wait of this status is queued, or has won what is to be passed on.
#[inline]
fn has_stake(status: usize) -> bool {
    matches!(status, QUEUED | BY_ONE | BY_LAST)
}

enum Which {
    First,
    Last,
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify")
            .field("has_permit", &self.has_permit())
            .field("waiter_count", &self.waiter_count())
            .finish()
    }
}

/// The futures are alike but for the owner of their entry.
macro_rules! wait_future {
    ($(#[$meta:meta])* $name:ident<$($lifetime:lifetime)? $($owned:ident)?>, $owner:ty) => {
        pin_project! {
            $(#[$meta])*
            #[must_use = "futures do nothing unless they are awaited or polled"]
            pub struct $name<$($lifetime,)? I = Bare $(, $owned: ?Sized = Notify)?> {
                #[pin]
                entry: Entry<$owner>,
                io: I,
            }

            impl<$($lifetime,)? I $(, $owned: ?Sized)?> PinnedDrop for $name<$($lifetime,)? I $(, $owned)?> {
                fn drop(this: Pin<&mut Self>) {
                    let (notify, ticket) = this.project().entry.parts();
                    if has_stake(ticket.status()) {
                        notify.abandon(ticket);
                    }
                }
            }
        }

        impl<$($lifetime,)? I: Io $(, $owned: ?Sized)?> $name<$($lifetime,)? I $(, $owned)?> {
            /// Queues the wait now, as its first poll would, without a waker:
            /// from here on it counts for `notify_one` too. `true` if it has
            /// won already and the next poll will be ready.
            ///
            /// Enable, look at the condition, then await: a signal that comes
            /// in between is not lost, however many others wait.
            ///
            /// ```
            /// use std::pin::pin;
            /// use anysync::{Io, Notify};
            ///
            /// async fn wait_until(io: impl Io, changed: &Notify, done: impl Fn() -> bool) {
            ///     loop {
            ///         let mut wait = pin!(changed.wait(&io));
            ///         wait.as_mut().enable();
            ///         if done() {
            ///             return;
            ///         }
            ///         wait.await;
            ///     }
            /// }
            /// ```
            ///
            /// # Panics
            ///
            /// After the wait has finished.
            pub fn enable(self: Pin<&mut Self>) -> bool {
                let (notify, ticket) = self.project().entry.parts();
                match ticket.status() {
                    IDLE => notify.queue(ticket, None),
                    QUEUED => false,
                    TAKEN => panic!("a wait on a `Notify` was enabled after it had finished"),
                    _ => true,
                }
            }
        }

        impl<$($lifetime,)? I: Io $(, $owned: ?Sized)?> Future for $name<$($lifetime,)? I $(, $owned)?> {
            type Output = ();

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
                let this = self.project();
                let (notify, mut ticket) = this.entry.parts();
                if !notify.poll_won(&mut ticket, cx.waker()) || this.io.poll_spend(cx).is_pending() {
                    return Poll::Pending;
                }
                ticket.set_status(TAKEN);
                Poll::Ready(())
            }
        }

        impl<$($lifetime,)? I $(, $owned: ?Sized)?> fmt::Debug for $name<$($lifetime,)? I $(, $owned)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("status", &status_name(self.entry.status()))
                    .finish_non_exhaustive()
            }
        }
    };
}

wait_future! {
    /// The future of [`Notify::wait`] and [`Notify::wait_future`].
    Wait<'a>, &'a Notify
}

#[cfg(feature = "alloc")]
wait_future! {
    /// The future of [`Notify::wait_owned`] and [`Notify::wait_owned_by`].
    OwnedWait<O>, Projected<O, Notify>
}

fn status_name(status: usize) -> &'static str {
    match status {
        IDLE => "idle",
        QUEUED => "queued",
        TAKEN => "finished",
        _ => "notified",
    }
}

//! [`Event`]: tells so many of its listeners, for users that build a primitive of their
//! own.
//!
//! Listening begins at a call, before the condition is looked at, and not at the
//! first poll: a task that listens and then finds that it has to wait misses nothing.
//! A notification may carry a tag, which its listener returns. Nothing is kept for one
//! that comes later.
//!
//! ```text
//!             listen                 notify                 poll
//!   IDLE ───────────────► LISTENING ─────────► NOTIFIED ───────────► FINISHED
//!     ▲                     │                    │                      │
//!     └───── drop, discard ─┘ ◄── drop, discard ─┘       listen ────────┘
//!                                (drop passes it on)
//! ```
//!
//! | | no listener | LISTENING(m), NOTIFIED(k) |
//! |-|-|-|
//! | `listen` | LISTENING(1) | queues last |
//! | `notify(n)` | nothing | notifies the first n − k |
//! | `notify_additional(n)` | nothing | notifies the first n |
//! | poll of a listening one | – | renews its waker |
//! | poll of a notified one | – | takes the tag: k − 1 |
//! | drop of a listening one | – | leaves the queue |
//! | drop of a notified one | – | k − 1; then, if it was additional or k is 0, the first is notified in its place |
//! | `discard` of a notified one | – | k − 1, and the tag is dropped |
//!
//! # Invariants
//!
//! All change under the inner lock only.
//!
//! - **COUNTED**: `word` is the number of listeners that are notified and have
//!   not taken that nor gone, and beside it whether any listener is LISTENING.
//! - **MARKED**: a node's tag has the bit NOTIFIED exactly from the moment of its
//!   notification to its end. One that is QUEUED and MARKED is in a ring aside:
//!   its verdict is on its way.
//! - **KEPT**: there is one tag in `tags` for each node that is MARKED, and the
//!   node's tag says where.
//!
//! # Memory ordering
//!
//! A notifier changes a condition and then changes, or writes again, the word; a
//! listener changes the word and then looks at the condition. Both are
//! read-modify-writes with AcqRel, so the second of the two sees the first: the
//! listener the condition, or the notifier the listener. A notifier that finds
//! enough listeners notified leaves it at that: each of those takes its
//! notification by a later read-modify-write of the word, and sees the condition.
//! All else is under the lock.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::iter::repeat_n;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::io::{Bare, Io};
use crate::primitive::{AtomicUsize, Ordering, const_fn};
use crate::wait_list::{Entry, IDLE, Locked, QUEUED, Ring, TicketOf, VERDICT, WaitList, has_list};
use crate::wake_batch::{Finally, discard, wake};

use tags::Tags;

#[cfg(all(test, anysync_loom))]
mod loom_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
mod tags;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

const QUEUE: usize = 0;

// The word: a flag, and the number of those that are notified.
const LISTENING: usize = 1;
const ONE: usize = 2;

// The verdicts on a node.
const TOLD: usize = VERDICT;
const FINISHED: usize = VERDICT + 1;

// The tag of a node: two bits, and the place of the notification's tag.
const NOTIFIED: usize = 1;
const ADDITIONAL: usize = 2;
const PLACE: u32 = 2;

/// Tells so many of its listeners; each notification may carry a tag.
///
/// A building block for primitives: beside a condition of yours, it says that the
/// condition may have changed. Listen, look at the condition, and wait if it has
/// not come about; the task that changes it notifies afterwards.
///
/// ```
/// use std::pin::pin;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use anysync::{Event, Io};
///
/// struct Flag { set: AtomicBool, changed: Event }
///
/// impl Flag {
///     fn set(&self) {
///         self.set.store(true, Ordering::Release);
///         self.changed.notify(usize::MAX);
///     }
///
///     async fn wait(&self, io: impl Io) {
///         let mut listener = pin!(self.changed.listener(io));
///         while !self.set.load(Ordering::Acquire) {
///             listener.as_mut().listen();
///             if !self.set.load(Ordering::Acquire) {
///                 listener.as_mut().await;
///             }
///         }
///     }
/// }
///
/// let flag = Flag { set: AtomicBool::new(false), changed: Event::new() };
/// std::thread::scope(|scope| {
///     scope.spawn(|| anysync::io::block_on(flag.wait(anysync::Bare)));
///     flag.set();
/// });
/// ```
///
/// Where one signal or all will do, [`Notify`](crate::Notify) is simpler, and
/// stores a signal for a task that comes late.
///
/// # Fairness
///
/// The first to listen is notified first.
///
/// # Cancel safety
///
/// A listener may be dropped at any moment. One that is notified and has not
/// returned that passes it on, unless another listener is notified already and the
/// notification was not additional.
///
/// # Memory ordering
///
/// What was done before a notification is visible after the wait that it ends; and
/// what was done before a notification that reached no listener is visible to a task
/// that listens later.
///
/// # Size
///
/// On a 64-bit target at most 88 bytes; a listener at most 48.
pub struct Event<T = ()> {
    word: AtomicUsize,
    list: WaitList<State<T>>,
}

has_list!([T] Event<T>, list: WaitList<State<T>, [Ring; 1]>);

// Tags are only kept and handed out here: nothing of the user's runs while
// anything is half done.
impl<T> UnwindSafe for Event<T> {}
impl<T> RefUnwindSafe for Event<T> {}

/// What the lock guards.
pub(crate) struct State<T> {
    /// How many are in the ring.
    listening: usize,
    tags: Tags<T>,
}

type List<'a, T> = Locked<'a, State<T>, [Ring; 1]>;

impl Event {
    const_fn! {
        /// An event without tags and without listeners.
        ///
        /// ```
        /// static CHANGED: anysync::Event = anysync::Event::new();
        /// assert_eq!(CHANGED.notify(1), 0);
        /// ```
        pub const fn new() -> Self {
            Self::with_tag()
        }
    }

    /// Notifies the first listeners until `n` are notified: those that have been
    /// notified before and not returned are among the `n`. Returns how many it
    /// notified.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::Event;
    ///
    /// let event = Event::new();
    /// let (mut one, mut two) = (pin!(event.listener_future()), pin!(event.listener_future()));
    /// one.as_mut().listen();
    /// two.as_mut().listen();
    /// assert_eq!(event.notify(1), 1);
    /// assert_eq!(event.notify(1), 0);
    /// assert_eq!(event.notify(2), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// Passes on a panic of a waker, when all have been woken.
    #[inline]
    pub fn notify(&self, n: usize) -> usize {
        self.notify_front(n, false, repeat_n((), n))
    }

    /// Notifies the first `n` listeners, however many have been notified before.
    /// Returns how many it notified.
    ///
    /// # Panics
    ///
    /// As [`notify`](Event::notify).
    #[inline]
    pub fn notify_additional(&self, n: usize) -> usize {
        self.notify_front(n, true, repeat_n((), n))
    }
}

impl<T> Event<T> {
    const_fn! {
        /// An event without listeners, whose notifications carry a `T`.
        pub const fn with_tag() -> Self {
            Self {
                word: AtomicUsize::new(0),
                list: WaitList::new([Ring::new()], State { listening: 0, tags: Tags::new() }),
            }
        }
    }

    /// [`notify`](Event::notify), or, if `additional` says so,
    /// [`notify_additional`](Event::notify_additional), with a tag for each
    /// listener that it notifies.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{Bare, Block, Event};
    ///
    /// let event = Event::with_tag();
    /// let mut listener = pin!(event.listener_future());
    /// listener.as_mut().listen();
    /// assert_eq!(event.notify_with(1, false, || "a tag"), 1);
    /// assert_eq!(Bare.block_on(listener), "a tag");
    /// ```
    ///
    /// `tag` is called before any listener is notified, outside the inner lock, as often
    /// as there are listeners to be notified then; if some go meanwhile, what is
    /// left over is dropped. Keeping tags allocates, unless they take no space.
    ///
    /// # Panics
    ///
    /// As [`notify`](Event::notify), and when `tag` does: then no listener has been
    /// notified.
    pub fn notify_with(&self, n: usize, additional: bool, mut tag: impl FnMut() -> T) -> usize {
        let wanted = self.wanted(n, additional);
        if wanted == 0 {
            return 0;
        }
        let count = wanted.min(self.list.lock().listening);
        let tags: Vec<T> = (0..count).map(|_| tag()).collect();
        self.notify_front(n, additional, tags.into_iter())
    }

    /// A future that waits for a notification, from when it [is told
    /// to](Listener::listen) or is polled. `io` is the executor that it runs on.
    ///
    /// # Fairness
    ///
    /// First in, first out.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves the queue in constant time, or passes on what it was
    /// notified of.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the notification released.
    #[inline]
    pub fn listener<I: Io>(&self, io: I) -> Listener<'_, T, I> {
        Listener {
            entry: Entry::new(self, 0),
            io,
        }
    }

    /// [`listener`](Event::listener) on any executor.
    #[inline]
    pub fn listener_future(&self) -> Listener<'_, T> {
        self.listener(Bare)
    }

    /// [`listener`](Event::listener) with a future that owns a share of the event.
    #[inline]
    pub fn listener_owned<I: Io>(self: Arc<Self>, io: I) -> OwnedListener<T, I> {
        OwnedListener {
            entry: Entry::new(self, 0),
            io,
        }
    }

    /// How many listeners there are, at this moment: those that listen, and those
    /// that are notified and have not returned that.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::Event;
    ///
    /// let event = Event::new();
    /// let mut listener = pin!(event.listener_future());
    /// listener.as_mut().listen();
    /// event.notify(1);
    /// assert_eq!((event.listener_count(), event.notified_count()), (1, 1));
    /// ```
    #[doc(alias("total_listeners"))]
    pub fn listener_count(&self) -> usize {
        let list = self.list.lock();
        list.listening + self.word.load(Ordering::Relaxed) / ONE
    }

    /// How many listeners are notified and have not returned that, at this moment.
    pub fn notified_count(&self) -> usize {
        self.word.load(Ordering::Acquire) / ONE
    }

    /// How many a notification would reach, if that many listen; the place where
    /// notifiers meet listeners, see the head of the file.
    #[inline]
    fn wanted(&self, n: usize, additional: bool) -> usize {
        wanted(self.word.fetch_add(0, Ordering::AcqRel), n, additional)
    }

    /// Notifies the first listeners, each with the next of `tags`.
    fn notify_front(
        &self,
        n: usize,
        additional: bool,
        mut tags: impl ExactSizeIterator<Item = T>,
    ) -> usize {
        if self.wanted(n, additional) == 0 {
            return 0;
        }
        let mut list = self.list.lock();
        let word = self.word.load(Ordering::Relaxed);
        let count = wanted(word, n, additional)
            .min(list.listening)
            .min(tags.len());
        match count {
            0 => drop(list),
            1 => {
                let tag = tags.next();
                let waker = tag.and_then(|tag| self.notify_first(&mut list, additional, tag));
                drop(list);
                wake(waker);
            }
            _ => {
                self.count(&mut list, count);
                list.settle_front_with(QUEUE, count, TOLD, |state, node| {
                    if let Some(tag) = tags.next() {
                        node.set_tag(state.keep(additional, tag));
                    }
                });
            }
        }
        count
    }

    /// Notifies the first listener, which there is. The result is its waker.
    fn notify_first(&self, list: &mut List<'_, T>, additional: bool, tag: T) -> Option<Waker> {
        self.count(list, 1);
        let mark = list.keep(additional, tag);
        if let Some(mut first) = list.front(QUEUE) {
            first.set_tag(mark);
        }
        list.pop_front(QUEUE, TOLD).flatten()
    }

    /// Counts so many of the listeners as notified.
    fn count(&self, list: &mut List<'_, T>, notified: usize) {
        list.listening -= notified;
        let last = usize::from(list.listening == 0);
        self.word.fetch_add(notified * ONE - last, Ordering::AcqRel);
    }

    // What follows is the machine of a single wait, the same for both futures.

    fn listen(&self, ticket: &mut TicketOf<'_, Self>) {
        if !matches!(ticket.status(), IDLE | FINISHED) {
            return;
        }
        ticket.set(IDLE, 0);
        let mut locked = ticket.lock();
        locked.push_back(QUEUE, 0);
        locked.listening += 1;
        // Also if the flag is set: this is where it meets notifiers.
        self.word.fetch_or(LISTENING, Ordering::AcqRel);
    }

    /// Whether a wait has been notified; renews its waker if it has not.
    fn poll_told(&self, ticket: &mut TicketOf<'_, Self>, waker: &Waker) -> bool {
        match ticket.status() {
            IDLE => {
                ticket.give_waker(Some(waker));
                self.listen(ticket);
                false
            }
            QUEUED => self.renew(ticket, waker),
            FINISHED => panic!("a listener of an `Event` was polled after it had finished"),
            _ => true,
        }
    }

    fn renew(&self, ticket: &mut TicketOf<'_, Self>, waker: &Waker) -> bool {
        let mut fresh = None;
        let (told, outdated) = loop {
            let mut locked = ticket.lock();
            if locked.status() != QUEUED {
                break (true, None);
            }
            let tag = locked.tag();
            if tag & NOTIFIED != 0 {
                // By MARKED, its verdict is on the way: it has happened.
                let own = locked.remove();
                locked.set(TOLD, tag);
                break (true, own);
            }
            if locked.will_wake(waker) {
                break (false, None);
            }
            if let Some(fresh) = fresh.take() {
                break (false, locked.replace_waker(Some(fresh)));
            }
            drop(locked);
            fresh = Some(waker.clone());
        };
        discard(outdated);
        discard(fresh);
        told
    }

    /// Takes the tag of a wait that has been told.
    fn take(&self, ticket: &mut TicketOf<'_, Self>) -> T {
        let mut locked = ticket.lock();
        let place = place_of(locked.tag());
        let tag = self.uncount(&mut locked, place);
        locked.set(FINISHED, 0);
        tag
    }

    /// Ends a wait. What it was notified of goes on to the next, or is dropped;
    /// `true` if it was notified.
    fn end(&self, ticket: &mut TicketOf<'_, Self>, passes_on: bool) -> bool {
        if matches!(ticket.status(), IDLE | FINISHED) {
            return false;
        }
        let mut locked = ticket.lock();
        let mark = locked.tag();
        let mut own = (locked.status() == QUEUED)
            .then(|| locked.remove())
            .flatten();
        locked.set(FINISHED, 0);
        let mut list = locked.into_locked();
        let (mut next, mut dropped) = (None, None);
        let notified = mark & NOTIFIED != 0;
        if notified {
            let tag = self.uncount(&mut list, place_of(mark));
            let others = self.word.load(Ordering::Relaxed) / ONE;
            let owed = mark & ADDITIONAL != 0 || others == 0;
            if passes_on && owed && list.listening != 0 {
                next = self.notify_first(&mut list, mark & ADDITIONAL != 0, tag);
            } else {
                dropped = Some(tag);
            }
        } else {
            list.listening -= 1;
            if list.listening == 0 {
                self.word.fetch_and(!LISTENING, Ordering::AcqRel);
            }
        }
        drop(list);
        // Also if a waker panics.
        let _own = Finally(|| discard(own.take()));
        wake(next);
        drop(dropped);
        notified
    }

    /// Counts a notification as taken. The result is its tag.
    fn uncount(&self, list: &mut List<'_, T>, place: usize) -> T {
        self.word.fetch_sub(ONE, Ordering::AcqRel);
        list.tags.take(place)
    }
}

impl<T> State<T> {
    /// Keeps a tag. The result marks its node.
    fn keep(&mut self, additional: bool, tag: T) -> usize {
        let place = self.tags.put(tag) << PLACE;
        place | NOTIFIED | if additional { ADDITIONAL } else { 0 }
    }
}

#[inline]
fn wanted(word: usize, n: usize, additional: bool) -> usize {
    if word & LISTENING == 0 {
        0
    } else if additional {
        n
    } else {
        n.saturating_sub(word / ONE)
    }
}

#[inline]
fn place_of(mark: usize) -> usize {
    debug_assert!(mark & NOTIFIED != 0, "invariant MARKED");
    mark >> PLACE
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("notified_count", &self.notified_count())
            .field("listener_count", &self.listener_count())
            .finish()
    }
}

/// The futures are alike but for the owner of their entry.
macro_rules! listener {
    ($(#[$meta:meta])* [$($lifetime:lifetime)?] $name:ident, $owner:ty) => {
        pin_project! {
            $(#[$meta])*
            ///
            /// It begins to listen when it [is told to](Self::listen), or else at its
            /// first poll.
            #[must_use = "futures do nothing unless they are awaited or polled"]
            pub struct $name<$($lifetime,)? T = (), I = Bare> {
                #[pin]
                entry: Entry<$owner>,
                io: I,
            }

            impl<$($lifetime,)? T, I> PinnedDrop for $name<$($lifetime,)? T, I> {
                fn drop(this: Pin<&mut Self>) {
                    let (event, mut ticket) = this.project().entry.parts();
                    event.end(&mut ticket, true);
                }
            }
        }

        impl<$($lifetime,)? T, I> $name<$($lifetime,)? T, I> {
            /// Begins to listen, unless it listens or is notified already. One that
            /// has returned begins anew.
            pub fn listen(self: Pin<&mut Self>) {
                let (event, mut ticket) = self.project().entry.parts();
                event.listen(&mut ticket);
            }

            /// Stops listening. If it was notified (`true`), that is not passed on.
            pub fn discard(self: Pin<&mut Self>) -> bool {
                let (event, mut ticket) = self.project().entry.parts();
                event.end(&mut ticket, false)
            }

            /// Whether it is notified, and has not returned that. Looks, and takes
            /// nothing.
            pub fn is_notified(&self) -> bool {
                self.entry.tag() & NOTIFIED != 0
            }

            /// The event that it listens to.
            pub fn event(&self) -> &Event<T> {
                self.entry.owner()
            }
        }

        impl<$($lifetime,)? T, I: Io> Future for $name<$($lifetime,)? T, I> {
            type Output = T;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
                let this = self.project();
                let (event, mut ticket) = this.entry.parts();
                if !event.poll_told(&mut ticket, cx.waker()) || this.io.poll_spend(cx).is_pending() {
                    return Poll::Pending;
                }
                Poll::Ready(event.take(&mut ticket))
            }
        }

        impl<$($lifetime,)? T, I> fmt::Debug for $name<$($lifetime,)? T, I> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("is_notified", &self.is_notified())
                    .finish_non_exhaustive()
            }
        }
    };
}

listener! {
    /// The future of [`Event::listener`] and [`Event::listener_future`].
    ['a] Listener, &'a Event<T>
}

listener! {
    /// The future of [`Event::listener_owned`].
    [] OwnedListener, Arc<Event<T>>
}

//! A watch: one value that senders replace and any number of receivers look at.
//! A receiver sees the latest value, and can wait for a newer one; what was
//! replaced before it looked is skipped.
//!
//! ```text
//!            send                    send
//!   version 0 ────► version 1 ─ ··· ────► version n ── last sender drops ──► CLOSED
//!      │                │                    │                                 │
//!      └── each receiver remembers the version that it saw ───────────────────┘
//! ```
//!
//! | | unseen version | seen, open | seen, CLOSED |
//! |-|-|-|-|
//! | `changed` | ready, marks it as seen | waits | ready with an error |
//! | `has_changed` | `true` (an error once CLOSED) | `false` | an error |
//! | `borrow` | the latest value | the latest value | the last value |
//! | `wait_for` | looks at the value | waits after it has looked | an error after it has looked |
//!
//! Invariant **VERSIONED**: the version changes only while the value is locked
//! for writing. So a version that is read while the value is locked for reading
//! is the version of that value.
//!
//! # While the value is lent
//!
//! A [`Ref`] locks the value for reading, and a send waits for it on its thread. While
//! it waits no new `Ref` is given out, so that many short ones which overlap keep no
//! sender out. That ends after 5 ms, by which short ones are gone, or, without `std`,
//! after so many looks: a thread that has a `Ref` and makes another, or that needs one
//! while another thread keeps its own for long, goes on then, and the send waits on.
//!
//! A thread that sends while it has a `Ref` of the same watch waits for itself, for
//! ever.
//!
//! # Size
//!
//! On a 64-bit target a sender is 8 bytes and a receiver 16; what they share, for a
//! value of 8, at most 160 and two counts; a wait for a change at most 72.
//!
//! # Memory ordering
//!
//! A sender changes the value, then the version (Release), then calls
//! [`Notify::notify_all`]. A receiver creates its wait, then reads the version
//! (Acquire), then queues. Either the wait was created before the call, which
//! then reaches it, or it was created after it, and creating it acquired what
//! the call released: so the version that is read next is the new one.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::mem;
use core::ops::Deref;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::io::{Bare, Io};
use crate::notify::{self, Notify};
use crate::primitive::{AtomicUsize, Ordering};

use lock::{Lock, ReadGuard};

mod error;
mod lock;

#[cfg(all(test, anysync_loom))]
mod loom_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

pub use error::{RecvError, SendError};

/// No sender is left.
const CLOSED: usize = 1;
/// From one version to the next. The count wraps: a receiver misses a change if
/// exactly 2^63 (2^31 on a 32-bit machine) happen between two looks of it.
const STEP: usize = 2;

/// A value to watch, its first sender and its first receiver.
///
/// The receiver has seen the first value.
///
/// # Examples
///
/// ```
/// use anysync::{Bare, Block, watch};
///
/// let (config, mut changes) = watch::channel("v1");
/// std::thread::spawn(move || config.send("v2"));
/// Bare.block_on(async {
///     changes.changed(Bare).await.unwrap();
///     assert_eq!(*changes.borrow_and_update(), "v2");
///     // The sender is gone; its last value stays.
///     assert!(changes.changed(Bare).await.is_err());
///     assert_eq!(*changes.borrow(), "v2");
/// });
/// ```
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(value);
    let receiver = sender.subscribe();
    (sender, receiver)
}

struct Shared<T> {
    value: Lock<T>,
    state: AtomicUsize,
    senders: AtomicUsize,
    receivers: AtomicUsize,
    /// Receivers wait here for a change or the end.
    changed: Notify,
    /// Senders wait here for the last receiver to go.
    deserted: Notify,
}

impl<T> Shared<T> {
    #[inline]
    fn version(&self) -> usize {
        self.state.load(Ordering::Acquire) & !CLOSED
    }

    #[inline]
    fn is_closed(&self) -> bool {
        self.state.load(Ordering::Acquire) & CLOSED != 0
    }

    /// What a receiver that has seen `seen` finds: a newer version, the end, or
    /// nothing.
    #[inline]
    fn look(&self, seen: usize) -> Option<Result<usize, RecvError>> {
        let state = self.state.load(Ordering::Acquire);
        let version = state & !CLOSED;
        if version != seen {
            Some(Ok(version))
        } else if state & CLOSED != 0 {
            Some(Err(RecvError(())))
        } else {
            None
        }
    }

    /// The value, locked for reading, and whether it is newer than `seen`.
    fn borrow(&self, seen: usize) -> Ref<'_, T> {
        let value = self.value.read();
        let has_changed = self.version() != seen;
        Ref { value, has_changed }
    }
}

/// Replaces the value; made by [`channel`] or [`Sender::new`].
///
/// Clones send to the same receivers. When the last one is dropped the watch is
/// closed; the last value can still be looked at.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// A value that no receiver watches yet.
    ///
    /// ```
    /// let sender = anysync::watch::Sender::new(1);
    /// assert_eq!(sender.receiver_count(), 0);
    /// assert_eq!(*sender.subscribe().borrow(), 1);
    /// ```
    pub fn new(value: T) -> Self {
        Self {
            shared: Arc::new(Shared {
                value: Lock::new(value),
                state: AtomicUsize::new(0),
                senders: AtomicUsize::new(1),
                receivers: AtomicUsize::new(0),
                changed: Notify::new(),
                deserted: Notify::new(),
            }),
        }
    }

    /// Replaces the value and wakes the tasks that wait for a change.
    ///
    /// # Errors
    ///
    /// Gives the value back when there is no receiver.
    /// [`send_replace`](Sender::send_replace) stores it all the same.
    ///
    /// # Panics
    ///
    /// Passes on a panic of a waker or of the old value's `Drop`, after the
    /// value has been replaced and all have been woken.
    ///
    /// ```
    /// let (sender, receiver) = anysync::watch::channel(1);
    /// sender.send(2).unwrap();
    /// assert_eq!(*receiver.borrow(), 2);
    /// drop(receiver);
    /// assert_eq!(sender.send(3).unwrap_err().into_inner(), 3);
    /// ```
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.receiver_count() == 0 {
            return Err(SendError(value));
        }
        self.send_replace(value);
        Ok(())
    }

    /// Replaces the value, whether or not a receiver watches; the result is the
    /// old one.
    ///
    /// ```
    /// let sender = anysync::watch::Sender::new(1);
    /// assert_eq!(sender.send_replace(2), 1);
    /// assert_eq!(*sender.borrow(), 2);
    /// ```
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|old| mem::swap(old, &mut value));
        value
    }

    /// Changes the value in place, and counts it as a change.
    ///
    /// # Panics
    ///
    /// Passes on a panic of `modify`: then it does not count as a change,
    /// whatever it has done to the value.
    ///
    /// ```
    /// let (sender, receiver) = anysync::watch::channel(vec![1]);
    /// sender.send_modify(|list| list.push(2));
    /// assert_eq!(*receiver.borrow(), [1, 2]);
    /// ```
    pub fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Changes the value in place; `modify` says whether that counts as a
    /// change, which is also the result.
    ///
    /// The value is locked while `modify` runs: it must not look at the same
    /// watch.
    ///
    /// # Panics
    ///
    /// Passes on a panic of `modify`, which then counts as no change.
    ///
    /// ```
    /// let (sender, receiver) = anysync::watch::channel(1);
    /// let mut at_least = |wanted: u32| {
    ///     sender.send_if_modified(|value| {
    ///         let less = *value < wanted;
    ///         if less {
    ///             *value = wanted;
    ///         }
    ///         less
    ///     })
    /// };
    /// assert!(at_least(2));
    /// assert!(!at_least(2));
    /// ```
    pub fn send_if_modified(&self, modify: impl FnOnce(&mut T) -> bool) -> bool {
        {
            let mut value = self.shared.value.write();
            if !modify(value.value()) {
                return false;
            }
            // Invariant VERSIONED: the value is still locked.
            self.shared.state.fetch_add(STEP, Ordering::Release);
        }
        self.shared.changed.notify_all();
        true
    }

    /// The value, locked for reading until the result is dropped: keep it for a
    /// short time, and not over an await or a `send`, which would wait for it on
    /// this thread for ever; see the [module](self#while-the-value-is-lent).
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.borrow(self.shared.version())
    }

    /// Another receiver, which has seen the present value.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(&self.shared, self.shared.version())
    }

    /// Waits until there is no receiver; ready at once if there is none now.
    ///
    /// ```
    /// use anysync::{Bare, Block};
    ///
    /// let (sender, receiver) = anysync::watch::channel(1);
    /// std::thread::spawn(move || drop(receiver));
    /// Bare.block_on(sender.closed(Bare));
    /// ```
    ///
    /// # Fairness
    ///
    /// All tasks that wait are woken together.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment; nothing is lost.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the drop of the last receiver released.
    pub fn closed<I: Io>(&self, io: I) -> Closed<'_, T, I> {
        Closed {
            shared: &self.shared,
            wait: self.shared.deserted.wait_future(),
            io,
            is_over: false,
        }
    }

    /// [`closed`](Sender::closed) on any executor.
    pub fn closed_future(&self) -> Closed<'_, T> {
        self.closed(Bare)
    }

    /// Whether there is no receiver, at this moment.
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// How many receivers there are, at this moment.
    pub fn receiver_count(&self) -> usize {
        self.shared.receivers.load(Ordering::Acquire)
    }

    /// How many senders there are, at this moment.
    pub fn sender_count(&self) -> usize {
        self.shared.senders.load(Ordering::Acquire)
    }

    /// Whether both send to the same receivers.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.senders.fetch_add(1, Ordering::Relaxed);
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.shared.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.state.fetch_or(CLOSED, Ordering::Release);
            self.shared.changed.notify_all();
        }
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("version", &(self.shared.version() / STEP))
            .field("receiver_count", &self.receiver_count())
            .finish_non_exhaustive()
    }
}

/// Looks at the value and waits for it to change; made by [`channel`] or
/// [`Sender::subscribe`].
///
/// A clone has seen what the original has seen.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    seen: usize,
}

impl<T> Receiver<T> {
    fn new(shared: &Arc<Shared<T>>, seen: usize) -> Self {
        shared.receivers.fetch_add(1, Ordering::Relaxed);
        Self {
            shared: Arc::clone(shared),
            seen,
        }
    }

    /// The latest value, locked for reading until the result is dropped; it
    /// stays unseen, if it was. Keep it for a short time, and not over an await; see
    /// the [module](self#while-the-value-is-lent).
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.borrow(self.seen)
    }

    /// The latest value, locked for reading until the result is dropped, and
    /// now seen: [`changed`](Receiver::changed) waits for a newer one.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let value = self.shared.borrow(self.seen);
        // By VERSIONED the version of this value, which is still locked.
        self.seen = self.shared.version();
        value
    }

    /// Whether there is a value that this receiver has not seen.
    ///
    /// # Errors
    ///
    /// When all senders are gone, whether or not the last value has been seen.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        let state = self.shared.state.load(Ordering::Acquire);
        if state & CLOSED != 0 {
            return Err(RecvError(()));
        }
        Ok(state & !CLOSED != self.seen)
    }

    /// Whether all senders are gone.
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Makes the present value unseen, so that [`changed`](Receiver::changed)
    /// is ready at once.
    #[doc(alias("mark_unseen"))]
    pub fn mark_changed(&mut self) {
        self.seen = self.shared.version().wrapping_sub(STEP);
    }

    /// Makes the present value seen.
    #[doc(alias("mark_seen"))]
    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.version();
    }

    /// Waits for a value that this receiver has not seen, and marks it as seen;
    /// `io` is the executor that it runs on.
    ///
    /// # Errors
    ///
    /// When all senders are gone and the last value has been seen.
    ///
    /// ```
    /// use anysync::{Io, watch};
    ///
    /// async fn follow(io: impl Io, mut level: watch::Receiver<u32>) -> Vec<u32> {
    ///     let mut levels = vec![*level.borrow_and_update()];
    ///     while level.changed(&io).await.is_ok() {
    ///         levels.push(*level.borrow());
    ///     }
    ///     levels
    /// }
    /// # let (sender, receiver) = watch::channel(1);
    /// # sender.send(2).unwrap();
    /// # drop(sender);
    /// # use anysync::{Bare, Block};
    /// # assert_eq!(Bare.block_on(follow(Bare, receiver)), [2]);
    /// ```
    ///
    /// # Fairness
    ///
    /// All tasks that wait are woken together.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment: a change that it has not returned stays
    /// unseen.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the sender released.
    pub fn changed<I: Io>(&mut self, io: I) -> Changed<'_, T, I> {
        let shared = &*self.shared;
        Changed {
            shared,
            seen: &mut self.seen,
            wait: shared.changed.wait_future(),
            io,
            is_over: false,
        }
    }

    /// [`changed`](Receiver::changed) on any executor.
    pub fn changed_future(&mut self) -> Changed<'_, T> {
        self.changed(Bare)
    }

    /// Waits without a future: `true` when there is a value that this receiver
    /// has not seen, or all senders are gone. Else queues `waiter`, whose waker
    /// or callback is called when that is to be asked again.
    ///
    /// It marks nothing as seen: look by
    /// [`borrow_and_update`](Receiver::borrow_and_update), when the waiter is gone,
    /// which borrows the receiver for as long as it lives.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::notify::Waiter;
    ///
    /// let (sender, receiver) = anysync::watch::channel(1);
    /// let mut waiter = pin!(Waiter::new());
    /// assert!(!receiver.changed_with(waiter.as_mut()));
    /// sender.send(2).unwrap();
    /// assert!(waiter.is_ready());
    /// assert!(receiver.changed_with(waiter.as_mut()));
    /// ```
    ///
    /// # Panics
    ///
    /// If the waiter is queued elsewhere.
    pub fn changed_with<'a>(&'a self, waiter: Pin<&mut notify::Waiter<'a>>) -> bool {
        let changed = &self.shared.changed;
        changed.wait_unless(waiter, || self.shared.look(self.seen).is_some())
    }

    /// Waits until the value satisfies `condition`, looking at the present one
    /// first; the result is locked for reading, and marked as seen.
    ///
    /// # Errors
    ///
    /// When all senders are gone and the last value does not satisfy it.
    ///
    /// # Panics
    ///
    /// Passes on a panic of `condition`, which runs while the value is locked
    /// for reading and so must not send on the same watch.
    ///
    /// ```
    /// use anysync::{Bare, Block};
    ///
    /// let (sender, mut receiver) = anysync::watch::channel(1);
    /// std::thread::spawn(move || (2..5).for_each(|n| { let _ = sender.send(n); }));
    /// let value = Bare.block_on(receiver.wait_for(Bare, |n| *n >= 4)).map(|n| *n);
    /// assert_eq!(value, Ok(4));
    /// ```
    ///
    /// # Fairness
    ///
    /// All tasks that wait are woken together.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment. Values at which it has looked in vain count
    /// as seen; one that satisfies `condition` and that it has not returned does
    /// not.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the sender released.
    pub fn wait_for<F, I>(&mut self, io: I, condition: F) -> WaitFor<'_, T, F, I>
    where
        F: FnMut(&T) -> bool,
        I: Io,
    {
        let shared = &*self.shared;
        WaitFor {
            shared,
            seen: &mut self.seen,
            wait: shared.changed.wait_future(),
            condition,
            looks: true,
            io,
            is_over: false,
        }
    }

    /// Whether both watch the same value.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self::new(&self.shared, self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if self.shared.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.deserted.notify_all();
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("has_changed", &(self.shared.version() != self.seen))
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// The value, locked for reading; see the [module](self#while-the-value-is-lent).
pub struct Ref<'a, T> {
    value: ReadGuard<'a, T>,
    has_changed: bool,
}

impl<T> Ref<'_, T> {
    /// Whether the receiver had not seen this value when it borrowed it. Always
    /// `false` for a sender's.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

pin_project! {
    /// The future of [`Receiver::changed`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Changed<'a, T, I = Bare> {
        shared: &'a Shared<T>,
        seen: &'a mut usize,
        #[pin]
        wait: notify::Wait<'a>,
        io: I,
        is_over: bool,
    }
}

impl<T, I: Io> Future for Changed<'_, T, I> {
    type Output = Result<(), RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        assert!(
            !*this.is_over,
            "`Changed` of a watch was polled after it had finished"
        );
        let found = loop {
            if let Some(found) = this.shared.look(**this.seen) {
                break found;
            }
            ready!(this.wait.as_mut().poll(cx));
            this.wait.set(this.shared.changed.wait_future());
        };
        ready!(this.io.poll_spend(cx));
        *this.is_over = true;
        Poll::Ready(found.map(|version| **this.seen = version))
    }
}

pin_project! {
    /// The future of [`Receiver::wait_for`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct WaitFor<'a, T, F, I = Bare> {
        shared: &'a Shared<T>,
        seen: &'a mut usize,
        #[pin]
        wait: notify::Wait<'a>,
        condition: F,
        // Whether it is to look at the value although that has been seen.
        looks: bool,
        io: I,
        is_over: bool,
    }
}

impl<'a, T, F: FnMut(&T) -> bool, I: Io> Future for WaitFor<'a, T, F, I> {
    type Output = Result<Ref<'a, T>, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        assert!(
            !*this.is_over,
            "`WaitFor` of a watch was polled after it had finished"
        );
        loop {
            // Read before the value, lest the last one be missed.
            let found = this.shared.look(**this.seen);
            if *this.looks || matches!(found, Some(Ok(_))) {
                *this.looks = false;
                let value = this.shared.borrow(**this.seen);
                let before = mem::replace(*this.seen, this.shared.version());
                if (this.condition)(&value) {
                    if this.io.poll_spend(cx).is_pending() {
                        drop(value);
                        // Not returned, so not seen; and another may have come
                        // by then.
                        **this.seen = before;
                        *this.looks = true;
                        return Poll::Pending;
                    }
                    *this.is_over = true;
                    return Poll::Ready(Ok(value));
                }
            } else if let Some(Err(error)) = found {
                ready!(this.io.poll_spend(cx));
                *this.is_over = true;
                return Poll::Ready(Err(error));
            } else {
                ready!(this.wait.as_mut().poll(cx));
                this.wait.set(this.shared.changed.wait_future());
            }
        }
    }
}

pin_project! {
    /// The future of [`Sender::closed`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Closed<'a, T, I = Bare> {
        shared: &'a Shared<T>,
        #[pin]
        wait: notify::Wait<'a>,
        io: I,
        is_over: bool,
    }
}

impl<T, I: Io> Future for Closed<'_, T, I> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        assert!(
            !*this.is_over,
            "`Closed` of a watch was polled after it had finished"
        );
        while this.shared.receivers.load(Ordering::Acquire) != 0 {
            ready!(this.wait.as_mut().poll(cx));
            this.wait.set(this.shared.deserted.wait_future());
        }
        ready!(this.io.poll_spend(cx));
        *this.is_over = true;
        Poll::Ready(())
    }
}

impl<T, I> fmt::Debug for Changed<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changed").finish_non_exhaustive()
    }
}

impl<T, F, I> fmt::Debug for WaitFor<'_, T, F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFor").finish_non_exhaustive()
    }
}

impl<T, I> fmt::Debug for Closed<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").finish_non_exhaustive()
    }
}

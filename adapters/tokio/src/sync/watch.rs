//! One value that [`Sender`]s replace and any number of [`Receiver`]s look at:
//! the drop-in for [`tokio::sync::watch`].
//!
//! A receiver sees the latest value and can wait for a newer one; what was
//! replaced before it looked is skipped. It remembers which version it has seen:
//! [`changed`](Receiver::changed) and
//! [`borrow_and_update`](Receiver::borrow_and_update) mark the latest as seen,
//! [`borrow`](Receiver::borrow) does not.
//!
//! ```
//! use anysync_tokio::sync::watch;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (level, mut levels) = watch::channel(1);
//! let follower = tokio::spawn(async move {
//!     let mut last = *levels.borrow_and_update();
//!     while levels.changed().await.is_ok() {
//!         last = *levels.borrow_and_update();
//!     }
//!     last
//! });
//! level.send(2).unwrap();
//! level.send(3).unwrap();
//! drop(level);
//! assert_eq!(follower.await.unwrap(), 3);
//! # }
//! ```
//!
//! When the last sender is gone the watch is closed: its last value can still be
//! looked at. When the last receiver is gone a sender sees it closed, until there
//! is another by [`subscribe`](Sender::subscribe).
//!
//! # Fairness
//!
//! All who wait are woken together.
//!
//! # Cancel safety
//!
//! Every wait may be dropped at any moment. A change that it has not returned
//! stays unseen.
//!
//! # Memory ordering
//!
//! What was done before a value was sent is visible to whoever has seen it.
//!
//! # Deadlock
//!
//! A [`Ref`] locks the value for reading. Drop it soon: while there is one a send
//! blocks its thread. A send on the thread that has it blocks for ever. It cannot be
//! kept over an `await` in a task that moves between threads.
//!
//! # Better than the original
//!
//! - All receivers wait in one queue, and a change is one event for all of them;
//!   the original spreads them by chance over eight queues, which a change wakes
//!   one after the other.
//! - A waker that panics keeps no other receiver asleep.
//! - A send that waits for a `Ref` to go stops other borrows for 5 ms at most. So a
//!   thread may borrow while it has a `Ref`, which in the original may deadlock, and
//!   one that keeps its `Ref` for long delays sends alone.
//! - `Debug` of the handles whatever the value is.
//!
//! # Differences
//!
//! The text of the handles' `Debug`, which the original does not document; ours
//! does not lock the value.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::MutexGuard;

use anysync::watch as core;

use crate::Tokio;

pub mod error {
    //! How a watch can fail.

    use std::error::Error;
    use std::fmt;

    /// There is no receiver; here is the value that was not sent.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct SendError<T>(pub T);

    impl<T> fmt::Debug for SendError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("SendError").finish_non_exhaustive()
        }
    }

    impl<T> fmt::Display for SendError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("channel closed")
        }
    }

    impl<T> Error for SendError<T> {}

    /// All senders are gone.
    #[derive(Clone, Debug)]
    pub struct RecvError(pub(super) ());

    impl From<anysync::watch::RecvError> for RecvError {
        fn from(_: anysync::watch::RecvError) -> Self {
            Self(())
        }
    }

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("channel closed")
        }
    }

    impl Error for RecvError {}
}

use error::{RecvError, SendError};

/// A value to watch, its first sender and its first receiver, which has seen the
/// first value.
///
/// ```
/// let (sender, receiver) = anysync_tokio::sync::watch::channel("hello");
/// assert_eq!(*receiver.borrow(), "hello");
/// assert!(!receiver.has_changed().unwrap());
/// sender.send("goodbye").unwrap();
/// assert!(receiver.has_changed().unwrap());
/// ```
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = core::channel(init);
    (Sender(sender), Receiver(receiver))
}

/// Replaces the value; made by [`channel`] or [`Sender::new`].
///
/// Clones send to the same receivers.
#[derive(Default)]
pub struct Sender<T>(core::Sender<T>);

impl<T> Sender<T> {
    /// A value that nobody watches yet.
    ///
    /// ```
    /// let sender = anysync_tokio::sync::watch::Sender::new(1);
    /// assert!(sender.is_closed());
    /// assert_eq!(*sender.subscribe().borrow(), 1);
    /// ```
    pub fn new(init: T) -> Self {
        Self(core::Sender::new(init))
    }

    /// Replaces the value and wakes whoever waits for a change.
    ///
    /// ```
    /// let (sender, receiver) = anysync_tokio::sync::watch::channel(1);
    /// assert!(sender.send(2).is_ok());
    /// assert_eq!(*receiver.borrow(), 2);
    /// drop(receiver);
    /// assert_eq!(sender.send(3).unwrap_err().0, 3);
    /// assert_eq!(*sender.borrow(), 2);
    /// ```
    ///
    /// # Errors
    ///
    /// With the value, if there is no receiver.
    /// [`send_replace`](Sender::send_replace) stores it all the same.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.0
            .send(value)
            .map_err(|core::SendError(value)| SendError(value))
    }

    /// Changes the value in place, whether or not somebody watches, and counts it
    /// as a change.
    ///
    /// The value is locked meanwhile: `modify` must not look at the same watch.
    ///
    /// ```
    /// let (sender, receiver) = anysync_tokio::sync::watch::channel(vec![1]);
    /// sender.send_modify(|list| list.push(2));
    /// assert_eq!(*receiver.borrow(), [1, 2]);
    /// ```
    ///
    /// # Panics
    ///
    /// Passes on a panic of `modify`: then nobody is woken, whatever it has done
    /// to the value.
    pub fn send_modify<F>(&self, modify: F)
    where
        F: FnOnce(&mut T),
    {
        self.0.send_modify(modify);
    }

    /// Changes the value in place; `modify` says whether that counts as a change,
    /// which is also the result.
    ///
    /// The value is locked meanwhile: `modify` must not look at the same watch.
    ///
    /// ```
    /// let (sender, receiver) = anysync_tokio::sync::watch::channel(1);
    /// let raise = |to: u32| {
    ///     sender.send_if_modified(|value| {
    ///         let is_more = to > *value;
    ///         *value = to.max(*value);
    ///         is_more
    ///     })
    /// };
    /// assert!(raise(2));
    /// assert!(!raise(1));
    /// assert_eq!(*receiver.borrow(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// Passes on a panic of `modify`, which then counts as no change.
    pub fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        self.0.send_if_modified(modify)
    }

    /// Replaces the value, whether or not somebody watches; the result is the old
    /// one.
    ///
    /// ```
    /// let sender = anysync_tokio::sync::watch::Sender::new(1);
    /// assert_eq!(sender.send_replace(2), 1);
    /// assert_eq!(*sender.borrow(), 2);
    /// ```
    pub fn send_replace(&self, value: T) -> T {
        self.0.send_replace(value)
    }

    /// The latest value, locked for reading until the result is dropped. Keep it
    /// for a short time: see the [module](self#deadlock).
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref::new(self.0.borrow())
    }

    /// Whether there is no receiver, at this moment.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Waits until there is no receiver; ready at once if there is none now.
    ///
    /// ```
    /// use anysync_tokio::sync::watch;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, receiver) = watch::channel(1);
    /// tokio::spawn(async move { drop(receiver) });
    /// sender.closed().await;
    /// assert!(sender.is_closed());
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment.
    pub async fn closed(&self) {
        self.0.closed(Tokio).await;
    }

    /// Another receiver, which has seen the present value.
    ///
    /// ```
    /// let sender = anysync_tokio::sync::watch::Sender::new(1);
    /// let receiver = sender.subscribe();
    /// assert!(!receiver.has_changed().unwrap());
    /// sender.send(2).unwrap();
    /// assert!(receiver.has_changed().unwrap());
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver(self.0.subscribe())
    }

    /// How many receivers there are, at this moment.
    pub fn receiver_count(&self) -> usize {
        self.0.receiver_count()
    }

    /// How many senders there are, at this moment.
    pub fn sender_count(&self) -> usize {
        self.0.sender_count()
    }

    /// Whether both send to the same receivers.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

/// Looks at the value and waits for it to change; made by [`channel`] or
/// [`Sender::subscribe`].
///
/// A clone has seen what the original has seen.
pub struct Receiver<T>(core::Receiver<T>);

impl<T> Receiver<T> {
    /// The latest value, locked for reading until the result is dropped; it stays
    /// unseen, if it was. Keep it for a short time: see the
    /// [module](self#deadlock).
    ///
    /// ```
    /// let (sender, receiver) = anysync_tokio::sync::watch::channel(1);
    /// sender.send(2).unwrap();
    /// assert_eq!(*receiver.borrow(), 2);
    /// assert!(receiver.has_changed().unwrap());
    /// ```
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref::new(self.0.borrow())
    }

    /// The latest value, locked for reading until the result is dropped, and now
    /// seen: [`changed`](Receiver::changed) waits for a newer one.
    ///
    /// ```
    /// let (sender, mut receiver) = anysync_tokio::sync::watch::channel(1);
    /// sender.send(2).unwrap();
    /// assert_eq!(*receiver.borrow_and_update(), 2);
    /// assert!(!receiver.has_changed().unwrap());
    /// ```
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        Ref::new(self.0.borrow_and_update())
    }

    /// Whether there is a value that this receiver has not seen.
    ///
    /// # Errors
    ///
    /// When all senders are gone, whether or not the last value has been seen.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        self.0.has_changed().map_err(RecvError::from)
    }

    /// Whether all senders are gone.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Makes the present value unseen, so that [`changed`](Receiver::changed) is
    /// ready at once.
    ///
    /// ```
    /// let (_sender, mut receiver) = anysync_tokio::sync::watch::channel(1);
    /// receiver.mark_changed();
    /// assert!(receiver.has_changed().unwrap());
    /// receiver.mark_unchanged();
    /// assert!(!receiver.has_changed().unwrap());
    /// ```
    pub fn mark_changed(&mut self) {
        self.0.mark_changed();
    }

    /// Makes the present value seen.
    pub fn mark_unchanged(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits for a value that this receiver has not seen, and marks it as seen;
    /// ready at once if there is one.
    ///
    /// ```
    /// use anysync_tokio::sync::watch;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, mut receiver) = watch::channel(1);
    /// tokio::spawn(async move { sender.send(2) });
    /// assert!(receiver.changed().await.is_ok());
    /// assert_eq!(*receiver.borrow(), 2);
    /// assert!(receiver.changed().await.is_err());
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When all senders are gone and the last value has been seen.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment: a change that it has not returned stays
    /// unseen.
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        self.0.changed(Tokio).await.map_err(RecvError::from)
    }

    /// Waits until the value satisfies `f`, looking at the present one first; the
    /// result is locked for reading, and marked as seen.
    ///
    /// `f` runs while the value is locked, and so must not send.
    ///
    /// ```
    /// use anysync_tokio::sync::watch;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, mut receiver) = watch::channel(1);
    /// tokio::spawn(async move {
    ///     for level in 2..=5 {
    ///         sender.send(level).unwrap();
    ///         tokio::task::yield_now().await;
    ///     }
    /// });
    /// let level = *receiver.wait_for(|level| *level >= 3).await.unwrap();
    /// assert_eq!(level, 3);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When all senders are gone and the last value does not satisfy it.
    ///
    /// # Panics
    ///
    /// Passes on a panic of `f`; the watch can be used on.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment. Values at which it has looked in vain count
    /// as seen.
    pub async fn wait_for(&mut self, f: impl FnMut(&T) -> bool) -> Result<Ref<'_, T>, RecvError> {
        let value = self.0.wait_for(Tokio, f).await?;
        Ok(Ref::new(value))
    }

    /// Whether both watch the same value.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

/// The value, locked for reading: see the [module](self#deadlock).
pub struct Ref<'a, T> {
    inner: core::Ref<'a, T>,
    // Stays on its thread, as in the original: it is not to be kept long.
    _on_this_thread: PhantomData<MutexGuard<'static, ()>>,
}

impl<'a, T> Ref<'a, T> {
    fn new(inner: core::Ref<'a, T>) -> Self {
        Self {
            inner,
            _on_this_thread: PhantomData,
        }
    }

    /// Whether the receiver had not seen this value when it borrowed it. Always
    /// `false` for a sender's.
    ///
    /// ```
    /// let (sender, mut receiver) = anysync_tokio::sync::watch::channel(1);
    /// sender.send(2).unwrap();
    /// assert!(receiver.borrow_and_update().has_changed());
    /// assert!(!receiver.borrow_and_update().has_changed());
    /// assert!(!sender.borrow().has_changed());
    /// ```
    pub fn has_changed(&self) -> bool {
        self.inner.has_changed()
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

// As in the original: a panic that comes while the value is changed leaves it as
// it is at that moment, and the watch whole.
impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}
impl<T: RefUnwindSafe> UnwindSafe for Ref<'_, T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for Ref<'_, T> {}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ref")
            .field("inner", &**self)
            .field("has_changed", &self.has_changed())
            .finish()
    }
}

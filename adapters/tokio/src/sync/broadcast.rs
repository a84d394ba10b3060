//! Every message to every receiver, in order: the drop-in for
//! [`tokio::sync::broadcast`].
//!
//! A [`Receiver`] gets a clone of each message that is sent while it is there; the
//! message itself is dropped when all have read it. A send never waits: when more
//! messages are unread than the channel holds, the oldest goes, and a receiver
//! that has not read it is told how many it missed.
//!
//! ```
//! use anysync_tokio::sync::broadcast;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (sender, mut first) = broadcast::channel(16);
//! let mut second = sender.subscribe();
//! tokio::spawn(async move { sender.send("hello") });
//! assert_eq!(first.recv().await.unwrap(), "hello");
//! assert_eq!(second.recv().await.unwrap(), "hello");
//! # }
//! ```
//!
//! # Lag
//!
//! ```
//! use anysync_tokio::sync::broadcast::{self, error::RecvError};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (sender, mut receiver) = broadcast::channel(2);
//! for number in 1..=5 {
//!     sender.send(number).unwrap();
//! }
//! assert_eq!(receiver.recv().await, Err(RecvError::Lagged(3)));
//! assert_eq!(receiver.recv().await, Ok(4));
//! assert_eq!(receiver.recv().await, Ok(5));
//! # }
//! ```
//!
//! # The end
//!
//! When the last sender is gone, receivers read what there is and then get an
//! error. When the last receiver is gone, sends fail until there is another by
//! [`subscribe`](Sender::subscribe).
//!
//! # Fairness
//!
//! All receivers are woken together.
//!
//! # Cancel safety
//!
//! Every wait may be dropped at any moment: a message that it has not returned is
//! still there.
//!
//! # Memory ordering
//!
//! What was done before a message was sent is visible to the task that receives it.
//!
//! # Better than the original
//!
//! - Room for messages is allocated as it is needed, not all at once, and freed as
//!   they are read.
//! - A receiver that is dropped holds up no other task, however far behind it is.
//! - No lock of the channel is held while a message is cloned or dropped, only
//!   one of that message while it is cloned: a slow clone holds up those that read the
//!   same message, and no other task.
//! - A waker that panics keeps no other receiver asleep.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Mutex, PoisonError};

use anysync::{Bare, broadcast as core};

use super::blocking;
use crate::Tokio;

pub mod error;

use error::{RecvError, SendError, TryRecvError};

/// A message. Receivers clone it by turns, so that it need only be `Send`.
struct Message<T> {
    value: Mutex<T>,
    is_clone: bool,
}

impl<T> Message<T> {
    fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            is_clone: false,
        }
    }

    fn into_inner(self) -> T {
        // A clone that panicked has had no `&mut`.
        let value = self.value.into_inner();
        value.unwrap_or_else(PoisonError::into_inner)
    }

    /// What a receiver gets: a clone, as the original promises. The last to read
    /// is handed the message itself by core.
    fn received(mut self) -> T
    where
        T: Clone,
    {
        if self.is_clone {
            return self.into_inner();
        }
        // Nobody else reads it: no lock.
        let value = self.value.get_mut();
        let clone = value.unwrap_or_else(PoisonError::into_inner).clone();
        // If its drop panics, what was to be returned is dropped, and not leaked.
        drop(self);
        clone
    }
}

impl<T: Clone> Clone for Message<T> {
    fn clone(&self) -> Self {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            value: Mutex::new(value.clone()),
            is_clone: true,
        }
    }
}

/// A broadcast that keeps the latest `capacity` messages for receivers who have
/// not read them: rounded up to the next power of two, as the original does.
///
/// ```
/// let (sender, mut receiver) = anysync_tokio::sync::broadcast::channel(4);
/// assert_eq!(sender.send(1).unwrap(), 1);
/// assert_eq!(receiver.try_recv(), Ok(1));
/// ```
///
/// # Panics
///
/// If `capacity` is 0, or above `usize::MAX / 2`.
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(capacity);
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// Sends to every [`Receiver`]; made by [`channel`] or [`Sender::new`].
///
/// Clones send to the same receivers. When the last one is dropped the broadcast
/// is closed.
pub struct Sender<T>(core::Sender<Message<T>>);

impl<T> Sender<T> {
    /// A broadcast that nobody receives yet, as of [`channel`].
    ///
    /// ```
    /// let sender = anysync_tokio::sync::broadcast::Sender::new(4);
    /// assert!(sender.send(1).is_err());
    /// let mut receiver = sender.subscribe();
    /// sender.send(2).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(2));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`channel`].
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "broadcast channel capacity cannot be zero");
        assert!(
            capacity <= usize::MAX >> 1,
            "broadcast channel capacity exceeded `usize::MAX / 2`"
        );
        Self(core::Sender::new(capacity.next_power_of_two()))
    }

    /// Sends a message to the receivers that there are now; the result is how
    /// many. Never waits.
    ///
    /// `Ok` does not mean that all will receive it: they may lag, or be dropped.
    ///
    /// ```
    /// use anysync_tokio::sync::broadcast;
    ///
    /// let (sender, receiver) = broadcast::channel(4);
    /// assert_eq!(sender.send(1).unwrap(), 1);
    /// drop(receiver);
    /// assert_eq!(sender.send(2).unwrap_err().0, 2);
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if there is no receiver.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let sent = self.0.send(Message::new(value));
        sent.map_err(|error| SendError(error.into_inner().into_inner()))
    }

    /// Another receiver, of what is sent from now on.
    ///
    /// ```
    /// let (sender, mut first) = anysync_tokio::sync::broadcast::channel(4);
    /// sender.send(1).unwrap();
    /// let mut second = sender.subscribe();
    /// sender.send(2).unwrap();
    /// assert_eq!(first.try_recv(), Ok(1));
    /// assert_eq!(second.try_recv(), Ok(2));
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver(self.0.subscribe())
    }

    /// A sender that does not keep the broadcast open.
    #[must_use = "the sender itself stays as it is"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender(self.0.downgrade())
    }

    /// How many messages some receiver has not read.
    ///
    /// ```
    /// let (sender, mut first) = anysync_tokio::sync::broadcast::channel(4);
    /// let mut second = sender.subscribe();
    /// sender.send(1).unwrap();
    /// first.try_recv().unwrap();
    /// assert_eq!(sender.len(), 1);
    /// second.try_recv().unwrap();
    /// assert!(sender.is_empty());
    /// ```
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether every message has been read by everybody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many receivers there are, at this moment.
    pub fn receiver_count(&self) -> usize {
        self.0.receiver_count()
    }

    /// Whether both send to the same receivers.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// Waits until there is no receiver; ready at once if there is none now.
    ///
    /// ```
    /// use anysync_tokio::sync::broadcast;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, receiver) = broadcast::channel::<u32>(4);
    /// tokio::spawn(async move { drop(receiver) });
    /// sender.closed().await;
    /// assert_eq!(sender.receiver_count(), 0);
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment.
    pub async fn closed(&self) {
        self.0.closed(Bare).await;
    }

    /// How many senders there are, at this moment.
    pub fn strong_count(&self) -> usize {
        self.0.strong_count()
    }

    /// How many weak senders there are, at this moment.
    pub fn weak_count(&self) -> usize {
        self.0.weak_count()
    }
}

/// A [`Sender`] that does not keep the broadcast open.
///
/// ```
/// let (sender, receiver) = anysync_tokio::sync::broadcast::channel::<u32>(4);
/// let weak = sender.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(sender);
/// assert!(weak.upgrade().is_none() && receiver.is_closed());
/// ```
pub struct WeakSender<T>(core::WeakSender<Message<T>>);

impl<T> WeakSender<T> {
    /// A sender, unless the last one is gone.
    #[must_use]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.0.upgrade().map(Sender)
    }

    /// How many senders there are, at this moment.
    pub fn strong_count(&self) -> usize {
        self.0.strong_count()
    }

    /// How many weak senders there are, at this moment.
    pub fn weak_count(&self) -> usize {
        self.0.weak_count()
    }
}

/// Receives every message that is sent while it is there; made by [`channel`],
/// [`Sender::subscribe`] or [`resubscribe`](Receiver::resubscribe).
pub struct Receiver<T>(core::Receiver<Message<T>>);

impl<T> Receiver<T> {
    /// How many messages were sent that this receiver has not read; those that it
    /// will miss count too, so it may be more than the capacity.
    ///
    /// ```
    /// let (sender, receiver) = anysync_tokio::sync::broadcast::channel(2);
    /// for number in 0..5 {
    ///     sender.send(number).unwrap();
    /// }
    /// assert_eq!(receiver.len(), 5);
    /// assert_eq!(sender.len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has read everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both receive from the same senders.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// How many senders there are, at this moment.
    pub fn sender_strong_count(&self) -> usize {
        self.0.sender_strong_count()
    }

    /// How many weak senders there are, at this moment.
    pub fn sender_weak_count(&self) -> usize {
        self.0.sender_weak_count()
    }

    /// Whether there is no sender any more; there may be messages to read.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl<T: Clone> Receiver<T> {
    /// Another receiver, of what is sent from now on: what this one has not read
    /// it does not get.
    ///
    /// ```
    /// let (sender, first) = anysync_tokio::sync::broadcast::channel(4);
    /// sender.send(1).unwrap();
    /// let mut second = first.resubscribe();
    /// sender.send(2).unwrap();
    /// assert_eq!(second.try_recv(), Ok(2));
    /// ```
    pub fn resubscribe(&self) -> Self {
        Self(self.0.resubscribe())
    }

    /// Waits for the next message.
    ///
    /// ```
    /// use anysync_tokio::sync::broadcast::{self, error::RecvError};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, mut receiver) = broadcast::channel(4);
    /// tokio::spawn(async move { sender.send(1) });
    /// assert_eq!(receiver.recv().await, Ok(1));
    /// assert_eq!(receiver.recv().await, Err(RecvError::Closed));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`](RecvError::Closed) when no message is left and none will come,
    /// or [`Lagged`](RecvError::Lagged) once, with the number of messages that
    /// this receiver missed; the next call goes on with the oldest that is left.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the message's `Clone`, or of its `Drop` if this is the last
    /// to receive it: the message counts as read.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment: a message that it has not returned is still
    /// there.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let received = self.0.recv(Tokio).await;
        Ok(received?.received())
    }

    /// The next message, if there is one. Never waits.
    ///
    /// ```
    /// use anysync_tokio::sync::broadcast::{self, error::TryRecvError};
    ///
    /// let (sender, mut receiver) = broadcast::channel(4);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.send(1).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Empty`](TryRecvError::Empty) if one may come; else as
    /// [`recv`](Receiver::recv).
    ///
    /// # Panics
    ///
    /// As [`recv`](Receiver::recv).
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        Ok(self.0.try_recv()?.received())
    }

    /// [`recv`](Receiver::recv) on a thread, which it blocks.
    ///
    /// ```
    /// let (sender, mut receiver) = anysync_tokio::sync::broadcast::channel(4);
    /// std::thread::spawn(move || sender.send(1));
    /// assert_eq!(receiver.blocking_recv(), Ok(1));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Receiver::recv).
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks; and as [`recv`](Receiver::recv).
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        blocking::block_on(self.recv())
    }
}

// As in the original: what a panic of a message's own code leaves half done is
// that message.
impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}
impl<T> UnwindSafe for WeakSender<T> {}
impl<T> RefUnwindSafe for WeakSender<T> {}
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Sender")
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::WeakSender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Receiver")
    }
}

//! Messages from any number of senders to one receiver, in the order in which
//! they were sent: the drop-in for [`tokio::sync::mpsc`].
//!
//! [`channel`] makes one that holds so many messages; whoever finds it full
//! waits. [`unbounded_channel`] makes one in which a send never waits.
//!
//! ```
//! use anysync_tokio::sync::mpsc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (sender, mut receiver) = mpsc::channel(2);
//! for part in 0..3 {
//!     let sender = sender.clone();
//!     tokio::spawn(async move { sender.send(part).await });
//! }
//! drop(sender);
//! let mut sum = 0;
//! while let Some(part) = receiver.recv().await {
//!     sum += part;
//! }
//! assert_eq!(sum, 3);
//! # }
//! ```
//!
//! # The end
//!
//! When the last sender is gone the receiver gets what is left, and then `None`.
//! When the receiver is dropped, what is left is dropped with it, and sends fail.
//! To end in good order call `close` and receive until `None`: nothing more can
//! be sent then, except by a [`Permit`] that is out; the receiver waits for those.
//!
//! # Between threads and tasks
//!
//! What is not `async` works anywhere, without a runtime too. A thread sends by
//! [`blocking_send`](Sender::blocking_send) and receives by
//! [`blocking_recv`](Receiver::blocking_recv). Only
//! [`send_timeout`](Sender::send_timeout) needs tokio's timer.
//!
//! # Fairness
//!
//! Senders who wait get the free slots first in, first out, those who want many at
//! once too; nobody passes them.
//!
//! # Cancel safety
//!
//! Every wait may be dropped at any moment. A receive that is dropped takes no
//! message along. A [`send`](Sender::send) that is dropped has not sent, and its
//! message is dropped with it: to keep it, [`reserve`](Sender::reserve) a slot
//! first. A sender that is dropped while it waits loses its place in the queue.
//!
//! # Memory ordering
//!
//! What was done before a message was sent is visible to who receives it.
//!
//! # Better than the original
//!
//! - Room for messages is allocated as it is needed, at first for four, and follows
//!   what is in the channel; the original keeps blocks of 32 slots, however large.
//!   Waiting allocates nothing.
//! - A sender that a task no longer polls does not keep a slot from another of
//!   the same task.
//! - A [`reserve_many`](Sender::reserve_many) that waits holds no slot yet. The
//!   original takes them one by one: a receiver that has closed waits for it too.
//! - A message that is sent by a permit after the receiver is gone is dropped at
//!   once, not with the last handle.
//! - A waker that panics loses no message and no other wake-up.
//!
//! # Differences
//!
//! The text of `Debug` of the handles, which the original does not document.

/// The methods that the receivers of both kinds have. In the examples `$make` makes
/// the channel, and `$sent` comes after a send.
macro_rules! receiver_methods {
    ($make:literal, $sent:literal) => {
        /// The next message, for which it waits if need be; `None` when the
        /// channel is closed and empty.
        ///
        /// ```
        /// use anysync_tokio::sync::mpsc;
        ///
        /// # #[tokio::main(flavor = "current_thread")]
        /// # async fn main() {
        #[doc = concat!("let (sender, mut receiver) = mpsc::", $make, ";")]
        #[doc = concat!("tokio::spawn(async move { sender.send(1)", $sent, " });")]
        /// assert_eq!(receiver.recv().await, Some(1));
        /// assert_eq!(receiver.recv().await, None);
        /// # }
        /// ```
        ///
        /// # Cancel safety
        ///
        /// May be dropped at any moment: no message is lost by it.
        ///
        /// # Memory ordering
        ///
        /// Acquires what was done before the message was sent.
        pub async fn recv(&mut self) -> Option<T> {
            poll_fn(|cx| self.poll_recv(cx)).await
        }

        /// Waits for a message, and moves what there is to the end of `buffer`:
        /// `limit` messages at most. The result is how many; 0 when the channel
        /// is closed and empty, or `limit` is 0. Many are moved in rounds: senders that
        /// wait may send between two of them.
        ///
        /// ```
        /// use anysync_tokio::sync::mpsc;
        ///
        /// # #[tokio::main(flavor = "current_thread")]
        /// # async fn main() {
        #[doc = concat!("let (sender, mut receiver) = mpsc::", $make, ";")]
        #[doc = concat!("sender.send(1)", $sent, ".unwrap();")]
        #[doc = concat!("sender.send(2)", $sent, ".unwrap();")]
        /// let mut received = vec![0];
        /// assert_eq!(receiver.recv_many(&mut received, 10).await, 2);
        /// assert_eq!(received, [0, 1, 2]);
        /// # }
        /// ```
        ///
        /// # Cancel safety
        ///
        /// May be dropped at any moment: no message is lost by it, and `buffer`
        /// is as it was.
        pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
            poll_fn(|cx| self.poll_recv_many(cx, buffer, limit)).await
        }

        /// The next message, if it is there. Never waits.
        ///
        /// ```
        /// use anysync_tokio::sync::mpsc::{self, error::TryRecvError};
        ///
        #[doc = concat!("let (sender, mut receiver) = mpsc::", $make, ";")]
        /// assert_eq!(receiver.try_recv(), Err::<u32, _>(TryRecvError::Empty));
        /// drop(sender);
        /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        /// ```
        ///
        /// # Errors
        ///
        /// [`Empty`](TryRecvError::Empty) if one may come,
        /// [`Disconnected`](TryRecvError::Disconnected) if none will.
        pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
            self.0.try_recv_in_place().map_err(TryRecvError::from)
        }

        /// [`recv`](Self::recv) on a thread, which it blocks.
        ///
        /// # Panics
        ///
        /// On a thread that runs tasks.
        #[track_caller]
        pub fn blocking_recv(&mut self) -> Option<T> {
            blocking::block_on(self.recv())
        }

        /// [`recv_many`](Self::recv_many) on a thread, which it blocks.
        ///
        /// # Panics
        ///
        /// On a thread that runs tasks.
        #[track_caller]
        pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
            blocking::block_on(self.recv_many(buffer, limit))
        }

        /// Closes the channel for good: nothing more can be sent. What is in it is
        /// still received.
        pub fn close(&mut self) {
            self.0.close();
        }

        /// Whether the channel is closed: by [`close`](Self::close), or because
        /// all its senders are gone. Messages may be left in it all the same.
        pub fn is_closed(&self) -> bool {
            self.0.is_closed()
        }

        /// Whether no message is in the channel, at this moment.
        pub fn is_empty(&self) -> bool {
            self.0.is_empty()
        }

        /// How many messages are in the channel, at this moment.
        pub fn len(&self) -> usize {
            self.0.len()
        }

        /// [`recv`](Self::recv) for futures that are written by hand. Only the
        /// waker of the latest call is woken.
        pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
            self.0.poll_recv(&Tokio, cx).map(Result::ok)
        }

        /// [`recv_many`](Self::recv_many) for futures that are written by hand.
        /// Only the waker of the latest call is woken.
        pub fn poll_recv_many(
            &mut self,
            cx: &mut Context<'_>,
            buffer: &mut Vec<T>,
            limit: usize,
        ) -> Poll<usize> {
            if limit == 0 {
                return Tokio.poll_spend(cx).map(|()| 0);
            }
            self.0.poll_recv_many(&Tokio, cx, buffer, limit)
        }

        /// How many senders there are, at this moment.
        pub fn sender_strong_count(&self) -> usize {
            self.0.sender_count()
        }

        /// How many weak senders there are, at this moment.
        pub fn sender_weak_count(&self) -> usize {
            self.0.weak_sender_count()
        }
    };
}

/// The methods that the senders of both kinds have.
macro_rules! sender_methods {
    ($weak:ident, $make:literal) => {
        /// Waits until the channel is closed: until the receiver is gone, or has
        /// closed.
        ///
        /// ```
        /// use anysync_tokio::sync::mpsc;
        ///
        /// # #[tokio::main(flavor = "current_thread")]
        /// # async fn main() {
        #[doc = concat!("let (sender, receiver) = mpsc::", $make, ";")]
        /// tokio::spawn(async move { drop(receiver) });
        /// sender.closed().await;
        /// assert!(sender.is_closed());
        /// # }
        /// ```
        ///
        /// # Fairness
        ///
        /// All who wait are woken together.
        ///
        /// # Cancel safety
        ///
        /// May be dropped at any moment.
        pub async fn closed(&self) {
            self.0.closed(Bare).await;
        }

        /// Whether the receiver is gone, or has closed the channel.
        pub fn is_closed(&self) -> bool {
            self.0.is_closed()
        }

        /// Whether both send to the same receiver.
        pub fn same_channel(&self, other: &Self) -> bool {
            self.0.same_channel(&other.0)
        }

        /// A handle that does not keep the channel open.
        #[must_use = "the sender itself stays as it is"]
        pub fn downgrade(&self) -> $weak<T> {
            $weak(self.0.downgrade())
        }

        /// How many senders there are, at this moment.
        pub fn strong_count(&self) -> usize {
            self.0.sender_count()
        }

        /// How many weak senders there are, at this moment.
        pub fn weak_count(&self) -> usize {
            self.0.weak_sender_count()
        }
    };
}

/// What a kind of weak sender can do.
macro_rules! weak_sender {
    ($weak:ident of $strong:ident) => {
        impl<T> $weak<T> {
            /// A sender, unless the last one is gone.
            pub fn upgrade(&self) -> Option<$strong<T>> {
                self.0.upgrade().map($strong)
            }

            /// How many senders there are, at this moment.
            pub fn strong_count(&self) -> usize {
                self.0.sender_count()
            }

            /// How many weak senders there are, at this moment.
            pub fn weak_count(&self) -> usize {
                self.0.weak_sender_count()
            }
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl<T> fmt::Debug for $weak<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($weak))
            }
        }
    };
}

mod bounded;
pub mod error;
mod permit;
mod unbounded;

pub use bounded::{Receiver, Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use unbounded::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};

//! The drop-in for [async-channel](https://docs.rs/async-channel/2.5) 2.5: change
//! `use async_channel::` (or `use smol::channel::`) to
//! `use anysync_smol::channel::`.
//!
//! Messages from any number of senders to any number of receivers, each to one of
//! them, in the order in which they were sent. When all senders or all receivers
//! are gone, or somebody calls `close`, nothing more can be sent; what is there
//! can still be received.
//!
//! ```
//! use anysync_smol::channel;
//!
//! smol::block_on(async {
//!     let (sender, receiver) = channel::bounded(2);
//!     let numbers = smol::spawn(async move {
//!         for number in 1..=4 {
//!             sender.send(number).await?;
//!         }
//!         Ok::<_, channel::SendError<i32>>(())
//!     });
//!     let mut sum = 0;
//!     while let Ok(number) = receiver.recv().await {
//!         sum += number;
//!     }
//!     assert_eq!(sum, 10);
//!     assert_eq!(numbers.await, Ok(()));
//! });
//! ```
//!
//! # Fairness
//!
//! Messages are received in the order in which they were sent. Among the waits of one
//! side it is first come, first served, as in the original: a slot that becomes free
//! and a message wake the first wait in the queue, and whichever task comes first has
//! it. Unlike there, no wait starves: one that has come too late four times is handed
//! the next. A wait that is not polled stops no other.
//!
//! # Cancel safety
//!
//! A wait may be dropped at any moment. A receive that is dropped takes no
//! message along; a [`Send`] that is dropped has not sent, and its message is
//! dropped with it.
//!
//! # Better than the original
//!
//! - No wait starves.
//! - A wait lies in its future; in the original each allocates. A
//!   [`Receiver`] that waits as a `Stream` allocates once.
//! - An idle bounded channel allocates nothing for its messages; the original
//!   allocates all slots at once.
//! - A message wakes one waiter; the original wakes every stream.
//! - When the last receiver is gone its messages are dropped; in the original
//!   when the last handle of any kind is.
//!
//! # Differences
//!
//! - A wait that has come too late four times is handed the next message or slot. If
//!   its task does not come for that either, others get it at their third try: until
//!   then a [`try_recv`](Receiver::try_recv) may find nothing while
//!   [`len`](Receiver::len) is not 0.
//! - A [`force_send`](Sender::force_send) that finds every slot promised to sends
//!   that waited for it, and no message to replace, gives its own message back.
//! - A send that was handed its slot before the channel was closed still sends, and
//!   receivers wait for it.
//! - [`Receiver`] is `Unpin`.
//!
//! # Without the standard library
//!
//! As async-channel, without its default features: what blocks a thread is behind the
//! feature `std`, and smol's executors are behind `executor`.

use ::core::fmt;
use ::core::pin::Pin;
use ::core::task::{Context, Poll};

use anysync::Bare;
#[cfg(feature = "std")]
use anysync::Block;
use anysync::Fairness;
use anysync::channel as core;
use futures_core::stream::{FusedStream, Stream};

use crate::translate::future;

mod error;

pub use error::{RecvError, SendError, TryRecvError, TrySendError};

/// A channel for up to `cap` messages; a send that finds it full waits.
///
/// ```
/// use anysync_smol::channel::{self, TrySendError};
///
/// let (sender, receiver) = channel::bounded(1);
/// assert_eq!(sender.try_send(1), Ok(()));
/// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
/// assert_eq!(receiver.try_recv(), Ok(1));
/// ```
///
/// # Panics
///
/// If `cap` is 0, or above `usize::MAX / 8`.
#[track_caller]
pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    assert!(cap > 0, "capacity cannot be zero");
    let (sender, receiver) = core::bounded_with_fairness(cap, Fairness::Eventual);
    (Sender(sender), Receiver(receiver))
}

/// A channel for any number of messages, in which a send never waits.
///
/// ```
/// let (sender, receiver) = anysync_smol::channel::unbounded();
/// for number in 0..1_000 {
///     sender.try_send(number).unwrap();
/// }
/// assert_eq!(receiver.len(), 1_000);
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = core::unbounded_with_fairness(Fairness::Eventual);
    (Sender(sender), Receiver(receiver))
}

/// The methods that both handles have.
macro_rules! common {
    () => {
        /// Closes the channel for good; `false` if it was closed already. What is
        /// in it can still be received.
        ///
        /// ```
        /// use anysync_smol::channel::{self, RecvError, SendError};
        ///
        /// # smol::block_on(async {
        /// let (sender, receiver) = channel::unbounded();
        /// sender.send(1).await.unwrap();
        /// assert!(receiver.close());
        /// assert!(!sender.close());
        /// assert_eq!(sender.send(2).await, Err(SendError(2)));
        /// assert_eq!(receiver.recv().await, Ok(1));
        /// assert_eq!(receiver.recv().await, Err(RecvError));
        /// # })
        /// ```
        pub fn close(&self) -> bool {
            self.0.close()
        }

        /// Whether the channel is closed: by `close`, or because all its senders
        /// or all its receivers are gone.
        pub fn is_closed(&self) -> bool {
            self.0.is_closed()
        }

        /// Whether no message is in the channel, at this moment.
        pub fn is_empty(&self) -> bool {
            self.0.is_empty()
        }

        /// Whether a `try_send` would find no slot, at this moment. An unbounded
        /// channel is never full.
        pub fn is_full(&self) -> bool {
            self.0.is_full()
        }

        /// How many messages are in the channel, at this moment.
        pub fn len(&self) -> usize {
            self.0.len()
        }

        /// How many messages it can hold; `None` if it is unbounded.
        pub fn capacity(&self) -> Option<usize> {
            self.0.capacity()
        }

        /// How many [`Receiver`]s there are, at this moment.
        pub fn receiver_count(&self) -> usize {
            self.0.receiver_count()
        }

        /// How many [`Sender`]s there are, at this moment.
        pub fn sender_count(&self) -> usize {
            self.0.sender_count()
        }

        /// Whether this is of the same channel as `other`.
        pub fn same_channel(&self, other: &Self) -> bool {
            self.0.same_channel(&other.0)
        }
    };
}

/// Declares a weak handle; its documentation is that of the strong one.
macro_rules! weak {
    ($weak:ident of $strong:ident) => {
        impl<T> $weak<T> {
            /// A strong handle, unless the channel is closed.
            pub fn upgrade(&self) -> Option<$strong<T>> {
                let strong = self.0.upgrade().filter(|strong| !strong.is_closed());
                strong.map($strong)
            }
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }
    };
}

/// The side of a channel that sends. When the last is dropped the channel is
/// closed.
///
/// Fairness and cancel safety are told in the [module](self).
pub struct Sender<T>(core::Sender<T>);

impl<T> Sender<T> {
    /// Sends if there is a free slot that nobody waits for. Never waits.
    ///
    /// ```
    /// use anysync_smol::channel::{self, TrySendError};
    ///
    /// let (sender, receiver) = channel::bounded(1);
    /// assert_eq!(sender.try_send(1), Ok(()));
    /// drop(receiver);
    /// assert_eq!(sender.try_send(2), Err(TrySendError::Closed(2)));
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if the channel is full or closed.
    pub fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        self.0.try_send(msg).map_err(TrySendError::from)
    }

    /// Sends, waiting for a slot if need be.
    ///
    /// ```
    /// # smol::block_on(async {
    /// use anysync_smol::channel::{self, SendError};
    ///
    /// let (sender, receiver) = channel::unbounded();
    /// assert_eq!(sender.send(1).await, Ok(()));
    /// drop(receiver);
    /// assert_eq!(sender.send(2).await, Err(SendError(2)));
    /// # })
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if the channel is or becomes closed.
    ///
    /// # Fairness
    ///
    /// First in, first out, from its first poll on.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has returned it has not sent, and the message is dropped
    /// with it; a slot that it was woken for goes to the next.
    ///
    /// # Memory ordering
    ///
    /// What was done before is visible to who receives the message.
    pub fn send(&self, msg: T) -> Send<'_, T> {
        Send {
            inner: self.0.send(Bare, msg),
        }
    }

    /// Waits until the channel is closed, by `close` or because all receivers are
    /// gone.
    ///
    /// ```
    /// # smol::block_on(async {
    /// use smol::future;
    ///
    /// let (sender, receiver) = anysync_smol::channel::unbounded::<i32>();
    /// let dropped = async { drop(receiver) };
    /// future::zip(sender.closed(), dropped).await;
    /// # })
    /// ```
    ///
    /// # Fairness
    ///
    /// All who wait are told at once.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves its queue in constant time.
    pub fn closed(&self) -> Closed<'_, T> {
        Closed {
            inner: self.0.closed(Bare),
        }
    }

    /// [`send`](Sender::send) for threads: it blocks, in one queue with the tasks.
    ///
    /// ```
    /// use anysync_smol::channel;
    ///
    /// let (sender, receiver) = channel::bounded(1);
    /// std::thread::spawn(move || sender.send_blocking(1));
    /// assert_eq!(receiver.recv_blocking(), Ok(1));
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if the channel is or becomes closed.
    #[cfg(feature = "std")]
    pub fn send_blocking(&self, msg: T) -> Result<(), SendError<T>> {
        Bare.block_on(self.send(msg))
    }

    /// Sends without waiting; into a channel that is full, in place of the oldest
    /// message, which it returns.
    ///
    /// ```
    /// use anysync_smol::channel::{self, SendError};
    ///
    /// let (sender, receiver) = channel::bounded(1);
    /// assert_eq!(sender.force_send(1), Ok(None));
    /// assert_eq!(sender.force_send(2), Ok(Some(1)));
    /// assert_eq!(receiver.try_recv(), Ok(2));
    /// receiver.close();
    /// assert_eq!(sender.force_send(3), Err(SendError(3)));
    /// ```
    ///
    /// If there is no message to replace, because sends that waited have been
    /// promised all slots, it returns `msg` itself.
    ///
    /// # Errors
    ///
    /// With the message, if the channel is closed.
    pub fn force_send(&self, msg: T) -> Result<Option<T>, SendError<T>> {
        self.0.force_send(msg).map_err(SendError::from)
    }

    /// A handle that does not keep the channel open.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender(self.0.downgrade())
    }

    common!();
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The side of a channel that receives. When the last is dropped the channel is
/// closed, and what is in it is dropped.
///
/// It is a `Stream`, which ends when the channel is closed and empty. The first
/// time that it waits in this way it allocates a place for that.
///
/// Fairness and cancel safety are told in the [module](self).
///
/// ```
/// use smol::stream::StreamExt;
///
/// smol::block_on(async {
///     let (sender, receiver) = anysync_smol::channel::unbounded();
///     for number in 1..=3 {
///         sender.send(number).await.unwrap();
///     }
///     drop(sender);
///     assert_eq!(receiver.collect::<Vec<_>>().await, [1, 2, 3]);
/// });
/// ```
pub struct Receiver<T>(core::Receiver<T>);

impl<T> Receiver<T> {
    /// Takes the oldest message that is promised to nobody. Never waits.
    ///
    /// ```
    /// use anysync_smol::channel::{self, TryRecvError};
    ///
    /// let (sender, receiver) = channel::unbounded();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.try_send(1).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.0.try_recv().map_err(TryRecvError::from)
    }

    /// Takes the oldest message, waiting for one if need be.
    ///
    /// ```
    /// # smol::block_on(async {
    /// use anysync_smol::channel::{self, RecvError};
    ///
    /// let (sender, receiver) = channel::unbounded();
    /// sender.send(1).await.unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.recv().await, Ok(1));
    /// assert_eq!(receiver.recv().await, Err(RecvError));
    /// # })
    /// ```
    ///
    /// # Errors
    ///
    /// When the channel is closed and empty.
    ///
    /// # Fairness
    ///
    /// First in, first out, from its first poll on.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has taken nothing; a message that it was woken for goes to the
    /// next.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was done before the message was sent.
    pub fn recv(&self) -> Recv<'_, T> {
        Recv {
            inner: self.0.recv(Bare),
        }
    }

    /// [`recv`](Receiver::recv) for threads: it blocks, in one queue with the
    /// tasks.
    ///
    /// # Errors
    ///
    /// When the channel is closed and empty.
    #[cfg(feature = "std")]
    pub fn recv_blocking(&self) -> Result<T, RecvError> {
        Bare.block_on(self.recv())
    }

    /// A handle that does not keep the channel open.
    pub fn downgrade(&self) -> WeakReceiver<T> {
        WeakReceiver(self.0.downgrade())
    }

    common!();
}

impl<T> Clone for Receiver<T> {
    /// Another receiver of the same channel: each message goes to one of them.
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().0.poll_recv(&Bare, cx).map(Result::ok)
    }
}

impl<T> FusedStream for Receiver<T> {
    /// Whether the channel is closed and empty.
    fn is_terminated(&self) -> bool {
        self.0.is_terminated()
    }
}

/// A [`Sender`] that does not keep the channel open.
///
/// ```
/// let (sender, receiver) = anysync_smol::channel::unbounded::<i32>();
/// let weak = sender.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(sender);
/// assert!(weak.upgrade().is_none() && receiver.is_closed());
/// ```
pub struct WeakSender<T>(core::WeakSender<T>);

weak!(WeakSender of Sender);

/// A [`Receiver`] that does not keep the channel open.
///
/// ```
/// let (sender, receiver) = anysync_smol::channel::unbounded::<i32>();
/// let weak = receiver.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(receiver);
/// assert!(weak.upgrade().is_none() && sender.is_closed());
/// ```
pub struct WeakReceiver<T>(core::WeakReceiver<T>);

weak!(WeakReceiver of Receiver);

macro_rules! shown {
    ($($handle:ident $text:literal)*) => {$(
        impl<T> fmt::Debug for $handle<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($text)
            }
        }
    )*};
}

shown! {
    Sender "Sender { .. }"
    Receiver "Receiver { .. }"
    WeakSender "WeakSender { .. }"
    WeakReceiver "WeakReceiver { .. }"
}

future! {
    /// The future of [`Sender::send`].
    Send ['a, T] ['a, T] ()
    core::Send<'a, T, Bare> => Result<(), SendError<T>>,
    |sent| sent.map_err(SendError::from), shown "Send { .. }"
}

future! {
    /// The future of [`Receiver::recv`].
    Recv ['a, T] ['a, T] ()
    core::Recv<'a, T, Bare> => Result<T, RecvError>,
    |received| received.map_err(RecvError::from), shown "Recv { .. }"
}

future! {
    /// The future of [`Sender::closed`].
    Closed ['a, T] ['a, T] ()
    core::Closed<'a, T, Bare> => (),
    |closed| closed, shown "Closed { .. }"
}

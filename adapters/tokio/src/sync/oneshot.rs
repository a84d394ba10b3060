//! One value, from one [`Sender`] to one [`Receiver`]: the drop-in for
//! [`tokio::sync::oneshot`].
//!
//! [`send`](Sender::send) never waits and works anywhere. A [`Receiver`] is the
//! future of the value.
//!
//! ```
//! use anysync_tokio::sync::oneshot;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (answer, question) = oneshot::channel();
//! tokio::spawn(async move { answer.send(42) });
//! assert_eq!(question.await, Ok(42));
//! # }
//! ```
//!
//! A sender that is dropped without sending ends the wait with an error:
//!
//! ```
//! use anysync_tokio::sync::oneshot;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (answer, question) = oneshot::channel::<u32>();
//! tokio::spawn(async move { drop(answer) });
//! assert!(question.await.is_err());
//! # }
//! ```
//!
//! In a loop over `tokio::select!` await `&mut receiver`, so that the channel
//! outlives the branch that was not taken.
//!
//! # Cancel safety
//!
//! A receiver may be polled, put aside and polled again: the value stays in the
//! channel until a poll returns it. [`Sender::closed`] may be dropped at any
//! moment.
//!
//! # Memory ordering
//!
//! What is written before a send, or before the sender is dropped, is visible
//! after the receive that ends by it; what is written before the receiver closes
//! or is dropped, to a sender that sees it closed.
//!
//! # Better than the original
//!
//! [`Sender`] and [`Receiver`] are unwind safe, and `Debug` whatever the value is.
//!
//! # Differences
//!
//! The text of `Debug`, which the original does not document.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use anysync::oneshot as core;

use super::blocking;
use super::trace::{Change, Held, Hold, Resource, What};
use crate::{Tokio, poll_spend};

pub mod error {
    //! What a receive can fail with.

    use std::error::Error;
    use std::fmt;

    /// No value will come any more: the sender was dropped without sending, or
    /// the receiver has closed or has received.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RecvError(pub(super) ());

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("channel closed")
        }
    }

    impl Error for RecvError {}

    /// Why [`try_recv`](super::Receiver::try_recv) got nothing.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum TryRecvError {
        /// No value has been sent yet; one may come.
        Empty,
        /// No value will come any more: see [`RecvError`].
        Closed,
    }

    impl fmt::Display for TryRecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                Self::Empty => "channel empty",
                Self::Closed => "channel closed",
            })
        }
    }

    impl Error for TryRecvError {}
}

use error::{RecvError, TryRecvError};

/// A channel for one value.
///
/// ```
/// use anysync_tokio::sync::oneshot;
///
/// let (sender, receiver) = oneshot::channel();
/// std::thread::spawn(move || sender.send("hello"));
/// assert_eq!(receiver.blocking_recv(), Ok("hello"));
/// ```
#[inline]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = core::channel();
    let resource = Resource::new(What::Oneshot);
    let sender = Sender {
        inner: sender,
        held: resource.hold(Hold::Sender),
        resource: resource.handle(),
    };
    let receiver = Receiver {
        inner: receiver,
        held: resource.hold(Hold::Receiver),
        resource,
    };
    (sender, receiver)
}

/// The end that sends; made by [`channel`].
///
/// Dropped without having sent, it ends the receiver's wait with an error. To
/// send from a destructor keep it in an `Option` and `take` it.
pub struct Sender<T> {
    inner: core::Sender<T>,
    held: Held,
    resource: Resource,
}

impl<T> Sender<T> {
    /// Sends the value, and wakes the receiver. Never waits.
    ///
    /// `Ok` does not mean that the value will be received: the receiver may still
    /// be dropped, and the value with it.
    ///
    /// ```
    /// use anysync_tokio::sync::oneshot;
    ///
    /// let (sender, receiver) = oneshot::channel();
    /// drop(receiver);
    /// assert_eq!(sender.send(42), Err(42));
    /// ```
    ///
    /// # Errors
    ///
    /// The value itself, if the receiver has closed or is gone.
    #[inline]
    pub fn send(self, t: T) -> Result<(), T> {
        self.inner.send(t).map_err(core::SendError::into_inner)?;
        self.held.forget();
        self.resource.change(Change::Sent);
        Ok(())
    }

    /// Waits until the receiver has closed or is gone: until nobody wants the
    /// value any more.
    ///
    /// ```
    /// use anysync_tokio::sync::oneshot;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (mut sender, receiver) = oneshot::channel::<u32>();
    /// tokio::spawn(async move { drop(receiver) });
    /// tokio::select! {
    ///     () = sender.closed() => {}
    ///     _ = std::future::pending::<u32>() => unreachable!("a long computation"),
    /// }
    /// assert!(sender.is_closed());
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment.
    pub async fn closed(&mut self) {
        let resource = self.resource.handle();
        let closed = poll_fn(|cx| self.poll_closed(cx));
        resource.wait("Sender::closed", closed).await;
    }

    /// Whether the receiver has closed or is gone, at this moment.
    ///
    /// ```
    /// let (sender, mut receiver) = anysync_tokio::sync::oneshot::channel::<u32>();
    /// assert!(!sender.is_closed());
    /// receiver.close();
    /// assert!(sender.is_closed());
    /// ```
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// [`closed`](Sender::closed) for futures that are written by hand: ready if
    /// the receiver has closed or is gone; else the task is woken when it does.
    /// Only the waker of the latest call is woken.
    ///
    /// ```
    /// use std::future::poll_fn;
    /// use anysync_tokio::sync::oneshot;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (mut sender, mut receiver) = oneshot::channel::<u32>();
    /// tokio::spawn(async move { receiver.close() });
    /// poll_fn(|cx| sender.poll_closed(cx)).await;
    /// # }
    /// ```
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.inner.poll_closed(cx));
        poll_spend(cx)
    }
}

/// The end that receives, and the future of the value; made by [`channel`].
///
/// Dropped, it closes the channel, and drops a value that it has not received.
///
/// # Panics
///
/// When it is polled after it has received, a value or an error.
pub struct Receiver<T> {
    inner: core::Receiver<T>,
    // Given back when it is dropped.
    #[allow(dead_code)]
    held: Held,
    resource: Resource,
}

impl<T> Receiver<T> {
    /// Tells the sender that no value is wanted any more. One that was sent
    /// before is still received.
    ///
    /// ```
    /// use anysync_tokio::sync::oneshot::{self, error::TryRecvError};
    ///
    /// let (sender, mut receiver) = oneshot::channel();
    /// receiver.close();
    /// assert_eq!(sender.send(42), Err(42));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    #[inline]
    pub fn close(&mut self) {
        self.inner.close();
    }

    /// Whether this has received, a value or an error, and so must not be polled
    /// any more.
    ///
    /// ```
    /// let (sender, mut receiver) = anysync_tokio::sync::oneshot::channel();
    /// sender.send(42).unwrap();
    /// assert!(!receiver.is_terminated());
    /// receiver.try_recv().unwrap();
    /// assert!(receiver.is_terminated());
    /// ```
    #[inline]
    pub fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }

    /// Whether no value is there to be received, at this moment.
    ///
    /// ```
    /// let (sender, receiver) = anysync_tokio::sync::oneshot::channel();
    /// assert!(receiver.is_empty());
    /// sender.send(42).unwrap();
    /// assert!(!receiver.is_empty());
    /// ```
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// The value, if it has been sent. Never waits.
    ///
    /// ```
    /// use anysync_tokio::sync::oneshot::{self, error::TryRecvError};
    ///
    /// let (sender, mut receiver) = oneshot::channel();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.send(42).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(42));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Empty`](TryRecvError::Empty) if the value may still come,
    /// [`Closed`](TryRecvError::Closed) if it never will.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let value = self.inner.try_recv().map_err(|error| match error {
            core::TryRecvError::Empty => TryRecvError::Empty,
            core::TryRecvError::Closed => TryRecvError::Closed,
        })?;
        self.resource.change(Change::Received);
        Ok(value)
    }

    /// Waits for the value on a thread, which it blocks.
    ///
    /// ```
    /// let (sender, receiver) = anysync_tokio::sync::oneshot::channel();
    /// std::thread::spawn(move || sender.send(42));
    /// assert_eq!(receiver.blocking_recv(), Ok(42));
    /// ```
    ///
    /// # Errors
    ///
    /// If no value will come any more.
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks; and if it has received already.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        blocking::block_on(self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            inner: this,
            resource,
            ..
        } = self.get_mut();
        assert!(!this.is_terminated(), "called after complete");
        let received = ready!(this.poll_recv(&Tokio, cx));
        if received.is_ok() {
            resource.change(Change::Received);
        }
        Poll::Ready(received.map_err(|_| RecvError(())))
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

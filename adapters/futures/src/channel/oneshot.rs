//! One value, from one task to another: the drop-in for
//! [`futures::channel::oneshot`].
//!
//! ```
//! use anysync_futures::channel::oneshot;
//!
//! # futures::executor::block_on(async {
//! let (sender, receiver) = oneshot::channel();
//! std::thread::spawn(move || sender.send(42));
//! assert_eq!(receiver.await, Ok(42));
//! # });
//! ```
//!
//! # Better than the original
//!
//! - A waker that uses the channel when it is woken is fine: none runs under a lock.
//! - It takes less memory: one allocation, and no locks in it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use anysync::oneshot as core;
use futures::future::FusedFuture;

/// The two ends of a fresh channel.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = core::channel();
    (Sender(sender), Receiver(receiver))
}

/// The end that sends.
pub struct Sender<T>(core::Sender<T>);

impl<T> Sender<T> {
    /// Sends; never waits.
    ///
    /// # Errors
    ///
    /// The value is given back if the receiver is gone.
    ///
    /// # Memory ordering
    ///
    /// Releases; receiving acquires.
    pub fn send(self, t: T) -> Result<(), T> {
        self.0.send(t).map_err(core::SendError::into_inner)
    }

    /// Ready when the receiver is gone or closed; registers the task otherwise.
    pub fn poll_canceled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_closed(cx)
    }

    /// Waits until the receiver is gone or closed.
    ///
    /// ```
    /// let (mut sender, receiver) = anysync_futures::channel::oneshot::channel::<u8>();
    /// drop(receiver);
    /// futures::executor::block_on(sender.cancellation());
    /// assert!(sender.is_canceled());
    /// ```
    pub fn cancellation(&mut self) -> Cancellation<'_, T> {
        Cancellation { inner: self }
    }

    /// Whether the receiver is gone or closed.
    pub fn is_canceled(&self) -> bool {
        self.0.is_closed()
    }

    /// Whether `receiver` is of the same channel.
    pub fn is_connected_to(&self, receiver: &Receiver<T>) -> bool {
        self.0.is_connected_to(&receiver.0)
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("complete", &self.is_canceled())
            .finish()
    }
}

/// The future of [`Sender::cancellation`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[derive(Debug)]
pub struct Cancellation<'a, T> {
    inner: &'a mut Sender<T>,
}

impl<T> Future for Cancellation<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_canceled(cx)
    }
}

/// The sender went without a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Canceled;

impl fmt::Display for Canceled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("oneshot canceled")
    }
}

impl std::error::Error for Canceled {}

/// The end that receives: a future of the value.
///
/// # Cancel safety
///
/// Dropped, it takes with it what was sent; `&mut receiver` may be awaited again.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Receiver<T>(core::Receiver<T>);

impl<T> Receiver<T> {
    /// Lets nobody send any more; what was sent is still there.
    pub fn close(&mut self) {
        self.0.close();
    }

    /// The value, if it is there; never waits. `None` if it may still come.
    ///
    /// # Errors
    ///
    /// If it will not come, or has come before.
    pub fn try_recv(&mut self) -> Result<Option<T>, Canceled> {
        if self.is_terminated() {
            return Err(Canceled);
        }
        match self.0.try_recv() {
            Ok(value) => Ok(Some(value)),
            Err(core::TryRecvError::Empty) => Ok(None),
            Err(core::TryRecvError::Closed) => Err(Canceled),
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Canceled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Then it stays, as the end of another task that has polled it before.
        if self.is_terminated() {
            return Poll::Ready(Err(Canceled));
        }
        match self.0.recv_with(cx.waker()) {
            Ok(value) => Poll::Ready(Ok(value)),
            Err(core::TryRecvError::Empty) => Poll::Pending,
            Err(core::TryRecvError::Closed) => Poll::Ready(Err(Canceled)),
        }
    }
}

impl<T> FusedFuture for Receiver<T> {
    /// Whether a poll says that it is canceled.
    #[inline]
    fn is_terminated(&self) -> bool {
        self.0.is_complete() && self.0.is_empty()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("complete", &self.0.is_complete())
            .finish()
    }
}

//! Messages from many tasks to one, in the order in which they were sent: the drop-in
//! for [`futures::channel::mpsc`].
//!
//! ```
//! use anysync_futures::channel::mpsc;
//! use futures::{SinkExt, StreamExt};
//!
//! # futures::executor::block_on(async {
//! let (sender, receiver) = mpsc::channel(4);
//! let sending = [1, 2, 3].map(|number| {
//!     let mut sender = sender.clone();
//!     async move { sender.send(number).await.expect("somebody receives") }
//! });
//! drop(sender);
//! let received = receiver.fold(0, |sum, number| async move { sum + number });
//! let (_, sum) = futures::join!(futures::future::join_all(sending), received);
//! assert_eq!(sum, 6);
//! # });
//! ```
//!
//! As the original's, a bounded channel has `buffer` slots for all, and one more for
//! each sender: what does not fit is sent all the same, and its sender is *parked*
//! until a message is received for it, the first to be parked first.
//!
//! # Better than the original
//!
//! - A waker that uses the channel when it is woken is fine: none runs under a lock. If
//!   it panics, no message is lost, and the channel goes on.
//! - A `try_send` that finds the sender parked leaves alone the waker of the task that
//!   waits to send.
//! - A message does not allocate, but now and then: it lies in one of the channel's
//!   blocks, which are freed as it empties.

mod chan;
mod fifo;
mod receiver;
mod sender;
mod wakers;

pub use receiver::{Receiver, Recv, UnboundedReceiver};
pub use sender::{Sender, UnboundedSender};

use std::fmt;
use std::sync::Arc;

use chan::Tx;

/// The most that a buffer may be, so that the senders' slots can be counted.
const MAX_BUFFER: usize = usize::MAX >> 2;

/// A bounded channel, with `buffer` slots and one for each sender.
///
/// # Panics
///
/// If `buffer` is `usize::MAX / 4` or more.
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    assert!(buffer < MAX_BUFFER, "requested buffer size too large");
    let tx = Tx::new(buffer);
    let chan = Arc::clone(tx.chan());
    (Sender::new(tx), Receiver::new(chan))
}

/// A channel without a bound.
pub fn unbounded<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let tx = Tx::new(usize::MAX);
    let chan = Arc::clone(tx.chan());
    (UnboundedSender::new(tx), UnboundedReceiver::new(chan))
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    kind: SendErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SendErrorKind {
    Full,
    Disconnected,
}

impl SendError {
    const FULL: Self = Self {
        kind: SendErrorKind::Full,
    };
    const DISCONNECTED: Self = Self {
        kind: SendErrorKind::Disconnected,
    };

    /// Whether it was for want of a slot.
    pub fn is_full(&self) -> bool {
        self.kind == SendErrorKind::Full
    }

    /// Whether nobody can receive it.
    pub fn is_disconnected(&self) -> bool {
        self.kind == SendErrorKind::Disconnected
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            SendErrorKind::Full => "send failed because channel is full",
            SendErrorKind::Disconnected => "send failed because receiver is gone",
        })
    }
}

impl std::error::Error for SendError {}

/// Why a message was not sent, and the message.
#[derive(Clone, PartialEq, Eq)]
pub struct TrySendError<T> {
    err: SendError,
    val: T,
}

impl<T> TrySendError<T> {
    /// Whether it was for want of a slot.
    pub fn is_full(&self) -> bool {
        self.err.is_full()
    }

    /// Whether nobody can receive it.
    pub fn is_disconnected(&self) -> bool {
        self.err.is_disconnected()
    }

    /// The message.
    pub fn into_inner(self) -> T {
        self.val
    }

    /// The reason alone.
    pub fn into_send_error(self) -> SendError {
        self.err
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrySendError")
            .field("kind", &self.err.kind)
            .finish()
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.err.fmt(f)
    }
}

impl<T: std::any::Any> std::error::Error for TrySendError<T> {}

/// Why there is no message now.
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub enum TryRecvError {
    /// One may come.
    Empty,
    /// None will come.
    Closed,
}

impl TryRecvError {
    /// Whether one may come.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether none will come.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "receive failed because channel is empty",
            Self::Closed => "receive failed because channel is closed",
        })
    }
}

impl std::error::Error for TryRecvError {}

/// There is no message, and none will come.
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub struct RecvError;

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("receive failed because channel is empty and closed")
    }
}

impl std::error::Error for RecvError {}

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
//! - A sender that is dropped while it is parked leaves the queue: the next is let go
//!   in its place.
//! - A waker that uses the channel when it is woken is fine: none runs under a lock.
//!
//! # Differences
//!
//! - A receiver that is polled as a `Stream` for the first time allocates once.

mod receiver;
mod sender;

pub use receiver::{Receiver, Recv, UnboundedReceiver};
pub use sender::{Sender, UnboundedSender};

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use anysync::{Semaphore, channel as core};

/// The most that a buffer may be, so that the senders' slots can be counted.
const MAX_BUFFER: usize = usize::MAX >> 2;

/// A bounded channel, with `buffer` slots and one for each sender.
///
/// # Panics
///
/// If `buffer` is `usize::MAX / 4` or more.
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    assert!(buffer < MAX_BUFFER, "requested buffer size too large");
    let (sender, receiver) = core::unbounded();
    let shared = Arc::new(Shared {
        buffer,
        counts: Mutex::new(Counts::default()),
        unparked: Semaphore::new(0),
    });
    (
        Sender::new(sender, Arc::clone(&shared)),
        Receiver::new(receiver, shared),
    )
}

/// A channel without a bound.
pub fn unbounded<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (sender, receiver) = core::unbounded();
    let identity = Arc::new(Unbounded);
    (
        UnboundedSender::new(sender, Arc::clone(&identity)),
        UnboundedReceiver::new(receiver, identity),
    )
}

/// What the handles of a bounded channel share beside the messages.
struct Shared {
    buffer: usize,
    counts: Mutex<Counts>,
    /// A permit for each parked sender that may go on; those that are parked are its
    /// queue.
    unparked: Semaphore,
}

#[derive(Default)]
struct Counts {
    messages: usize,
    /// Senders that are parked, or about to be, and were not let go.
    parked: usize,
}

impl Shared {
    fn with<R>(&self, change: impl FnOnce(&mut Counts) -> R) -> R {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a message that is about to be sent; whether its sender is parked.
    fn count_in(&self) -> bool {
        self.with(|counts| {
            counts.messages += 1;
            let parks = counts.messages > self.buffer;
            counts.parked += usize::from(parks);
            parks
        })
    }

    /// The message was not sent.
    fn take_back(&self, parks: bool) {
        self.with(|counts| {
            counts.messages -= 1;
            counts.parked -= usize::from(parks);
        });
    }

    /// A sender is not parked any more, and nobody has let it go.
    fn leave(&self) {
        self.with(|counts| counts.parked = counts.parked.saturating_sub(1));
    }

    /// Counts a message that was received, and lets a sender go.
    fn count_out(&self) {
        let lets_go = self.with(|counts| {
            counts.messages -= 1;
            let lets_go = counts.parked > 0;
            counts.parked -= usize::from(lets_go);
            lets_go
        });
        if lets_go {
            self.unparked.add_permits(1);
        }
    }

    /// Lets all senders go, for good.
    fn close(&self) {
        self.unparked.close();
    }
}

/// By its place the handles of an unbounded channel know each other.
struct Unbounded;

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

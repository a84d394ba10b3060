//! The channel in which a send never waits.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use anysync::{Bare, Io, channel as core};

use super::error::{SendError, TryRecvError};
use crate::Tokio;
use crate::sync::blocking;

/// A channel in which a send never waits: it grows with what is sent, and gives
/// the memory back as that is received.
///
/// ```
/// let (sender, mut receiver) = anysync_tokio::sync::mpsc::unbounded_channel();
/// for number in 0..1_000 {
///     sender.send(number).unwrap();
/// }
/// assert_eq!(receiver.len(), 1_000);
/// assert_eq!(receiver.try_recv(), Ok(0));
/// ```
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (sender, mut receiver) = core::unbounded();
    receiver.allocate_place();
    (UnboundedSender(sender), UnboundedReceiver(receiver))
}

/// Sends to the [`UnboundedReceiver`]; made by [`unbounded_channel`].
///
/// Clones send to the same receiver. When the last one is dropped the channel is
/// closed.
pub struct UnboundedSender<T>(core::Sender<T>);

impl<T> UnboundedSender<T> {
    /// Sends the message. Never waits.
    ///
    /// ```
    /// use anysync_tokio::sync::mpsc::{self, error::SendError};
    ///
    /// let (sender, receiver) = mpsc::unbounded_channel();
    /// assert_eq!(sender.send(1), Ok(()));
    /// drop(receiver);
    /// assert_eq!(sender.send(2), Err(SendError(2)));
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if the receiver is gone or has closed the channel.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.0
            .try_send(message)
            .map_err(|error| SendError(error.into_inner()))
    }

    sender_methods!(WeakUnboundedSender, "unbounded_channel::<u32>()");
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnboundedSender").field(&self.0).finish()
    }
}

/// An [`UnboundedSender`] that does not keep the channel open.
///
/// ```
/// let (sender, _receiver) = anysync_tokio::sync::mpsc::unbounded_channel::<u32>();
/// let weak = sender.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakUnboundedSender<T>(core::WeakSender<T>);

weak_sender!(WeakUnboundedSender of UnboundedSender);

/// Receives from all [`UnboundedSender`]s of its channel; made by
/// [`unbounded_channel`].
///
/// Dropped, it closes the channel, and drops what is left in it.
pub struct UnboundedReceiver<T>(core::Receiver<T>);

impl<T> UnboundedReceiver<T> {
    receiver_methods!("unbounded_channel()", "");
}

impl<T> fmt::Debug for UnboundedReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnboundedReceiver").field(&self.0).finish()
    }
}

//! The channel that holds so many messages.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anysync::{Bare, Io, channel as core};

use super::error::{SendError, SendTimeoutError, TryRecvError, TrySendError};
use super::{OwnedPermit, Permit, PermitIterator};
use crate::Tokio;
use crate::sync::blocking;

/// A channel for up to `buffer` messages; a send that finds it full waits.
///
/// ```
/// use anysync_tokio::sync::mpsc::{self, error::TrySendError};
///
/// let (sender, mut receiver) = mpsc::channel(1);
/// assert_eq!(sender.try_send(1), Ok(()));
/// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
/// assert_eq!(receiver.try_recv(), Ok(1));
/// ```
///
/// # Panics
///
/// If `buffer` is 0, or above `usize::MAX / 8`.
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    assert!(buffer > 0, "mpsc bounded channel requires buffer > 0");
    assert!(
        buffer <= core::MAX_CAPACITY,
        "a semaphore may not have more than MAX_PERMITS permits ({})",
        core::MAX_CAPACITY
    );
    let (sender, mut receiver) = core::bounded(buffer);
    receiver.allocate_place();
    (Sender(sender), Receiver(receiver))
}

/// Sends to the [`Receiver`]; made by [`channel`].
///
/// Clones send to the same receiver. When the last one is dropped the channel is
/// closed.
pub struct Sender<T>(pub(super) core::Sender<T>);

impl<T> Sender<T> {
    /// Sends the message, waiting for a free slot if need be.
    ///
    /// `Ok` does not mean that the message will be received: the receiver may
    /// still be dropped.
    ///
    /// ```
    /// use anysync_tokio::sync::mpsc::{self, error::SendError};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, mut receiver) = mpsc::channel(1);
    /// assert_eq!(sender.send(1).await, Ok(()));
    /// assert_eq!(receiver.recv().await, Some(1));
    /// drop(receiver);
    /// assert_eq!(sender.send(2).await, Err(SendError(2)));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if the receiver is gone or has closed the channel.
    ///
    /// # Fairness
    ///
    /// First in, first out, from the first poll on.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has returned it has not sent, and the message is dropped
    /// with it. To keep the message [`reserve`](Sender::reserve) first.
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        let mut sending = pin!(self.0.send(Tokio, value));
        poll_fn(|cx| {
            if self.0.is_closed() {
                // Also one that has been promised a slot before that. As in the
                // original, a send that fails spends nothing.
                if let Some(value) = sending.as_mut().take_value() {
                    return Poll::Ready(Err(SendError(value)));
                }
            }
            sending.as_mut().poll(cx).map_err(SendError::from)
        })
        .await
    }

    /// Sends the message if there is a free slot that nobody waits for. Never
    /// waits.
    ///
    /// ```
    /// use anysync_tokio::sync::mpsc::{self, error::TrySendError};
    ///
    /// let (sender, receiver) = mpsc::channel(1);
    /// assert_eq!(sender.try_send(1), Ok(()));
    /// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    /// drop(receiver);
    /// assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if the channel is full or closed.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.0.try_send(message).map_err(TrySendError::from)
    }

    /// [`send`](Sender::send), waiting no longer than `timeout` by tokio's clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use anysync_tokio::sync::mpsc::{self, error::SendTimeoutError};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, _receiver) = mpsc::channel(1);
    /// let wait = Duration::from_millis(5);
    /// assert_eq!(sender.send_timeout(1, wait).await, Ok(()));
    /// let late = sender.send_timeout(2, wait).await;
    /// assert_eq!(late, Err(SendTimeoutError::Timeout(2)));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if there was no free slot in time, or the receiver is
    /// gone or has closed the channel.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, and in one whose time is not enabled.
    pub async fn send_timeout(
        &self,
        value: T,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        match tokio::time::timeout(timeout, self.reserve()).await {
            Ok(Ok(permit)) => {
                permit.send(value);
                Ok(())
            }
            Ok(Err(SendError(()))) => Err(SendTimeoutError::Closed(value)),
            Err(_) => Err(SendTimeoutError::Timeout(value)),
        }
    }

    /// [`send`](Sender::send) on a thread, which it blocks.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, mut receiver) = anysync_tokio::sync::mpsc::channel(1);
    /// std::thread::spawn(move || sender.blocking_send(1));
    /// assert_eq!(receiver.recv().await, Some(1));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if the receiver is gone or has closed the channel.
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        blocking::block_on(self.send(value))
    }

    /// Waits for a free slot and reserves it: then a message can be sent without
    /// waiting.
    ///
    /// # Errors
    ///
    /// If the receiver is gone or has closed the channel.
    ///
    /// # Fairness
    ///
    /// First in, first out, from the first poll on.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment.
    pub async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        // As in the original, what fails spends nothing.
        if self.0.is_closed() {
            return Err(SendError(()));
        }
        let permit = self.0.reserve(Tokio).await?;
        self.unless_closed(Permit(permit))
    }

    /// Waits for `n` free slots and reserves them.
    ///
    /// ```
    /// use anysync_tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, mut receiver) = mpsc::channel(2);
    /// for (number, permit) in sender.reserve_many(2).await.unwrap().enumerate() {
    ///     permit.send(number);
    /// }
    /// assert_eq!(receiver.recv().await, Some(0));
    /// assert_eq!(receiver.recv().await, Some(1));
    /// assert!(sender.reserve_many(3).await.is_err());
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the receiver is gone or has closed the channel, or if `n` is more than
    /// the channel holds.
    ///
    /// # Fairness
    ///
    /// First in, first out, from the first poll on; nobody who wants less passes.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment.
    pub async fn reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, SendError<()>> {
        if n > self.max_capacity() || self.0.is_closed() {
            return Err(SendError(()));
        }
        let permits = self.0.reserve_many(Tokio, n).await?;
        self.unless_closed(PermitIterator(permits))
    }

    /// Waits for a free slot and reserves it, for a permit that owns this sender.
    ///
    /// # Errors
    ///
    /// If the receiver is gone or has closed the channel; the sender is dropped.
    ///
    /// # Fairness
    ///
    /// First in, first out, from the first poll on.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment; the sender is dropped with it.
    pub async fn reserve_owned(self) -> Result<OwnedPermit<T>, SendError<()>> {
        if self.0.is_closed() {
            return Err(SendError(()));
        }
        match self.0.reserve_owned(Tokio).await {
            Ok(permit) if !permit.sender().is_closed() => Ok(OwnedPermit(permit)),
            _ => Err(SendError(())),
        }
    }

    /// What a wait has reserved; nothing if the channel was closed before it was
    /// polled again.
    fn unless_closed<P>(&self, permit: P) -> Result<P, SendError<()>> {
        if self.0.is_closed() {
            Err(SendError(()))
        } else {
            Ok(permit)
        }
    }

    /// Reserves a slot if one is free that nobody waits for. Never waits.
    ///
    /// ```
    /// use anysync_tokio::sync::mpsc::{self, error::TrySendError};
    ///
    /// let (sender, mut receiver) = mpsc::channel(1);
    /// let permit = sender.try_reserve().unwrap();
    /// assert_eq!(sender.try_reserve().unwrap_err(), TrySendError::Full(()));
    /// permit.send(1);
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    ///
    /// # Errors
    ///
    /// If the channel is full or closed.
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        Ok(Permit(self.0.try_reserve()?))
    }

    /// Reserves `n` slots if so many are free that nobody waits for. Never waits.
    ///
    /// ```
    /// let (sender, _receiver) = anysync_tokio::sync::mpsc::channel::<u32>(3);
    /// let permits = sender.try_reserve_many(2).unwrap();
    /// assert_eq!(permits.len(), 2);
    /// assert!(sender.try_reserve_many(2).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// If the channel is closed, or has not so many; `Full` if it never can have.
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        if n > self.max_capacity() {
            return Err(TrySendError::Full(()));
        }
        Ok(PermitIterator(self.0.try_reserve_many(n)?))
    }

    /// Reserves a slot if one is free that nobody waits for, for a permit that
    /// owns this sender. Never waits.
    ///
    /// # Errors
    ///
    /// With the sender, if the channel is full or closed.
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        match self.0.try_reserve_owned() {
            Ok(permit) => Ok(OwnedPermit(permit)),
            Err(core::TrySendError::Full(sender)) => Err(TrySendError::Full(Self(sender))),
            Err(core::TrySendError::Closed(sender)) => Err(TrySendError::Closed(Self(sender))),
        }
    }

    /// How many messages could be sent without waiting, at this moment; 0 while
    /// somebody waits. A permit that is out takes its slot.
    ///
    /// ```
    /// let (sender, mut receiver) = anysync_tokio::sync::mpsc::channel(2);
    /// sender.try_send(1).unwrap();
    /// assert_eq!((sender.capacity(), sender.max_capacity()), (1, 2));
    /// receiver.try_recv().unwrap();
    /// assert_eq!(sender.capacity(), 2);
    /// ```
    pub fn capacity(&self) -> usize {
        self.0.free_slots().unwrap_or(usize::MAX)
    }

    /// How many messages the channel holds: what it was made with.
    pub fn max_capacity(&self) -> usize {
        self.0.capacity().unwrap_or(usize::MAX)
    }

    sender_methods!(WeakSender, "channel::<u32>(1)");
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A [`Sender`] that does not keep the channel open.
///
/// ```
/// let (sender, _receiver) = anysync_tokio::sync::mpsc::channel::<u32>(1);
/// let weak = sender.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakSender<T>(core::WeakSender<T>);

weak_sender!(WeakSender of Sender);

/// Receives from all [`Sender`]s of its channel; made by [`channel`].
///
/// Dropped, it closes the channel, and drops what is left in it.
pub struct Receiver<T>(core::Receiver<T>);

impl<T> Receiver<T> {
    receiver_methods!("channel(2)", ".await");

    /// How many messages could be sent without waiting, at this moment: see
    /// [`Sender::capacity`].
    pub fn capacity(&self) -> usize {
        self.0.free_slots().unwrap_or(usize::MAX)
    }

    /// How many messages the channel holds: what it was made with.
    pub fn max_capacity(&self) -> usize {
        self.0.capacity().unwrap_or(usize::MAX)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

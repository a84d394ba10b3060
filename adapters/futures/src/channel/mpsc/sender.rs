//! The ends that send.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::sink::Sink;

use super::chan::{Refused, Tx};
use super::{Receiver, SendError, TrySendError, UnboundedReceiver};

/// The end of a bounded channel that sends: a `Sink`. Each clone has a slot of its
/// own.
pub struct Sender<T>(Option<Tx<T>>);

/// The error of a message that was not sent.
#[cold]
fn refused<T>((why, val): (Refused, T)) -> TrySendError<T> {
    let err = match why {
        Refused::Full => SendError::FULL,
        Refused::Closed => SendError::DISCONNECTED,
    };
    TrySendError { err, val }
}

/// The error of a message that a sender without a channel did not send.
#[cold]
fn disconnected<T>(message: T) -> TrySendError<T> {
    refused((Refused::Closed, message))
}

impl<T> Sender<T> {
    pub(super) fn new(tx: Tx<T>) -> Self {
        Self(Some(tx))
    }

    /// Sends, unless this sender is parked; never waits.
    ///
    /// ```
    /// let (mut sender, receiver) = anysync_futures::channel::mpsc::channel(0);
    /// sender.try_send(1).unwrap();
    /// assert!(sender.try_send(2).unwrap_err().is_full());
    /// drop(receiver);
    /// assert!(sender.try_send(3).unwrap_err().is_disconnected());
    /// ```
    ///
    /// # Errors
    ///
    /// The message is given back if it is parked, or nobody can receive it.
    ///
    /// # Memory ordering
    ///
    /// Releases; receiving acquires.
    pub fn try_send(&mut self, msg: T) -> Result<(), TrySendError<T>> {
        match &mut self.0 {
            Some(tx) => tx.send(msg).map_err(refused),
            None => Err(disconnected(msg)),
        }
    }

    /// Sends after [`poll_ready`](Sender::poll_ready) has been ready.
    ///
    /// # Errors
    ///
    /// If it is parked, or nobody can receive it; the message is dropped.
    pub fn start_send(&mut self, msg: T) -> Result<(), SendError> {
        self.try_send(msg).map_err(TrySendError::into_send_error)
    }

    /// Ready when it is not parked; registers the task otherwise.
    ///
    /// # Errors
    ///
    /// If nobody can receive.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let tx = self.0.as_mut().ok_or(SendError::DISCONNECTED)?;
        if !tx.chan().is_open() {
            return Poll::Ready(Err(SendError::DISCONNECTED));
        }
        tx.poll_unparked(cx.waker()).map(Ok)
    }

    /// Whether nobody can receive.
    pub fn is_closed(&self) -> bool {
        self.0.as_ref().is_none_or(|tx| !tx.chan().is_open())
    }

    /// Lets nobody send any more; what was sent is still received.
    pub fn close_channel(&mut self) {
        if let Some(tx) = &self.0 {
            tx.chan().close_by_sender();
        }
    }

    /// Makes this no sender of the channel any more.
    pub fn disconnect(&mut self) {
        self.0 = None;
    }

    /// Whether they send to the same receiver.
    pub fn same_receiver(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(tx), Some(other)) => Arc::ptr_eq(tx.chan(), other.chan()),
            _ => false,
        }
    }

    /// Whether it sends to this receiver.
    pub fn is_connected_to(&self, receiver: &Receiver<T>) -> bool {
        match (&self.0, &receiver.chan) {
            (Some(tx), Some(chan)) => Arc::ptr_eq(tx.chan(), chan),
            _ => false,
        }
    }

    /// Hashes the receiver: those that send to the same have the same hash.
    pub fn hash_receiver<H: Hasher>(&self, hasher: &mut H) {
        let chan = self.0.as_ref().map(|tx| Arc::as_ptr(tx.chan()));
        chan.hash(hasher);
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("closed", &self.is_closed())
            .finish()
    }
}

impl<T> Sink<T> for Sender<T> {
    type Error = SendError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        (*self).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, msg: T) -> Result<(), SendError> {
        (*self).start_send(msg)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        match (*self).poll_ready(cx) {
            // What nobody can receive is flushed.
            Poll::Ready(Err(error)) if error.is_disconnected() => Poll::Ready(Ok(())),
            other => other,
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.disconnect();
        Poll::Ready(Ok(()))
    }
}

/// The end of an unbounded channel that sends: a `Sink` that is always ready.
pub struct UnboundedSender<T>(Option<Tx<T>>);

impl<T> UnboundedSender<T> {
    pub(super) fn new(tx: Tx<T>) -> Self {
        Self(Some(tx))
    }

    /// Always ready.
    ///
    /// # Errors
    ///
    /// If nobody can receive.
    pub fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        Poll::Ready(if self.is_closed() {
            Err(SendError::DISCONNECTED)
        } else {
            Ok(())
        })
    }

    /// Whether nobody can receive.
    pub fn is_closed(&self) -> bool {
        self.0.as_ref().is_none_or(|tx| !tx.chan().is_open())
    }

    /// Lets nobody send any more; what was sent is still received.
    pub fn close_channel(&self) {
        if let Some(tx) = &self.0 {
            tx.chan().close_by_sender();
        }
    }

    /// Makes this no sender of the channel any more.
    pub fn disconnect(&mut self) {
        self.0 = None;
    }

    /// Sends.
    ///
    /// # Errors
    ///
    /// If nobody can receive it; the message is dropped.
    pub fn start_send(&mut self, msg: T) -> Result<(), SendError> {
        self.unbounded_send(msg)
            .map_err(TrySendError::into_send_error)
    }

    /// Sends; never waits.
    ///
    /// # Errors
    ///
    /// The message is given back if nobody can receive it.
    ///
    /// # Memory ordering
    ///
    /// Releases; receiving acquires.
    pub fn unbounded_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        match &self.0 {
            Some(tx) => tx.chan().send(&mut None, msg).map_err(refused),
            None => Err(disconnected(msg)),
        }
    }

    /// Whether they send to the same receiver.
    pub fn same_receiver(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(tx), Some(other)) => Arc::ptr_eq(tx.chan(), other.chan()),
            _ => false,
        }
    }

    /// Whether it sends to this receiver.
    pub fn is_connected_to(&self, receiver: &UnboundedReceiver<T>) -> bool {
        match (&self.0, &receiver.chan) {
            (Some(tx), Some(chan)) => Arc::ptr_eq(tx.chan(), chan),
            _ => false,
        }
    }

    /// Hashes the receiver: those that send to the same have the same hash.
    pub fn hash_receiver<H: Hasher>(&self, hasher: &mut H) {
        let chan = self.0.as_ref().map(|tx| Arc::as_ptr(tx.chan()));
        chan.hash(hasher);
    }

    /// How many messages are there.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |tx| tx.chan().len())
    }

    /// Whether no message is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedSender")
            .field("closed", &self.is_closed())
            .finish()
    }
}

impl<T> Sink<T> for UnboundedSender<T> {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        Self::poll_ready(&*self, cx)
    }

    fn start_send(mut self: Pin<&mut Self>, msg: T) -> Result<(), SendError> {
        Self::start_send(&mut *self, msg)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.disconnect();
        Poll::Ready(Ok(()))
    }
}

impl<T> Sink<T> for &UnboundedSender<T> {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        UnboundedSender::poll_ready(*self, cx)
    }

    fn start_send(self: Pin<&mut Self>, msg: T) -> Result<(), SendError> {
        self.unbounded_send(msg)
            .map_err(TrySendError::into_send_error)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.close_channel();
        Poll::Ready(Ok(()))
    }
}

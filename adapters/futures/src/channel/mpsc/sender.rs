//! The ends that send.

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use anysync::semaphore::AcquireOwned;
use anysync::{Bare, Semaphore, channel as core};
use futures::sink::Sink;

use super::{Receiver, SendError, Shared, TrySendError, Unbounded, UnboundedReceiver};

/// The end of a bounded channel that sends: a `Sink`. Each clone has a slot of its
/// own.
pub struct Sender<T>(Option<Bounded<T>>);

struct Bounded<T> {
    inner: core::Sender<T>,
    shared: Arc<Shared>,
    /// Its place among the parked senders, if it is one.
    parked: Option<Pin<Box<AcquireOwned<Shared>>>>,
}

impl<T> Bounded<T> {
    fn poll_unparked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(place) = &mut self.parked else {
            return Poll::Ready(());
        };
        let Poll::Ready(permit) = place.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        // It was for this sender; there is none when the channel is closed.
        if let Ok(permit) = permit {
            permit.forget();
        }
        self.parked = None;
        Poll::Ready(())
    }

    fn try_send(&mut self, msg: T) -> Result<(), TrySendError<T>> {
        let mut cx = Context::from_waker(Waker::noop());
        if self.poll_unparked(&mut cx).is_pending() {
            return Err(TrySendError {
                err: SendError::FULL,
                val: msg,
            });
        }
        let parks = self.shared.count_in();
        if let Err(error) = self.inner.try_send(msg) {
            self.shared.take_back(parks);
            return Err(TrySendError {
                err: SendError::DISCONNECTED,
                val: error.into_inner(),
            });
        }
        if parks {
            let shared = Arc::clone(&self.shared);
            let place = Semaphore::acquire_owned_by(shared, |shared| &shared.unparked, Bare, 1);
            self.parked = Some(Box::pin(place));
            // It queues, or has been let go by now.
            let _ = self.poll_unparked(&mut cx);
        }
        Ok(())
    }
}

impl<T> Drop for Bounded<T> {
    fn drop(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        if self.poll_unparked(&mut cx).is_pending() {
            self.parked = None;
            self.shared.leave();
        }
    }
}

impl<T> Sender<T> {
    pub(super) fn new(inner: core::Sender<T>, shared: Arc<Shared>) -> Self {
        Self(Some(Bounded {
            inner,
            shared,
            parked: None,
        }))
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
            Some(inner) => inner.try_send(msg),
            None => Err(TrySendError {
                err: SendError::DISCONNECTED,
                val: msg,
            }),
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
        let inner = self.0.as_mut().ok_or(SendError::DISCONNECTED)?;
        if inner.inner.is_closed() {
            return Poll::Ready(Err(SendError::DISCONNECTED));
        }
        inner.poll_unparked(cx).map(Ok)
    }

    /// Whether nobody can receive.
    pub fn is_closed(&self) -> bool {
        self.0.as_ref().is_none_or(|inner| inner.inner.is_closed())
    }

    /// Lets nobody send any more; what was sent is still received.
    pub fn close_channel(&mut self) {
        if let Some(inner) = &self.0 {
            inner.inner.close();
            inner.shared.close();
        }
    }

    /// Makes this no sender of the channel any more.
    pub fn disconnect(&mut self) {
        self.0 = None;
    }

    /// Whether they send to the same receiver.
    pub fn same_receiver(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(inner), Some(other)) => inner.inner.same_channel(&other.inner),
            _ => false,
        }
    }

    /// Whether it sends to this receiver.
    pub fn is_connected_to(&self, receiver: &Receiver<T>) -> bool {
        match (&self.0, &receiver.inner) {
            (Some(inner), Some(receiver)) => inner.inner.same_channel_as(receiver),
            _ => false,
        }
    }

    /// Hashes the receiver: those that send to the same have the same hash.
    pub fn hash_receiver<H: Hasher>(&self, hasher: &mut H) {
        let shared = self.0.as_ref().map(|inner| Arc::as_ptr(&inner.shared));
        shared.hash(hasher);
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.as_ref().map(|inner| Bounded {
            inner: inner.inner.clone(),
            shared: Arc::clone(&inner.shared),
            parked: None,
        }))
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
pub struct UnboundedSender<T>(Option<Open<T>>);

struct Open<T> {
    inner: core::Sender<T>,
    identity: Arc<Unbounded>,
}

impl<T> UnboundedSender<T> {
    pub(super) fn new(inner: core::Sender<T>, identity: Arc<Unbounded>) -> Self {
        Self(Some(Open { inner, identity }))
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
        self.0.as_ref().is_none_or(|open| open.inner.is_closed())
    }

    /// Lets nobody send any more; what was sent is still received.
    pub fn close_channel(&self) {
        if let Some(open) = &self.0 {
            open.inner.close();
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
        let refused = |val| TrySendError {
            err: SendError::DISCONNECTED,
            val,
        };
        match &self.0 {
            Some(open) => open
                .inner
                .try_send(msg)
                .map_err(|error| refused(error.into_inner())),
            None => Err(refused(msg)),
        }
    }

    /// Whether they send to the same receiver.
    pub fn same_receiver(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(open), Some(other)) => open.inner.same_channel(&other.inner),
            _ => false,
        }
    }

    /// Whether it sends to this receiver.
    pub fn is_connected_to(&self, receiver: &UnboundedReceiver<T>) -> bool {
        match (&self.0, &receiver.inner) {
            (Some(open), Some(receiver)) => open.inner.same_channel_as(receiver),
            _ => false,
        }
    }

    /// Hashes the receiver: those that send to the same have the same hash.
    pub fn hash_receiver<H: Hasher>(&self, hasher: &mut H) {
        let identity = self.0.as_ref().map(|open| Arc::as_ptr(&open.identity));
        identity.hash(hasher);
    }

    /// How many messages are there.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |open| open.inner.len())
    }

    /// Whether no message is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.as_ref().map(|open| Open {
            inner: open.inner.clone(),
            identity: Arc::clone(&open.identity),
        }))
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

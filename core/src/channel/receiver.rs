//! [`Receiver`] and its weak form.

use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use alloc::sync::Arc;

use super::chan::Chan;
use super::handle::{common_methods, weak_handle};
use super::standing::Place;
use super::wait::Side;
use super::{Recv, RecvError, RecvMany, TryRecvError, Waiter};
use crate::io::{Bare, Io};
use crate::primitive::Ordering;
use crate::wake_batch::Finally;

/// The side of a channel that receives; see the [module](crate::channel).
///
/// Cloned, it is another receiver of the same channel: each message goes to one
/// of them. When the last is dropped the channel is closed, and what is left in it
/// is dropped.
///
/// # Fairness
///
/// First in, first out: tasks that wait for a message are promised one in the order in
/// which their waits were first polled, and no other passes them. What each gets is
/// the oldest message when it is polled, so each receiver sees the messages of
/// one sender in the order in which they were sent.
///
/// A promised message stays with its wait until that is polled or dropped. A task may
/// keep such a wait and poll another one instead. So that it does not wait for itself, the
/// message goes on when other waits have been polled beside it often enough, as
/// [`Fairness`](crate::Fairness) says; the wait that did not come is the first in the queue
/// when it is polled again. A wait that sleeps behind a promise that is not polled, and
/// that no poll passes on, sleeps on: so drop a wait that you do not poll any more.
///
/// In a channel made by [`bounded_with_fairness`](crate::channel::bounded_with_fairness)
/// a message may belong to the first that comes.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment, and no message is lost: it is in the
/// channel until the wait returns it. Queued, the wait leaves the queue; promised
/// a message, that goes to the next.
///
/// # Memory ordering
///
/// What was done before a message was sent, or before the last sender was dropped,
/// is visible to the task that receives the message, or the error.
///
/// # As a `Stream`
///
/// With the feature `futures-core` it is a `Stream`, which ends when the channel
/// is closed and empty. See [`poll_recv`](Receiver::poll_recv).
pub struct Receiver<T> {
    chan: Arc<Chan<T>>,
    place: Place<T>,
}

impl<T> Receiver<T> {
    /// A receiver that has been counted.
    pub(super) fn first(chan: Arc<Chan<T>>) -> Self {
        Self {
            chan,
            place: Place::new(),
        }
    }

    #[inline]
    pub(super) fn chan(&self) -> &Arc<Chan<T>> {
        &self.chan
    }

    /// Takes the oldest message, if there is one that no task waits for. Never
    /// waits.
    ///
    /// # Errors
    ///
    /// [`Empty`](TryRecvError::Empty), also if there are messages but each is
    /// promised to a receive that has been woken for it, or if a message may still
    /// come by a [`Permit`](super::Permit); [`Closed`](TryRecvError::Closed) if
    /// none will come any more.
    ///
    /// # Panics
    ///
    /// Passes on the panic of a waker; the message is in the channel then, as the
    /// oldest.
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.place.leave();
        self.chan.try_recv()
    }

    /// Receives, waiting for a message if need be; `io` is the executor that it
    /// runs on.
    ///
    /// ```
    /// use anysync::{Bare, Block, Io, channel::{self, Receiver}};
    ///
    /// async fn sum(io: impl Io, receiver: Receiver<u32>) -> u32 {
    ///     let mut sum = 0;
    ///     while let Ok(number) = receiver.recv(&io).await {
    ///         sum += number;
    ///     }
    ///     sum
    /// }
    ///
    /// let (sender, receiver) = channel::unbounded();
    /// for number in 1..=4 {
    ///     sender.try_send(number).unwrap();
    /// }
    /// drop(sender);
    /// assert_eq!(Bare.block_on(sum(Bare, receiver)), 10);
    /// ```
    ///
    /// # Errors
    ///
    /// If the channel is closed and empty, and none of its slots is reserved.
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`Receiver`].
    ///
    /// # Cancel safety
    ///
    /// No message is lost: dropped before it has returned, the wait leaves the
    /// queue, or passes its promise on.
    ///
    /// # Memory ordering
    ///
    /// What was done before the message was sent is visible.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has finished. Passes on the panic of a
    /// waker; the message is in the channel then, as the oldest.
    #[inline]
    pub fn recv<I: Io>(&self, io: I) -> Recv<'_, T, I> {
        self.place.leave();
        Recv::new(&self.chan, io)
    }

    /// [`try_recv`](Receiver::try_recv) that leaves the place of
    /// [`poll_recv`](Receiver::poll_recv) as it is: a message that it has been
    /// promised is taken, and while there is none its task will still be woken.
    ///
    /// ```
    /// use std::task::{Context, Waker};
    /// use anysync::{Bare, channel::{self, TryRecvError}};
    ///
    /// let (sender, mut receiver) = channel::unbounded();
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert!(receiver.poll_recv(&Bare, &mut cx).is_pending());
    /// assert_eq!(receiver.try_recv_in_place(), Err(TryRecvError::Empty));
    /// sender.try_send(7).unwrap();
    /// assert_eq!(receiver.try_recv_in_place(), Ok(7));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Receiver::try_recv).
    ///
    /// # Panics
    ///
    /// As [`try_recv`](Receiver::try_recv).
    pub fn try_recv_in_place(&mut self) -> Result<T, TryRecvError> {
        let chan = &self.chan;
        match self.place.look(|list| chan.take_promised(list)) {
            None => chan.try_recv(),
            Some(Poll::Ready(Ok(message))) => Ok(message),
            Some(Poll::Ready(Err(_))) => Err(TryRecvError::Closed),
            Some(Poll::Pending) => Err(TryRecvError::Empty),
        }
    }

    /// Receives on any executor: [`recv`](Receiver::recv) with [`Bare`].
    #[inline]
    pub fn recv_future(&self) -> Recv<'_, T> {
        self.recv(Bare)
    }

    /// Waits for a message, and moves it and what else is there, `limit` messages
    /// at most, to the end of `target`. Returns how many: 0 only if `limit` is 0,
    /// or the channel is closed and empty and none of its slots is reserved.
    ///
    /// Many messages are moved in rounds of at most 256, in one poll, and what is sent
    /// meanwhile is not among them. Between two rounds the slots of the first are free,
    /// and other receivers may take messages: so what this gets is in order, and it may
    /// miss some that another got.
    ///
    /// ```
    /// use anysync::{Bare, Block, channel};
    ///
    /// let (sender, receiver) = channel::unbounded();
    /// for number in 0..5 {
    ///     sender.try_send(number).unwrap();
    /// }
    /// drop(sender);
    /// let mut batch = Vec::new();
    /// assert_eq!(Bare.block_on(receiver.recv_many(Bare, &mut batch, 3)), 3);
    /// assert_eq!(Bare.block_on(receiver.recv_many(Bare, &mut batch, 3)), 2);
    /// assert_eq!(Bare.block_on(receiver.recv_many(Bare, &mut batch, 3)), 0);
    /// assert_eq!(batch, [0, 1, 2, 3, 4]);
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out; it takes no message that is promised to another receive.
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Receiver::recv): dropped before it has returned, it has moved
    /// nothing.
    ///
    /// # Memory ordering
    ///
    /// As [`recv`](Receiver::recv).
    ///
    /// # Panics
    ///
    /// When the future is polled after it has finished. Passes on the panic of a
    /// waker; the messages are in `target` then.
    #[inline]
    pub fn recv_many<'a, I: Io>(
        &'a self,
        io: I,
        target: &'a mut Vec<T>,
        limit: usize,
    ) -> RecvMany<'a, T, I> {
        self.place.leave();
        RecvMany::new(&self.chan, target, limit, io)
    }

    /// Receives, and parks the thread while there is no message.
    ///
    /// Not for async code: it would keep the executor's thread from running other
    /// tasks, perhaps the one that sends.
    ///
    /// # Errors
    ///
    /// As [`recv`](Receiver::recv).
    #[cfg(feature = "std")]
    #[doc(alias("blocking_recv"))]
    pub fn recv_blocking(&self) -> Result<T, RecvError> {
        crate::io::block_on(self.recv_future())
    }

    /// Takes a message, or queues `waiter` for one: [`recv`](Receiver::recv) for
    /// code without futures.
    ///
    /// `None` means that the waiter is queued; it is woken when it is worth
    /// calling again. See [`Waiter::with_callback`] for an example.
    ///
    /// # Errors
    ///
    /// As [`recv`](Receiver::recv).
    ///
    /// # Fairness
    ///
    /// First in, first out, in one queue with the other receives.
    ///
    /// # Cancel safety
    ///
    /// Dropped or [`reset`](Waiter::reset), the waiter leaves the queue, or passes
    /// its promise on.
    ///
    /// # Memory ordering
    ///
    /// As [`recv`](Receiver::recv).
    ///
    /// # Panics
    ///
    /// If the waiter waits on another channel, or as a sender.
    pub fn recv_with<'a>(
        &'a self,
        waiter: Pin<&mut Waiter<'a, T>>,
    ) -> Option<Result<T, RecvError>> {
        self.place.leave();
        let chan: &'a Chan<T> = &self.chan;
        let outcome = waiter.wait(chan, Side::Receiver, |list| chan.take_promised(list))?;
        Some(outcome.map_err(|_| RecvError))
    }

    /// Allocates now the place that [`poll_recv`](Receiver::poll_recv) would
    /// allocate when it waits for the first time: then no wait allocates.
    ///
    /// ```
    /// let (_sender, mut receiver) = anysync::channel::unbounded::<u32>();
    /// receiver.allocate_place();
    /// ```
    pub fn allocate_place(&mut self) {
        self.place.allocate(&self.chan, Side::Receiver);
    }

    /// Polls for a message, for hand-written futures and streams: the handle
    /// itself has the place in the queue, from one poll to the next.
    ///
    /// The first time that a handle waits in this way it allocates that place,
    /// unless it has been [allocated](Receiver::allocate_place) before. The other
    /// receives of the same handle end such a wait: what it had been promised goes
    /// to the next.
    ///
    /// ```
    /// use std::future::poll_fn;
    /// use anysync::{Bare, Block, channel};
    ///
    /// let (sender, mut receiver) = channel::unbounded();
    /// sender.try_send(7).unwrap();
    /// let received = Bare.block_on(poll_fn(|cx| receiver.poll_recv(&Bare, cx)));
    /// assert_eq!(received, Ok(7));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Receiver::recv).
    ///
    /// # Fairness
    ///
    /// First in, first out, in one queue with the other receives.
    ///
    /// # Cancel safety
    ///
    /// No message is lost. The place stays the handle's until the next poll, or
    /// another receive, or its drop.
    ///
    /// # Memory ordering
    ///
    /// As [`recv`](Receiver::recv).
    pub fn poll_recv<I: Io>(&mut self, io: &I, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let chan = &self.chan;
        self.place
            .poll(chan, Side::Receiver, io, cx, |list| {
                chan.take_promised(list)
            })
            .map_err(|_| RecvError)
    }

    /// Polls for several messages: [`recv_many`](Receiver::recv_many) in the
    /// manner of [`poll_recv`](Receiver::poll_recv).
    ///
    /// # Fairness
    ///
    /// As [`recv_many`](Receiver::recv_many).
    ///
    /// # Cancel safety
    ///
    /// As [`poll_recv`](Receiver::poll_recv).
    ///
    /// # Memory ordering
    ///
    /// As [`recv`](Receiver::recv).
    pub fn poll_recv_many<I: Io>(
        &mut self,
        io: &I,
        cx: &mut Context<'_>,
        target: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        if limit == 0 {
            return Poll::Ready(0);
        }
        let chan = &self.chan;
        self.place
            .poll(chan, Side::Receiver, io, cx, |list| {
                chan.take_many(list, target, limit)
            })
            .map(|received| received.unwrap_or(0))
    }

    /// A receiver that keeps neither the channel open nor its messages.
    pub fn downgrade(&self) -> WeakReceiver<T> {
        WeakReceiver::new(self.chan.clone())
    }

    /// Whether this is of the same channel as `other`.
    #[doc(alias("same_receiver"))]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chan, &other.chan)
    }

    common_methods!();
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        // Relaxed: one that is there already keeps the count from zero.
        self.chan.receivers.fetch_add(1, Ordering::Relaxed);
        Self::first(self.chan.clone())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let chan = &self.chan;
        let _gone = Finally(|| {
            if chan.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
                chan.lose_receivers();
            }
        });
        self.place.clear();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

weak_handle! {
    /// A [`Receiver`] that does not keep its channel open, and cannot receive: see
    /// [`upgrade`](WeakReceiver::upgrade).
    WeakReceiver of Receiver, weak_receivers, receivers
}

#[cfg(feature = "futures-core")]
impl<T> futures_core::Stream for Receiver<T> {
    type Item = T;

    /// [`poll_recv`](Receiver::poll_recv) on any executor.
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().poll_recv(&Bare, cx).map(Result::ok)
    }
}

#[cfg(feature = "futures-core")]
impl<T> futures_core::stream::FusedStream for Receiver<T> {
    /// Whether no message will come any more.
    fn is_terminated(&self) -> bool {
        self.chan.lock().is_over()
    }
}

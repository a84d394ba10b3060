//! [`Sender`] and its weak form.

use core::fmt;
use core::pin::Pin;

use alloc::sync::Arc;

use super::chan::Chan;
use super::handle::{common_methods, weak_handle};
#[cfg(feature = "futures-sink")]
use super::standing::Place;
use super::wait::Side;
use super::{
    Closed, MAX_CAPACITY, OwnedPermit, Permit, Permits, Receiver, Reserve, ReserveMany,
    ReserveOwned, Send, SendError, TrySendError, Waiter,
};
use crate::io::{Bare, Io};
use crate::primitive::Ordering;
use crate::wake_batch::Finally;

/// The side of a channel that sends; see the [module](crate::channel).
///
/// Cloned, it is another sender of the same channel. When the last is dropped the
/// channel is closed: its receivers get what is left, then an error.
///
/// # Fairness
///
/// First in, first out: tasks that wait for a slot get it in the order in which their
/// waits were first polled, and no other passes them, also not one that waits for many.
/// One that has been granted a slot sends when it is polled; the order of the messages
/// is that of the sending.
///
/// Slots that have been granted stay with their wait until that is polled or dropped. A
/// task may keep such a wait and poll another one instead. So that it does not wait for
/// itself, the slots go on when other waits have been polled beside them often enough, as
/// [`Fairness`](crate::Fairness) says; the wait that did not come is the first in the queue
/// when it is polled again. A wait that sleeps behind a grant that is not polled, and that
/// no poll passes on, sleeps on: so drop a wait that you do not poll any more.
///
/// In a channel made by [`bounded_with_fairness`](crate::channel::bounded_with_fairness)
/// a slot may belong to the first that comes.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. Queued, it leaves the queue; granted, its
/// slots go to the next. A [`Send`] that is dropped before it has returned has
/// not sent, and its value is dropped with it, or comes back by
/// [`take_value`](Send::take_value).
///
/// # Memory ordering
///
/// What was done before a send is visible to the task that receives the message. What was
/// done before a message was received, or the channel was closed, is visible to the
/// task that gets its slot, or the error.
///
/// # As a `Sink`
///
/// With the feature `futures-sink` it is a `Sink`. A sink that is ready holds a
/// reserved slot until it sends or is dropped. The first time that a sender waits
/// in this way it allocates a place for that.
pub struct Sender<T> {
    chan: Arc<Chan<T>>,
    #[cfg(feature = "futures-sink")]
    place: Place<T>,
}

impl<T> Sender<T> {
    /// A sender that has been counted.
    pub(super) fn first(chan: Arc<Chan<T>>) -> Self {
        Self {
            chan,
            #[cfg(feature = "futures-sink")]
            place: Place::new(),
        }
    }

    /// Ends the wait that the sender itself has as a `Sink`.
    #[inline]
    fn leave(&self) {
        #[cfg(feature = "futures-sink")]
        self.place.leave();
    }

    #[inline]
    pub(super) fn chan(&self) -> &Arc<Chan<T>> {
        &self.chan
    }

    /// Sends if there is a free slot and no task waits for one. Never waits.
    ///
    /// # Errors
    ///
    /// With the message: [`Full`](TrySendError::Full) or
    /// [`Closed`](TrySendError::Closed).
    ///
    /// # Panics
    ///
    /// Passes on the panic of a waker; the message has been sent then.
    #[inline]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.leave();
        self.chan.try_send(message)
    }

    /// Sends, waiting for a slot if need be; `io` is the executor that it runs
    /// on.
    ///
    /// ```
    /// use anysync::{Bare, Block, Io, channel::{self, Sender}};
    ///
    /// async fn produce(io: impl Io, sender: Sender<u32>) {
    ///     for number in 0.. {
    ///         if sender.send(&io, number).await.is_err() {
    ///             return; // no receiver wants any more
    ///         }
    ///     }
    /// }
    ///
    /// let (sender, receiver) = channel::bounded(2);
    /// std::thread::spawn(|| Bare.block_on(produce(Bare, sender)));
    /// assert_eq!(receiver.recv_blocking(), Ok(0));
    /// assert_eq!(receiver.recv_blocking(), Ok(1));
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if the channel is closed before the send has got a slot,
    /// or all receivers are gone before it has sent.
    ///
    /// # Fairness
    ///
    /// First in, first out; see [`Sender`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has returned, it has not sent. The message is dropped
    /// with the future: to keep it, [`take_value`](Send::take_value), or
    /// [`reserve`](Sender::reserve) first.
    ///
    /// # Memory ordering
    ///
    /// What was done before is visible to the task that receives the message.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has finished. Passes on the panic of a
    /// waker; the message has been sent then.
    #[inline]
    pub fn send<I: Io>(&self, io: I, message: T) -> Send<'_, T, I> {
        self.leave();
        Send::new(&self.chan, message, io)
    }

    /// Sends on any executor: [`send`](Sender::send) with [`Bare`].
    #[inline]
    pub fn send_future(&self, message: T) -> Send<'_, T> {
        self.send(Bare, message)
    }

    /// Sends, and parks the thread while there is no slot.
    ///
    /// Not for async code: it would keep the executor's thread from running other
    /// tasks, perhaps the one that receives.
    ///
    /// # Errors
    ///
    /// With the message, as [`send`](Sender::send).
    #[cfg(feature = "std")]
    #[doc(alias("blocking_send"))]
    pub fn send_blocking(&self, message: T) -> Result<(), SendError<T>> {
        crate::io::block_on(self.send_future(message))
    }

    /// Sends without waiting: if no slot is free, in place of the oldest message,
    /// which is returned.
    ///
    /// If no slot is free and there is no message, because all slots are
    /// reserved, `message` itself is returned.
    ///
    /// ```
    /// use anysync::channel;
    ///
    /// // Only the latest two matter.
    /// let (sender, receiver) = channel::bounded(2);
    /// assert_eq!(sender.force_send(1), Ok(None));
    /// assert_eq!(sender.force_send(2), Ok(None));
    /// assert_eq!(sender.force_send(3), Ok(Some(1)));
    /// assert_eq!(receiver.try_recv(), Ok(2));
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if the channel is closed.
    ///
    /// # Fairness
    ///
    /// It takes no slot that a task waits for.
    ///
    /// # Panics
    ///
    /// Passes on the panic of a waker; the message has been sent then.
    #[doc(alias("overwrite"))]
    pub fn force_send(&self, message: T) -> Result<Option<T>, SendError<T>> {
        self.leave();
        self.chan.force_send(message)
    }

    /// Waits for a slot and reserves it, to send a message later without waiting.
    ///
    /// ```
    /// use anysync::{Bare, Block, channel};
    ///
    /// let (sender, receiver) = channel::bounded(1);
    /// let permit = Bare.block_on(sender.reserve(Bare)).unwrap();
    /// assert!(sender.try_send("too late").is_err());
    /// permit.send("reserved");
    /// assert_eq!(receiver.try_recv(), Ok("reserved"));
    /// ```
    ///
    /// # Errors
    ///
    /// If the channel is closed before the wait has got a slot.
    ///
    /// # Fairness
    ///
    /// First in, first out, in one queue with the sends.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue, or passes its slot on.
    ///
    /// # Memory ordering
    ///
    /// What was done before the slot became free is visible.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has finished.
    #[inline]
    #[doc(alias("permit"))]
    pub fn reserve<I: Io>(&self, io: I) -> Reserve<'_, T, I> {
        self.leave();
        Reserve::new(&self.chan, 1, io)
    }

    /// Waits for `n` slots, which are reserved all at once. With 0 it does not
    /// wait, and fails only if the channel is closed.
    ///
    /// ```
    /// use anysync::{Bare, Block, channel};
    ///
    /// let (sender, receiver) = channel::bounded(4);
    /// let permits = Bare.block_on(sender.reserve_many(Bare, 3)).unwrap();
    /// for (number, permit) in permits.enumerate() {
    ///     permit.send(number);
    /// }
    /// assert_eq!(receiver.len(), 3);
    /// ```
    ///
    /// # Errors
    ///
    /// If the channel is closed before the wait has got its slots.
    ///
    /// # Fairness
    ///
    /// First in, first out: at the head of the queue it is not overtaken by those that
    /// wait for fewer.
    ///
    /// # Cancel safety
    ///
    /// As [`reserve`](Sender::reserve); slots that it alone held up go to the next
    /// at once.
    ///
    /// # Memory ordering
    ///
    /// As [`reserve`](Sender::reserve).
    ///
    /// # Panics
    ///
    /// If `n` is above the [`capacity`](Sender::capacity) (or
    /// [`MAX_CAPACITY`]), as there never are so many slots; and when the future is
    /// polled after it has finished.
    #[inline]
    #[track_caller]
    pub fn reserve_many<I: Io>(&self, io: I, n: usize) -> ReserveMany<'_, T, I> {
        self.leave();
        let most = self.capacity().unwrap_or(MAX_CAPACITY);
        assert!(
            n <= most,
            "{n} slots cannot be reserved at once: the channel has {most}"
        );
        ReserveMany::new(&self.chan, n, io)
    }

    /// [`reserve`](Sender::reserve) with a permit that owns the sender, and so may
    /// be stored or sent elsewhere.
    ///
    /// ```
    /// use anysync::{Bare, Block, channel};
    ///
    /// let (sender, receiver) = channel::bounded(1);
    /// let permit = Bare.block_on(sender.reserve_owned(Bare)).unwrap();
    /// let sender = permit.send("message");
    /// assert!(sender.is_full());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reserve`](Sender::reserve), with the sender.
    ///
    /// # Fairness
    ///
    /// First in, first out, in one queue with the sends.
    ///
    /// # Cancel safety
    ///
    /// As [`reserve`](Sender::reserve); the sender is dropped with the future, so
    /// hand in a clone to keep it.
    ///
    /// # Memory ordering
    ///
    /// As [`reserve`](Sender::reserve).
    ///
    /// # Panics
    ///
    /// When the future is polled after it has finished.
    pub fn reserve_owned<I: Io>(self, io: I) -> ReserveOwned<T, I> {
        self.leave();
        ReserveOwned::new(self.chan.clone(), self, io)
    }

    /// Reserves a slot if one is free and no task waits for one.
    ///
    /// # Errors
    ///
    /// [`Full`](TrySendError::Full) or [`Closed`](TrySendError::Closed).
    #[inline]
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.leave();
        self.chan.try_reserve(1)?;
        Ok(Permit::new(&self.chan))
    }

    /// Reserves `n` slots if so many are free and no task waits for any.
    ///
    /// ```
    /// use anysync::channel::{self, TrySendError};
    ///
    /// let (sender, _receiver) = channel::bounded::<u8>(3);
    /// let permits = sender.try_reserve_many(2).unwrap();
    /// assert_eq!(sender.try_reserve_many(2).unwrap_err(), TrySendError::Full(()));
    /// drop(permits);
    /// assert_eq!(sender.free_slots(), Some(3));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Full`](TrySendError::Full), also if there never are so many: if `n` is above
    /// the [`capacity`](Sender::capacity), or of an unbounded channel above
    /// [`MAX_CAPACITY`]. [`Closed`](TrySendError::Closed), whatever `n` is, if the
    /// channel is closed.
    #[inline]
    pub fn try_reserve_many(&self, n: usize) -> Result<Permits<'_, T>, TrySendError<()>> {
        self.leave();
        if n > MAX_CAPACITY && !self.is_closed() {
            // So many are not even counted.
            return Err(TrySendError::Full(()));
        }
        self.chan.try_reserve(n)?;
        Ok(Permits::new(&self.chan, n))
    }

    /// [`try_reserve`](Sender::try_reserve) with a permit that owns the sender.
    ///
    /// # Errors
    ///
    /// As [`try_reserve`](Sender::try_reserve), with the sender.
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        self.leave();
        match self.chan.try_reserve(1) {
            Ok(()) => Ok(OwnedPermit::new(self)),
            Err(error) => Err(error.map(|()| self)),
        }
    }

    /// Reserves a slot, or queues `waiter` for one: [`reserve`](Sender::reserve)
    /// for code without futures.
    ///
    /// `None` means that the waiter is queued; it is woken when it is worth
    /// calling again.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::channel::{self, Waiter};
    ///
    /// let (sender, receiver) = channel::bounded(1);
    /// let mut waiter = pin!(Waiter::new());
    /// sender.reserve_with(waiter.as_mut()).unwrap().unwrap().send(1);
    /// assert!(sender.reserve_with(waiter.as_mut()).is_none());
    /// receiver.try_recv().unwrap();
    /// assert!(waiter.is_ready());
    /// sender.reserve_with(waiter.as_mut()).unwrap().unwrap().send(2);
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reserve`](Sender::reserve).
    ///
    /// # Fairness
    ///
    /// First in, first out, in one queue with the sends.
    ///
    /// # Cancel safety
    ///
    /// Dropped or [`reset`](Waiter::reset), the waiter leaves the queue, or passes
    /// its slot on.
    ///
    /// # Memory ordering
    ///
    /// As [`reserve`](Sender::reserve).
    ///
    /// # Panics
    ///
    /// If the waiter waits on another channel, or as a receiver.
    pub fn reserve_with<'a>(
        &'a self,
        waiter: Pin<&mut Waiter<'a, T>>,
    ) -> Option<Result<Permit<'a, T>, SendError<()>>> {
        self.leave();
        let chan: &'a Chan<T> = &self.chan;
        let outcome = waiter.wait(chan, Side::Sender, |list| chan.publish(&list))?;
        Some(match outcome {
            Ok(()) => Ok(Permit::new(chan)),
            Err(_) => Err(SendError(())),
        })
    }

    /// Waits until the channel is closed: all receivers are gone, or a task called
    /// [`close`](Sender::close).
    ///
    /// ```
    /// use anysync::{Bare, Block, channel};
    ///
    /// let (sender, receiver) = channel::bounded::<u8>(1);
    /// std::thread::spawn(move || drop(receiver));
    /// Bare.block_on(sender.closed(Bare)); // stop producing
    /// ```
    ///
    /// # Fairness
    ///
    /// All tasks that wait are woken.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    ///
    /// # Memory ordering
    ///
    /// What was done before the close is visible afterwards.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has finished.
    pub fn closed<I: Io>(&self, io: I) -> Closed<'_, T, I> {
        Closed::new(&self.chan, 1, io)
    }

    /// A sender that does not keep the channel open.
    ///
    /// ```
    /// use anysync::channel;
    ///
    /// let (sender, receiver) = channel::bounded::<u8>(1);
    /// let weak = sender.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(sender);
    /// assert!(weak.upgrade().is_none());
    /// assert!(receiver.is_closed());
    /// ```
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::new(self.chan.clone())
    }

    /// Whether this is of the same channel as `other`.
    #[doc(alias("same_receiver"))]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chan, &other.chan)
    }

    /// Whether `receiver` receives what this sends.
    pub fn same_channel_as(&self, receiver: &Receiver<T>) -> bool {
        Arc::ptr_eq(&self.chan, receiver.chan())
    }

    common_methods!();
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        // Relaxed: one that is there already keeps the count from zero.
        self.chan.senders.fetch_add(1, Ordering::Relaxed);
        Self::first(self.chan.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let chan = &self.chan;
        let _gone = Finally(|| {
            if chan.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
                chan.lose_senders();
            }
        });
        #[cfg(feature = "futures-sink")]
        self.place.clear();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

weak_handle! {
    /// A [`Sender`] that does not keep its channel open, and cannot send: see
    /// [`upgrade`](WeakSender::upgrade).
    WeakSender of Sender, weak_senders, senders
}

#[cfg(feature = "futures-sink")]
mod sink {
    use core::pin::Pin;
    use core::task::{Context, Poll};

    use futures_sink::Sink;

    use super::{Bare, SendError, Sender, Side};

    /// What an error gives back is the message that was not sent, or `None` where
    /// there was none.
    ///
    /// A message is in the channel once `start_send` has returned, so there is
    /// nothing to flush. To close the sink is to do no more: the channel is closed
    /// when the last sender is dropped, or by [`close`](Sender::close).
    impl<T> Sink<T> for Sender<T> {
        type Error = SendError<Option<T>>;

        /// Waits for a slot and reserves it.
        fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            let this = self.get_mut();
            if this.place.holds() {
                return Poll::Ready(Ok(()));
            }
            let chan = &this.chan;
            let polled = this.place.poll(chan, Side::Sender, &Bare, cx, |list| {
                chan.publish(&list);
            });
            this.place.set_holds(matches!(polled, Poll::Ready(Ok(()))));
            polled.map_err(|_| SendError(None))
        }

        /// Sends by the slot that is reserved.
        ///
        /// # Panics
        ///
        /// If `poll_ready` has not returned `Ready(Ok(()))` before.
        #[track_caller]
        fn start_send(self: Pin<&mut Self>, message: T) -> Result<(), Self::Error> {
            let this = self.get_mut();
            assert!(
                this.place.set_holds(false),
                "`start_send` was called before `poll_ready` was ready"
            );
            match this.chan.send_reserved(this.chan.lock(), message) {
                None => Ok(()),
                undeliverable => Err(SendError(undeliverable)),
            }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            let this = self.get_mut();
            this.place.leave();
            if this.place.set_holds(false) {
                this.chan.release(1);
            }
            Poll::Ready(Ok(()))
        }
    }
}

//! The [`Receiver`].

use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;

#[cfg(any(feature = "std", doc))]
use super::RecvError;
use super::{Place, Recv, Shared, TryRecvError, WeakSender};
use crate::io::{Bare, Io};
use crate::notify;

/// Receives every message that is sent while it is there; made by
/// [`channel`](super::channel), [`Sender::subscribe`](super::Sender::subscribe) or [`resubscribe`](Receiver::resubscribe).
pub struct Receiver<T> {
    pub(super) shared: Arc<Shared<T>>,
    pub(super) place: Place<T>,
}

impl<T> Receiver<T> {
    pub(super) fn new(shared: &Arc<Shared<T>>) -> Self {
        let place = shared.lock().join();
        Self {
            shared: Arc::clone(shared),
            place,
        }
    }

    /// Another receiver, of what is sent from now on: what this one has not
    /// read it does not get.
    #[doc(alias("new_receiver"))]
    pub fn resubscribe(&self) -> Self {
        Self::new(&self.shared)
    }

    /// How many messages were sent that this receiver has not read; those that
    /// it will miss count too, so it may be more than the capacity.
    pub fn len(&self) -> usize {
        let unread = self.shared.lock().unread(&self.place);
        usize::try_from(unread).unwrap_or(usize::MAX)
    }

    /// Whether it has read everything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no sender any more; there may be messages to read.
    pub fn is_closed(&self) -> bool {
        self.shared.lock().senders == 0
    }

    /// How many senders there are, at this moment.
    #[doc(alias("strong_count"))]
    pub fn sender_strong_count(&self) -> usize {
        self.shared.lock().senders
    }

    /// How many [`WeakSender`]s there are, at this moment.
    #[doc(alias("weak_count"))]
    pub fn sender_weak_count(&self) -> usize {
        self.shared.lock().weak_senders
    }

    /// A sender that does not keep the broadcast open.
    pub fn weak_sender(&self) -> WeakSender<T> {
        self.shared.lock().weak_senders += 1;
        WeakSender {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Whether both receive from the same senders.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T: Clone> Receiver<T> {
    /// The next message, if there is one; never waits.
    ///
    /// The value is cloned when no lock is held; the last receiver to read it
    /// gets it without a clone where no other receiver is cloning it.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`], [`TryRecvError::Closed`] when no message is left
    /// and none will come, or [`TryRecvError::Lagged`] once, with the number of
    /// messages that this receiver missed; the next call goes on with the oldest
    /// that is left.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the message's `Clone`: then the message counts as read. Also
    /// of its `Drop`, if it was pushed out meanwhile, and of the waker of a sender that
    /// waits ([`Overflow::Wait`](super::Overflow::Wait)): then the next call returns
    /// the message.
    ///
    /// ```
    /// use anysync::broadcast::{TryRecvError, channel};
    ///
    /// let (sender, mut receiver) = channel(2);
    /// for n in 1..=3 {
    ///     sender.send(n).unwrap();
    /// }
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Lagged(1)));
    /// assert_eq!(receiver.try_recv(), Ok(2));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.shared.try_recv(&mut self.place)
    }

    /// Waits for the next message; `io` is the executor that it runs on.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when no message is left and none will come, or
    /// [`RecvError::Lagged`] once, with the number of messages that this
    /// receiver missed; the next call goes on with the oldest that is left.
    ///
    /// # Panics
    ///
    /// As [`try_recv`](Receiver::try_recv).
    ///
    /// ```
    /// use anysync::{Io, broadcast::{Receiver, RecvError}};
    ///
    /// async fn total(io: impl Io, mut numbers: Receiver<u64>) -> (u64, u64) {
    ///     let (mut sum, mut missed) = (0, 0);
    ///     loop {
    ///         match numbers.recv(&io).await {
    ///             Ok(n) => sum += n,
    ///             Err(RecvError::Lagged(count)) => missed += count,
    ///             Err(RecvError::Closed) => return (sum, missed),
    ///         }
    ///     }
    /// }
    /// # use anysync::{Bare, Block, broadcast};
    /// # let (sender, receiver) = broadcast::channel(2);
    /// # for n in 1..=3 { sender.send(n).unwrap(); }
    /// # drop(sender);
    /// # assert_eq!(Bare.block_on(total(Bare, receiver)), (5, 1));
    /// ```
    ///
    /// # Fairness
    ///
    /// All receivers are woken together; each gets every message in order.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment: a message that it has not returned is still
    /// there.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the sender released.
    pub fn recv<I: Io>(&mut self, io: I) -> Recv<'_, T, I> {
        Recv::new(self, io)
    }

    /// Waits without a future: `true` when [`try_recv`](Receiver::try_recv) has a
    /// message, a count of what was missed, or the end. Else queues `waiter`, whose
    /// waker or callback is called when that is to be asked again.
    ///
    /// The waiter borrows the receiver for as long as it lives, so that it cannot
    /// outlive the ring: make one for each wait.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{broadcast, notify::Waiter};
    ///
    /// let (sender, mut receiver) = broadcast::channel(4);
    /// {
    ///     let mut waiter = pin!(Waiter::new());
    ///     assert!(!receiver.recv_with(waiter.as_mut()));
    ///     sender.send(1).unwrap();
    ///     assert!(waiter.is_ready());
    ///     assert!(receiver.recv_with(waiter.as_mut()));
    /// }
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    ///
    /// # Panics
    ///
    /// If the waiter is queued elsewhere.
    pub fn recv_with<'a>(&'a self, waiter: Pin<&mut notify::Waiter<'a>>) -> bool {
        let sent = &self.shared.sent;
        sent.wait_unless(waiter, || self.shared.has_news(&self.place))
    }

    /// [`recv`](Receiver::recv) on any executor.
    pub fn recv_future(&mut self) -> Recv<'_, T> {
        self.recv(Bare)
    }

    /// [`recv`](Receiver::recv) for a plain thread, which is parked meanwhile.
    ///
    /// # Errors
    ///
    /// As [`recv`](Receiver::recv).
    #[cfg(feature = "std")]
    #[doc(alias("recv_blocking"))]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        crate::io::block_on(self.recv_future())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.leave(&mut self.place);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("len", &self.len())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

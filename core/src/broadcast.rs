//! A broadcast: every receiver gets every message that is sent while it is
//! there, in order.
//!
//! ```text
//!              oldest                          next
//!   ring  ───────┬───────┬───────┬───────┬ ─ ─ ─ ┬
//!                │ 1 left│ 2 left│ 3 left│       │   how many receivers have not
//!   ─────────────┴───────┴───────┴───────┴ ─ ─ ─ ┴   read it
//!                    ▲       ▲       ▲       ▲
//!                  slow    ..each receiver has a position..    up to date
//! ```
//!
//! | | messages to read | up to date, open | up to date, no sender |
//! |-|-|-|-|
//! | `recv` | the next one | waits | an error |
//! | `recv` after the ring has passed it by | tells how many it missed, and goes on with the oldest | | |
//! | `send`, ring full, [`Overflow::Lag`] | the oldest message goes | | |
//! | `send`, ring full, [`Overflow::Wait`] | gives the message back; `send_wait` waits | | |
//!
//! Invariant **COUNTED**: a message's count is the number of receivers that were
//! there when it was sent, are still there, and have not read it. As each reads
//! in order, the counts never fall from one message to the next: so those that
//! everybody has read are the first of the ring, and they are taken out as soon
//! as their count is 0.
//!
//! # Size
//!
//! On a 64-bit target a sender is 8 bytes and a receiver 16; what they share at most
//! 240 and two counts; a receive at most 72, a send that waits at most 128 (and the
//! message, in an allocation). A place in the ring takes 24 bytes and the message.
//! Places are allocated when there have not been so many messages before, and kept
//! until the broadcast is dropped: to send and to receive allocates nothing else. A
//! message that is pushed out while it is cloned keeps its place for as long.
//!
//! # Memory ordering
//!
//! Positions and counts are under one lock, which orders what a sender did
//! before it sent and what a receiver does after it received. A receiver that finds
//! nothing queues, and then looks once more under the lock; a sender looks for those
//! who wait once it has had the lock. Whichever of the two has it second finds the
//! other. `ring.rs` says how a message is read outside the lock.

use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;

use crate::io::{Bare, Io};
use crate::limit::out_of_range;
use crate::notify::{self, Notify};
use crate::semaphore::{self, Semaphore, SemaphorePermit};
use crate::wake_batch::Finally;

mod error;
mod ring;
mod wait;

#[cfg(all(test, anysync_loom))]
mod loom_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

use ring::{Locked, Place, Ring};

pub use error::{RecvError, SendError, TryRecvError};
pub use wait::{Closed, Recv, SendWait};

/// What happens when a message is sent and the ring is full, because a receiver
/// is slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// The oldest message goes, and receivers who have not read it are told how
    /// many they missed. A slow receiver holds up nobody.
    #[default]
    Lag,
    /// Senders wait for the slowest receiver. Nobody misses anything.
    Wait,
}

/// A broadcast that keeps the latest `capacity` messages for receivers who have
/// not read them: [`channel_with`] and [`Overflow::Lag`].
///
/// # Panics
///
/// If `capacity` is 0.
///
/// # Examples
///
/// ```
/// use anysync::{Bare, Block, broadcast};
///
/// let (sender, mut first) = broadcast::channel(16);
/// let mut second = sender.subscribe();
/// sender.send("hello").unwrap();
/// Bare.block_on(async {
///     assert_eq!(first.recv(Bare).await, Ok("hello"));
///     assert_eq!(second.recv(Bare).await, Ok("hello"));
/// });
/// ```
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    channel_with(capacity, Overflow::Lag)
}

/// A broadcast of `capacity` messages, and what happens when that is not enough.
///
/// # Panics
///
/// If `capacity` is 0.
///
/// ```
/// use anysync::broadcast::{Overflow, SendError, channel_with};
///
/// let (sender, mut receiver) = channel_with(1, Overflow::Wait);
/// sender.send(1).unwrap();
/// assert_eq!(sender.send(2), Err(SendError::Full(2)));
/// assert_eq!(receiver.try_recv(), Ok(1));
/// sender.send(2).unwrap();
/// ```
#[track_caller]
pub fn channel_with<T>(capacity: usize, overflow: Overflow) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::with_overflow(capacity, overflow);
    let receiver = sender.subscribe();
    (sender, receiver)
}

struct Shared<T> {
    capacity: usize,
    overflow: Overflow,
    ring: Ring<T>,
    /// Receivers wait here for a message or the end.
    sent: Notify,
    /// Senders that must not overwrite wait here for a free place, in order.
    ///
    /// Invariant **ROOM**: its permits, free and held, and the messages in the ring
    /// are `capacity` together. A permit that is held when a message is pushed
    /// becomes that message, and is one again when the message leaves.
    room: Semaphore,
    /// Senders wait here for the last receiver to go.
    deserted: Notify,
}

impl<T> Shared<T> {
    #[inline]
    fn lock(&self) -> Locked<'_, T> {
        self.ring.lock()
    }

    /// Whether a message needs a place: nothing may be overwritten, and somebody
    /// is there to read.
    fn waits_for_room(&self) -> bool {
        self.overflow == Overflow::Wait && self.lock().receivers() != 0
    }

    /// Gives so many places to senders, by ROOM.
    fn made_room(&self, places: usize) {
        if self.overflow == Overflow::Wait && places != 0 {
            self.room.add_permits(places);
        }
    }

    /// Whether a receiver finds anything but an open and empty ring. One that waits
    /// looks by this, so that a later send finds it.
    fn has_news(&self, place: &Place) -> bool {
        let ring = self.lock();
        ring.unread(place) != 0 || ring.senders == 0
    }

    /// Reads for a receiver.
    fn try_recv(&self, place: &mut Place) -> Result<T, TryRecvError>
    where
        T: Clone,
    {
        let (message, has_left) = self.lock().read(place)?;
        if has_left {
            self.made_room(1);
        }
        Ok(message.into_value())
    }

    /// Sends, unless nobody is there; never waits.
    fn try_send(&self, value: T) -> Result<usize, SendError<T>> {
        let place = match self.overflow {
            Overflow::Lag => None,
            Overflow::Wait => match self.room.try_acquire() {
                Ok(place) => Some(place),
                Err(_) if self.lock().receivers() == 0 => return Err(SendError::Closed(value)),
                Err(_) => return Err(SendError::Full(value)),
            },
        };
        self.send(value, place)
    }

    /// Sends, unless nobody is there (then the place goes to the next), or a place
    /// is needed and there is none.
    fn send(&self, value: T, place: Option<SemaphorePermit<'_>>) -> Result<usize, SendError<T>> {
        let mut ring = self.lock();
        if ring.receivers() == 0 {
            return Err(SendError::Closed(value));
        }
        let mut overwritten = None;
        if let Some(place) = place {
            debug_assert!(ring.len() < self.capacity, "ROOM");
            place.forget();
        } else if self.overflow == Overflow::Wait {
            return Err(SendError::Full(value));
        } else if ring.len() == self.capacity {
            overwritten = ring.pop_oldest();
        }
        ring.push(value);
        let receivers = ring.receivers();
        // Who waits was there before it looked at the ring, under this lock.
        let somebody_waits = self.sent.has_waiters();
        drop(ring);
        if somebody_waits {
            self.sent.notify_all();
        }
        drop(overwritten);
        Ok(receivers)
    }
}

/// Sends to every receiver; made by [`channel`].
///
/// When the last one is dropped the broadcast is closed: receivers read what
/// there is, and then get an error.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// A broadcast that nobody receives yet, as of [`channel`].
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// ```
    /// use anysync::broadcast::{SendError, Sender};
    ///
    /// let sender = Sender::new(4);
    /// assert_eq!(sender.send(1), Err(SendError::Closed(1)));
    /// let mut receiver = sender.subscribe();
    /// sender.send(2).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(2));
    /// ```
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        Self::with_overflow(capacity, Overflow::Lag)
    }

    /// A broadcast that nobody receives yet, as of [`channel_with`].
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    #[track_caller]
    pub fn with_overflow(capacity: usize, overflow: Overflow) -> Self {
        if capacity == 0 {
            out_of_range("a capacity", capacity, 1, usize::MAX);
        }
        Self {
            shared: Arc::new(Shared {
                capacity,
                overflow,
                ring: Ring::new(),
                sent: Notify::new(),
                // More than memory holds in any case.
                room: Semaphore::new(capacity.min(Semaphore::MAX_PERMITS)),
                deserted: Notify::new(),
            }),
        }
    }

    /// Sends a message to the receivers that there are now; the result is how
    /// many.
    ///
    /// Never waits. When the ring is full the oldest message goes
    /// ([`Overflow::Lag`]), or this one is given back ([`Overflow::Wait`]).
    ///
    /// # Errors
    ///
    /// Gives the message back when there is no receiver, or when the ring is
    /// full (or others wait to send) and must not overflow.
    ///
    /// # Panics
    ///
    /// Passes on a panic of a waker, or of the `Drop` of a message that goes,
    /// after this one has been sent and all have been woken.
    ///
    /// ```
    /// use anysync::broadcast::{SendError, channel};
    ///
    /// let (sender, receiver) = channel(4);
    /// assert_eq!(sender.send(1), Ok(1));
    /// drop(receiver);
    /// assert_eq!(sender.send(2), Err(SendError::Closed(2)));
    /// ```
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.shared.try_send(value)
    }

    /// Sends a message, and waits for a free place first if the ring is full
    /// and must not overflow ([`Overflow::Wait`]); `io` is the executor that it
    /// runs on.
    ///
    /// # Errors
    ///
    /// Gives the message back when there is no receiver; never
    /// [`SendError::Full`].
    ///
    /// ```
    /// use anysync::{Bare, Block, broadcast::{Overflow, channel_with}};
    ///
    /// let (sender, mut receiver) = channel_with(1, Overflow::Wait);
    /// std::thread::spawn(move || {
    ///     for n in 0..100 {
    ///         Bare.block_on(sender.send_wait(Bare, n)).unwrap();
    ///     }
    /// });
    /// for n in 0..100 {
    ///     assert_eq!(Bare.block_on(receiver.recv(Bare)), Ok(n));
    /// }
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out among those who wait, and nobody goes past them. A
    /// place that was given to a wait which its own task does not poll moves to
    /// one that it does, as with a [`Semaphore`]. When the last receiver goes,
    /// as many waits are told as there are places, and each tells the next.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has not sent the message, which is dropped
    /// with it; its place goes to the next.
    ///
    /// # Memory ordering
    ///
    /// Releases what was written before to whoever receives the message.
    pub fn send_wait<I: Io>(&self, io: I, value: T) -> SendWait<'_, T, I> {
        SendWait::new(&self.shared, io, value)
    }

    /// Sends without a future. While the ring is full and must not overflow, or
    /// others wait, the message comes back and `waiter` is queued: call again
    /// when its waker or callback is called.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] while `waiter` waits, [`SendError::Closed`] when there
    /// is no receiver: both give the message back.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{broadcast::{Overflow, SendError, channel_with}, semaphore::Waiter};
    ///
    /// let (sender, mut receiver) = channel_with(1, Overflow::Wait);
    /// let mut waiter = pin!(Waiter::new());
    /// assert_eq!(sender.send_with(waiter.as_mut(), 1), Ok(1));
    /// assert_eq!(sender.send_with(waiter.as_mut(), 2), Err(SendError::Full(2)));
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// assert!(waiter.is_ready());
    /// assert_eq!(sender.send_with(waiter.as_mut(), 2), Ok(1));
    /// ```
    ///
    /// # Fairness
    ///
    /// As [`send_wait`](Sender::send_wait), in one queue with it.
    ///
    /// # Cancel safety
    ///
    /// Dropped or reset, the waiter leaves the queue, or passes its place on.
    ///
    /// # Panics
    ///
    /// If the message needs a place, and the waiter waits elsewhere.
    pub fn send_with<'a>(
        &'a self,
        mut waiter: Pin<&mut semaphore::Waiter<'a>>,
        mut value: T,
    ) -> Result<usize, SendError<T>> {
        loop {
            let mut place = None;
            if self.shared.waits_for_room() {
                match self.shared.room.acquire_with(1, waiter.as_mut()) {
                    Some(won) => place = Some(won.expect("`room` is never closed")),
                    None => return Err(SendError::Full(value)),
                }
            } else {
                // Nobody is there, and so it waits here no more.
                self.shared.room.cancel_acquire(waiter.as_mut());
            }
            match self.shared.send(value, place) {
                // The first receiver came just now.
                Err(SendError::Full(unsent)) => value = unsent,
                sent => return sent,
            }
        }
    }

    /// Another receiver, of what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(&self.shared)
    }

    /// Waits until there is no receiver; ready at once if there is none now.
    ///
    /// # Fairness
    ///
    /// All who wait are woken together.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment; nothing is lost.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the drop of the last receiver released.
    pub fn closed<I: Io>(&self, io: I) -> Closed<'_, T, I> {
        Closed::new(&self.shared, io)
    }

    /// How many messages some receiver has not read.
    pub fn len(&self) -> usize {
        self.shared.lock().len()
    }

    /// Whether every message has been read by everybody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many messages there is room for.
    pub fn capacity(&self) -> usize {
        self.shared.capacity
    }

    /// How many receivers there are, at this moment.
    pub fn receiver_count(&self) -> usize {
        self.shared.lock().receivers()
    }

    /// How many senders there are, at this moment.
    pub fn strong_count(&self) -> usize {
        self.shared.lock().senders
    }

    /// How many [`WeakSender`]s there are, at this moment.
    pub fn weak_count(&self) -> usize {
        self.shared.lock().weak_senders
    }

    /// A sender that does not keep the broadcast open.
    pub fn downgrade(&self) -> WeakSender<T> {
        self.shared.lock().weak_senders += 1;
        WeakSender {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Whether both send to the same receivers.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut ring = self.shared.lock();
        ring.senders -= 1;
        let was_last = ring.senders == 0;
        if was_last {
            ring.close();
        }
        drop(ring);
        if was_last {
            self.shared.sent.notify_all();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("receiver_count", &self.receiver_count())
            .finish_non_exhaustive()
    }
}

/// A sender that does not keep the broadcast open; made by
/// [`Sender::downgrade`] or [`Receiver::weak_sender`].
pub struct WeakSender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> WeakSender<T> {
    /// A sender, if there is one still.
    ///
    /// ```
    /// let (sender, _receiver) = anysync::broadcast::channel::<u8>(1);
    /// let weak = sender.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(sender);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let mut ring = self.shared.lock();
        if ring.senders == 0 {
            return None;
        }
        ring.senders += 1;
        drop(ring);
        Some(Sender {
            shared: Arc::clone(&self.shared),
        })
    }

    /// How many senders there are, at this moment.
    pub fn strong_count(&self) -> usize {
        self.shared.lock().senders
    }

    /// How many `WeakSender`s there are, at this moment.
    pub fn weak_count(&self) -> usize {
        self.shared.lock().weak_senders
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        self.shared.lock().weak_senders += 1;
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        self.shared.lock().weak_senders -= 1;
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}

/// Receives every message that is sent while it is there; made by [`channel`],
/// [`Sender::subscribe`] or [`resubscribe`](Receiver::resubscribe).
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    place: Place,
}

impl<T> Receiver<T> {
    fn new(shared: &Arc<Shared<T>>) -> Self {
        let place = shared.lock().join();
        Self {
            shared: Arc::clone(shared),
            place,
        }
    }

    /// Another receiver, of what is sent from now on: what this one has not
    /// read it does not get.
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
    pub fn sender_strong_count(&self) -> usize {
        self.shared.lock().senders
    }

    /// How many [`WeakSender`]s there are, at this moment.
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
    /// gets it without a clone where nobody else is cloning it.
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
    /// Passes on a panic of the message's `Clone`, of its `Drop` if it was pushed out
    /// meanwhile, or of the waker of a sender that waits ([`Overflow::Wait`]): the
    /// message counts as read.
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
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        crate::io::block_on(self.recv_future())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut ring = self.shared.lock();
        // `_gone` is dropped last: it is foreign code too.
        let (_gone, places) = ring.leave(&mut self.place);
        let was_last = ring.receivers() == 0;
        drop(ring);
        let _room = Finally(|| self.shared.made_room(places));
        if was_last {
            self.shared.deserted.notify_all();
        }
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

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
//! A message leaves the ring when no receiver needs it any more: when each receiver that
//! was there when it was sent has read it, or has gone. As each reads in order, those
//! are the first of the ring. `ring.rs` says how that is known without looking at
//! each message.
//!
//! # Size
//!
//! On a 64-bit target a sender is 8 bytes and a receiver 24; what they share at most
//! 248 and two counts; a receive at most 72, a send that waits at most 128 (and the
//! message, in an allocation). A message in the ring takes 24 bytes and its own.
//!
//! # Memory
//!
//! Memory follows what is unread. Messages lie in blocks of up to 32, of about 1 KiB
//! (a larger message has a block for itself). A block is freed when its messages have
//! left the ring, or when the last of them has been cloned that was pushed out
//! meanwhile. But some are kept, so that a steady rhythm allocates nothing:
//!
//! - 16 KiB, or one block;
//! - more where larger bursts come again and again: twice as much each time that a
//!   block is allocated although one was freed since the last time, so at most twice
//!   what the bursts needed. Half of it is freed when it has not been needed while
//!   four times as much has come and gone.
//!
//! # Long critical sections
//!
//! There are none. Each operation looks at a few messages at most while it has the
//! inner lock, however many there are; nothing is allocated, freed or dropped under it.
//! A receiver that goes takes what no other receiver needs out of the ring, a block at a
//! time, and others go on between any two.
//!
//! # Memory ordering
//!
//! Positions and counts are under one lock, which orders what a sender did
//! before it sent and what a receiver does after it received. A receiver that finds
//! nothing queues, and then looks once more under the lock; a sender looks for the
//! tasks that wait once it has had the lock. Whichever of the two has it second finds
//! the other. `ring.rs` says how a message is read outside the lock.

use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;

use crate::io::Io;
use crate::limit::out_of_range;
use crate::semaphore;

mod error;
mod receiver;
mod ring;
mod shared;
mod wait;

#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod handoff_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod lock_tests;
#[cfg(all(test, anysync_loom))]
mod loom_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod memory_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod panic_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod send_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

use ring::Place;
use shared::{Gone, Shared};

pub use error::{RecvError, SendError, TryRecvError};
pub use receiver::Receiver;
pub use wait::{Closed, Recv, SendWait};

/// What happens when a message is sent and the ring is full, because a receiver
/// is slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// The oldest message goes, and receivers that have not read it are told how
    /// many they missed. A slow receiver holds up no other task.
    #[default]
    Lag,
    /// Senders wait for the slowest receiver. No receiver misses anything.
    Wait,
}

/// A broadcast that keeps the latest `capacity` messages for receivers that have not
/// read them: [`channel_with`] and [`Overflow::Lag`].
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

/// Sends to every receiver; made by [`channel`].
///
/// When the last one is dropped the broadcast is closed: receivers read what
/// there is, and then get an error.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// A broadcast without receivers yet, as of [`channel`].
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

    /// A broadcast without receivers yet, as of [`channel_with`].
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
            shared: Shared::new(capacity, overflow),
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
    /// First in, first out among the senders that wait, and no other goes past them. A
    /// place that was given to a wait which its own task does not poll moves to
    /// one that it does, as with a [`Semaphore`](crate::Semaphore). When the last receiver goes,
    /// as many waits are told as there are places, and each tells the next.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has not sent the message, which is dropped
    /// with it; its place goes to the next.
    ///
    /// # Memory ordering
    ///
    /// Releases what was written before to the task that receives the message.
    #[doc(alias("broadcast"))]
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
                // There is no receiver, and so it waits here no more.
                self.shared.room.cancel_acquire(waiter.as_mut());
            }
            let sent = self.shared.send(value, &mut place);
            // The next is woken, which may panic: what is given back is not leaked.
            drop(place);
            match sent {
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
    /// All tasks that wait are woken together.
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

    /// Whether every message has been read by every receiver.
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

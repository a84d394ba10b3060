//! A oneshot channel: one value, from one [`Sender`] to one [`Receiver`].
//!
//! [`channel`] puts what the two ends share on the heap, once; a [`Slot`] has it
//! in the caller's frame or in a static, and nothing is allocated at all. Waiting
//! never allocates.
//!
//! ```text
//!                   send                       received, dropped
//!         ┌──────────────────────► SENT ──────────────────────────────┐
//!         │                                                           ▼
//!       OPEN ────────────────────► DONE ────────────────────► both have left
//!         │   sender dropped        error received, dropped           ▲
//!         │                                                           │
//!         └──────────────────────► CLOSED ────────────────────────────┘
//!             receiver closed, dropped        sender dropped
//! ```
//!
//! | | OPEN | SENT | DONE | CLOSED |
//! |-|-|-|-|-|
//! | `send` | SENT, wakes the receiver | – | – | gives the value back |
//! | sender dropped | DONE, wakes the receiver | – | – | leaves, wakes a task that has waited since before the closing |
//! | `recv` | waits | the value, leaves | an error, leaves | an error, leaves |
//! | `close` | CLOSED, wakes the sender | keeps the value | nothing | nothing |
//! | receiver dropped | CLOSED, wakes the sender, leaves | drops the value, leaves | leaves | leaves |
//! | `closed` | waits | – | – | ready |
//!
//! Beside the state word there are three cells: one for the value and one for the
//! waker of each end, as each end has one waiter. Whose they are (invariant
//! **OWNED**):
//!
//! | the word | the value | the receiver's waker | the sender's waker |
//! |-|-|-|-|
//! | OPEN | the sender's | the receiver's, to put one in | the sender's, to put one in |
//! | with the bit of that waker | | neither end's: its end may compare it or, by clearing the bit, take it back | the same |
//! | SENT | the receiver's | the sender's, if the bit was set: it wakes it | the sender's |
//! | DONE | the sender's, and empty | as in SENT | the sender's |
//! | CLOSED | the sender's | with its bit, of the end that clears that: the sender wakes it, the receiver drops it | the receiver's, if the bit was set: it wakes it |
//!
//! OPEN ends by one read-modify-write, which clears the bits of both wakers: so the
//! side that does it has taken charge of both. But a receiver that closes and stays
//! leaves its own there, which may be of another task than the one that closes: the
//! sender wakes that as it goes. An end that has nothing left to do says in the word
//! that it has *left*; where it needs no waker that is the same read-modify-write. So a
//! send and a receive that need not wait are one, and with a wait they are three.
//! Whichever end leaves second frees what is on the heap.
//!
//! # Size
//!
//! On a 64-bit target each end is 8 bytes, and so is a wait; a [`Slot`] is 40 bytes
//! and the value.
//!
//! # Memory ordering
//!
//! What is written before a send, or before the sender is dropped, is visible
//! after the receive that ends by it. What is written before the receiver closes
//! or is dropped is visible to a sender that sees it closed.

use core::fmt;
use core::future::Future;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use crate::callback::waker_of;
use crate::io::{Bare, Io};

use joint::{Rx, Tx};

pub use error::{RecvError, SendError, TryRecvError};
pub use slot::{Lent, Slot, SlotReceiver, SlotSender};
pub use wait::{Closed, Recv};

mod error;
mod joint;
mod slot;
mod wait;

#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

#[cfg(all(test, anysync_loom))]
mod loom_tests;

/// Where what the two ends share lies: [`Heap`] or [`Lent`]. It is sealed.
pub trait Home: sealed::Sealed {
    #[doc(hidden)]
    const HEAP: bool;
}

mod sealed {
    pub trait Sealed {}
}

/// The home of the ends that [`channel`] has made: an allocation of their own.
#[derive(Debug)]
pub struct Heap(());

impl sealed::Sealed for Heap {}

impl Home for Heap {
    const HEAP: bool = true;
}

/// A channel for one value, in one allocation.
///
/// ```
/// use anysync::{Bare, Block, oneshot};
///
/// let (sender, receiver) = oneshot::channel();
/// std::thread::spawn(move || sender.send(42));
/// assert_eq!(Bare.block_on(receiver), Ok(42));
/// ```
#[cfg(feature = "alloc")]
#[inline]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = joint::Joint::on_heap();
    (Sender { tx }, Receiver { rx })
}

/// The end that sends. From [`channel`] or a [`Slot`].
///
/// Dropped without having sent, it ends the receiver's wait with an error.
pub struct Sender<T, H: Home = Heap> {
    tx: Tx<T, H>,
}

/// The end that receives, and the future of the value. From [`channel`] or a
/// [`Slot`].
///
/// Awaited itself it is [`recv`](Receiver::recv) on any executor:
///
/// ```
/// use anysync::{Bare, Block, oneshot};
///
/// let (sender, receiver) = oneshot::channel::<u32>();
/// drop(sender);
/// assert!(Bare.block_on(receiver).is_err());
/// ```
///
/// Dropped, it closes the channel.
///
/// # Cancel safety
///
/// It may be polled by turns in several places, and dropped at any moment: with
/// it goes a value that was sent and not received. To keep the receiver, wait by
/// [`recv`](Receiver::recv) or await `&mut receiver`.
///
/// # Memory ordering
///
/// Acquires what the sender released.
///
/// # Panics
///
/// When it is polled after it has returned `Ready`, or has received by another
/// method.
#[must_use = "a receiver that is dropped closes its channel"]
pub struct Receiver<T, H: Home = Heap> {
    rx: Rx<T, H>,
}

// An end is a pointer: what it shares does not move with it.
impl<T, H: Home> Unpin for Sender<T, H> {}
impl<T, H: Home> Unpin for Receiver<T, H> {}

// Nothing of the user's runs while anything is half changed.
impl<T, H: Home> UnwindSafe for Sender<T, H> {}
impl<T, H: Home> RefUnwindSafe for Sender<T, H> {}
impl<T, H: Home> UnwindSafe for Receiver<T, H> {}
impl<T, H: Home> RefUnwindSafe for Receiver<T, H> {}

impl<T, H: Home> Sender<T, H> {
    /// Sends the value, and wakes the receiver. Never waits.
    ///
    /// `Ok` does not mean that the value will be received: the receiver may still
    /// be dropped.
    ///
    /// ```
    /// use anysync::oneshot::{self, SendError};
    ///
    /// let (sender, receiver) = oneshot::channel();
    /// drop(receiver);
    /// assert_eq!(sender.send(42), Err(SendError(42)));
    /// ```
    ///
    /// # Errors
    ///
    /// If the receiver has closed or is gone; the value is in the error.
    ///
    /// # Memory ordering
    ///
    /// Releases what was written before to the receive.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the receiver's waker; the value is sent then.
    #[inline]
    pub fn send(self, value: T) -> Result<(), SendError<T>> {
        self.tx.send(value).map_err(SendError)
    }

    /// Whether the receiver has closed or is gone, at this moment.
    ///
    /// ```
    /// let (sender, mut receiver) = anysync::oneshot::channel::<u32>();
    /// assert!(!sender.is_closed());
    /// receiver.close();
    /// assert!(sender.is_closed());
    /// ```
    #[inline]
    #[doc(alias("is_canceled"))]
    pub fn is_closed(&self) -> bool {
        self.tx.is_closed()
    }

    /// Whether `receiver` is the other end of this.
    ///
    /// ```
    /// let (sender, receiver) = anysync::oneshot::channel::<u32>();
    /// let (other, _other_receiver) = anysync::oneshot::channel::<u32>();
    /// assert!(sender.is_connected_to(&receiver));
    /// assert!(!other.is_connected_to(&receiver));
    /// ```
    #[inline]
    pub fn is_connected_to(&self, receiver: &Receiver<T, H>) -> bool {
        self.tx.is_connected_to(&receiver.rx)
    }

    /// Waits until the receiver has closed or is gone: until no receiver wants the
    /// value any more. `io` is the executor that it runs on.
    ///
    /// ```
    /// use anysync::{Bare, Block, oneshot};
    ///
    /// let (mut sender, receiver) = oneshot::channel::<u32>();
    /// std::thread::spawn(move || drop(receiver));
    /// Bare.block_on(sender.closed(Bare));
    /// assert!(sender.is_closed());
    /// ```
    ///
    /// # Fairness
    ///
    /// There is one waiter.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it takes its waker back.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the receiver released.
    ///
    /// # Panics
    ///
    /// When it is polled after it has finished.
    #[inline]
    #[doc(alias("cancellation"))]
    pub fn closed<I: Io>(&mut self, io: I) -> Closed<'_, T, H, I> {
        Closed::new(&mut self.tx, io)
    }

    /// [`closed`](Sender::closed) on any executor.
    #[inline]
    pub fn closed_future(&mut self) -> Closed<'_, T, H> {
        self.closed(Bare)
    }

    /// Ready when the receiver has closed or is gone; else the task is woken when
    /// it does. For futures that are written by hand.
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let (mut sender, mut receiver) = anysync::oneshot::channel::<u32>();
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert_eq!(sender.poll_closed(&mut cx), Poll::Pending);
    /// receiver.close();
    /// assert_eq!(sender.poll_closed(&mut cx), Poll::Ready(()));
    /// ```
    #[inline]
    #[doc(alias("poll_canceled"))]
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.closed_with(cx.waker()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Whether the receiver has closed or is gone; if not, `waker` is woken when
    /// it does. It takes the place of the waker of an earlier call.
    #[inline]
    pub fn closed_with(&mut self, waker: &Waker) -> bool {
        self.tx.watch(waker)
    }

    /// Whether the receiver has closed or is gone; if not, `callback(context)` is
    /// called when it does, on the thread of the receiver.
    ///
    /// `callback` must be a function or a closure that captures nothing (this is
    /// checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let (mut sender, receiver) = anysync::oneshot::channel::<u32>();
    /// assert!(!sender.closed_with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// drop(receiver);
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// ```
    pub fn closed_with_callback<C, F>(&mut self, context: &'static C, callback: F) -> bool
    where
        C: Sync,
        F: Fn(&'static C) + Copy + Send + Sync + 'static,
    {
        self.closed_with(&waker_of(context, callback))
    }
}

impl<T, H: Home> Receiver<T, H> {
    /// Waits for the value; `io` is the executor that it runs on. The receiver
    /// stays with the caller if the wait is given up.
    ///
    /// ```
    /// use anysync::{Bare, Block, oneshot};
    ///
    /// let (sender, mut receiver) = oneshot::channel();
    /// std::thread::spawn(move || sender.send("hello"));
    /// assert_eq!(Bare.block_on(receiver.recv(Bare)), Ok("hello"));
    /// ```
    ///
    /// # Errors
    ///
    /// If the sender was dropped without having sent, or this end was
    /// [closed](Receiver::close) before, or has received already.
    ///
    /// # Fairness
    ///
    /// There is one waiter.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it takes its waker back and leaves the value, if it has come, to
    /// the next receive.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the sender released.
    ///
    /// # Panics
    ///
    /// When it is polled after it has finished.
    #[inline]
    pub fn recv<I: Io>(&mut self, io: I) -> Recv<'_, T, H, I> {
        Recv::new(&mut self.rx, io)
    }

    /// The value, if it has been sent. Never waits.
    ///
    /// ```
    /// use anysync::oneshot::{self, TryRecvError};
    ///
    /// let (sender, mut receiver) = oneshot::channel();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.send(42).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(42));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Empty`](TryRecvError::Empty) if the value may still come,
    /// [`Closed`](TryRecvError::Closed) if it never will.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        if self.rx.is_over() {
            self.rx.finish().ok_or(TryRecvError::Closed)
        } else {
            Err(TryRecvError::Empty)
        }
    }

    /// Waits without a future: [`try_recv`](Receiver::try_recv), and if that is
    /// [`Empty`](TryRecvError::Empty), `waker` is woken when there is an outcome.
    /// It takes the place of the waker of an earlier call or poll.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Receiver::try_recv).
    #[inline]
    pub fn recv_with(&mut self, waker: &Waker) -> Result<T, TryRecvError> {
        if self.rx.watch(waker) {
            self.rx.finish().ok_or(TryRecvError::Closed)
        } else {
            Err(TryRecvError::Empty)
        }
    }

    /// [`recv`](Receiver::recv) for futures that are written by hand: the value, or
    /// `Pending`, and the task is woken when there is an outcome. An outcome that the
    /// budget does not allow yet stays where it is.
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    /// use anysync::Bare;
    ///
    /// let (sender, mut receiver) = anysync::oneshot::channel();
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert_eq!(receiver.poll_recv(&Bare, &mut cx), Poll::Pending);
    /// sender.send(42).unwrap();
    /// assert_eq!(receiver.poll_recv(&Bare, &mut cx), Poll::Ready(Ok(42)));
    /// ```
    ///
    /// # Errors
    ///
    /// If the sender is gone.
    #[inline]
    pub fn poll_recv<I: Io>(&mut self, io: &I, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        if !self.rx.watch(cx.waker()) {
            return Poll::Pending;
        }
        ready!(io.poll_spend(cx));
        Poll::Ready(self.rx.finish().ok_or(RecvError))
    }

    /// Waits without a future or a task: [`try_recv`](Receiver::try_recv), and if
    /// that is [`Empty`](TryRecvError::Empty), `callback(context)` is called when
    /// there is an outcome, on the thread of the sender.
    ///
    /// `callback` must be a function or a closure that captures nothing (this is
    /// checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let (sender, mut receiver) = anysync::oneshot::channel();
    /// let outcome = receiver.recv_with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// });
    /// assert!(outcome.is_err());
    /// sender.send(42).unwrap();
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// assert_eq!(receiver.try_recv(), Ok(42));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Receiver::try_recv).
    pub fn recv_with_callback<C, F>(
        &mut self,
        context: &'static C,
        callback: F,
    ) -> Result<T, TryRecvError>
    where
        C: Sync,
        F: Fn(&'static C) + Copy + Send + Sync + 'static,
    {
        self.recv_with(&waker_of(context, callback))
    }

    /// Waits for the value on a thread, which it parks. Not for use in a task: it
    /// would keep the executor's thread.
    ///
    /// ```
    /// let (sender, receiver) = anysync::oneshot::channel();
    /// std::thread::spawn(move || sender.send(42));
    /// assert_eq!(receiver.blocking_recv(), Ok(42));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Receiver::recv).
    #[cfg(feature = "std")]
    #[doc(alias("recv_blocking"))]
    pub fn blocking_recv(mut self) -> Result<T, RecvError> {
        crate::io::block_on(self.recv(Bare))
    }

    /// Tells the sender that no value is wanted any more, without waiting. A value
    /// that has been sent before is still received. A task that has polled this end
    /// before is woken when the sender goes, unless the outcome was fetched.
    ///
    /// ```
    /// let (sender, mut receiver) = anysync::oneshot::channel();
    /// receiver.close();
    /// assert!(sender.send(42).is_err());
    /// assert!(receiver.try_recv().is_err());
    /// ```
    ///
    /// # Panics
    ///
    /// Passes on a panic of the sender's waker.
    pub fn close(&mut self) {
        self.rx.close();
    }

    /// Whether this has received, a value or an error, and so must not be polled
    /// any more.
    ///
    /// ```
    /// let (sender, mut receiver) = anysync::oneshot::channel();
    /// sender.send(42).unwrap();
    /// assert!(!receiver.is_terminated());
    /// receiver.try_recv().unwrap();
    /// assert!(receiver.is_terminated());
    /// ```
    #[inline]
    pub fn is_terminated(&self) -> bool {
        self.rx.has_left()
    }

    /// Whether a receive need not wait: the sender has sent or is gone, or this end is
    /// closed.
    ///
    /// ```
    /// let (sender, receiver) = anysync::oneshot::channel::<u32>();
    /// assert!(!receiver.is_complete());
    /// drop(sender);
    /// assert!(receiver.is_complete() && receiver.is_empty());
    /// ```
    #[inline]
    pub fn is_complete(&self) -> bool {
        self.rx.is_over()
    }

    /// Whether no value is there to be received, at this moment.
    ///
    /// ```
    /// let (sender, receiver) = anysync::oneshot::channel();
    /// assert!(receiver.is_empty());
    /// sender.send(42).unwrap();
    /// assert!(!receiver.is_empty());
    /// ```
    #[inline]
    pub fn is_empty(&self) -> bool {
        !self.rx.has_value()
    }
}

impl<T, H: Home> Future for Receiver<T, H> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let rx = &mut self.get_mut().rx;
        assert!(
            !rx.has_left(),
            "a oneshot `Receiver` was polled after it had finished"
        );
        if rx.watch(cx.waker()) {
            Poll::Ready(rx.finish().ok_or(RecvError))
        } else {
            Poll::Pending
        }
    }
}

impl<T, H: Home> fmt::Debug for Sender<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl<T, H: Home> fmt::Debug for Receiver<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("is_empty", &self.is_empty())
            .field("is_terminated", &self.is_terminated())
            .finish_non_exhaustive()
    }
}

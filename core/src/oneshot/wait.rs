//! The futures of the two ends.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use crate::io::{Bare, Io};

use super::joint::{Rx, Tx};
use super::{Heap, Home, RecvError};

/// The future of [`Receiver::recv`](super::Receiver::recv).
#[must_use = "futures do nothing unless they are awaited or polled"]
pub struct Recv<'a, T, H: Home = Heap, I = Bare> {
    // `None` once it has finished.
    rx: Option<&'a mut Rx<T, H>>,
    io: I,
}

/// The future of [`Sender::closed`](super::Sender::closed).
#[must_use = "futures do nothing unless they are awaited or polled"]
pub struct Closed<'a, T, H: Home = Heap, I = Bare> {
    // `None` once it has finished.
    tx: Option<&'a mut Tx<T, H>>,
    io: I,
}

impl<'a, T, H: Home, I> Recv<'a, T, H, I> {
    #[inline]
    pub(super) fn new(rx: &'a mut Rx<T, H>, io: I) -> Self {
        Self { rx: Some(rx), io }
    }
}

impl<'a, T, H: Home, I> Closed<'a, T, H, I> {
    #[inline]
    pub(super) fn new(tx: &'a mut Tx<T, H>, io: I) -> Self {
        Self { tx: Some(tx), io }
    }
}

// Nothing in them is pinned: the waker's place is in the channel.
impl<T, H: Home, I> Unpin for Recv<'_, T, H, I> {}
impl<T, H: Home, I> Unpin for Closed<'_, T, H, I> {}

impl<T, H: Home, I: Io> Future for Recv<'_, T, H, I> {
    type Output = Result<T, RecvError>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let rx = this
            .rx
            .as_mut()
            .expect("a `recv` of a oneshot channel was polled after it had finished");
        if !rx.watch(cx.waker()) {
            return Poll::Pending;
        }
        // The value stays where it is until the budget allows.
        ready!(this.io.poll_spend(cx));
        let value = rx.finish();
        this.rx = None;
        Poll::Ready(value.ok_or(RecvError))
    }
}

impl<T, H: Home, I: Io> Future for Closed<'_, T, H, I> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let tx = this
            .tx
            .as_mut()
            .expect("a `closed` of a oneshot channel was polled after it had finished");
        if !tx.watch(cx.waker()) {
            return Poll::Pending;
        }
        ready!(this.io.poll_spend(cx));
        this.tx = None;
        Poll::Ready(())
    }
}

impl<T, H: Home, I> Drop for Recv<'_, T, H, I> {
    #[inline]
    fn drop(&mut self) {
        if let Some(rx) = &mut self.rx {
            rx.unwatch();
        }
    }
}

impl<T, H: Home, I> Drop for Closed<'_, T, H, I> {
    #[inline]
    fn drop(&mut self) {
        if let Some(tx) = &mut self.tx {
            tx.unwatch();
        }
    }
}

impl<T, H: Home, I> fmt::Debug for Recv<'_, T, H, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv")
            .field("is_finished", &self.rx.is_none())
            .finish_non_exhaustive()
    }
}

impl<T, H: Home, I> fmt::Debug for Closed<'_, T, H, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed")
            .field("is_finished", &self.tx.is_none())
            .finish_non_exhaustive()
    }
}

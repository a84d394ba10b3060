//! The futures of a receiver.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::RecvError;
use super::chan::Chan;
use super::leave::RECEIVER;
use super::wait::{Plain, Side, Turn, abandon, poll_kept, queue_unpaid};
use super::waiter::status_name;
use crate::io::{Bare, Io};
use crate::wait_list::{Entry, Kept};

pin_project! {
    /// The future of [`Receiver::recv`](super::Receiver::recv).
    ///
    /// It may be dropped after what it came from:
    ///
    /// ```
    /// let kept;
    /// let (sender, receiver) = anysync::channel::bounded::<u8>(1);
    /// kept = receiver.recv_future();
    /// # let _ = (&kept, sender);
    /// ```
    ///
    /// But it is not polled then:
    ///
    /// ```compile_fail,E0505
    /// use std::task::{Context, Waker};
    ///
    /// let (sender, receiver) = anysync::channel::bounded::<u8>(1);
    /// let mut kept = Box::pin(receiver.recv_future());
    /// drop(receiver);
    /// let _ = kept.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    /// ```
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Recv<'a, T, I = Bare> {
        #[pin]
        entry: Kept<'a, Chan<T>, RECEIVER>,
        io: I,
    }
}

impl<'a, T, I> Recv<'a, T, I> {
    #[inline]
    pub(super) fn new(chan: &'a Arc<Chan<T>>, io: I) -> Self {
        Self {
            entry: Kept::new(chan, 1),
            io,
        }
    }
}

impl<T, I: Io> Future for Recv<'_, T, I> {
    type Output = Result<T, RecvError>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some((chan, ticket)) = this.entry.as_mut().first_parts() {
            if chan.can_receive_plainly() {
                let mut spent = false;
                let turn = Turn {
                    io: &*this.io,
                    cx: &mut *cx,
                    spent: &mut spent,
                };
                match Chan::<T>::poll_plainly(ticket, turn, || chan.receive_plainly()) {
                    Plain::Won(message) => return Poll::Ready(Ok(message)),
                    Plain::Unpaid => {
                        queue_unpaid(Side::Receiver, this.entry, cx);
                        return Poll::Pending;
                    }
                    Plain::Not => this.entry.as_mut().set_paid(),
                }
            }
        }
        poll_recv(this.entry, this.io, cx)
    }
}

/// A receive that is not over at first sight.
#[inline(never)]
fn poll_recv<T, I: Io>(
    entry: Pin<&mut Kept<'_, Chan<T>, RECEIVER>>,
    io: &I,
    cx: &mut Context<'_>,
) -> Poll<Result<T, RecvError>> {
    let polled = poll_kept(Side::Receiver, entry, io, cx, |chan, list| {
        chan.take_promised(list)
    });
    polled.map_err(|_| RecvError)
}

impl<T, I> fmt::Debug for Recv<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`Receiver::recv_many`](super::Receiver::recv_many).
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct RecvMany<'a, T, I = Bare> {
        #[pin]
        entry: Entry<&'a Chan<T>>,
        io: I,
        target: &'a mut Vec<T>,
        limit: usize,
        spent: bool,
    }

    impl<'a, T, I> PinnedDrop for RecvMany<'a, T, I> {
        fn drop(this: Pin<&mut Self>) {
            abandon(Side::Receiver, this.project().entry);
        }
    }
}

impl<'a, T, I> RecvMany<'a, T, I> {
    #[inline]
    pub(super) fn new(chan: &'a Chan<T>, target: &'a mut Vec<T>, limit: usize, io: I) -> Self {
        Self {
            entry: Entry::new(chan, 1),
            io,
            target,
            limit,
            spent: false,
        }
    }

    #[cfg(all(test, not(anysync_loom)))]
    pub(super) fn target(self: Pin<&mut Self>) -> &mut Vec<T> {
        self.project().target
    }
}

impl<T, I: Io> Future for RecvMany<'_, T, I> {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let this = self.project();
        if *this.limit == 0 {
            return Poll::Ready(0);
        }
        let (chan, ticket) = this.entry.parts();
        let turn = Turn {
            io: &*this.io,
            cx,
            spent: this.spent,
        };
        chan.poll_wait(Side::Receiver, ticket, Some(turn), |list| {
            chan.take_many(list, this.target, *this.limit)
        })
        .map(|received| received.unwrap_or(0))
    }
}

impl<T, I> fmt::Debug for RecvMany<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvMany")
            .field("status", &status_name(self.entry.status()))
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

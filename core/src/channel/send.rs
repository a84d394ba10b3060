//! The futures of a sender.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use alloc::sync::Arc;

use pin_project_lite::pin_project;

use super::chan::Chan;
use super::leave::{SENDER, WATCHER};
use super::wait::{FINISHED, Plain, Side, Turn, abandon, poll_kept, queue_unpaid};
use super::waiter::status_name;
use super::{OwnedPermit, Permit, Permits, SendError, Sender};
use crate::io::{Bare, Io};
use crate::wait_list::{Entry, Kept};

pin_project! {
    /// The future of [`Sender::send`].
    ///
    /// It may be dropped after what it came from, and after what the value borrows, if
    /// the value itself may:
    ///
    /// ```
    /// let kept;
    /// let text = String::from("text");
    /// let (sender, receiver) = anysync::channel::bounded::<&str>(1);
    /// kept = sender.send_future(&text);
    /// # let _ = (&kept, receiver);
    /// ```
    ///
    /// ```compile_fail,E0597
    /// struct Shows<'x>(&'x str);
    ///
    /// impl Drop for Shows<'_> {
    ///     fn drop(&mut self) {
    ///         println!("{}", self.0);
    ///     }
    /// }
    ///
    /// let kept;
    /// let text = String::from("text");
    /// let (sender, receiver) = anysync::channel::bounded(1);
    /// kept = sender.send_future(Shows(&text));
    /// # let _ = (&kept, receiver);
    /// ```
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Send<'a, T, I = Bare> {
        #[pin]
        entry: Kept<'a, Chan<T>, SENDER>,
        io: I,
        // Here until it is in the channel.
        value: Option<T>,
    }
}

impl<'a, T, I> Send<'a, T, I> {
    #[inline]
    pub(super) fn new(chan: &'a Arc<Chan<T>>, value: T, io: I) -> Self {
        Self {
            entry: Kept::new(chan, 1),
            io,
            value: Some(value),
        }
    }

    /// Cancels the send, and returns the value if it has not been sent. The
    /// future has finished then.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::task::{Context, Waker};
    /// use anysync::channel;
    ///
    /// let (sender, receiver) = channel::bounded(1);
    /// sender.try_send(1).unwrap();
    /// let mut send = pin!(sender.send_future(2));
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert!(send.as_mut().poll(&mut cx).is_pending());
    /// assert_eq!(send.take_value(), Some(2));
    /// assert_eq!(receiver.len(), 1);
    /// ```
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        let this = self.project();
        // First: a waker that panics leaves the value where it is.
        this.entry.leave();
        this.value.take()
    }
}

impl<T, I: Io> Future for Send<'_, T, I> {
    type Output = Result<(), SendError<T>>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some((chan, ticket)) = this.entry.as_mut().first_parts() {
            if chan.can_send_plainly() {
                let mut spent = false;
                let turn = Turn {
                    io: &*this.io,
                    cx: &mut *cx,
                    spent: &mut spent,
                };
                let attempt = || chan.send_plainly(this.value).then_some(());
                match Chan::<T>::poll_plainly(ticket, turn, attempt) {
                    Plain::Won(()) => return Poll::Ready(Ok(())),
                    Plain::Unpaid => {
                        queue_unpaid(Side::Sender, this.entry, cx);
                        return Poll::Pending;
                    }
                    Plain::Not => this.entry.as_mut().set_paid(),
                }
            }
        }
        poll_send(this.entry, this.io, cx, this.value)
    }
}

/// A send that is not over at first sight.
#[inline(never)]
fn poll_send<T, I: Io>(
    entry: Pin<&mut Kept<'_, Chan<T>, SENDER>>,
    io: &I,
    cx: &mut Context<'_>,
    value: &mut Option<T>,
) -> Poll<Result<(), SendError<T>>> {
    assert!(value.is_some(), "{FINISHED}");
    let sent = poll_kept(Side::Sender, entry, io, cx, |chan, list| {
        let message = value.take().expect(FINISHED);
        let undeliverable = chan.send_reserved(list, message);
        debug_assert!(
            undeliverable.is_none(),
            "a send without receivers is refused"
        );
    });
    sent.map_err(|_| SendError(value.take().expect(FINISHED)))
}

impl<T, I> fmt::Debug for Send<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Send")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

/// The three futures that reserve slots for a borrowing permit, or wait for the
/// close.
macro_rules! waits {
    ($(
        $(#[$meta:meta])*
        $name:ident, $side:ident $kind:ident, $output:ty,
        |$chan:ident, $count:ident, $won:ident| $outcome:expr;
    )*) => {$(
        pin_project! {
            $(#[$meta])*
            #[must_use = "futures do nothing unless they are awaited or polled"]
            pub struct $name<'a, T, I = Bare> {
                #[pin]
                entry: Kept<'a, Chan<T>, $kind>,
                io: I,
                count: usize,
            }
        }

        impl<'a, T, I> $name<'a, T, I> {
            #[inline]
            pub(super) fn new(chan: &'a Arc<Chan<T>>, count: usize, io: I) -> Self {
                Self { entry: Kept::new(chan, count), io, count }
            }
        }

        impl<'a, T, I: Io> Future for $name<'a, T, I> {
            type Output = $output;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let mut this = self.project();
                let mut spent = this.entry.has_paid();
                let ($chan, ticket) = this.entry.as_mut().parts();
                let turn = Turn { io: &*this.io, cx, spent: &mut spent };
                let polled = $chan.poll_wait(Side::$side, ticket, Some(turn), |list| {
                    $chan.publish(&list);
                });
                if spent && polled.is_pending() {
                    this.entry.set_paid();
                }
                let $count = *this.count;
                polled.map(|$won| $outcome)
            }
        }

        impl<T, I> fmt::Debug for $name<'_, T, I> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("status", &status_name(self.entry.status()))
                    .finish_non_exhaustive()
            }
        }
    )*};
}

waits! {
    /// The future of [`Sender::reserve`].
    Reserve, Sender SENDER, Result<Permit<'a, T>, SendError<()>>, |chan, _count, won| match won {
        Ok(()) => Ok(Permit::new(chan)),
        Err(_) => Err(SendError(())),
    };

    /// The future of [`Sender::reserve_many`].
    ReserveMany, Sender SENDER, Result<Permits<'a, T>, SendError<()>>, |chan, count, won| match won {
        Ok(()) => Ok(Permits::new(chan, count)),
        Err(_) => Err(SendError(())),
    };

    /// The future of [`Sender::closed`].
    Closed, Watcher WATCHER, (), |chan, _count, won| {
        debug_assert!(won.is_err(), "a watcher is refused, by the close");
    };
}

pin_project! {
    /// The future of [`Sender::reserve_owned`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct ReserveOwned<T, I = Bare> {
        #[pin]
        entry: Entry<Arc<Chan<T>>>,
        io: I,
        // `None` once the permit has it.
        sender: Option<Sender<T>>,
        spent: bool,
    }

    impl<T, I> PinnedDrop for ReserveOwned<T, I> {
        fn drop(this: Pin<&mut Self>) {
            abandon(Side::Sender, this.project().entry);
        }
    }
}

impl<T, I> ReserveOwned<T, I> {
    pub(super) fn new(chan: Arc<Chan<T>>, sender: Sender<T>, io: I) -> Self {
        Self {
            entry: Entry::new(chan, 1),
            io,
            sender: Some(sender),
            spent: false,
        }
    }
}

impl<T, I: Io> Future for ReserveOwned<T, I> {
    type Output = Result<OwnedPermit<T>, SendError<Sender<T>>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (chan, ticket) = this.entry.parts();
        let turn = Turn {
            io: &*this.io,
            cx,
            spent: this.spent,
        };
        let polled = chan.poll_wait(Side::Sender, ticket, Some(turn), |list| {
            chan.publish(&list);
        });
        polled.map(|won| {
            let sender = this.sender.take().expect(FINISHED);
            match won {
                Ok(()) => Ok(OwnedPermit::new(sender)),
                Err(_) => Err(SendError(sender)),
            }
        })
    }
}

impl<T, I> fmt::Debug for ReserveOwned<T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReserveOwned")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

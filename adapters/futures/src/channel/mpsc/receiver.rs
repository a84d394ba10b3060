//! The ends that receive.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::future::FusedFuture;
use futures::stream::{FusedStream, Stream};

use super::chan::Chan;
use super::{RecvError, TryRecvError};

macro_rules! receiver {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        ///
        /// # Cancel safety
        ///
        /// A wait for a message that is dropped has taken none.
        ///
        /// # Memory ordering
        ///
        /// Receiving acquires what the sender of the message released.
        pub struct $name<T> {
            // `None` after the end.
            pub(super) chan: Option<Arc<Chan<T>>>,
        }

        impl<T> $name<T> {
            pub(super) fn new(chan: Arc<Chan<T>>) -> Self {
                Self { chan: Some(chan) }
            }

            /// A message; `Ready(None)` at the end, which it notes.
            #[inline]
            fn receive(&mut self, waker: Option<&Waker>) -> Poll<Option<T>> {
                let Some(chan) = &self.chan else {
                    return Poll::Ready(None);
                };
                let received = chan.receive(waker);
                if let Poll::Ready(None) = received {
                    self.chan = None;
                }
                received
            }

            /// Waits for a message.
            pub fn recv(&mut self) -> Recv<'_, Self> {
                Recv { stream: self }
            }

            /// Lets nobody send any more; what was sent is still there.
            pub fn close(&mut self) {
                if let Some(chan) = &self.chan {
                    chan.close_by_receiver();
                }
            }

            /// A message, if there is one; never waits. `None` if none will come.
            ///
            /// # Errors
            ///
            /// If there is none, and one may come.
            #[deprecated(note = "please use `try_recv` instead")]
            pub fn try_next(&mut self) -> Result<Option<T>, TryRecvError> {
                match self.receive(None) {
                    Poll::Ready(message) => Ok(message),
                    Poll::Pending => Err(TryRecvError::Empty),
                }
            }

            /// A message, if there is one; never waits.
            ///
            /// # Errors
            ///
            /// If there is none.
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                match self.receive(None) {
                    Poll::Ready(Some(message)) => Ok(message),
                    Poll::Ready(None) => Err(TryRecvError::Closed),
                    Poll::Pending => Err(TryRecvError::Empty),
                }
            }
        }

        impl<T> Stream for $name<T> {
            type Item = T;

            fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.receive(Some(cx.waker()))
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                let Some(chan) = &self.chan else {
                    return (0, Some(0));
                };
                let (len, is_open) = chan.content();
                (len, (!is_open).then_some(len))
            }
        }

        impl<T> FusedStream for $name<T> {
            fn is_terminated(&self) -> bool {
                self.chan.is_none()
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                if let Some(chan) = &self.chan {
                    chan.leave();
                }
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let chan = self.chan.as_ref();
                let closed = chan.is_some_and(|chan| chan.content() == (0, false));
                f.debug_struct("Receiver").field("closed", &closed).finish()
            }
        }
    };
}

receiver! {
    /// The end of a bounded channel that receives: a `Stream` of the messages.
    Receiver
}

receiver! {
    /// The end of an unbounded channel that receives: a `Stream` of the messages.
    UnboundedReceiver
}

/// The future of [`Receiver::recv`] and [`UnboundedReceiver::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Recv<'a, St: ?Sized> {
    stream: &'a mut St,
}

impl<St: ?Sized + Stream + Unpin> Future for Recv<'_, St> {
    type Output = Result<St::Item, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut *self.stream).poll_next(cx);
        polled.map(|message| message.ok_or(RecvError))
    }
}

impl<St: ?Sized + FusedStream + Unpin> FusedFuture for Recv<'_, St> {
    fn is_terminated(&self) -> bool {
        self.stream.is_terminated()
    }
}

//! The ends that receive.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anysync::{Bare, channel as core};
use futures::future::FusedFuture;
use futures::stream::{FusedStream, Stream};

use super::{RecvError, Shared, TryRecvError, Unbounded};

/// What one receiver does that the other does not: it lets senders go.
trait Link {
    fn took_one(&self) {}
    fn closed(&self) {}
}

impl Link for Shared {
    fn took_one(&self) {
        self.count_out();
    }

    fn closed(&self) {
        self.close();
    }
}

impl Link for Unbounded {}

macro_rules! receiver {
    ($(#[$meta:meta])* $name:ident, $link:ty) => {
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
            pub(super) inner: Option<core::Receiver<T>>,
            link: Arc<$link>,
        }

        impl<T> $name<T> {
            pub(super) fn new(inner: core::Receiver<T>, link: Arc<$link>) -> Self {
                Self {
                    inner: Some(inner),
                    link,
                }
            }

            /// Waits for a message.
            pub fn recv(&mut self) -> Recv<'_, Self> {
                Recv { stream: self }
            }

            /// Lets nobody send any more; what was sent is still there.
            pub fn close(&mut self) {
                if let Some(inner) = &self.inner {
                    inner.close();
                    self.link.closed();
                }
            }

            /// A message, if there is one; never waits. `None` if none will come.
            ///
            /// # Errors
            ///
            /// If there is none, and one may come.
            #[deprecated(note = "please use `try_recv` instead")]
            pub fn try_next(&mut self) -> Result<Option<T>, TryRecvError> {
                match self.try_recv() {
                    Ok(message) => Ok(Some(message)),
                    Err(TryRecvError::Closed) => Ok(None),
                    Err(TryRecvError::Empty) => Err(TryRecvError::Empty),
                }
            }

            /// A message, if there is one; never waits.
            ///
            /// # Errors
            ///
            /// If there is none.
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                let Some(inner) = &mut self.inner else {
                    return Err(TryRecvError::Closed);
                };
                match inner.try_recv_in_place() {
                    Ok(message) => {
                        self.link.took_one();
                        Ok(message)
                    }
                    Err(core::TryRecvError::Empty) => Err(TryRecvError::Empty),
                    Err(core::TryRecvError::Closed) => Err(TryRecvError::Closed),
                }
            }
        }

        impl<T> Stream for $name<T> {
            type Item = T;

            fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
                let Some(inner) = &mut self.inner else {
                    return Poll::Ready(None);
                };
                match inner.poll_recv(&Bare, cx) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(Ok(message)) => {
                        self.link.took_one();
                        Poll::Ready(Some(message))
                    }
                    Poll::Ready(Err(_)) => {
                        self.inner = None;
                        Poll::Ready(None)
                    }
                }
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                match &self.inner {
                    None => (0, Some(0)),
                    Some(inner) => {
                        let len = inner.len();
                        (len, inner.is_closed().then_some(len))
                    }
                }
            }
        }

        impl<T> FusedStream for $name<T> {
            fn is_terminated(&self) -> bool {
                self.inner.is_none()
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                // The parked senders are let go also when a message panics as it is
                // dropped.
                self.close();
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let inner = self.inner.as_ref();
                let closed = inner.is_some_and(|inner| inner.is_closed() && inner.is_empty());
                f.debug_struct("Receiver").field("closed", &closed).finish()
            }
        }
    };
}

receiver! {
    /// The end of a bounded channel that receives: a `Stream` of the messages.
    Receiver, Shared
}

receiver! {
    /// The end of an unbounded channel that receives: a `Stream` of the messages.
    UnboundedReceiver, Unbounded
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

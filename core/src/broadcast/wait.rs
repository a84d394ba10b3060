//! The futures of the broadcast. A sender waits by a [`Semaphore`](crate::Semaphore), the others by
//! a [`Notify`](crate::Notify). A receiver queues and then looks once more; a task that
//! waits for the last receiver to go creates the wait, looks, and then queues. So
//! nothing comes in between. The budget is spent when there is something to have, and
//! before it is had: so a future that is dropped with the budget used up has taken
//! nothing.

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{Place, Receiver, RecvError, SendError, Shared, TryRecvError};
use crate::io::{Bare, Io};
use crate::notify::Wait;
use crate::semaphore::Acquire;

pin_project! {
    /// The future of [`Receiver::recv`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Recv<'a, T, I = Bare> {
        shared: &'a Shared<T>,
        place: &'a mut Place<T>,
        // Made when there is no message.
        #[pin]
        wait: Option<Wait<'a>>,
        io: I,
        is_over: bool,
    }
}

impl<'a, T, I> Recv<'a, T, I> {
    pub(super) fn new(receiver: &'a mut Receiver<T>, io: I) -> Self {
        Self {
            shared: &receiver.shared,
            place: &mut receiver.place,
            wait: None,
            io,
            is_over: false,
        }
    }
}

impl<T: Clone, I: Io> Future for Recv<'_, T, I> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        assert!(
            !*this.is_over,
            "`Recv` of a broadcast was polled after it had finished"
        );
        let mut has_news = this.shared.ring.shows_news(this.place);
        loop {
            if has_news {
                ready!(this.io.poll_spend(cx));
                let received = match this.shared.try_recv(this.place) {
                    Ok(value) => Ok(value),
                    Err(TryRecvError::Closed) => Err(RecvError::Closed),
                    Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                    Err(TryRecvError::Empty) => {
                        unreachable!("an end is for ever, and no other reads for this receiver")
                    }
                };
                *this.is_over = true;
                return Poll::Ready(received);
            }
            if this.wait.is_none() {
                this.wait.set(Some(this.shared.sent.wait_future()));
            }
            let wait = this.wait.as_mut().as_pin_mut();
            let is_queued = wait.is_some_and(|wait| wait.poll(cx).is_pending());
            // Queued, it looks once more: a later send finds it.
            if is_queued && !this.shared.has_news(this.place) {
                return Poll::Pending;
            }
            this.wait.set(None);
            // What was seen under the lock need not be seen without it.
            has_news = is_queued || this.shared.ring.shows_news(this.place);
        }
    }
}

pin_project! {
    /// The future of [`Sender::send_wait`](super::Sender::send_wait).
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct SendWait<'a, T, I = Bare> {
        shared: &'a Shared<T>,
        value: Option<Box<T>>,
        #[pin]
        wait: Acquire<'a, I>,
    }
}

impl<'a, T, I: Io> SendWait<'a, T, I> {
    pub(super) fn new(shared: &'a Shared<T>, io: I, value: T) -> Self {
        Self {
            shared,
            value: Some(Box::new(value)),
            wait: shared.room.acquire(io),
        }
    }
}

impl<T, I: Io> Future for SendWait<'_, T, I> {
    type Output = Result<usize, SendError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        assert!(
            this.value.is_some(),
            "`SendWait` of a broadcast was polled after it had finished"
        );
        loop {
            let mut place = if this.shared.waits_for_room() {
                let place = ready!(this.wait.as_mut().poll(cx));
                Some(place.expect("`room` is never closed"))
            } else {
                ready!(this.wait.io().poll_spend(cx));
                // It may have waited for a place when a receiver was there.
                this.wait.as_mut().cancel();
                None
            };
            let value = this.value.take().expect("it is there until it is sent");
            let error = match this.shared.send(*value, &mut place) {
                Ok(receivers) => return Poll::Ready(Ok(receivers)),
                Err(error) => error,
            };
            let is_closed = matches!(error, SendError::Closed(_));
            *this.value = Some(Box::new(error.into_inner()));
            // The next is woken, which may panic: then this one is still to be told.
            drop(place);
            // Else the first receiver came just now.
            if is_closed {
                let value = this.value.take().expect("it was put back");
                return Poll::Ready(Err(SendError::Closed(*value)));
            }
        }
    }
}

pin_project! {
    /// The future of [`Sender::closed`](super::Sender::closed).
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Closed<'a, T, I = Bare> {
        shared: &'a Shared<T>,
        #[pin]
        wait: Wait<'a>,
        io: I,
        is_over: bool,
    }
}

impl<'a, T, I> Closed<'a, T, I> {
    pub(super) fn new(shared: &'a Shared<T>, io: I) -> Self {
        Self {
            shared,
            wait: shared.deserted.wait_future(),
            io,
            is_over: false,
        }
    }
}

impl<T, I: Io> Future for Closed<'_, T, I> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        assert!(
            !*this.is_over,
            "`Closed` of a broadcast was polled after it had finished"
        );
        while this.shared.lock().receivers() != 0 {
            ready!(this.wait.as_mut().poll(cx));
            this.wait.set(this.shared.deserted.wait_future());
        }
        ready!(this.io.poll_spend(cx));
        *this.is_over = true;
        Poll::Ready(())
    }
}

impl<T, I> fmt::Debug for Recv<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv").finish_non_exhaustive()
    }
}

impl<T, I> fmt::Debug for SendWait<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendWait").finish_non_exhaustive()
    }
}

impl<T, I> fmt::Debug for Closed<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").finish_non_exhaustive()
    }
}

//! The futures of the broadcast. Each waits by a [`Notify`](crate::Notify): it
//! creates its wait, looks, and then queues, so that nothing comes in between.
//! The budget is spent when there is something to have, and before it is had:
//! so a future that is dropped with the budget used up has taken nothing.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{Receiver, RecvError, SendError, Shared, TryRecvError};
use crate::io::{Bare, Io};
use crate::notify::Wait;
use crate::semaphore::{Acquire, SemaphorePermit};

pin_project! {
    /// The future of [`Receiver::recv`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Recv<'a, T, I = Bare> {
        shared: &'a Shared<T>,
        next: &'a mut u64,
        #[pin]
        wait: Wait<'a>,
        io: I,
        is_over: bool,
    }
}

impl<'a, T, I> Recv<'a, T, I> {
    pub(super) fn new(receiver: &'a mut Receiver<T>, io: I) -> Self {
        let shared = &*receiver.shared;
        Self {
            shared,
            next: &mut receiver.next,
            wait: shared.sent.wait_future(),
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
        loop {
            if this.shared.has_news(**this.next) {
                ready!(this.io.poll_spend(cx));
                let received = match this.shared.try_recv(this.next) {
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
            ready!(this.wait.as_mut().poll(cx));
            this.wait.set(this.shared.sent.wait_future());
        }
    }
}

pin_project! {
    /// The future of [`Sender::send_wait`](super::Sender::send_wait).
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct SendWait<'a, T, I = Bare> {
        shared: &'a Shared<T>,
        value: Option<Arc<T>>,
        #[pin]
        wait: Acquire<'a>,
        // Won, and neither used nor given back.
        place: Option<SemaphorePermit<'a>>,
        io: I,
    }
}

impl<'a, T, I> SendWait<'a, T, I> {
    pub(super) fn new(shared: &'a Shared<T>, io: I, value: Arc<T>) -> Self {
        Self {
            shared,
            value: Some(value),
            wait: shared.room.acquire_future(),
            place: None,
            io,
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
            if this.place.is_none() && this.shared.waits_for_room() {
                let place = ready!(this.wait.as_mut().poll(cx));
                *this.place = Some(place.expect("`room` is never closed"));
            }
            ready!(this.io.poll_spend(cx));
            let value = this.value.take().expect("it is there until it is sent");
            match this.shared.send(value, this.place.take()) {
                // The first receiver came just now.
                Err(SendError::Full(value)) => *this.value = Some(value),
                sent => {
                    // If nobody is there, it may be queued still.
                    this.wait.set(this.shared.room.acquire_future());
                    return Poll::Ready(sent.map_err(SendError::unshared));
                }
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
        while this.shared.lock().receivers != 0 {
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

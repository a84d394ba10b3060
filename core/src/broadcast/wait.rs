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
use crate::mutex::{Lock, MutexGuard};
use crate::notify::Wait;

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
        // Counted among those who wait.
        is_waiting: bool,
        #[pin]
        turn: Lock<'a, ()>,
        has_turn: Option<MutexGuard<'a, ()>>,
        #[pin]
        wait: Wait<'a>,
        io: I,
    }

    impl<'a, T, I> PinnedDrop for SendWait<'a, T, I> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            leave(this.shared, this.is_waiting);
        }
    }
}

/// Counts a sender out that waits no more. The turn goes on when its guard is
/// dropped, to one that is counted still.
fn leave<T>(shared: &Shared<T>, is_waiting: &mut bool) {
    if *is_waiting {
        *is_waiting = false;
        shared.lock().waiting -= 1;
    }
}

impl<'a, T, I> SendWait<'a, T, I> {
    pub(super) fn new(shared: &'a Shared<T>, io: I, value: Arc<T>) -> Self {
        Self {
            shared,
            value: Some(value),
            is_waiting: false,
            turn: shared.turn.lock_future(),
            has_turn: None,
            wait: shared.read.wait_future(),
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
            if *this.is_waiting && this.has_turn.is_none() {
                *this.has_turn = Some(ready!(this.turn.as_mut().poll(cx)));
            }
            let has_turn = this.has_turn.is_some();
            if !this.shared.is_blocked(has_turn) {
                ready!(this.io.poll_spend(cx));
                let value = this.value.take().expect("it is there until it is sent");
                match this.shared.try_send(value, has_turn) {
                    // Somebody was quicker.
                    Err(SendError::Full(value)) => *this.value = Some(value),
                    sent => {
                        leave(this.shared, this.is_waiting);
                        *this.has_turn = None;
                        return Poll::Ready(sent.map_err(SendError::unshared));
                    }
                }
            } else if has_turn {
                ready!(this.wait.as_mut().poll(cx));
                this.wait.set(this.shared.read.wait_future());
            } else {
                *this.is_waiting = true;
                this.shared.lock().waiting += 1;
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

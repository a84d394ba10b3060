//! futures-intrusive.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use ::futures_intrusive::channel::shared::{Receiver, Sender, channel};
use ::futures_intrusive::channel::{TryReceiveError, TrySendError};
use ::futures_intrusive::sync::{Mutex, MutexGuard, Semaphore, SemaphoreReleaser};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    Channel, ChannelReceiver, ChannelSender, Closed, HeldPermits, Kept, Message, MutexSubject,
    NoMessage, NoPermits, Permits, Promise, SemaphoreSubject, SendFact, SendRefused, Subject,
    TooMany, mapped,
};

/// `futures-intrusive`, with the lock of `parking_lot` inside.
///
/// Its mutex and semaphore are made fair: "A fair `Mutex` will only allow the first
/// waiter which tried to lock but failed to lock the `Mutex` once it's available
/// again" (`GenericMutex::new`, and the like at `GenericSemaphore::new`). Of its
/// channel it says nothing of an order. Its event wakes all and stays set, its
/// oneshot has no `try_receive`, and its state broadcast counts states: none of
/// them is of the kind that the laws are about.
#[derive(Clone, Copy, Debug, Default)]
pub struct FuturesIntrusive;

impl Subject for FuturesIntrusive {
    fn name(&self) -> &str {
        "futures-intrusive"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[
            super::super::WAKER_CALLS_BACK,
            super::super::WAKER_PANICS,
            (
                "any::dropped_win_is_passed_on",
                "nothing is said of a send that was woken and dropped: room takes the message out of the send that waits, so it is sent then.",
            ),
            (
                "channel::cancelled_send_gives_back_or_never_sent",
                "nothing is said of a send that was woken and dropped: room takes the message out of the send that waits, so it is sent then.",
            ),
            (
                "semaphore::is_fifo_even_for_many",
                "`GenericSemaphore::new` says: \"A fair `Semaphore` will only allow the oldest waiter on a `Semaphore` to retry acquiring it once it's available again. Other waiters must wait until either this acquire attempt completes …\", so one is woken at a time.",
            ),
            (
                "semaphore::overflow_is_an_error",
                "nothing is said of an overflow.",
            ),
        ]
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::FifoMutex,
            Promise::AcquireMany,
            Promise::CloseChannel,
        ]
    }

    fn adapted(&self) -> &str {
        "The mutex and the semaphore are made with `is_fair`."
    }

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        Some(Arc::new(Mutex::new(Vec::new(), true)))
    }

    fn mutex_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Mutex<Cell<u32>>: true,
            Mutex<Rc<u32>>: false,
            MutexGuard<'static, Cell<u32>>: true,
            MutexGuard<'static, Rc<u32>>: false,
        ]
    }

    fn new_semaphore(&self, permits: usize) -> Option<Arc<dyn SemaphoreSubject>> {
        Some(Arc::new(Semaphore::new(true, permits)))
    }

    fn semaphore_send_facts(&self) -> Vec<SendFact> {
        send_facts![Semaphore: true, SemaphoreReleaser<'static>: true]
    }

    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        let (sender, receiver) = channel(capacity);
        Some((Box::new(sender), Box::new(receiver)))
    }

    fn channel_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Sender<Cell<u32>>: true,
            Receiver<Cell<u32>>: true,
        ]
    }
}

impl MutexSubject for Mutex<Vec<u64>> {
    lock_as_named!();
}

impl SemaphoreSubject for Semaphore {
    fn acquire<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>> {
        mapped(self.acquire(1), |permit| Ok(held(1, permit)))
    }

    fn acquire_many<'a>(
        &'a self,
        _: &'a DynIo,
        n: usize,
    ) -> Option<BoxFuture<'a, Result<Permits<'a>, Closed>>> {
        Some(mapped(self.acquire(n), move |permit| Ok(held(n, permit))))
    }

    fn hold<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.acquire(1))))
    }

    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits> {
        let permit = self.try_acquire(1).ok_or(NoPermits::Few)?;
        Ok(held(1, permit))
    }

    fn available(&self) -> usize {
        self.permits()
    }

    fn add(&self, n: usize) -> Result<(), TooMany> {
        self.release(n);
        Ok(())
    }
}

fn held<'a>(count: usize, permit: SemaphoreReleaser<'a>) -> Permits<'a> {
    Box::new(Held { count, permit })
}

/// A permit does not tell how many it is without being disarmed.
struct Held<'a> {
    count: usize,
    permit: SemaphoreReleaser<'a>,
}

impl<'a> HeldPermits<'a> for Held<'a> {
    fn count(&self) -> usize {
        self.count
    }

    fn forget(mut self: Box<Self>) {
        self.permit.disarm();
    }
}

impl ChannelSender for Sender<Message> {
    fn try_send(&self, message: Message) -> Result<(), SendRefused> {
        self.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => SendRefused::Full(message),
            TrySendError::Closed(message) => SendRefused::Closed(message),
        })
    }

    fn send<'a>(&'a self, _: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>> {
        mapped(self.send(message), |sent| sent.map_err(|error| error.0))
    }

    fn another(&self) -> Box<dyn ChannelSender> {
        Box::new(self.clone())
    }
}

impl ChannelReceiver for Receiver<Message> {
    fn try_recv(&self) -> Result<Message, NoMessage> {
        self.try_receive().map_err(|error| match error {
            TryReceiveError::Empty => NoMessage::Empty,
            TryReceiveError::Closed => NoMessage::Closed,
        })
    }

    fn recv<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(self.receive())
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { (*self).receive().await })
    }

    fn close(&self) {
        self.close();
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        Some(Box::new(self.clone()))
    }
}

// Included for tokio's own and for the drop-in, with `sync` and `util` for their
// modules: what passes messages, a value, or a cancellation.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError, TryLockError};
use std::task::Poll;
use std::thread::{self, ThreadId};

use broadcast::error::{RecvError, TryRecvError as NoBroadcast};
use mpsc::error::{TryRecvError, TrySendError};
use oneshot::error::TryRecvError as NoOneshot;
use sync::{broadcast, mpsc, oneshot, watch};
use util::{CancellationToken, DropGuard, WaitForCancellationFuture};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    BroadcastReceiver, BroadcastSender, CancelGuard, CancellationSubject, Channel, ChannelReceiver,
    ChannelSender, Message, Missed, NoMessage, Oneshot, OneshotReceiver, OneshotSender, Permit,
    SendFact, SendRefused, Token, WatchReceiver, WatchSender, mapped,
};

pub(super) fn new_channel(capacity: usize) -> Channel {
    let (sender, receiver) = mpsc::channel(capacity);
    let receiver = OneReceiver::new(receiver);
    (Box::new(sender), Box::new(receiver))
}

pub(super) fn channel_send_facts() -> Vec<SendFact> {
    send_facts![
        mpsc::Sender<Cell<u32>>: true,
        mpsc::Sender<Rc<u32>>: false,
        mpsc::Receiver<Cell<u32>>: true,
        mpsc::Receiver<Rc<u32>>: false,
        mpsc::Permit<'static, u32>: true,
        mpsc::Permit<'static, Rc<u32>>: false,
    ]
}

pub(super) fn new_oneshot() -> Oneshot {
    let (sender, receiver) = oneshot::channel();
    (Box::new(sender), Box::new(receiver))
}

pub(super) fn oneshot_send_facts() -> Vec<SendFact> {
    send_facts![
        oneshot::Sender<Cell<u32>>: true,
        oneshot::Sender<Rc<u32>>: false,
        oneshot::Receiver<Cell<u32>>: true,
        oneshot::Receiver<Rc<u32>>: false,
    ]
}

pub(super) fn new_watch() -> Box<dyn WatchSender> {
    Box::new(watch::Sender::new(0))
}

pub(super) fn watch_send_facts() -> Vec<SendFact> {
    // A `Ref` is not to be kept over an await.
    send_facts![
        watch::Sender<u32>: true,
        watch::Sender<Rc<u32>>: false,
        watch::Receiver<u32>: true,
        watch::Receiver<Rc<u32>>: false,
        watch::Ref<'static, u32>: false,
    ]
}

pub(super) fn new_broadcast(capacity: usize) -> Box<dyn BroadcastSender> {
    Box::new(broadcast::Sender::new(capacity))
}

pub(super) fn broadcast_send_facts() -> Vec<SendFact> {
    send_facts![
        broadcast::Sender<Cell<u32>>: true,
        broadcast::Sender<Rc<u32>>: false,
        broadcast::Receiver<Cell<u32>>: true,
        broadcast::Receiver<Rc<u32>>: false,
    ]
}

pub(super) fn new_cancellation() -> Box<dyn CancellationSubject> {
    Box::new(CancellationToken::new())
}

pub(super) fn cancellation_send_facts() -> Vec<SendFact> {
    send_facts![
        CancellationToken: true,
        WaitForCancellationFuture<'static>: true,
        DropGuard: true,
    ]
}

impl ChannelSender for mpsc::Sender<Message> {
    fn try_send(&self, message: Message) -> Result<(), SendRefused> {
        self.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => SendRefused::Full(message),
            TrySendError::Closed(message) => SendRefused::Closed(message),
        })
    }

    fn send<'a>(&'a self, _: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>> {
        mapped(self.send(message), |sent| sent.map_err(|error| error.0))
    }

    fn reserve<'a>(&'a self, _: &'a DynIo) -> Option<BoxFuture<'a, Option<Box<dyn Permit + 'a>>>> {
        Some(mapped(self.reserve(), |permit| {
            let permit = permit.ok()?;
            Some(Box::new(permit) as Box<dyn Permit + 'a>)
        }))
    }

    fn another(&self) -> Box<dyn ChannelSender> {
        Box::new(self.clone())
    }
}

impl Permit for mpsc::Permit<'_, Message> {
    fn send(self: Box<Self>, message: Message) {
        (*self).send(message);
    }
}

/// The one receiver, for several threads in turn. A waker that it calls, and that comes
/// back to it, finds nothing.
struct OneReceiver {
    receiver: StdMutex<mpsc::Receiver<Message>>,
    /// The thread that is in it.
    inside: StdMutex<Option<ThreadId>>,
}

impl OneReceiver {
    fn new(receiver: mpsc::Receiver<Message>) -> Self {
        Self {
            receiver: StdMutex::new(receiver),
            inside: StdMutex::new(None),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `code` with the receiver when no other thread is in it; not if this thread
    /// is, as a waker may be that the receiver calls.
    fn enter<T>(&self, code: impl FnOnce(&mut mpsc::Receiver<Message>) -> T) -> Option<T> {
        let own = thread::current().id();
        let mut receiver = loop {
            match self.receiver.try_lock() {
                Ok(receiver) => break receiver,
                Err(TryLockError::Poisoned(error)) => break error.into_inner(),
                Err(TryLockError::WouldBlock) if *self.inside() == Some(own) => return None,
                Err(TryLockError::WouldBlock) => thread::yield_now(),
            }
        };
        *self.inside() = Some(own);
        let outcome = catch_unwind(AssertUnwindSafe(|| code(&mut receiver)));
        *self.inside() = None;
        drop(receiver);
        Some(outcome.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

impl ChannelReceiver for OneReceiver {
    fn count(&self) -> Option<usize> {
        self.enter(|receiver| receiver.len())
    }

    fn try_recv(&self) -> Result<Message, NoMessage> {
        let received = self.enter(mpsc::Receiver::try_recv);
        received
            .unwrap_or(Err(TryRecvError::Empty))
            .map_err(|error| match error {
                TryRecvError::Empty => NoMessage::Empty,
                TryRecvError::Disconnected => NoMessage::Closed,
            })
    }

    fn recv<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        // What its own `recv` does, which borrows it for ever.
        Box::pin(poll_fn(|cx| {
            match self.enter(|receiver| receiver.poll_recv(cx)) {
                Some(polled) => polled,
                None => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            }
        }))
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        let mut receiver = self.receiver.into_inner().unwrap_or_else(PoisonError::into_inner);
        Box::pin(async move { receiver.recv().await })
    }

    fn close(&self) {
        self.enter(mpsc::Receiver::close);
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        None
    }
}

impl OneshotSender for oneshot::Sender<Message> {
    fn send(self: Box<Self>, message: Message) -> Result<(), Message> {
        (*self).send(message)
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    fn closed<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(self.closed())
    }

    fn into_closed<'a>(mut self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(async move { (*self).closed().await })
    }
}

impl OneshotReceiver for oneshot::Receiver<Message> {
    fn recv<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(self, Result::ok)
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(*self, Result::ok)
    }

    fn try_recv(&mut self) -> Result<Message, NoMessage> {
        self.try_recv().map_err(|error| match error {
            NoOneshot::Empty => NoMessage::Empty,
            NoOneshot::Closed => NoMessage::Closed,
        })
    }

    fn close(&mut self) {
        self.close();
    }
}

impl WatchSender for watch::Sender<u64> {
    fn send(&self, value: u64) {
        self.send_replace(value);
    }

    fn subscribe(&self) -> Box<dyn WatchReceiver> {
        Box::new(self.subscribe())
    }
}

impl WatchReceiver for watch::Receiver<u64> {
    fn changed<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, bool> {
        mapped(self.changed(), |changed| changed.is_ok())
    }

    fn into_changed<'a>(mut self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, bool> {
        Box::pin(async move { (*self).changed().await.is_ok() })
    }

    fn get(&self) -> u64 {
        *self.borrow()
    }

    fn get_and_see(&mut self) -> u64 {
        *self.borrow_and_update()
    }
}

impl BroadcastSender for broadcast::Sender<Arc<Token>> {
    fn send(&self, message: Arc<Token>) -> Result<(), Arc<Token>> {
        self.send(message).map(drop).map_err(|error| error.0)
    }

    fn subscribe(&self) -> Box<dyn BroadcastReceiver> {
        Box::new(self.subscribe())
    }

    fn another(&self) -> Box<dyn BroadcastSender> {
        Box::new(self.clone())
    }
}

fn missed(error: RecvError) -> Missed {
    match error {
        RecvError::Closed => Missed::Closed,
        RecvError::Lagged(count) => Missed::Lagged(count),
    }
}

impl BroadcastReceiver for broadcast::Receiver<Arc<Token>> {
    fn recv<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, Result<Arc<Token>, Missed>> {
        mapped(self.recv(), |received| received.map_err(missed))
    }

    fn into_recv<'a>(
        mut self: Box<Self>,
        _: &'a DynIo,
    ) -> BoxFuture<'a, Result<Arc<Token>, Missed>> {
        Box::pin(async move { (*self).recv().await.map_err(missed) })
    }

    fn try_recv(&mut self) -> Result<Arc<Token>, Missed> {
        self.try_recv().map_err(|error| match error {
            NoBroadcast::Empty => Missed::Empty,
            NoBroadcast::Closed => Missed::Closed,
            NoBroadcast::Lagged(count) => Missed::Lagged(count),
        })
    }
}

impl CancellationSubject for CancellationToken {
    fn cancel(&self) {
        self.cancel();
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled()
    }

    fn cancelled<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(self.cancelled())
    }

    fn child(&self) -> Box<dyn CancellationSubject> {
        Box::new(self.child_token())
    }

    fn another(&self) -> Box<dyn CancellationSubject> {
        Box::new(self.clone())
    }

    fn run_until_cancelled<'a>(
        &'a self,
        _: &'a DynIo,
        future: BoxFuture<'a, u64>,
    ) -> BoxFuture<'a, Option<u64>> {
        Box::pin(self.run_until_cancelled(future))
    }

    fn drop_guard(self: Box<Self>) -> Box<dyn CancelGuard> {
        Box::new((*self).drop_guard())
    }
}

impl CancelGuard for DropGuard {
    fn disarm(self: Box<Self>) -> Box<dyn CancellationSubject> {
        Box::new((*self).disarm())
    }
}

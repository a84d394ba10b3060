//! What passes one message, a value, a message to everybody, or a cancellation.

use std::sync::Arc;

use ::tokio::sync::oneshot::error::TryRecvError as NoOneshot;
use ::tokio::sync::{broadcast, oneshot, watch};
use broadcast::error::{RecvError, TryRecvError};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{
    BroadcastReceiver, BroadcastSender, CancelGuard, CancellationSubject, Message, Missed,
    NoMessage, OneshotReceiver, OneshotSender, Token, WatchReceiver, WatchSender, mapped,
};

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
            TryRecvError::Empty => Missed::Empty,
            TryRecvError::Closed => Missed::Closed,
            TryRecvError::Lagged(count) => Missed::Lagged(count),
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

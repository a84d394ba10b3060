//! What passes one message, a value, a message to everybody, or a cancellation.

use std::sync::Arc;

use ::anysync::CancellationToken;
use ::anysync::broadcast;
use ::anysync::cancellation::DropGuard;
use ::anysync::oneshot::{self, TryRecvError};
use ::anysync::watch;

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{
    BroadcastReceiver, BroadcastSender, CancelGuard, CancellationSubject, Message, Missed,
    NoMessage, OneshotReceiver, OneshotSender, Token, WatchReceiver, WatchSender, mapped,
};

impl OneshotSender for oneshot::Sender<Message> {
    fn send(self: Box<Self>, message: Message) -> Result<(), Message> {
        (*self).send(message).map_err(|error| error.0)
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    fn closed<'a>(&'a mut self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(self.closed(io))
    }

    fn into_closed<'a>(mut self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(async move { (*self).closed(io).await })
    }
}

impl OneshotReceiver for oneshot::Receiver<Message> {
    fn recv<'a>(&'a mut self, io: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(self.recv(io), Result::ok)
    }

    fn into_recv<'a>(mut self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { (*self).recv(io).await.ok() })
    }

    fn try_recv(&mut self) -> Result<Message, NoMessage> {
        self.try_recv().map_err(|error| match error {
            TryRecvError::Empty => NoMessage::Empty,
            TryRecvError::Closed => NoMessage::Closed,
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
    fn changed<'a>(&'a mut self, io: &'a DynIo) -> BoxFuture<'a, bool> {
        mapped(self.changed(io), |changed| changed.is_ok())
    }

    fn into_changed<'a>(mut self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, bool> {
        Box::pin(async move { (*self).changed(io).await.is_ok() })
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
        self.send(message)
            .map(drop)
            .map_err(|error| error.into_inner())
    }

    fn subscribe(&self) -> Box<dyn BroadcastReceiver> {
        Box::new(self.subscribe())
    }

    fn another(&self) -> Box<dyn BroadcastSender> {
        Box::new(self.clone())
    }
}

fn missed(error: broadcast::RecvError) -> Missed {
    match error {
        broadcast::RecvError::Closed => Missed::Closed,
        broadcast::RecvError::Lagged(count) => Missed::Lagged(count),
    }
}

impl BroadcastReceiver for broadcast::Receiver<Arc<Token>> {
    fn recv<'a>(&'a mut self, io: &'a DynIo) -> BoxFuture<'a, Result<Arc<Token>, Missed>> {
        mapped(self.recv(io), |received| received.map_err(missed))
    }

    fn into_recv<'a>(
        mut self: Box<Self>,
        io: &'a DynIo,
    ) -> BoxFuture<'a, Result<Arc<Token>, Missed>> {
        Box::pin(async move { (*self).recv(io).await.map_err(missed) })
    }

    fn try_recv(&mut self) -> Result<Arc<Token>, Missed> {
        self.try_recv().map_err(|error| match error {
            broadcast::TryRecvError::Empty => Missed::Empty,
            broadcast::TryRecvError::Closed => Missed::Closed,
            broadcast::TryRecvError::Lagged(count) => Missed::Lagged(count),
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

    fn cancelled<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(self.cancelled(io))
    }

    fn child(&self) -> Box<dyn CancellationSubject> {
        Box::new(self.child_token())
    }

    fn another(&self) -> Box<dyn CancellationSubject> {
        Box::new(self.clone())
    }

    fn run_until_cancelled<'a>(
        &'a self,
        io: &'a DynIo,
        future: BoxFuture<'a, u64>,
    ) -> BoxFuture<'a, Option<u64>> {
        Box::pin(self.run_until_cancelled(io, future))
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

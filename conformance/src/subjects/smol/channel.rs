//! `async-channel`.

use async_channel::{TryRecvError, TrySendError};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{ChannelReceiver, ChannelSender, Message, NoMessage, SendRefused, mapped};

impl ChannelSender for async_channel::Sender<Message> {
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

impl ChannelReceiver for async_channel::Receiver<Message> {
    fn try_recv(&self) -> Result<Message, NoMessage> {
        self.try_recv().map_err(|error| match error {
            TryRecvError::Empty => NoMessage::Empty,
            TryRecvError::Closed => NoMessage::Closed,
        })
    }

    fn recv<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(self.recv(), Result::ok)
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { (*self).recv().await.ok() })
    }

    fn close(&self) {
        self.close();
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        Some(Box::new(self.clone()))
    }
}

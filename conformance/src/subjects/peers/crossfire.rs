//! Crossfire.

use std::cell::Cell;

use ::crossfire::mpmc::{self, Array};
use ::crossfire::{MAsyncRx, MAsyncTx, TryRecvError, TrySendError};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    Channel, ChannelReceiver, ChannelSender, Message, NoMessage, SendFact, SendRefused, Subject,
    mapped,
};

/// `crossfire`, whose `mpmc` is bounded and async.
///
/// It promises no order of those who wait, and has no close but by the last
/// handle that goes. The receiver of its oneshot is spent by the wait, and its
/// send tells nothing: that is not the kind that the laws are about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crossfire;

impl Subject for Crossfire {
    fn name(&self) -> &str {
        "crossfire"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[
            super::super::WAKER_CALLS_BACK,
            ("any::spurious_poll_is_harmless", "no order is promised."),
        ]
    }

    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        let (sender, receiver) = mpmc::bounded_async(capacity);
        Some((Box::new(sender), Box::new(receiver)))
    }

    fn channel_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            MAsyncTx<Array<Cell<u32>>>: true,
            MAsyncRx<Array<Cell<u32>>>: true,
        ]
    }
}

impl ChannelSender for MAsyncTx<Array<Message>> {
    fn try_send(&self, message: Message) -> Result<(), SendRefused> {
        (**self).try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => SendRefused::Full(message),
            TrySendError::Disconnected(message) => SendRefused::Closed(message),
        })
    }

    fn send<'a>(&'a self, _: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>> {
        mapped((**self).send(message), |sent| sent.map_err(|error| error.0))
    }

    fn another(&self) -> Box<dyn ChannelSender> {
        Box::new(self.clone())
    }
}

impl ChannelReceiver for MAsyncRx<Array<Message>> {
    fn try_recv(&self) -> Result<Message, NoMessage> {
        (**self).try_recv().map_err(|error| match error {
            TryRecvError::Empty => NoMessage::Empty,
            TryRecvError::Disconnected => NoMessage::Closed,
        })
    }

    fn recv<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped((**self).recv(), Result::ok)
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { (**self).recv().await.ok() })
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        Some(Box::new(self.clone()))
    }
}

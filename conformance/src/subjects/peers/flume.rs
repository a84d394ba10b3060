//! flume.

use std::cell::Cell;
use std::rc::Rc;

use ::flume::r#async::{RecvFut, SendFut};
use ::flume::{Receiver, Sender, TryRecvError, TrySendError};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    Channel, ChannelReceiver, ChannelSender, Message, NoMessage, SendFact, SendRefused, Subject,
    mapped,
};

/// `flume`, whose channel is bounded.
///
/// It promises no order of those who wait, and has no close but by the last
/// handle that goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flume;

impl Subject for Flume {
    fn name(&self) -> &str {
        "flume"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[
            super::super::WAKER_CALLS_BACK,
            super::super::WAKER_PANICS,
            ("any::spurious_poll_is_harmless", "no order is promised."),
            (
                "any::dropped_win_is_passed_on",
                "nothing is said of a send that was woken and dropped: room takes the message out of the send that waits, so it is sent then.",
            ),
            (
                "channel::cancelled_send_gives_back_or_never_sent",
                "nothing is said of a send that was woken and dropped: room takes the message out of the send that waits, so it is sent then.",
            ),
        ]
    }

    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        let (sender, receiver) = ::flume::bounded(capacity);
        Some((Box::new(sender), Box::new(receiver)))
    }

    fn channel_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Sender<Cell<u32>>: true,
            Sender<Rc<u32>>: false,
            Receiver<Cell<u32>>: true,
            Receiver<Rc<u32>>: false,
            SendFut<'static, Cell<u32>>: true,
            SendFut<'static, Rc<u32>>: false,
            RecvFut<'static, Cell<u32>>: true,
            RecvFut<'static, Rc<u32>>: false,
        ]
    }
}

impl ChannelSender for Sender<Message> {
    fn try_send(&self, message: Message) -> Result<(), SendRefused> {
        self.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => SendRefused::Full(message),
            TrySendError::Disconnected(message) => SendRefused::Closed(message),
        })
    }

    fn send<'a>(&'a self, _: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>> {
        mapped(self.send_async(message), |sent| {
            sent.map_err(|error| error.into_inner())
        })
    }

    fn another(&self) -> Box<dyn ChannelSender> {
        Box::new(self.clone())
    }
}

impl ChannelReceiver for Receiver<Message> {
    fn try_recv(&self) -> Result<Message, NoMessage> {
        self.try_recv().map_err(|error| match error {
            TryRecvError::Empty => NoMessage::Empty,
            TryRecvError::Disconnected => NoMessage::Closed,
        })
    }

    fn recv<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(self.recv_async(), Result::ok)
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped((*self).into_recv_async(), Result::ok)
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        Some(Box::new(self.clone()))
    }
}

//! Kanal.

use std::cell::Cell;
use std::rc::Rc;

use ::kanal::{AsyncReceiver, AsyncSender};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    Channel, ChannelReceiver, ChannelSender, Message, NoMessage, SendFact, SendRefused, Subject,
    mapped,
};

/// `kanal`, whose channel is bounded and async.
///
/// It promises no order of those who wait. Its `close` "closes the channel
/// completely on both sides" with what is in it, so it is not the one that the laws
/// are about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kanal;

impl Subject for Kanal {
    fn name(&self) -> &str {
        "kanal"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[
            super::super::WAKER_CALLS_BACK,
            super::super::WAKER_PANICS,
            (
                "any::dropped_win_is_passed_on",
                "`AsyncReceiver::recv` says: \"if a `ReceiveFuture` is dropped exactly at the time when new data is written to the channel, it may result in the loss of the received value\"; of a send that was woken and dropped nothing is said.",
            ),
            (
                "channel::cancelled_recv_loses_no_message",
                "`AsyncReceiver::recv` says: \"once the `ReceiveFuture` is polled for the first time … the programmer must commit to completing the polling process\".",
            ),
            (
                "channel::cancelled_send_gives_back_or_never_sent",
                "nothing is said of a send that was woken and dropped: room takes the message out of the send that waits, so it is sent then.",
            ),
        ]
    }

    fn adapted(&self) -> &str {
        "A `send` that fails drops the message: what is given back is a copy. `try_send` is its \
         `try_send_option`, which leaves the message. `try_recv` tells a closed channel by its \
         error, and an empty one by `None`."
    }

    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        let (sender, receiver) = ::kanal::bounded_async(capacity);
        Some((Box::new(sender), Box::new(receiver)))
    }

    fn channel_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            AsyncSender<Cell<u32>>: true,
            AsyncSender<Rc<u32>>: false,
            AsyncReceiver<Cell<u32>>: true,
            AsyncReceiver<Rc<u32>>: false,
        ]
    }
}

impl ChannelSender for AsyncSender<Message> {
    fn try_send(&self, message: Message) -> Result<(), SendRefused> {
        let mut slot = Some(message);
        let sent = self.try_send_option(&mut slot);
        match (sent, slot) {
            (Ok(true), _) => Ok(()),
            (Ok(false), Some(message)) => Err(SendRefused::Full(message)),
            (Err(_), Some(message)) => Err(SendRefused::Closed(message)),
            (refused, None) => panic!("kanal says {refused:?} and keeps the message"),
        }
    }

    fn send<'a>(&'a self, _: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>> {
        let number = message.number();
        mapped(self.send(message), move |sent| {
            sent.map_err(|_| Message::new(number))
        })
    }

    fn another(&self) -> Box<dyn ChannelSender> {
        Box::new(self.clone())
    }
}

impl ChannelReceiver for AsyncReceiver<Message> {
    fn try_recv(&self) -> Result<Message, NoMessage> {
        match self.try_recv() {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(NoMessage::Empty),
            Err(_) => Err(NoMessage::Closed),
        }
    }

    fn recv<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(self.recv(), Result::ok)
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { (*self).recv().await.ok() })
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        Some(Box::new(self.clone()))
    }
}

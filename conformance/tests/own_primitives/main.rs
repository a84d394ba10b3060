//! Primitives that the kit does not know, plugged in as a stranger would: a
//! home-made mutex, and a home-made channel.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;

use anysync_conformance::cx::DynIo;
use anysync_conformance::law::Level;
use anysync_conformance::subject::{
    Channel, ChannelReceiver, ChannelSender, Guard, Message, MutexSubject, NoMessage, Promise,
    SendRefused, Subject, boxed_guard,
};
use anysync_conformance::{BoxFuture, Suite, async_trait, harness};

mod primitives;

use primitives::{HomeMutex, HomeReceiver, HomeSender, Refused, channel};

struct HomeMade;

impl Subject for HomeMade {
    fn name(&self) -> &str {
        "home-made-by-a-stranger"
    }

    fn promises(&self) -> &[Promise] {
        &[Promise::OwnedMutexGuard, Promise::CloseChannel]
    }

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        Some(Arc::new(HomeMutex::new(Vec::new())))
    }

    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        let (sender, receiver) = channel(capacity);
        Some((Box::new(Sends(sender)), Box::new(Receives(receiver))))
    }
}

#[async_trait]
impl MutexSubject for HomeMutex<Vec<u64>> {
    async fn lock<'a>(&'a self, _: &'a DynIo) -> Guard<'a> {
        Box::new(HomeMutex::lock(self).await)
    }

    fn try_lock(&self) -> Option<Guard<'_>> {
        Some(Box::new(HomeMutex::try_lock(self)?))
    }

    fn lock_owned(self: Arc<Self>, _: DynIo) -> Option<BoxFuture<'static, Guard<'static>>> {
        Some(boxed_guard(HomeMutex::lock_owned(self)))
    }
}

struct Sends(HomeSender<Message>);

impl ChannelSender for Sends {
    fn try_send(&self, message: Message) -> Result<(), SendRefused> {
        self.0.try_send(message).map_err(|refused| match refused {
            Refused::Full(message) => SendRefused::Full(message),
            Refused::Closed(message) => SendRefused::Closed(message),
        })
    }

    fn send<'a>(&'a self, _: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>> {
        Box::pin(self.0.send(message))
    }

    fn another(&self) -> Box<dyn ChannelSender> {
        Box::new(Sends(self.0.clone()))
    }
}

struct Receives(HomeReceiver<Message>);

impl ChannelReceiver for Receives {
    fn try_recv(&self) -> Result<Message, NoMessage> {
        self.0.try_recv().map_err(|is_over| match is_over {
            true => NoMessage::Closed,
            false => NoMessage::Empty,
        })
    }

    fn recv<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(self.0.recv())
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { self.0.recv().await })
    }

    fn close(&self) {
        self.0.close();
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        Some(Box::new(Receives(self.0.clone())))
    }
}

fn main() -> ExitCode {
    harness::run(Suite::new().subject(HomeMade).level(Level::Must))
}

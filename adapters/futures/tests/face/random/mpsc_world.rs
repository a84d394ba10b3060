// Included for the original and for ours, with `mpsc` for its module.

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hasher};
use std::pin::{Pin, pin};

use anysync_adapter_tests::face::Task;
use futures::stream::FusedStream;
use futures::{FutureExt, Sink, SinkExt, Stream};
use mpsc::{
    Receiver, SendError, Sender, TryRecvError, TrySendError, UnboundedReceiver, UnboundedSender,
};

use super::super::{End, World};
use super::{Op, ReceiverOp, SenderOp};

/// What both kinds of sender do.
pub(super) trait Sends: Sink<u32, Error = SendError> + Clone + Debug + Unpin {
    type Receiver: Receives;

    fn try_to(&mut self, message: u32) -> Result<(), TrySendError<u32>>;
    fn start_to(&mut self, message: u32) -> Result<(), SendError>;
    fn poll(&mut self, task: &Task) -> String;
    fn disconnect_it(&mut self);
    fn close(&mut self);
    fn state(&self, receiver: Option<&Self::Receiver>) -> String;
    fn is_same(&self, other: &Self) -> bool;
}

/// What both kinds of receiver do.
pub(super) trait Receives: FusedStream<Item = u32> + Debug + Unpin {
    fn try_one(&mut self) -> Result<u32, TryRecvError>;
    fn try_another(&mut self) -> Result<Option<u32>, TryRecvError>;
    fn poll_recv(&mut self, task: &Task) -> String;
    fn shut(&mut self);
}

macro_rules! ends {
    ($sender:ident, $receiver:ident, $try_send:ident) => {
        impl Sends for $sender<u32> {
            type Receiver = $receiver<u32>;

            fn try_to(&mut self, message: u32) -> Result<(), TrySendError<u32>> {
                self.$try_send(message)
            }

            fn start_to(&mut self, message: u32) -> Result<(), SendError> {
                self.start_send(message)
            }

            fn poll(&mut self, task: &Task) -> String {
                format!("{:?}", self.poll_ready(&mut task.context()))
            }

            fn disconnect_it(&mut self) {
                self.disconnect();
            }

            fn close(&mut self) {
                self.close_channel();
            }

            fn state(&self, receiver: Option<&Self::Receiver>) -> String {
                let is_connected = receiver.map(|receiver| self.is_connected_to(receiver));
                format!("{self:?} {} {is_connected:?}", self.is_closed())
            }

            fn is_same(&self, other: &Self) -> bool {
                let hash = |sender: &Self| {
                    let mut hasher = DefaultHasher::new();
                    sender.hash_receiver(&mut hasher);
                    hasher.finish()
                };
                let is_same = self.same_receiver(other);
                assert!(!is_same || hash(self) == hash(other));
                is_same
            }
        }

        impl Receives for $receiver<u32> {
            fn try_one(&mut self) -> Result<u32, TryRecvError> {
                self.try_recv()
            }

            #[allow(deprecated)]
            fn try_another(&mut self) -> Result<Option<u32>, TryRecvError> {
                self.try_next()
            }

            fn poll_recv(&mut self, task: &Task) -> String {
                let mut recv = self.recv();
                format!("{:?}", recv.poll_unpin(&mut task.context()))
            }

            fn shut(&mut self) {
                self.close();
            }
        }
    };
}

ends!(Sender, Receiver, try_send);
ends!(UnboundedSender, UnboundedReceiver, unbounded_send);

/// The receiver is the first of the ends.
pub(super) struct Channel<S: Sends> {
    senders: Vec<Option<S>>,
    receiver: Option<S::Receiver>,
    ends: Vec<End>,
    next: u32,
}

pub(super) fn bounded(buffer: usize) -> impl World<Op = Op> {
    Channel::new(mpsc::channel(buffer))
}

pub(super) fn unbounded() -> impl World<Op = Op> {
    Channel::new(mpsc::unbounded())
}

impl<S: Sends> World for Channel<S> {
    type Op = Op;

    fn step(&mut self, op: Op) -> Option<String> {
        match op {
            Op::Sender(place, op) => self.send(place % self.senders.len(), op),
            Op::Receiver(op) => self.receive(op),
        }
    }

    fn ends(&self) -> Vec<&End> {
        self.ends.iter().collect()
    }
}

impl<S: Sends> Channel<S> {
    fn new((sender, receiver): (S, S::Receiver)) -> Self {
        Self {
            senders: vec![Some(sender)],
            receiver: Some(receiver),
            ends: vec![End::new(), End::new()],
            next: 0,
        }
    }

    fn send(&mut self, place: usize, op: SenderOp) -> Option<String> {
        let end = &mut self.ends[place + 1];
        let may_clone = self.senders.len() < 6;
        let sender = self.senders[place].as_mut()?;
        self.next += 1;
        let outcome = match op {
            SenderOp::TrySend => format!("{:?}", sender.try_to(self.next)),
            SenderOp::StartSend => format!("{:?}", sender.start_to(self.next)),
            SenderOp::PollReady(task) => sender.poll(&end.tasks[task]),
            SenderOp::PollFlush(task) => {
                let mut cx = end.tasks[task].context();
                format!("{:?}", Pin::new(sender).poll_flush(&mut cx))
            }
            SenderOp::PollClose(task) => {
                let mut cx = end.tasks[task].context();
                format!("{:?}", Pin::new(sender).poll_close(&mut cx))
            }
            SenderOp::Send(task) => {
                format!("{:?}", end.tasks[task].poll(pin!(sender.send(self.next))))
            }
            SenderOp::Feed(task) => {
                format!("{:?}", end.tasks[task].poll(pin!(sender.feed(self.next))))
            }
            SenderOp::Clone if may_clone => {
                let clone = sender.clone();
                self.senders.push(Some(clone));
                self.ends.push(End::new());
                return Some(String::new());
            }
            SenderOp::Drop => {
                self.senders[place] = None;
                return Some(String::new());
            }
            SenderOp::Disconnect => format!("{:?}", sender.disconnect_it()),
            SenderOp::CloseChannel => format!("{:?}", sender.close()),
            SenderOp::SameReceiver(other) => {
                let (sender, other) = (self.senders[place].as_ref()?, other % self.senders.len());
                return Some(sender.is_same(self.senders[other].as_ref()?).to_string());
            }
            SenderOp::Clone | SenderOp::State => sender.state(self.receiver.as_ref()),
        };
        match op {
            SenderOp::TrySend | SenderOp::StartSend if outcome.contains("Full") => {
                end.is_forgotten = true;
            }
            _ if outcome == "Pending" => end.is_forgotten = false,
            _ => {}
        }
        Some(outcome)
    }

    fn receive(&mut self, op: ReceiverOp) -> Option<String> {
        let end = &mut self.ends[0];
        let receiver = self.receiver.as_mut()?;
        Some(match op {
            ReceiverOp::TryRecv => format!("{:?}", receiver.try_one()),
            ReceiverOp::TryNext => format!("{:?}", receiver.try_another()),
            ReceiverOp::PollNext(task) => {
                let mut cx = end.tasks[task].context();
                format!("{:?}", Pin::new(receiver).poll_next(&mut cx))
            }
            ReceiverOp::PollRecv(task) => receiver.poll_recv(&end.tasks[task]),
            ReceiverOp::Close => format!("{:?}", receiver.shut()),
            ReceiverOp::Drop => format!("{:?}", self.receiver = None),
            ReceiverOp::State => {
                let size = receiver.size_hint();
                format!("{receiver:?} {size:?} {}", receiver.is_terminated())
            }
        })
    }
}

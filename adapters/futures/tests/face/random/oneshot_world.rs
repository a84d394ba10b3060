// Included for the original and for ours, with `oneshot` for its module.

use std::pin::Pin;

use futures::future::FusedFuture;
use oneshot::{Receiver, Sender};

use super::super::{End, World};
use super::Op;

/// The sender is the first of the ends.
pub(super) struct Channel {
    sender: Option<Sender<u32>>,
    receiver: Option<Receiver<u32>>,
    ends: [End; 2],
}

impl Channel {
    pub(super) fn new() -> Self {
        let (sender, receiver) = oneshot::channel();
        Self {
            sender: Some(sender),
            receiver: Some(receiver),
            ends: [End::new(), End::new()],
        }
    }

    fn state(&self) -> String {
        let (sender, receiver) = (self.sender.as_ref(), self.receiver.as_ref());
        let canceled = sender.map(Sender::is_canceled);
        let terminated = receiver.map(Receiver::is_terminated);
        let connected = sender.zip(receiver);
        let connected = connected.map(|(sender, receiver)| sender.is_connected_to(receiver));
        format!("{sender:?} {receiver:?} {canceled:?} {terminated:?} {connected:?}")
    }
}

impl World for Channel {
    type Op = Op;

    fn step(&mut self, op: Op) -> Option<String> {
        let [sending, receiving] = &mut self.ends;
        Some(match op {
            Op::Send => format!("{:?}", self.sender.take()?.send(7)),
            Op::PollCanceled(task) => {
                let mut cx = sending.tasks[task].context();
                format!("{:?}", self.sender.as_mut()?.poll_canceled(&mut cx))
            }
            Op::PollCancellation(task) => {
                let mut cancellation = self.sender.as_mut()?.cancellation();
                format!(
                    "{:?}",
                    sending.tasks[task].poll(Pin::new(&mut cancellation))
                )
            }
            Op::DropSender => format!("{:?}", drop(self.sender.take()?)),
            Op::TryRecv => format!("{:?}", self.receiver.as_mut()?.try_recv()),
            Op::PollReceiver(task) => {
                let receiver = Pin::new(self.receiver.as_mut()?);
                format!("{:?}", receiving.tasks[task].poll(receiver))
            }
            Op::Close => format!("{:?}", self.receiver.as_mut()?.close()),
            Op::DropReceiver => format!("{:?}", drop(self.receiver.take()?)),
            Op::State => self.state(),
        })
    }

    fn ends(&self) -> Vec<&End> {
        self.ends.iter().collect()
    }
}

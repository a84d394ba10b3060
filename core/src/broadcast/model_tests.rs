//! Random programs, compared with a sequential model of the broadcast: every
//! message that was ever sent, and what each receiver is to see of it.

use core::pin::pin;
use core::task::Poll;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Overflow, Receiver, RecvError, SendError, Sender, TryRecvError, channel_with};
use crate::Bare;
use crate::test_util::poll_noop;

#[derive(Clone, Copy, Debug)]
enum Op {
    Send,
    SendWait,
    Subscribe,
    DropReceiver(usize),
    TryRecv(usize),
    Recv(usize),
    CloneSender,
    DropSender,
}

fn op() -> impl Strategy<Value = Op> {
    let who = 0..4_usize;
    prop_oneof![
        6 => Just(Op::Send),
        3 => Just(Op::SendWait),
        1 => Just(Op::Subscribe),
        1 => who.clone().prop_map(Op::DropReceiver),
        4 => who.clone().prop_map(Op::TryRecv),
        4 => who.prop_map(Op::Recv),
        1 => Just(Op::CloneSender),
        1 => Just(Op::DropSender),
    ]
}

struct Model {
    capacity: u64,
    overflow: Overflow,
    /// How many were sent; a message is its own position.
    sent: u64,
    oldest: u64,
    senders: Vec<Sender<u64>>,
    receivers: Vec<(Receiver<u64>, u64)>,
}

impl Model {
    /// Takes out what every receiver has read.
    fn tidy(&mut self) {
        let slowest = self.receivers.iter().map(|(_, next)| *next).min();
        self.oldest = self.oldest.max(slowest.unwrap_or(self.sent));
    }

    fn expected_send(&mut self) -> Result<usize, SendError<u64>> {
        let message = self.sent;
        if self.receivers.is_empty() {
            return Err(SendError::Closed(message));
        }
        if self.sent - self.oldest == self.capacity {
            if self.overflow == Overflow::Wait {
                return Err(SendError::Full(message));
            }
            self.oldest += 1;
        }
        self.sent += 1;
        Ok(self.receivers.len())
    }

    fn expected_recv(&mut self, who: usize) -> Result<u64, TryRecvError> {
        let is_open = !self.senders.is_empty();
        let next = &mut self.receivers[who].1;
        if *next < self.oldest {
            let missed = self.oldest - *next;
            *next = self.oldest;
            return Err(TryRecvError::Lagged(missed));
        }
        if *next == self.sent {
            return Err(if is_open {
                TryRecvError::Empty
            } else {
                TryRecvError::Closed
            });
        }
        *next += 1;
        Ok(*next - 1)
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Send => {
                if let Some(sender) = self.senders.first().cloned() {
                    let message = self.sent;
                    assert_eq!(sender.send(message), self.expected_send());
                }
            }
            Op::SendWait => {
                if let Some(sender) = self.senders.first().cloned() {
                    let polled = poll_noop(pin!(sender.send_wait(Bare, self.sent)));
                    let expected = match self.expected_send() {
                        // Dropped while it waits: nothing was sent.
                        Err(SendError::Full(_)) => Poll::Pending,
                        sent => Poll::Ready(sent),
                    };
                    assert_eq!(polled, expected);
                }
            }
            Op::Subscribe => {
                if let Some(sender) = self.senders.first() {
                    self.receivers.push((sender.subscribe(), self.sent));
                }
            }
            Op::DropReceiver(who) => {
                if who < self.receivers.len() {
                    self.receivers.swap_remove(who);
                }
            }
            Op::TryRecv(who) => {
                if who < self.receivers.len() {
                    let received = self.receivers[who].0.try_recv();
                    assert_eq!(received, self.expected_recv(who));
                }
            }
            Op::Recv(who) => {
                if who < self.receivers.len() {
                    let polled = poll_noop(pin!(self.receivers[who].0.recv_future()));
                    let expected = match self.expected_recv(who) {
                        Ok(message) => Poll::Ready(Ok(message)),
                        Err(TryRecvError::Empty) => Poll::Pending,
                        Err(TryRecvError::Closed) => Poll::Ready(Err(RecvError::Closed)),
                        Err(TryRecvError::Lagged(n)) => Poll::Ready(Err(RecvError::Lagged(n))),
                    };
                    assert_eq!(polled, expected);
                }
            }
            Op::CloneSender => {
                let copy = self.senders.first().cloned();
                self.senders.extend(copy);
            }
            Op::DropSender => {
                self.senders.pop();
            }
        }
        self.tidy();
        for (receiver, next) in &self.receivers {
            assert_eq!(receiver.len() as u64, self.sent - next);
            assert_eq!(receiver.is_closed(), self.senders.is_empty());
        }
        if let Some(sender) = self.senders.first() {
            assert_eq!(sender.len() as u64, self.sent - self.oldest);
            assert_eq!(sender.receiver_count(), self.receivers.len());
            assert_eq!(sender.strong_count(), self.senders.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(
        capacity in 1..5_usize,
        waits in any::<bool>(),
        ops in proptest::collection::vec(op(), 0..80),
    ) {
        let overflow = if waits { Overflow::Wait } else { Overflow::Lag };
        let (sender, receiver) = channel_with(capacity, overflow);
        let mut model = Model {
            capacity: capacity as u64,
            overflow,
            sent: 0,
            oldest: 0,
            senders: [sender].into(),
            receivers: [(receiver, 0)].into(),
        };
        for op in ops {
            model.run(op);
        }
    }
}

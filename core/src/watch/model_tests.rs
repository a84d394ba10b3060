//! Random programs, compared with a sequential model of the watch.

use core::pin::pin;
use core::task::Poll;
use std::boxed::Box;
use std::sync::Arc;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Receiver, Sender, channel};
use crate::test_util::{Wakes, counting_waker, poll, poll_noop};

#[derive(Clone, Copy, Debug)]
enum Op {
    Send,
    ModifyInVain,
    CloneSender,
    DropSender,
    Subscribe,
    CloneReceiver(usize),
    DropReceiver(usize),
    Look(usize),
    LookAndMark(usize),
    MarkChanged(usize),
    HasChanged(usize),
    /// Polls `changed` once, sends in between if asked, and polls again.
    Changed(usize, bool),
    WaitForEven(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let who = 0..4_usize;
    prop_oneof![
        4 => Just(Op::Send),
        1 => Just(Op::ModifyInVain),
        1 => Just(Op::CloneSender),
        1 => Just(Op::DropSender),
        1 => Just(Op::Subscribe),
        1 => who.clone().prop_map(Op::CloneReceiver),
        1 => who.clone().prop_map(Op::DropReceiver),
        1 => who.clone().prop_map(Op::Look),
        2 => who.clone().prop_map(Op::LookAndMark),
        1 => who.clone().prop_map(Op::MarkChanged),
        2 => who.clone().prop_map(Op::HasChanged),
        4 => (who.clone(), any::<bool>()).prop_map(|(who, sends)| Op::Changed(who, sends)),
        2 => who.prop_map(Op::WaitForEven),
    ]
}

/// The value is also its own version.
struct Model {
    value: u64,
    senders: Vec<Sender<u64>>,
    receivers: Vec<(Receiver<u64>, Option<u64>)>,
}

impl Model {
    fn is_closed(&self) -> bool {
        self.senders.is_empty()
    }

    fn send(&mut self) {
        let Some(sender) = self.senders.first() else {
            return;
        };
        let sent = sender.send(self.value + 1);
        assert_eq!(sent.is_ok(), !self.receivers.is_empty());
        if sent.is_ok() {
            self.value += 1;
        }
    }

    fn run(&mut self, op: Op) {
        let (value, is_closed) = (self.value, self.is_closed());
        match op {
            Op::Send => self.send(),
            Op::ModifyInVain => {
                if let Some(sender) = self.senders.first() {
                    assert!(!sender.send_if_modified(|_| false));
                }
            }
            Op::CloneSender => {
                let copy = self.senders.first().cloned();
                self.senders.extend(copy);
            }
            Op::DropSender => {
                self.senders.pop();
            }
            Op::Subscribe => {
                if let Some(sender) = self.senders.first() {
                    self.receivers.push((sender.subscribe(), Some(value)));
                }
            }
            Op::CloneReceiver(who) => {
                if let Some((receiver, seen)) = self.receivers.get(who) {
                    let copy = (receiver.clone(), *seen);
                    self.receivers.push(copy);
                }
            }
            Op::DropReceiver(who) => {
                if who < self.receivers.len() {
                    self.receivers.swap_remove(who);
                }
            }
            Op::Look(who) => {
                if let Some((receiver, seen)) = self.receivers.get(who) {
                    let looked = receiver.borrow();
                    assert_eq!(*looked, value);
                    assert_eq!(looked.has_changed(), *seen != Some(value));
                }
            }
            Op::LookAndMark(who) => {
                if let Some((receiver, seen)) = self.receivers.get_mut(who) {
                    let looked = receiver.borrow_and_update();
                    assert_eq!(*looked, value);
                    assert_eq!(looked.has_changed(), *seen != Some(value));
                    *seen = Some(value);
                }
            }
            Op::MarkChanged(who) => {
                if let Some((receiver, seen)) = self.receivers.get_mut(who) {
                    receiver.mark_changed();
                    *seen = None;
                }
            }
            Op::HasChanged(who) => {
                if let Some((receiver, seen)) = self.receivers.get(who) {
                    let expected = (!is_closed).then_some(*seen != Some(value));
                    assert_eq!(receiver.has_changed().ok(), expected);
                    assert_eq!(receiver.is_closed(), is_closed);
                }
            }
            Op::Changed(who, sends) => self.changed(who, sends),
            Op::WaitForEven(who) => {
                if let Some((receiver, seen)) = self.receivers.get_mut(who) {
                    let polled = poll_noop(pin!(receiver.wait_for(crate::Bare, |n| n % 2 == 0)));
                    let expected = match (value % 2 == 0, is_closed) {
                        (true, _) => Poll::Ready(Some(value)),
                        (false, true) => Poll::Ready(None),
                        (false, false) => Poll::Pending,
                    };
                    assert_eq!(polled.map(|looked| looked.ok().map(|n| *n)), expected);
                    *seen = Some(value);
                }
            }
        }
    }

    fn changed(&mut self, who: usize, sends: bool) {
        if who >= self.receivers.len() {
            return;
        }
        let (mut receiver, seen) = self.receivers.swap_remove(who);
        let (wakes, waker): (Arc<Wakes>, _) = counting_waker();
        let mut wait = Box::pin(receiver.changed_future());
        let expected = |seen, value, is_closed| {
            if seen != Some(value) {
                Poll::Ready(true)
            } else if is_closed {
                Poll::Ready(false)
            } else {
                Poll::Pending
            }
        };
        let first = poll(wait.as_mut(), &waker).map(|found| found.is_ok());
        assert_eq!(first, expected(seen, self.value, self.is_closed()));
        let mut ready = first;
        if first.is_pending() && sends {
            // The waiting receiver is not in the list, and counts all the same.
            let sender = &self.senders[0];
            sender.send(self.value + 1).unwrap();
            self.value += 1;
            assert_eq!(wakes.count(), 1);
            ready = poll(wait.as_mut(), &waker).map(|found| found.is_ok());
            assert_eq!(ready, Poll::Ready(true));
        }
        drop(wait);
        let seen = if ready == Poll::Ready(true) {
            Some(self.value)
        } else {
            seen
        };
        self.receivers.push((receiver, seen));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(ops in proptest::collection::vec(op(), 0..60)) {
        let (sender, receiver) = channel(0);
        let mut model = Model {
            value: 0,
            senders: vec![sender],
            receivers: vec![(receiver, Some(0))],
        };
        for op in ops {
            model.run(op);
        }
    }
}

//! Random programs against a sequential model of the event: which listeners there are,
//! in order, and which are notified, with which tag.

use core::pin::Pin;
use core::task::Poll;
use std::boxed::Box;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::test_util::poll_noop;

const SLOTS: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Op {
    Listen(usize),
    Poll(usize),
    Drop(usize),
    Discard(usize),
    Notify(usize, bool),
}

fn op() -> impl Strategy<Value = Op> {
    let slot = 0..SLOTS;
    prop_oneof![
        6 => slot.clone().prop_map(Op::Listen),
        4 => slot.clone().prop_map(Op::Poll),
        3 => slot.clone().prop_map(Op::Drop),
        1 => slot.prop_map(Op::Discard),
        4 => (0..4_usize, any::<bool>()).prop_map(|(n, additional)| Op::Notify(n, additional)),
    ]
}

#[derive(Default)]
struct Model {
    listening: Vec<usize>,
    /// The slot, the tag, whether it is additional.
    notified: Vec<(usize, u32, bool)>,
    tags: u32,
}

impl Model {
    fn is_in(&self, slot: usize) -> bool {
        self.listening.contains(&slot) || self.notified_at(slot).is_some()
    }

    fn notified_at(&self, slot: usize) -> Option<usize> {
        self.notified.iter().position(|it| it.0 == slot)
    }

    fn count(&self, n: usize, additional: bool) -> usize {
        let before = if additional { 0 } else { self.notified.len() };
        n.saturating_sub(before).min(self.listening.len())
    }

    fn notify(&mut self, n: usize, additional: bool) -> usize {
        let count = self.count(n, additional);
        for _ in 0..count {
            self.tags += 1;
            let first = self.listening.remove(0);
            self.notified.push((first, self.tags, additional));
        }
        count
    }

    fn end(&mut self, slot: usize, passes_on: bool) -> bool {
        self.listening.retain(|it| *it != slot);
        let Some(at) = self.notified_at(slot) else {
            return false;
        };
        let (_, tag, additional) = self.notified.remove(at);
        if passes_on && self.count(1, additional) == 1 {
            let first = self.listening.remove(0);
            self.notified.push((first, tag, additional));
        }
        true
    }
}

proptest! {
    #[test]
    fn agrees_with_the_model(ops in proptest::collection::vec(op(), 1..80)) {
        let event = Event::with_tag();
        let mut real: [Option<Pin<Box<Listener<'_, u32>>>>; SLOTS] = [const { None }; SLOTS];
        let mut model = Model::default();
        let mut tags = 0;
        for op in ops {
            match op {
                Op::Listen(slot) => {
                    let listener = real[slot].get_or_insert_with(|| Box::pin(event.listener_future()));
                    listener.as_mut().listen();
                    if !model.is_in(slot) {
                        model.listening.push(slot);
                    }
                }
                Op::Poll(slot) => {
                    let Some(listener) = real[slot].as_mut().filter(|_| model.is_in(slot)) else {
                        continue;
                    };
                    let expected = match model.notified_at(slot) {
                        Some(at) => Poll::Ready(model.notified.remove(at).1),
                        None => Poll::Pending,
                    };
                    prop_assert_eq!(poll_noop(listener.as_mut()), expected);
                }
                Op::Drop(slot) => {
                    real[slot] = None;
                    model.end(slot, true);
                }
                Op::Discard(slot) => {
                    let discarded = real[slot].as_mut().is_some_and(|it| it.as_mut().discard());
                    prop_assert_eq!(discarded, model.end(slot, false));
                }
                Op::Notify(n, additional) => {
                    let tag = || {
                        tags += 1;
                        tags
                    };
                    let expected = model.notify(n, additional);
                    prop_assert_eq!(event.notify_with(n, additional, tag), expected);
                }
            }
            prop_assert_eq!(event.notified_count(), model.notified.len());
            prop_assert_eq!(event.listener_count(), model.notified.len() + model.listening.len());
        }
    }
}

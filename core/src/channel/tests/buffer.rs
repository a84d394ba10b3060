//! The buffer beside a model of it.

use std::collections::VecDeque;
use std::vec::Vec;

use proptest::prelude::*;

use super::super::buffer::{Blocks, Buffer};

/// What is done to it; the numbers are of messages.
#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Pop(usize),
    PopMany(usize),
    PutBack,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let count = prop_oneof![6 => 1..4_usize, 3 => 1..20_usize, 1 => 1..200_usize];
    let step = prop_oneof![
        4 => count.clone().prop_map(Step::Push),
        3 => count.clone().prop_map(Step::Pop),
        1 => count.prop_map(Step::PopMany),
        1 => Just(Step::PutBack),
    ];
    prop::collection::vec(step, 1..120)
}

fn push<T>(buffer: &mut Buffer<T>, message: T, limit: usize) {
    while !buffer.is_ready() {
        let block = Blocks::new(buffer.next_room(limit));
        drop(buffer.offer(block));
    }
    buffer.push(message);
}

fn run<T: Clone + PartialEq + core::fmt::Debug>(
    steps: &[Step],
    limit: usize,
    message: impl Fn(usize) -> T,
) {
    let mut buffer = Buffer::new();
    let mut model = VecDeque::new();
    let mut last = None;
    let mut number = 0;
    for step in steps {
        match step {
            Step::Push(count) => {
                for _ in 0..*count {
                    if model.len() < limit {
                        number += 1;
                        push(&mut buffer, message(number), limit);
                        model.push_back(message(number));
                    }
                }
            }
            Step::Pop(count) => {
                for _ in 0..*count {
                    last = buffer.pop().map(|(message, _)| message);
                    assert_eq!(last, model.pop_front());
                }
            }
            Step::PopMany(count) => {
                let mut target = Vec::with_capacity(*count);
                let room = target.capacity();
                drop(buffer.pop_many(*count, &mut target));
                assert_eq!(target.capacity(), room);
                let all = model.len().min(*count);
                assert_eq!(target, model.drain(..all).collect::<Vec<_>>());
                last = target.pop();
            }
            Step::PutBack => {
                if let Some(message) = last.take() {
                    buffer.put_back(message.clone(), Blocks::new(1));
                    model.push_front(message);
                }
            }
        }
        assert_eq!(
            (buffer.len(), buffer.is_empty()),
            (model.len(), model.is_empty())
        );
        if size_of::<T>() != 0 {
            let most = 4 * model.len().max(4) + 9 * Buffer::<T>::SLOTS;
            assert!(
                buffer.room() <= most,
                "{} for {}",
                buffer.room(),
                model.len()
            );
        }
    }
}

proptest! {
    #[test]
    fn a_buffer_agrees_with_its_model(
        steps in steps(),
        limit in prop_oneof![1..9_usize, Just(100), Just(usize::MAX)],
    ) {
        run(&steps, limit, std::boxed::Box::new);
        run(&steps, limit, |number| [number; 400]);
        run(&steps, limit, |number| number as u8);
        run(&steps, limit, |_| ());
    }
}

/// A window that slides, and one that grows and shrinks, over many blocks.
#[test]
fn a_buffer_keeps_the_order_over_many_blocks() {
    let mut buffer = Buffer::new();
    let (mut sent, mut received) = (0_u32, 0_u32);
    for most in [5_000, 10, 9_000, 1, 3_000, 4_000] {
        while buffer.len() < most {
            push(&mut buffer, sent, usize::MAX);
            sent += 1;
        }
        for _ in 0..20_000 {
            assert_eq!(buffer.pop().map(|(number, _)| number), Some(received));
            received += 1;
            push(&mut buffer, sent, usize::MAX);
            sent += 1;
        }
        while buffer.len() > most / 3 {
            assert_eq!(buffer.pop().map(|(number, _)| number), Some(received));
            received += 1;
        }
    }
}

/// A message of an alignment above that of a pointer.
#[test]
fn a_buffer_aligns_its_messages() {
    #[repr(align(64))]
    struct Wide(u8);

    let mut buffer = Buffer::new();
    for number in 0..50 {
        push(&mut buffer, Wide(number), usize::MAX);
    }
    for number in 0..50 {
        let (message, _) = buffer.pop().unwrap();
        assert_eq!(&raw const message as usize % 64, 0);
        assert_eq!(message.0, number);
    }
}

#[test]
#[should_panic = "there is no room"]
fn a_buffer_that_is_not_ready_takes_nothing() {
    Buffer::new().push(1);
}

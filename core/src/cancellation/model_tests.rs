//! Random programs against a model that is too simple to be wrong: a list of
//! tokens, each of which knows its parent.

use core::pin::Pin;
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::test_util::{Wakes, counting_waker, poll};

/// How many tokens a program has at a time, and waits.
const SLOTS: usize = 8;

#[derive(Clone, Copy, Debug)]
enum Step {
    Root(usize),
    Child(usize, usize),
    Clone(usize, usize),
    Drop(usize),
    Cancel(usize),
    Wait(usize, usize),
    Poll(usize),
    DropWait(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let slot = || 0..SLOTS;
    prop_oneof![
        1 => slot().prop_map(Step::Root),
        8 => (slot(), slot()).prop_map(|(of, at)| Step::Child(of, at)),
        2 => (slot(), slot()).prop_map(|(of, at)| Step::Clone(of, at)),
        4 => slot().prop_map(Step::Drop),
        2 => slot().prop_map(Step::Cancel),
        4 => (slot(), slot()).prop_map(|(of, at)| Step::Wait(of, at)),
        2 => slot().prop_map(Step::Poll),
        2 => slot().prop_map(Step::DropWait),
    ]
}

/// A token as the model sees it: never forgotten.
#[derive(Clone, Copy)]
struct Known {
    parent: Option<usize>,
    /// How many clones there are, in slots and in waits.
    clones: usize,
    cancelled: bool,
}

#[derive(Default)]
struct Model {
    tokens: Vec<Known>,
    /// In each slot, the number of its token.
    slots: [Option<usize>; SLOTS],
    /// In each slot, the number of the token waited for, and whether it was queued
    /// when the token was cancelled.
    waits: [Option<(usize, bool)>; SLOTS],
}

impl Model {
    fn root_of(&self, mut token: usize) -> usize {
        while let Some(parent) = self.tokens[token].parent {
            token = parent;
        }
        token
    }

    fn cancel(&mut self, cancelled: usize) {
        for index in 0..self.tokens.len() {
            let mut above = Some(index);
            while let Some(token) = above {
                if token == cancelled && !self.tokens[index].cancelled {
                    self.tokens[index].cancelled = true;
                    for wait in self.waits.iter_mut().flatten() {
                        if wait.0 == index {
                            wait.1 = true;
                        }
                    }
                }
                above = self.tokens[token].parent;
            }
        }
    }

    /// How many entries the tree of `root` has: the tokens that live, and those
    /// that are gone and part two or more branches.
    fn entries(&self, root: usize) -> usize {
        let mut branches = std::vec![0; self.tokens.len()];
        let mut entries = 0;
        for (index, token) in self.tokens.iter().enumerate().rev() {
            if token.cancelled || self.root_of(index) != root {
                continue;
            }
            let stays = token.clones > 0 || branches[index] >= 2;
            entries += usize::from(stays);
            if let Some(parent) = token.parent {
                branches[parent] += if stays { 1 } else { branches[index] };
            }
        }
        entries
    }
}

type Wait = Pin<Box<CancelledOwned>>;

fn run(program: &[Step]) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    let mut tokens: [Option<CancellationToken>; SLOTS] = Default::default();
    let mut waits: [Option<(Wait, Arc<Wakes>)>; SLOTS] = Default::default();
    for &step in program {
        match step {
            Step::Root(at) => {
                if tokens[at].is_none() {
                    tokens[at] = Some(CancellationToken::new());
                    model.slots[at] = Some(model.tokens.len());
                    model.tokens.push(Known {
                        parent: None,
                        clones: 1,
                        cancelled: false,
                    });
                }
            }
            Step::Child(of, at) => {
                if let (Some(parent), None) = (&tokens[of], &tokens[at]) {
                    tokens[at] = Some(parent.child_token());
                    let parent = model.slots[of];
                    let cancelled = parent.is_some_and(|parent| model.tokens[parent].cancelled);
                    model.slots[at] = Some(model.tokens.len());
                    model.tokens.push(Known {
                        parent,
                        clones: 1,
                        cancelled,
                    });
                }
            }
            Step::Clone(of, at) => {
                if let (Some(token), None) = (&tokens[of], &tokens[at]) {
                    tokens[at] = Some(token.clone());
                    model.slots[at] = model.slots[of];
                    model.tokens[model.slots[of].unwrap()].clones += 1;
                }
            }
            Step::Drop(at) => {
                if tokens[at].take().is_some() {
                    let token = model.slots[at].take().unwrap();
                    model.tokens[token].clones -= 1;
                }
            }
            Step::Cancel(at) => {
                if let Some(token) = &tokens[at] {
                    token.cancel();
                    model.cancel(model.slots[at].unwrap());
                }
            }
            Step::Wait(of, at) => {
                if let (Some(token), None) = (&tokens[of], &waits[at]) {
                    let number = model.slots[of].unwrap();
                    let (wakes, waker) = counting_waker();
                    let mut wait = Box::pin(token.clone().cancelled_owned(Bare));
                    let ready = poll(wait.as_mut(), &waker).is_ready();
                    prop_assert_eq!(ready, model.tokens[number].cancelled);
                    waits[at] = Some((wait, wakes));
                    model.waits[at] = Some((number, false));
                    model.tokens[number].clones += 1;
                }
            }
            Step::Poll(at) => {
                if let Some((wait, wakes)) = &mut waits[at] {
                    let (number, _) = model.waits[at].unwrap();
                    let waker = core::task::Waker::from(wakes.clone());
                    let ready = poll(wait.as_mut(), &waker).is_ready();
                    prop_assert_eq!(ready, model.tokens[number].cancelled);
                }
            }
            Step::DropWait(at) => {
                if waits[at].take().is_some() {
                    let (number, _) = model.waits[at].take().unwrap();
                    model.tokens[number].clones -= 1;
                }
            }
        }
        for (token, number) in tokens.iter().zip(model.slots) {
            let (Some(token), Some(number)) = (token, number) else {
                continue;
            };
            prop_assert_eq!(token.is_cancelled(), model.tokens[number].cancelled);
            if let Some(entries) = token.node.entries_of_tree() {
                prop_assert_eq!(entries, model.entries(model.root_of(number)));
            }
        }
        for (wait, known) in waits.iter().zip(model.waits) {
            if let (Some((_, wakes)), Some((_, woken))) = (wait, known) {
                prop_assert_eq!(wakes.count(), usize::from(woken));
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn agrees_with_the_model(program in proptest::collection::vec(step(), 0..80)) {
        run(&program)?;
    }
}

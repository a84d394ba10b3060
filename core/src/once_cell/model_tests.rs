//! Random programs against a model that is too simple to be wrong: a value, who
//! has the turn, and two lists of names.

use core::cell::Cell;
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::Poll;
use std::boxed::Box;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::vec::Vec;

use core::task::Waker;

use proptest::prelude::*;

use super::*;
use crate::test_util::{Wakes, counting_waker, poll};

/// How many waits a program has at a time, and of wakers.
const SLOTS: usize = 6;
const WAKERS: usize = 3;

/// What an initialiser does when it is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Succeed,
    Fail,
    Panic,
    /// It is pending once, or for ever.
    Pend,
    Hang,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Polls the wait in a slot with a waker, having made it if there is none:
    /// with that initialiser, or an onlooker.
    Poll(usize, usize, Option<Does>),
    Drop(usize),
    Set,
    /// A waiter without a future, tried and dropped.
    Raw,
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        2 => Just(Does::Succeed),
        3 => Just(Does::Fail),
        2 => Just(Does::Panic),
        4 => Just(Does::Pend),
        3 => Just(Does::Hang),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => (0..SLOTS, 0..WAKERS, proptest::option::weighted(0.75, does()))
            .prop_map(|(slot, waker, does)| Step::Poll(slot, waker, does)),
        5 => (0..SLOTS).prop_map(Step::Drop),
        1 => Just(Step::Set),
        1 => Just(Step::Raw),
    ]
}

/// What a poll came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Pending,
    Value(usize),
    Failed,
    Panicked,
}

/// A wait as the model sees it.
#[derive(Clone, Copy, Debug)]
struct Wait {
    does: Option<Does>,
    /// Whether its initialiser has been polled.
    started: bool,
    /// With whose waker it queued or was last polled while it was queued.
    waker: usize,
}

/// The cell as the model sees it. A wait's name is its slot.
#[derive(Default)]
struct Model {
    value: Option<usize>,
    turn: Option<usize>,
    initialisers: VecDeque<usize>,
    onlookers: VecDeque<usize>,
    waits: [Option<Wait>; SLOTS],
    wakes: [usize; WAKERS],
}

impl Model {
    fn is_queued(&self, slot: usize) -> bool {
        self.initialisers.contains(&slot) || self.onlookers.contains(&slot)
    }

    fn wake(&mut self, slot: usize) {
        let waker = self.waits[slot].expect("a wait that is queued").waker;
        self.wakes[waker] += 1;
    }

    fn pass_turn(&mut self) {
        self.turn = self.initialisers.pop_front();
        if let Some(next) = self.turn {
            self.wake(next);
        }
    }

    fn publish(&mut self, value: usize) {
        self.value = Some(value);
        self.turn = None;
        let initialisers = core::mem::take(&mut self.initialisers);
        let onlookers = core::mem::take(&mut self.onlookers);
        for slot in initialisers.into_iter().chain(onlookers) {
            self.wake(slot);
        }
    }

    fn poll(&mut self, slot: usize, waker: usize, does: Option<Does>) -> Came {
        let wait = self.waits[slot].get_or_insert(Wait {
            does,
            started: false,
            waker,
        });
        wait.waker = waker;
        let mut wait = *wait;
        let came = match wait.does {
            _ if self.value.is_some() => Came::Value(self.value.unwrap()),
            None => {
                if !self.is_queued(slot) {
                    self.onlookers.push_back(slot);
                }
                Came::Pending
            }
            Some(does) => {
                if self.turn.is_none() {
                    self.turn = Some(slot);
                }
                if self.turn != Some(slot) {
                    if !self.is_queued(slot) {
                        self.initialisers.push_back(slot);
                    }
                    Came::Pending
                } else {
                    let again = core::mem::replace(&mut wait.started, true);
                    self.waits[slot] = Some(wait);
                    match does {
                        Does::Hang => Came::Pending,
                        Does::Pend if !again => Came::Pending,
                        Does::Succeed | Does::Pend => {
                            self.publish(slot);
                            Came::Value(slot)
                        }
                        Does::Fail => {
                            self.pass_turn();
                            Came::Failed
                        }
                        Does::Panic => {
                            self.pass_turn();
                            Came::Panicked
                        }
                    }
                }
            }
        };
        if came != Came::Pending {
            self.waits[slot] = None;
        }
        came
    }

    fn drop(&mut self, slot: usize) {
        self.initialisers.retain(|it| *it != slot);
        self.onlookers.retain(|it| *it != slot);
        if self.turn == Some(slot) {
            self.pass_turn();
        }
        self.waits[slot] = None;
    }
}

type Boxed<'a> = Pin<Box<dyn Future<Output = Result<usize, ()>> + 'a>>;

fn make(cell: &OnceCell<usize>, slot: usize, does: Option<Does>) -> Boxed<'_> {
    let Some(does) = does else {
        return Box::pin(async { Ok(*cell.wait(Bare).await) });
    };
    // The two forms take turns by slot, where the closure can do it.
    match does {
        Does::Succeed if slot % 2 == 0 => {
            Box::pin(async move { Ok(*cell.get_or_init(Bare, move || slot).await) })
        }
        Does::Fail if slot % 2 == 0 => {
            Box::pin(async { cell.get_or_try_init(Bare, || Err(())).await.copied() })
        }
        _ => Box::pin(async move {
            let started = Cell::new(false);
            let init = || {
                poll_fn(|_| match does {
                    Does::Succeed => Poll::Ready(Ok(slot)),
                    Does::Fail => Poll::Ready(Err(())),
                    Does::Panic => std::panic::resume_unwind(Box::new("no value")),
                    Does::Pend if started.replace(true) => Poll::Ready(Ok(slot)),
                    Does::Pend | Does::Hang => Poll::Pending,
                })
            };
            cell.get_or_try_init_async(Bare, init).await.copied()
        }),
    }
}

fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    let cell = OnceCell::new();
    let mut waits: [Option<Boxed<'_>>; SLOTS] = Default::default();
    let wakers: Vec<(Arc<Wakes>, Waker)> = (0..WAKERS).map(|_| counting_waker()).collect();
    let mut model = Model::default();
    for step in steps {
        match *step {
            Step::Poll(slot, waker, does) => {
                let wait = waits[slot].get_or_insert_with(|| make(&cell, slot, does));
                let polled =
                    catch_unwind(AssertUnwindSafe(|| poll(wait.as_mut(), &wakers[waker].1)));
                let came = match polled {
                    Ok(Poll::Pending) => Came::Pending,
                    Ok(Poll::Ready(Ok(value))) => Came::Value(value),
                    Ok(Poll::Ready(Err(()))) => Came::Failed,
                    Err(_) => Came::Panicked,
                };
                if came != Came::Pending {
                    waits[slot] = None;
                }
                prop_assert_eq!(came, model.poll(slot, waker, does));
            }
            Step::Drop(slot) => {
                waits[slot] = None;
                model.drop(slot);
            }
            Step::Set => {
                let expected = match (model.value, model.turn) {
                    (Some(_), _) => Err(SetError::AlreadyInitialized(SLOTS)),
                    (_, Some(_)) => Err(SetError::Initializing(SLOTS)),
                    _ => Ok(()),
                };
                if expected.is_ok() {
                    model.publish(SLOTS);
                }
                prop_assert_eq!(cell.try_set(SLOTS), expected);
            }
            Step::Raw => {
                let mut waiter = pin!(InitWaiter::new());
                let free = model.value.is_none() && model.turn.is_none();
                if free {
                    model.publish(SLOTS + 1);
                }
                let got = cell.get_or_init_with(waiter.as_mut(), || SLOTS + 1);
                prop_assert_eq!(got.copied(), model.value);
            }
        }
        prop_assert_eq!(cell.get().copied(), model.value);
        let wakes: Vec<_> = wakers.iter().map(|(wakes, _)| wakes.count()).collect();
        prop_assert_eq!(&wakes[..], &model.wakes[..]);
    }
    drop(waits);
    for (wakes, _) in &wakers {
        prop_assert_eq!(Arc::strong_count(wakes), 2, "a waker was left behind");
    }
    if model.value.is_none() {
        super::tests::assert_untouched(&cell);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// Every poll, wake-up and value is the model's, and nothing stays behind.
    #[test]
    fn agrees_with_the_model(steps in proptest::collection::vec(step(), 0..80)) {
        run(&steps)?;
    }
}

//! Random programs against a model that is too simple to be wrong: a value, the
//! wait that has the turn, those that were offered it, and two lists of names.
//!
//! The model's rule for progress: while no wait has the turn, one that brings an
//! initialiser and is polled gets it, unless an offer holds it off, which is so for
//! a number of polls alone.

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
    /// With which waker it queued or was last polled while it was queued.
    waker: usize,
    /// Its place in the line, once it has queued, and how often it came in vain.
    place: Option<usize>,
    in_vain: u32,
}

/// The cell as the model sees it. A wait's name is its slot.
#[derive(Default)]
struct Model {
    value: Option<usize>,
    turn: Option<usize>,
    /// In the order of their places.
    initialisers: VecDeque<usize>,
    onlookers: VecDeque<usize>,
    offered: Vec<usize>,
    /// An offer is outstanding, and how many polls it still holds off.
    offer: Option<u32>,
    /// The turn was taken past an offer: now, and since an initialiser waits.
    passing: bool,
    passed: bool,
    places: usize,
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

    fn offer(&mut self) {
        self.turn = None;
        self.offer = None;
        self.passed |= core::mem::take(&mut self.passing);
        let Some(next) = self.initialisers.pop_front() else {
            return;
        };
        let times = self.waits[next].expect("a wait that is queued").in_vain;
        self.offer = Some(match times {
            0 if !self.passed => 0,
            times => 8 << times.min(7),
        });
        self.offered.push(next);
        self.wake(next);
    }

    /// Whether the wait gets the turn. If it was offered it, it comes for it now.
    fn take_turn(&mut self, slot: usize, waker: usize) -> bool {
        let offered = self.offered.contains(&slot);
        self.offered.retain(|it| *it != slot);
        if self.turn.is_none() {
            match &mut self.offer {
                Some(polls) if !offered && *polls > 0 => {
                    *polls -= 1;
                    self.wakes[waker] += 1;
                }
                offer => {
                    self.passing = offer.take().is_some() && !offered;
                    self.turn = Some(slot);
                    self.initialisers.retain(|it| *it != slot);
                    return true;
                }
            }
        }
        if offered {
            self.waits[slot].as_mut().expect("a wait").in_vain += 1;
        }
        if !self.initialisers.contains(&slot) {
            self.queue(slot);
        }
        false
    }

    /// An initialiser queues that has not been in the queue before.
    fn newcomer(&mut self) {
        let offer = self.offer.is_some() || self.passing;
        if !offer && self.initialisers.is_empty() {
            self.passed = false;
        }
    }

    fn queue(&mut self, slot: usize) {
        if self.waits[slot].is_some_and(|it| it.place.is_none()) {
            self.newcomer();
        }
        let wait = self.waits[slot].as_mut().expect("a wait");
        let place = *wait.place.get_or_insert_with(|| {
            self.places += 1;
            self.places
        });
        let before = |it: &&usize| self.waits[**it].is_some_and(|it| it.place < Some(place));
        let index = self.initialisers.iter().filter(before).count();
        self.initialisers.insert(index, slot);
    }

    fn publish(&mut self, value: usize) {
        self.value = Some(value);
        self.turn = None;
        self.offered.clear();
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
            place: None,
            in_vain: 0,
        });
        wait.waker = waker;
        let does = wait.does;
        let came = match does {
            _ if self.value.is_some() => Came::Value(self.value.unwrap()),
            None => {
                if !self.is_queued(slot) {
                    self.onlookers.push_back(slot);
                }
                Came::Pending
            }
            Some(does) => {
                if self.turn != Some(slot) && !self.take_turn(slot, waker) {
                    Came::Pending
                } else {
                    let wait = self.waits[slot].as_mut().expect("a wait");
                    let again = core::mem::replace(&mut wait.started, true);
                    match does {
                        Does::Hang => Came::Pending,
                        Does::Pend if !again => Came::Pending,
                        Does::Succeed | Does::Pend => {
                            self.publish(slot);
                            Came::Value(slot)
                        }
                        Does::Fail => {
                            self.offer();
                            Came::Failed
                        }
                        Does::Panic => {
                            self.offer();
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
        let offered = self.offered.contains(&slot);
        self.offered.retain(|it| *it != slot);
        if self.turn == Some(slot) || (offered && self.turn.is_none() && self.value.is_none()) {
            self.offer();
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
                } else if model.value.is_none() {
                    model.newcomer();
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

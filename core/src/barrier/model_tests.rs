//! Random programs do on a `Barrier` what they do on a model that is sequential
//! and naive: a line of arrivals, and which one's action runs.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Barrier, Waiter};
use crate::io::Bare;
use crate::test_util::{Wakes, counting_waker, poll};

const SLOTS: usize = 9;
const WAKERS: usize = 3;

/// How an action ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Well,
    Error,
    Panic,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain,
    /// A `Waiter` with this waker.
    Raw(usize),
    /// An action that ends at once.
    Call(End),
    /// An action that is pending until a step ends it.
    Async,
}

impl Kind {
    fn acts(self) -> bool {
        matches!(self, Kind::Call(_) | Kind::Async)
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Create(usize, Kind),
    Poll(usize, usize),
    Drop(usize),
    /// Lets the action end, at the next poll.
    End(usize, End),
    SetWaker(usize, usize),
    Reset(usize),
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![3 => Just(End::Well), 1 => Just(End::Error), 1 => Just(End::Panic)]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Plain),
        2 => (0..WAKERS).prop_map(Kind::Raw),
        2 => end().prop_map(Kind::Call),
        4 => Just(Kind::Async),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..SLOTS, kind()).prop_map(|(slot, kind)| Step::Create(slot, kind)),
        12 => (0..SLOTS, 0..WAKERS).prop_map(|(slot, waker)| Step::Poll(slot, waker)),
        2 => (0..SLOTS).prop_map(Step::Drop),
        4 => (0..SLOTS, end()).prop_map(|(slot, end)| Step::End(slot, end)),
        1 => (0..SLOTS, 0..WAKERS).prop_map(|(slot, waker)| Step::SetWaker(slot, waker)),
        1 => (0..SLOTS).prop_map(Step::Reset),
    ]
}

/// What a poll comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Pending,
    Ready(bool),
    Error,
    Panic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Created,
    InLine,
    Released { leader: bool },
    Done,
}

struct Model {
    parties: usize,
    /// The waits that have arrived and are not released, in this order.
    line: Vec<usize>,
    /// Which of the line has the lead: the first of it up to here are its
    /// generation.
    acting: Option<usize>,
    states: [State; SLOTS],
    kinds: [Kind; SLOTS],
    ends: [Option<End>; SLOTS],
    wakers: [usize; SLOTS],
    woken: [usize; WAKERS],
    runs: usize,
}

impl Model {
    fn new(parties: usize) -> Self {
        Self {
            parties,
            line: Vec::new(),
            acting: None,
            states: [State::Absent; SLOTS],
            kinds: [Kind::Plain; SLOTS],
            ends: [None; SLOTS],
            wakers: [0; SLOTS],
            woken: [0; WAKERS],
            runs: 0,
        }
    }

    fn place(&self, slot: usize) -> usize {
        self.line
            .iter()
            .position(|&other| other == slot)
            .expect("it is in line")
    }

    fn arrived(&self) -> usize {
        match self.acting {
            Some(leader) => self.place(leader) + 1,
            None => self.line.len(),
        }
    }

    fn wake(&mut self, slot: usize) {
        self.woken[self.wakers[slot]] += 1;
    }

    /// Releases the first of the line up to `leader`, which is released in its
    /// own poll or else woken like the others.
    fn release(&mut self, leader: usize, in_its_poll: bool) {
        let place = self.place(leader);
        let released: Vec<_> = self.line.drain(..=place).collect();
        for slot in released {
            let leads = slot == leader;
            self.states[slot] = State::Released { leader: leads };
            if !(leads && in_its_poll) {
                self.wake(slot);
            }
        }
    }

    /// Looks for complete generations, with no leader acting.
    fn settle(&mut self) {
        while self.acting.is_none() && self.line.len() >= self.parties {
            let last = self.line[self.parties - 1];
            if self.kinds[last].acts() {
                self.acting = Some(last);
                self.wake(last);
            } else {
                self.release(last, false);
            }
        }
    }

    fn leave(&mut self, slot: usize, state: State) {
        if self.states[slot] == State::InLine {
            let place = self.place(slot);
            self.line.remove(place);
            if self.acting == Some(slot) {
                self.acting = None;
                self.settle();
            }
        }
        self.states[slot] = state;
    }

    fn poll(&mut self, slot: usize, waker: usize) -> Outcome {
        if self.states[slot] == State::Created {
            self.states[slot] = State::InLine;
            self.line.push(slot);
            if self.acting.is_none() && self.line.len() == self.parties {
                if self.kinds[slot].acts() {
                    self.acting = Some(slot);
                } else {
                    self.release(slot, true);
                }
            }
        }
        if self.acting == Some(slot) {
            return self.run(slot);
        }
        let raw = matches!(self.kinds[slot], Kind::Raw(_));
        match self.states[slot] {
            State::Released { leader } => {
                if !raw {
                    self.states[slot] = State::Done;
                }
                Outcome::Ready(leader)
            }
            _ => {
                if !raw {
                    self.wakers[slot] = waker;
                }
                Outcome::Pending
            }
        }
    }

    fn run(&mut self, slot: usize) -> Outcome {
        let end = match self.kinds[slot] {
            Kind::Call(end) => Some(end),
            _ => self.ends[slot],
        };
        let Some(end) = end else {
            return Outcome::Pending;
        };
        if end == End::Well {
            self.runs += 1;
            self.acting = None;
            self.release(slot, true);
            self.settle();
            self.states[slot] = State::Done;
            return Outcome::Ready(true);
        }
        self.leave(slot, State::Done);
        if end == End::Error {
            Outcome::Error
        } else {
            Outcome::Panic
        }
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

enum Wait<'a> {
    Plain(Boxed<'a, bool>),
    Then(Boxed<'a, Result<bool, ()>>),
    Raw(Pin<Box<Waiter<'a>>>),
}

/// The same on a real `Barrier`.
struct Real<'a> {
    barrier: &'a Barrier,
    waits: [Option<Wait<'a>>; SLOTS],
    ends: [Rc<Cell<Option<End>>>; SLOTS],
    runs: Rc<Cell<usize>>,
    wakers: Vec<(Arc<Wakes>, Waker)>,
}

impl<'a> Real<'a> {
    fn create(&mut self, slot: usize, kind: Kind) {
        let barrier = self.barrier;
        let runs = self.runs.clone();
        let act = move |end| match end {
            End::Well => {
                runs.set(runs.get() + 1);
                Ok(())
            }
            End::Error => Err(()),
            End::Panic => std::panic::resume_unwind(Box::new("action")),
        };
        self.waits[slot] = Some(match kind {
            Kind::Plain => Wait::Plain(Box::pin(barrier.wait_future())),
            Kind::Raw(waker) => {
                let waker = self.wakers[waker].1.clone();
                Wait::Raw(Box::pin(Waiter::with_waker(waker)))
            }
            Kind::Call(end) => Wait::Then(Box::pin(barrier.try_wait_then(Bare, move || act(end)))),
            Kind::Async => {
                let end = Rc::new(Cell::new(None));
                self.ends[slot] = end.clone();
                let wait = barrier.try_wait_then_async(Bare, move || {
                    poll_fn(move |_| match end.get() {
                        Some(end) => Poll::Ready(act(end)),
                        None => Poll::Pending,
                    })
                });
                Wait::Then(Box::pin(wait))
            }
        });
    }

    fn poll(&mut self, slot: usize, waker: usize) -> Option<Outcome> {
        let waker = &self.wakers[waker].1;
        let outcome = catch_unwind(AssertUnwindSafe(|| match self.waits[slot].as_mut()? {
            Wait::Plain(wait) => Some(match poll(wait.as_mut(), waker) {
                Poll::Pending => Outcome::Pending,
                Poll::Ready(leader) => Outcome::Ready(leader),
            }),
            Wait::Then(wait) => Some(match poll(wait.as_mut(), waker) {
                Poll::Pending => Outcome::Pending,
                Poll::Ready(Ok(leader)) => Outcome::Ready(leader),
                Poll::Ready(Err(())) => Outcome::Error,
            }),
            Wait::Raw(waiter) => {
                let last = self.barrier.wait_with(waiter.as_mut());
                assert_eq!(last, waiter.is_leader());
                Some(if waiter.is_released() {
                    Outcome::Ready(last)
                } else {
                    Outcome::Pending
                })
            }
        }));
        match outcome {
            Ok(outcome) => outcome,
            Err(payload) => {
                assert_eq!(payload.downcast_ref(), Some(&"action"));
                Some(Outcome::Panic)
            }
        }
    }

    fn raw(&mut self, slot: usize) -> Option<Pin<&mut Waiter<'a>>> {
        match self.waits[slot].as_mut()? {
            Wait::Raw(waiter) => Some(waiter.as_mut()),
            _ => None,
        }
    }
}

fn do_both(step: Step, model: &mut Model, real: &mut Real<'_>) -> Result<(), TestCaseError> {
    match step {
        Step::Create(slot, kind) => {
            if model.states[slot] == State::Absent {
                real.create(slot, kind);
                model.states[slot] = State::Created;
                model.kinds[slot] = kind;
                model.ends[slot] = None;
                if let Kind::Raw(waker) = kind {
                    model.wakers[slot] = waker;
                }
            }
        }
        Step::Poll(slot, waker) => {
            // A finished one panics, which has a test of its own.
            if !matches!(model.states[slot], State::Absent | State::Done) {
                let outcome = model.poll(slot, waker);
                prop_assert_eq!(real.poll(slot, waker), Some(outcome));
            }
        }
        Step::Drop(slot) => {
            real.waits[slot] = None;
            model.leave(slot, State::Absent);
        }
        Step::End(slot, end) => {
            real.ends[slot].set(Some(end));
            model.ends[slot] = Some(end);
        }
        Step::SetWaker(slot, waker) => {
            let new = real.wakers[waker].1.clone();
            if let Some(waiter) = real.raw(slot) {
                waiter.set_waker(new);
                model.wakers[slot] = waker;
                if matches!(model.states[slot], State::Released { .. }) {
                    model.wake(slot);
                }
            }
        }
        Step::Reset(slot) => {
            if let Some(waiter) = real.raw(slot) {
                waiter.reset();
                model.leave(slot, State::Created);
            }
        }
    }
    Ok(())
}

fn run(parties: usize, program: &[Step]) -> Result<(), TestCaseError> {
    let barrier = Barrier::new(parties);
    let mut model = Model::new(parties);
    let mut real = Real {
        barrier: &barrier,
        waits: Default::default(),
        ends: Default::default(),
        runs: Rc::default(),
        wakers: (0..WAKERS).map(|_| counting_waker()).collect(),
    };
    for &step in program {
        do_both(step, &mut model, &mut real)?;
        prop_assert_eq!(barrier.arrived(), model.arrived(), "{:?}", step);
        prop_assert_eq!(real.runs.get(), model.runs, "{:?}", step);
        for (waker, woken) in model.woken.iter().enumerate() {
            prop_assert_eq!(real.wakers[waker].0.count(), *woken, "{:?}", step);
        }
        for slot in 0..SLOTS {
            let state = model.states[slot];
            if let Some(waiter) = real.raw(slot) {
                let released = matches!(state, State::Released { .. });
                prop_assert_eq!(waiter.is_released(), released, "{:?}", step);
                let leads = state == State::Released { leader: true };
                prop_assert_eq!(waiter.is_leader(), leads, "{:?}", step);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(
        parties in 1..5_usize,
        program in prop::collection::vec(step(), 0..120),
    ) {
        run(parties, &program)?;
    }
}

//! Law `notify::agrees_with_the_model`: random programs do on a `Notify` what
//! they do on a model that is sequential and naive.

use core::pin::Pin;
use core::task::Waker;
use std::boxed::Box;
use std::collections::VecDeque;
use std::sync::Arc;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use crate::Notify;
use crate::notify::{Wait, Waiter};
use crate::test_util::{Wakes, counting_waker, poll};

const WAITS: usize = 5;
const WAITERS: usize = 3;
const WAKERS: usize = 3;

/// All that may wait, by number: first the futures, then the waiters.
type Who = usize;

#[derive(Clone, Copy, Debug)]
enum Step {
    Create(Who),
    Enable(Who),
    Poll(Who, usize),
    Drop(Who),
    WaitWith(Who),
    SetWaker(Who, usize),
    IsReady(Who),
    IsNotified(Who),
    Cancel(Who),
    Reset(Who),
    One,
    Last,
    All,
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let wait = 0..WAITS;
    let waiter = WAITS..WAITS + WAITERS;
    prop_oneof![
        4 => wait.clone().prop_map(Create),
        2 => wait.clone().prop_map(Enable),
        6 => (wait.clone(), 0..WAKERS).prop_map(|(who, waker)| Poll(who, waker)),
        3 => wait.prop_map(Drop),
        3 => waiter.clone().prop_map(WaitWith),
        1 => (waiter.clone(), 0..WAKERS).prop_map(|(who, waker)| SetWaker(who, waker)),
        1 => waiter.clone().prop_map(IsReady),
        2 => waiter.clone().prop_map(IsNotified),
        1 => waiter.clone().prop_map(Cancel),
        1 => waiter.prop_map(Reset),
        4 => Just(One),
        2 => Just(Last),
        2 => Just(All),
    ]
}

/// Where one wait stands in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No future, or a waiter that does not wait.
    Absent,
    /// Created and not polled yet.
    Created,
    Queued,
    /// Has won, and has not been told.
    Won(By),
    /// Has won, and told.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    One,
    Last,
    All,
}

/// The reference: one queue, one permit, and a list of which wait is where.
struct Model {
    permit: bool,
    queue: VecDeque<Who>,
    states: [State; WAITS + WAITERS],
    // Which waker each has, and how often each waker was woken.
    wakers: [Option<usize>; WAITS + WAITERS],
    woken: [usize; WAKERS],
}

impl Model {
    fn new() -> Self {
        Self {
            permit: false,
            queue: VecDeque::new(),
            states: [State::Absent; WAITS + WAITERS],
            wakers: [None; WAITS + WAITERS],
            woken: [0; WAKERS],
        }
    }

    fn wake(&mut self, who: Who) {
        if let Some(waker) = self.wakers[who] {
            self.woken[waker] += 1;
        }
    }

    fn one(&mut self, by: By) {
        let chosen = match by {
            By::Last => self.queue.pop_back(),
            _ => self.queue.pop_front(),
        };
        match chosen {
            Some(who) => {
                self.states[who] = State::Won(by);
                self.wake(who);
            }
            None => self.permit = true,
        }
    }

    fn all(&mut self) {
        for who in core::mem::take(&mut self.queue) {
            self.states[who] = State::Won(By::All);
            self.wake(who);
        }
        for state in &mut self.states {
            if *state == State::Created {
                *state = State::Won(By::All);
            }
        }
    }

    /// Queues one that has just been created; whether it has won.
    fn enter(&mut self, who: Who) -> bool {
        if self.states[who] == State::Created {
            if core::mem::take(&mut self.permit) {
                self.states[who] = State::Won(By::One);
            } else {
                self.states[who] = State::Queued;
                self.queue.push_back(who);
            }
        }
        self.states[who] != State::Queued
    }

    /// Ends a wait; whether it was waiting.
    fn leave(&mut self, who: Who) -> bool {
        let state = core::mem::replace(&mut self.states[who], State::Absent);
        match state {
            State::Queued => self.queue.retain(|&queued| queued != who),
            State::Won(by @ (By::One | By::Last)) => self.one(by),
            _ => {}
        }
        state == State::Queued
    }

    /// Tells of a win; whether there was one.
    fn tell(&mut self, who: Who) -> bool {
        let won = matches!(self.states[who], State::Won(_) | State::Done);
        if won {
            self.states[who] = State::Done;
        }
        won
    }
}

/// The same on a real `Notify`.
struct Real<'a> {
    notify: &'a Notify,
    waits: [Option<Pin<Box<Wait<'a>>>>; WAITS],
    waiters: Vec<Pin<Box<Waiter<'a>>>>,
    wakers: Vec<(Arc<Wakes>, Waker)>,
}

fn run(program: &[Step]) -> Result<(), TestCaseError> {
    let notify = Notify::new();
    let mut model = Model::new();
    let mut real = Real {
        notify: &notify,
        waits: Default::default(),
        waiters: (0..WAITERS).map(|_| Box::pin(Waiter::new())).collect(),
        wakers: (0..WAKERS).map(|_| counting_waker()).collect(),
    };
    for &step in program {
        do_both(step, &mut model, &mut real)?;
        prop_assert_eq!(real.notify.has_permit(), model.permit, "{:?}", step);
        prop_assert_eq!(real.notify.waiter_count(), model.queue.len(), "{:?}", step);
        for (waker, woken) in model.woken.iter().enumerate() {
            prop_assert_eq!(real.wakers[waker].0.count(), *woken, "{:?}", step);
        }
    }
    Ok(())
}

fn do_both(step: Step, model: &mut Model, real: &mut Real<'_>) -> Result<(), TestCaseError> {
    let notify = real.notify;
    match step {
        Step::Create(who) if real.waits[who].is_none() => {
            real.waits[who] = Some(Box::pin(notify.wait_future()));
            model.states[who] = State::Created;
            model.wakers[who] = None;
        }
        Step::Enable(who) => {
            // A finished one panics, which has a test of its own.
            if let (Some(wait), false) = (&mut real.waits[who], model.states[who] == State::Done) {
                prop_assert_eq!(wait.as_mut().enable(), model.enter(who));
            }
        }
        Step::Poll(who, waker) => {
            if let (Some(wait), false) = (&mut real.waits[who], model.states[who] == State::Done) {
                let ready = poll(wait.as_mut(), &real.wakers[waker].1).is_ready();
                prop_assert_eq!(ready, model.enter(who));
                if ready {
                    model.tell(who);
                } else {
                    model.wakers[who] = Some(waker);
                }
            }
        }
        Step::Drop(who) => {
            if real.waits[who].take().is_some() {
                model.leave(who);
            }
        }
        Step::WaitWith(who) => {
            let won = notify.wait_with(real.waiters[who - WAITS].as_mut());
            if model.states[who] == State::Absent {
                model.states[who] = State::Created;
            }
            prop_assert_eq!(won, model.enter(who));
            if won {
                model.tell(who);
            }
        }
        Step::SetWaker(who, waker) => {
            let waiter = real.waiters[who - WAITS].as_mut();
            waiter.set_waker(real.wakers[waker].1.clone());
            model.wakers[who] = Some(waker);
            if matches!(model.states[who], State::Won(_)) {
                model.wake(who);
            }
        }
        Step::IsReady(who) => {
            let won = matches!(model.states[who], State::Won(_) | State::Done);
            prop_assert_eq!(real.waiters[who - WAITS].is_ready(), won);
        }
        Step::IsNotified(who) => {
            prop_assert_eq!(real.waiters[who - WAITS].is_notified(), model.tell(who));
        }
        Step::Cancel(who) => {
            let cancelled = notify.cancel_wait(real.waiters[who - WAITS].as_mut());
            prop_assert_eq!(cancelled, model.leave(who));
        }
        Step::Reset(who) => {
            real.waiters[who - WAITS].as_mut().reset();
            model.leave(who);
        }
        Step::One => {
            notify.notify_one();
            model.one(By::One);
        }
        Step::Last => {
            notify.notify_last();
            model.one(By::Last);
        }
        Step::All => {
            notify.notify_all();
            model.all();
        }
        Step::Create(_) => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(program in prop::collection::vec(step(), 0..60)) {
        run(&program)?;
    }
}

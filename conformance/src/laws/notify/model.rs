//! Random programs against a sequential model.

use std::sync::Arc;
use std::task::Waker;

use crate::cx::{Cx, DynIo, Rng};
use crate::subject::{NotifySubject, NotifyWait, Promise, Subject};
use crate::wakers::{Wakes, counting, poll};

const PROGRAMS: usize = 200;
const OPERATIONS: usize = 40;

pub(super) async fn agrees_with_the_model(cx: Cx, subject: Arc<dyn Subject>) {
    let promises = subject.promises();
    let from_creation = promises.contains(&Promise::CountsFromCreation);
    let enable_is_final = !promises.contains(&Promise::EnabledWinIsPassedOn);
    let mut rng = cx.rng();
    let io = cx.io();
    for number in 0..PROGRAMS {
        let notify = subject.notify();
        cx.note(format_args!("program {number}"));
        let model = Model {
            enable_is_final,
            ..Model::default()
        };
        run_program(&cx, &mut rng, &*notify, &io, model, from_creation);
        cx.yield_turns(1).await;
    }
}

/// What the model knows of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Created when so many `notify_all` had been called.
    Created(usize),
    Queued,
    ByOne,
    ByAll,
    /// `enable` has told of the win, for good.
    Told,
    Done,
}

#[derive(Default)]
struct Model {
    enable_is_final: bool,
    permit: bool,
    calls: usize,
    /// The places of the waits that are queued.
    queue: Vec<usize>,
    states: Vec<State>,
    woken: Vec<usize>,
}

impl Model {
    fn create(&mut self) {
        self.states.push(State::Created(self.calls));
        self.woken.push(0);
    }

    fn enable(&mut self, place: usize) -> bool {
        let won = self.queue(place);
        if won && self.enable_is_final {
            self.states[place] = State::Told;
        }
        won
    }

    /// Queues a wait unless it wins at once.
    fn queue(&mut self, place: usize) -> bool {
        if let State::Created(calls) = self.states[place] {
            self.states[place] = if calls != self.calls {
                State::ByAll
            } else if std::mem::take(&mut self.permit) {
                State::ByOne
            } else {
                self.queue.push(place);
                State::Queued
            };
        }
        self.states[place] != State::Queued
    }

    fn poll(&mut self, place: usize) -> bool {
        let won = self.queue(place);
        if won {
            self.states[place] = State::Done;
        }
        won
    }

    fn remove(&mut self, place: usize) {
        match std::mem::replace(&mut self.states[place], State::Done) {
            State::Queued => self.queue.retain(|queued| *queued != place),
            State::ByOne => self.notify_one(),
            State::Created(_) | State::ByAll | State::Told | State::Done => {}
        }
    }

    fn notify_one(&mut self) {
        if self.queue.is_empty() {
            self.permit = true;
        } else {
            let first = self.queue.remove(0);
            self.states[first] = State::ByOne;
            self.woken[first] += 1;
        }
    }

    fn notify_all(&mut self) {
        self.calls += 1;
        for place in self.queue.drain(..) {
            self.states[place] = State::ByAll;
            self.woken[place] += 1;
        }
    }
}

/// A wait of the subject's.
struct Real<'a> {
    wait: Option<std::pin::Pin<Box<dyn NotifyWait + 'a>>>,
    wakes: Arc<Wakes>,
    waker: Waker,
    is_polled: bool,
}

fn run_program(
    cx: &Cx,
    rng: &mut Rng,
    notify: &dyn NotifySubject,
    io: &DynIo,
    mut model: Model,
    from_creation: bool,
) {
    let mut reals: Vec<Real<'_>> = Vec::new();
    for _ in 0..OPERATIONS {
        let live: Vec<usize> = (0..reals.len())
            .filter(|place| model.states[*place] != State::Done)
            .collect();
        let chosen = (!live.is_empty()).then(|| live[rng.pick(0..live.len())]);
        match (rng.pick(0..8), chosen) {
            (0 | 1, _) | (2..=5, None) => {
                let place = reals.len();
                let (wakes, waker) = counting();
                reals.push(Real {
                    wait: Some(notify.wait(io)),
                    wakes,
                    waker,
                    is_polled: false,
                });
                model.create();
                cx.note(format_args!("create {place}"));
                if !from_creation {
                    // Whether it counts before its first poll is left open.
                    poll_both(cx, &mut model, &mut reals[place], place);
                }
            }
            (2 | 3, Some(place)) => poll_both(cx, &mut model, &mut reals[place], place),
            (4, Some(place)) => {
                cx.note(format_args!("drop {place}"));
                reals[place].wait = None;
                model.remove(place);
            }
            (5, Some(place)) => {
                cx.note(format_args!("enable {place}"));
                let wait = reals[place].wait.as_mut().expect("it is live");
                let won = wait.as_mut().enable();
                assert_eq!(won, model.enable(place), "whether `enable` wins");
            }
            (6, _) => {
                cx.note("notify_one");
                notify.notify_one();
                model.notify_one();
            }
            _ => {
                cx.note("notify_all");
                notify.notify_all();
                model.notify_all();
            }
        }
        compare(&model, &reals, notify);
    }
}

fn poll_both(cx: &Cx, model: &mut Model, real: &mut Real<'_>, place: usize) {
    cx.note(format_args!("poll {place}"));
    let wait = real.wait.as_mut().expect("it is live");
    let ready = poll(wait.as_mut(), &real.waker).is_ready();
    real.is_polled = true;
    let expected = model.poll(place);
    assert_eq!(ready, expected, "whether a poll of {place} is ready");
    if ready {
        real.wait = None;
    }
}

fn compare(model: &Model, reals: &[Real<'_>], notify: &dyn NotifySubject) {
    for (place, real) in reals.iter().enumerate() {
        // One that was only enabled has no waker to wake.
        let won = matches!(model.states[place], State::ByOne | State::ByAll);
        if real.is_polled && won {
            assert!(real.wakes.count() > 0, "{place} has won and was not woken");
        }
        assert!(
            real.wakes.count() <= model.woken[place],
            "{place} was woken without having won"
        );
    }
    if let Some(permit) = notify.has_permit() {
        assert_eq!(permit, model.permit, "whether a permit is stored");
    }
    if let Some(count) = notify.waiter_count() {
        assert_eq!(count, model.queue.len(), "how many are queued");
    }
}

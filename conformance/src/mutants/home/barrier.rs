//! The Barrier.
//!
//! While somebody's action runs, newcomers queue as *late*, and try again when it
//! has ended.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker, ready};

use anysync::Io;

use super::slots::Slots;
use super::{Flaw, Flawed, lock, wake_all};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{ActionFailed, BarrierSubject, SendFact};

pub(super) const FLAWS: &[Flawed] = &[
    (
        "one-short",
        Flaw::OneShort,
        "opens when all but one have arrived",
        &[
            "barrier::nobody_passes_before_the_last",
            "pattern::checkpointed_sum_is_right",
        ],
    ),
    (
        "first-leads",
        Flaw::FirstLeads,
        "the first to arrive leads",
        &["barrier::exactly_one_leader_per_generation"],
    ),
    (
        "stays-open",
        Flaw::StaysOpen,
        "is open for good after its first generation",
        &["barrier::is_reusable"],
    ),
    (
        "one-waits",
        Flaw::OneWaits,
        "a barrier of one yields before it lets its only one pass",
        &["barrier::of_one_never_waits"],
    ),
    (
        "zero-never-opens",
        Flaw::ZeroNeverOpens,
        "a barrier of zero waits for its number to come round",
        &["barrier::of_zero_behaves_as_one"],
    ),
    (
        "arrival-stays",
        Flaw::ArrivalStays,
        "a dropped wait still counts",
        &[
            "barrier::dropped_arrival_withdraws",
            "any::dropped_wait_leaves_no_trace",
            "any::timed_out_wait_leaves_no_trace",
        ],
    ),
    (
        "acts-after-release",
        Flaw::ActsAfterRelease,
        "the leader releases the others, and then runs its action",
        &["barrier::leader_action_runs_before_release"],
    ),
    (
        "failure-releases",
        Flaw::FailureReleases,
        "a leader whose action fails releases the others",
        &["barrier::failed_leader_action_withdraws"],
    ),
    (
        "leader-yields",
        Flaw::LeaderYields,
        "the last to arrive is ready on its second poll",
        &["barrier::leader_arrives_without_waiting"],
    ),
];

pub(super) struct HomeBarrier {
    flaw: Flaw,
    parties: usize,
    state: Mutex<State>,
}

struct State {
    /// How many have arrived of this generation.
    members: usize,
    is_acting: bool,
    /// Only with the flaw of that name.
    stays_open: bool,
    queue: Slots<Waiter>,
}

struct Waiter {
    waker: Option<Waker>,
    is_late: bool,
    verdict: Option<Verdict>,
}

#[derive(Clone, Copy)]
enum Verdict {
    Released { leads: bool },
    TryAgain,
}

impl HomeBarrier {
    pub(super) const fn new(parties: usize, flaw: Flaw) -> Self {
        let zero = parties == 0 && !matches!(flaw, Flaw::ZeroNeverOpens);
        Self {
            flaw,
            parties: if zero { 1 } else { parties },
            state: Mutex::new(State {
                members: 0,
                is_acting: false,
                stays_open: false,
                queue: Slots::new(),
            }),
        }
    }

    pub(super) fn with_room(self) -> Self {
        lock(&self.state).queue.reserve(8);
        self
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn new_wait<'a>(&'a self, io: &'a DynIo, action: Option<Action<'a>>) -> Wait<'a> {
        Wait {
            barrier: self,
            io,
            action,
            stage: Stage::Idle,
        }
    }

    /// Whether the next to arrive is the last.
    fn is_complete_with_next(&self, state: &State) -> bool {
        let short = usize::from(self.has(Flaw::OneShort) && self.parties > 1);
        state.stays_open || state.members + 1 == self.parties - short
    }

    /// Ends the generation.
    fn release(&self, state: &mut State) -> Vec<Waker> {
        state.members = 0;
        state.is_acting = false;
        state.stays_open = self.has(Flaw::StaysOpen);
        let mut leads = self.has(Flaw::FirstLeads);
        self.settle(state, |is_late| match is_late {
            true => Verdict::TryAgain,
            false => Verdict::Released {
                leads: std::mem::take(&mut leads),
            },
        })
    }

    /// The leader takes its arrival back.
    fn withdraw(&self) {
        let mut state = lock(&self.state);
        if !state.is_acting {
            return;
        }
        let wakers = if self.has(Flaw::FailureReleases) {
            self.release(&mut state)
        } else {
            state.is_acting = false;
            let keys: Vec<_> = state.queue.keys().collect();
            let late = |key: &usize| state.queue.get(*key).is_late;
            let keys: Vec<_> = keys.into_iter().filter(late).collect();
            keys.into_iter()
                .filter_map(|key| state.settle(key, Verdict::TryAgain))
                .collect()
        };
        drop(state);
        wake_all(wakers);
    }

    fn settle(&self, state: &mut State, mut verdict: impl FnMut(bool) -> Verdict) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while let Some(key) = state.queue.pop(false) {
            let is_late = state.queue.get(key).is_late;
            wakers.extend(state.settle(key, verdict(is_late)));
        }
        wakers
    }
}

impl State {
    fn settle(&mut self, key: usize, verdict: Verdict) -> Option<Waker> {
        self.queue.unlink(key);
        let waiter = self.queue.get(key);
        waiter.verdict = Some(verdict);
        waiter.waker.take()
    }
}

type Action<'a> = BoxFuture<'a, Result<(), ActionFailed>>;

struct Wait<'a> {
    barrier: &'a HomeBarrier,
    io: &'a DynIo,
    action: Option<Action<'a>>,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    Idle,
    Queued(usize),
    Acting,
    /// Has yielded once, with the flaws that do.
    Yielded {
        leads: bool,
    },
    Won {
        leads: bool,
    },
    Finished,
}

impl Wait<'_> {
    fn arrive(&mut self, waker: &Waker) {
        let barrier = self.barrier;
        let own = waker.clone();
        let mut state = lock(&barrier.state);
        let is_late = state.is_acting;
        if is_late || !barrier.is_complete_with_next(&state) {
            state.members += usize::from(!is_late);
            let key = state.queue.push_back(Waiter {
                waker: Some(own),
                is_late,
                verdict: None,
            });
            self.stage = Stage::Queued(key);
            return;
        }
        let mut wakers = Vec::new();
        if self.action.is_some() {
            self.stage = Stage::Acting;
            state.is_acting = true;
            if barrier.has(Flaw::ActsAfterRelease) {
                wakers = barrier.release(&mut state);
            }
        } else {
            self.stage = self.leader_stage(&state);
            wakers = barrier.release(&mut state);
        }
        drop(state);
        drop(own);
        wake_all(wakers);
    }

    fn leader_stage(&self, state: &State) -> Stage {
        let barrier = self.barrier;
        let alone = barrier.parties == 1;
        let leads = !barrier.has(Flaw::FirstLeads) || state.queue.linked() == 0;
        if barrier.has(Flaw::LeaderYields) || barrier.has(Flaw::OneWaits) && alone {
            Stage::Yielded { leads }
        } else {
            Stage::Won { leads }
        }
    }

    fn look_again(&mut self, key: usize, waker: &Waker) -> bool {
        let own = waker.clone();
        let mut state = lock(&self.barrier.state);
        let waiter = state.queue.get(key);
        let Some(verdict) = waiter.verdict else {
            let outdated = waiter.waker.replace(own);
            drop(state);
            drop(outdated);
            return false;
        };
        let waiter = state.queue.remove(key);
        drop(state);
        drop(waiter);
        self.stage = match verdict {
            Verdict::Released { leads } => Stage::Won { leads },
            Verdict::TryAgain => Stage::Idle,
        };
        true
    }
}

impl Future for Wait<'_> {
    type Output = Result<bool, ActionFailed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match this.stage {
                Stage::Idle => {
                    this.arrive(cx.waker());
                    match this.stage {
                        Stage::Queued(_) => return Poll::Pending,
                        Stage::Yielded { leads } => {
                            this.stage = Stage::Won { leads };
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                        _ => {}
                    }
                }
                Stage::Queued(key) => {
                    if !this.look_again(key, cx.waker()) {
                        return Poll::Pending;
                    }
                }
                Stage::Acting => {
                    let action = this.action.as_mut().expect("who acts has an action");
                    let result = ready!(action.as_mut().poll(cx));
                    if let Err(error) = result {
                        this.stage = Stage::Finished;
                        this.barrier.withdraw();
                        return Poll::Ready(Err(error));
                    }
                    let mut state = lock(&this.barrier.state);
                    this.stage = this.leader_stage(&state);
                    let wakers = match state.is_acting {
                        true => this.barrier.release(&mut state),
                        false => Vec::new(),
                    };
                    drop(state);
                    wake_all(wakers);
                }
                Stage::Yielded { leads } => this.stage = Stage::Won { leads },
                Stage::Won { leads } => {
                    ready!(this.io.poll_spend(cx));
                    this.stage = Stage::Finished;
                    return Poll::Ready(Ok(leads));
                }
                Stage::Finished => panic!("a wait on a Barrier was polled after it had finished"),
            }
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        match self.stage {
            Stage::Queued(key) => {
                let mut state = lock(&self.barrier.state);
                let waiter = state.queue.remove(key);
                let counts = waiter.verdict.is_none() && !waiter.is_late;
                if counts && !self.barrier.has(Flaw::ArrivalStays) {
                    // With the flaw that stays open, it may have been counted
                    // before.
                    state.members = state.members.saturating_sub(1);
                }
                drop(state);
                drop(waiter);
            }
            Stage::Acting => self.barrier.withdraw(),
            _ => {}
        }
    }
}

/// A wait whose action cannot fail.
struct Plain<'a>(Wait<'a>);

impl Future for Plain<'_> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let polled = Pin::new(&mut self.0).poll(cx);
        polled.map(|result| result.expect("there is nothing that fails"))
    }
}

impl BarrierSubject for HomeBarrier {
    fn wait<'a, 't>(&'a self, io: &'a DynIo) -> BoxFuture<'t, bool>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(Plain(self.new_wait(io, None)))
    }

    fn wait_then<'a>(
        &'a self,
        io: &'a DynIo,
        action: Box<dyn FnOnce() + Send + 'a>,
    ) -> Option<BoxFuture<'a, bool>> {
        let action: Action<'a> = Box::pin(async move {
            action();
            Ok(())
        });
        Some(Box::pin(Plain(self.new_wait(io, Some(action)))))
    }

    fn try_wait_then<'a>(
        &'a self,
        io: &'a DynIo,
        action: BoxFuture<'a, Result<(), ActionFailed>>,
    ) -> Option<BoxFuture<'a, Result<bool, ActionFailed>>> {
        Some(Box::pin(self.new_wait(io, Some(action))))
    }

    fn arrived(&self) -> Option<usize> {
        let state = lock(&self.state);
        Some(state.members + usize::from(state.is_acting))
    }
}

pub(super) fn send_facts() -> Vec<SendFact> {
    crate::send_facts![HomeBarrier: true, Wait<'static>: true]
}

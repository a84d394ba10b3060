//! The Notify.

use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker, ready};

use anysync::Io;

use super::slots::Slots;
use super::{Flaw, Flawed, lock, wake_all};
use crate::cx::DynIo;
use crate::subject::{NotifySubject, NotifyWait, RawNotifyWaiter, SendFact};

pub(super) const FLAWS: &[Flawed] = &[
    (
        "drop-leaves-node",
        Flaw::DropLeavesNode,
        "a dropped wait stays in the queue",
        &[
            "any::dropped_wait_leaves_no_trace",
            "any::timed_out_wait_leaves_no_trace",
        ],
    ),
    (
        "drop-eats-win",
        Flaw::DropEatsWin,
        "a dropped wait keeps the signal that it had won",
        &[
            "any::dropped_win_is_passed_on",
            "notify::cancelled_one_goes_to_the_next",
            "pattern::work_queue_survives_a_cancelled_pop",
        ],
    ),
    (
        "first-waker-stays",
        Flaw::FirstWakerStays,
        "a queued wait keeps the waker of its first poll",
        &[
            "any::last_waker_is_the_one_woken",
            "any::moves_between_executors",
        ],
    ),
    (
        "wakes-under-lock",
        Flaw::WakesUnderLock,
        "wakers are woken while the lock is held",
        &["any::waker_may_reenter"],
    ),
    (
        "clones-under-lock",
        Flaw::ClonesUnderLock,
        "a waker is cloned while the lock is held",
        &["any::waker_may_reenter"],
    ),
    (
        "stops-at-panic",
        Flaw::StopsAtPanic,
        "a waker's panic ends notify_all",
        &["any::panicking_waker_loses_no_wakeup"],
    ),
    (
        "poll-moves-back",
        Flaw::PollMovesBack,
        "each poll queues the wait anew",
        &["any::spurious_poll_is_harmless"],
    ),
    (
        "stale-key",
        Flaw::StaleKey,
        "a finished wait goes on using its number, which may be another's by now",
        &["any::completed_future_is_fused_or_panics_clearly"],
    ),
    (
        "gives-up-waiting",
        Flaw::GivesUpWaiting,
        "a wait comes back by itself and is ready",
        &["any::happens_before"],
    ),
    (
        "allocates-to-queue",
        Flaw::AllocatesToQueue,
        "a wait allocates when it queues",
        &["any::waits_without_allocation"],
    ),
    (
        "linear-cancel",
        Flaw::LinearCancel,
        "a dropped wait is searched for from the front of the queue",
        &["any::cancel_is_constant_time"],
    ),
    (
        "never-spends",
        Flaw::NeverSpends,
        "a wait spends nothing of the executor's budget",
        &["any::spends_budget_after_winning"],
    ),
    (
        "budget-before-queue",
        Flaw::BudgetBeforeQueue,
        "a wait spends the budget before it queues",
        &["any::spends_budget_after_winning"],
    ),
    (
        "no-static",
        Flaw::NoStatic,
        "the constructor is not const",
        &["any::usable_in_a_static"],
    ),
    (
        "not-send",
        Flaw::NotSend,
        "the wait is not Send",
        &["any::wait_stays_send"],
    ),
    (
        "permit-is-forgotten",
        Flaw::PermitIsForgotten,
        "notify_one with nobody waiting does nothing",
        &[
            "notify::permit_is_stored",
            "pattern::work_queue_delivers_everything",
        ],
    ),
    (
        "counts-permits",
        Flaw::CountsPermits,
        "each notify_one with nobody waiting stores another permit",
        &["notify::permits_do_not_accumulate"],
    ),
    (
        "wakes-two",
        Flaw::WakesTwo,
        "notify_one ends two waits",
        &["notify::one_wakes_exactly_one"],
    ),
    (
        "last-first",
        Flaw::LastFirst,
        "notify_one ends the latest wait",
        &["notify::one_wakes_in_fifo_order"],
    ),
    (
        "all-sweeps-newcomers",
        Flaw::AllSweepsNewcomers,
        "notify_all empties the queue with the lock open in between",
        &["notify::all_wakes_exactly_those_before"],
    ),
    (
        "all-misses-the-unpolled",
        Flaw::AllMissesTheUnpolled,
        "notify_all ends only the waits that have been polled",
        &["notify::all_wakes_exactly_those_before"],
    ),
    (
        "all-misses-the-last",
        Flaw::AllMissesTheLast,
        "notify_all leaves one in the queue",
        &["pattern::shutdown_reaches_every_worker"],
    ),
    (
        "all-stores-permit",
        Flaw::AllStoresPermit,
        "notify_all with nobody waiting stores a permit",
        &["notify::all_stores_no_permit"],
    ),
    (
        "all-clears-permit",
        Flaw::AllClearsPermit,
        "notify_all takes the stored permit away",
        &["notify::all_keeps_a_stored_permit"],
    ),
    (
        "all-leaves-queue",
        Flaw::AllLeavesQueue,
        "what notify_all has ended is in the queue until it is polled",
        &["notify::one_does_not_steal_from_all"],
    ),
    (
        "enable-does-nothing",
        Flaw::EnableDoesNothing,
        "`enable` queues nothing",
        &["notify::wait_before_check_misses_nothing"],
    ),
    (
        "reset-remembers",
        Flaw::ResetRemembers,
        "a waiter that is reset is still notified",
        &["notify::raw_waiter_reports_state"],
    ),
    (
        "loses-the-fifth",
        Flaw::LosesTheFifth,
        "every fifth notify_one is lost",
        &["notify::agrees_with_the_model"],
    ),
];

pub(super) struct HomeNotify {
    flaw: Flaw,
    state: Mutex<State>,
}

struct State {
    permits: usize,
    /// How many `notify_all` there were.
    calls: usize,
    ones: usize,
    queue: Slots<Waiter>,
}

struct Waiter {
    waker: Option<Waker>,
    won: Option<By>,
}

#[derive(Clone, Copy, PartialEq)]
enum By {
    One,
    All,
}

impl HomeNotify {
    pub(super) const fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            state: Mutex::new(State {
                permits: 0,
                calls: 0,
                ones: 0,
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

    fn new_wait<'a>(&'a self, io: Option<&'a DynIo>) -> Wait<'a> {
        Wait {
            notify: self,
            io,
            created: lock(&self.state).calls,
            stage: Stage::Idle,
        }
    }
}

impl State {
    /// Ends a queued wait; its waker is to be woken.
    fn settle(&mut self, key: usize, by: By) -> Option<Waker> {
        let waiter = self.queue.get(key);
        waiter.won = Some(by);
        waiter.waker.take()
    }
}

impl NotifySubject for HomeNotify {
    fn notify_one(&self) {
        let mut state = lock(&self.state);
        state.ones += 1;
        if self.has(Flaw::LosesTheFifth) && state.ones % 5 == 0 {
            return;
        }
        let times = if self.has(Flaw::WakesTwo) { 2 } else { 1 };
        let mut wakers = Vec::new();
        for time in 0..times {
            match state.queue.pop(self.has(Flaw::LastFirst)) {
                Some(key) => wakers.extend(state.settle(key, By::One)),
                None if time > 0 || self.has(Flaw::PermitIsForgotten) => {}
                None if self.has(Flaw::CountsPermits) => state.permits += 1,
                None => state.permits = 1,
            }
        }
        if self.has(Flaw::WakesUnderLock) {
            return wake_all(wakers);
        }
        drop(state);
        wake_all(wakers);
    }

    fn notify_all(&self) {
        let mut state = lock(&self.state);
        state.calls += 1;
        if self.has(Flaw::AllClearsPermit) {
            state.permits = 0;
        }
        if self.has(Flaw::AllStoresPermit) && state.queue.linked() == 0 {
            state.permits = 1;
        }
        let mut wakers = Vec::new();
        if self.has(Flaw::AllLeavesQueue) {
            let keys: Vec<_> = state.queue.keys().collect();
            wakers.extend(keys.iter().filter_map(|key| state.settle(*key, By::All)));
        }
        while !self.has(Flaw::AllLeavesQueue) {
            if self.has(Flaw::AllMissesTheLast) && state.queue.linked() == 1 {
                break;
            }
            let Some(key) = state.queue.pop(false) else {
                break;
            };
            wakers.extend(state.settle(key, By::All));
            if self.has(Flaw::AllSweepsNewcomers) {
                // It ends some time, for the laws' wakers stop sooner or later.
                drop(state);
                wake_all(std::mem::take(&mut wakers));
                state = lock(&self.state);
            }
        }
        if self.has(Flaw::WakesUnderLock) {
            return wake_all(wakers);
        }
        drop(state);
        if self.has(Flaw::StopsAtPanic) {
            return wakers.into_iter().for_each(Waker::wake);
        }
        wake_all(wakers);
    }

    fn wait<'a>(&'a self, io: &'a DynIo) -> Pin<Box<dyn NotifyWait + 'a>> {
        Box::pin(self.new_wait(Some(io)))
    }

    fn raw_waiter(&self, waker: Waker) -> Option<Box<dyn RawNotifyWaiter + '_>> {
        Some(Box::new(RawWaiter {
            wait: self.new_wait(None),
            waker,
            is_taken: Cell::new(false),
        }))
    }

    fn waiter_count(&self) -> Option<usize> {
        Some(lock(&self.state).queue.linked())
    }

    fn has_permit(&self) -> Option<bool> {
        Some(lock(&self.state).permits > 0)
    }
}

pub(super) struct Wait<'a> {
    notify: &'a HomeNotify,
    io: Option<&'a DynIo>,
    created: usize,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    Idle,
    Queued(usize),
    Won(By),
    /// With the number that it had.
    Finished(Option<usize>),
}

impl Wait<'_> {
    /// Whether it has won; queues it, or renews its waker, if it has not.
    fn step(&mut self, waker: Option<&Waker>) -> bool {
        match self.stage {
            Stage::Idle => self.queue(waker),
            Stage::Queued(key) => self.look_again(key, waker),
            Stage::Won(_) => true,
            Stage::Finished(key) => {
                if let (Flaw::StaleKey, Some(key)) = (self.notify.flaw, key) {
                    return self.look_again(key, waker);
                }
                panic!("a wait on a Notify was polled after it had finished");
            }
        }
    }

    fn queue(&mut self, waker: Option<&Waker>) -> bool {
        let notify = self.notify;
        if notify.has(Flaw::AllocatesToQueue) {
            drop(black_box(Box::new(self.created)));
        }
        let under_lock = notify.has(Flaw::ClonesUnderLock);
        let mut own = if under_lock { None } else { waker.cloned() };
        let mut state = lock(&notify.state);
        let reached = state.calls != self.created && !notify.has(Flaw::AllMissesTheUnpolled);
        if reached {
            self.stage = Stage::Won(By::All);
        } else if state.permits > 0 {
            state.permits -= 1;
            self.stage = Stage::Won(By::One);
        } else {
            if under_lock {
                own = waker.cloned();
            }
            let waiter = Waiter {
                waker: own.take(),
                won: None,
            };
            self.stage = Stage::Queued(state.queue.push_back(waiter));
            drop(state);
            if let (Flaw::GivesUpWaiting, Some(waker)) = (notify.flaw, waker) {
                waker.wake_by_ref();
            }
            return false;
        }
        // `own` is dropped after the lock.
        drop(state);
        true
    }

    fn look_again(&mut self, key: usize, waker: Option<&Waker>) -> bool {
        let notify = self.notify;
        let own = waker.cloned();
        let mut state = lock(&notify.state);
        if notify.has(Flaw::PollMovesBack) && state.queue.get(key).won.is_none() {
            state.queue.move_back(key);
        }
        let Some(waiter) = state.queue.find(key) else {
            return true;
        };
        if let Some(by) = waiter.won {
            let waiter = state.queue.remove(key);
            drop(state);
            drop(waiter);
            self.stage = Stage::Won(by);
            return true;
        }
        let mut outdated = own;
        if outdated.is_some() && !notify.has(Flaw::FirstWakerStays) {
            std::mem::swap(&mut waiter.waker, &mut outdated);
        }
        drop(state);
        drop(outdated);
        notify.has(Flaw::GivesUpWaiting)
    }

    /// Ends it early: whether it had been waiting, and the win that goes on.
    fn leave(&mut self) -> (bool, Option<By>) {
        let notify = self.notify;
        match std::mem::replace(&mut self.stage, Stage::Finished(None)) {
            Stage::Queued(_) if notify.has(Flaw::DropLeavesNode) => (true, None),
            Stage::Queued(key) => {
                let mut state = lock(&notify.state);
                if notify.has(Flaw::LinearCancel) {
                    black_box(state.queue.keys().position(|other| other == key));
                }
                let waiter = state.queue.remove(key);
                drop(state);
                (waiter.won.is_none(), waiter.won)
            }
            Stage::Won(by) => (false, Some(by)),
            Stage::Idle | Stage::Finished(_) => (false, None),
        }
    }

    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.io {
            Some(io) if !self.notify.has(Flaw::NeverSpends) => io.poll_spend(cx),
            _ => Poll::Ready(()),
        }
    }

    fn pass_on(&self, win: Option<By>) {
        if win == Some(By::One) && !self.notify.has(Flaw::DropEatsWin) {
            self.notify.notify_one();
        }
    }
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let key = match this.stage {
            Stage::Queued(key) => Some(key),
            Stage::Finished(key) => key,
            Stage::Idle | Stage::Won(_) => None,
        };
        let early = this.notify.has(Flaw::BudgetBeforeQueue);
        if early && matches!(this.stage, Stage::Idle) {
            ready!(this.poll_spend(cx));
        }
        if !this.step(Some(cx.waker())) {
            return Poll::Pending;
        }
        if !early {
            ready!(this.poll_spend(cx));
        }
        this.stage = Stage::Finished(key);
        Poll::Ready(())
    }
}

impl NotifyWait for Wait<'_> {
    fn enable(mut self: Pin<&mut Self>) -> bool {
        match self.stage {
            Stage::Idle if self.notify.has(Flaw::EnableDoesNothing) => false,
            _ => self.step(None),
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let (_, win) = self.leave();
        self.pass_on(win);
    }
}

struct RawWaiter<'a> {
    wait: Wait<'a>,
    waker: Waker,
    is_taken: Cell<bool>,
}

impl RawWaiter<'_> {
    fn end(&mut self) -> bool {
        let (was_waiting, win) = self.wait.leave();
        if !self.is_taken.get() {
            self.wait.pass_on(win);
        }
        self.is_taken.set(false);
        self.wait.created = lock(&self.wait.notify.state).calls;
        self.wait.stage = Stage::Idle;
        was_waiting
    }
}

impl RawNotifyWaiter for RawWaiter<'_> {
    fn wait(&mut self) -> bool {
        if matches!(self.wait.stage, Stage::Idle) {
            self.wait.created = lock(&self.wait.notify.state).calls;
            self.wait.step(Some(&self.waker));
        }
        self.is_notified()
    }

    fn is_notified(&self) -> bool {
        let ready = self.is_ready();
        self.is_taken.set(self.is_taken.get() || ready);
        ready
    }

    fn is_ready(&self) -> bool {
        match self.wait.stage {
            Stage::Idle | Stage::Finished(_) => false,
            Stage::Won(_) => true,
            Stage::Queued(key) => {
                let mut state = lock(&self.wait.notify.state);
                state.queue.get(key).won.is_some()
            }
        }
    }

    fn cancel(&mut self) -> bool {
        self.end()
    }

    fn reset(&mut self) {
        if !(self.wait.notify.has(Flaw::ResetRemembers) && self.is_ready()) {
            self.end();
        }
    }
}

impl Drop for RawWaiter<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

pub(super) fn send_facts(flaw: Flaw) -> Vec<SendFact> {
    // As if its node held a bare pointer, and nobody had argued that it may.
    type NotSend = (Wait<'static>, PhantomData<*mut ()>);
    match flaw {
        Flaw::NotSend => crate::send_facts![NotSend: true],
        _ => crate::send_facts![HomeNotify: true, Wait<'static>: true],
    }
}

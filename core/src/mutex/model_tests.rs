//! Random programs against a sequential model of the lock: a queue, one seat and how
//! often it has been met, which waits have been called, and which
//! task each wait is of.

use core::cell::Cell;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::collections::VecDeque;
use std::sync::Arc;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Fairness, Lock, Mutex, MutexGuard, Waiter};
use crate::fairness::PATIENCE;
use crate::io::Io;
use crate::test_util::{Wakes, counting_waker, poll};

/// How many waits there are at a time, at most, and how many tasks.
const SLOTS: usize = 6;
const TASKS: usize = 3;

type Slot = usize;
type Task = usize;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// A future, in an empty slot.
    Lock(Slot),
    /// A waiter with or without a waker, in an empty slot.
    Wait(Slot, Option<Task>),
    /// Polls a future as the task, or calls `lock_with` for a waiter.
    Poll(Slot, Task),
    /// The same, so often that a grant which is not polled goes on.
    PollOften(Slot, Task),
    Drop(Slot),
    Reset(Slot),
    SetWaker(Slot, Task),
    TryLock,
    Unlock,
    /// From here on the budget is spent, or is not.
    Broke(bool),
}

fn op() -> impl Strategy<Value = Op> {
    let (slot, task) = (0..SLOTS, 0..TASKS);
    prop_oneof![
        3 => slot.clone().prop_map(Op::Lock),
        1 => (slot.clone(), proptest::option::of(task.clone())).prop_map(|(s, t)| Op::Wait(s, t)),
        8 => (slot.clone(), task.clone()).prop_map(|(s, t)| Op::Poll(s, t)),
        2 => (slot.clone(), task.clone()).prop_map(|(s, t)| Op::PollOften(s, t)),
        2 => slot.clone().prop_map(Op::Drop),
        1 => slot.clone().prop_map(Op::Reset),
        1 => (slot, task).prop_map(|(s, t)| Op::SetWaker(s, t)),
        1 => Just(Op::TryLock),
        5 => Just(Op::Unlock),
        1 => any::<bool>().prop_map(Op::Broke),
    ]
}

/// What the lock ought to be.
#[derive(Default)]
struct Model {
    fairness: Fairness,
    held: bool,
    seated: Option<Slot>,
    queue: VecDeque<Slot>,
    /// The address of the wait whose polls are turns of the seated one's task.
    watcher: Option<usize>,
    score: u32,
    waits: [Wait; SLOTS],
    wakes: [usize; TASKS],
    broke: bool,
}

#[derive(Clone, Copy, Default)]
struct Wait {
    kind: Kind,
    finished: bool,
    /// The waker that a waiter was given.
    own: Option<Task>,
    /// In the queue, the task to wake; in the seat, of which task it is.
    task: Option<Task>,
    /// How often it was called in vain.
    in_vain: usize,
    /// The lock was free, or its grant has gone on.
    called: bool,
    address: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Absent,
    Future,
    Waiter,
}

impl Model {
    fn is_locked(&self) -> bool {
        self.held || self.seated.is_some()
    }

    fn try_lock(&mut self) -> bool {
        let free = !self.is_locked();
        self.held |= free;
        free
    }

    /// What the user's `try_lock` does.
    fn attempt(&mut self) -> bool {
        if self.try_lock() {
            return true;
        }
        if self.seated.is_some() && self.fairness == Fairness::Eventual {
            self.score += 43;
            if self.score >= 128 {
                self.unseat();
                self.held = true;
                return true;
            }
        }
        false
    }

    fn seat(&mut self, slot: Option<Slot>) {
        self.seated = slot;
        self.forget_meetings();
    }

    fn forget_meetings(&mut self) {
        self.watcher = None;
        self.score = 0;
    }

    /// The grant goes on.
    fn unseat(&mut self) {
        let seated = self.seated.take().expect("it is seated");
        self.waits[seated].called = true;
        self.waits[seated].task = None;
        self.forget_meetings();
    }

    /// A queued wait meets the one that is seated. Whether it gets the lock.
    fn meet(&mut self, slot: Slot, first: bool) -> bool {
        let Some(seated) = self.seated else {
            return false;
        };
        let wait = self.waits[slot];
        let tasks = wait.task.zip(self.waits[seated].task);
        let is_own = tasks.is_some_and(|(own, other)| own == other);
        let hasty = self.fairness == Fairness::Eventual;
        let comes = tasks.is_some() && !is_own && !hasty;
        if first && comes {
            return false;
        }
        if is_own && self.watcher.is_none() {
            self.watcher = Some(wait.address);
        }
        let is_watcher = is_own && self.watcher == Some(wait.address);
        self.score += if hasty || is_watcher { 43 } else { 1 };
        if self.score < 128 {
            if !comes {
                self.wake(wait.task);
            }
            return false;
        }
        self.unseat();
        if is_own || hasty || self.queue.front() == Some(&slot) {
            self.leave_queue(slot);
            return self.win(slot);
        }
        let next = self.queue.pop_front().expect("the wait is queued");
        self.seat(Some(next));
        self.wake(self.waits[next].task);
        // The same wait meets the one that the grant has gone on to.
        self.meet(slot, true)
    }

    fn wake(&mut self, task: Option<Task>) {
        if let Some(task) = task {
            self.wakes[task] += 1;
        }
    }

    fn unlock(&mut self) {
        self.held = false;
        self.seated = None;
        let Some(&first) = self.queue.front() else {
            return;
        };
        if self.fairness == Fairness::Eventual && self.waits[first].in_vain < PATIENCE {
            self.call_front();
        } else {
            self.queue.pop_front();
            self.seat(Some(first));
            self.wake(self.waits[first].task);
        }
    }

    /// Calls the first in the queue for a lock that is free.
    fn call_front(&mut self) {
        if let Some(first) = self.queue.pop_front() {
            self.waits[first].called = true;
            let task = self.waits[first].task.take();
            self.wake(task);
        }
    }

    fn leave_queue(&mut self, slot: Slot) {
        self.queue.retain(|&queued| queued != slot);
    }

    fn is_ready(&self, slot: Slot) -> bool {
        self.seated == Some(slot) || self.waits[slot].called
    }

    /// A wait leaves with the lock.
    fn win(&mut self, slot: Slot) -> bool {
        self.held = true;
        self.waits[slot].task = None;
        true
    }

    /// Whether `slot` gets the lock.
    fn try_win(&mut self, slot: Slot) -> bool {
        if self.seated == Some(slot) {
            self.seated = None;
            return self.win(slot);
        }
        let first = !self.queue.contains(&slot);
        let was_called = core::mem::take(&mut self.waits[slot].called);
        if first {
            if self.try_lock() {
                return true;
            }
            if self.waits[slot].kind == Kind::Waiter {
                self.waits[slot].task = self.waits[slot].own;
            }
            if was_called {
                self.queue.push_front(slot);
                self.waits[slot].in_vain += usize::from(self.fairness == Fairness::Eventual);
            } else {
                self.queue.push_back(slot);
                self.waits[slot].in_vain = 0;
            }
        } else if self.try_lock() {
            self.leave_queue(slot);
            return self.win(slot);
        }
        self.meet(slot, first)
    }

    fn poll_future(&mut self, slot: Slot, task: Task) -> bool {
        // The seated one keeps the waker that it was handed the lock with.
        if self.seated != Some(slot) {
            self.waits[slot].task = Some(task);
        }
        let won = self.try_win(slot);
        if won && self.broke {
            self.held = false;
            self.seat(Some(slot));
            self.waits[slot].task = Some(task);
            self.wake(Some(task));
            return false;
        }
        self.waits[slot].finished = won;
        won
    }

    fn abandon(&mut self, slot: Slot) {
        if core::mem::take(&mut self.waits[slot].called) && !self.is_locked() {
            self.call_front();
        }
        if self.seated == Some(slot) {
            self.unlock();
            self.waits[slot].task = None;
        } else if self.queue.contains(&slot) {
            self.leave_queue(slot);
            self.waits[slot].task = None;
        }
    }

    fn set_waker(&mut self, slot: Slot, task: Task) {
        self.waits[slot].own = Some(task);
        self.waits[slot].task = Some(task);
        if self.seated == Some(slot) {
            self.forget_meetings();
        }
        if self.is_ready(slot) {
            self.wake(Some(task));
        }
    }
}

#[derive(Default)]
struct Budget {
    broke: Cell<bool>,
}

impl Io for Budget {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.broke.get() {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

#[derive(Default)]
enum Subject<'a> {
    #[default]
    Absent,
    Future(Pin<Box<Lock<'a, u32, &'a Budget>>>),
    Waiter(Pin<Box<Waiter<'a, u32>>>),
}

fn run(program: &[Op], fairness: Fairness) -> Result<(), TestCaseError> {
    let (wakes, wakers): (Vec<Arc<Wakes>>, Vec<Waker>) =
        (0..TASKS).map(|_| counting_waker()).unzip();
    let mutex = Mutex::with_fairness(0_u32, fairness);
    let budget = Budget::default();
    let mut guard: Option<MutexGuard<'_, u32>> = None;
    let mut subjects: [Subject<'_>; SLOTS] = Default::default();
    let mut model = Model {
        fairness,
        ..Model::default()
    };

    let program = program.iter().flat_map(|&op| match op {
        Op::PollOften(slot, task) => std::vec![Op::Poll(slot, task); 130],
        op => std::vec![op],
    });
    for op in program {
        match op {
            Op::Lock(slot) if model.waits[slot].kind == Kind::Absent => {
                model.waits[slot] = Wait {
                    kind: Kind::Future,
                    ..Wait::default()
                };
                let future = Box::pin(mutex.lock(&budget));
                model.waits[slot].address = core::ptr::from_ref(&*future).addr();
                subjects[slot] = Subject::Future(future);
            }
            Op::Wait(slot, task) if model.waits[slot].kind == Kind::Absent => {
                model.waits[slot] = Wait {
                    kind: Kind::Waiter,
                    own: task,
                    ..Wait::default()
                };
                let waiter = Box::pin(match task {
                    Some(task) => Waiter::with_waker(wakers[task].clone()),
                    None => Waiter::new(),
                });
                model.waits[slot].address = core::ptr::from_ref(&*waiter).addr() + 1;
                subjects[slot] = Subject::Waiter(waiter);
            }
            Op::Poll(slot, task) => {
                let (won, expected) = match &mut subjects[slot] {
                    Subject::Future(future) if !model.waits[slot].finished => {
                        let won = match poll(future.as_mut(), &wakers[task]) {
                            Poll::Ready(guard) => Some(guard),
                            Poll::Pending => None,
                        };
                        (won, model.poll_future(slot, task))
                    }
                    Subject::Waiter(waiter) => {
                        (mutex.lock_with(waiter.as_mut()), model.try_win(slot))
                    }
                    _ => continue,
                };
                prop_assert_eq!(won.is_some(), expected, "{:?}", op);
                if won.is_some() {
                    prop_assert!(guard.is_none(), "two guards");
                    guard = won;
                }
            }
            Op::Drop(slot) => {
                model.abandon(slot);
                model.waits[slot] = Wait::default();
                subjects[slot] = Subject::Absent;
            }
            Op::Reset(slot) => {
                if let Subject::Waiter(waiter) = &mut subjects[slot] {
                    model.abandon(slot);
                    waiter.as_mut().reset();
                }
            }
            Op::SetWaker(slot, task) => {
                if let Subject::Waiter(waiter) = &mut subjects[slot] {
                    model.set_waker(slot, task);
                    waiter.as_mut().set_waker(wakers[task].clone());
                }
            }
            Op::TryLock => {
                let won = mutex.try_lock();
                prop_assert_eq!(won.is_some(), model.attempt());
                if won.is_some() {
                    guard = won;
                }
            }
            Op::Unlock => {
                if let Some(guard) = guard.take() {
                    model.unlock();
                    drop(guard);
                }
            }
            Op::Broke(broke) => {
                model.broke = broke;
                budget.broke.set(broke);
            }
            Op::Lock(_) | Op::Wait(..) | Op::PollOften(..) => continue,
        }

        prop_assert_eq!(mutex.is_locked(), model.is_locked(), "after {:?}", op);
        prop_assert_eq!(mutex.waiter_count(), model.queue.len(), "after {:?}", op);
        let woken: Vec<usize> = wakes.iter().map(|wakes| wakes.count()).collect();
        prop_assert_eq!(&woken[..], &model.wakes[..], "after {:?}", op);
        for (slot, subject) in subjects.iter().enumerate() {
            if let Subject::Waiter(waiter) = subject {
                let ready = model.is_ready(slot);
                prop_assert_eq!(waiter.is_ready(), ready, "after {:?}", op);
            }
        }
    }

    drop(guard);
    drop(subjects);
    prop_assert!(mutex.raw.is_untouched());
    for wakes in &wakes {
        prop_assert_eq!(Arc::strong_count(wakes), 2, "a waker was leaked");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(program in proptest::collection::vec(op(), 1..80)) {
        run(&program, Fairness::Fifo)?;
    }

    #[test]
    fn agrees_with_the_model_if_eventual(program in proptest::collection::vec(op(), 1..120)) {
        run(&program, Fairness::Eventual)?;
    }
}

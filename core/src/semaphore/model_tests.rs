//! Random programs against a sequential model of the semaphore: a number, a queue,
//! the unclaimed grants and how often one has been met, and which task each wait is
//! of; in both kinds of fairness.

use core::cell::Cell;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::sync::Arc;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Acquire, GRANTS, Semaphore, SemaphorePermit, TryAcquireError, Waiter};
use crate::fairness::{Fairness, PATIENCE};
use crate::io::Io;
use crate::test_util::{Wakes, counting_waker, poll};

/// How many waits there are at a time, at most, and how many tasks.
const SLOTS: usize = 7;
const TASKS: usize = 3;

type Slot = usize;
type Task = usize;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// A future for so many permits, in an empty slot.
    Acquire(Slot, usize),
    /// A waiter for so many, with or without a waker, in an empty slot.
    Wait(Slot, usize, Option<Task>),
    /// Polls a future as the task, or calls `acquire_with` for a waiter.
    Poll(Slot, Task),
    /// The same, so often that a grant which is not polled goes on.
    PollOften(Slot, Task),
    Drop(Slot),
    Reset(Slot),
    SetWaker(Slot, Task),
    TryAcquire(usize),
    /// One of the permits, if there are any.
    Release(usize),
    ForgetHeld(usize),
    Split(usize, usize),
    Merge(usize, usize),
    Add(usize),
    ForgetFree(usize),
    Close,
    /// From here on the budget is spent, or is not.
    Broke(bool),
}

fn op() -> impl Strategy<Value = Op> {
    let (slot, task, few, one) = (0..SLOTS, 0..TASKS, 0..5_usize, 0..9_usize);
    let owner = proptest::option::of(task.clone());
    prop_oneof![
        30 => (slot.clone(), few.clone()).prop_map(|(s, n)| Op::Acquire(s, n)),
        10 => (slot.clone(), few.clone(), owner).prop_map(|(s, n, t)| Op::Wait(s, n, t)),
        80 => (slot.clone(), task.clone()).prop_map(|(s, t)| Op::Poll(s, t)),
        10 => (slot.clone(), task.clone()).prop_map(|(s, t)| Op::PollOften(s, t)),
        20 => slot.clone().prop_map(Op::Drop),
        10 => slot.clone().prop_map(Op::Reset),
        10 => (slot, task).prop_map(|(s, t)| Op::SetWaker(s, t)),
        10 => few.clone().prop_map(Op::TryAcquire),
        30 => one.clone().prop_map(Op::Release),
        5 => one.clone().prop_map(Op::ForgetHeld),
        5 => (one.clone(), few.clone()).prop_map(|(i, n)| Op::Split(i, n)),
        5 => (one.clone(), one).prop_map(|(i, j)| Op::Merge(i, j)),
        20 => few.clone().prop_map(Op::Add),
        5 => few.prop_map(Op::ForgetFree),
        1 => Just(Op::Close),
        10 => any::<bool>().prop_map(Op::Broke),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Idle,
    Queued,
    Granted,
    Called,
    Refused,
    Finished,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    wanted: usize,
    status: Status,
    /// The task to wake, or, once granted, of which task it is.
    task: Option<Task>,
    /// The task of a waiter, from one wait to the next.
    kept: Option<Task>,
    is_future: bool,
    address: usize,
}

/// What the semaphore ought to be.
#[derive(Default)]
struct Model {
    free: usize,
    closed: bool,
    queue: Vec<Slot>,
    /// Whether free permits are for the first that comes, in an eventual one.
    open: bool,
    is_eventual: bool,
    in_vain: usize,
    grants: Vec<Slot>,
    watched: Option<Slot>,
    watcher: Option<usize>,
    score: u32,
    task_of_poll: Option<Task>,
    waits: [Option<Wait>; SLOTS],
    wakes: [usize; TASKS],
    broke: bool,
    held: Vec<usize>,
}

type Outcome = Option<Result<usize, ()>>;

impl Model {
    fn wait(&mut self, slot: Slot) -> &mut Wait {
        self.waits[slot].as_mut().unwrap()
    }

    fn wake(&mut self, task: Option<Task>) {
        if let Some(task) = task {
            self.wakes[task] += 1;
        }
    }

    fn is_reserved(&self) -> bool {
        !self.queue.is_empty() && !self.open
    }

    fn available(&self) -> usize {
        if self.is_reserved() { 0 } else { self.free }
    }

    /// What the first poll of a future does.
    fn try_take(&mut self, n: usize) -> Result<(), TryAcquireError> {
        if self.closed {
            Err(TryAcquireError::Closed)
        } else if n == 0 || self.available() >= n {
            self.free -= n;
            Ok(())
        } else {
            Err(TryAcquireError::NoPermits)
        }
    }

    /// What the user's attempt does: it may have an unclaimed grant.
    fn try_acquire(&mut self, n: usize) -> Result<(), TryAcquireError> {
        let outcome = self.try_take(n);
        let fails = outcome == Err(TryAcquireError::NoPermits);
        if !fails || !self.is_eventual || self.grants.is_empty() {
            return outcome;
        }
        if self.watched.is_none() {
            self.watch(self.grants[0]);
        }
        self.score += 43;
        if self.score < 128 {
            return outcome;
        }
        let permits = self.call_watched();
        let suffices = permits >= n;
        self.add(if suffices { permits - n } else { permits });
        if suffices { Ok(()) } else { outcome }
    }

    fn watch(&mut self, grant: Slot) {
        self.watched = Some(grant);
        self.watcher = None;
        self.score = 0;
    }

    fn forget(&mut self, slot: Slot) {
        self.grants.retain(|granted| *granted != slot);
        if self.watched == Some(slot) {
            self.watched = None;
            self.watcher = None;
            self.score = 0;
        }
    }

    fn call_watched(&mut self) -> usize {
        let slot = self.watched.unwrap();
        self.forget(slot);
        self.wait(slot).status = Status::Called;
        self.wait(slot).task = None;
        self.wait(slot).wanted
    }

    /// More permits, for the first in the queue.
    fn add(&mut self, n: usize) {
        self.free += n;
        if self.queue.is_empty() {
        } else if self.is_reserved() {
            self.grant();
        } else {
            self.call();
        }
    }

    /// The first in the queue, if so many suffice for it.
    fn first(&mut self, free: &mut usize) -> Option<Slot> {
        let first = *self.queue.first()?;
        let wanted = self.wait(first).wanted;
        *free = free.checked_sub(wanted)?;
        self.queue.remove(0);
        let task = self.wait(first).task;
        self.wake(task);
        Some(first)
    }

    fn grant(&mut self) {
        let mut free = self.free;
        while let Some(first) = self.first(&mut free) {
            self.free = free;
            self.grants.push(first);
            self.wait(first).status = Status::Granted;
            if self.is_eventual {
                self.open = true;
                return self.call_from(free);
            }
        }
    }

    fn call(&mut self) {
        if self.in_vain >= PATIENCE {
            self.in_vain = 0;
            self.open = false;
            return self.grant();
        }
        let queued = self.queue.len();
        self.call_from(self.free);
        if self.queue.len() == queued {
            self.in_vain += 1;
        }
    }

    fn call_from(&mut self, mut free: usize) {
        while let Some(first) = self.first(&mut free) {
            self.wait(first).status = Status::Called;
            self.wait(first).task = None;
        }
    }

    fn poll(&mut self, slot: Slot, task: Task) -> Outcome {
        let wait = *self.wait(slot);
        let task = if wait.is_future {
            Some(task)
        } else {
            wait.kept
        };
        self.task_of_poll = task;
        let outcome = match wait.status {
            Status::Idle => {
                let taken = if wait.is_future {
                    self.try_take(wait.wanted)
                } else {
                    self.try_acquire(wait.wanted)
                };
                match taken {
                    Ok(()) => Some(Ok(wait.wanted)),
                    Err(TryAcquireError::Closed) => Some(Err(())),
                    Err(TryAcquireError::NoPermits) => self.queue_up(slot, task, false),
                }
            }
            Status::Called => self.queue_up(slot, task, true),
            Status::Queued => {
                self.wait(slot).task = task;
                self.look(slot)
            }
            Status::Granted => self.look(slot),
            Status::Refused => Some(Err(())),
            Status::Finished => unreachable!("not polled any more"),
        };
        let outcome = outcome?;
        if !wait.is_future {
            self.wait(slot).status = Status::Idle;
        } else if !self.broke {
            self.wait(slot).status = Status::Finished;
        } else if outcome.is_ok() {
            self.grants.push(slot);
            self.wait(slot).status = Status::Granted;
            self.wait(slot).task = task;
            return None;
        } else {
            self.wait(slot).status = Status::Refused;
            return None;
        }
        Some(outcome)
    }

    fn queue_up(&mut self, slot: Slot, task: Option<Task>, was_called: bool) -> Outcome {
        let wanted = self.wait(slot).wanted;
        match self.try_take(wanted) {
            Ok(()) => return Some(Ok(wanted)),
            Err(TryAcquireError::Closed) => return Some(Err(())),
            Err(TryAcquireError::NoPermits) => {}
        }
        self.wait(slot).status = Status::Queued;
        self.wait(slot).task = task;
        if !was_called {
            self.queue.push(slot);
            return if self.meet(slot, true) {
                self.look(slot)
            } else {
                None
            };
        }
        self.queue.insert(0, slot);
        if self.is_eventual {
            self.in_vain += 1;
        } else {
            self.add(0);
        }
        self.look(slot)
    }

    /// A queued wait meets an unclaimed grant. Whether one has gone on.
    fn meet(&mut self, slot: Slot, first: bool) -> bool {
        let Some(&head) = self.grants.first() else {
            return false;
        };
        let task = self.wait(slot).task;
        let is_own =
            |model: &Self, grant: Slot| task.is_some() && model.waits[grant].unwrap().task == task;
        let other_comes = |model: &Self, grant: Slot| {
            let other = model.waits[grant].unwrap().task;
            task.is_some() && other.is_some() && other != task && !model.is_eventual
        };
        let mine = self.watched.filter(|&grant| is_own(self, grant));
        let own = mine.or_else(|| {
            self.grants
                .iter()
                .copied()
                .find(|&grant| is_own(self, grant))
        });
        let target = match own {
            Some(_) if mine.is_none() && self.watcher.is_some() => None,
            Some(own) => Some(own),
            None if self.watched.is_some() => None,
            None if first && other_comes(self, head) => return false,
            None => Some(head),
        };
        if let Some(target) = target.filter(|_| target != self.watched) {
            self.watch(target);
        }
        let grant = self.watched.unwrap();
        let (is_own_grant, comes) = (is_own(self, grant), other_comes(self, grant));
        if !(first && comes) {
            let address = self.wait(slot).address;
            if is_own_grant && self.watcher.is_none() {
                self.watcher = Some(address);
            }
            let is_watcher = is_own_grant && self.watcher == Some(address);
            self.score += if self.is_eventual || is_watcher {
                43
            } else {
                1
            };
            if self.score >= 128 {
                let permits = self.call_watched();
                if is_own_grant {
                    self.queue.retain(|queued| *queued != slot);
                    self.queue.insert(0, slot);
                }
                self.add(permits);
                return true;
            }
        }
        if !comes || own.is_some() {
            self.wake(task);
        }
        false
    }

    /// Fetches its grant, or meets those of others.
    fn look(&mut self, slot: Slot) -> Outcome {
        loop {
            let Wait { wanted, status, .. } = *self.wait(slot);
            match status {
                Status::Granted => {
                    self.forget(slot);
                    return Some(Ok(wanted));
                }
                Status::Called => {
                    let task = self.task_of_poll;
                    return self.queue_up(slot, task, true);
                }
                _ => {}
            }
            if self.is_eventual && self.try_take(wanted).is_ok() {
                self.queue.retain(|queued| *queued != slot);
                if self.queue.is_empty() {
                    self.open = true;
                } else {
                    self.add(0);
                }
                return Some(Ok(wanted));
            }
            if !self.meet(slot, false) {
                return None;
            }
        }
    }

    /// A wait ends, or is made as new.
    fn leave(&mut self, slot: Slot) {
        let Wait { wanted, status, .. } = *self.wait(slot);
        self.wait(slot).status = Status::Idle;
        match status {
            Status::Queued => {
                self.queue.retain(|queued| *queued != slot);
                if self.queue.is_empty() {
                    self.open = self.is_eventual;
                } else {
                    self.add(0);
                }
            }
            Status::Granted => {
                self.forget(slot);
                self.add(wanted);
            }
            Status::Called => self.add(0),
            _ => {}
        }
    }

    fn set_waker(&mut self, slot: Slot, task: Task) {
        let wait = self.wait(slot);
        wait.kept = Some(task);
        match wait.status {
            Status::Idle => {}
            Status::Queued => wait.task = Some(task),
            Status::Granted => {
                wait.task = Some(task);
                // It is the latest grant now.
                self.forget(slot);
                self.grants.push(slot);
                self.wake(Some(task));
            }
            Status::Called | Status::Refused | Status::Finished => self.wake(Some(task)),
        }
    }

    fn close(&mut self) {
        self.closed = true;
        for slot in core::mem::take(&mut self.queue) {
            self.wait(slot).status = Status::Refused;
            let task = self.wait(slot).task;
            self.wake(task);
        }
    }
}

struct Budget(Cell<bool>);

impl Io for Budget {
    fn poll_spend(&self, _: &mut Context<'_>) -> Poll<()> {
        if self.0.get() {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

enum Real<'a> {
    Future(Pin<Box<Acquire<'a, &'a Budget>>>),
    Waiter(Pin<Box<Waiter<'a>>>),
}

/// The semaphore itself and what is waited and held of it.
struct World<'a> {
    semaphore: &'a Semaphore,
    budget: &'a Budget,
    tasks: [(Arc<Wakes>, Waker); TASKS],
    waits: [Option<Real<'a>>; SLOTS],
    held: Vec<SemaphorePermit<'a>>,
}

impl<'a> World<'a> {
    fn poll(&mut self, slot: Slot, task: Task, wanted: usize) -> Outcome {
        let outcome = match self.waits[slot].as_mut().unwrap() {
            Real::Future(future) => match poll(future.as_mut(), &self.tasks[task].1) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            },
            Real::Waiter(waiter) => self.semaphore.acquire_with(wanted, waiter.as_mut()),
        };
        outcome.map(|outcome| match outcome {
            Ok(permit) => {
                let permits = permit.num_permits();
                self.held.push(permit);
                Ok(permits)
            }
            Err(_) => Err(()),
        })
    }
}

/// Does `op` to both, and compares what they say.
fn step(world: &mut World<'_>, model: &mut Model, op: Op) -> Result<(), TestCaseError> {
    let semaphore = world.semaphore;
    match op {
        Op::Acquire(slot, wanted) if model.waits[slot].is_none() => {
            let wait = Box::pin(semaphore.acquire_many(world.budget, wanted));
            let address = core::ptr::from_ref(&*wait).addr();
            world.waits[slot] = Some(Real::Future(wait));
            model.waits[slot] = Some(Wait {
                wanted,
                status: Status::Idle,
                task: None,
                kept: None,
                is_future: true,
                address,
            });
        }
        Op::Wait(slot, wanted, kept) if model.waits[slot].is_none() => {
            let waiter = match kept {
                Some(task) => Waiter::with_waker(world.tasks[task].1.clone()),
                None => Waiter::new(),
            };
            let waiter = Box::pin(waiter);
            let address = core::ptr::from_ref(&*waiter).addr() + 1;
            world.waits[slot] = Some(Real::Waiter(waiter));
            model.waits[slot] = Some(Wait {
                wanted,
                status: Status::Idle,
                task: kept,
                kept,
                is_future: false,
                address,
            });
        }
        Op::Poll(slot, task) | Op::PollOften(slot, task) => {
            let Some(wait) = model.waits[slot] else {
                return Ok(());
            };
            if wait.status != Status::Finished {
                let expected = model.poll(slot, task);
                if let Some(Ok(permits)) = expected {
                    model.held.push(permits);
                }
                prop_assert_eq!(world.poll(slot, task, wait.wanted), expected);
            }
        }
        Op::Drop(slot) => {
            world.waits[slot] = None;
            if model.waits[slot].is_some() {
                model.leave(slot);
                model.waits[slot] = None;
            }
        }
        Op::Reset(slot) => {
            if let Some(Real::Waiter(waiter)) = &mut world.waits[slot] {
                waiter.as_mut().reset();
                model.leave(slot);
            }
        }
        Op::SetWaker(slot, task) => {
            if let Some(Real::Waiter(waiter)) = &mut world.waits[slot] {
                waiter.as_mut().set_waker(world.tasks[task].1.clone());
                model.set_waker(slot, task);
            }
        }
        Op::TryAcquire(n) => {
            let expected = model.try_acquire(n);
            match semaphore.try_acquire_many(n) {
                Ok(permit) => {
                    prop_assert_eq!(expected, Ok(()));
                    world.held.push(permit);
                    model.held.push(n);
                }
                Err(error) => prop_assert_eq!(expected, Err(error)),
            }
        }
        Op::Release(index) if index < model.held.len() => {
            drop(world.held.remove(index));
            let permits = model.held.remove(index);
            if permits != 0 {
                model.add(permits);
            }
        }
        Op::ForgetHeld(index) if index < model.held.len() => {
            world.held.remove(index).forget();
            model.held.remove(index);
        }
        Op::Split(index, n) if index < model.held.len() => {
            let part = world.held[index].split(n);
            prop_assert_eq!(part.is_some(), model.held[index] >= n);
            if let Some(part) = part {
                world.held.push(part);
                model.held[index] -= n;
                model.held.push(n);
            }
        }
        Op::Merge(into, from) if into != from && into.max(from) < model.held.len() => {
            let (more, permits) = (world.held.remove(from), model.held.remove(from));
            let into = if from < into { into - 1 } else { into };
            world.held[into].merge(more);
            model.held[into] += permits;
        }
        Op::Add(n) => {
            semaphore.add_permits(n);
            model.add(n);
        }
        Op::ForgetFree(n) => {
            let expected = n.min(model.available());
            model.free -= expected;
            prop_assert_eq!(semaphore.forget_permits(n), expected);
        }
        Op::Close => {
            semaphore.close();
            model.close();
        }
        Op::Broke(broke) => {
            world.budget.0.set(broke);
            model.broke = broke;
        }
        _ => {}
    }
    Ok(())
}

fn compare(world: &World<'_>, model: &Model) -> Result<(), TestCaseError> {
    let semaphore = world.semaphore;
    prop_assert_eq!(semaphore.available_permits(), model.available());
    prop_assert_eq!(semaphore.is_closed(), model.closed);
    prop_assert_eq!(semaphore.waiter_count(), model.queue.len());
    prop_assert_eq!(semaphore.list.lock().count(GRANTS), model.grants.len());
    let wakes: Vec<_> = world.tasks.iter().map(|(wakes, _)| wakes.count()).collect();
    prop_assert_eq!(&wakes[..], &model.wakes[..]);
    let held: Vec<_> = world.held.iter().map(|held| held.num_permits()).collect();
    prop_assert_eq!(&held, &model.held);
    for (real, wait) in world.waits.iter().zip(&model.waits) {
        if let (Some(Real::Waiter(waiter)), Some(wait)) = (real, wait) {
            let ready = matches!(
                wait.status,
                Status::Granted | Status::Called | Status::Refused
            );
            prop_assert_eq!(waiter.is_ready(), ready);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 600 } else { 20_000 }))]

    /// never_over_issues, is_fifo_even_for_many, and what else can be seen from
    /// one thread, in every order of up to 80 steps that chance comes upon.
    #[test]
    fn agrees_with_the_model(
        permits in 0..4_usize,
        ops in proptest::collection::vec(op(), 1..80),
    ) {
        run(permits, ops, Fairness::Fifo)?;
    }

    #[test]
    fn agrees_with_the_model_if_eventual(
        permits in 0..4_usize,
        ops in proptest::collection::vec(op(), 1..80),
    ) {
        run(permits, ops, Fairness::Eventual)?;
    }
}

fn run(permits: usize, ops: Vec<Op>, fairness: Fairness) -> Result<(), TestCaseError> {
    let semaphore = Semaphore::with_fairness(permits, fairness);
    let budget = Budget(Cell::new(false));
    let mut world = World {
        semaphore: &semaphore,
        budget: &budget,
        tasks: core::array::from_fn(|_| counting_waker()),
        waits: [const { None }; SLOTS],
        held: Vec::new(),
    };
    let mut model = Model {
        free: permits,
        is_eventual: fairness == Fairness::Eventual,
        open: fairness == Fairness::Eventual,
        ..Model::default()
    };
    for op in ops {
        let often = matches!(op, Op::PollOften(..));
        for _ in 0..if often { 130 } else { 1 } {
            step(&mut world, &mut model, op)?;
            compare(&world, &model)?;
        }
    }
    let World {
        tasks, waits, held, ..
    } = world;
    drop((waits, held));
    prop_assert_eq!(semaphore.waiter_count(), 0);
    prop_assert_eq!(semaphore.list.lock().count(GRANTS), 0);
    for (wakes, waker) in tasks {
        drop(waker);
        prop_assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
    }
    Ok(())
}

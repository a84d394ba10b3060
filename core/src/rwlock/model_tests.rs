//! Random programs against a sequential model of the lock: what is held, a queue,
//! the grants that nobody has fetched, and which task each wait is of.

use core::cell::Cell;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::sync::Arc;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::raw::{WAITING, readers};
use super::{
    Read, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, UpgradableRead,
    Upgrade, Waiter, Write,
};
use crate::io::Io;
use crate::test_util::{Wakes, counting_waker, poll};

/// How many waits there are at a time, at most, and how many tasks.
const SLOTS: usize = 7;
const TASKS: usize = 3;

type Slot = usize;
type Task = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Upgradable,
    Write,
    Upgrade,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    /// A future, in an empty slot.
    Future(Slot, Kind),
    /// A waiter with or without a waker, in an empty slot.
    Wait(Slot, Kind, Option<Task>),
    /// Polls a future as the task, or calls the method with a waiter.
    Poll(Slot, Task),
    Drop(Slot),
    Reset(Slot),
    SetWaker(Slot, Task),
    Try(Kind),
    /// One of the guards, if there are any.
    Unlock(usize),
    Downgrade(usize),
    DowngradeToUpgradable(usize),
    TryUpgrade(usize),
    /// Uses a guard up for a future in an empty slot.
    Upgrade(usize, Slot),
    /// Uses a guard up for a waiter that is idle.
    UpgradeWith(usize, Slot),
    /// From here on the budget is spent, or is not.
    Broke(bool),
}

fn op() -> impl Strategy<Value = Op> {
    let (slot, task, one) = (0..SLOTS, 0..TASKS, 0..5_usize);
    let owner = proptest::option::of(task.clone());
    let kind = prop_oneof![
        3 => Just(Kind::Read),
        2 => Just(Kind::Upgradable),
        2 => Just(Kind::Write),
    ];
    prop_oneof![
        30 => (slot.clone(), kind.clone()).prop_map(|(s, k)| Op::Future(s, k)),
        10 => (slot.clone(), kind.clone(), owner).prop_map(|(s, k, t)| Op::Wait(s, k, t)),
        80 => (slot.clone(), task.clone()).prop_map(|(s, t)| Op::Poll(s, t)),
        20 => slot.clone().prop_map(Op::Drop),
        10 => slot.clone().prop_map(Op::Reset),
        10 => (slot.clone(), task).prop_map(|(s, t)| Op::SetWaker(s, t)),
        10 => kind.prop_map(Op::Try),
        40 => one.clone().prop_map(Op::Unlock),
        10 => one.clone().prop_map(Op::Downgrade),
        5 => one.clone().prop_map(Op::DowngradeToUpgradable),
        5 => one.clone().prop_map(Op::TryUpgrade),
        20 => (one.clone(), slot.clone()).prop_map(|(i, s)| Op::Upgrade(i, s)),
        20 => (one, slot).prop_map(|(i, s)| Op::UpgradeWith(i, s)),
        10 => any::<bool>().prop_map(Op::Broke),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Idle,
    Queued,
    Granted,
    Finished,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    kind: Kind,
    status: Status,
    /// Whom to wake, or, once granted, of which task it is.
    task: Option<Task>,
    /// The task of a waiter, from one wait to the next.
    kept: Option<Task>,
    is_future: bool,
}

/// What the lock ought to be.
#[derive(Default)]
struct Model {
    limit: usize,
    /// Upgradable ones included.
    readers: usize,
    upgradable: bool,
    writer: bool,
    queue: Vec<Slot>,
    grants: Vec<Slot>,
    waits: [Option<Wait>; SLOTS],
    wakes: [usize; TASKS],
    broke: bool,
    held: Vec<Kind>,
}

impl Model {
    fn wait(&mut self, slot: Slot) -> &mut Wait {
        self.waits[slot].as_mut().unwrap()
    }

    fn wake(&mut self, task: Option<Task>) {
        if let Some(task) = task {
            self.wakes[task] += 1;
        }
    }

    /// What is held more of, if it is compatible.
    fn enter(&mut self, kind: Kind) -> bool {
        let room = !self.writer && self.readers < self.limit;
        match kind {
            Kind::Read if room => self.readers += 1,
            Kind::Upgradable if room && !self.upgradable => {
                self.readers += 1;
                self.upgradable = true;
            }
            Kind::Write if !self.writer && self.readers == 0 => self.writer = true,
            Kind::Upgrade if self.readers == 1 => {
                assert!(self.upgradable && !self.writer);
                (self.readers, self.upgradable, self.writer) = (0, false, true);
            }
            _ => return false,
        }
        true
    }

    /// What is held less of: the part of a guard, or a grant that is undone.
    fn leave(&mut self, kind: Kind) {
        match kind {
            Kind::Read => self.readers -= 1,
            Kind::Upgradable => {
                assert!(self.upgradable);
                self.readers -= 1;
                self.upgradable = false;
            }
            Kind::Write => {
                assert!(self.writer);
                self.writer = false;
            }
            Kind::Upgrade => {
                assert!(self.writer);
                (self.readers, self.upgradable, self.writer) = (1, true, false);
            }
        }
    }

    fn try_enter(&mut self, kind: Kind) -> bool {
        (self.queue.is_empty() || kind == Kind::Upgrade) && self.enter(kind)
    }

    /// Lets in who waits, in order.
    fn serve(&mut self) {
        while let Some(&first) = self.queue.first() {
            let Wait { kind, task, .. } = *self.wait(first);
            if !self.enter(kind) {
                break;
            }
            self.queue.remove(0);
            self.grants.push(first);
            self.wait(first).status = Status::Granted;
            self.wake(task);
        }
    }

    /// The end of a guard of `kind`.
    fn unlock(&mut self, kind: Kind) {
        self.leave(kind);
        self.serve();
    }

    /// Whether it has its guard.
    fn poll(&mut self, slot: Slot, task: Task) -> bool {
        let wait = *self.wait(slot);
        let task = if wait.is_future {
            Some(task)
        } else {
            wait.kept
        };
        let won = match wait.status {
            Status::Idle => {
                self.try_enter(wait.kind) || {
                    let place = if wait.kind == Kind::Upgrade {
                        0
                    } else {
                        self.queue.len()
                    };
                    self.queue.insert(place, slot);
                    self.wait(slot).status = Status::Queued;
                    self.wait(slot).task = task;
                    self.look(slot)
                }
            }
            Status::Queued => {
                self.wait(slot).task = task;
                self.look(slot)
            }
            Status::Granted => self.look(slot),
            Status::Finished => unreachable!("not polled any more"),
        };
        if !won {
            return false;
        }
        if !wait.is_future {
            self.wait(slot).status = Status::Idle;
            self.end_upgrade(slot);
        } else if !self.broke {
            self.wait(slot).status = Status::Finished;
        } else {
            self.grants.push(slot);
            self.wait(slot).status = Status::Granted;
            self.wait(slot).task = task;
            return false;
        }
        true
    }

    /// A waiter that upgraded is one that writes again.
    fn end_upgrade(&mut self, slot: Slot) {
        let wait = self.wait(slot);
        if !wait.is_future && wait.kind == Kind::Upgrade {
            wait.kind = Kind::Write;
        }
    }

    /// Fetches its grant, or takes over another's until there is none.
    fn look(&mut self, slot: Slot) -> bool {
        loop {
            let Wait {
                kind, status, task, ..
            } = *self.wait(slot);
            if status == Status::Granted {
                self.grants.retain(|granted| *granted != slot);
                return true;
            }
            let place = self.queue.iter().position(|queued| *queued == slot);
            let place = place.unwrap();
            let sibling = |wanted: &dyn Fn(Kind) -> bool| {
                let of_task = |granted: &&Slot| {
                    let other = self.waits[**granted].unwrap();
                    task.is_some() && other.task == task && wanted(other.kind)
                };
                self.grants.iter().rev().find(of_task).copied()
            };
            let upgrade_first = self.waits[self.queue[0]].unwrap().kind == Kind::Upgrade;
            let suffices = |granted| match (granted, kind) {
                (_, Kind::Upgrade) => false,
                (Kind::Upgrade, kind) => kind == Kind::Read && self.limit > 1,
                (Kind::Write, _) | (_, Kind::Read) => true,
                (granted, kind) => granted == kind,
            };
            if let Some(sibling) = sibling(&|granted| !upgrade_first && suffices(granted)) {
                let granted = self.wait(sibling).kind;
                self.leave(granted);
                assert!(self.enter(kind), "it suffices");
                self.grants.retain(|granted| *granted != sibling);
                self.grants.push(slot);
                self.queue.remove(place);
                self.queue.insert(0, sibling);
                self.wait(slot).status = Status::Granted;
                self.wait(sibling).status = Status::Queued;
                self.serve();
            } else if let Some(sibling) = sibling(&|granted| granted != Kind::Upgrade) {
                self.grants.retain(|granted| *granted != sibling);
                self.queue.insert(place + 1, sibling);
                self.wait(sibling).status = Status::Queued;
                let granted = self.wait(sibling).kind;
                self.unlock(granted);
            } else {
                return false;
            }
        }
    }

    /// A wait ends, or is made as new.
    fn abandon(&mut self, slot: Slot) {
        let Wait { kind, status, .. } = *self.wait(slot);
        self.wait(slot).status = Status::Idle;
        self.queue.retain(|queued| *queued != slot);
        self.grants.retain(|granted| *granted != slot);
        match (status, kind) {
            (Status::Granted, Kind::Upgrade) => self.leave(Kind::Write),
            (Status::Granted, kind) => self.leave(kind),
            (Status::Idle | Status::Queued, Kind::Upgrade) => self.leave(Kind::Upgradable),
            _ => {}
        }
        self.end_upgrade(slot);
        self.serve();
    }

    fn set_waker(&mut self, slot: Slot, task: Task) {
        let wait = self.wait(slot);
        wait.kept = Some(task);
        match wait.status {
            Status::Idle | Status::Finished => {}
            Status::Queued => wait.task = Some(task),
            Status::Granted => {
                wait.task = Some(task);
                // It is the latest grant now.
                self.grants.retain(|granted| *granted != slot);
                self.grants.push(slot);
                self.wake(Some(task));
            }
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

type Lock = RwLock<u8>;

enum Real<'a> {
    Read(Pin<Box<Read<'a, u8, &'a Budget>>>),
    Upgradable(Pin<Box<UpgradableRead<'a, u8, &'a Budget>>>),
    Write(Pin<Box<Write<'a, u8, &'a Budget>>>),
    Upgrade(Pin<Box<Upgrade<'a, u8, &'a Budget>>>),
    Waiter(Pin<Box<Waiter<'a>>>, Kind),
}

enum Guard<'a> {
    Read(RwLockReadGuard<'a, u8>),
    Upgradable(RwLockUpgradableReadGuard<'a, u8>),
    Write(RwLockWriteGuard<'a, u8>),
}

impl Guard<'_> {
    fn kind(&self) -> Kind {
        match self {
            Self::Read(_) => Kind::Read,
            Self::Upgradable(_) => Kind::Upgradable,
            Self::Write(_) => Kind::Write,
        }
    }
}

/// The lock itself and what is waited and held of it.
struct World<'a> {
    lock: &'a Lock,
    budget: &'a Budget,
    tasks: [(Arc<Wakes>, Waker); TASKS],
    waits: [Option<Real<'a>>; SLOTS],
    held: Vec<Guard<'a>>,
}

fn ready<T>(polled: Poll<T>) -> Option<T> {
    match polled {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

impl<'a> World<'a> {
    fn poll(&mut self, slot: Slot, task: Task) -> bool {
        let waker = &self.tasks[task].1;
        let lock = self.lock;
        let guard = match self.waits[slot].as_mut().unwrap() {
            Real::Read(wait) => ready(poll(wait.as_mut(), waker)).map(Guard::Read),
            Real::Upgradable(wait) => ready(poll(wait.as_mut(), waker)).map(Guard::Upgradable),
            Real::Write(wait) => ready(poll(wait.as_mut(), waker)).map(Guard::Write),
            Real::Upgrade(wait) => ready(poll(wait.as_mut(), waker)).map(Guard::Write),
            Real::Waiter(wait, Kind::Read) => lock.read_with(wait.as_mut()).map(Guard::Read),
            Real::Waiter(wait, Kind::Upgradable) => lock
                .upgradable_read_with(wait.as_mut())
                .map(Guard::Upgradable),
            Real::Waiter(wait, _) => lock.write_with(wait.as_mut()).map(Guard::Write),
        };
        let won = guard.is_some();
        self.held.extend(guard);
        won
    }

    fn attempt(&mut self, kind: Kind) -> bool {
        let guard = match kind {
            Kind::Read => self.lock.try_read().map(Guard::Read),
            Kind::Upgradable => self.lock.try_upgradable_read().map(Guard::Upgradable),
            _ => self.lock.try_write().map(Guard::Write),
        };
        let won = guard.is_some();
        self.held.extend(guard);
        won
    }
}

fn new_wait(kind: Kind, is_future: bool, kept: Option<Task>) -> Option<Wait> {
    Some(Wait {
        kind,
        status: Status::Idle,
        task: kept,
        kept,
        is_future,
    })
}

/// Does `op` to both, and compares what they say.
fn step(world: &mut World<'_>, model: &mut Model, op: Op) -> Result<(), TestCaseError> {
    let (lock, budget) = (world.lock, world.budget);
    match op {
        Op::Future(slot, kind) if model.waits[slot].is_none() => {
            world.waits[slot] = Some(match kind {
                Kind::Read => Real::Read(Box::pin(lock.read(budget))),
                Kind::Upgradable => Real::Upgradable(Box::pin(lock.upgradable_read(budget))),
                _ => Real::Write(Box::pin(lock.write(budget))),
            });
            model.waits[slot] = new_wait(kind, true, None);
        }
        Op::Wait(slot, kind, kept) if model.waits[slot].is_none() => {
            let waiter = match kept {
                Some(task) => Waiter::with_waker(world.tasks[task].1.clone()),
                None => Waiter::new(),
            };
            world.waits[slot] = Some(Real::Waiter(Box::pin(waiter), kind));
            model.waits[slot] = new_wait(kind, false, kept);
        }
        Op::Poll(slot, task) => {
            let Some(wait) = model.waits[slot] else {
                return Ok(());
            };
            if wait.status != Status::Finished {
                let expected = model.poll(slot, task);
                if expected {
                    model.held.push(match wait.kind {
                        Kind::Upgrade => Kind::Write,
                        kind => kind,
                    });
                }
                prop_assert_eq!(world.poll(slot, task), expected);
            }
        }
        Op::Drop(slot) => {
            world.waits[slot] = None;
            if model.waits[slot].is_some() {
                model.abandon(slot);
                model.waits[slot] = None;
            }
        }
        Op::Reset(slot) => {
            if let Some(Real::Waiter(waiter, _)) = &mut world.waits[slot] {
                waiter.as_mut().reset();
                model.abandon(slot);
            }
        }
        Op::SetWaker(slot, task) => {
            if let Some(Real::Waiter(waiter, _)) = &mut world.waits[slot] {
                waiter.as_mut().set_waker(world.tasks[task].1.clone());
                model.set_waker(slot, task);
            }
        }
        Op::Try(kind) => {
            let expected = model.try_enter(kind);
            if expected {
                model.held.push(kind);
            }
            prop_assert_eq!(world.attempt(kind), expected);
        }
        Op::Unlock(index) if index < model.held.len() => {
            drop(world.held.remove(index));
            let kind = model.held.remove(index);
            model.unlock(kind);
        }
        Op::Downgrade(index) if index < model.held.len() => {
            let guard = match world.held.remove(index) {
                Guard::Write(guard) => RwLockWriteGuard::downgrade(guard),
                Guard::Upgradable(guard) => RwLockUpgradableReadGuard::downgrade(guard),
                Guard::Read(guard) => guard,
            };
            world.held.push(Guard::Read(guard));
            let kind = model.held.remove(index);
            model.held.push(Kind::Read);
            model.leave(kind);
            assert!(model.enter(Kind::Read));
            model.serve();
        }
        Op::DowngradeToUpgradable(index) if model.held.get(index) == Some(&Kind::Write) => {
            let Guard::Write(guard) = world.held.remove(index) else {
                unreachable!("the kinds are compared after each step");
            };
            let guard = RwLockWriteGuard::downgrade_to_upgradable(guard);
            world.held.push(Guard::Upgradable(guard));
            model.held.remove(index);
            model.held.push(Kind::Upgradable);
            model.leave(Kind::Write);
            assert!(model.enter(Kind::Upgradable));
            model.serve();
        }
        Op::TryUpgrade(index) if model.held.get(index) == Some(&Kind::Upgradable) => {
            let Guard::Upgradable(guard) = world.held.remove(index) else {
                unreachable!("the kinds are compared after each step");
            };
            world
                .held
                .push(match RwLockUpgradableReadGuard::try_upgrade(guard) {
                    Ok(guard) => Guard::Write(guard),
                    Err(guard) => Guard::Upgradable(guard),
                });
            model.held.remove(index);
            let upgraded = model.try_enter(Kind::Upgrade);
            model.held.push(if upgraded {
                Kind::Write
            } else {
                Kind::Upgradable
            });
        }
        Op::Upgrade(index, slot)
            if model.held.get(index) == Some(&Kind::Upgradable) && model.waits[slot].is_none() =>
        {
            let Guard::Upgradable(guard) = world.held.remove(index) else {
                unreachable!("the kinds are compared after each step");
            };
            let wait = RwLockUpgradableReadGuard::upgrade(guard, budget);
            world.waits[slot] = Some(Real::Upgrade(Box::pin(wait)));
            model.held.remove(index);
            model.waits[slot] = new_wait(Kind::Upgrade, true, None);
        }
        Op::UpgradeWith(index, slot)
            if model.held.get(index) == Some(&Kind::Upgradable)
                && model.waits[slot].is_some_and(|wait| {
                    (wait.is_future, wait.kind, wait.status) == (false, Kind::Write, Status::Idle)
                }) =>
        {
            let Guard::Upgradable(guard) = world.held.remove(index) else {
                unreachable!("the kinds are compared after each step");
            };
            let Some(Real::Waiter(waiter, _)) = &mut world.waits[slot] else {
                unreachable!("it is not a future");
            };
            let guard = RwLockUpgradableReadGuard::upgrade_with(guard, waiter.as_mut());
            model.held.remove(index);
            model.wait(slot).kind = Kind::Upgrade;
            let expected = model.poll(slot, 0);
            prop_assert_eq!(guard.is_some(), expected);
            if expected {
                model.held.push(Kind::Write);
            }
            world.held.extend(guard.map(Guard::Write));
        }
        Op::Broke(broke) => {
            budget.0.set(broke);
            model.broke = broke;
        }
        _ => {}
    }
    Ok(())
}

fn compare(world: &World<'_>, model: &Model) -> Result<(), TestCaseError> {
    let raw = &world.lock.raw;
    prop_assert_eq!(readers(raw.word()), model.readers);
    prop_assert_eq!(raw.word() & WAITING != 0, !model.queue.is_empty());
    prop_assert_eq!(raw.waiter_count(), model.queue.len());
    prop_assert_eq!(raw.grant_count(), model.grants.len());
    let wakes: Vec<_> = world.tasks.iter().map(|(wakes, _)| wakes.count()).collect();
    prop_assert_eq!(&wakes[..], &model.wakes[..]);
    let held: Vec<_> = world.held.iter().map(Guard::kind).collect();
    prop_assert_eq!(&held, &model.held);
    let writers = held.iter().filter(|kind| **kind == Kind::Write).count();
    prop_assert!(writers == 0 || held.len() == 1, "a writer is alone");
    prop_assert!(held.len() <= model.limit);
    for (real, wait) in world.waits.iter().zip(&model.waits) {
        if let (Some(Real::Waiter(waiter, _)), Some(wait)) = (real, wait) {
            prop_assert_eq!(waiter.is_ready(), wait.status == Status::Granted);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 600 } else { 20_000 }))]

    /// writer_excludes_all, is_fifo, upgrade_is_atomic, reader_limit_is_enforced, and
    /// what else can be seen from one thread, in every order of up to 80 steps that
    /// chance comes upon.
    #[test]
    fn agrees_with_the_model(
        limit in 1..4_usize,
        ops in proptest::collection::vec(op(), 1..80),
    ) {
        let lock = RwLock::with_max_readers(0, limit);
        let budget = Budget(Cell::new(false));
        let mut world = World {
            lock: &lock,
            budget: &budget,
            tasks: core::array::from_fn(|_| counting_waker()),
            waits: [const { None }; SLOTS],
            held: Vec::new(),
        };
        let mut model = Model { limit, ..Model::default() };
        for op in ops {
            step(&mut world, &mut model, op)?;
            compare(&world, &model)?;
        }
        let World { tasks, waits, held, .. } = world;
        drop((waits, held));
        prop_assert_eq!((lock.raw.waiter_count(), lock.raw.grant_count()), (0, 0));
        prop_assert!(lock.try_write().is_some(), "something is still held");
        for (wakes, waker) in tasks {
            drop(waker);
            prop_assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
        }
    }
}

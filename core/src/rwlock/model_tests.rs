//! Random programs. A lock that serves in order agrees with a sequential model; one that
//! is fair in the end keeps its promises.

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
use crate::test_util::{Wakes, counting_waker};

use reference::{Kind, Model, NO_TASK, SLOTS, Slot, Status, TASKS, Task, Wait};

mod eventual;
mod reference;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// A future, in an empty slot.
    Future(Slot, Kind),
    /// A waiter with or without a waker, in an empty slot.
    Wait(Slot, Kind, Option<Task>),
    /// Polls a future as the task, or calls the method with a waiter.
    Poll(Slot, Task),
    /// The same so many times, or until it is ready.
    PollOften(Slot, Task, usize),
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
    let often = prop_oneof![Just(3_usize), Just(130)];
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
        20 => (slot.clone(), task.clone(), often).prop_map(|(s, t, n)| Op::PollOften(s, t, n)),
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

/// A wait, in a box that is kept when the wait is gone: so no other has its address.
type Kept<F> = Pin<Box<Option<F>>>;

enum Real<'a> {
    Read(Kept<Read<'a, u8, &'a Budget>>),
    Upgradable(Kept<UpgradableRead<'a, u8, &'a Budget>>),
    Write(Kept<Write<'a, u8, &'a Budget>>),
    Upgrade(Kept<Upgrade<'a, u8, &'a Budget>>),
    Waiter(Kept<Waiter<'a>>, Kind),
}

fn kept<F>(wait: F) -> Kept<F> {
    Box::pin(Some(wait))
}

fn there<F>(wait: &mut Kept<F>) -> Pin<&mut F> {
    wait.as_mut().as_pin_mut().expect("it is not gone")
}

impl Real<'_> {
    fn end(&mut self) {
        match self {
            Self::Read(wait) => wait.set(None),
            Self::Upgradable(wait) => wait.set(None),
            Self::Write(wait) => wait.set(None),
            Self::Upgrade(wait) => wait.set(None),
            Self::Waiter(wait, _) => wait.set(None),
        }
    }
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
    gone: Vec<Real<'a>>,
    /// How many waits there have been.
    nodes: usize,
}

fn ready<T>(polled: Poll<T>) -> Option<T> {
    match polled {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn poll<F: Future>(wait: &mut Kept<F>, waker: &Waker) -> Option<F::Output> {
    ready(crate::test_util::poll(there(wait), waker))
}

impl<'a> World<'a> {
    fn new(lock: &'a Lock, budget: &'a Budget) -> Self {
        let mut tasks = core::array::from_fn(|_| counting_waker());
        tasks[NO_TASK].1 = Waker::noop().clone();
        Self {
            lock,
            budget,
            tasks,
            waits: [const { None }; SLOTS],
            held: Vec::new(),
            gone: Vec::new(),
            nodes: 0,
        }
    }

    fn new_wait(&mut self, kind: Kind, is_future: bool, kept: Option<Task>) -> Option<Wait> {
        self.nodes += 1;
        Some(Wait {
            node: self.nodes,
            kind,
            status: Status::Idle,
            task: kept,
            kept,
            is_future,
        })
    }

    fn end(&mut self, slot: Slot) {
        if let Some(mut real) = self.waits[slot].take() {
            real.end();
            self.gone.push(real);
        }
    }

    fn poll(&mut self, slot: Slot, task: Task) -> bool {
        let waker = &self.tasks[task].1;
        let lock = self.lock;
        let guard = match self.waits[slot].as_mut().unwrap() {
            Real::Read(wait) => poll(wait, waker).map(Guard::Read),
            Real::Upgradable(wait) => poll(wait, waker).map(Guard::Upgradable),
            Real::Write(wait) => poll(wait, waker).map(Guard::Write),
            Real::Upgrade(wait) => poll(wait, waker).map(Guard::Write),
            Real::Waiter(wait, Kind::Read) => lock.read_with(there(wait)).map(Guard::Read),
            Real::Waiter(wait, Kind::Upgradable) => lock
                .upgradable_read_with(there(wait))
                .map(Guard::Upgradable),
            Real::Waiter(wait, _) => lock.write_with(there(wait)).map(Guard::Write),
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

/// Does `op` to both, and compares what they say.
fn step(world: &mut World<'_>, model: &mut Model, op: Op) -> Result<(), TestCaseError> {
    let (lock, budget) = (world.lock, world.budget);
    match op {
        Op::Future(slot, kind) if model.waits[slot].is_none() => {
            world.waits[slot] = Some(match kind {
                Kind::Read => Real::Read(kept(lock.read(budget))),
                Kind::Upgradable => Real::Upgradable(kept(lock.upgradable_read(budget))),
                _ => Real::Write(kept(lock.write(budget))),
            });
            model.waits[slot] = world.new_wait(kind, true, None);
        }
        Op::Wait(slot, kind, task) if model.waits[slot].is_none() => {
            let waiter = match task {
                Some(task) => Waiter::with_waker(world.tasks[task].1.clone()),
                None => Waiter::new(),
            };
            world.waits[slot] = Some(Real::Waiter(kept(waiter), kind));
            model.waits[slot] = world.new_wait(kind, false, task);
        }
        Op::Poll(slot, task) => poll_both(world, model, slot, task, 1)?,
        Op::PollOften(slot, task, times) => poll_both(world, model, slot, task, times)?,
        Op::Drop(slot) => {
            world.end(slot);
            if model.waits[slot].is_some() {
                model.abandon(slot);
                model.waits[slot] = None;
            }
        }
        Op::Reset(slot) => {
            if let Some(Real::Waiter(waiter, _)) = &mut world.waits[slot] {
                there(waiter).reset();
                model.abandon(slot);
            }
        }
        Op::SetWaker(slot, task) => {
            if let Some(Real::Waiter(waiter, _)) = &mut world.waits[slot] {
                there(waiter).set_waker(world.tasks[task].1.clone());
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
            world.waits[slot] = Some(Real::Upgrade(kept(wait)));
            model.held.remove(index);
            model.waits[slot] = world.new_wait(Kind::Upgrade, true, None);
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
            let guard = RwLockUpgradableReadGuard::upgrade_with(guard, there(waiter));
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

fn poll_both(
    world: &mut World<'_>,
    model: &mut Model,
    slot: Slot,
    task: Task,
    times: usize,
) -> Result<(), TestCaseError> {
    for _ in 0..times {
        let Some(wait) = model.waits[slot].filter(|wait| wait.status != Status::Finished) else {
            return Ok(());
        };
        let expected = model.poll(slot, task);
        if expected {
            model.held.push(match wait.kind {
                Kind::Upgrade => Kind::Write,
                kind => kind,
            });
        }
        prop_assert_eq!(world.poll(slot, task), expected);
        if expected {
            return Ok(());
        }
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
    prop_assert_eq!(&wakes[..NO_TASK], &model.wakes[..NO_TASK]);
    let held: Vec<_> = world.held.iter().map(Guard::kind).collect();
    prop_assert_eq!(&held, &model.held);
    let writers = held.iter().filter(|kind| **kind == Kind::Write).count();
    prop_assert!(writers == 0 || held.len() == 1, "a writer is alone");
    prop_assert!(held.len() <= world.lock.raw.max_readers());
    for (real, wait) in world.waits.iter().zip(&model.waits) {
        if let (Some(Real::Waiter(waiter, _)), Some(wait)) = (real, wait) {
            let waiter = waiter.as_ref().as_pin_ref().expect("it is not gone");
            let is_ready = matches!(wait.status, Status::Granted | Status::Called);
            prop_assert_eq!(waiter.is_ready(), is_ready);
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
        let mut world = World::new(&lock, &budget);
        let mut model = Model::new(limit);
        for op in ops {
            step(&mut world, &mut model, op)?;
            compare(&world, &model)?;
        }
        end(world)?;
    }
}

/// Drops all, after which the lock is as new.
fn end(world: World<'_>) -> Result<(), TestCaseError> {
    let World {
        lock,
        tasks,
        waits,
        held,
        gone,
        ..
    } = world;
    drop((waits, held, gone));
    prop_assert_eq!((lock.raw.waiter_count(), lock.raw.grant_count()), (0, 0));
    prop_assert!(lock.try_write().is_some(), "something is still held");
    for (wakes, waker) in tasks {
        let is_noop = waker.will_wake(Waker::noop());
        drop(waker);
        prop_assert!(
            is_noop || Arc::strong_count(&wakes) == 1,
            "a waker was leaked"
        );
    }
    Ok(())
}

//! What a lock promises that is fair in the end, after every step of random programs:
//! exclusion, exact counts, and no wait left asleep while what it waits for is free.

use std::format;
use std::string::String;

use super::super::raw::{QUEUE, Raw, UPGRADABLE, UPGRADABLE_READ, UPGRADE, WRITE, is_reserved};
use super::*;
use crate::Fairness;

/// What is known of a wait without asking it.
#[derive(Clone, Copy)]
struct Seen {
    kind: Kind,
    task: Option<Task>,
    is_future: bool,
    is_finished: bool,
}

type Statuses = [String; SLOTS];

fn status(real: &Option<Real<'_>>) -> String {
    let shown = match real {
        None => return String::new(),
        Some(Real::Read(wait)) => format!("{wait:?}"),
        Some(Real::Upgradable(wait)) => format!("{wait:?}"),
        Some(Real::Write(wait)) => format!("{wait:?}"),
        Some(Real::Upgrade(wait)) => format!("{wait:?}"),
        Some(Real::Waiter(wait, _)) => format!("{wait:?}"),
    };
    shown.split('"').nth(1).expect("a status").into()
}

const fn tag(kind: Kind) -> usize {
    kind as usize
}

/// A word that no part of is held.
fn is_free(word: usize) -> bool {
    readers(word) == 0 && word & 1 == 0
}

struct Program<'a> {
    world: World<'a>,
    seen: [Option<Seen>; SLOTS],
    /// The wait that the step polls.
    polled: Option<Slot>,
}

impl<'a> Program<'a> {
    fn raw(&self) -> &'a Raw {
        &self.world.lock.raw
    }

    fn statuses(&self) -> Statuses {
        core::array::from_fn(|slot| status(&self.world.waits[slot]))
    }

    fn add(&mut self, slot: Slot, real: Real<'a>, kind: Kind, task: Option<Task>) {
        let is_future = !matches!(real, Real::Waiter(..));
        self.world.waits[slot] = Some(real);
        self.seen[slot] = Some(Seen {
            kind,
            task,
            is_future,
            is_finished: false,
        });
    }

    /// Polls it once. Whether it has got in.
    fn poll(&mut self, slot: Slot, task: Task) -> Result<bool, TestCaseError> {
        self.polled = Some(slot);
        let seen = self.seen[slot].as_mut().expect("it is there");
        if seen.is_future {
            seen.task = Some(task);
        }
        let seen = *seen;
        let word = self.raw().word();
        let was_called = status(&self.world.waits[slot]) == "called";
        let is_open = !is_reserved(word) || was_called || seen.kind == Kind::Upgrade;
        let ought = self.raw().with(tag(seen.kind), word).is_some() && (is_open || is_free(word));
        let is_in = self.world.poll(slot, task);
        self.note(slot, is_in);
        let has_grant = status(&self.world.waits[slot]) == "granted";
        prop_assert!(!ought || is_in || has_grant, "it is free: {:?}", seen.kind);
        Ok(is_in)
    }

    fn note(&mut self, slot: Slot, is_in: bool) {
        let seen = self.seen[slot].as_mut().expect("it is there");
        if is_in {
            seen.is_finished = seen.is_future;
            if seen.kind == Kind::Upgrade {
                seen.kind = Kind::Write;
            }
        }
    }

    fn may_poll(&self, slot: Slot) -> bool {
        self.seen[slot].is_some_and(|seen| !seen.is_finished)
    }

    /// Polls it often: then nothing but a guard keeps it out.
    fn poll_often(&mut self, slot: Slot, task: Task, times: usize) -> Result<(), TestCaseError> {
        if !self.may_poll(slot) {
            return Ok(());
        }
        for _ in 0..times {
            if self.poll(slot, task)? {
                return Ok(());
            }
        }
        let upgrades = self.seen.iter().flatten();
        let upgrades = upgrades.filter(|seen| seen.kind == Kind::Upgrade && !seen.is_finished);
        let is_kept_out = !self.world.held.is_empty() || upgrades.count() != 0;
        let broke = self.world.budget.0.get();
        prop_assert!(
            times < 130 || is_kept_out || broke,
            "a kept wait keeps it out"
        );
        Ok(())
    }

    fn step(&mut self, op: Op) -> Result<(), TestCaseError> {
        let (lock, budget) = (self.world.lock, self.world.budget);
        match op {
            Op::Future(slot, kind) if self.seen[slot].is_none() => {
                let real = match kind {
                    Kind::Read => Real::Read(kept(lock.read(budget))),
                    Kind::Upgradable => Real::Upgradable(kept(lock.upgradable_read(budget))),
                    _ => Real::Write(kept(lock.write(budget))),
                };
                self.add(slot, real, kind, None);
            }
            Op::Wait(slot, kind, task) if self.seen[slot].is_none() => {
                let waker = task.map(|task| self.world.tasks[task].1.clone());
                let waiter = waker.map_or_else(Waiter::new, Waiter::with_waker);
                self.add(slot, Real::Waiter(kept(waiter), kind), kind, task);
            }
            Op::Poll(slot, task) if self.may_poll(slot) => {
                self.poll(slot, task)?;
            }
            Op::PollOften(slot, task, times) => self.poll_often(slot, task, times)?,
            Op::Drop(slot) => {
                self.world.end(slot);
                self.seen[slot] = None;
            }
            Op::Reset(slot) => {
                if let (Some(Real::Waiter(waiter, _)), Some(seen)) =
                    (&mut self.world.waits[slot], &mut self.seen[slot])
                {
                    there(waiter).reset();
                    if seen.kind == Kind::Upgrade {
                        seen.kind = Kind::Write;
                    }
                }
            }
            Op::SetWaker(slot, task) => {
                if let (Some(Real::Waiter(waiter, _)), Some(seen)) =
                    (&mut self.world.waits[slot], &mut self.seen[slot])
                {
                    there(waiter).set_waker(self.world.tasks[task].1.clone());
                    seen.task = Some(task);
                }
            }
            Op::Try(kind) => {
                let word = self.raw().word();
                let ought = !is_reserved(word) && self.raw().with(tag(kind), word).is_some();
                let is_in = self.world.attempt(kind);
                prop_assert!(is_in || !ought, "it is free");
            }
            Op::Broke(broke) => budget.0.set(broke),
            op => self.step_with_guard(op)?,
        }
        Ok(())
    }

    fn step_with_guard(&mut self, op: Op) -> Result<(), TestCaseError> {
        let held = &mut self.world.held;
        let budget = self.world.budget;
        match op {
            Op::Unlock(index) if index < held.len() => drop(held.remove(index)),
            Op::Downgrade(index) if index < held.len() => {
                let guard = match held.remove(index) {
                    Guard::Write(guard) => RwLockWriteGuard::downgrade(guard),
                    Guard::Upgradable(guard) => RwLockUpgradableReadGuard::downgrade(guard),
                    Guard::Read(guard) => guard,
                };
                held.push(Guard::Read(guard));
            }
            Op::DowngradeToUpgradable(index) => match take(held, index, Kind::Write) {
                Some(Guard::Write(guard)) => held.push(Guard::Upgradable(
                    RwLockWriteGuard::downgrade_to_upgradable(guard),
                )),
                _ => return Ok(()),
            },
            Op::TryUpgrade(index) => {
                let Some(Guard::Upgradable(guard)) = take(held, index, Kind::Upgradable) else {
                    return Ok(());
                };
                let is_alone = readers(self.world.lock.raw.word()) == 1;
                let tried = RwLockUpgradableReadGuard::try_upgrade(guard);
                prop_assert!(tried.is_ok() || !is_alone);
                held.push(tried.map_or_else(Guard::Upgradable, Guard::Write));
            }
            Op::Upgrade(index, slot) if self.seen[slot].is_none() => {
                let Some(Guard::Upgradable(guard)) = take(held, index, Kind::Upgradable) else {
                    return Ok(());
                };
                let wait = RwLockUpgradableReadGuard::upgrade(guard, budget);
                self.add(slot, Real::Upgrade(kept(wait)), Kind::Upgrade, None);
            }
            Op::UpgradeWith(index, slot) => {
                let is_idle = status(&self.world.waits[slot]) == "idle";
                let (Some(Real::Waiter(waiter, Kind::Write)), true) =
                    (&mut self.world.waits[slot], is_idle)
                else {
                    return Ok(());
                };
                let Some(Guard::Upgradable(guard)) = take(held, index, Kind::Upgradable) else {
                    return Ok(());
                };
                let guard = RwLockUpgradableReadGuard::upgrade_with(guard, there(waiter));
                let is_in = guard.is_some();
                held.extend(guard.map(Guard::Write));
                self.polled = Some(slot);
                self.seen[slot].as_mut().expect("it is there").kind = Kind::Upgrade;
                self.note(slot, is_in);
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self, before: &Statuses, wakes: &[usize]) -> Result<(), TestCaseError> {
        let statuses = self.statuses();
        self.check_counts(&statuses)?;
        self.check_queue(&statuses)?;
        // Each wait that was called or granted something has been woken for it.
        let mut due = [0; TASKS];
        for slot in 0..SLOTS {
            let has_left = before[slot] == "queued" && statuses[slot] != "queued";
            let is_alive = matches!(&*statuses[slot], "called" | "granted");
            if has_left && is_alive && self.polled != Some(slot) {
                let task = self.seen[slot].and_then(|seen| seen.task);
                due[task.unwrap_or(NO_TASK)] += 1;
            }
        }
        for task in 0..NO_TASK {
            let woken = self.world.tasks[task].0.count() - wakes[task];
            prop_assert!(woken >= due[task], "task {task} is not woken");
        }
        Ok(())
    }

    /// The word counts what is held and granted, and nothing else.
    fn check_counts(&self, statuses: &Statuses) -> Result<(), TestCaseError> {
        let (mut reading, mut writing) = (0, 0);
        let mut count = |kind| match kind {
            Kind::Read | Kind::Upgradable => reading += 1,
            Kind::Write | Kind::Upgrade => writing += 1,
        };
        self.world.held.iter().map(Guard::kind).for_each(&mut count);
        for (seen, status) in self.seen.iter().zip(statuses) {
            let Some(Seen { kind, .. }) = *seen else {
                continue;
            };
            match (&**status, kind) {
                ("granted", kind) => count(kind),
                ("idle" | "queued" | "called", Kind::Upgrade) => count(Kind::Upgradable),
                _ => {}
            }
        }
        let word = self.raw().word();
        prop_assert!(reading <= self.raw().max_readers());
        prop_assert_eq!((readers(word), word & 1), (reading, writing));
        prop_assert!(reading == 0 || writing == 0);
        Ok(())
    }

    /// No wait is left asleep while the first would get in.
    fn check_queue(&self, statuses: &Statuses) -> Result<(), TestCaseError> {
        let raw = self.raw();
        let of = |wanted: &str| statuses.iter().filter(|status| *status == wanted).count();
        prop_assert_eq!(raw.waiter_count(), of("queued"));
        prop_assert_eq!(raw.grant_count(), of("granted"));
        let word = raw.word();
        let list = raw.list.lock();
        let first = list.first_tag(QUEUE);
        prop_assert_eq!(word & WAITING != 0, first.is_some());
        let would_get_in = first.is_some_and(|kind| raw.with(kind, word).is_some());
        prop_assert!(!would_get_in || of("called") != 0, "all are asleep");
        prop_assert!(
            !would_get_in || !list.is_out_of_patience(),
            "it is handed over"
        );
        let is_open = first.is_none_or(|kind| {
            matches!(kind, UPGRADABLE_READ | WRITE) && word & UPGRADABLE != 0
                || !list.is_out_of_patience() && (kind <= tag(Kind::Upgradable) || would_get_in)
        });
        // A wait that takes what is free leaves the flag; the next release clears it.
        prop_assert!(!is_reserved(word) || !is_open, "it is closed to all");
        let upgrades = self.seen.iter().zip(statuses);
        let upgrades = upgrades.filter(|(seen, status)| {
            *status == "queued" && seen.is_some_and(|seen| seen.kind == Kind::Upgrade)
        });
        prop_assert!(
            upgrades.count() == 0 || first == Some(UPGRADE),
            "it is passed"
        );
        Ok(())
    }
}

/// The guard with this number, if it is of this kind.
fn take<'a>(held: &mut Vec<Guard<'a>>, index: usize, kind: Kind) -> Option<Guard<'a>> {
    let is_such = held.get(index).is_some_and(|guard| guard.kind() == kind);
    is_such.then(|| held.remove(index))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 600 } else { 20_000 }))]

    /// readers_share, writer_excludes_all, reader_limit_is_enforced, and no wake-up is
    /// lost, in a lock that is fair in the end.
    #[test]
    fn keeps_its_promises_if_eventual(
        limit in 1..4_usize,
        ops in proptest::collection::vec(op(), 1..80),
    ) {
        let lock = RwLock {
            raw: Raw::new(limit, Fairness::Eventual),
            value: crate::primitive::TrackedCell::new(0),
        };
        let budget = Budget(Cell::new(false));
        let mut program = Program {
            world: World::new(&lock, &budget),
            seen: [None; SLOTS],
            polled: None,
        };
        for op in ops {
            let before = program.statuses();
            let wakes: Vec<_> = program.world.tasks.iter().map(|task| task.0.count()).collect();
            program.polled = None;
            program.step(op)?;
            program.check(&before, &wakes)?;
        }
        end(program.world)?;
    }
}

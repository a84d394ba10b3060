//! What a lock that serves in order ought to be: what is held, a queue, the grants that
//! no task has fetched, and the watch over them.

use std::vec::Vec;

use crate::test_util::watch::{Met, Relation, WatchModel};

/// How many waits there are at a time, at most, and how many tasks. The last of these
/// polls with a no-op waker.
pub(super) const SLOTS: usize = 7;
pub(super) const TASKS: usize = 4;
pub(super) const NO_TASK: Task = TASKS - 1;

pub(super) type Slot = usize;
pub(super) type Task = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Upgradable,
    Write,
    Upgrade,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Idle,
    Queued,
    Granted,
    /// In no queue, and the first in it when it is polled.
    Called,
    Finished,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// Which node it is: a waiter has the same from one wait to the next.
    pub(super) node: usize,
    pub(super) kind: Kind,
    pub(super) status: Status,
    /// The task to wake, or, once granted, of which task it is.
    pub(super) task: Option<Task>,
    /// The task of a waiter, from one wait to the next.
    pub(super) kept: Option<Task>,
    pub(super) is_future: bool,
}

/// What the lock ought to be.
#[derive(Default)]
pub(super) struct Model {
    limit: usize,
    /// Upgradable ones included.
    pub(super) readers: usize,
    upgradable: bool,
    writer: bool,
    pub(super) queue: Vec<Slot>,
    pub(super) grants: Vec<Slot>,
    watch: WatchModel,
    pub(super) waits: [Option<Wait>; SLOTS],
    pub(super) wakes: [usize; TASKS],
    pub(super) broke: bool,
    pub(super) held: Vec<Kind>,
}

impl Model {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    pub(super) fn wait(&mut self, slot: Slot) -> &mut Wait {
        self.waits[slot].as_mut().unwrap()
    }

    fn wake(&mut self, task: Option<Task>) {
        if let Some(task) = task {
            self.wakes[task] += 1;
        }
    }

    /// What is held more of, if it is compatible.
    pub(super) fn enter(&mut self, kind: Kind) -> bool {
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
    pub(super) fn leave(&mut self, kind: Kind) {
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

    pub(super) fn try_enter(&mut self, kind: Kind) -> bool {
        (self.queue.is_empty() || kind == Kind::Upgrade) && self.enter(kind)
    }

    /// Lets in the waits of the queue, in order.
    pub(super) fn serve(&mut self) {
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
    pub(super) fn unlock(&mut self, kind: Kind) {
        self.leave(kind);
        self.serve();
    }

    /// Whether it has its guard.
    pub(super) fn poll(&mut self, slot: Slot, task: Task) -> bool {
        let wait = *self.wait(slot);
        let task = if wait.is_future {
            Some(task)
        } else {
            wait.kept
        };
        let won = match wait.status {
            Status::Idle | Status::Called => self.queue(slot, task),
            Status::Queued | Status::Granted => self.look(slot, task),
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

    /// A wait that is in no queue. Whether it has what it waits for.
    fn queue(&mut self, slot: Slot, task: Option<Task>) -> bool {
        let Wait { kind, status, .. } = *self.wait(slot);
        if self.try_enter(kind) {
            return true;
        }
        self.wait(slot).status = Status::Queued;
        self.wait(slot).task = task;
        if status == Status::Called {
            let behind = usize::from(self.first_upgrades());
            self.queue.insert(behind, slot);
            self.serve();
            return self.look(slot, task);
        }
        let place = if kind == Kind::Upgrade {
            0
        } else {
            self.queue.len()
        };
        self.queue.insert(place, slot);
        match self.meet(slot, true) {
            Met::Nothing => false,
            Met::Again => {
                self.wake(task);
                false
            }
            Met::Own | Met::Stale => self.look(slot, task),
        }
    }

    fn first_upgrades(&self) -> bool {
        let first = self.queue.first();
        first.is_some_and(|first| self.waits[*first].unwrap().kind == Kind::Upgrade)
    }

    /// Fetches its grant, or meets those of others.
    fn look(&mut self, slot: Slot, task: Option<Task>) -> bool {
        loop {
            match self.wait(slot).status {
                Status::Granted => {
                    self.take_grant(slot);
                    return true;
                }
                Status::Called => return self.queue(slot, task),
                _ => {}
            }
            if task.is_some() {
                self.wait(slot).task = task;
            }
            match self.meet(slot, false) {
                Met::Nothing => return false,
                Met::Again => {
                    self.wake(task);
                    return false;
                }
                Met::Own | Met::Stale => {}
            }
        }
    }

    fn take_grant(&mut self, slot: Slot) {
        self.grants.retain(|granted| *granted != slot);
        self.watch.forget(slot);
    }

    /// A queued wait meets what has been granted and is not fetched.
    fn meet(&mut self, slot: Slot, first: bool) -> Met {
        let task_of = |slot: Slot| {
            self.waits[slot]
                .unwrap()
                .task
                .filter(|&task| task != NO_TASK)
        };
        let own = task_of(slot);
        let relation = |grant| Relation::of(own, task_of(grant));
        let node = self.waits[slot].unwrap().node;
        let met = self.watch.meet(node, &self.grants, relation, first);
        if matches!(met, Met::Own | Met::Stale) {
            let granted = self.watch.take();
            self.take_grant(granted);
            self.wait(granted).status = Status::Called;
            if met == Met::Own && !self.first_upgrades() {
                self.queue.retain(|queued| *queued != slot);
                self.queue.insert(0, slot);
            }
            let kind = self.wait(granted).kind;
            self.unlock(kind);
        }
        met
    }

    /// A wait ends, or is made as new.
    pub(super) fn abandon(&mut self, slot: Slot) {
        let Wait { kind, status, .. } = *self.wait(slot);
        self.wait(slot).status = Status::Idle;
        self.queue.retain(|queued| *queued != slot);
        self.take_grant(slot);
        match (status, kind) {
            (Status::Granted, Kind::Upgrade) => self.leave(Kind::Write),
            (Status::Granted, kind) => self.leave(kind),
            (Status::Idle | Status::Queued | Status::Called, Kind::Upgrade) => {
                self.leave(Kind::Upgradable);
            }
            _ => {}
        }
        self.end_upgrade(slot);
        self.serve();
    }

    pub(super) fn set_waker(&mut self, slot: Slot, task: Task) {
        let wait = self.wait(slot);
        wait.kept = Some(task);
        match wait.status {
            Status::Idle | Status::Finished => {}
            Status::Queued => wait.task = Some(task),
            Status::Called => self.wake(Some(task)),
            Status::Granted => {
                wait.task = Some(task);
                // It is the latest grant now.
                self.take_grant(slot);
                self.grants.push(slot);
                self.wake(Some(task));
            }
        }
    }
}

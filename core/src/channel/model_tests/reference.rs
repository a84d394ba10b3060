//! What a channel that serves in order ought to be.

use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

use super::super::TrySendError;
use crate::test_util::watch::{Met, Relation, WatchModel};

/// How many waits there are at a time, at most, and how many tasks. The last of these
/// polls with a no-op waker.
pub(super) const WAITS: usize = 6;
pub(super) const TASKS: usize = 4;
pub(super) const NO_TASK: Task = TASKS - 1;
/// The wait that the first receiver itself has.
pub(super) const PLACE: usize = WAITS;

pub(super) type Message = usize;
pub(super) type Task = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Send(Message),
    Reserve(usize),
    Recv,
    RecvMany(usize),
    Closed,
    /// A `Waiter` to receive, or to reserve.
    RecvWith,
    ReserveWith,
    Place,
}

impl Kind {
    pub(super) fn sends(self) -> bool {
        matches!(self, Self::Send(_) | Self::Reserve(_) | Self::ReserveWith)
    }

    pub(super) fn receives(self) -> bool {
        !self.sends() && self != Self::Closed
    }

    pub(super) fn wanted(self) -> usize {
        match self {
            Self::Reserve(n) => n,
            _ => 1,
        }
    }

    /// It pays from a budget.
    pub(super) fn pays(self) -> bool {
        !matches!(self, Self::RecvWith | Self::ReserveWith)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Idle,
    Queued,
    Granted,
    /// In no queue, and the first in it when it is polled.
    Called,
    Refused,
    Finished,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// Which node it is.
    pub(super) node: usize,
    pub(super) kind: Kind,
    pub(super) status: Status,
    /// The task to wake, or, once granted, of which task it is.
    pub(super) task: Option<Task>,
    pub(super) spent: bool,
}

/// What came out of a poll.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Sent,
    GaveBack(Message),
    Reserved(usize),
    Received(Vec<Message>),
    Closed,
}

/// What the channel ought to be.
pub(super) struct Model {
    pub(super) capacity: usize,
    pub(super) messages: VecDeque<Message>,
    pub(super) reserved: usize,
    pub(super) closed: bool,
    pub(super) senders: usize,
    pub(super) receivers: usize,
    pub(super) send_queue: Vec<usize>,
    pub(super) slots: Vec<usize>,
    pub(super) receive_queue: Vec<usize>,
    pub(super) promises: Vec<usize>,
    pub(super) watchers: Vec<usize>,
    slot_watch: WatchModel,
    promise_watch: WatchModel,
    pub(super) waits: [Option<Wait>; WAITS + 1],
    pub(super) permits: Vec<usize>,
    pub(super) wakes: [usize; TASKS],
    pub(super) broke: bool,
}

impl Model {
    pub(super) fn new(capacity: usize) -> Self {
        let place = Wait {
            node: 0,
            kind: Kind::Place,
            status: Status::Idle,
            task: None,
            spent: false,
        };
        let mut waits = [None; WAITS + 1];
        waits[PLACE] = Some(place);
        Self {
            capacity,
            messages: VecDeque::new(),
            reserved: 0,
            closed: false,
            senders: 1,
            receivers: 1,
            send_queue: vec![],
            slots: vec![],
            receive_queue: vec![],
            promises: vec![],
            watchers: vec![],
            slot_watch: WatchModel::default(),
            promise_watch: WatchModel::default(),
            waits,
            permits: vec![],
            wakes: [0; TASKS],
            broke: false,
        }
    }

    pub(super) fn wait(&mut self, at: usize) -> &mut Wait {
        self.waits[at].as_mut().unwrap()
    }

    pub(super) fn free(&self) -> usize {
        self.capacity - self.messages.len() - self.reserved
    }

    pub(super) fn is_over(&self) -> bool {
        let more = self.reserved != 0 && self.senders != 0;
        self.closed && (self.receivers == 0 || self.messages.is_empty() && !more)
    }

    pub(super) fn unpromised(&self) -> usize {
        self.messages.len() - self.promises.len()
    }

    pub(super) fn wake(&mut self, at: usize) {
        if let Some(task) = self.wait(at).task {
            self.wakes[task] += 1;
        }
    }

    pub(super) fn admits(&self, n: usize) -> Result<(), TrySendError<()>> {
        if self.closed {
            Err(TrySendError::Closed(()))
        } else if n == 0 || self.send_queue.is_empty() && n <= self.free() {
            Ok(())
        } else {
            Err(TrySendError::Full(()))
        }
    }

    /// Grants what can be granted.
    pub(super) fn settle(&mut self) {
        loop {
            let first = [&self.send_queue, &self.receive_queue].map(|queue| queue.first().copied());
            let Some(at) = first.into_iter().flatten().find(|&at| self.is_there(at)) else {
                break;
            };
            self.grant(at);
            self.wake(at);
        }
        if self.is_over() {
            for at in std::mem::take(&mut self.receive_queue) {
                self.wait(at).status = Status::Refused;
                self.wake(at);
            }
        }
    }

    /// Whether what this wait waits for is there and free.
    fn is_there(&self, at: usize) -> bool {
        let kind = self.waits[at].as_ref().unwrap().kind;
        if kind.sends() {
            kind.wanted() <= self.free()
        } else {
            kind.receives() && self.unpromised() != 0
        }
    }

    /// Grants to a queued wait what is there.
    fn grant(&mut self, at: usize) {
        let kind = self.wait(at).kind;
        self.queue_of(kind).retain(|&queued| queued != at);
        if kind.sends() {
            self.slots.push(at);
            self.reserved += kind.wanted();
        } else {
            self.promises.push(at);
        }
        self.wait(at).status = Status::Granted;
    }

    /// Takes back what was granted. Whether it had been.
    pub(super) fn take_grant(&mut self, at: usize) -> bool {
        let had = self.slots.contains(&at) || self.promises.contains(&at);
        self.slots.retain(|&granted| granted != at);
        self.promises.retain(|&granted| granted != at);
        self.slot_watch.forget(at);
        self.promise_watch.forget(at);
        had
    }

    pub(super) fn end(&mut self) {
        self.closed = true;
        for at in std::mem::take(&mut self.send_queue)
            .into_iter()
            .chain(std::mem::take(&mut self.watchers))
        {
            self.wait(at).status = Status::Refused;
            self.wake(at);
        }
        self.settle();
    }

    pub(super) fn refuses(&self, kind: Kind) -> bool {
        if kind.receives() {
            self.is_over()
        } else {
            self.closed
        }
    }

    pub(super) fn spend(&mut self, at: usize, task: Task) -> bool {
        let broke = self.broke;
        let wait = self.wait(at);
        if wait.kind.pays() && !wait.spent {
            if broke {
                self.wakes[task] += 1;
                return false;
            }
            wait.spent = true;
        }
        true
    }

    pub(super) fn poll(&mut self, at: usize, task: Task) -> Option<Outcome> {
        let Wait { kind, status, .. } = *self.wait(at);
        if let Kind::RecvMany(0) = kind {
            return Some(Outcome::Received(vec![]));
        }
        if status == Status::Idle {
            self.renew(at, task);
            let is_ready = self.refuses(kind)
                || kind.sends() && self.admits(kind.wanted()).is_ok()
                || kind.receives() && self.unpromised() != 0 && self.receive_queue.is_empty();
            // The hint only says that there is some slot.
            let hints = kind.sends() && self.admits(1).is_ok();
            if is_ready || hints {
                if !self.spend(at, task) {
                    if kind.wanted() != 0 {
                        self.queue(at);
                    }
                    return None;
                }
                if is_ready {
                    if self.refuses(kind) {
                        return Some(self.refuse(at));
                    }
                    self.count(kind, 1);
                    return Some(self.act(at));
                }
            }
            if !self.queue(at) {
                return None;
            }
        }
        loop {
            let Wait { status, .. } = *self.wait(at);
            match status {
                Status::Called => {
                    self.renew(at, task);
                    let seems_won = self.refuses(kind)
                        || kind.sends() && self.admits(1).is_ok()
                        || kind.receives()
                            && self.unpromised() != 0
                            && self.receive_queue.is_empty();
                    if seems_won && !self.spend(at, task) {
                        self.come(at);
                        return None;
                    }
                    if !self.come(at) {
                        return None;
                    }
                }
                Status::Queued => {
                    self.renew(at, task);
                    if !self.meet(at, false) {
                        return None;
                    }
                }
                _ if !self.spend(at, task) => return None,
                Status::Refused => return Some(self.refuse(at)),
                Status::Granted => {
                    self.take_grant(at);
                    if kind.sends() && self.receivers == 0 {
                        self.reserved -= kind.wanted();
                        self.settle();
                        return Some(self.refuse(at));
                    }
                    if kind.receives() {
                        // Counted again by `act`.
                        self.promises.push(PLACE);
                    }
                    return Some(self.act(at));
                }
                Status::Idle | Status::Finished => panic!("{status:?}"),
            }
        }
    }

    /// Counts a win that no wait has been granted.
    pub(super) fn count(&mut self, kind: Kind, wins: usize) {
        if kind.sends() {
            self.reserved += kind.wanted() * wins;
        } else {
            // Only their number matters here.
            self.promises.push(PLACE);
        }
    }

    pub(super) fn finish(&mut self, at: usize) {
        let wait = self.wait(at);
        wait.spent = false;
        wait.status = match wait.kind {
            Kind::Place | Kind::RecvWith | Kind::ReserveWith => Status::Idle,
            _ => Status::Finished,
        };
    }

    pub(super) fn refuse(&mut self, at: usize) -> Outcome {
        self.finish(at);
        match self.wait(at).kind {
            Kind::Send(message) => Outcome::GaveBack(message),
            Kind::RecvMany(_) => Outcome::Received(vec![]),
            _ => Outcome::Closed,
        }
    }

    /// Uses a win that is counted.
    pub(super) fn act(&mut self, at: usize) -> Outcome {
        self.finish(at);
        match self.wait(at).kind {
            Kind::Send(message) => {
                self.reserved -= 1;
                self.messages.push_back(message);
                self.settle();
                Outcome::Sent
            }
            Kind::Reserve(n) => {
                self.permits.push(n);
                Outcome::Reserved(n)
            }
            Kind::ReserveWith => {
                self.permits.push(1);
                Outcome::Reserved(1)
            }
            Kind::Closed => panic!("nobody grants the close"),
            Kind::RecvMany(limit) => self.receive(limit),
            Kind::Recv | Kind::RecvWith | Kind::Place => self.receive(1),
        }
    }

    pub(super) fn receive(&mut self, limit: usize) -> Outcome {
        self.promises.pop();
        let count = if self.receive_queue.is_empty() {
            self.unpromised().min(limit)
        } else {
            1
        };
        let received = self.messages.drain(..count).collect();
        self.settle();
        Outcome::Received(received)
    }

    /// A wait in no queue joins it. Whether it is worth looking at.
    fn queue(&mut self, at: usize) -> bool {
        let kind = self.wait(at).kind;
        if self.refuses(kind) {
            self.wait(at).status = Status::Refused;
            return true;
        }
        self.wait(at).status = Status::Queued;
        let is_first = self.queue_of(kind).is_empty();
        self.queue_of(kind).push(at);
        if is_first && self.is_there(at) {
            self.grant(at);
            self.settle();
            return true;
        }
        self.meet(at, true)
    }

    /// A wait that gave way comes, and is the first.
    fn come(&mut self, at: usize) -> bool {
        let kind = self.wait(at).kind;
        if self.refuses(kind) {
            self.wait(at).status = Status::Refused;
            return true;
        }
        self.wait(at).status = Status::Queued;
        self.queue_of(kind).insert(0, at);
        if self.is_there(at) {
            self.grant(at);
            self.settle();
            return true;
        }
        self.meet(at, false)
    }

    /// The task that polls a future; a waiter keeps its own.
    fn renew(&mut self, at: usize, task: Task) {
        let wait = self.wait(at);
        if wait.kind.pays() {
            wait.task = Some(task);
        }
    }

    pub(super) fn queue_of(&mut self, kind: Kind) -> &mut Vec<usize> {
        match kind {
            Kind::Closed => &mut self.watchers,
            kind if kind.sends() => &mut self.send_queue,
            _ => &mut self.receive_queue,
        }
    }

    /// A queued wait meets what has been granted on its side. Whether some of that has
    /// gone on.
    fn meet(&mut self, at: usize, first: bool) -> bool {
        let Wait { kind, node, .. } = *self.wait(at);
        let waits = &self.waits;
        let task_of = |at: usize| {
            waits[at]
                .as_ref()
                .unwrap()
                .task
                .filter(|&task| task != NO_TASK)
        };
        let relation = |grant| Relation::of(task_of(at), task_of(grant));
        let (watch, grants) = match kind {
            Kind::Closed => return false,
            kind if kind.sends() => (&mut self.slot_watch, &self.slots),
            _ => (&mut self.promise_watch, &self.promises),
        };
        match watch.meet(node, grants, relation, first) {
            Met::Nothing => return false,
            Met::Again => {
                self.wake(at);
                return false;
            }
            Met::Own => {
                let queue = self.queue_of(kind);
                queue.retain(|&queued| queued != at);
                queue.insert(0, at);
            }
            Met::Stale => {}
        }
        let watch = if kind.sends() {
            &mut self.slot_watch
        } else {
            &mut self.promise_watch
        };
        let other = watch.take();
        self.give_back(other);
        self.wait(other).status = Status::Called;
        self.settle();
        true
    }

    /// What was granted is granted no more.
    fn give_back(&mut self, at: usize) {
        let kind = self.wait(at).kind;
        if self.take_grant(at) && kind.sends() {
            self.reserved -= kind.wanted();
        }
    }

    /// Takes a wait out of the queue, or passes on what it was granted.
    pub(super) fn abandon(&mut self, at: usize) {
        let Wait { kind, status, .. } = *self.wait(at);
        match status {
            Status::Queued => self.queue_of(kind).retain(|&queued| queued != at),
            Status::Granted => self.give_back(at),
            Status::Called => self.wait(at).status = Status::Idle,
            _ => return,
        }
        self.settle();
    }

    pub(super) fn leave_place(&mut self) {
        self.abandon(PLACE);
        let place = self.wait(PLACE);
        place.status = Status::Idle;
        place.spent = false;
    }

    pub(super) fn has(&self, which: fn(Kind) -> bool) -> bool {
        self.waits[..WAITS]
            .iter()
            .flatten()
            .any(|wait| which(wait.kind) && !matches!(wait.status, Status::Finished))
    }
}

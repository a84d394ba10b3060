//! A floor of tasks that a law runs by itself, one step at a time: what sleeps for
//! ever shows at once, on every backend.

use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::cx::Rng;
use crate::erased::BoxFuture;
use crate::wakers::{Wakes, counting, poll};

/// Tasks, each with one waker for all its polls. Each is polled once at first, in the
/// order in which they came, and then when it has been woken.
pub(super) struct Floor<'a> {
    tasks: Vec<Task<'a>>,
    /// Draws which of those that were woken is next; without it they take turns.
    draws: Option<Rng>,
    /// Where the search for the next goes on.
    next: usize,
}

struct Task<'a> {
    name: &'static str,
    future: Option<BoxFuture<'a, ()>>,
    wakes: Arc<Wakes>,
    waker: Waker,
    seen: Option<usize>,
}

impl Task<'_> {
    fn is_ready(&self) -> bool {
        self.future.is_some() && self.seen != Some(self.wakes.count())
    }
}

/// Why a floor stands still.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// What was to happen has happened.
    Done,
    /// No task has been woken, and these have not ended.
    Asleep(Vec<&'static str>),
    /// So many polls were not enough.
    Busy,
}

impl<'a> Floor<'a> {
    /// One whose tasks take turns.
    pub(super) fn new() -> Self {
        Self {
            tasks: Vec::new(),
            draws: None,
            next: 0,
        }
    }

    /// One whose schedule is drawn.
    pub(super) fn drawn(rng: Rng) -> Self {
        Self {
            draws: Some(rng),
            ..Self::new()
        }
    }

    /// Adds a task, to be polled first when the floor runs.
    pub(super) fn add(&mut self, name: &'static str, future: BoxFuture<'a, ()>) {
        let (wakes, waker) = counting();
        self.tasks.push(Task {
            name,
            future: Some(future),
            wakes,
            waker,
            seen: None,
        });
    }

    fn pick(&mut self) -> Option<usize> {
        let fresh = self.tasks.iter().position(|task| task.seen.is_none());
        if fresh.is_some() {
            return fresh;
        }
        let count = self.tasks.len();
        let mut ready: Vec<_> = (0..count)
            .map(|step| (self.next + step) % count)
            .filter(|place| self.tasks[*place].is_ready())
            .collect();
        if ready.is_empty() {
            return None;
        }
        let which = match &mut self.draws {
            Some(rng) => rng.pick(0..ready.len()),
            None => 0,
        };
        Some(ready.swap_remove(which))
    }

    /// Polls one task that was woken; whether there was one.
    pub(super) fn step(&mut self) -> bool {
        let Some(place) = self.pick() else {
            return false;
        };
        self.next = place + 1;
        let task = &mut self.tasks[place];
        task.seen = Some(task.wakes.count());
        if let Some(future) = &mut task.future {
            if let Poll::Ready(()) = poll(future.as_mut(), &task.waker) {
                task.future = None;
            }
        }
        true
    }

    /// Runs until `is_done`, for at most so many polls.
    pub(super) fn run_until(&mut self, polls: usize, mut is_done: impl FnMut() -> bool) -> End {
        for _ in 0..polls {
            if is_done() {
                return End::Done;
            }
            if !self.step() {
                return match is_done() {
                    true => End::Done,
                    false => End::Asleep(self.unfinished()),
                };
            }
        }
        End::Busy
    }

    /// Runs until every task has ended, for at most so many polls.
    pub(super) fn run(&mut self, polls: usize) -> End {
        for _ in 0..polls {
            if self.unfinished().is_empty() {
                return End::Done;
            }
            if !self.step() {
                return End::Asleep(self.unfinished());
            }
        }
        End::Busy
    }

    fn unfinished(&self) -> Vec<&'static str> {
        let unfinished = self.tasks.iter().filter(|task| task.future.is_some());
        unfinished.map(|task| task.name).collect()
    }
}

//! Tasks of several branches, run on one thread: how often each branch of a loop gets its
//! turn.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use super::{Wakes, counting_waker, poll};

pub(crate) type Branch<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// In which order a task polls its branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As a biased `select!` in a loop, or `join_all`.
    Fixed,
    /// Each turn begins with the next one, as a `join!` that is fair to its branches.
    Rotating,
}

/// A task that polls all its branches in each of its turns.
pub(crate) struct Task<'a> {
    branches: Vec<Branch<'a>>,
    order: Order,
    wakes: Arc<Wakes>,
    waker: Waker,
    seen: usize,
    turns: usize,
}

impl<'a> Task<'a> {
    pub(crate) fn new(order: Order, branches: Vec<Branch<'a>>) -> Self {
        let (wakes, waker) = counting_waker();
        Self {
            branches,
            order,
            wakes,
            waker,
            seen: 0,
            turns: 0,
        }
    }

    /// A turn, if it has been woken since the last; whether it was.
    fn turn(&mut self) -> bool {
        let woken = self.wakes.count();
        if self.turns != 0 && woken == self.seen {
            return false;
        }
        self.seen = woken;
        let first = match self.order {
            Order::Fixed => 0,
            Order::Rotating => self.turns,
        };
        self.turns += 1;
        let count = self.branches.len();
        for at in 0..count {
            let branch = &mut self.branches[(first + at) % count];
            assert!(
                poll(branch.as_mut(), &self.waker).is_pending(),
                "a loop ended"
            );
        }
        true
    }
}

/// Runs the tasks for so many rounds, in each of which all that have been woken have a
/// turn.
#[track_caller]
pub(crate) fn run(tasks: &mut [Task<'_>], rounds: usize) {
    for round in 0..rounds {
        let turns = tasks
            .iter_mut()
            .filter_map(|task| task.turn().then_some(()));
        assert!(turns.count() != 0, "all are asleep in round {round}");
    }
}

/// Lets the other branches and tasks have a turn.
pub(crate) async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if has_yielded {
            return Poll::Ready(());
        }
        has_yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A branch that does `once` for ever, and counts how often it has.
pub(crate) fn looping<'a, F: Future<Output = ()> + 'a>(
    count: &'a Cell<usize>,
    mut once: impl FnMut() -> F + 'a,
) -> Branch<'a> {
    Box::pin(async move {
        loop {
            once().await;
            count.set(count.get() + 1);
        }
    })
}

/// The counts lie within this factor of each other.
#[track_caller]
pub(crate) fn have_equal_shares(counts: &[Cell<usize>], least: usize, factor: usize) {
    let counts: Vec<_> = counts.iter().map(Cell::get).collect();
    let (low, high) = (counts.iter().min(), counts.iter().max());
    let (low, high) = (*low.expect("a branch"), *high.expect("a branch"));
    assert!(low >= least && high <= factor * low, "{counts:?}");
}

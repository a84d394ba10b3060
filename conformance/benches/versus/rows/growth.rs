//! What one wait costs as they become more: from 1 to a million in a queue, from 1 to
//! 1,024 tasks. Nothing may look through a queue, so that the curves are flat but for
//! what memory costs: that of many waits is far away, for everybody.

use crate::harness::Row;
use crate::rows::tasks::{Executor, TURNS};
use crate::rows::{mutex, notify, semaphore};

const WAITERS: [u32; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
const TASKS: [u32; 6] = [1, 4, 16, 64, 256, 1_024];

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for waiters in WAITERS {
        let queue = waiters as usize;
        rows.push(
            Row::new(
                "growth, notify all",
                format!("{waiters} register, are woken, complete"),
                move || notify::all(queue),
            )
            .operations(notify::waits(queue))
            .size(waiters),
        );
    }
    for waiters in WAITERS {
        let queue = waiters as usize;
        rows.push(
            Row::new(
                "growth, cancel",
                format!("{waiters} register, cancel scattered"),
                move || notify::register_and_cancel(queue),
            )
            .operations(notify::waits(queue))
            .size(waiters),
        );
    }
    for tasks in TASKS {
        let executor = Executor::Tokio;
        rows.push(
            Row::new(
                "growth, mutex",
                format!("{tasks} tasks, held over a yield"),
                move || mutex::in_order(executor, tasks as usize, true),
            )
            .operations(tasks * TURNS)
            .size(tasks),
        );
    }
    for tasks in TASKS {
        let executor = Executor::Tokio;
        rows.push(
            Row::new(
                "growth, semaphore",
                format!("{tasks} tasks, 4 permits held over a yield"),
                move || semaphore::contended(executor, tasks as usize),
            )
            .operations(tasks * TURNS)
            .size(tasks),
        );
    }
    rows
}

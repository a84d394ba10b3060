//! Tasks of real executors, on one thread: what a primitive costs where it is used.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::harness::{Contender, OURS, Row, timed};
use crate::task::yield_now;

/// How often each task does its work in one repetition.
pub(crate) const TURNS: u32 = 100;

#[derive(Clone, Copy)]
pub(crate) enum Executor {
    Tokio,
    AsyncExecutor,
}

impl Executor {
    pub(crate) const ALL: [Self; 2] = [Self::Tokio, Self::AsyncExecutor];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::AsyncExecutor => "async-executor",
        }
    }

    /// Runs the tasks that `spawn` makes to their end, and says how long that took.
    fn time<F: Future<Output = ()> + Send + 'static>(
        self,
        tasks: impl Iterator<Item = F>,
    ) -> Duration {
        match self {
            Self::Tokio => one_thread().block_on(async {
                let start = Instant::now();
                let tasks: Vec<_> = tasks.map(tokio::spawn).collect();
                for task in tasks {
                    task.await.expect("no panic");
                }
                start.elapsed()
            }),
            Self::AsyncExecutor => {
                let executor = smol::Executor::new();
                smol::future::block_on(executor.run(async {
                    let start = Instant::now();
                    let tasks: Vec<_> = tasks.map(|task| executor.spawn(task)).collect();
                    for task in tasks {
                        task.await;
                    }
                    start.elapsed()
                }))
            }
        }
    }
}

/// So many tasks, each of which takes its turn at `shared` again and again.
pub(crate) fn contended<S, F, W>(
    name: &'static str,
    executor: Executor,
    count: usize,
    shared: S,
    turn: W,
) -> Contender
where
    S: Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
    W: Fn(&'static S) -> F + Copy + Send + 'static,
{
    // Leaked, so that tasks may borrow it.
    let shared: &'static S = Box::leak(Box::new(shared));
    timed(name, move |times| {
        let task = move || async move {
            for _ in 0..TURNS {
                turn(shared).await;
            }
        };
        (0..times)
            .map(|_| executor.time((0..count).map(|_| task())))
            .sum()
    })
}

/// A runtime of tokio on the thread that calls it.
pub(crate) fn one_thread() -> Runtime {
    Builder::new_current_thread()
        .build()
        .expect("a runtime without a driver")
}

/// A contender that does its work in `block_on` of a runtime, and spends its budget.
pub(crate) fn awaits(
    name: &'static str,
    runtime: Runtime,
    mut work: impl AsyncFnMut() + 'static,
) -> Contender {
    timed(name, move |times| {
        runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..times {
                work().await;
            }
            start.elapsed()
        })
    })
}

/// A task of any kind.
pub(crate) type AnyTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tasks of several kinds, made again for each repetition, until all have ended.
pub(crate) fn meet(
    name: &'static str,
    executor: Executor,
    tasks: impl Fn() -> Vec<AnyTask> + 'static,
) -> Contender {
    timed(name, move |times| {
        (0..times).map(|_| executor.time(tasks().into_iter())).sum()
    })
}

/// Gives up a guard, before a yield or after it.
pub(crate) async fn leave<G>(guard: G, over: bool) {
    if over {
        yield_now().await;
        drop(guard);
    } else {
        drop(guard);
        yield_now().await;
    }
}

/// Two tasks that wake each other in turn, by two signals.
fn plays<S, F, W>(
    name: &'static str,
    executor: Executor,
    new: impl Fn() -> S,
    wait: W,
    signal: fn(&S),
) -> Contender
where
    S: Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
    W: Fn(&'static S) -> F + Copy + Send + 'static,
{
    let table: &'static [S; 2] = Box::leak(Box::new([new(), new()]));
    timed(name, move |times| {
        let player = move |side: usize| async move {
            for _ in 0..TURNS {
                if side == 0 {
                    signal(&table[1]);
                    wait(&table[0]).await;
                } else {
                    wait(&table[1]).await;
                    signal(&table[0]);
                }
            }
        };
        (0..times).map(|_| executor.time((0..2).map(player))).sum()
    })
}

pub(crate) fn ping_pong() -> Vec<Row> {
    Executor::ALL
        .into_iter()
        .map(|executor| {
            Row::new(
                "notify",
                format!("two tasks in turn, {}", executor.name()),
                move || {
                    vec![
                        plays(
                            OURS,
                            executor,
                            anysync::Notify::new,
                            |n| n.wait_future(),
                            |n| n.notify_one(),
                        ),
                        plays(
                            "tokio",
                            executor,
                            tokio::sync::Notify::new,
                            |n| n.notified(),
                            |n| n.notify_one(),
                        ),
                        plays(
                            "asyncband",
                            executor,
                            asyncband::event::AutoResetEvent::new,
                            |n| n.wait(),
                            |n| n.set(),
                        ),
                        plays(
                            "maitake-sync",
                            executor,
                            maitake_sync::WaitQueue::new,
                            |n| async { n.wait().await.expect("open") },
                            |n| n.wake(),
                        ),
                    ]
                },
            )
            .operations(TURNS)
        })
        .collect()
}

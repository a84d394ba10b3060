//! What an executor's handle costs: the same waits on `Bare` and on `Tokio`, inside
//! a task of tokio, whose budget is spent.

use std::future::Future;
use std::time::{Duration, Instant};

use anysync::Bare;
use anysync_tokio::Tokio;

use crate::harness::{Contender, OURS, Row, timed};
use crate::rows::tasks;

pub(super) fn rows() -> Vec<Row> {
    const TIMES: u32 = 64;
    /// In one task, so often with each handle.
    fn both<F: Future, G: Future>(
        bare: impl Fn() -> F + 'static,
        tokio: impl Fn() -> G + 'static,
    ) -> Vec<Contender> {
        vec![run(OURS, bare), run("anysync on Tokio", tokio)]
    }
    fn run<F: Future>(name: &'static str, wait: impl Fn() -> F + 'static) -> Contender {
        let runtime = tasks::one_thread();
        timed(name, move |times| {
            runtime.block_on(async {
                let mut taken = Duration::ZERO;
                for _ in 0..times {
                    // Once a budget has been used up, the next turn has a new one.
                    tokio::task::yield_now().await;
                    let start = Instant::now();
                    for _ in 0..TIMES {
                        wait().await;
                    }
                    taken += start.elapsed();
                }
                taken
            })
        })
    }
    vec![
        Row::new("io", "mutex: lock, free", || {
            let mutex: &'static _ = Box::leak(Box::new(anysync::Mutex::new(0)));
            both(
                || async { *mutex.lock(Bare).await += 1 },
                || async {
                    *mutex.lock(Tokio).await += 1;
                },
            )
        })
        .operations(TIMES),
        Row::new("io", "semaphore: acquire, free", || {
            let semaphore: &'static _ = Box::leak(Box::new(anysync::Semaphore::new(1)));
            both(
                || async { drop(semaphore.acquire(Bare).await) },
                || async { drop(semaphore.acquire(Tokio).await) },
            )
        })
        .operations(TIMES),
        Row::new("io", "notify: a stored permit", || {
            let notify: &'static _ = Box::leak(Box::new(anysync::Notify::new()));
            both(
                || {
                    notify.notify_one();
                    notify.wait(Bare)
                },
                || {
                    notify.notify_one();
                    notify.wait(Tokio)
                },
            )
        })
        .operations(TIMES),
    ]
}

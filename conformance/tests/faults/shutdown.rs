//! Runtimes that end while waits of theirs are queued.

use std::sync::Arc;
use std::time::Duration;

use anysync::{Block, Spawn};
use anysync_conformance::BoxFuture;
use anysync_conformance::cx::{Dropped, DynIo};
use anysync_conformance::subject::{Waiting, owned_wait};
use anysync_sim::Sim;
use futures::executor::LocalPool;
use futures::task::SpawnExt;

use crate::reached::Reached;

/// A way for a runtime to end.
pub(crate) struct Ending {
    pub(crate) name: &'static str,
    /// Starts the tasks, ends the runtime when all have been polled, and returns
    /// when the runtime has said that it has ended.
    run: fn(Vec<BoxFuture<'static, ()>>, &Reached),
}

pub(crate) const RUNTIMES: &[Ending] = &[
    Ending {
        name: "tokio, dropped",
        run: |tasks, polled| drop(tokio_threads(tasks, polled)),
    },
    Ending {
        name: "tokio, in the background",
        run: |tasks, polled| tokio_threads(tasks, polled).shutdown_background(),
    },
    Ending {
        name: "tokio, by a timeout",
        run: |tasks, polled| tokio_threads(tasks, polled).shutdown_timeout(Duration::ZERO),
    },
    Ending {
        name: "tokio on one thread",
        run: |tasks, polled| {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.build().expect("a runtime");
            for task in tasks {
                drop(runtime.spawn(task));
            }
            runtime.block_on(polled.turns());
        },
    },
    Ending {
        name: "tokio's LocalSet",
        run: |tasks, polled| {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.build().expect("a runtime");
            let local = tokio::task::LocalSet::new();
            for task in tasks {
                drop(local.spawn_local(task));
            }
            local.block_on(&runtime, polled.turns());
            drop(local);
        },
    },
    Ending {
        name: "smol's Executor",
        run: |tasks, polled| {
            let executor = smol::Executor::new();
            for task in tasks {
                executor.spawn(task).detach();
            }
            smol::block_on(executor.run(polled.turns()));
        },
    },
    Ending {
        name: "smol's LocalExecutor",
        run: |tasks, polled| {
            let executor = smol::LocalExecutor::new();
            for task in tasks {
                executor.spawn(task).detach();
            }
            smol::block_on(executor.run(polled.turns()));
        },
    },
    Ending {
        name: "futures' LocalPool",
        run: |tasks, polled| {
            let mut pool = LocalPool::new();
            for task in tasks {
                pool.spawner().spawn(task).expect("the pool is there");
            }
            pool.run_until(polled.turns());
        },
    },
    Ending {
        name: "the simulator",
        run: |tasks, polled| {
            let sim = Sim::new(1);
            for task in tasks {
                drop(sim.spawn(task));
            }
            sim.block_on(polled.turns());
            sim.shutdown();
        },
    },
];

fn tokio_threads(tasks: Vec<BoxFuture<'static, ()>>, polled: &Reached) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    for task in tasks {
        drop(runtime.spawn(task));
    }
    polled.wait();
    runtime
}

/// What the runtime drops leaves the queue, and the primitive works elsewhere.
pub(crate) fn ends_with_waiters(waiting: &dyn Waiting, runtime: &Ending) {
    const WAITS: usize = 20;
    let primitive = waiting.fresh(WAITS);
    let (polled, dropped) = (Reached::new(WAITS), Dropped::new());
    let tasks = (0..WAITS).map(|_| {
        let wait = polled.count_first_poll(owned_wait(&primitive, DynIo::bare()));
        let guard = dropped.guard();
        Box::pin(async move {
            wait.await;
            // Not before the wait itself.
            drop(guard);
        }) as BoxFuture<'static, ()>
    });
    (runtime.run)(tasks.collect(), &polled);
    // Some say so before it is true.
    while dropped.count() < WAITS {
        std::thread::yield_now();
    }
    // The guards go with the tasks, in which the waits go first or last.
    while Arc::strong_count(&primitive) > 1 {
        std::thread::yield_now();
    }
    if let Some(queued) = primitive.queued() {
        assert_eq!(queued, 0, "who is still queued");
    }
    primitive.check_later(&DynIo::bare());
}

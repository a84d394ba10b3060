//! The two executors of `futures`.

use std::thread;

use anysync::Block;
use anysync_futures::{FuturesLocal, FuturesPool};

use crate::backend::{Backend, Capability, Face, Root};

/// A `LocalPool`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnLocalPool;

impl Backend for OnLocalPool {
    fn name(&self) -> &str {
        "futures-local-pool"
    }

    fn run(&self, root: Root) {
        let pool = FuturesLocal::default();
        let face = Face::local(pool.clone())
            .spawn_blocking_locally(pool.clone())
            .block_on_fresh(FuturesLocal::default)
            .lacks(Capability::Budget, super::NO_BUDGET);
        pool.block_on(root.on(face));
    }
}

/// A `ThreadPool` with a thread for each processor, two at least.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnThreadPool;

impl Backend for OnThreadPool {
    fn name(&self) -> &str {
        "futures-thread-pool"
    }

    fn run(&self, root: Root) {
        let threads = thread::available_parallelism()
            .map_or(2, usize::from)
            .max(2);
        let pool = FuturesPool::with_threads(threads).expect("the system has threads left");
        let face = Face::runtime(pool.clone())
            .lacks(
                Capability::SpawnLocal,
                "its tasks move between threads; futures-local-pool has local ones",
            )
            .lacks(Capability::Budget, super::NO_BUDGET);
        pool.block_on(root.on(face));
    }
}

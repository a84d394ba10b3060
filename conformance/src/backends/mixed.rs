//! Several executors around the same primitives: each task runs on the next of
//! four.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anysync::io::{TaskHandle, package};
use anysync::{Block, Io, Spawn, SpawnBlocking, Timer};
use anysync_async_std::AsyncStd;
use anysync_futures::FuturesPool;
use anysync_smol::Smol;
use anysync_tokio::{TokioHandle, TokioRuntime};

use crate::backend::{Backend, Capability, Face, Root};

/// The backend `mixed`: tasks go to tokio, async-std, smol and a pool of `futures`
/// in turn, so that whoever waits and whoever wakes are on executors that know
/// nothing of each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mixed;

impl Backend for Mixed {
    fn name(&self) -> &str {
        "mixed"
    }

    fn run(&self, root: Root) {
        let tokio = TokioRuntime::multi_thread().expect("the system has what a runtime needs");
        let executors = Executors {
            tokio: TokioHandle::new(tokio.handle().clone()),
            pool: FuturesPool::with_threads(2).expect("the system has threads left"),
            spawned: Arc::default(),
        };
        let face = Face::runtime(executors.clone())
            .lacks(
                Capability::SpawnLocal,
                "its tasks run on other threads; each executor by itself has local ones",
            )
            .lacks(
                Capability::Budget,
                "its tasks wait by an `Io` that fits each of its executors, which has none",
            );
        executors.block_on(root.on(face));
    }
}

#[derive(Clone, Debug)]
struct Executors {
    tokio: TokioHandle,
    pool: FuturesPool,
    spawned: Arc<AtomicUsize>,
}

impl Io for Executors {}

impl Block for Executors {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.tokio.block_on(future)
    }
}

impl Spawn for Executors {
    type Handle<T: Send + 'static> = TaskHandle<T>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = package(future);
        // What the executors' own handles drop goes on by itself.
        match self.spawned.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => drop(self.tokio.spawn(task)),
            1 => drop(Smol.spawn(task)),
            2 => drop(self.pool.spawn(task)),
            _ => drop(AsyncStd.spawn(task)),
        }
        handle
    }
}

impl SpawnBlocking for Executors {
    type BlockingHandle<T: Send + 'static> = <TokioHandle as SpawnBlocking>::BlockingHandle<T>;

    fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.tokio.spawn_blocking(work)
    }
}

impl Timer for Executors {
    type Instant = <TokioHandle as Timer>::Instant;
    type Sleep = <TokioHandle as Timer>::Sleep;

    fn now(&self) -> Self::Instant {
        self.tokio.now()
    }

    fn deadline(&self, after: Duration) -> Self::Instant {
        self.tokio.deadline(after)
    }

    fn sleep_until(&self, at: Self::Instant) -> Self::Sleep {
        self.tokio.sleep_until(at)
    }
}

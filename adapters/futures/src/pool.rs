//! Thread pools.

use std::future::Future;
use std::io;
use std::sync::OnceLock;

use anysync::io::{TaskHandle, package};
use anysync::{Block, Spawn};
use futures::executor::{self, ThreadPool};

use crate::turn::Turns;

/// One [`ThreadPool`] for the whole process.
///
/// It starts when the first task is spawned, with a thread per processor, and
/// never ends.
///
/// ```
/// use std::time::Duration;
/// use anysync::{Block, Notify, Timer};
/// use anysync_futures::Futures;
///
/// let silent = Notify::new();
/// let heard = Futures.block_on(Futures.timeout(Duration::from_millis(1), silent.wait(Futures)));
/// assert!(heard.is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Futures;

impl Futures {
    fn pool() -> &'static ThreadPool {
        static POOL: OnceLock<ThreadPool> = OnceLock::new();
        POOL.get_or_init(|| {
            ThreadPool::builder()
                .name_prefix("anysync-futures-")
                .create()
                .expect("the operating system starts the pool's threads")
        })
    }
}

/// A [`ThreadPool`] of the program's own.
///
/// Its threads end when every clone is gone and every task is done.
///
/// ```
/// use anysync::{Block, Spawn};
/// use anysync_futures::FuturesPool;
/// use futures::executor::ThreadPool;
///
/// # fn main() -> std::io::Result<()> {
/// let rt = FuturesPool::new(ThreadPool::builder().pool_size(2).create()?);
/// let task = rt.spawn(async { 42 });
/// assert_eq!(rt.block_on(task).unwrap(), 42);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FuturesPool {
    pool: ThreadPool,
}

impl FuturesPool {
    /// A handle of `pool`.
    pub const fn new(pool: ThreadPool) -> Self {
        Self { pool }
    }

    /// A new pool of `threads` threads.
    ///
    /// # Errors
    ///
    /// When the operating system cannot start a thread.
    ///
    /// # Panics
    ///
    /// If `threads` is 0.
    pub fn with_threads(threads: usize) -> io::Result<Self> {
        ThreadPool::builder()
            .pool_size(threads)
            .create()
            .map(Self::new)
    }

    /// The pool itself.
    pub const fn pool(&self) -> &ThreadPool {
        &self.pool
    }
}

impl From<ThreadPool> for FuturesPool {
    fn from(pool: ThreadPool) -> Self {
        Self::new(pool)
    }
}

crate::sleep::impl_timer!([] Futures);
crate::sleep::impl_timer!([] FuturesPool);
crate::impl_spawn_blocking!(Futures);
crate::impl_spawn_blocking!(FuturesPool);

impl Spawn for FuturesPool {
    type Handle<T: Send + 'static> = TaskHandle<T>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_on(&self.pool, future)
    }
}

impl Spawn for Futures {
    type Handle<T: Send + 'static> = TaskHandle<T>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_on(Self::pool(), future)
    }
}

fn spawn_on<F>(pool: &ThreadPool, future: F) -> TaskHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (task, handle) = package(future);
    pool.spawn_ok(Turns::new(pool, task));
    handle
}

impl Block for FuturesPool {
    /// Runs `future` on this thread; tasks run on the pool's threads.
    ///
    /// # Panics
    ///
    /// Inside a task of a pool, or inside another `block_on` of `futures`: with
    /// `futures`' own message.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        executor::block_on(future)
    }
}

impl Block for Futures {
    /// Runs `future` on this thread; tasks run on the pool's threads.
    ///
    /// # Panics
    ///
    /// Inside a task of a pool, or inside another `block_on` of `futures`: with
    /// `futures`' own message.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        executor::block_on(future)
    }
}

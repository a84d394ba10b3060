//! A pool of one thread's own tasks.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::rc::Rc;

use anysync::io::{TaskHandle, package};
use anysync::{Block, SpawnLocal};
use futures::executor::{self, LocalPool, LocalSpawner};
use futures::task::{LocalFutureObj, LocalSpawn};

/// A [`LocalPool`] of one thread's own: its tasks need not be `Send`.
///
/// They run while the thread is in [`block_on`](Block::block_on). Clones share
/// the pool; the last one drops it and cancels its tasks.
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// use anysync::{Block, SpawnLocal};
/// use anysync_futures::FuturesLocal;
///
/// let rt = FuturesLocal::default();
/// let count = Rc::new(Cell::new(41));
/// let task = rt.spawn_local({
///     let count = count.clone();
///     async move { count.set(count.get() + 1) }
/// });
/// rt.block_on(task).unwrap();
/// assert_eq!(count.get(), 42);
/// ```
///
/// A task that holds a clone keeps the pool alive, and the pool keeps its
/// unfinished tasks: such a circle is never freed.
#[derive(Clone)]
pub struct FuturesLocal {
    // Borrowed while the pool runs.
    pool: Rc<RefCell<LocalPool>>,
    spawner: LocalSpawner,
}

impl FuturesLocal {
    /// A handle that owns `pool`.
    pub fn new(pool: LocalPool) -> Self {
        Self {
            spawner: pool.spawner(),
            pool: Rc::new(RefCell::new(pool)),
        }
    }

    /// The pool's spawner, for code that takes one.
    pub const fn spawner(&self) -> &LocalSpawner {
        &self.spawner
    }

    /// Runs the tasks until none of them can go on, and does not wait.
    ///
    /// # Panics
    ///
    /// Inside a task or another `block_on` of `futures`.
    pub fn run_until_stalled(&self) {
        match self.pool.try_borrow_mut() {
            Ok(mut pool) => pool.run_until_stalled(),
            // It is running: this panics with the message of `futures`.
            Err(_) => executor::block_on(async {}),
        }
    }
}

impl Default for FuturesLocal {
    /// A new, empty pool.
    fn default() -> Self {
        Self::new(LocalPool::new())
    }
}

impl From<LocalPool> for FuturesLocal {
    fn from(pool: LocalPool) -> Self {
        Self::new(pool)
    }
}

impl fmt::Debug for FuturesLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FuturesLocal")
            .field("is_running", &self.pool.try_borrow().is_err())
            .finish_non_exhaustive()
    }
}

crate::sleep::impl_timer!([] FuturesLocal);
crate::impl_spawn_blocking!(FuturesLocal);

impl SpawnLocal for FuturesLocal {
    type LocalHandle<T: 'static> = TaskHandle<T>;

    fn spawn_local<F>(&self, future: F) -> Self::LocalHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let (task, handle) = package(future);
        // A pool that is being dropped refuses and drops the task: then the
        // handle says that it was cancelled.
        let _ = self
            .spawner
            .spawn_local_obj(LocalFutureObj::new(Box::new(task)));
        handle
    }
}

impl Block for FuturesLocal {
    /// Runs `future`, and the pool's tasks beside it, on this thread.
    ///
    /// # Panics
    ///
    /// Inside a task, or inside another `block_on` of `futures`: with `futures`'
    /// own message.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        match self.pool.try_borrow_mut() {
            Ok(mut pool) => pool.run_until(future),
            // It is running: this panics with the message of `futures`.
            Err(_) => executor::block_on(future),
        }
    }
}

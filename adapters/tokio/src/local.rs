//! A runtime of one thread's own, for tasks that are not `Send`.

use std::future::Future;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use anysync::{Block, Io, SpawnBlocking, SpawnLocal, Timer};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::handle::impl_by_handle;
use crate::runtime::Owned;
use crate::{Sleep, TokioJoin};

/// A single-threaded tokio runtime and a [`LocalSet`] on it, owned by this handle
/// and its clones: its tasks need not be `Send`.
///
/// They run while the thread is in [`block_on`](Block::block_on). The last clone
/// cancels them and shuts the runtime down, as
/// [`TokioRuntime`](crate::TokioRuntime) does.
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// use anysync::{Block, SpawnLocal};
/// use anysync_tokio::TokioLocal;
///
/// # fn main() -> std::io::Result<()> {
/// let rt = TokioLocal::new()?;
/// let count = Rc::new(Cell::new(41));
/// let task = rt.spawn_local({
///     let count = count.clone();
///     async move { count.set(count.get() + 1) }
/// });
/// rt.block_on(task).unwrap();
/// assert_eq!(count.get(), 42);
/// # Ok(())
/// # }
/// ```
///
/// Its own tasks better hold a [`Tokio`](crate::Tokio), which spawns on the
/// same `LocalSet` and on the same runtime: a task that holds a clone of this
/// keeps its own executor alive, and such a circle is never freed.
#[derive(Clone, Debug)]
pub struct TokioLocal {
    owned: Rc<Local>,
}

#[derive(Debug)]
struct Local {
    // Dropped first, so that the tasks end while their runtime is there.
    tasks: LocalSet,
    owned: Owned,
}

impl TokioLocal {
    /// A new runtime, with everything enabled.
    ///
    /// # Errors
    ///
    /// When the operating system refuses what the runtime needs.
    pub fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self::with_runtime(runtime))
    }

    /// Takes over `runtime`, which is better a single-threaded one: only the
    /// thread in [`block_on`](Block::block_on) runs local tasks.
    pub fn with_runtime(runtime: Runtime) -> Self {
        Self {
            owned: Rc::new(Local {
                tasks: LocalSet::new(),
                owned: Owned::new(runtime),
            }),
        }
    }

    /// The tasks that are not `Send`.
    pub fn local_set(&self) -> &LocalSet {
        &self.owned.tasks
    }

    /// The runtime itself.
    pub fn runtime(&self) -> &Runtime {
        self.owned.owned.runtime()
    }

    /// tokio's handle of the runtime.
    pub fn handle(&self) -> &Handle {
        self.runtime().handle()
    }
}

impl From<Runtime> for TokioLocal {
    fn from(runtime: Runtime) -> Self {
        Self::with_runtime(runtime)
    }
}

impl_by_handle!(TokioLocal);

impl SpawnLocal for TokioLocal {
    type LocalHandle<T: 'static> = TokioJoin<T>;

    fn spawn_local<F>(&self, future: F) -> Self::LocalHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.local_set().spawn_local(future).into()
    }
}

impl Block for TokioLocal {
    /// Runs `future`, and the local tasks beside it, on this thread.
    ///
    /// # Panics
    ///
    /// Inside a task or another `block_on`, with tokio's own message.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.local_set().block_on(self.runtime(), future)
    }
}

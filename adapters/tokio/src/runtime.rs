//! A runtime of one's own.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anysync::{Block, Io, Spawn, SpawnBlocking, Timer};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::Instant;

use crate::handle::{impl_by_handle, impl_spawn_by_handle};
use crate::{Sleep, TokioJoin};

/// A tokio runtime that is owned by this handle and its clones.
///
/// The last clone shuts the runtime down and cancels its tasks. Outside a
/// runtime it waits for blocking code that has started; inside one, where tokio
/// forbids to wait, it does not.
///
/// ```
/// use anysync::{Block, Spawn};
/// use anysync_tokio::TokioRuntime;
///
/// # fn main() -> std::io::Result<()> {
/// let rt = TokioRuntime::current_thread()?;
/// let task = rt.spawn(async { 42 });
/// assert_eq!(rt.block_on(task).unwrap(), 42);
/// # Ok(())
/// # }
/// ```
///
/// Tasks of the runtime better hold a [`Tokio`](crate::Tokio): a task that
/// holds a clone of this keeps its own runtime alive.
#[derive(Clone, Debug)]
pub struct TokioRuntime {
    owned: Arc<Owned>,
}

impl TokioRuntime {
    /// Takes over `runtime`.
    pub fn new(runtime: Runtime) -> Self {
        Self {
            owned: Arc::new(Owned::new(runtime)),
        }
    }

    /// A new runtime that runs its tasks on the thread that is in
    /// [`block_on`](Block::block_on), with everything enabled.
    ///
    /// # Errors
    ///
    /// When the operating system refuses what the runtime needs.
    pub fn current_thread() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self::new(runtime))
    }

    /// A new runtime with a thread per processor, with everything enabled.
    ///
    /// # Errors
    ///
    /// When the operating system refuses what the runtime needs.
    pub fn multi_thread() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        Ok(Self::new(runtime))
    }

    /// The runtime itself.
    pub fn runtime(&self) -> &Runtime {
        self.owned.runtime()
    }

    /// tokio's handle of the runtime.
    pub fn handle(&self) -> &Handle {
        self.runtime().handle()
    }
}

impl From<Runtime> for TokioRuntime {
    fn from(runtime: Runtime) -> Self {
        Self::new(runtime)
    }
}

impl_by_handle!(TokioRuntime);
impl_spawn_by_handle!(TokioRuntime);

impl Block for TokioRuntime {
    /// Runs `future` on this thread, and drives the runtime if it is a
    /// single-threaded one.
    ///
    /// # Panics
    ///
    /// Inside a task or another `block_on`, with tokio's own message.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime().block_on(future)
    }
}

/// A runtime that may be dropped anywhere: tokio's panics inside a runtime.
#[derive(Debug)]
pub(crate) struct Owned(Option<Runtime>);

impl Owned {
    pub(crate) const fn new(runtime: Runtime) -> Self {
        Self(Some(runtime))
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken only by `drop`")
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            if Handle::try_current().is_ok() {
                runtime.shutdown_background();
            }
        }
    }
}

//! The executor of the whole process.

use std::future::Future;

use anysync::io::{TaskHandle, package};
use anysync::{Block, Spawn};

/// smol's global executor, which `smol::spawn` uses.
///
/// It starts its threads when the first task is spawned: one, or as many as
/// `SMOL_THREADS` says.
///
/// ```
/// use std::time::Duration;
/// use anysync::{Block, Notify, Timer};
/// use anysync_smol::Smol;
///
/// let silent = Notify::new();
/// let heard = Smol.block_on(Smol.timeout(Duration::from_millis(1), silent.wait(Smol)));
/// assert!(heard.is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Smol;

crate::sleep::impl_timer!([] Smol);
crate::impl_spawn_blocking!([] Smol);

impl Spawn for Smol {
    type Handle<T: Send + 'static> = TaskHandle<T>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = package(future);
        smol::spawn(task).detach();
        handle
    }
}

impl Block for Smol {
    /// Runs `future` on this thread; tasks run on smol's threads.
    ///
    /// It may be called from inside a task: then it blocks that thread of
    /// smol's, of which there is one unless `SMOL_THREADS` says otherwise, and
    /// must not wait for other tasks.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        smol::block_on(future)
    }
}

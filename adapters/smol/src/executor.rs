//! An executor of the program's own.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use anysync::io::{TaskHandle, package};
use anysync::{Block, Spawn};
use smol::Executor;

/// An [`Executor`] of the program's own, shared by an `Arc` or a `&'static`
/// reference.
///
/// Its tasks run on the threads that are in [`block_on`](Block::block_on), and
/// on those that drive [`Executor::run`] by themselves; without any of them
/// they wait.
///
/// ```
/// use std::sync::Arc;
/// use anysync::{Block, Spawn};
/// use anysync_smol::SmolExecutor;
///
/// // Owned: the last clone drops the executor and cancels its tasks.
/// let rt = SmolExecutor::new(Arc::new(smol::Executor::new()));
/// let task = rt.spawn(async { 42 });
/// assert_eq!(rt.block_on(task).unwrap(), 42);
///
/// // Borrowed for ever.
/// static EXECUTOR: smol::Executor<'static> = smol::Executor::new();
/// let rt = SmolExecutor::new(&EXECUTOR);
/// assert_eq!(rt.block_on(rt.spawn(async { 42 })).unwrap(), 42);
/// ```
///
/// More threads for the same executor:
///
/// ```
/// use anysync::{Block, Notify, Spawn};
/// use anysync_smol::SmolExecutor;
///
/// let rt = SmolExecutor::default();
/// let (tell, stop) = smol::channel::bounded::<()>(1);
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         let stop = stop.clone();
///         scope.spawn(|| rt.block_on(async move { stop.recv().await }));
///     }
///     rt.block_on(rt.spawn(async { 42 })).unwrap();
///     drop(tell);
/// });
/// ```
///
/// A task that holds a clone keeps the executor alive, and the executor keeps
/// its unfinished tasks: with an `Arc`, such a circle is never freed.
#[derive(Clone, Copy)]
pub struct SmolExecutor<E = Arc<Executor<'static>>> {
    executor: E,
}

impl<E: Deref<Target = Executor<'static>>> SmolExecutor<E> {
    /// A handle of `executor`.
    pub const fn new(executor: E) -> Self {
        Self { executor }
    }

    /// The executor itself.
    pub fn executor(&self) -> &Executor<'static> {
        &self.executor
    }
}

impl Default for SmolExecutor {
    /// A new executor, owned by this handle and its clones.
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl<E: Deref<Target = Executor<'static>>> fmt::Debug for SmolExecutor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SmolExecutor")
            .field(self.executor())
            .finish()
    }
}

crate::sleep::impl_timer!([E: Deref<Target = Executor<'static>>] SmolExecutor<E>);
crate::impl_spawn_blocking!([E: Deref<Target = Executor<'static>>] SmolExecutor<E>);

impl<E> Spawn for SmolExecutor<E>
where
    E: Deref<Target = Executor<'static>> + Clone + Send + Sync + 'static,
{
    type Handle<T: Send + 'static> = TaskHandle<T>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = package(future);
        self.executor.spawn(task).detach();
        handle
    }
}

impl<E: Deref<Target = Executor<'static>>> Block for SmolExecutor<E> {
    /// Runs `future`, and the executor's tasks beside it, on this thread.
    ///
    /// It may be called from inside a task, and runs the other tasks then too.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        smol::block_on(self.executor.run(future))
    }
}

//! An executor of one thread's own.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::rc::Rc;

use anysync::io::{TaskHandle, package};
use anysync::{Block, SpawnLocal};
use smol::LocalExecutor;

/// A [`LocalExecutor`] of one thread's own, shared by an `Rc` or a reference:
/// its tasks need not be `Send`.
///
/// They run while the thread is in [`block_on`](Block::block_on), or drives
/// [`LocalExecutor::run`] by itself.
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// use anysync::{Block, SpawnLocal};
/// use anysync_smol::SmolLocal;
///
/// let rt = SmolLocal::default();
/// let count = Rc::new(Cell::new(41));
/// let task = rt.spawn_local({
///     let count = count.clone();
///     async move { count.set(count.get() + 1) }
/// });
/// rt.block_on(task).unwrap();
/// assert_eq!(count.get(), 42);
/// ```
///
/// A task that holds a clone keeps the executor alive, and the executor keeps
/// its unfinished tasks: with an `Rc`, such a circle is never freed.
#[derive(Clone, Copy)]
pub struct SmolLocal<E = Rc<LocalExecutor<'static>>> {
    executor: E,
}

impl<E: Deref<Target = LocalExecutor<'static>>> SmolLocal<E> {
    /// A handle of `executor`.
    pub const fn new(executor: E) -> Self {
        Self { executor }
    }

    /// The executor itself.
    pub fn executor(&self) -> &LocalExecutor<'static> {
        &self.executor
    }
}

impl Default for SmolLocal {
    /// A new executor, owned by this handle and its clones.
    fn default() -> Self {
        Self::new(Rc::default())
    }
}

impl<E: Deref<Target = LocalExecutor<'static>>> fmt::Debug for SmolLocal<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SmolLocal").field(self.executor()).finish()
    }
}

crate::sleep::impl_timer!([E: Deref<Target = LocalExecutor<'static>>] SmolLocal<E>);
crate::impl_spawn_blocking!([E: Deref<Target = LocalExecutor<'static>>] SmolLocal<E>);

impl<E: Deref<Target = LocalExecutor<'static>>> SpawnLocal for SmolLocal<E> {
    type LocalHandle<T: 'static> = TaskHandle<T>;

    fn spawn_local<F>(&self, future: F) -> Self::LocalHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let (task, handle) = package(future);
        self.executor.spawn(task).detach();
        handle
    }
}

impl<E: Deref<Target = LocalExecutor<'static>>> Block for SmolLocal<E> {
    /// Runs `future`, and the executor's tasks beside it, on this thread.
    ///
    /// It may be called from inside a task, and runs the other tasks then too.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        smol::block_on(self.executor.run(future))
    }
}

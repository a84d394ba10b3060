#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod channel;
mod sleep;
pub mod sync;

pub use anysync;
pub use sleep::Sleep;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;

use anysync::io::{TaskHandle, package, package_blocking};
use anysync::{Block, Spawn, SpawnBlocking, SpawnLocal};

/// async-std's executor, which is one for the whole process.
///
/// It starts its threads when it is first used: as many as there are
/// processors, or as `ASYNC_STD_THREAD_COUNT` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AsyncStd;

sleep::impl_timer!([] AsyncStd);

impl Spawn for AsyncStd {
    type Handle<T: Send + 'static> = TaskHandle<T>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = package(future);
        drop(async_std::task::spawn(task));
        handle
    }
}

impl SpawnLocal for AsyncStd {
    type LocalHandle<T: 'static> = TaskHandle<T>;

    /// Starts `future` as a task of this thread: of the executor's, or of one
    /// that is in [`block_on`](Block::block_on).
    ///
    /// On another thread the task waits until `block_on` is called there. A
    /// `block_on` within a `block_on` of the same thread does not run local
    /// tasks.
    ///
    /// ```
    /// use std::rc::Rc;
    /// use anysync::{Block, SpawnLocal};
    /// use anysync_async_std::AsyncStd;
    ///
    /// let shared = Rc::new(42);
    /// let task = AsyncStd.spawn_local(async move { *shared });
    /// assert_eq!(AsyncStd.block_on(task).unwrap(), 42);
    /// ```
    fn spawn_local<F>(&self, future: F) -> Self::LocalHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let (task, handle) = package(future);
        async_global_executor::spawn_local(task).detach();
        handle
    }
}

impl SpawnBlocking for AsyncStd {
    type BlockingHandle<T: Send + 'static> = TaskHandle<T>;

    fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (run, handle) = package_blocking(work);
        drop(async_std::task::spawn_blocking(run));
        handle
    }
}

impl Block for AsyncStd {
    /// Runs `future` and this thread's local tasks; other tasks run on the
    /// executor's threads.
    ///
    /// It may be called from inside a task: then it blocks that thread of the
    /// executor's.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        // async-std counts how deep its `block_on` is nested, and forgets to
        // count back when it is left by a panic.
        let mut future = pin!(future);
        let caught = std::future::poll_fn(|cx| {
            match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                Ok(polled) => polled.map(Ok),
                Err(payload) => Poll::Ready(Err(payload)),
            }
        });
        async_std::task::block_on(caught).unwrap_or_else(|payload| resume_unwind(payload))
    }
}

#[doc = include_str!("../MIGRATION.md")]
pub mod migration {}

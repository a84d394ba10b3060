//! The capabilities to start tasks, and [`Runtime`], the sum of what a program
//! usually needs.

use core::future::Future;

use super::{Block, Io, Join, Timer};

/// The capability to start tasks that may move between threads.
///
/// On every executor: the task starts without being awaited, dropping its
/// handle detaches it, a panic inside it is an error of its handle and of nothing else,
/// and [`Join::abort`] drops its future.
///
/// # Examples
///
/// ```
/// use anysync::{Join, JoinError, Spawn};
///
/// async fn both<S: Spawn>(rt: S) -> Result<u32, JoinError> {
///     let left = rt.spawn(async { 20 });
///     let right = rt.spawn(async { 22 });
///     Ok(left.await? + right.await?)
/// }
/// ```
pub trait Spawn: Timer + Clone + Send + Sync + 'static {
    /// Waits for a task's output. Dropping it detaches the task.
    type Handle<T: Send + 'static>: Join<T> + Send;

    /// Starts `future` as a task of its own.
    #[track_caller]
    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;
}

/// The capability to start tasks that stay on their thread and need not be
/// `Send`.
pub trait SpawnLocal: Timer {
    /// Waits for a local task's output. Dropping it detaches the task.
    type LocalHandle<T: 'static>: Join<T>;

    /// Starts `future` as a task that is polled and dropped on this executor's
    /// own thread.
    #[track_caller]
    fn spawn_local<F>(&self, future: F) -> Self::LocalHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static;
}

/// The capability to run blocking code without stopping the executor's tasks.
pub trait SpawnBlocking: Io {
    /// Waits for what the blocking code returns. Dropping it lets the code run
    /// on.
    type BlockingHandle<T: Send + 'static>: Join<T> + Send;

    /// Runs `work` on a thread on which blocking is allowed.
    ///
    /// Code that has started cannot be stopped: [`Join::abort`] succeeds only
    /// as long as it still waits for its thread.
    #[track_caller]
    fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;
}

/// Everything that a program needs of its executor: `fn serve<R: Runtime>(rt: R)`.
///
/// Implemented for whatever has the parts, with sleeps and instants that are
/// `Send`: a task that waits with a timeout or until a deadline may move between
/// threads, and they with it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use anysync::{Join, Runtime};
///
/// fn run<R: Runtime>(rt: R) -> usize {
///     rt.block_on(async {
///         let length = rt.spawn_blocking(|| "read from a file".len());
///         rt.sleep(Duration::from_millis(1)).await;
///         length.await.expect("the blocking part did not panic")
///     })
/// }
/// ```
pub trait Runtime: Spawn<Sleep: Send, Instant: Send> + SpawnBlocking + Block {}

impl<R: Spawn<Sleep: Send, Instant: Send> + SpawnBlocking + Block> Runtime for R {}

//! A runtime that somebody else drives.

use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use anysync::{Block, Io, Spawn, SpawnBlocking, Timer};
use tokio::runtime::{Handle, Runtime};
use tokio::time::Instant;

use crate::{Sleep, TokioJoin};

/// A tokio runtime of which one has the [`Handle`]: it may be used from any
/// thread, inside or outside that runtime.
///
/// ```
/// use std::time::Duration;
/// use anysync::{Block, Spawn, Timer};
/// use anysync_tokio::TokioHandle;
///
/// let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
/// let rt = TokioHandle::from(&runtime);
///
/// // On another executor, with the timer and the tasks of this runtime.
/// let answer = anysync::Bare.block_on(async {
///     rt.sleep(Duration::from_millis(1)).await;
///     rt.spawn(async { 42 }).await
/// });
/// assert_eq!(answer.unwrap(), 42);
/// ```
///
/// When the runtime has shut down, tasks that are spawned are cancelled at once.
#[derive(Clone, Debug)]
pub struct TokioHandle {
    handle: Handle,
}

impl TokioHandle {
    /// The runtime of `handle`.
    pub const fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// The runtime that the code runs in.
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    #[track_caller]
    pub fn current() -> Self {
        Self::new(Handle::current())
    }

    /// tokio's handle.
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl From<Handle> for TokioHandle {
    fn from(handle: Handle) -> Self {
        Self::new(handle)
    }
}

impl From<&Runtime> for TokioHandle {
    fn from(runtime: &Runtime) -> Self {
        Self::new(runtime.handle().clone())
    }
}

/// Gives what has `fn handle(&self) -> &Handle` the capabilities that a handle
/// can provide.
macro_rules! impl_by_handle {
    ($owner:ty) => {
        impl Io for $owner {
            #[inline]
            fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
                crate::poll_spend(cx)
            }
        }

        impl Timer for $owner {
            type Instant = Instant;
            type Sleep = Sleep;

            /// The clock of this runtime.
            fn now(&self) -> Self::Instant {
                let _entered = self.handle().enter();
                Instant::now()
            }

            fn deadline(&self, after: Duration) -> Self::Instant {
                let _entered = self.handle().enter();
                crate::sleep::deadline(after)
            }

            /// # Panics
            ///
            /// If the runtime's time is not enabled.
            fn sleep_until(&self, at: Self::Instant) -> Self::Sleep {
                let _entered = self.handle().enter();
                Sleep::until(at)
            }
        }

        impl SpawnBlocking for $owner {
            type BlockingHandle<T: Send + 'static> = TokioJoin<T>;

            fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
            where
                F: FnOnce() -> T + Send + 'static,
                T: Send + 'static,
            {
                self.handle().spawn_blocking(work).into()
            }
        }
    };
}
pub(crate) use impl_by_handle;

macro_rules! impl_spawn_by_handle {
    ($owner:ty) => {
        impl Spawn for $owner {
            type Handle<T: Send + 'static> = TokioJoin<T>;

            fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                self.handle().spawn(future).into()
            }
        }
    };
}
pub(crate) use impl_spawn_by_handle;

impl_by_handle!(TokioHandle);
impl_spawn_by_handle!(TokioHandle);

impl Block for TokioHandle {
    /// Runs `future` on this thread, in the context of the runtime.
    ///
    /// It does not drive a single-threaded runtime: somebody else has to, or its
    /// tasks and its timer stand still. [`TokioRuntime`](crate::TokioRuntime)
    /// drives its own.
    ///
    /// # Panics
    ///
    /// Inside a task or another `block_on`, with tokio's own message.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle().block_on(future)
    }
}

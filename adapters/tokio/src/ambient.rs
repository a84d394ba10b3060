//! The runtime that the code runs in.

use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use anysync::{Block, Io, Spawn, SpawnBlocking, SpawnLocal, Timer};
use tokio::runtime::{Builder, Handle};
use tokio::task;
use tokio::time::Instant;

use crate::{Sleep, TokioJoin};

/// The tokio runtime that the code runs in.
///
/// Waiting on a primitive works anywhere, also outside a runtime. To sleep or to
/// spawn, be inside one: in [`block_on`](Block::block_on), under
/// `#[tokio::main]` or `#[tokio::test]`, or in a task. Elsewhere hold a
/// [`TokioHandle`](crate::TokioHandle).
///
/// ```
/// use std::time::Duration;
/// use anysync::{Block, Notify, Timer};
/// use anysync_tokio::Tokio;
///
/// Tokio.block_on(async {
///     let silent = Notify::new();
///     let heard = Tokio.timeout(Duration::from_millis(1), silent.wait(Tokio)).await;
///     assert!(heard.is_err());
/// });
/// ```
///
/// # Panics
///
/// Sleeping and spawning panic outside a runtime, and sleeping in one whose time
/// is not enabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tokio;

#[track_caller]
fn current() -> Handle {
    let Ok(handle) = Handle::try_current() else {
        panic!(
            "`Tokio` sleeps and spawns only inside a tokio runtime: call it within \
             `Tokio.block_on(..)` or `#[tokio::main]`, or use a `TokioHandle`"
        );
    };
    handle
}

impl Io for Tokio {
    #[inline]
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        crate::poll_spend(cx)
    }
}

impl Timer for Tokio {
    type Instant = Instant;
    type Sleep = Sleep;

    /// The clock of the runtime, or the system's outside one.
    fn now(&self) -> Self::Instant {
        Instant::now()
    }

    fn deadline(&self, after: Duration) -> Self::Instant {
        crate::sleep::deadline(after)
    }

    /// # Panics
    ///
    /// Outside a runtime, and in one whose time is not enabled.
    fn sleep_until(&self, at: Self::Instant) -> Self::Sleep {
        let _ = current();
        Sleep::until(at)
    }
}

impl Spawn for Tokio {
    type Handle<T: Send + 'static> = TokioJoin<T>;

    /// # Panics
    ///
    /// Outside a runtime.
    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        current().spawn(future).into()
    }
}

impl SpawnLocal for Tokio {
    type LocalHandle<T: 'static> = TokioJoin<T>;

    /// Starts `future` as a task of the current
    /// [`LocalSet`](tokio::task::LocalSet).
    ///
    /// ```
    /// use std::rc::Rc;
    /// use anysync::SpawnLocal;
    /// use anysync_tokio::Tokio;
    /// use tokio::task::LocalSet;
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// let answer = LocalSet::new().block_on(&runtime, async {
    ///     let shared = Rc::new(42);
    ///     Tokio.spawn_local(async move { *shared }).await
    /// });
    /// assert_eq!(answer.unwrap(), 42);
    /// ```
    ///
    /// # Panics
    ///
    /// Outside a `LocalSet`, with tokio's message: tokio's worker threads move
    /// tasks about. Use [`TokioLocal`](crate::TokioLocal), or wrap what calls
    /// this in [`LocalSet::run_until`](tokio::task::LocalSet::run_until).
    fn spawn_local<F>(&self, future: F) -> Self::LocalHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        task::spawn_local(future).into()
    }
}

impl SpawnBlocking for Tokio {
    type BlockingHandle<T: Send + 'static> = TokioJoin<T>;

    /// # Panics
    ///
    /// Outside a runtime.
    fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        current().spawn_blocking(work).into()
    }
}

impl Block for Tokio {
    /// Runs `future` in the current runtime if there is one, as on a thread for
    /// blocking code or after [`Handle::enter`]; else in a multi-threaded runtime
    /// that is built for this call, with everything enabled, as `#[tokio::main]`
    /// does.
    ///
    /// That runtime ends with the call: tasks that are not finished by then are
    /// cancelled, blocking code that has started is waited for.
    ///
    /// # Panics
    ///
    /// Inside a task or another `block_on`, with tokio's own message; and if the
    /// operating system cannot start the runtime's threads.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        match Handle::try_current() {
            Ok(handle) => handle.block_on(future),
            Err(_) => Builder::new_multi_thread()
                .enable_all()
                .build()
                .expect("the operating system starts the runtime's threads")
                .block_on(future),
        }
    }
}

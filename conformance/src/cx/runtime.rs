//! [`DynRuntime`]: a backend as an `anysync::Runtime`.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::ops::Add;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use anysync::{Block, Io, Join, JoinError, Spawn, SpawnBlocking, SpawnLocal, Timer};

use super::{Cx, JoinHandle};
use crate::erased::{BoxFuture, Moment};

/// A backend as an [`anysync::Runtime`], whatever it is: for code that is generic
/// over one, or over [`Io`], [`Timer`], [`Spawn`], [`SpawnLocal`],
/// [`SpawnBlocking`] or [`Block`]. Clones are the same.
///
/// Its tasks are named in a dump by the place that started them.
///
/// # Panics
///
/// A capability that the backend lacks panics when it is used: a test says what it
/// needs. On single-threaded executors, the timer and the tasks panic on another
/// thread than the executor's.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anysync::{Join, JoinError, Runtime};
/// use anysync_conformance::backends::threads::OnThreads;
/// use anysync_conformance::case::Case;
///
/// /// Code of yours.
/// async fn both<R: Runtime>(rt: R) -> Result<u32, JoinError> {
///     let left = rt.spawn(async { 20 });
///     rt.sleep(Duration::from_millis(1)).await;
///     Ok(left.await? + 22)
/// }
///
/// let case = Case::new("both", OnThreads, |cx| {
///     Box::pin(async move { assert_eq!(both(cx.runtime()).await.unwrap(), 42) })
/// });
/// case.run();
/// ```
#[derive(Clone, Debug)]
pub struct DynRuntime(Cx);

/// A point on the clock of a [`DynRuntime`]: how long after the first use of the
/// clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(Duration);

impl Add<Duration> for Tick {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

impl DynRuntime {
    pub(super) fn new(cx: Cx) -> Self {
        Self(cx)
    }

    fn origin(&self) -> &Moment {
        self.0.inner.origin.get_or_init(|| self.0.now())
    }
}

impl Io for DynRuntime {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.inner.face.io.poll_spend(cx)
    }
}

impl Timer for DynRuntime {
    type Instant = Tick;
    type Sleep = BoxFuture<'static, ()>;

    fn now(&self) -> Tick {
        let origin = self.origin();
        Tick(self.0.now().since(origin))
    }

    fn sleep_until(&self, at: Tick) -> Self::Sleep {
        /// What every clock can still add.
        const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 10);
        match at.0 <= FAR {
            true => self.0.sleep_until(&(self.origin().clone() + at.0)),
            // The backend knows how far its clock goes.
            false => self.0.sleep(at.0),
        }
    }
}

impl Spawn for DynRuntime {
    type Handle<T: Send + 'static> = JoinHandle<T>;

    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn(place(Location::caller()), future)
    }
}

impl SpawnLocal for DynRuntime {
    type LocalHandle<T: 'static> = LocalJoinHandle<T>;

    fn spawn_local<F>(&self, future: F) -> LocalJoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        // What the backend passes on has to be `Send`, which an output need not be.
        let output = Rc::new(Cell::new(None));
        let slot = Rc::clone(&output);
        let task = async move { slot.set(Some(future.await)) };
        let handle = self.0.spawn_local(place(Location::caller()), task);
        LocalJoinHandle { handle, output }
    }
}

impl SpawnBlocking for DynRuntime {
    type BlockingHandle<T: Send + 'static> = JoinHandle<T>;

    fn spawn_blocking<F, T>(&self, work: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn_blocking(place(Location::caller()), work)
    }
}

impl Block for DynRuntime {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

fn place(caller: &Location<'_>) -> String {
    format!("{}:{}", caller.file(), caller.line())
}

/// The handle of a local task of a [`DynRuntime`].
#[must_use = "dropping it detaches the task"]
pub struct LocalJoinHandle<T> {
    handle: JoinHandle<()>,
    output: Rc<Cell<Option<T>>>,
}

impl<T> Future for LocalJoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.handle).poll(cx);
        polled.map_ok(|()| {
            let output = self.output.take();
            output.expect("a task that has finished has its output")
        })
    }
}

impl<T> Join<T> for LocalJoinHandle<T> {
    fn abort(&self) {
        self.handle.abort();
    }
}

impl<T> fmt::Debug for LocalJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalJoinHandle(..)")
    }
}

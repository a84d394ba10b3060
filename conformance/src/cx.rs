//! [`Cx`]: what a law or a test has in its hands while it runs.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use anysync::{Bare, Elapsed, Io, Join, JoinError, yield_now};

use crate::backend::{Capability, Face};
use crate::erased::{BoxFuture, Handle, LocalBoxFuture, Moment, Value};
use crate::log::{Log, Scope, Waits, message_of};

mod dropped;
mod gate;
mod rng;
mod runtime;

pub use crate::log::Watched;
pub use dropped::{DropGuard, Dropped};
pub use gate::{Gate, OpenOnDrop};
pub use rng::Rng;
pub(crate) use rng::mix;
pub use runtime::{DynRuntime, LocalJoinHandle, Tick};

/// How long [`Cx::until`] goes on asking.
const PATIENCE: Duration = Duration::from_secs(20);

/// The access of a law or a [test](crate::tests!) to its backend, its seed and its
/// log. Clones are the same.
///
/// Waits go through it with a label, so that a check that hangs can tell who
/// waited on what. A capability that was not declared as needed panics when it is
/// missing. Code that is generic over `anysync`'s own traits takes
/// [`io`](Cx::io) or [`runtime`](Cx::runtime).
///
/// On single-threaded executors the timer, the tasks and their handles work on
/// the executor's thread only: use them from tasks, not from
/// [`thread`](Cx::thread)s.
#[derive(Clone)]
pub struct Cx {
    inner: Arc<Inner>,
}

struct Inner {
    face: Face,
    log: Arc<Log>,
    seed: u64,
    /// Where the ticks of [`Cx::runtime`] begin.
    origin: OnceLock<Moment>,
}

impl Cx {
    pub(crate) fn new(face: Face, log: Arc<Log>, seed: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                face,
                log,
                seed,
                origin: OnceLock::new(),
            }),
        }
    }

    /// The backend's `Io`, to wait with.
    pub fn io(&self) -> DynIo {
        DynIo(Arc::clone(&self.inner.face.io))
    }

    /// The backend as an `anysync::Runtime`, for code that is generic over one, or over
    /// some of its capabilities. One that the backend lacks panics when it is used.
    pub fn runtime(&self) -> DynRuntime {
        DynRuntime::new(self.clone())
    }

    /// Whether the backend has a capability that the law can do without.
    pub fn has(&self, what: Capability) -> bool {
        self.inner.face.has(what)
    }

    pub(crate) fn reason_against(&self, needs: &[Capability]) -> Option<String> {
        self.inner.face.reason_against(needs)
    }

    fn need<'a, T: ?Sized>(&self, part: &'a Option<Arc<T>>, what: Capability) -> &'a T {
        part.as_deref().unwrap_or_else(|| {
            panic!("the backend has no `{what}`, and it was not declared as needed")
        })
    }

    /// Starts a task.
    pub fn spawn<F>(&self, label: impl Into<String>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let label = label.into();
        let spawn = self.need(&self.inner.face.spawn, Capability::Spawn);
        let task: BoxFuture<'static, Value> = Box::pin(async { Box::new(future.await) as Value });
        let task = Watched::new(&self.inner.log, format!("task `{label}`"), task);
        let handle = spawn.spawn(&label, Box::pin(task));
        self.handle(label, handle)
    }

    /// Starts a task that need not be `Send` and stays on this thread.
    pub fn spawn_local<F>(&self, label: impl Into<String>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        let label = label.into();
        let local = self.need(&self.inner.face.local, Capability::SpawnLocal);
        let waits = self.inner.log.waits(format!("local task `{label}`"));
        let log = Arc::clone(&self.inner.log);
        let task: LocalBoxFuture<'static, Value> = Box::pin(async move {
            let _waits = waits;
            let mut future = Box::pin(future);
            let output = std::future::poll_fn(|cx| {
                let _scope = Scope::enter(&log);
                future.as_mut().poll(cx)
            });
            Box::new(output.await) as Value
        });
        self.handle(label, local.spawn_local(task))
    }

    /// Runs blocking code on the backend's threads for it.
    pub fn spawn_blocking<T: Send + 'static>(
        &self,
        label: impl Into<String>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let label = label.into();
        let blocking = self.need(&self.inner.face.blocking, Capability::SpawnBlocking);
        let waits = self.inner.log.waits(format!("blocking code `{label}`"));
        let log = Arc::clone(&self.inner.log);
        let work = Box::new(move || {
            let _waits = waits;
            let _scope = Scope::enter(&log);
            Box::new(work()) as Value
        });
        self.handle(label, blocking.spawn_blocking(work))
    }

    fn handle<T>(&self, label: String, handle: Handle) -> JoinHandle<T> {
        JoinHandle {
            handle,
            label,
            cx: self.clone(),
            waits: None,
            output: PhantomData,
        }
    }

    /// Starts a task, and returns its handle once `future` has been polled for
    /// the first time: a wait is queued by then.
    pub async fn spawn_queued<F>(
        &self,
        label: impl Into<String>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let label = label.into();
        let queued = Gate::new();
        let handle = self.spawn(label.clone(), self.queued(label, &queued, future));
        queued.passed().await;
        handle
    }

    /// Polls `future` once, opens `queued`, and then awaits it: whoever passes
    /// the gate knows that the wait is registered (or over).
    pub fn queued<'a, F>(
        &self,
        label: impl Into<String>,
        queued: &Gate,
        future: F,
    ) -> Watched<'a, F::Output>
    where
        F: Future + Send + 'a,
        F::Output: Send,
    {
        let queued = queued.clone();
        let mut future = Box::pin(future);
        let announced = async move {
            let first = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            queued.open();
            match first {
                Poll::Ready(output) => output,
                Poll::Pending => future.await,
            }
        };
        Watched::new(&self.inner.log, label.into(), Box::pin(announced))
    }

    /// Awaits `future`; the dump lists it under `label` as long as it is
    /// pending.
    pub fn waiting<'a, F>(&self, label: impl Into<String>, future: F) -> Watched<'a, F::Output>
    where
        F: Future + Send + 'a,
    {
        Watched::new(&self.inner.log, label.into(), Box::pin(future))
    }

    /// Yields to the other tasks until `condition` holds.
    ///
    /// # Panics
    ///
    /// If it does not hold within 20 s.
    #[track_caller]
    pub fn until<'a>(
        &self,
        label: &str,
        mut condition: impl FnMut() -> bool + Send + 'a,
    ) -> Watched<'a, ()> {
        let asked = Location::caller();
        let (name, start) = (label.to_owned(), Instant::now());
        let log = Arc::clone(&self.inner.log);
        let asking = async move {
            let mut turns = 0_u64;
            while !condition() {
                assert!(
                    start.elapsed() < PATIENCE,
                    "never came true: {name} (asked at {asked})"
                );
                yield_now().await;
                // Whoever was left behind is to leave the processor to others.
                assert!(!log.is_abandoned(), "given up: {name}");
                turns += 1;
                if turns % 64 == 0 {
                    // Others may need this processor to make it true.
                    thread::sleep(Duration::from_micros(turns.min(1_000)));
                }
            }
        };
        self.waiting(format!("until {label}"), asking)
    }

    /// Lets the other ready tasks run, `turns` times.
    pub async fn yield_turns(&self, turns: usize) {
        for _ in 0..turns {
            yield_now().await;
        }
    }

    /// What time it is on the backend's clock.
    pub fn now(&self) -> Moment {
        self.need(&self.inner.face.timer, Capability::Timer).now()
    }

    /// Sleeps by the backend's timer.
    pub fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.need(&self.inner.face.timer, Capability::Timer)
            .sleep(duration)
    }

    /// Sleeps until a moment of the backend's clock.
    pub fn sleep_until(&self, at: &Moment) -> BoxFuture<'static, ()> {
        self.need(&self.inner.face.timer, Capability::Timer)
            .sleep_until(at)
    }

    /// Gives `future` at most `limit`, by the backend's own `timeout`.
    pub async fn timeout<F>(&self, limit: Duration, future: F) -> Result<F::Output, Elapsed>
    where
        F: Future + Send,
        F::Output: Send,
    {
        let mut output = None;
        let store = Box::pin(async { output = Some(future.await) });
        self.boxed_timeout(limit, store).await?;
        Ok(output.expect("it is stored when the future ends in time"))
    }

    /// The backend's own `timeout`, as it is.
    pub fn boxed_timeout<'a>(
        &self,
        limit: Duration,
        future: BoxFuture<'a, ()>,
    ) -> BoxFuture<'a, Result<(), Elapsed>> {
        self.need(&self.inner.face.timer, Capability::Timer)
            .timeout(limit, future)
    }

    /// Runs `future` on this thread by the backend's `block_on`; only from a
    /// [`thread`](Cx::thread).
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut output = None;
        let block = self.need(&self.inner.face.block, Capability::Block);
        block.block_on(Box::pin(async { output = Some(future.await) }));
        output.expect("`block_on` returned before its future had finished")
    }

    /// Starts a plain thread.
    pub fn thread<T: Send + 'static>(
        &self,
        label: impl Into<String>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> ThreadHandle<T> {
        let label = label.into();
        let waits = self.inner.log.waits(format!("thread `{label}`"));
        let log = Arc::clone(&self.inner.log);
        let (done, result) = gate::slot();
        let run = move || {
            let _waits = waits;
            let _scope = Scope::enter(&log);
            done.put(catch_unwind(AssertUnwindSafe(work)));
        };
        thread::Builder::new()
            .name(label.clone())
            .spawn(run)
            .expect("the system has a thread left");
        ThreadHandle {
            result,
            label,
            cx: self.clone(),
        }
    }

    /// The seed of this check.
    pub fn seed(&self) -> u64 {
        self.inner.seed
    }

    /// Random numbers out of the seed: the same ones at each call.
    pub fn rng(&self) -> Rng {
        Rng::new(self.inner.seed)
    }

    /// Writes down what happened, for the dump of a check that fails.
    pub fn note(&self, text: impl fmt::Display) {
        self.inner.log.note(text.to_string());
    }

    /// Ends the check as skipped, for a reason that shows only while it runs.
    pub fn skip(&self, reason: impl Into<String>) -> ! {
        resume_unwind(Box::new(SkipReason(reason.into())))
    }
}

impl fmt::Debug for Cx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("seed", &self.inner.seed)
            .finish_non_exhaustive()
    }
}

/// What [`Cx::skip`] panics with.
pub(crate) struct SkipReason(pub(crate) String);

/// Panics as the law planned it: without a word, and with a payload that
/// [`is_planned`] knows.
pub fn planned_panic() -> ! {
    resume_unwind(Box::new(Planned))
}

/// Whether a panic was a [`planned_panic`].
pub fn is_planned(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Planned>()
}

struct Planned;

/// The backend's `Io`.
#[derive(Clone)]
pub struct DynIo(Arc<dyn Io + Send + Sync>);

impl DynIo {
    /// One that any executor and any thread can use.
    pub fn bare() -> Self {
        Self(Arc::new(Bare))
    }
}

impl Io for DynIo {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_spend(cx)
    }
}

impl fmt::Debug for DynIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynIo(..)")
    }
}

/// The backend's own handle of a task: a future of how the task ended.
#[must_use = "dropping it detaches the task"]
pub struct JoinHandle<T> {
    handle: Handle,
    label: String,
    cx: Cx,
    waits: Option<Waits>,
    output: PhantomData<fn() -> T>,
}

impl<T: 'static> JoinHandle<T> {
    /// Aborts the task.
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// Lets the task go on by itself.
    pub fn detach(self) {}

    /// The output of a task that is to succeed.
    ///
    /// # Panics
    ///
    /// With the task's own panic, or if it was cancelled.
    pub async fn join(self) -> T {
        let label = self.label.clone();
        match self.await {
            Ok(output) => output,
            Err(error) => match error.try_into_panic() {
                Ok(payload) => resume_unwind(payload),
                Err(_) => panic!("task `{label}` was cancelled, and nobody had aborted it"),
            },
        }
    }
}

impl<T: 'static> Join<T> for JoinHandle<T> {
    fn abort(&self) {
        self.handle.abort();
    }
}

impl<T: 'static> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.handle).poll(cx);
        match polled {
            Poll::Pending => {
                let log = &this.cx.inner.log;
                let label = &this.label;
                this.waits
                    .get_or_insert_with(|| log.waits(format!("join of `{label}`")));
                Poll::Pending
            }
            Poll::Ready(result) => {
                this.waits = None;
                Poll::Ready(result.map(|value| *value.downcast().expect("the task's own output")))
            }
        }
    }
}

/// The handle of a plain thread.
#[must_use = "join it, so that its panic is seen"]
pub struct ThreadHandle<T> {
    result: gate::Slot<thread::Result<T>>,
    label: String,
    cx: Cx,
}

impl<T> ThreadHandle<T> {
    /// Waits for the thread without blocking the executor.
    ///
    /// # Panics
    ///
    /// With the thread's panic.
    pub async fn join(self) -> T {
        let _waits = self
            .cx
            .inner
            .log
            .waits(format!("join of thread `{}`", self.label));
        match self.result.take().await {
            Ok(value) => value,
            Err(payload) => {
                let message = message_of(&*payload);
                self.cx
                    .note(format!("thread `{}` panicked: {message}", self.label));
                resume_unwind(payload)
            }
        }
    }
}

//! [`Sim`], the handle of a simulated world.

use std::fmt;
use std::future::Future;
use std::ops::{Add, Sub};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use anysync::io::{TaskHandle, package, package_blocking};
use anysync::{Block, Io, Join, JoinError, Spawn, SpawnBlocking, SpawnLocal, Timer};
use pin_project_lite::pin_project;
use send_wrapper::SendWrapper;

use crate::builder::Builder;
use crate::world::{NEVER, Task, TaskId, Wait, World};

/// The handle of a simulated world: an executor on one thread, whose schedule is
/// drawn from a seed and whose clock is virtual.
///
/// A test gets one from [`Sim::check`]; as an executor by itself it is made by
/// [`Sim::new`]. Clones are handles of the same world.
///
/// Everything runs on the thread that is in [`block_on`](Block::block_on), in
/// steps: each polls one task to its next await point. The clock stands still as
/// long as any task can run, and then goes straight to the next timer: a test that
/// sleeps for an hour takes no time.
///
/// A task that holds a handle keeps the world alive, and the world its unfinished
/// tasks: outside of `check`, which drops what is left, it takes
/// [`shutdown`](Sim::shutdown) to free such a circle.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use anysync::{Block, Timer};
/// use anysync_sim::Sim;
///
/// let sim = Sim::new(7);
/// let start = sim.now();
/// sim.block_on(sim.sleep(Duration::from_secs(3600)));
/// assert_eq!(sim.now() - start, Duration::from_secs(3600));
/// ```
#[derive(Clone)]
pub struct Sim {
    pub(crate) world: Arc<World>,
}

impl Sim {
    /// A world whose schedule is drawn from `seed`, with the options of
    /// [`Builder::new`].
    pub fn new(seed: u64) -> Self {
        Builder::new().build(seed)
    }

    /// Options for a world or a check.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Runs `test` in `rounds` worlds, each with a schedule of its own.
    ///
    /// A round fails when the test panics, when nobody can go on, or when it does
    /// not end within the limit of steps. The schedule that failed is then made as
    /// plain as it can be, and this panics with a report: what failed, who waits,
    /// what happened step by step, and the seed.
    ///
    /// With `ANYSYNC_SIM_SEED=…` in the environment, only the round of that seed
    /// is run.
    ///
    /// # Panics
    ///
    /// When a round fails; when `rounds` is 0; when `ANYSYNC_SIM_SEED` is set and
    /// is no seed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Join, Mutex, Spawn};
    /// use anysync_sim::Sim;
    ///
    /// Sim::check(100, |io| async move {
    ///     let count = Arc::new(Mutex::new(0));
    ///     let add = |io: Sim| {
    ///         let count = count.clone();
    ///         async move { *count.lock(&io).await += 1 }
    ///     };
    ///     let (a, b) = (io.spawn(add(io.clone())), io.spawn(add(io.clone())));
    ///     a.await.unwrap();
    ///     b.await.unwrap();
    ///     assert_eq!(*count.lock(&io).await, 2);
    /// });
    /// ```
    #[track_caller]
    pub fn check<T, F>(rounds: u64, test: T)
    where
        T: Fn(Self) -> F,
        F: Future<Output = ()>,
    {
        Builder::new().check(rounds, test);
    }

    /// Runs the round of `seed`, as the report of a check named it.
    ///
    /// # Panics
    ///
    /// When it fails.
    ///
    /// # Examples
    ///
    /// ```
    /// use anysync::Timer;
    /// use anysync_sim::Sim;
    ///
    /// Sim::replay(42, |io| async move {
    ///     io.sleep(std::time::Duration::from_secs(1)).await;
    /// });
    /// ```
    #[track_caller]
    pub fn replay<T, F>(seed: u64, test: T)
    where
        T: Fn(Self) -> F,
        F: Future<Output = ()>,
    {
        Builder::new().replay(seed, test);
    }

    /// A task with a name, for reports, or with leave to be cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use anysync_sim::Sim;
    ///
    /// Sim::check(10, |io| async move {
    ///     let task = io.task("client").cancellable().spawn(anysync::yield_now());
    ///     // It was cancelled by the schedule, or it ended.
    ///     assert!(task.await.map_or_else(|error| error.is_cancelled(), |()| true));
    /// });
    /// ```
    pub fn task(&self, name: impl Into<String>) -> TaskBuilder<'_> {
        TaskBuilder {
            sim: self,
            name: name.into(),
            cancellable: false,
        }
    }

    /// Awaits `future`; while it is pending, reports say that its task waits for
    /// `what`, and where this was called.
    ///
    /// # Examples
    ///
    /// ```
    /// use anysync::Notify;
    /// use anysync_sim::Sim;
    ///
    /// let failure = Sim::builder()
    ///     .try_check(1, |io| async move {
    ///         let never = Notify::new();
    ///         io.waiting("the bell", never.wait(&io)).await;
    ///     })
    ///     .unwrap_err();
    /// assert!(failure.to_string().contains("waits for the bell"));
    /// ```
    #[track_caller]
    pub fn waiting<F: Future>(&self, what: impl Into<String>, future: F) -> Waiting<F> {
        Waiting {
            future,
            world: Arc::downgrade(&self.world),
            what: what.into(),
            place: Location::caller(),
        }
    }

    /// Drops every task that is not finished. Those that are spawned later are
    /// dropped at once.
    ///
    /// # Panics
    ///
    /// With the first panic of a task that is dropped, when all of them are.
    ///
    /// # Examples
    ///
    /// ```
    /// use anysync::{Bare, Block, Spawn, Timer};
    /// use anysync_sim::Sim;
    ///
    /// let sim = Sim::new(0);
    /// let own = sim.clone();
    /// let task = sim.spawn(async move { own.sleep(std::time::Duration::MAX).await });
    /// sim.shutdown();
    /// assert!(Bare.block_on(task).unwrap_err().is_cancelled());
    /// ```
    pub fn shutdown(&self) {
        if let Err(payload) = self.world.close() {
            std::panic::resume_unwind(payload);
        }
    }

    #[track_caller]
    fn start(&self, label: Option<&str>, cancellable: bool, task: Task) -> TaskId {
        self.world
            .spawn(label, Location::caller(), cancellable, task)
    }

    #[track_caller]
    fn start_local<F>(
        &self,
        label: Option<&str>,
        cancellable: bool,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let (task, handle) = package(future);
        let task = Confined(Some(SendWrapper::new(Box::pin(task))));
        let id = self.start(label, cancellable, Box::pin(task));
        self.handle(handle, id)
    }

    fn handle<T>(&self, handle: TaskHandle<T>, task: TaskId) -> JoinHandle<T> {
        JoinHandle {
            handle,
            world: Arc::downgrade(&self.world),
            task,
        }
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim")
            .field("now", &self.world.now())
            .finish_non_exhaustive()
    }
}

impl Io for Sim {
    /// Spends nothing; but the schedule may say that the budget is used up, which
    /// puts a turn of the others between a wait that is won and its return.
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        // A waker without data leads to no task: nothing would poll again.
        if !cx.waker().data().is_null() && self.world.spends_in_vain() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl Timer for Sim {
    type Instant = Instant;
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        Instant(self.world.now())
    }

    #[track_caller]
    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep {
            at: at.0,
            world: Arc::downgrade(&self.world),
            timer: None,
            place: Location::caller(),
        }
    }
}

impl Spawn for Sim {
    type Handle<T: Send + 'static> = JoinHandle<T>;

    #[track_caller]
    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = package(future);
        let id = self.start(None, false, Box::pin(task));
        self.handle(handle, id)
    }
}

impl SpawnLocal for Sim {
    type LocalHandle<T: 'static> = JoinHandle<T>;

    /// The task belongs to the calling thread, which has to be the one that runs
    /// the world.
    #[track_caller]
    fn spawn_local<F>(&self, future: F) -> Self::LocalHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.start_local(None, false, future)
    }
}

impl SpawnBlocking for Sim {
    type BlockingHandle<T: Send + 'static> = JoinHandle<T>;

    /// Runs `work` as one step, at a moment that the schedule draws: there is one
    /// thread. Code that blocks until a task does something blocks for ever.
    #[track_caller]
    fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (run, handle) = package_blocking(work);
        let task = Box::pin(async move { run() });
        let id = self.start(Some("blocking code"), false, task);
        self.handle(handle, id)
    }
}

impl Block for Sim {
    /// Runs `future`, and the world's tasks beside it, on this thread.
    ///
    /// Tasks that are left when it ends go on in the next call.
    ///
    /// # Panics
    ///
    /// With the panic of `future`. With a report of who waits when nobody can go
    /// on, or when the limit of steps is reached. Inside a simulation: there is
    /// one thread, and it is busy.
    #[track_caller]
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        match self.world.run(future, Location::caller()) {
            Ok(output) => output,
            Err(stuck) => panic!("{stuck}"),
        }
    }
}

/// A task to be spawned, from [`Sim::task`].
#[derive(Debug)]
#[must_use = "the task starts when it is spawned"]
pub struct TaskBuilder<'a> {
    sim: &'a Sim,
    name: String,
    cancellable: bool,
}

impl TaskBuilder<'_> {
    /// Allows the schedule to cancel it: its future is then dropped at one of its
    /// await points, and its handle says that it was cancelled.
    pub fn cancellable(mut self) -> Self {
        self.cancellable = true;
        self
    }

    /// Starts it.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = package(future);
        let id = self
            .sim
            .start(Some(&self.name), self.cancellable, Box::pin(task));
        self.sim.handle(handle, id)
    }

    /// Starts it as a local task, which need not be `Send`; see
    /// [`SpawnLocal`].
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.sim
            .start_local(Some(&self.name), self.cancellable, future)
    }
}

/// The handle of a task; dropping it detaches the task.
#[must_use = "a handle does nothing unless it is awaited; drop it to detach the task"]
#[derive(Debug)]
pub struct JoinHandle<T> {
    handle: TaskHandle<T>,
    world: Weak<World>,
    task: TaskId,
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.handle).poll(cx);
        if polled.is_pending() {
            if let Some(world) = self.world.upgrade() {
                world.waits_for(Wait::Join(self.task));
            }
        }
        polled
    }
}

impl<T> Join<T> for JoinHandle<T> {
    fn abort(&self) {
        self.handle.abort();
    }
}

/// A point on the virtual clock, which starts at 0 in each world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// How long the world had existed then.
    pub const fn since_start(self) -> Duration {
        self.0
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:?}", self.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Later by so much; at the end of the clock, never.
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// How much later than `earlier` it is; 0 if it is not.
    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The future of [`sleep`](Timer::sleep) and [`sleep_until`](Timer::sleep_until).
///
/// It ends when its world's clock says so, and never once that world is gone.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited or polled"]
pub struct Sleep {
    at: Duration,
    world: Weak<World>,
    timer: Option<u64>,
    place: &'static Location<'static>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(world) = self.world.upgrade() else {
            return Poll::Pending;
        };
        self.timer = world.arm(self.at, self.timer, cx.waker());
        if self.timer.is_none() {
            return Poll::Ready(());
        }
        world.waits_for(Wait::Sleep(self.at, self.place));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(timer), Some(world)) = (self.timer, self.world.upgrade()) {
            if self.at != NEVER {
                world.disarm(self.at, timer);
            }
        }
    }
}

pin_project! {
    /// The future of [`Sim::waiting`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Waiting<F> {
        #[pin]
        future: F,
        world: Weak<World>,
        what: String,
        place: &'static Location<'static>,
    }
}

impl<F: Future> Future for Waiting<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.future.poll(cx);
        if polled.is_pending() {
            if let Some(world) = this.world.upgrade() {
                world.waits_for(Wait::Labelled(this.what.clone(), this.place));
            }
        }
        polled
    }
}

/// A local task, in a world that any thread may hold a handle of. One that is
/// dropped elsewhere than it was made is leaked: it must not be touched there.
struct Confined<F>(Option<SendWrapper<F>>);

impl<F: Future<Output = ()> + Unpin> Future for Confined<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(future) = &mut self.0 else {
            return Poll::Ready(());
        };
        assert!(
            future.valid(),
            "a local task was spawned on another thread than the one that runs the simulation"
        );
        Pin::new(&mut **future).poll(cx)
    }
}

impl<F> Drop for Confined<F> {
    fn drop(&mut self) {
        if let Some(future) = self.0.take() {
            if !future.valid() {
                std::mem::forget(future);
            }
        }
    }
}

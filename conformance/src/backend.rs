//! [`Backend`]: an executor on which the laws run, and [`Face`], what it can do.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use anysync::{Block, Io, Runtime, Spawn, SpawnBlocking, SpawnLocal, Timer};

use crate::cx::Cx;
use crate::erased::{
    BoxFuture, Confined, DynBlock, DynSpawn, DynSpawnBlocking, DynSpawnLocal, DynTimer, Fresh,
    LocalBoxFuture, Shared, Starts,
};
use crate::log::{Log, Scope, message_of};
use crate::report::{Failure, Outcome};

pub(crate) mod probe;

/// What a law may need of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Capability {
    /// It knows the time and waits for it.
    Timer,
    /// It runs more than one task.
    Spawn,
    /// It runs tasks that are not `Send`.
    SpawnLocal,
    /// It has threads to block on.
    SpawnBlocking,
    /// It runs a future to its end on a thread that is not its own.
    Block,
    /// It gives each task a budget.
    Budget,
    /// Plain threads may wake its tasks.
    Threads,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Timer,
        Self::Spawn,
        Self::SpawnLocal,
        Self::SpawnBlocking,
        Self::Block,
        Self::Budget,
        Self::Threads,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::Spawn => "spawn",
            Self::SpawnLocal => "spawn_local",
            Self::SpawnBlocking => "spawn_blocking",
            Self::Block => "block_on",
            Self::Budget => "budget",
            Self::Threads => "threads",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An executor, or one way to set one up.
///
/// Each call of [`run`](Backend::run) should start a fresh instance, so that
/// checks do not disturb one another; an executor that is global cannot.
///
/// # Examples
///
/// An executor that can do nothing but run one future:
///
/// ```
/// use anysync_conformance::backend::{Backend, Face, Root};
///
/// struct Pollster;
///
/// impl Backend for Pollster {
///     fn name(&self) -> &str {
///         "pollster"
///     }
///
///     fn run(&self, root: Root) {
///         anysync::io::block_on(root.on(Face::new(anysync::Bare)));
///     }
/// }
/// ```
pub trait Backend: Send + Sync + 'static {
    /// Its name, in reports and on the command line.
    fn name(&self) -> &str;

    /// Whether the check's [seed](Root::seed) decides the whole schedule, so that
    /// each seed is worth a [round](crate::Suite::rounds) of its own. No, unless
    /// the backend says so.
    fn is_drawn(&self) -> bool {
        false
    }

    /// Tells how a check came to fail, by running it again and again; `check` makes it
    /// anew, with the seed with which it failed. Nothing, unless the backend can.
    fn retell(&self, check: &dyn Fn() -> Root) -> Option<String> {
        let _ = check;
        None
    }

    /// Runs a check under every schedule that there is, but not under more than
    /// `limit`; `check` makes it anew, with the same seed. Nothing, unless the backend
    /// can.
    fn explore(&self, check: &dyn Fn() -> Root, limit: u64) -> Option<Explored> {
        let _ = (check, limit);
        None
    }

    /// Runs `root.on(face)` to its end on this thread, and returns.
    ///
    /// It is called on a thread of its own, which is left behind if it never
    /// returns.
    fn run(&self, root: Root);
}

/// How far an [exploration](Backend::explore) came.
#[derive(Clone, Debug)]
pub struct Explored {
    /// How many schedules were run, unless one failed.
    pub schedules: u64,
    /// Whether these are all that there are.
    pub is_complete: bool,
    /// The first that failed.
    pub failure: Option<Failure>,
}

/// What a backend lacks, with the reasons: it is set up once to find out.
///
/// A backend that cannot run a future at all lacks nothing, for its laws are to
/// fail.
pub fn lacks(backend: Arc<dyn Backend>) -> Vec<(Capability, String)> {
    probe::probe(&backend, probe::LIMIT)
        .map(|probed| probed.lacks)
        .unwrap_or_default()
}

/// Anything that is a [`Runtime`] is a backend: see [`of_runtime`].
pub struct RuntimeBackend<R, M> {
    name: String,
    make: M,
    runtime: PhantomData<fn() -> R>,
}

/// A backend out of a function that starts a runtime.
///
/// # Examples
///
/// ```
/// use anysync_conformance::backend::of_runtime;
/// use anysync_conformance::backends::threads::Threads;
///
/// let backend = of_runtime("my threads", Threads::new);
/// # let _ = backend;
/// ```
pub fn of_runtime<R, M>(name: impl Into<String>, make: M) -> RuntimeBackend<R, M>
where
    M: Fn() -> R + Send + Sync + 'static,
    R: Runtime,
    R::Instant: Send + Sync,
{
    RuntimeBackend {
        name: name.into(),
        make,
        runtime: PhantomData,
    }
}

impl<R, M> Backend for RuntimeBackend<R, M>
where
    M: Fn() -> R + Send + Sync + 'static,
    R: Runtime,
    R::Instant: Send + Sync,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&self, root: Root) {
        let runtime = (self.make)();
        runtime.block_on(root.on(Face::runtime(runtime.clone())));
    }
}

/// What a backend can do: built out of the handles that it has.
///
/// Whatever is not given is missing, and the laws that need it are skipped;
/// [`lacks`](Face::lacks) says why.
pub struct Face {
    pub(crate) io: Arc<dyn Io + Send + Sync>,
    pub(crate) timer: Option<Arc<dyn DynTimer>>,
    pub(crate) spawn: Option<Arc<dyn DynSpawn>>,
    pub(crate) local: Option<Arc<dyn DynSpawnLocal>>,
    pub(crate) blocking: Option<Arc<dyn DynSpawnBlocking>>,
    pub(crate) block: Option<Arc<dyn DynBlock>>,
    budget: bool,
    threads: bool,
    reasons: Vec<(Capability, Cow<'static, str>)>,
}

impl Face {
    /// An executor that has an `Io` and can run one future.
    pub fn new(io: impl Io + Send + Sync + 'static) -> Self {
        Self {
            io: Arc::new(io),
            timer: None,
            spawn: None,
            local: None,
            blocking: None,
            block: None,
            budget: false,
            threads: true,
            reasons: Vec::new(),
        }
    }

    /// A runtime with everything that a [`Runtime`] has.
    pub fn runtime<R>(runtime: R) -> Self
    where
        R: Runtime,
        R::Instant: Send + Sync,
    {
        Self::new(runtime.clone())
            .timer(runtime.clone())
            .spawn(runtime.clone())
            .spawn_blocking(runtime.clone())
            .block_on(runtime)
    }

    /// An executor that belongs to the calling thread: it has a timer and runs
    /// tasks on this thread, `Send` or not.
    pub fn local<R>(runtime: R) -> Self
    where
        R: SpawnLocal + Clone + 'static,
        R::Instant: Send + Sync,
        R::Sleep: 'static,
    {
        let mut face = Self::new(Confined::new(runtime.clone()));
        face.timer = Some(Arc::new(Confined::new(runtime.clone())));
        face.spawn = Some(Arc::new(Confined::new(runtime.clone())));
        face.local = Some(Arc::new(Confined::new(runtime)));
        face
    }

    /// Adds its timer.
    #[must_use]
    pub fn timer<T>(mut self, timer: T) -> Self
    where
        T: Timer + Send + Sync + 'static,
        T::Instant: Send + Sync,
        T::Sleep: Send,
    {
        self.timer = Some(Arc::new(Shared(timer)));
        self
    }

    /// Adds its tasks.
    #[must_use]
    pub fn spawn(mut self, spawn: impl Spawn) -> Self {
        self.spawn = Some(Arc::new(Shared(spawn)));
        self
    }

    /// Adds its tasks, by how it starts one: for an executor that runs a future and
    /// hands nothing back. `start` may be called on any thread; the future it is given
    /// catches its panics and can be aborted.
    ///
    /// # Examples
    ///
    /// A thread for each task:
    ///
    /// ```
    /// use anysync::{Bare, Block};
    /// use anysync_conformance::backend::Face;
    ///
    /// let face = Face::new(Bare).tasks(|task| {
    ///     std::thread::spawn(|| Bare.block_on(task));
    /// });
    /// # let _ = face;
    /// ```
    #[must_use]
    pub fn tasks(mut self, start: impl Fn(BoxFuture<'static, ()>) + Send + Sync + 'static) -> Self {
        self.spawn = Some(Arc::new(Starts(start)));
        self
    }

    /// The same for an executor that belongs to the calling thread: its tasks are
    /// `Send` or not, and started on this thread.
    #[must_use]
    pub fn local_tasks(mut self, start: impl Fn(LocalBoxFuture<'static, ()>) + 'static) -> Self {
        let start = Arc::new(Confined::new(Starts(start)));
        self.spawn = Some(Arc::clone(&start) as Arc<dyn DynSpawn>);
        self.local = Some(start);
        self
    }

    /// Adds its timer, which belongs to the calling thread.
    #[must_use]
    pub fn local_timer<T>(mut self, timer: T) -> Self
    where
        T: Timer + 'static,
        T::Instant: Send + Sync,
        T::Sleep: 'static,
    {
        self.timer = Some(Arc::new(Confined::new(timer)));
        self
    }

    /// Adds its tasks that stay on the calling thread.
    #[must_use]
    pub fn spawn_local(mut self, local: impl SpawnLocal + 'static) -> Self {
        self.local = Some(Arc::new(Confined::new(local)));
        self
    }

    /// Adds its threads to block on.
    #[must_use]
    pub fn spawn_blocking(mut self, blocking: impl SpawnBlocking + Send + Sync + 'static) -> Self {
        self.blocking = Some(Arc::new(Shared(blocking)));
        self
    }

    /// Adds its threads to block on, through a handle that belongs to the
    /// calling thread.
    #[must_use]
    pub fn spawn_blocking_locally(mut self, blocking: impl SpawnBlocking + 'static) -> Self {
        self.blocking = Some(Arc::new(Confined::new(blocking)));
        self
    }

    /// Adds its `block_on`, for threads that are not its own.
    #[must_use]
    pub fn block_on(mut self, block: impl Block + Send + Sync + 'static) -> Self {
        self.block = Some(Arc::new(Shared(block)));
        self
    }

    /// Adds its `block_on` for executors that belong to one thread: a fresh one
    /// is made on the thread that blocks.
    #[must_use]
    pub fn block_on_fresh<B, M>(mut self, make: M) -> Self
    where
        B: Block,
        M: Fn() -> B + Send + Sync + 'static,
    {
        self.block = Some(Arc::new(Fresh(make)));
        self
    }

    /// Says that its `poll_spend` counts.
    #[must_use]
    pub fn budget(mut self) -> Self {
        self.budget = true;
        self
    }

    /// Says that it lacks a capability, even if it was added, and why.
    #[must_use]
    pub fn lacks(mut self, what: Capability, why: impl Into<Cow<'static, str>>) -> Self {
        match what {
            Capability::Timer => self.timer = None,
            Capability::Spawn => self.spawn = None,
            Capability::SpawnLocal => self.local = None,
            Capability::SpawnBlocking => self.blocking = None,
            Capability::Block => self.block = None,
            Capability::Budget => self.budget = false,
            Capability::Threads => self.threads = false,
        }
        self.reasons.push((what, why.into()));
        self
    }

    /// Whether it has a capability.
    pub fn has(&self, what: Capability) -> bool {
        match what {
            Capability::Timer => self.timer.is_some(),
            Capability::Spawn => self.spawn.is_some(),
            Capability::SpawnLocal => self.local.is_some(),
            Capability::SpawnBlocking => self.blocking.is_some(),
            Capability::Block => self.block.is_some(),
            Capability::Budget => self.budget,
            Capability::Threads => self.threads,
        }
    }

    /// Why it cannot do what is needed, if it cannot.
    pub(crate) fn reason_against(&self, needs: &[Capability]) -> Option<String> {
        let missing = needs.iter().copied().find(|need| !self.has(*need))?;
        let reason = self.reasons.iter().find(|(what, _)| *what == missing);
        Some(match reason {
            Some((_, why)) => format!("no {missing}: {why}"),
            None => format!("no {missing}: the backend does not offer it"),
        })
    }
}

/// What a check does once it knows on what it runs.
pub(crate) type Body = Box<dyn FnOnce(Cx) -> BoxFuture<'static, ()> + Send>;

/// A check on its way to an executor.
pub struct Root {
    body: Body,
    needs: Vec<Capability>,
    seed: u64,
    progress: Arc<Progress>,
}

/// How far a check has come; the runner looks on from another thread.
pub(crate) struct Progress {
    pub(crate) log: Arc<Log>,
    pub(crate) polls: AtomicU64,
    /// Whether a poll has begun and not ended.
    pub(crate) in_poll: AtomicBool,
    stage: Mutex<Stage>,
}

pub(crate) enum Stage {
    /// `Root::on` has not been called.
    Given,
    /// The root future exists and is not finished.
    Running,
    /// The executor dropped the root future.
    Dropped,
    Done(Outcome),
}

impl Progress {
    fn set(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// The executor goes on with a future that is over.
    fn polled_again(&self) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Stage::Done(Outcome::Passed | Outcome::Skipped(_)) = *stage {
            let message = "the backend polled the root future again after it had finished: a \
                           future that was `Ready` is to be dropped, or at least left alone";
            *stage = Stage::Done(Outcome::Failed(Failure::new(message.to_owned())));
        }
    }

    /// Takes what the check has come to.
    pub(crate) fn take_stage(&self) -> Stage {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut stage, Stage::Given)
    }
}

impl Root {
    pub(crate) fn new(body: Body, needs: Vec<Capability>, seed: u64) -> (Self, Arc<Progress>) {
        let progress = Arc::new(Progress {
            log: Log::new(),
            polls: AtomicU64::new(0),
            in_poll: AtomicBool::new(false),
            stage: Mutex::new(Stage::Given),
        });
        let root = Self {
            body,
            needs,
            seed,
            progress: Arc::clone(&progress),
        };
        (root, progress)
    }

    /// The seed of this check, for a backend that draws its schedule from it.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The law itself, which panics when it does not hold; for
    /// [`retell`](Backend::retell).
    pub fn law(self, face: Face) -> BoxFuture<'static, ()> {
        (self.body)(Cx::new(face, Arc::clone(&self.progress.log), self.seed))
    }

    /// The future that the executor runs to its end.
    ///
    /// It never panics, and it is `Send`; with a [`Face::local`], it has to be
    /// polled on the thread that made the face.
    pub fn on(self, face: Face) -> RootFuture {
        let progress = self.progress;
        if let Some(reason) = face.reason_against(&self.needs) {
            progress.set(Stage::Done(Outcome::Skipped(reason)));
            return RootFuture {
                main: None,
                is_over: false,
                progress,
            };
        }
        progress.set(Stage::Running);
        let cx = Cx::new(face, Arc::clone(&progress.log), self.seed);
        RootFuture {
            main: Some((self.body)(cx)),
            is_over: false,
            progress,
        }
    }
}

/// The future of [`Root::on`].
#[must_use = "the executor is to run it"]
pub struct RootFuture {
    main: Option<BoxFuture<'static, ()>>,
    /// Whether it has been ready.
    is_over: bool,
    progress: Arc<Progress>,
}

impl Future for RootFuture {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.progress.log.is_abandoned() {
            // It leaves the processor to other checks.
            return Poll::Pending;
        }
        this.progress.polls.fetch_add(1, Ordering::Relaxed);
        if this.is_over {
            this.progress.polled_again();
        }
        let Some(main) = &mut this.main else {
            this.is_over = true;
            return Poll::Ready(());
        };
        let _scope = Scope::enter(&this.progress.log);
        this.progress.in_poll.store(true, Ordering::Relaxed);
        let polled = catch_unwind(AssertUnwindSafe(|| main.as_mut().poll(cx)));
        this.progress.in_poll.store(false, Ordering::Relaxed);
        let mut outcome = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => Outcome::Passed,
            Err(payload) => Outcome::from_panic(payload, &this.progress.log),
        };
        // What the law still holds may panic too.
        let dropped = catch_unwind(AssertUnwindSafe(|| this.main = None));
        if let (Err(payload), Outcome::Passed) = (dropped, &outcome) {
            outcome = Outcome::from_panic(payload, &this.progress.log);
        }
        this.is_over = true;
        this.progress.set(Stage::Done(outcome));
        Poll::Ready(())
    }
}

impl Drop for RootFuture {
    fn drop(&mut self) {
        if let Some(main) = self.main.take() {
            let _scope = Scope::enter(&self.progress.log);
            self.progress.log.keep_waits();
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(main))) {
                let message = message_of(&*payload);
                self.progress
                    .log
                    .note(format!("a panic while the law was dropped: {message}"));
            }
            self.progress.set(Stage::Dropped);
        }
    }
}

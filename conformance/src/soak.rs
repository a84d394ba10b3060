//! [`Soak`]: every kind of primitive under load for a given time, with totals that
//! have to come out exactly.
//!
//! A soak is a row of *epochs*. In each, on a fresh instance of the backend, all
//! scenarios run at once: tasks, and plain threads where the backend lets them
//! wake its tasks, use one primitive, give up some of their waits after a few
//! polls, and are aborted in the middle of others. Then what went in has to equal
//! what came out: messages, permits, entries, leaders. The seed decides what each
//! task draws; on the backend `sim` it decides the schedule, too.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use anysync::{Bare, Block, yield_now};

use crate::backend::{Backend, Body, Capability};
use crate::cx::{Cx, DynIo, Gate, Rng};
use crate::erased::BoxFuture;
use crate::report::{Failure, Outcome};
use crate::runner;
use crate::subject::{Kind, Subject};

/// How long an epoch may take before it counts as hung, unless something else is said.
pub const WATCHDOG: Duration = Duration::from_secs(60);

mod locks;
mod messages;
mod signals;

/// How much a task does in an epoch, where the schedule is not drawn: a simulated
/// run may only take so many steps.
const SIZE: usize = 400;
const SIZE_IF_DRAWN: usize = 12;

/// All scenarios. A new one is a function in a file of `src/soak/`, and its entry.
const SCENARIOS: &[Scenario] = &[
    Scenario::new(Kind::Mutex, |scene| Box::pin(locks::mutex(scene))),
    Scenario::new(Kind::RwLock, |scene| Box::pin(locks::rwlock(scene))),
    Scenario::new(Kind::Semaphore, |scene| Box::pin(locks::semaphore(scene))),
    Scenario::new(Kind::Condvar, |scene| Box::pin(locks::condvar(scene))),
    Scenario::new(Kind::Notify, |scene| Box::pin(signals::notify(scene))),
    Scenario::new(Kind::Barrier, |scene| Box::pin(signals::barrier(scene))),
    Scenario::new(Kind::OnceCell, |scene| Box::pin(signals::once_cell(scene))),
    Scenario::new(Kind::Cancellation, |scene| {
        Box::pin(signals::cancellation(scene))
    }),
    Scenario::new(Kind::Channel, |scene| Box::pin(messages::channel(scene))),
    Scenario::new(Kind::Oneshot, |scene| Box::pin(messages::oneshot(scene))),
    Scenario::new(Kind::Watch, |scene| Box::pin(messages::watch(scene))),
    Scenario::new(Kind::Broadcast, |scene| {
        Box::pin(messages::broadcast(scene))
    }),
];

struct Scenario {
    kind: Kind,
    run: fn(Scene) -> BoxFuture<'static, Sums>,
}

impl Scenario {
    const fn new(kind: Kind, run: fn(Scene) -> BoxFuture<'static, Sums>) -> Self {
        Self { kind, run }
    }
}

/// A soak of one subject on one backend.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use anysync_conformance::soak::Soak;
/// use anysync_conformance::{backends::sim::Simulated, subjects::Anysync};
///
/// let totals = Soak::new(Arc::new(Simulated), Arc::new(Anysync))
///     .time(Duration::from_millis(50))
///     .seed(7)
///     .run()
///     .unwrap_or_else(|failed| panic!("{failed}"));
/// assert!(totals.epochs() > 0);
/// ```
pub struct Soak {
    backend: Arc<dyn Backend>,
    subject: Arc<dyn Subject>,
    time: Duration,
    seed: u64,
    watchdog: Duration,
}

impl Soak {
    /// One epoch, with the seed 0.
    pub fn new(backend: Arc<dyn Backend>, subject: Arc<dyn Subject>) -> Self {
        Self {
            backend,
            subject,
            time: Duration::ZERO,
            seed: 0,
            watchdog: WATCHDOG,
        }
    }

    /// Starts no epoch after this time; there is one at least.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// The seed of the first epoch; each further one has the next number.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How long an epoch may take before it counts as hung.
    #[must_use]
    pub fn watchdog(mut self, watchdog: Duration) -> Self {
        self.watchdog = watchdog;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// The first epoch that fails.
    pub fn run(self) -> Result<Totals, Box<Failed>> {
        self.run_with(|_| ())
    }

    /// The same, and shows the totals after each epoch.
    ///
    /// # Errors
    ///
    /// The first epoch that fails.
    pub fn run_with(self, mut show: impl FnMut(&Totals)) -> Result<Totals, Box<Failed>> {
        let start = Instant::now();
        let mut totals = Totals {
            backend: self.backend.name().to_owned(),
            subject: self.subject.name().to_owned(),
            seed: self.seed,
            epochs: 0,
            time: Duration::ZERO,
            kinds: Vec::new(),
        };
        loop {
            let seed = self.seed.wrapping_add(totals.epochs);
            self.epoch(seed, &mut totals)?;
            totals.time = start.elapsed();
            show(&totals);
            if totals.time >= self.time {
                return Ok(totals);
            }
        }
    }

    fn epoch(&self, seed: u64, totals: &mut Totals) -> Result<(), Box<Failed>> {
        let size = if self.backend.is_drawn() {
            SIZE_IF_DRAWN
        } else {
            SIZE
        };
        let sums: Arc<Mutex<Vec<(Kind, Sums)>>> = Arc::default();
        let body = |sums: Arc<Mutex<Vec<(Kind, Sums)>>>| -> Body {
            let subject = Arc::clone(&self.subject);
            Box::new(move |cx| Box::pin(epoch(cx, subject, size, sums)))
        };
        let (outcome, _) = runner::run(runner::Check {
            backend: Arc::clone(&self.backend),
            body: body(Arc::clone(&sums)),
            needs: vec![Capability::Spawn],
            seed,
            watchdog: self.watchdog,
            is_alone: false,
            is_trial: false,
        });
        let failure = match outcome {
            Outcome::Passed => {
                totals.epochs += 1;
                let sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
                for (kind, sums) in &*sums {
                    totals.add(*kind, sums);
                }
                return Ok(());
            }
            Outcome::Failed(failure) => failure,
            Outcome::Skipped(reason) => Failure::new(format!("nothing was run: {reason}")),
        };
        Err(Box::new(Failed {
            backend: totals.backend.clone(),
            subject: totals.subject.clone(),
            epochs: totals.epochs,
            seed,
            failure,
        }))
    }
}

async fn epoch(
    cx: Cx,
    subject: Arc<dyn Subject>,
    size: usize,
    sums: Arc<Mutex<Vec<(Kind, Sums)>>>,
) {
    let mut rng = cx.rng();
    let mut running = Vec::new();
    for scenario in SCENARIOS {
        // Each draws its own, so that what a subject has decides nothing else.
        let rng = Rng::new(rng.next_u64());
        if !subject.has(scenario.kind) {
            continue;
        }
        let scene = Scene {
            cx: cx.clone(),
            subject: Arc::clone(&subject),
            rng,
            size,
        };
        let name = format!("the scenario of {}", scenario.kind);
        running.push((scenario.kind, cx.spawn(name, (scenario.run)(scene))));
    }
    for (kind, scenario) in running {
        let came = scenario.join().await;
        came.check(kind);
        let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
        sums.push((kind, came));
    }
}

/// What a scenario has in its hands.
struct Scene {
    cx: Cx,
    subject: Arc<dyn Subject>,
    rng: Rng,
    size: usize,
}

/// What each of a scenario's tasks has.
struct Worker {
    number: usize,
    io: DynIo,
    rng: Rng,
}

impl Scene {
    fn worker(&mut self, number: usize, io: DynIo) -> Worker {
        Worker {
            number,
            io,
            rng: Rng::new(self.rng.next_u64()),
        }
    }

    /// Runs `work` in so many tasks, of which one is a plain thread where the
    /// backend has those, and returns what they return.
    async fn team<F>(&mut self, size: usize, work: impl Fn(Worker) -> F) -> Vec<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut tasks = Vec::new();
        let mut thread = None;
        for number in 0..size {
            if number == 1 && self.cx.has(Capability::Threads) {
                let work = work(self.worker(number, DynIo::bare()));
                let running = move || Bare.block_on(work);
                thread = Some(self.cx.thread(format!("thread {number}"), running));
            } else {
                let io = self.cx.io();
                let work = work(self.worker(number, io));
                tasks.push(self.cx.spawn(format!("worker {number}"), work));
            }
        }
        let mut outputs = Vec::new();
        for task in tasks {
            outputs.push(task.join().await);
        }
        if let Some(thread) = thread {
            outputs.push(thread.join().await);
        }
        outputs
    }

    /// Starts `work` again and again, and aborts it wherever it is, until the gate
    /// is open; then tells how often it was aborted.
    fn aborted<F>(
        &mut self,
        done: &Gate,
        work: impl Fn(Worker) -> F + Send + 'static,
    ) -> crate::cx::JoinHandle<u64>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (cx, done, most) = (self.cx.clone(), done.clone(), self.size);
        let mut draws = Rng::new(self.rng.next_u64());
        self.cx.spawn("who aborts", async move {
            let mut aborted = 0;
            for number in 0..most {
                if done.is_open() {
                    break;
                }
                let worker = Worker {
                    number,
                    io: cx.io(),
                    rng: Rng::new(draws.next_u64()),
                };
                let task = cx.spawn("to be aborted", work(worker));
                for _ in 0..draws.pick(0..6) {
                    yield_now().await;
                }
                task.abort();
                match task.await {
                    Ok(()) => {}
                    Err(error) => match error.try_into_panic() {
                        Ok(payload) => std::panic::resume_unwind(payload),
                        Err(_) => aborted += 1,
                    },
                }
            }
            aborted
        })
    }
}

impl Worker {
    /// Half of all waits wait to their end.
    fn patience(&mut self) -> Option<usize> {
        (!self.rng.coin()).then(|| self.rng.pick(0..4))
    }

    /// Awaits `future`, or polls it a few times and drops it.
    async fn try_wait<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut left = self.patience();
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            match &mut left {
                None => Poll::Pending,
                Some(0) => Poll::Ready(None),
                Some(left) => {
                    *left -= 1;
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Lets others run, now and then.
    async fn dawdle(&mut self) {
        for _ in 0..self.rng.pick(0..8).saturating_sub(5) {
            yield_now().await;
        }
    }
}

/// The numbers of a scenario that have names.
type Terms = Vec<(&'static str, u64)>;

/// What came of a scenario.
#[derive(Clone, Debug, Default)]
struct Sums {
    /// Each left side is the right side.
    equations: Vec<(Terms, Terms)>,
    /// What else is worth knowing.
    noted: Terms,
}

impl Sums {
    fn equal(mut self, left: &[(&'static str, u64)], right: &[(&'static str, u64)]) -> Self {
        self.equations.push((left.to_vec(), right.to_vec()));
        self
    }

    fn note(mut self, name: &'static str, count: u64) -> Self {
        self.noted.push((name, count));
        self
    }

    #[track_caller]
    fn check(&self, kind: Kind) {
        for (left, right) in &self.equations {
            let sum = |side: &Terms| side.iter().map(|(_, count)| count).sum::<u64>();
            assert!(
                sum(left) == sum(right),
                "{kind}: not {} = {}",
                Side(left),
                Side(right)
            );
        }
    }

    fn add(&mut self, more: &Self) {
        fn add(to: &mut Terms, more: &Terms) {
            for ((_, count), (_, more)) in to.iter_mut().zip(more) {
                *count += more;
            }
        }
        let sides = self.equations.iter_mut().zip(&more.equations);
        for ((left, right), (more_left, more_right)) in sides {
            add(left, more_left);
            add(right, more_right);
        }
        add(&mut self.noted, &more.noted);
    }
}

/// A side of an equation.
struct Side<'a>(&'a Terms);

impl fmt::Display for Side<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, count)) in self.0.iter().enumerate() {
            let plus = if place == 0 { "" } else { " + " };
            write!(f, "{plus}{count} {name}")?;
        }
        Ok(())
    }
}

/// What all epochs of a soak came to; prints itself, with a line for each kind.
#[derive(Clone, Debug)]
pub struct Totals {
    backend: String,
    subject: String,
    seed: u64,
    epochs: u64,
    time: Duration,
    kinds: Vec<(Kind, Sums)>,
}

impl Totals {
    /// How many epochs there were.
    pub fn epochs(&self) -> u64 {
        self.epochs
    }

    /// How long they took together.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// The kinds that took part.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.kinds.iter().map(|(kind, _)| *kind)
    }

    fn add(&mut self, kind: Kind, sums: &Sums) {
        match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, known)) => known.add(sums),
            None => self.kinds.push((kind, sums.clone())),
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} on {}: {} epochs in {:.0} s, from seed {}; all totals are exact",
            self.subject,
            self.backend,
            self.epochs,
            self.time.as_secs_f64(),
            self.seed,
        )?;
        for (kind, sums) in &self.kinds {
            let equations = sums.equations.iter();
            let equations =
                equations.map(|(left, right)| format!("{} = {}", Side(left), Side(right)));
            let noted = sums.noted.iter();
            let noted = noted.map(|(name, count)| format!("{count} {name}"));
            let parts: Vec<_> = equations.chain(noted).collect();
            writeln!(f, "  {:<13} {}", kind.to_string(), parts.join("; "))?;
        }
        Ok(())
    }
}

/// An epoch that failed; prints what happened and how to repeat it.
#[derive(Clone, Debug)]
pub struct Failed {
    backend: String,
    subject: String,
    epochs: u64,
    seed: u64,
    failure: Failure,
}

impl Failed {
    /// The seed of the epoch.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What went wrong.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure {
            message,
            location,
            dump,
        } = &self.failure;
        writeln!(
            f,
            "{} on {} failed after {} epochs: {message}",
            self.subject, self.backend, self.epochs
        )?;
        if !location.is_empty() {
            writeln!(f, "  at {location}")?;
        }
        for line in dump.lines() {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "  repeat it with: anysync-conformance soak --minutes 1 --backend {} --subject {} \
             --seed {}",
            self.backend, self.subject, self.seed
        )
    }
}

impl std::error::Error for Failed {}

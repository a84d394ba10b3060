//! [`Builder`]: what may happen in a simulation, and the ways to run a test in
//! many of them.

use std::env;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::time::Duration;

use crate::choose::{Choice, Chooser, Strategy};
use crate::panics::{self, Panic, message_of};
use crate::report::{Details, Event, Failure, FailureKind, Origin, Story, Stuck, WhoWaits};
use crate::shrink::shrink;
use crate::sim::Sim;
use crate::world::World;

/// The variable whose number is the seed of the only round that is run.
pub const SEED: &str = "ANYSYNC_SIM_SEED";

/// How many steps a run may take, unless told otherwise.
const STEPS: u64 = 100_000;

/// What the choices of a run may be. The numbers are how often in a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) max_steps: u64,
    pub(crate) spurious_polls: u32,
    pub(crate) delayed_wakes: u32,
    pub(crate) exhausted_budgets: u32,
    pub(crate) unfair_yields: u32,
    pub(crate) cancellations: u32,
    pub(crate) foreign_wakes: bool,
    pub(crate) backtraces: bool,
}

/// Options for a simulation.
///
/// What may go wrong is limited in number, and 0 switches it off. When nothing is
/// said, a check allows a few of each, and an exploration none but one
/// cancellation, since each makes many more schedules.
///
/// # Examples
///
/// ```
/// use anysync::{Join, Spawn};
/// use anysync_sim::{Sim, Strategy};
///
/// Sim::builder()
///     .strategy(Strategy::Pct { changes: 2 })
///     .delayed_wakes(0)
///     .check(50, |io| async move {
///         assert_eq!(io.spawn(async { 42 }).await.unwrap(), 42);
///     });
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until something is run with them"]
pub struct Builder {
    strategy: Strategy,
    first_seed: u64,
    max_steps: u64,
    spurious_polls: Option<u32>,
    delayed_wakes: Option<u32>,
    exhausted_budgets: Option<u32>,
    unfair_yields: Option<u32>,
    cancellations: Option<u32>,
    foreign_wakes: bool,
    backtraces: bool,
}

/// How far an exploration came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// How many schedules were run.
    pub schedules: u64,
    /// Whether these are all that there are, under the options.
    pub is_complete: bool,
}

impl Builder {
    /// The usual options.
    pub const fn new() -> Self {
        Self {
            strategy: Strategy::Mixed,
            first_seed: 0,
            max_steps: STEPS,
            spurious_polls: None,
            delayed_wakes: None,
            exhausted_budgets: None,
            unfair_yields: None,
            cancellations: None,
            foreign_wakes: false,
            backtraces: true,
        }
    }

    /// How the next task is chosen.
    pub const fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// The seed of a check's first round; the others follow it. It is 0, so that a
    /// test does the same each time it is run.
    pub const fn first_seed(mut self, seed: u64) -> Self {
        self.first_seed = seed;
        self
    }

    /// A run that takes more steps than this fails; 100 000 unless told otherwise.
    pub const fn max_steps(mut self, steps: u64) -> Self {
        self.max_steps = steps;
        self
    }

    /// How often a task that nobody woke may be polled.
    pub const fn spurious_polls(mut self, limit: u32) -> Self {
        self.spurious_polls = Some(limit);
        self
    }

    /// How often a wake-up may come late: by 1 µs to about half a second of the
    /// virtual clock, during which timers may end, but by no more than 100 steps.
    pub const fn delayed_wakes(mut self, limit: u32) -> Self {
        self.delayed_wakes = Some(limit);
        self
    }

    /// How often [`poll_spend`](anysync::Io::poll_spend) may say that the budget is
    /// used up, which lets others run between a wait that is won and its return.
    pub const fn exhausted_budgets(mut self, limit: u32) -> Self {
        self.exhausted_budgets = Some(limit);
        self
    }

    /// How often a task that yields may run again before those that were ready, as
    /// it may where there are several threads. In a check half of all yields do,
    /// up to 1000 of them.
    pub const fn unfair_yields(mut self, limit: u32) -> Self {
        self.unfair_yields = Some(limit);
        self
    }

    /// How many tasks may be cancelled at one of their await points, of those that
    /// [allow it](crate::TaskBuilder::cancellable).
    pub const fn cancellations(mut self, limit: u32) -> Self {
        self.cancellations = Some(limit);
        self
    }

    /// Lets other threads wake and spawn tasks.
    ///
    /// A run then depends on more than its seed: it is not repeated or shrunk, and
    /// where everybody waits, it parks until a thread wakes somebody, since it
    /// cannot know a deadlock. The clock still goes on as soon as nobody can run,
    /// whatever the threads are about to do.
    pub const fn foreign_wakes(mut self, allowed: bool) -> Self {
        self.foreign_wakes = allowed;
        self
    }

    /// Whether the report of a deadlock tells at which line each task waits, as far
    /// as the program has debug information. It does; what it tells depends on how
    /// the program was built.
    pub const fn backtraces(mut self, wanted: bool) -> Self {
        self.backtraces = wanted;
        self
    }

    fn options(&self, fault: u32, yields: u32, cancellations: u32) -> Options {
        Options {
            max_steps: self.max_steps,
            spurious_polls: self.spurious_polls.unwrap_or(fault),
            delayed_wakes: self.delayed_wakes.unwrap_or(fault),
            exhausted_budgets: self.exhausted_budgets.unwrap_or(fault),
            unfair_yields: self.unfair_yields.unwrap_or(yields),
            cancellations: self.cancellations.unwrap_or(cancellations),
            foreign_wakes: self.foreign_wakes,
            backtraces: self.backtraces,
        }
    }

    /// The options of a run whose choices are drawn.
    fn drawn(&self) -> Options {
        self.options(8, 1_000, 4)
    }

    /// A world by itself, whose schedule is drawn from `seed`.
    ///
    /// # Examples
    ///
    /// ```
    /// use anysync::Block;
    /// use anysync_sim::Sim;
    ///
    /// let sim = Sim::builder().spurious_polls(0).build(7);
    /// assert_eq!(sim.block_on(async { 42 }), 42);
    /// ```
    pub fn build(&self, seed: u64) -> Sim {
        let chooser = Chooser::drawn(seed, self.strategy);
        Sim {
            world: World::new(chooser, self.drawn(), false),
        }
    }

    /// Runs `test` in `rounds` worlds; see [`Sim::check`].
    ///
    /// # Panics
    ///
    /// With the report of the first round that fails; when `rounds` is 0; when
    /// `ANYSYNC_SIM_SEED` is set and is no seed.
    #[track_caller]
    pub fn check<T, F>(&self, rounds: u64, test: T)
    where
        T: Fn(Sim) -> F,
        F: Future<Output = ()>,
    {
        if let Some(seed) = seed_of_the_environment() {
            return self.replay(seed, test);
        }
        if let Err(failure) = self.try_check(rounds, test) {
            panic!("{failure}");
        }
    }

    /// Runs `test` in `rounds` worlds, whatever the environment says.
    ///
    /// # Errors
    ///
    /// The first round that fails.
    ///
    /// # Panics
    ///
    /// When `rounds` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use anysync::Notify;
    /// use anysync_sim::{FailureKind, Sim};
    ///
    /// let failure = Sim::builder()
    ///     .try_check(1, |io| async move { Notify::new().wait(&io).await })
    ///     .unwrap_err();
    /// assert_eq!(failure.kind(), FailureKind::Deadlock);
    /// ```
    #[track_caller]
    pub fn try_check<T, F>(&self, rounds: u64, test: T) -> Result<(), Failure>
    where
        T: Fn(Sim) -> F,
        F: Future<Output = ()>,
    {
        assert!(rounds > 0, "0 rounds check nothing: run at least 1");
        let place = Location::caller();
        for round in 0..rounds {
            let seed = self.first_seed.wrapping_add(round);
            let origin = Origin::Check {
                seed,
                round: round + 1,
                rounds,
            };
            self.one(seed, origin, &test, place)?;
        }
        Ok(())
    }

    /// Runs the round of `seed`.
    ///
    /// # Panics
    ///
    /// With a report, when it fails.
    #[track_caller]
    pub fn replay<T, F>(&self, seed: u64, test: T)
    where
        T: Fn(Sim) -> F,
        F: Future<Output = ()>,
    {
        if let Err(failure) = self.try_replay(seed, test) {
            panic!("{failure}");
        }
    }

    /// Runs the round of `seed`.
    ///
    /// # Errors
    ///
    /// When it fails.
    #[track_caller]
    pub fn try_replay<T, F>(&self, seed: u64, test: T) -> Result<(), Failure>
    where
        T: Fn(Sim) -> F,
        F: Future<Output = ()>,
    {
        self.one(seed, Origin::Replay { seed }, &test, Location::caller())
    }

    /// Runs `test` under every schedule that the options allow, depth first, but
    /// not under more than `limit` of them.
    ///
    /// For two or three tasks that take a few steps each: the number grows as fast
    /// as the number of orders of their steps. A task that yields goes behind those
    /// that are ready, here as elsewhere, so a loop of yields ends.
    ///
    /// # Panics
    ///
    /// With the report of the first schedule that fails.
    ///
    /// # Examples
    ///
    /// ```
    /// use anysync::{Join, Spawn};
    /// use anysync_sim::Sim;
    ///
    /// let explored = Sim::builder().explore(1_000, |io| async move {
    ///     let (a, b) = (io.spawn(async { 1 }), io.spawn(async { 2 }));
    ///     assert_eq!(a.await.unwrap() + b.await.unwrap(), 3);
    /// });
    /// assert!(explored.is_complete);
    /// ```
    #[track_caller]
    pub fn explore<T, F>(&self, limit: u64, test: T) -> Explored
    where
        T: Fn(Sim) -> F,
        F: Future<Output = ()>,
    {
        match self.try_explore(limit, test) {
            Ok(explored) => explored,
            Err(failure) => panic!("{failure}"),
        }
    }

    /// As [`explore`](Builder::explore).
    ///
    /// # Errors
    ///
    /// The first schedule that fails.
    #[track_caller]
    pub fn try_explore<T, F>(&self, limit: u64, test: T) -> Result<Explored, Failure>
    where
        T: Fn(Sim) -> F,
        F: Future<Output = ()>,
    {
        let place = Location::caller();
        let options = self.options(0, 0, 1);
        let mut next = Some(Vec::new());
        let mut schedules = 0;
        while let Some(choices) = next {
            if schedules == limit {
                return Ok(Explored {
                    schedules,
                    is_complete: false,
                });
            }
            schedules += 1;
            let run = Run::of(Chooser::listed(choices), options, false, &test, place);
            if let Some(problem) = run.problem {
                let origin = Origin::Explored {
                    schedule: schedules,
                };
                return Err(explain(
                    problem,
                    &run.choices,
                    origin,
                    options,
                    &test,
                    place,
                ));
            }
            next = following(run.choices);
        }
        Ok(Explored {
            schedules,
            is_complete: true,
        })
    }

    fn one<T, F>(
        &self,
        seed: u64,
        origin: Origin,
        test: &T,
        place: &'static Location<'static>,
    ) -> Result<(), Failure>
    where
        T: Fn(Sim) -> F,
        F: Future<Output = ()>,
    {
        let options = self.drawn();
        let chooser = Chooser::drawn(seed, self.strategy);
        let run = Run::of(chooser, options, false, test, place);
        match run.problem {
            None => Ok(()),
            Some(problem) => Err(explain(problem, &run.choices, origin, options, test, place)),
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

fn seed_of_the_environment() -> Option<u64> {
    let text = env::var_os(SEED)?;
    let seed = text.to_str().and_then(|text| text.trim().parse().ok());
    if seed.is_none() {
        panic!(
            "{SEED}={}: a seed is a whole number from 0 to {}",
            text.to_string_lossy(),
            u64::MAX
        );
    }
    seed
}

/// The schedule that comes next, depth first: the last choice that has another
/// option left takes it.
fn following(mut choices: Vec<Choice>) -> Option<Vec<u32>> {
    loop {
        let last = choices.pop()?;
        if last.chosen + 1 < last.options {
            let mut next: Vec<_> = choices.iter().map(|choice| choice.chosen).collect();
            next.push(last.chosen + 1);
            return Some(next);
        }
    }
}

/// What came of one run of a test.
struct Run {
    problem: Option<Problem>,
    choices: Vec<Choice>,
    events: Vec<Event>,
}

struct Problem {
    kind: FailureKind,
    message: String,
    location: String,
    panics: Vec<Panic>,
    now: Duration,
    who: Vec<WhoWaits>,
}

impl Run {
    fn of<T, F>(
        chooser: Chooser,
        options: Options,
        is_traced: bool,
        test: &T,
        place: &'static Location<'static>,
    ) -> Self
    where
        T: Fn(Sim) -> F,
        F: Future<Output = ()>,
    {
        let world = World::new(chooser, options, is_traced);
        let sim = Sim {
            world: world.clone(),
        };
        let (outcome, panics) = panics::keep(|| {
            let root = async { test(sim).await };
            let outcome = catch_unwind(AssertUnwindSafe(|| world.run(root, place)));
            // The choices and the events of the run itself, not of what is left.
            let (choices, events) = (world.choices(), world.trace());
            (outcome, world.close(), choices, events)
        });
        let (outcome, closed, choices, events) = outcome;
        let now = world.now();
        let panicked = |payload: Box<dyn std::any::Any + Send>, prefix: &str| {
            let message = message_of(&*payload);
            // A payload may panic in its own `Drop`.
            std::mem::forget(payload);
            let same = panics.iter().rev().find(|panic| panic.message == message);
            Problem {
                kind: FailureKind::Panic,
                location: same.map_or_else(String::new, |panic| panic.location.clone()),
                message: format!("{prefix}{message}"),
                panics: panics.clone(),
                now,
                who: Vec::new(),
            }
        };
        let problem = match (outcome, closed) {
            (Ok(Ok(())), Ok(())) => None,
            (Ok(Ok(())), Err(payload)) => Some(panicked(
                payload,
                "the test ended, and a task that was left panicked when it was dropped: ",
            )),
            (Ok(Err(stuck)), _) => Some(Problem::stuck(stuck, panics)),
            (Err(payload), _) => Some(panicked(payload, "")),
        };
        Self {
            problem,
            choices,
            events,
        }
    }
}

impl Problem {
    fn stuck(stuck: Stuck, panics: Vec<Panic>) -> Self {
        Self {
            kind: stuck.kind,
            message: stuck.message,
            location: String::new(),
            panics,
            now: stuck.now,
            who: stuck.who,
        }
    }

    /// A panic elsewhere is another failure; its message may name values, which
    /// differ from schedule to schedule.
    fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.location == other.location
    }
}

/// Looks for the plainest schedule that fails likewise, and tells its story.
fn explain<T, F>(
    found: Problem,
    choices: &[Choice],
    origin: Origin,
    options: Options,
    test: &T,
    place: &'static Location<'static>,
) -> Failure
where
    T: Fn(Sim) -> F,
    F: Future<Output = ()>,
{
    let plain = |choices: &[Choice]| choices.iter().map(|choice| choice.chosen).collect();
    let run = |choices: Vec<u32>, is_traced| {
        let run = Run::of(Chooser::listed(choices), options, is_traced, test, place);
        let problem = run.problem.filter(|problem| problem.is_like(&found));
        problem.map(|problem| (problem, run.choices, run.events))
    };
    let is_repeatable = !options.foreign_wakes && found.kind != FailureKind::ForeignWake;
    let retold = is_repeatable.then(|| {
        run(plain(choices), false)?;
        let (choices, tried) = shrink(plain(choices), |candidate| {
            run(candidate, false).map(|(_, choices, _)| plain(&choices))
        });
        let (problem, choices, events) = run(choices, true)?;
        let story = Story::Shrunk {
            choices,
            events,
            tried,
        };
        Some((problem, story))
    });
    let (problem, story) = match retold {
        None => (found, None),
        Some(None) => (found, Some(Story::Unrepeatable)),
        Some(Some((problem, story))) => (problem, Some(story)),
    };
    Failure(Box::new(Details {
        kind: problem.kind,
        message: problem.message,
        location: problem.location,
        panics: problem.panics,
        now: problem.now,
        who: problem.who,
        origin,
        story,
    }))
}

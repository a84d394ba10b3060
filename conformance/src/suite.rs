//! [`Suite`]: which laws are run, on what, against what.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::backend::probe::{self, probe};
use crate::backend::{Backend, Body, Capability};
use crate::cx::mix;
use crate::known::{Day, Known};
use crate::law::{About, Law, Level};
use crate::report::{CheckResult, Failure, Outcome, Report};
use crate::runner;
use crate::subject::Subject;
use crate::{backends, laws, subjects};

/// How long a check may take before it counts as hung, unless something else is said.
pub const WATCHDOG: Duration = Duration::from_secs(20);

/// The variable whose number is how many seconds a check may take, in place of
/// [`WATCHDOG`].
pub const WATCHDOG_VARIABLE: &str = "ANYSYNC_CONFORMANCE_WATCHDOG";

/// How long all schedules of one check may take together, at the least.
const EXPLORING: Duration = Duration::from_secs(60);

/// How long a check may take, by the environment or else by [`WATCHDOG`].
///
/// # Panics
///
/// If the variable [`WATCHDOG_VARIABLE`] is set, and not to a number from 1.
pub(crate) fn watchdog() -> Duration {
    number_in(WATCHDOG_VARIABLE, 1).map_or(WATCHDOG, Duration::from_secs)
}

/// The number that a variable of the environment is set to.
///
/// # Panics
///
/// If it is set to something else, or to less than `least`.
pub(crate) fn number_in(variable: &str, least: u64) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    match text.parse() {
        Ok(number) if number >= least => Some(number),
        Ok(_) => panic!("{variable}={text}: a whole number from {least} is allowed"),
        Err(error) => {
            panic!("{variable}={text}: {error}; a whole number from {least} is allowed")
        }
    }
}

/// A seed that differs from run to run, and is short enough to be typed.
pub fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(()) >> 32
}

/// How many schedules of each law are run where a seed decides the schedule.
pub const ROUNDS: u64 = 20;

/// A choice of laws, backends and subjects.
///
/// # Examples
///
/// ```
/// use anysync_conformance::{Suite, backends::threads::OnThreads};
///
/// let report = Suite::new()
///     .backend(OnThreads)
///     .filter("notify::permit_is_stored")
///     .run();
/// assert!(report.is_success(), "{report}");
/// ```
#[derive(Clone)]
pub struct Suite {
    laws: Vec<Law>,
    backends: Vec<Arc<dyn Backend>>,
    subjects: Vec<Arc<dyn Subject>>,
    filters: Vec<String>,
    level: Level,
    seed: u64,
    rounds: u64,
    exhaustive: Option<u64>,
    known: Vec<Known>,
    today: Option<Day>,
    stories: bool,
    watchdog: Duration,
    jobs: usize,
    is_command: bool,
}

/// One cell of the matrix.
#[derive(Clone)]
pub struct Check {
    /// The law.
    pub law: Law,
    /// What it runs on.
    pub backend: Arc<dyn Backend>,
    /// What it is about.
    pub subject: Arc<dyn Subject>,
    seed: u64,
    rounds: u64,
    exhaustive: Option<u64>,
    /// Why it may fail, if it may, and which day it is.
    known: Option<(Known, Day)>,
    /// Whether a failure is to be told in full.
    stories: bool,
    watchdog: Duration,
    is_built_in: bool,
}

impl Suite {
    /// All laws; all backends, unless one is named; our own primitives, unless
    /// another subject is.
    pub fn new() -> Self {
        let jobs = thread::available_parallelism().map_or(2, usize::from);
        Self {
            laws: laws::all(),
            backends: Vec::new(),
            subjects: Vec::new(),
            filters: Vec::new(),
            level: Level::Should,
            seed: 0,
            rounds: ROUNDS,
            exhaustive: None,
            known: Vec::new(),
            today: None,
            stories: true,
            watchdog: watchdog(),
            jobs: jobs.max(2),
            is_command: false,
        }
    }

    /// Runs on this backend, too.
    #[must_use]
    pub fn backend(self, backend: impl Backend) -> Self {
        self.shared_backend(Arc::new(backend))
    }

    /// Runs on this backend, too; once, however often one of its name is given.
    #[must_use]
    pub fn shared_backend(mut self, backend: Arc<dyn Backend>) -> Self {
        let is_there = |there: &Arc<dyn Backend>| there.name() == backend.name();
        if !self.backends.iter().any(is_there) {
            self.backends.push(backend);
        }
        self
    }

    /// Tests this subject, too.
    #[must_use]
    pub fn subject(self, subject: impl Subject) -> Self {
        self.shared_subject(Arc::new(subject))
    }

    /// Tests this subject, too; once, however often one of its name is given.
    #[must_use]
    pub fn shared_subject(mut self, subject: Arc<dyn Subject>) -> Self {
        let is_there = |there: &Arc<dyn Subject>| there.name() == subject.name();
        if !self.subjects.iter().any(is_there) {
            self.subjects.push(subject);
        }
        self
    }

    /// Adds a law of your own.
    #[must_use]
    pub fn law(mut self, law: Law) -> Self {
        self.laws.push(law);
        self
    }

    /// Runs the laws whose id contains this text, or that of another filter.
    #[must_use]
    pub fn filter(mut self, text: impl Into<String>) -> Self {
        self.filters.push(text.into());
        self
    }

    /// Runs the laws of this level and above.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The seed from which each check draws its own.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many schedules of each law are run, one at least, on the backends whose
    /// seed [decides the schedule](Backend::is_drawn); on the others each law runs
    /// once. The seed of the first is that of the suite, and each has the next.
    #[must_use]
    pub fn rounds(mut self, rounds: u64) -> Self {
        self.rounds = rounds.max(1);
        self
    }

    /// Runs each law also under every schedule that there is, but not under more than
    /// `limit`, on the backends that can [explore](Backend::explore). For a law of
    /// two or three tasks that take a few steps that is a proof.
    #[must_use]
    pub fn exhaustive(mut self, limit: u64) -> Self {
        self.exhaustive = Some(limit.max(1));
        self
    }

    /// Lets a law fail, for a reason: its checks that do are skipped with it.
    #[must_use]
    pub fn known_failure(mut self, law: impl Into<String>, reason: impl Into<String>) -> Self {
        let (law, reason, until) = (law.into(), reason.into(), None);
        self.known.push(Known { law, reason, until });
        self
    }

    /// Lets a law fail, for a reason, up to the end of a day. Later its checks that fail
    /// do fail, and say that the day is over.
    #[must_use]
    pub fn known_failure_until(
        mut self,
        law: impl Into<String>,
        last: Day,
        reason: impl Into<String>,
    ) -> Self {
        let (law, reason, until) = (law.into(), reason.into(), Some(last));
        self.known.push(Known { law, reason, until });
        self
    }

    /// Which day it is, in place of what the system's clock says.
    #[must_use]
    pub fn today(mut self, today: Day) -> Self {
        self.today = Some(today);
        self
    }

    /// The laws that may fail and hold wherever they were run: those that are known
    /// failures no longer.
    pub fn outdated(&self, report: &Report) -> Vec<&str> {
        let known = self.known.iter();
        let outdated = known.filter(|known| known.is_outdated(report.results()));
        outdated.map(|known| known.law.as_str()).collect()
    }

    /// For the command of this crate, by which all of its checks can be repeated.
    #[doc(hidden)]
    #[must_use]
    pub fn of_command(mut self) -> Self {
        self.is_command = true;
        self
    }

    /// For checks that are to fail, and whose failures nobody reads.
    pub(crate) fn without_stories(mut self) -> Self {
        self.stories = false;
        self
    }

    /// How long a check may take before it counts as hung: [`WATCHDOG`] by default, or
    /// what the variable [`WATCHDOG_VARIABLE`] says.
    #[must_use]
    pub fn watchdog(mut self, limit: Duration) -> Self {
        self.watchdog = limit;
        self
    }

    /// How many checks run at once.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs.max(1);
        self
    }

    /// The laws that the filters leave.
    pub fn laws(&self) -> Vec<Law> {
        let chosen = |law: &&Law| {
            self.filters.is_empty() || self.filters.iter().any(|text| law.id.contains(text))
        };
        self.laws.iter().filter(chosen).cloned().collect()
    }

    /// Every check, subject by subject, law by law, backend by backend.
    ///
    /// The laws about backends are run with the subject that is strict with
    /// itself, which is ours: they would say the same beside another.
    pub fn checks(&self) -> Vec<Check> {
        self.checks_where(|_| true)
    }

    pub(crate) fn checks_where(&self, wanted: impl Fn(&Law) -> bool) -> Vec<Check> {
        let backends = match &self.backends[..] {
            [] => backends::all(),
            some => some.to_vec(),
        };
        let subjects = match &self.subjects[..] {
            [] => subjects::all().into_iter().take(1).collect(),
            some => some.to_vec(),
        };
        let today = self.today.unwrap_or_else(Day::today);
        let (known_backends, known_subjects) = (backends::all(), subjects::all());
        let mut checks = Vec::new();
        for subject in &subjects {
            let about_backends = subject.is_strict();
            let is_known = |known: &Arc<dyn Subject>| known.name() == subject.name();
            let knows_subject = known_subjects.iter().any(is_known);
            let is_built_in = |backend: &Arc<dyn Backend>| {
                let is_known = |known: &Arc<dyn Backend>| known.name() == backend.name();
                self.is_command || knows_subject && known_backends.iter().any(is_known)
            };
            for law in self.laws() {
                if law.level_for(&**subject) < self.level
                    || (law.about == About::Backend && !about_backends)
                    || !wanted(&law)
                {
                    continue;
                }
                let known = self.known.iter().find(|known| known.law == law.id);
                let known = known.map(|known| (known.clone(), today));
                checks.extend(backends.iter().map(|backend| Check {
                    law: law.clone(),
                    backend: Arc::clone(backend),
                    subject: Arc::clone(subject),
                    seed: self.seed,
                    rounds: self.rounds,
                    exhaustive: self.exhaustive,
                    known: known.clone(),
                    stories: self.stories,
                    watchdog: self.watchdog,
                    is_built_in: is_built_in(backend),
                }));
            }
        }
        checks
    }

    /// Runs every check and collects what came out.
    pub fn run(&self) -> Report {
        self.run_with(|_| {})
    }

    /// Runs every check, and calls `progress` after each.
    ///
    /// A backend is tried first, for a few seconds: when it cannot run a future at all, or
    /// a task, the first check that needs it fails and tells so, and the others are
    /// skipped.
    pub fn run_with(&self, mut progress: impl FnMut(&CheckResult)) -> Report {
        let checks = self.checks();
        let mut results: Vec<_> = judge(&checks, self.watchdog);
        let (places, able): (Vec<_>, Vec<_>) = checks
            .into_iter()
            .enumerate()
            .filter(|(place, _)| results[*place].is_none())
            .unzip();
        results.iter().flatten().for_each(&mut progress);
        for (place, result) in places
            .into_iter()
            .zip(run_all(able, self.jobs, &mut progress))
        {
            results[place] = Some(result);
        }
        let results = results.into_iter().flatten().collect();
        Report::new(results, self.laws.clone(), self.seed)
    }
}

/// What is known of checks whose backend cannot do what they need.
fn judge(checks: &[Check], watchdog: Duration) -> Vec<Option<CheckResult>> {
    let mut backends: Vec<&Arc<dyn Backend>> = Vec::new();
    for check in checks {
        if !backends
            .iter()
            .any(|known| Arc::ptr_eq(known, &check.backend))
        {
            backends.push(&check.backend);
        }
    }
    // All at once: one that hangs takes seconds.
    let probed: Vec<_> = thread::scope(|scope| {
        let limit = probe::LIMIT.min(watchdog);
        let probes = backends
            .iter()
            .map(|backend| scope.spawn(move || probe(backend, limit)));
        let probes: Vec<_> = probes.collect();
        let join = |probe: thread::ScopedJoinHandle<'_, _>| probe.join();
        probes.into_iter().map(join).collect()
    });
    let mut results = vec![None; checks.len()];
    for (backend, probed) in backends.into_iter().zip(probed) {
        let Ok(probed) = probed else {
            continue;
        };
        // The whole backend first, then what it offers.
        let flaws: Vec<(Option<Capability>, Failure)> = match probed {
            Err(failure) => vec![(None, failure)],
            Ok(probed) => {
                let broken = probed.broken.into_iter();
                broken
                    .map(|(what, failure)| (Some(what), failure))
                    .collect()
            }
        };
        for (what, failure) in flaws {
            let mut outcome = Outcome::Failed(failure.clone());
            for (place, check) in checks.iter().enumerate() {
                let is_hit = what.is_none_or(|what| check.law.needs.contains(&what));
                if !Arc::ptr_eq(&check.backend, backend) || !is_hit || results[place].is_some() {
                    continue;
                }
                // What the subject does not have says nothing about the backend.
                if check.law.reason_against(&*check.subject).is_some() {
                    continue;
                }
                let mut result = check.not_run(outcome);
                if matches!(result.outcome, Outcome::Failed(_)) {
                    result.level = Level::Must;
                }
                results[place] = Some(result);
                outcome = Outcome::Skipped(failure.message.clone());
            }
        }
    }
    results
}

/// Runs checks, `jobs` at a time; the results are in the order of the checks.
///
/// A check that takes long is most likely to be one that hangs, and so does
/// nothing: it makes room for another while its watchdog waits.
pub(crate) fn run_all(
    checks: Vec<Check>,
    jobs: usize,
    mut progress: impl FnMut(&CheckResult),
) -> Vec<CheckResult> {
    /// How many may be on their way, with those that take long.
    const LIMIT: usize = 64;
    const LONG: Duration = Duration::from_secs(2);

    let mut collected: Vec<Option<CheckResult>> = Vec::new();
    collected.resize_with(checks.len(), || None);
    let mut waiting = checks.into_iter().enumerate();
    let mut running: BTreeMap<usize, Instant> = BTreeMap::new();
    let (done, results) = channel();
    thread::scope(|scope| {
        loop {
            let busy = |running: &BTreeMap<usize, Instant>| {
                let started = running.values();
                started.filter(|start| start.elapsed() < LONG).count()
            };
            while running.len() < LIMIT && busy(&running) < jobs {
                let Some((place, check)) = waiting.next() else {
                    break;
                };
                running.insert(place, Instant::now());
                let done = done.clone();
                scope.spawn(move || {
                    let _ = done.send((place, check.run()));
                });
            }
            if running.is_empty() {
                break;
            }
            // Every now and then one that runs has become one that takes long.
            if let Ok((place, result)) = results.recv_timeout(LONG / 10) {
                running.remove(&place);
                progress(&result);
                collected[place] = Some(result);
            }
        }
    });
    collected.into_iter().flatten().collect()
}

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
}

impl Check {
    /// Its name as a test: `subject::backend::law`.
    pub fn name(&self) -> String {
        format!(
            "{}::{}::{}",
            self.subject.name(),
            self.backend.name(),
            self.law.id
        )
    }

    /// Why it says nothing on a backend that [`lacks`](crate::backend::lacks)
    /// these, or about this subject.
    pub fn skip_reason(&self, lacks: &[(Capability, String)]) -> Option<String> {
        let of_subject = self.law.reason_against(&*self.subject);
        of_subject.or_else(|| {
            let needed = |(what, _): &&(Capability, String)| self.law.needs.contains(what);
            lacks.iter().find(needed).map(|(_, reason)| reason.clone())
        })
    }

    /// Whether the subject has what the law is about. If not, the check says nothing.
    pub fn is_about_its_subject(&self) -> bool {
        self.law.reason_against(&*self.subject).is_none()
    }

    /// Runs it, and returns even if it hangs.
    ///
    /// The result of several rounds is that of the first that fails, with its seed.
    pub fn run(&self) -> CheckResult {
        let mut result = self.run_all_rounds();
        if let Some((known, today)) = &self.known {
            result.outcome = known.judge(result.outcome, *today);
        }
        result
    }

    fn not_run(&self, outcome: Outcome) -> CheckResult {
        CheckResult {
            subject: self.subject.name().to_owned(),
            law: self.law.id.to_owned(),
            backend: self.backend.name().to_owned(),
            is_built_in: self.is_built_in,
            level: self.law.level_for(&*self.subject),
            outcome,
            seed: self.seed,
            rounds: 0,
            explored: None,
            time: Duration::ZERO,
        }
    }

    fn run_all_rounds(&self) -> CheckResult {
        let law = &self.law;
        let rounds = match self.backend.is_drawn() && !law.once {
            true => self.rounds,
            false => 1,
        };
        let mut result = self.not_run(Outcome::Passed);
        if let Some(reason) = law.reason_against(&*self.subject) {
            result.outcome = Outcome::Skipped(reason);
            return result;
        }
        for round in 0..rounds {
            let seed = self.seed.wrapping_add(round);
            let (outcome, time) = self.run_once(seed);
            result.time += time;
            result.rounds += 1;
            if !matches!(outcome, Outcome::Passed) {
                (result.outcome, result.seed) = (outcome, seed);
                break;
            }
        }
        if let (Outcome::Passed, Some(limit), false) = (&result.outcome, self.exhaustive, law.once)
        {
            self.explore(limit, &mut result);
            return result;
        }
        if let (Outcome::Failed(failure), true) = (&mut result.outcome, self.stories) {
            if let Some(story) = self.retell(result.seed) {
                let heading = "the plainest schedule that fails likewise:";
                failure.dump = format!("{}{heading}\n{story}", failure.dump);
            }
        }
        result
    }

    fn explore(&self, limit: u64, result: &mut CheckResult) {
        let start = Instant::now();
        let (backend, seed) = (Arc::clone(&self.backend), self.drawn_seed(self.seed));
        let explored = runner::explore(
            backend,
            self.bodies(),
            seed,
            limit,
            self.watchdog.max(EXPLORING),
        );
        result.time += start.elapsed();
        let Some(explored) = explored else {
            return;
        };
        result.explored = Some((explored.schedules, explored.is_complete));
        if let Some(failure) = explored.failure {
            result.seed = self.seed;
            result.outcome = Outcome::Failed(failure);
        }
    }

    fn retell(&self, seed: u64) -> Option<String> {
        if !self.backend.is_drawn() {
            return None;
        }
        let backend = Arc::clone(&self.backend);
        runner::retell(backend, self.bodies(), self.drawn_seed(seed), self.watchdog)
    }

    /// Makes the law anew, again and again.
    fn bodies(&self) -> impl Fn() -> Body + Send + use<> {
        let (run, subject) = (self.law.run, Arc::clone(&self.subject));
        move || {
            let subject = Arc::clone(&subject);
            Box::new(move |cx| run(cx, subject))
        }
    }

    /// The seed of this check in a suite with this one.
    fn drawn_seed(&self, seed: u64) -> u64 {
        mix(mix(seed, self.law.id), self.backend.name())
    }

    fn run_once(&self, seed: u64) -> (Outcome, Duration) {
        let (body, subject) = (self.law.run, Arc::clone(&self.subject));
        runner::run(runner::Check {
            backend: Arc::clone(&self.backend),
            body: Box::new(move |cx| body(cx, subject)),
            needs: self.law.needs.to_vec(),
            seed: self.drawn_seed(seed),
            watchdog: self.watchdog,
            // Among checks that are to fail it would wait for those that hang.
            is_alone: self.law.timed && self.stories && !self.backend.is_drawn(),
            is_trial: false,
        })
    }
}

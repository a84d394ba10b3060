//! Deliberately broken subjects and backends: what proves that the laws bite. A
//! new one is a file here and an entry in [`all`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::Backend;
use crate::backends::sim::Simulated;
use crate::backends::threads::OnThreads;
use crate::backends::tokio::TokioCurrentThread;
use crate::law::{About, Law};
use crate::report::{CheckResult, Outcome};
use crate::subject::Subject;
use crate::suite::{Check, Suite, run_all};

mod backends;
mod cell;
mod home;
mod line;
mod lock;
mod locks;
mod messages;
mod relay;
mod rwlock;
mod toy;

/// Something broken, and the laws that must notice.
#[derive(Clone)]
pub struct Mutant {
    /// Its name in the kill table.
    pub name: &'static str,
    /// What is wrong with it.
    pub flaw: &'static str,
    /// What is broken.
    pub what: Broken,
    /// The laws that must fail on it; others may, too.
    pub killed_by: &'static [&'static str],
}

/// What a mutant breaks.
#[derive(Clone)]
pub enum Broken {
    /// A primitive; the laws about backends say nothing about it.
    Subject(Arc<dyn Subject>),
    /// An executor or its adapter; only the laws about backends judge it.
    Backend(Arc<dyn Backend>),
}

/// All of them.
pub fn all() -> Vec<Mutant> {
    [
        home::all(),
        cell::all(),
        lock::all(),
        locks::all(),
        relay::all(),
        rwlock::all(),
        messages::all(),
        backends::all(),
    ]
    .concat()
}

/// What most broken primitives are made of, without a flaw: it keeps every law
/// that they break, so that they die of their flaws and of nothing else.
pub fn sound() -> Arc<dyn Subject> {
    home::sound()
}

/// How long a law may run on a mutant: one that hangs is dead as well.
const PATIENCE: Duration = Duration::from_secs(3);
/// Most of those that hang do nothing.
const JOBS: usize = 24;
/// How often a law may try to kill a mutant: a flaw of order in time shows not
/// when the machine stands still for as long as the law takes.
const TRIES: usize = 4;

impl Mutant {
    /// Its checks; killed on any backend is killed.
    fn checks(&self, suite: &Suite) -> Vec<Check> {
        let suite = suite.clone().without_stories().watchdog(PATIENCE);
        match &self.what {
            // One executor without parallelism, and one with nothing else.
            Broken::Subject(subject) => suite
                .shared_subject(Arc::clone(subject))
                .backend(TokioCurrentThread)
                .backend(OnThreads)
                .checks_where(|law| law.about != About::Backend),
            Broken::Backend(backend) => suite
                .shared_backend(Arc::clone(backend))
                .checks_where(|law| law.about == About::Backend),
        }
    }

    /// The laws that are to kill it and do not within the suite's rounds in the
    /// simulator, where they can run there. A backend does not run in it.
    pub fn outlives_in_the_simulator(&self, suite: &Suite) -> Vec<&'static str> {
        let Broken::Subject(subject) = &self.what else {
            return Vec::new();
        };
        let suite = suite.clone().without_stories().watchdog(PATIENCE);
        let suite = suite.backend(Simulated);
        let checks = suite
            .shared_subject(Arc::clone(subject))
            .checks_where(|law| self.killed_by.contains(&law.id));
        let results = run_all(checks, 1, |_| {});
        let mut laws = self.killed_by.to_vec();
        laws.retain(|law| fate(&results, law) == Fate::Survived);
        laws
    }

    /// The laws that are to kill it and do not, in any of their tries.
    pub fn outlives(&self, suite: &Suite) -> Vec<&'static str> {
        let mut results = Vec::new();
        self.try_killers(suite, TRIES, &mut results);
        self.not_killing(&results)
    }

    /// Runs the laws that are to kill it, those that have not yet, up to `tries`
    /// times.
    fn try_killers(&self, suite: &Suite, tries: usize, results: &mut Vec<CheckResult>) {
        for _ in 0..tries {
            let laws = self.not_killing(results);
            let mut checks = self.checks(suite);
            checks.retain(|check| laws.contains(&check.law.id));
            if checks.is_empty() {
                return;
            }
            results.extend(run_all(checks, JOBS, |_| {}));
        }
    }

    fn not_killing(&self, results: &[CheckResult]) -> Vec<&'static str> {
        let mut laws = self.killed_by.to_vec();
        laws.retain(|law| fate(results, law) != Fate::Killed);
        laws
    }
}

/// Which law kills which mutant.
pub struct KillTable {
    laws: Vec<Law>,
    mutants: Vec<(Mutant, Vec<CheckResult>)>,
}

impl KillTable {
    /// Runs the suite's laws on every mutant, and calls `progress` after each
    /// check.
    pub fn of(suite: &Suite, progress: impl FnMut(&CheckResult)) -> Self {
        Self::of_mutants(suite, all(), progress)
    }

    /// Runs the suite's laws on these mutants.
    pub fn of_mutants(
        suite: &Suite,
        mutants: Vec<Mutant>,
        progress: impl FnMut(&CheckResult),
    ) -> Self {
        let checks: Vec<_> = mutants.iter().map(|mutant| mutant.checks(suite)).collect();
        let counts: Vec<_> = checks.iter().map(Vec::len).collect();
        let results = run_all(checks.concat(), JOBS, progress);
        let mut results = results.into_iter();
        let mutants = mutants.into_iter().zip(counts).map(|(mutant, count)| {
            let mut own = results.by_ref().take(count).collect();
            mutant.try_killers(suite, TRIES - 1, &mut own);
            (mutant, own)
        });
        Self {
            mutants: mutants.collect(),
            laws: suite.laws(),
        }
    }

    /// Whether every chosen law kills a mutant, and every mutant falls to the
    /// laws that are to kill it.
    pub fn is_complete(&self) -> bool {
        self.idle_laws().is_empty() && self.survivors().is_empty()
    }

    /// The laws that kill nothing.
    pub fn idle_laws(&self) -> Vec<&'static str> {
        let kills = |law: &&Law| {
            let mut mutants = self.mutants.iter();
            !mutants.any(|(_, results)| fate(results, law.id) == Fate::Killed)
        };
        self.laws.iter().filter(kills).map(|law| law.id).collect()
    }

    /// The mutants that outlive a law that is to kill them, with that law.
    pub fn survivors(&self) -> Vec<(&'static str, &'static str)> {
        let mut survivors = Vec::new();
        for (mutant, results) in &self.mutants {
            let chosen = |id: &&&str| self.laws.iter().any(|law| law.id == **id);
            for id in mutant.killed_by.iter().filter(chosen) {
                if fate(results, id) != Fate::Killed {
                    survivors.push((mutant.name, *id));
                }
            }
        }
        survivors
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Killed,
    Survived,
    NotRun,
}

fn fate(results: &[CheckResult], law: &str) -> Fate {
    let of_law = results.iter().filter(|result| result.law == law);
    of_law.fold(Fate::NotRun, |fate, result| match (fate, &result.outcome) {
        (Fate::Killed, _) | (_, Outcome::Failed(_)) => Fate::Killed,
        (_, Outcome::Passed) => Fate::Survived,
        (fate, Outcome::Skipped(_)) => fate,
    })
}

impl fmt::Display for KillTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.laws.iter().map(|law| law.id.len()).max().unwrap_or(0);
        for (place, (mutant, _)) in self.mutants.iter().enumerate() {
            let stair = "│ ".repeat(place);
            writeln!(f, "{:width$}  {stair}{}", "", mutant.name)?;
        }
        for law in &self.laws {
            write!(f, "{:width$}  ", law.id)?;
            for (_, results) in &self.mutants {
                let mark = match fate(results, law.id) {
                    Fate::Killed => '✗',
                    Fate::Survived => '·',
                    Fate::NotRun => ' ',
                };
                write!(f, "{mark} ")?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "\n✗ the law kills the mutant   · it does not   blank: not run\n"
        )?;
        for (mutant, _) in &self.mutants {
            let laws = mutant.killed_by.join(", ");
            writeln!(
                f,
                "{}: {}\n  to be killed by {laws}",
                mutant.name, mutant.flaw
            )?;
        }
        for law in self.idle_laws() {
            writeln!(f, "\nno mutant dies of {law}")?;
        }
        for (mutant, law) in self.survivors() {
            writeln!(f, "\n{mutant} outlives {law}")?;
        }
        Ok(())
    }
}

//! The laws as tests, each with a name of its own, for a test target with
//! `harness = false`: filters, `--list`, nextest and editors work with them.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::backend::lacks;
use crate::report::{Outcome, Report};
use crate::suite::Suite;

/// The variable whose number is the seed of the run.
pub const SEED: &str = "ANYSYNC_CONFORMANCE_SEED";

/// The `main` of a test target that runs the laws on your backend.
///
/// ```no_run
/// # use anysync_conformance::backend::{Backend, Face, Root};
/// struct MyExecutor;
///
/// impl Backend for MyExecutor {
///     // ...
/// #   fn name(&self) -> &str { "mine" }
/// #   fn run(&self, root: Root) { anysync::io::block_on(root.on(Face::new(anysync::Bare))) }
/// }
///
/// anysync_conformance::main!(MyExecutor);
/// ```
#[macro_export]
macro_rules! main {
    ($($backend:expr),+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::harness::run($crate::Suite::new()$(.backend($backend))+)
        }
    };
}

/// The seed that the environment asks for.
///
/// # Panics
///
/// If the variable [`SEED`] is set, and not to a number.
pub(crate) fn seed() -> Option<u64> {
    let text = std::env::var(SEED).ok()?;
    match text.parse() {
        Ok(seed) => Some(seed),
        Err(error) => panic!("{SEED}={text}: {error}; a whole number from 0 is allowed"),
    }
}

/// Runs the suite's checks as tests, by the arguments that cargo and nextest
/// give.
pub fn run(suite: Suite) -> ExitCode {
    run_trials(trials(suite))
}

/// Runs these tests by the process's arguments.
pub fn run_trials(trials: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test for each of the suite's checks, named `subject::backend::law`. A
/// check that would be skipped is an ignored test, whose kind tells why.
pub fn trials(suite: Suite) -> Vec<Trial> {
    let suite = match seed() {
        Some(seed) => suite.seed(seed),
        None => suite,
    };
    let mut missing = BTreeMap::new();
    let laws = suite.laws();
    let checks = suite.checks().into_iter();
    let trials = checks.map(|check| {
        let name = check.backend.name().to_owned();
        let lacks = missing
            .entry(name)
            .or_insert_with(|| lacks(Arc::clone(&check.backend)));
        let skip = check.skip_reason(lacks);
        let name = check.name();
        let laws = laws.clone();
        let test = move || {
            let result = check.run();
            match &result.outcome {
                Outcome::Failed(_) => {
                    let seed = result.seed;
                    let report = Report::new(vec![result], laws, seed).failures();
                    Err(Failed::from(format!("{report}  ({SEED}={seed})")))
                }
                Outcome::Passed | Outcome::Skipped(_) => Ok(()),
            }
        };
        let trial = Trial::test(name, test);
        match skip {
            // The reason's first words, as in `no timer`.
            Some(reason) => {
                let kind = reason.split(':').next().unwrap_or_default();
                trial.with_kind(kind).with_ignored_flag(true)
            }
            None => trial,
        }
    });
    trials.collect()
}

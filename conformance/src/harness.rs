//! The laws as tests, each with a name of its own, for a test target with
//! `harness = false`: filters, `--list`, nextest and editors work with them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgAction, CommandFactory, FromArgMatches};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::backend::Capability;
use crate::backend::probe::{self, Probed, probe};
use crate::law::Law;
use crate::report::{Failure, Outcome, Report};
use crate::suite::{Check, Suite, number_in};

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
    number_in(SEED, 0)
}

/// Runs the suite's checks as tests, by the arguments that cargo and nextest
/// give.
pub fn run(suite: Suite) -> ExitCode {
    run_trials(trials(suite))
}

/// Runs these tests by the process's arguments. There may be several filters, as for the
/// tests that cargo makes.
pub fn run_trials(mut trials: Vec<Trial>) -> ExitCode {
    let several = |arg: clap::Arg| arg.num_args(0..).action(ArgAction::Append);
    let command = Arguments::command().mut_arg("filter", several);
    let matches = command.get_matches();
    let given = matches.get_many::<String>("filter");
    let filters: Vec<String> = given.into_iter().flatten().cloned().collect();
    let mut arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    if filters.len() > 1 {
        arguments.filter = None;
        trials.retain(|trial| {
            let mut filters = filters.iter();
            filters.any(|filter| match arguments.exact {
                true => trial.name() == filter,
                false => trial.name().contains(filter),
            })
        });
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test for each of the suite's checks that are about something the subject has, named
/// `subject::backend::law`. A check that its backend cannot run is an ignored test, whose
/// kind tells why.
///
/// Before the checks of a backend comes a test that it runs futures and tasks at all,
/// `subject::backend::runs_futures`: when that fails, the checks are ignored.
pub fn trials(suite: Suite) -> Vec<Trial> {
    let suite = match seed() {
        Some(seed) => suite.seed(seed),
        None => suite,
    };
    let laws = suite.laws();
    let mut probed = BTreeMap::new();
    let mut trials = Vec::new();
    for check in suite.checks() {
        // A kind that the subject does not have, or does not promise for, is no test of it.
        if !check.is_about_its_subject() {
            continue;
        }
        let backend = check.backend.name().to_owned();
        let subject = check.subject.name();
        let probed: &Arc<Result<Probed, Failure>> = match probed.entry(backend.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let probed = Arc::new(probe(&check.backend, probe::LIMIT));
                let of_trial = Arc::clone(&probed);
                let name = format!("{subject}::{backend}::{ABLE}");
                trials.push(Trial::test(name, move || able(&of_trial)));
                place.insert(probed)
            }
        };
        trials.push(trial(check, probed, &laws));
    }
    trials
}

/// The last part of the name of the test that a backend runs futures and tasks at all.
const ABLE: &str = "runs_futures";

fn able(probed: &Result<Probed, Failure>) -> Result<(), Failed> {
    let failures: Vec<&Failure> = match probed {
        Ok(probed) => probed.broken.iter().map(|(_, failure)| failure).collect(),
        Err(failure) => vec![failure],
    };
    if failures.is_empty() {
        return Ok(());
    }
    let told = failures.into_iter().map(
        |Failure {
             message,
             location,
             dump,
         }| format!("{message}\n{location}\n{dump}"),
    );
    Err(told.collect::<String>().trim_end().into())
}

/// What a check says nothing about, it is ignored for, with the reason's first words,
/// as in `no timer`.
fn trial(check: Check, probed: &Result<Probed, Failure>, laws: &[Law]) -> Trial {
    let kind = match probed {
        Err(_) => Some("cannot run a future".to_owned()),
        Ok(probed) => {
            let needed = |(what, _): &&(Capability, Failure)| check.law.needs.contains(what);
            let reason = check.skip_reason(&probed.lacks);
            let reason = reason.map(|text| text.split(':').next().unwrap_or_default().to_owned());
            reason.or_else(|| {
                let (what, _) = probed.broken.iter().find(needed)?;
                Some(format!("{what} is broken"))
            })
        }
    };
    let laws = laws.to_vec();
    let name = check.name();
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
    match kind {
        Some(kind) => trial.with_kind(kind).with_ignored_flag(true),
        None => trial,
    }
}

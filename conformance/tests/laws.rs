//! Every law on every backend for our own primitives in each make and for the
//! drop-in, every mutant and what it is made of, and that no law is without a
//! mutant.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;

use anysync_conformance::backend::lacks;
use anysync_conformance::backends::sim::Simulated;
use anysync_conformance::backends::threads::OnThreads;
use anysync_conformance::backends::tokio::{TokioCurrentThread, TokioMultiThread};
use anysync_conformance::harness::{run_trials, trials};
use anysync_conformance::mutants::Broken;
use anysync_conformance::{Suite, laws, mutants, random_seed, subjects};
use libtest_mimic::{Failed, Trial};

/// In how many schedules a mutant is to die in the simulator.
const ROUNDS: u64 = 300;

/// The laws of order that the drop-ins of originals without order do not promise.
const UNORDERED: [&str; 3] = [
    "semaphore::is_fifo_even_for_many",
    "rwlock::is_fifo",
    "rwlock::cancelled_writer_lets_readers_in",
];

fn main() -> ExitCode {
    // What fails prints its seed, and the variable `harness::SEED` repeats it.
    let suite = Suite::new().seed(random_seed());
    let mut all = trials(suite.clone());
    let sound = suite
        .clone()
        .shared_subject(mutants::sound())
        .backend(TokioCurrentThread)
        .backend(TokioMultiThread)
        .backend(OnThreads);
    all.extend(trials(sound));
    let eventual = suite.clone().subject(subjects::AnysyncEventual);
    all.extend(trials(eventual.filter("mutex::").filter("any::")));
    let tokio = suite.clone().known_failure(
        "any::spends_budget_after_winning",
        "its waits for a signal and for a value that another makes spend nothing, as those of \
         the original",
    );
    all.extend(trials(tokio.subject(subjects::TokioDropIn)));
    let unbudgeted = suite.known_failure(
        "any::spends_budget_after_winning",
        "its waits have no handle of an executor, as those of the originals",
    );
    // Their originals keep no order, and so do they.
    let unbudgeted = UNORDERED.iter().fold(unbudgeted, |suite, law| {
        suite.known_failure(*law, "who comes first is served, as in the original")
    });
    let unbudgeted = unbudgeted.known_failure(
        "any::waits_without_allocation",
        "a wait of futures' mutex that queues is in a box, so that it may be moved",
    );
    all.extend(trials(unbudgeted.clone().subject(subjects::SmolDropIn)));
    all.extend(trials(unbudgeted.clone().subject(subjects::AsyncStdDropIn)));
    all.extend(trials(unbudgeted.subject(subjects::FuturesDropIn)));
    all.extend(mutants::all().into_iter().map(|mutant| {
        Trial::test(format!("mutants::{}", mutant.name), move || {
            let outlived = mutant.outlives(&Suite::new());
            match outlived.is_empty() {
                true => Ok(()),
                false => Err(format!("it outlives {}", outlived.join(", ")).into()),
            }
        })
    }));
    all.extend(mutants_in_the_simulator());
    all.push(Trial::test(
        "mutants::each_law_kills_one",
        each_law_kills_one,
    ));
    run_trials(all)
}

/// Each broken primitive whose killers run in the simulator dies there as well.
fn mutants_in_the_simulator() -> Vec<Trial> {
    let lacks = lacks(Arc::new(Simulated));
    let laws = laws::all();
    let runs = |id: &str| {
        let law = laws.iter().find(|law| law.id == id);
        let mut needs = law.into_iter().flat_map(|law| law.needs);
        needs.all(|need| !lacks.iter().any(|(what, _)| what == need))
    };
    let primitives = mutants::all().into_iter().filter(|mutant| {
        let is_primitive = matches!(mutant.what, Broken::Subject(_));
        is_primitive && mutant.killed_by.iter().any(|id| runs(id))
    });
    let trials = primitives.map(|mutant| {
        Trial::test(format!("mutants_in_sim::{}", mutant.name), move || {
            let suite = Suite::new().rounds(ROUNDS);
            let outlived = mutant.outlives_in_the_simulator(&suite);
            match outlived.is_empty() {
                true => Ok(()),
                false => Err(format!("it outlives {}", outlived.join(", ")).into()),
            }
        })
    });
    trials.collect()
}

/// That the mutants do die of the laws they name is what their own tests say.
fn each_law_kills_one() -> Result<(), Failed> {
    let mutants = mutants::all();
    let idle: Vec<_> = laws::all()
        .iter()
        .map(|law| law.id)
        .filter(|id| !mutants.iter().any(|mutant| mutant.killed_by.contains(id)))
        .collect();
    match idle.is_empty() {
        true => Ok(()),
        false => Err(format!("no mutant is there for {}", idle.join(", ")).into()),
    }
}

//! The command.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anysync_conformance::backend::Backend;
use anysync_conformance::backends::sim::Simulated;
use anysync_conformance::law::{Law, Level};
use anysync_conformance::mutants::{self, Broken, KillTable};
use anysync_conformance::report::{CheckResult, Outcome, Report};
use anysync_conformance::soak::{self, Soak};
use anysync_conformance::subject::Subject;
use anysync_conformance::{
    Day, ROUNDS, Suite, WATCHDOG_VARIABLE, backends, book, laws, random_seed, subjects,
};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

mod output;
#[cfg(feature = "peers")]
mod peers;

use output::Output;

/// Runs the laws of async coordination primitives on every executor.
///
/// Exits with 0 when every MUST holds, with 1 when one does not, and with 2 when
/// it was called wrongly.
#[derive(Parser)]
#[command(
    name = "anysync-conformance",
    version,
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Run the laws whose id contains one of these texts [default: all laws]
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,

    /// Run on this backend; may be repeated [default: all]
    #[arg(long = "backend", value_name = "NAME", value_parser = backend_parser())]
    backends: Vec<String>,

    /// Test this subject; may be repeated [default: anysync]
    #[arg(long = "subject", value_name = "NAME", value_parser = subject_parser())]
    subjects: Vec<String>,

    /// Run the laws of this level and above
    #[arg(long, value_enum, default_value = "should")]
    level: Threshold,

    /// Draw each check's random numbers from this seed [default: another at each run]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Run each law so many times where its seed decides the schedule, which is on the backend `sim`
    /// [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,

    /// Run each law also under every schedule that there is, but not under more than N, on the
    /// backend `sim` [default backend: sim]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "mutants")]
    exhaustive: Option<u64>,

    /// Give up a check after so many seconds [default: 20]
    #[arg(long, value_name = "SECONDS", env = WATCHDOG_VARIABLE, value_parser = clap::value_parser!(u64).range(1..))]
    watchdog: Option<u64>,

    /// Let this law fail, for this reason, and up to this day where there is one: where it does,
    /// it counts as skipped; may be repeated
    #[arg(long = "known", value_name = "LAW[@YYYY-MM-DD]=REASON", value_parser = known_failure)]
    known: Vec<KnownFailure>,

    /// Print the laws, the backends and the subjects, and run nothing
    #[arg(long, conflicts_with_all = ["backends", "subjects", "level", "seed", "rounds", "exhaustive", "known", "mutants"])]
    list: bool,

    /// Print which law kills which deliberately broken subject or backend
    #[arg(long, conflicts_with_all = ["backends", "subjects", "known", "format", "watchdog"])]
    mutants: bool,

    /// How to print the results
    #[arg(long, value_enum, default_value = "table")]
    format: Format,

    /// Write the results to this file, once they are complete; `-` is standard output, which is
    /// the default
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Puts every kind of primitive under load, and counts exactly what comes of it
    ///
    /// Tasks and threads use each primitive, give up some of their waits, and are
    /// aborted in the middle of others; messages, permits, entries and leaders are
    /// counted, and have to come out exactly. It stops by itself and prints the
    /// totals.
    Soak(SoakArguments),
    /// Prints the law book: each law, why, where it was seen broken, how it is tested
    Book(BookArguments),

    /// Runs every law for every subject, ours and others', and prints who keeps which
    ///
    /// What it prints is Markdown. Each law runs in a process of its own, so that
    /// one that ends its process or never ends does no harm to the others.
    #[cfg(feature = "peers")]
    Peers(PeersArguments),
}

#[derive(Args)]
struct BookArguments {
    /// Write the book to this file in place of the terminal
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[cfg(feature = "peers")]
#[derive(Args)]
struct PeersArguments {
    /// Run on this backend; may be repeated [default: sim, threads and tokio-multi-thread]
    #[arg(long = "backend", value_name = "NAME", value_parser = backend_parser())]
    backends: Vec<String>,

    /// Test this subject; may be repeated [default: all]
    #[arg(long = "subject", value_name = "NAME", value_parser = subject_parser())]
    subjects: Vec<String>,

    /// Draw each check's random numbers from this seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Run each law under so many schedules on the backend `sim`
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,

    /// Give up a check after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    watchdog: u64,

    /// Write the page to this file in place of the terminal
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Args)]
struct SoakArguments {
    /// How long on each backend, in minutes; an epoch that has begun is finished
    #[arg(long, value_name = "N", default_value = "1", value_parser = minutes)]
    minutes: Duration,

    /// The seed of the first epoch; each further one has the next number [default: another at each run]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Run on this backend; may be repeated [default: all, one after another]
    #[arg(long = "backend", value_name = "NAME", value_parser = backend_parser())]
    backends: Vec<String>,

    /// Test this subject; may be repeated [default: anysync]
    #[arg(long = "subject", value_name = "NAME", value_parser = subject_parser())]
    subjects: Vec<String>,

    /// Give up an epoch after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = soak::WATCHDOG.as_secs(), value_parser = clap::value_parser!(u64).range(1..))]
    watchdog: u64,
}

/// A year is more than anybody waits for.
const MOST_MINUTES: f64 = 366.0 * 24.0 * 60.0;

fn minutes(text: &str) -> Result<Duration, String> {
    let allowed = format!("more than 0 and at most {MOST_MINUTES} minutes are allowed");
    match text.parse::<f64>() {
        Ok(minutes) if minutes > 0.0 && minutes <= MOST_MINUTES => {
            Ok(Duration::from_secs_f64(minutes * 60.0))
        }
        Ok(_) => Err(allowed),
        Err(error) => Err(format!("{error}; {allowed}")),
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Threshold {
    /// Only what makes a subject broken
    Must,
    /// Quality, too
    Should,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A matrix, and below it what failed
    Table,
    /// An object for each subject, on a line of its own
    Json,
    /// JUnit XML, a suite for each subject on each backend
    Junit,
    /// A page for a browser, in one file: the matrix, what failed, and filters
    Html,
}

/// A law's id, the last day on which it may fail, and why.
type KnownFailure = (String, Option<Day>, String);

fn known_failure(text: &str) -> Result<KnownFailure, String> {
    let Some((law, reason)) = text.split_once('=') else {
        return Err(
            "a law and a reason are needed, as in `mutex::is_fifo=it is a stack` or \
             `mutex::is_fifo@2026-12-31=it is a stack`"
                .to_owned(),
        );
    };
    let (law, until) = match law.split_once('@') {
        Some((law, day)) => (
            law,
            Some(day.parse::<Day>().map_err(|bad| bad.to_string())?),
        ),
        None => (law, None),
    };
    if reason.trim().is_empty() {
        return Err(format!("why `{law}` may fail is missing after the `=`"));
    }
    if !laws::all().iter().any(|known| known.id == law) {
        return Err(format!("there is no law `{law}`; `--list` names them all"));
    }
    Ok((law.to_owned(), until, reason.trim().to_owned()))
}

fn backend_names() -> Vec<String> {
    let all = backends::all();
    all.iter()
        .map(|backend| backend.name().to_owned())
        .collect()
}

fn subject_names() -> Vec<String> {
    let all = subjects::all();
    all.iter()
        .map(|subject| subject.name().to_owned())
        .collect()
}

/// The mutants are accepted as well, and not shown: whoever reads the kill table
/// may want to see one die.
fn named_backends() -> Vec<Arc<dyn Backend>> {
    let mut all = backends::all();
    all.extend(
        mutants::all()
            .into_iter()
            .filter_map(|mutant| match mutant.what {
                Broken::Backend(backend) => Some(backend),
                Broken::Subject(_) => None,
            }),
    );
    all
}

fn named_subjects() -> Vec<Arc<dyn Subject>> {
    let mut all = subjects::all();
    all.extend(
        mutants::all()
            .into_iter()
            .filter_map(|mutant| match mutant.what {
                Broken::Subject(subject) => Some(subject),
                Broken::Backend(_) => None,
            }),
    );
    all
}

fn parser(shown: Vec<String>, all: impl Iterator<Item = String>) -> PossibleValuesParser {
    let values = all.map(|name| {
        let is_hidden = !shown.contains(&name);
        PossibleValue::new(name).hide(is_hidden)
    });
    PossibleValuesParser::new(values)
}

fn backend_parser() -> PossibleValuesParser {
    let all = named_backends();
    parser(
        backend_names(),
        all.iter().map(|backend| backend.name().to_owned()),
    )
}

fn subject_parser() -> PossibleValuesParser {
    let all = named_subjects();
    parser(
        subject_names(),
        all.iter().map(|subject| subject.name().to_owned()),
    )
}

/// What went wrong before any law ran.
struct Usage(String);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let success = match &arguments.command {
        Some(Command::Soak(soak)) => Ok(run_soak(soak)),
        Some(Command::Book(to)) => {
            let text = book::of(&laws::all());
            let output = Output::new(to.output.as_ref());
            output.and_then(|output| output.write(&text)).map(|()| true)
        }
        #[cfg(feature = "peers")]
        Some(Command::Peers(peers)) => run_peers(peers),
        None => run(&arguments),
    };
    match success {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(Usage(message)) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// `true` when every MUST holds.
fn run(arguments: &Arguments) -> Result<bool, Usage> {
    let suite = suite(arguments)?;
    // Before the laws run, not after.
    let output = Output::new(arguments.output.as_ref())?;
    if arguments.list {
        output.write(&list(&suite, arguments.format)?)?;
        return Ok(true);
    }
    if arguments.mutants {
        let bar = bar(0);
        let table = KillTable::of(&suite, |result| show(&bar, result));
        bar.finish_and_clear();
        output.write(&table.to_string())?;
        return Ok(table.is_complete());
    }
    let report = run_with_bar(&suite);
    for law in suite.outdated(&report) {
        eprintln!("note: {law} is a known failure and passes now: remove its `--known`");
    }
    let text = match arguments.format {
        Format::Table => report.to_string(),
        Format::Json => report.json(),
        Format::Junit => report.junit(),
        Format::Html => report.html(Some(SystemTime::now())),
    };
    output.write(&text)?;
    Ok(report.is_success())
}

fn suite(arguments: &Arguments) -> Result<Suite, Usage> {
    refuse_what_has_no_effect(arguments)?;
    let mut suite = Suite::new()
        .of_command()
        .seed(arguments.seed.unwrap_or_else(random_seed))
        .rounds(arguments.rounds.unwrap_or(ROUNDS))
        .level(match arguments.level {
            Threshold::Must => Level::Must,
            Threshold::Should => Level::Should,
        });
    if let Some(seconds) = arguments.watchdog {
        suite = suite.watchdog(Duration::from_secs(seconds));
    }
    for name in &arguments.backends {
        suite = suite.shared_backend(backend_named(name));
    }
    if let Some(limit) = arguments.exhaustive {
        suite = suite.exhaustive(limit);
        if arguments.backends.is_empty() {
            suite = suite.backend(Simulated);
        }
    }
    for name in &arguments.subjects {
        suite = suite.shared_subject(subject_named(name));
    }
    for (law, until, reason) in &arguments.known {
        suite = match until {
            Some(last) => suite.known_failure_until(law, *last, reason),
            None => suite.known_failure(law, reason),
        };
    }
    for filter in &arguments.filters {
        if !laws::all().iter().any(|law| law.id.contains(filter)) {
            let ids: Vec<_> = laws::all().iter().map(|law| law.id).collect();
            return Err(Usage(format!(
                "no law's id contains `{filter}`\n\nThe laws are:\n  {}",
                ids.join("\n  ")
            )));
        }
        suite = suite.filter(filter);
    }
    if suite.checks().is_empty() && !arguments.mutants {
        return Err(Usage(
            "nothing is left to run: laws about backends run with the subject anysync only, and \
             `--level must` leaves the SHOULDs out"
                .to_owned(),
        ));
    }
    Ok(suite)
}

/// Flags that say something about schedules, with backends that have but one.
fn refuse_what_has_no_effect(arguments: &Arguments) -> Result<(), Usage> {
    let mut named = arguments.backends.iter();
    let fixed = |name: &&String| !backend_named(name).is_drawn();
    if arguments.exhaustive.is_some() {
        if let Some(name) = named.clone().find(fixed) {
            return Err(Usage(format!(
                "--exhaustive has no effect on the backend `{name}`, whose schedule is its own: \
                 only `sim` can run every schedule"
            )));
        }
    }
    if arguments.rounds.is_some()
        && !arguments.backends.is_empty()
        && named.all(|name| fixed(&name))
    {
        return Err(Usage(format!(
            "--rounds has no effect on {}: each law runs there once, and several times only \
             on `sim`",
            arguments.backends.join(", ")
        )));
    }
    Ok(())
}

fn backend_named(name: &str) -> Arc<dyn Backend> {
    let backend = named_backends()
        .into_iter()
        .find(|backend| backend.name() == name);
    backend.expect("clap has checked the name")
}

fn subject_named(name: &str) -> Arc<dyn Subject> {
    let subject = named_subjects()
        .into_iter()
        .find(|subject| subject.name() == name);
    subject.expect("clap has checked the name")
}

/// `true` when all totals are exact.
fn run_soak(arguments: &SoakArguments) -> bool {
    let backends: Vec<_> = match &arguments.backends[..] {
        [] => backends::all(),
        names => names.iter().map(|name| backend_named(name)).collect(),
    };
    let subjects: Vec<_> = match &arguments.subjects[..] {
        [] => vec![Arc::new(subjects::Anysync) as Arc<dyn Subject>],
        names => names.iter().map(|name| subject_named(name)).collect(),
    };
    let seed = arguments.seed.unwrap_or_else(random_seed);
    let mut success = true;
    for subject in &subjects {
        for backend in &backends {
            let bar = bar(0);
            let soak = Soak::new(Arc::clone(backend), Arc::clone(subject))
                .time(arguments.minutes)
                .seed(seed)
                .watchdog(Duration::from_secs(arguments.watchdog));
            let came = soak.run_with(|totals| {
                let (epochs, time) = (totals.epochs(), totals.time().as_secs());
                bar.set_message(format!("{}: epoch {epochs}, {time} s", backend.name()));
                bar.inc(1);
            });
            bar.finish_and_clear();
            match came {
                Ok(totals) => print!("{totals}"),
                Err(failed) => {
                    println!("✗ {failed}");
                    success = false;
                }
            }
        }
    }
    success
}

/// Always `true`: what others' primitives do is no failure of this command.
#[cfg(feature = "peers")]
fn run_peers(arguments: &PeersArguments) -> Result<bool, Usage> {
    const BACKENDS: [&str; 3] = ["sim", "threads", "tokio-multi-thread"];
    let plan = peers::Plan {
        backends: match &arguments.backends[..] {
            [] => BACKENDS.map(backend_named).to_vec(),
            names => names.iter().map(|name| backend_named(name)).collect(),
        },
        subjects: match &arguments.subjects[..] {
            [] => peers::subjects_in_order(),
            names => names.iter().map(|name| subject_named(name)).collect(),
        },
        seed: arguments.seed,
        rounds: arguments.rounds,
        watchdog: arguments.watchdog,
    };
    // Before the laws run, not after.
    let output = Output::new(arguments.output.as_ref())?;
    let bar = bar(0);
    let page = peers::page(&plan, |done, all, what| {
        bar.set_message(format!("of {all}: {what}"));
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    output.write(&page.map_err(Usage)?)?;
    Ok(true)
}

fn list(suite: &Suite, format: Format) -> Result<String, Usage> {
    match format {
        Format::Table => Ok(list_as_text(suite)),
        Format::Json => Ok(list_as_json(suite)),
        Format::Junit | Format::Html => Err(Usage(
            "a list has no results: `--list` takes `--format table` or `--format json`".to_owned(),
        )),
    }
}

fn list_as_json(suite: &Suite) -> String {
    let laws = suite.laws();
    let laws = laws.iter().map(|law| {
        let needs: Vec<_> = law.needs.iter().map(|need| need.name()).collect();
        json!({
            "id": law.id, "level": law.level.name(), "needs": needs, "sentence": law.sentence,
        })
    });
    let list = json!({
        "laws": laws.collect::<Vec<_>>(),
        "backends": backend_names(),
        "subjects": subject_names(),
    });
    format!("{list}\n")
}

fn list_as_text(suite: &Suite) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line("laws:".to_owned());
    for Law {
        id,
        level,
        needs,
        sentence,
        ..
    } in suite.laws()
    {
        let needs: Vec<_> = needs.iter().map(|need| need.name()).collect();
        let needs = match &needs[..] {
            [] => String::new(),
            some => format!(" [needs {}]", some.join(", ")),
        };
        line(format!("  {id} ({level}){needs}\n      {sentence}"));
    }
    line(format!("\nbackends:\n  {}", backend_names().join("\n  ")));
    line(format!("\nsubjects:\n  {}", subject_names().join("\n  ")));
    out
}

fn run_with_bar(suite: &Suite) -> Report {
    let bar = bar(suite.checks().len() as u64);
    let report = suite.run_with(|result| {
        if let Outcome::Failed(failure) = &result.outcome {
            let reason = failure.message.lines().next().unwrap_or_default();
            let (mark, law, backend) = (result.mark(), &result.law, &result.backend);
            // The bar shows nothing where there is no terminal.
            bar.suspend(|| eprintln!("{mark} {law} on {backend}: {reason}"));
        }
        show(&bar, result);
    });
    bar.finish_and_clear();
    report
}

/// The bar goes to standard error, and is hidden when that is no terminal.
fn bar(length: u64) -> ProgressBar {
    match length {
        0 => ProgressBar::new_spinner().with_style(style("{spinner} {pos} {elapsed} {wide_msg}")),
        _ => {
            ProgressBar::new(length).with_style(style("{bar:40} {pos}/{len} {elapsed} {wide_msg}"))
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is right")
}

fn show(bar: &ProgressBar, result: &CheckResult) {
    bar.set_message(format!("{} on {}", result.law, result.backend));
    bar.inc(1);
}

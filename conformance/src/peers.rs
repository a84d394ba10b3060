//! The command `peers`: who keeps which law, as a page of Markdown.
//!
//! Each law is run for each subject in a process of its own: some primitives end
//! the process, or leave a thread that spins, and the others are to be judged all
//! the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anysync_conformance::backend::{Backend, lacks};
use anysync_conformance::backends::sim::Simulated;
use anysync_conformance::law::{About, Law, Level};
use anysync_conformance::report::locked_versions;
use anysync_conformance::subject::Subject;
use anysync_conformance::{Suite, laws, subjects};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::Value;

/// How often what failed is run again.
const AGAIN: usize = 5;

/// The packages that the workspace was built with.
const LOCK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");

/// What is run.
pub(crate) struct Plan {
    pub(crate) backends: Vec<Arc<dyn Backend>>,
    pub(crate) subjects: Vec<Arc<dyn Subject>>,
    pub(crate) seed: u64,
    pub(crate) rounds: u64,
    pub(crate) watchdog: u64,
}

/// All subjects: ours first, then whom they stand for, then the others.
pub(crate) fn subjects_in_order() -> Vec<Arc<dyn Subject>> {
    let (ours, others): (Vec<_>, Vec<_>) = subjects::all().into_iter().partition(is_ours);
    ours.into_iter().chain(others).collect()
}

fn is_ours(subject: &Arc<dyn Subject>) -> bool {
    subject.name().starts_with("anysync") || subject.name().ends_with("-drop-in")
}

/// A law for a subject.
struct Cell {
    subject: Arc<dyn Subject>,
    law: Law,
    /// Why it is not run, if it is not.
    skipped: Option<String>,
    failures: Vec<Failed>,
}

/// A law that failed on a backend.
struct Failed {
    backend: String,
    seed: u64,
    what: String,
    is_hang: bool,
    /// How often it failed when it was run again.
    again: Option<usize>,
}

impl Cell {
    fn mark(&self) -> char {
        let is_promised = self.law.excuse_for(&*self.subject).is_none();
        match (&self.skipped, self.failures.is_empty()) {
            (Some(_), _) => '–',
            (None, true) => '✓',
            (None, false) if is_promised => '✗',
            (None, false) => '○',
        }
    }
}

/// Runs it all, and returns the page; `progress` is told of each cell.
pub(crate) fn page(
    plan: &Plan,
    progress: impl Fn(usize, usize, &str) + Sync,
) -> Result<String, String> {
    let lock = fs::read_to_string(Path::new(LOCK)).map_err(|error| format!("{LOCK}: {error}"))?;
    let mut cells = cells(plan);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let all = cells.len();
    let slots: Vec<Mutex<&mut Cell>> = cells.iter_mut().map(Mutex::new).collect();
    // Some do nothing but hang.
    let jobs = 2 * thread::available_parallelism().map_or(2, usize::from);
    let errors = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(slot) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut cell = slot.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Err(error) = run(plan, &mut cell) {
                        let mut errors = errors.lock().unwrap_or_else(PoisonError::into_inner);
                        errors.push(error);
                    }
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    progress(
                        done,
                        all,
                        &format!("{} for {}", cell.law.id, cell.subject.name()),
                    );
                }
            });
        }
    });
    drop(slots);
    let errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
    match errors.first() {
        Some(error) => Err(error.clone()),
        None => Ok(write(plan, &cells, &locked_versions(&lock))),
    }
}

/// Subject by subject, law by law; those about backends say nothing of a subject.
fn cells(plan: &Plan) -> Vec<Cell> {
    let lacking: Vec<_> = plan
        .backends
        .iter()
        .map(|backend| lacks(Arc::clone(backend)))
        .collect();
    let mut cells = Vec::new();
    for subject in &plan.subjects {
        // One check for each law, of which only the reasons count.
        let suite = Suite::new().shared_subject(Arc::clone(subject));
        let checks = suite.backend(Simulated).checks().into_iter();
        for check in checks.filter(|check| check.law.about != About::Backend) {
            let reasons = lacking.iter().map(|lacks| check.skip_reason(lacks));
            let reasons: Option<Vec<_>> = reasons.collect();
            cells.push(Cell {
                subject: Arc::clone(subject),
                law: check.law,
                // One that is run somewhere is not skipped.
                skipped: reasons.and_then(|reasons| reasons.into_iter().next()),
                failures: Vec::new(),
            });
        }
    }
    cells
}

/// Runs a cell on all backends, and again where it failed.
fn run(plan: &Plan, cell: &mut Cell) -> Result<(), String> {
    if cell.skipped.is_some() {
        return Ok(());
    }
    for backend in &plan.backends {
        let seen = child(plan, cell, backend.name(), plan.seed, Some(plan.rounds))?;
        cell.failures.extend(seen.failed);
        // What its law skips by itself it skips everywhere.
        if let Some(reason) = seen.skipped {
            if cell.law.needs.is_empty() {
                cell.skipped = Some(reason);
                return Ok(());
            }
        }
    }
    // The first stands for all.
    let first = cell.failures.first();
    let Some((backend, seed)) = first.map(|failed| (failed.backend.clone(), failed.seed)) else {
        return Ok(());
    };
    let mut again = 0;
    for _ in 0..AGAIN {
        let seen = child(plan, cell, &backend, seed, None)?;
        again += usize::from(seen.failed.is_some());
    }
    cell.failures[0].again = Some(again);
    Ok(())
}

#[derive(Default)]
struct Seen {
    failed: Option<Failed>,
    skipped: Option<String>,
}

/// The arguments that run a law for a subject on a backend.
fn arguments(cell: &Cell, backend: &str, seed: u64, watchdog: Option<u64>) -> Vec<String> {
    let mut arguments = vec![cell.law.id.to_owned()];
    let seed = seed.to_string();
    let pairs = [
        ("--subject", cell.subject.name()),
        ("--backend", backend),
        ("--seed", &seed),
    ];
    for (name, value) in pairs {
        arguments.extend([name.to_owned(), value.to_owned()]);
    }
    if let Some(seconds) = watchdog {
        arguments.extend(["--watchdog".to_owned(), seconds.to_string()]);
    }
    arguments
}

/// Runs a law in a process of its own.
fn child(
    plan: &Plan,
    cell: &Cell,
    backend: &str,
    seed: u64,
    rounds: Option<u64>,
) -> Result<Seen, String> {
    let exe = std::env::current_exe().map_err(|error| format!("no program to run: {error}"))?;
    let mut command = Command::new(exe);
    command.args(arguments(cell, backend, seed, Some(plan.watchdog)));
    command.args(["--format", "json"]);
    if let Some(rounds) = rounds {
        command.args(["--rounds", &rounds.to_string()]);
    }
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("the program cannot be run: {error}"))?;
    let failed = |seed, what: String, is_hang| Failed {
        backend: backend.to_owned(),
        seed,
        what,
        is_hang,
        again: None,
    };
    let Some(result) = result_of(&output.stdout, cell.law.id) else {
        let errors = String::from_utf8_lossy(&output.stderr);
        let status = output.status;
        if status.code() == Some(2) {
            return Err(format!("{} was called wrongly: {errors}", cell.law.id));
        }
        // The address differs from run to run.
        let last = errors.lines().rev().find(|line| !line.trim().is_empty());
        let what = format!(
            "the process ended by {status}: {}",
            last.unwrap_or_default()
        );
        return Ok(Seen {
            failed: Some(failed(seed, what, false)),
            skipped: None,
        });
    };
    let reason = result["reason"].as_str().unwrap_or_default().to_owned();
    let seed = result["seed"].as_u64().unwrap_or(seed);
    Ok(match result["outcome"].as_str() {
        Some("failed") => {
            let is_hang = reason.starts_with("hung");
            Seen {
                failed: Some(failed(seed, reason, is_hang)),
                skipped: None,
            }
        }
        Some("skipped") => Seen {
            failed: None,
            skipped: Some(reason),
        },
        _ => Seen::default(),
    })
}

fn result_of(json: &[u8], law: &str) -> Option<Value> {
    let report: Value = serde_json::from_slice(json).ok()?;
    let results = report["results"].as_array()?.iter();
    let mut of_law = results.filter(|result| result["law"] == law);
    of_law.next().cloned()
}

/// The packages that a subject is made of.
fn packages(subject: &str) -> Vec<&str> {
    match subject {
        "anysync-eventual" => vec!["anysync"],
        "tokio" => vec!["tokio", "tokio-util"],
        "smol" => vec!["async-lock", "async-channel", "event-listener"],
        "tokio-drop-in" => vec!["anysync-tokio"],
        "smol-drop-in" => vec!["anysync-smol"],
        "async-std-drop-in" => vec!["anysync-async-std"],
        "futures-drop-in" => vec!["anysync-futures"],
        same => vec![same],
    }
}

fn versions(subject: &str, locked: &BTreeMap<&str, &str>) -> String {
    let of_package = |name: &str| {
        let version = locked.get(name).unwrap_or(&"of no known version");
        format!("{name} {version}")
    };
    let all: Vec<_> = packages(subject).into_iter().map(of_package).collect();
    all.join(", ")
}

/// The day, as `year-month-day`.
fn today() -> String {
    let now = Offset::UTC.to_datetime(Timestamp::now());
    now.date().to_string()
}

fn write(plan: &Plan, cells: &[Cell], locked: &BTreeMap<&str, &str>) -> String {
    let mut out = String::new();
    head(&mut out, plan);
    matrix(&mut out, plan, cells);
    out.push_str("\n## The subjects\n\n");
    for subject in &plan.subjects {
        let name = subject.name();
        let own = cells.iter().filter(|cell| cell.subject.name() == name);
        of_subject(&mut out, plan, &**subject, &own.collect::<Vec<_>>(), locked);
    }
    skips(&mut out, cells);
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn head(out: &mut String, plan: &Plan) {
    let Plan {
        seed,
        rounds,
        watchdog,
        ..
    } = plan;
    let backends: Vec<_> = plan
        .backends
        .iter()
        .map(|backend| format!("`{}`", backend.name()))
        .collect();
    let backends = backends.join(", ");
    write!(
        out,
        "# Who keeps which law

Made on {} by

```console
$ cargo run --release -p anysync-conformance --features peers -- peers --seed {seed} --rounds \
         {rounds} --watchdog {watchdog} --output conformance/PEERS.md
```

Each law about a primitive is run for each subject on {backends}, on `sim` under {rounds} \
         schedules, each in a process of its own. What is marked ✗ or ○ failed on one of these at least; \
         it was then run {AGAIN} times more with the same seed, and how often it failed again is \
         told. A hang is one after {watchdog} seconds. A ✓ says that nothing was found, not that \
         there is nothing.

| mark | |
|-|-|
| ✓ | it holds, wherever it was run |
| ✗ | it does not hold: see below |
| ○ | it does not hold, and asks for more than the subject promises: see below |
| – | it was not run: the subject has no such primitive, or does not promise what it is about |

The laws are written for `anysync`, of which each is a MUST. For the others a MUST is what memory \
         safety, exclusion, delivery and wake-ups need, and what they promise themselves; the rest \
         is a SHOULD, and no fault. Nobody but `anysync` has undertaken to keep these laws.

",
        today(),
    )
    .expect("a String takes it");
}

fn matrix(out: &mut String, plan: &Plan, cells: &[Cell]) {
    let width = cells.iter().map(|cell| cell.law.id.len()).max();
    let width = width.unwrap_or(0);
    let mut line = |text: String| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line("```text".to_owned());
    // A stair of names, for they are wider than their columns.
    for (place, subject) in plan.subjects.iter().enumerate() {
        line(format!(
            "{:width$}  {}{}",
            "",
            "│ ".repeat(place),
            subject.name()
        ));
    }
    for law in laws::all() {
        let of_law: Vec<_> = cells.iter().filter(|cell| cell.law.id == law.id).collect();
        if of_law.is_empty() {
            continue;
        }
        let marks: String = of_law.iter().flat_map(|cell| [cell.mark(), ' ']).collect();
        line(format!("{:width$}  {marks} {}", law.id, law.level));
    }
    line("```".to_owned());
}

fn of_subject(
    out: &mut String,
    plan: &Plan,
    subject: &dyn Subject,
    cells: &[&Cell],
    locked: &BTreeMap<&str, &str>,
) {
    let count = |mark| cells.iter().filter(|cell| cell.mark() == mark).count();
    let name = subject.name();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&format!("### {name}\n"));
    let is_broken =
        |cell: &&&Cell| cell.mark() == '✗' && cell.law.level_for(subject) == Level::Must;
    line(&format!(
        "{}. {} ✓, {} ✗ (of these {} MUST), {} ○, {} –.\n",
        versions(name, locked),
        count('✓'),
        count('✗'),
        cells.iter().filter(is_broken).count(),
        count('○'),
        count('–')
    ));
    if !subject.adapted().is_empty() {
        line(&format!("Adapted: {}\n", subject.adapted()));
    }
    let failed = cells.iter().filter(|cell| !cell.failures.is_empty());
    let mut any = false;
    for cell in failed {
        let Some(first) = cell.failures.first() else {
            continue;
        };
        any = true;
        let on: Vec<_> = cell
            .failures
            .iter()
            .map(|failed| format!("`{}`", failed.backend))
            .collect();
        line(&format!(
            "- {} `{}` ({}) on {}: {}",
            cell.mark(),
            cell.law.id,
            cell.law.level_for(subject),
            on.join(", "),
            cell.law.sentence
        ));
        line(&format!(
            "  - What happened on `{}`: {} Again: {} of {AGAIN}.",
            first.backend,
            one_line(&first.what),
            first.again.unwrap_or_default()
        ));
        if let Some(excuse) = cell.law.excuse_for(subject) {
            line(&format!("  - Not promised: {excuse}"));
        }
        // A hang may be given up sooner than usual.
        let watchdog = first.is_hang.then_some(plan.watchdog);
        line(&format!(
            "  - `cargo run --release -p anysync-conformance --features peers -- {}`",
            arguments(cell, &first.backend, first.seed, watchdog).join(" ")
        ));
    }
    if any {
        line("");
    }
}

/// A message of many lines on one, and not too long.
fn one_line(text: &str) -> String {
    const MOST: usize = 400;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = without_place(&lines.collect::<Vec<_>>().join("; ")).to_owned();
    let mut short: String = line.chars().take(MOST).collect();
    if short.len() < line.len() {
        short.push_str(" …");
    }
    match short.ends_with(['.', '!', '?']) {
        true => short,
        false => short + ".",
    }
}

/// A message without the place in the source at its end, which may be anywhere on
/// this machine.
fn without_place(text: &str) -> &str {
    match text.rsplit_once(" (") {
        Some((message, place)) if place.ends_with(')') && place.contains(".rs:") => message,
        _ => text,
    }
}

/// Why some were not run.
fn skips(out: &mut String, cells: &[Cell]) {
    let mut reasons: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for cell in cells {
        if let Some(reason) = &cell.skipped {
            let laws = reasons.entry(cell.subject.name()).or_default();
            laws.entry(reason).or_default().push(cell.law.id);
        }
    }
    out.push_str("## What was not run\n\n");
    for (subject, reasons) in reasons {
        let all: Vec<_> = reasons
            .iter()
            .map(|(reason, laws)| {
                let reason = reason.strip_prefix(subject).unwrap_or(reason).trim();
                format!("{reason} ({})", laws.len())
            })
            .collect();
        writeln!(out, "- {subject}: {}.", all.join("; ")).expect("a String takes it");
    }
}

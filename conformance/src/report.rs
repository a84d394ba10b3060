//! What came out of a run.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::cx::{SkipReason, is_planned};
use crate::harness::SEED;
use crate::law::{Law, Level};
use crate::log::{Log, message_of};

mod html;
mod junit;
mod table;

/// Name and version of each package in the text of a `Cargo.lock`. Of two versions
/// the newer counts: the older is there for some dependency.
pub fn locked_versions(lock: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    let mut name = "";
    // Packages are in the order of names, and then of versions.
    for line in lock.lines() {
        if let Some(value) = line.strip_prefix("name = ") {
            name = value.trim_matches('"');
        } else if let Some(value) = line.strip_prefix("version = ") {
            found.insert(name, value.trim_matches('"'));
        }
    }
    found
}

/// How a check ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The law holds.
    Passed,
    /// It does not.
    Failed(Failure),
    /// It was not run, for this reason.
    Skipped(String),
}

/// What is known about a check that failed.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    /// What went wrong.
    pub message: String,
    /// Where in the source, as `file:line:column`; empty if nowhere.
    pub location: String,
    /// Who waited on what, and what had happened.
    pub dump: String,
}

impl Failure {
    pub(crate) fn new(message: String) -> Self {
        Self {
            message,
            ..Self::default()
        }
    }
}

impl Outcome {
    /// Its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    pub(crate) fn from_panic(payload: Box<dyn Any + Send>, log: &Log) -> Self {
        let payload = match payload.downcast::<SkipReason>() {
            Ok(skip) => return Self::Skipped(skip.0),
            Err(payload) => payload,
        };
        if is_planned(&*payload) {
            let mut failure = Failure::new("a panic that the law had planned came out".to_owned());
            failure.dump = log.dump();
            return Self::Failed(failure);
        }
        let message = message_of(&*payload);
        let panic = log.panic_like(&message);
        Self::Failed(Failure {
            location: panic.map(|panic| panic.location).unwrap_or_default(),
            dump: log.dump(),
            message,
        })
    }
}

/// One cell of the matrix.
#[derive(Clone, Debug)]
pub struct CheckResult {
    /// The subject's name.
    pub subject: String,
    /// The law's id.
    pub law: String,
    /// The backend's name.
    pub backend: String,
    /// Whether the command of this crate knows the subject and the backend.
    pub is_built_in: bool,
    /// The law's level for this subject.
    pub level: Level,
    /// How it ended.
    pub outcome: Outcome,
    /// The seed of the run; of the round that failed, where there were several.
    pub seed: u64,
    /// How many times it was run: none if it was skipped, several where each seed
    /// is a schedule.
    pub rounds: u64,
    /// Under how many schedules it was run [one after another](crate::Suite::exhaustive),
    /// and whether these are all that there are.
    pub explored: Option<(u64, bool)>,
    /// How long it took.
    pub time: Duration,
}

impl CheckResult {
    /// Whether it fails a run: a MUST does not hold.
    pub fn is_fatal(&self) -> bool {
        self.level == Level::Must && matches!(self.outcome, Outcome::Failed(_))
    }

    /// Its sign in a matrix: a SHOULD that does not hold has one of its own.
    pub fn mark(&self) -> char {
        match self.outcome {
            Outcome::Passed => '✓',
            Outcome::Failed(_) if self.level == Level::Should => '○',
            Outcome::Failed(_) => '✗',
            Outcome::Skipped(_) => '–',
        }
    }

    /// The command that repeats it: for a subject or a backend that the command of this
    /// crate does not know, the test of that name.
    fn command(&self) -> String {
        let Self {
            law,
            backend,
            subject,
            seed,
            ..
        } = self;
        if self.is_built_in {
            return format!(
                "anysync-conformance {law} --backend {backend} --subject {subject} --seed {seed}"
            );
        }
        format!("{SEED}={seed} cargo test -- --exact {subject}::{backend}::{law}")
    }
}

/// All results of a run; prints itself as the matrix.
#[derive(Clone, Debug)]
pub struct Report {
    results: Vec<CheckResult>,
    laws: Vec<Law>,
    seed: u64,
}

impl Report {
    pub(crate) fn new(results: Vec<CheckResult>, laws: Vec<Law>, seed: u64) -> Self {
        Self {
            results,
            laws,
            seed,
        }
    }

    /// The results, subject by subject, law by law.
    pub fn results(&self) -> &[CheckResult] {
        &self.results
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether every MUST holds.
    pub fn is_success(&self) -> bool {
        !self.results.iter().any(CheckResult::is_fatal)
    }

    fn law(&self, id: &str) -> Option<&Law> {
        self.laws.iter().find(|law| law.id == id)
    }

    fn subjects(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for result in &self.results {
            if !names.contains(&&*result.subject) {
                names.push(&result.subject);
            }
        }
        names
    }

    /// What is known about the checks that failed, without the matrix.
    pub fn failures(&self) -> String {
        struct Failures<'a>(&'a Report);
        impl fmt::Display for Failures<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let results: Vec<_> = self.0.results.iter().collect();
                table::failures(self.0, &results, f)
            }
        }
        Failures(self).to_string()
    }

    /// One JSON object per subject, each on a line of its own.
    pub fn json(&self) -> String {
        let mut out = String::new();
        for subject in self.subjects() {
            let of_subject = self
                .results
                .iter()
                .filter(|result| result.subject == subject);
            let json = JsonReport {
                subject,
                results: of_subject.map(JsonResult::new).collect(),
            };
            out.push_str(&serde_json::to_string(&json).expect("strings and numbers"));
            out.push('\n');
        }
        out
    }
}

impl Report {
    /// JUnit XML: a suite for each subject on each backend, with a case for each law.
    pub fn junit(&self) -> String {
        junit::xml(self)
    }

    /// A page that needs nothing besides itself: the matrix, with what is known about
    /// each check behind its cell. `made` is the time that it shows.
    pub fn html(&self, made: Option<SystemTime>) -> String {
        html::page(self, made)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        table::write(self, f)
    }
}

#[derive(Serialize)]
struct JsonReport<'a> {
    subject: &'a str,
    results: Vec<JsonResult<'a>>,
}

#[derive(Serialize)]
struct JsonResult<'a> {
    law: &'a str,
    backend: &'a str,
    level: &'static str,
    outcome: &'static str,
    reason: Option<String>,
    seed: u64,
    millis: u64,
}

impl<'a> JsonResult<'a> {
    fn new(result: &'a CheckResult) -> Self {
        let reason = match &result.outcome {
            Outcome::Passed => None,
            Outcome::Skipped(reason) => Some(reason.clone()),
            Outcome::Failed(failure) if failure.location.is_empty() => {
                Some(failure.message.clone())
            }
            Outcome::Failed(failure) => Some(format!("{} ({})", failure.message, failure.location)),
        };
        Self {
            law: &result.law,
            backend: &result.backend,
            level: result.level.name(),
            outcome: result.outcome.name(),
            reason,
            seed: result.seed,
            millis: result.time.as_millis().try_into().unwrap_or(u64::MAX),
        }
    }
}

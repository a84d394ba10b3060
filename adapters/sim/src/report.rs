//! [`Failure`]: what went wrong in a simulation, who waited, how it came about,
//! and how to see it again.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::choose::Choice;
use crate::panics::Panic;
use crate::world::TaskId;

/// How many tasks a report lists.
const TASKS: usize = 40;
/// How many steps a report shows from the beginning, and from the end.
const FIRST: usize = 20;
const LAST: usize = 60;

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Spawned(TaskId, String, &'static Location<'static>),
    /// It was chosen before so many that had been ready longer.
    Runs {
        task: TaskId,
        before: usize,
        is_spurious: bool,
    },
    Woken(TaskId),
    Delayed(TaskId, Duration),
    Cancelled(TaskId),
    Exhausted,
    Clock(Duration),
    /// Its poll left it pending.
    Pending {
        yields: bool,
    },
    Ended(TaskId),
}

/// A run that cannot go on.
#[derive(Debug)]
pub(crate) struct Stuck {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    pub(crate) now: Duration,
    pub(crate) who: Vec<WhoWaits>,
}

/// A task that is not finished.
#[derive(Debug)]
pub(crate) struct WhoWaits {
    pub(crate) id: TaskId,
    pub(crate) label: String,
    pub(crate) place: String,
    pub(crate) polls: u64,
    pub(crate) is_idle: bool,
    pub(crate) waits: Vec<String>,
    /// Where in the source, from the inside out.
    pub(crate) places: Vec<String>,
    /// Polled once more, it went on.
    pub(crate) was_forgotten: bool,
}

/// How a simulation can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// The test panicked.
    Panic,
    /// Every task waits, and no timer is pending: a deadlock, or a lost wake-up.
    Deadlock,
    /// The run took more steps than it may: a livelock, or a loop that yields
    /// until something happens that never does.
    StepLimit,
    /// Another thread woke or spawned a task, which no seed repeats.
    ForeignWake,
}

impl Stuck {
    pub(crate) fn deadlock() -> (FailureKind, String) {
        (
            FailureKind::Deadlock,
            "nobody can go on: every task waits, and no timer is pending".to_owned(),
        )
    }

    pub(crate) fn step_limit(limit: u64) -> (FailureKind, String) {
        (
            FailureKind::StepLimit,
            format!("not finished after {limit} steps (the limit is `Builder::max_steps`)"),
        )
    }

    pub(crate) fn intruder(thread: &str) -> (FailureKind, String) {
        (
            FailureKind::ForeignWake,
            format!(
                "thread `{thread}` woke or spawned a task of the simulation, which then depends \
                 on more than its seed (allow it with `Builder::foreign_wakes`)"
            ),
        )
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} (at +{:?})", self.message, self.now)?;
        write_who(f, &self.who)
    }
}

fn write_who(f: &mut fmt::Formatter<'_>, who: &[WhoWaits]) -> fmt::Result {
    writeln!(f, "\nwho is not finished:")?;
    for task in who.iter().take(TASKS) {
        write!(f, "  {} (from {}), ", task.label, task.place)?;
        match (task.polls, task.is_idle) {
            (0, _) => write!(f, "never polled")?,
            (polls, true) => write!(f, "waiting, polled {polls}×")?,
            (polls, false) => write!(f, "ready, polled {polls}×")?,
        }
        for wait in &task.waits {
            write!(f, "; {wait}")?;
        }
        writeln!(f)?;
        for place in &task.places {
            writeln!(f, "      at {place}")?;
        }
        if task.was_forgotten {
            writeln!(
                f,
                "      polled once more it goes on, though nobody woke it: was a wake-up lost?"
            )?;
        }
    }
    match who.len().saturating_sub(TASKS) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}

/// A simulation that failed; its text is the whole report.
pub struct Failure(pub(crate) Box<Details>);

/// What a report tells.
pub(crate) struct Details {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    pub(crate) location: String,
    pub(crate) panics: Vec<Panic>,
    pub(crate) now: Duration,
    pub(crate) who: Vec<WhoWaits>,
    pub(crate) origin: Origin,
    pub(crate) story: Option<Story>,
}

/// Where the schedule came from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// The round, out of how many.
    Check {
        seed: u64,
        round: u64,
        rounds: u64,
    },
    Replay {
        seed: u64,
    },
    Explored {
        schedule: u64,
    },
}

/// How it came about.
#[derive(Debug)]
pub(crate) enum Story {
    /// The plainest schedule that fails likewise.
    Shrunk {
        choices: Vec<Choice>,
        events: Vec<Event>,
        tried: u32,
    },
    /// The same choices did not fail again.
    Unrepeatable,
}

impl Failure {
    /// In which way it failed.
    pub fn kind(&self) -> FailureKind {
        self.0.kind
    }

    /// The seed that repeats it; none after an exploration, which comes to the
    /// same schedule by itself.
    pub fn seed(&self) -> Option<u64> {
        match self.0.origin {
            Origin::Check { seed, .. } | Origin::Replay { seed } => Some(seed),
            Origin::Explored { .. } => None,
        }
    }

    /// What failed, without the rest of the report.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How it came about, in the plainest schedule that fails likewise, with a line
    /// for each step; `None` if none was looked for, or it did not fail again.
    pub fn story(&self) -> Option<String> {
        struct Told<'a>(&'a [Event]);

        impl fmt::Display for Told<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_events(f, self.0)
            }
        }

        match &self.0.story {
            Some(Story::Shrunk { events, .. }) => Some(Told(events).to_string()),
            _ => None,
        }
    }

    /// How many choices of the plainest schedule that fails likewise are not the
    /// usual ones; `None` if none was looked for, or it did not fail again.
    pub fn unusual_choices(&self) -> Option<usize> {
        match &self.0.story {
            Some(Story::Shrunk { choices, .. }) => Some(unusual(choices)),
            _ => None,
        }
    }
}

fn unusual(choices: &[Choice]) -> usize {
    choices.iter().filter(|choice| choice.chosen != 0).count()
}

impl Error for Failure {}

/// The report, so that `unwrap` shows it.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the simulation failed: {}", self.message)?;
        if !self.location.is_empty() {
            write!(f, "\n  at {}", self.location)?;
        }
        write!(f, "\n  when its clock said +{:?}, ", self.now)?;
        match self.origin {
            Origin::Check {
                seed,
                round,
                rounds,
            } => writeln!(f, "in round {round} of {rounds}, with seed {seed}")?,
            Origin::Replay { seed } => writeln!(f, "with seed {seed}")?,
            Origin::Explored { schedule } => writeln!(f, "in schedule {schedule}")?,
        }
        let earlier = self
            .panics
            .iter()
            .filter(|panic| panic.location != self.location);
        for Panic { message, location } in earlier {
            writeln!(f, "  a task panicked at {location}: {message}")?;
        }
        if !self.who.is_empty() {
            write_who(f, &self.who)?;
        }
        if self.kind == FailureKind::Deadlock {
            writeln!(
                f,
                "  (a thread outside cannot help, unless `Builder::foreign_wakes` allows it)"
            )?;
        }
        match &self.story {
            Some(Story::Shrunk {
                choices,
                events,
                tried,
            }) => {
                writeln!(
                    f,
                    "\nhow it came about, in the plainest of {} schedules that were tried (> marks \
                     what is not first come, first served: {} of {} choices):",
                    tried + 1,
                    unusual(choices),
                    choices.len(),
                )?;
                write_events(f, events)?;
            }
            Some(Story::Unrepeatable) => writeln!(
                f,
                "\nthe same schedule did not fail a second time: the test depends on something \
                 else, such as threads, the real clock, or the order of a `HashMap`"
            )?,
            None => {}
        }
        match self.origin {
            Origin::Check { seed, .. } | Origin::Replay { seed } => write!(
                f,
                "\nto repeat it: set ANYSYNC_SIM_SEED={seed}, or call `replay({seed}, …)` in place \
                 of `check`, with the same options"
            ),
            Origin::Explored { .. } => {
                write!(f, "\nto repeat it: explore again, with the same options")
            }
        }
    }
}

/// A line for each step.
fn write_events(f: &mut fmt::Formatter<'_>, events: &[Event]) -> fmt::Result {
    let mut labels = BTreeMap::new();
    let mut lines: Vec<Line> = Vec::new();
    for event in events {
        if let Event::Spawned(task, label, _) = event {
            labels.insert(*task, label.clone());
        }
        tell(&labels, event, &mut lines);
    }
    let hidden = FIRST..lines.len().saturating_sub(LAST).max(FIRST);
    for (place, line) in lines.iter().enumerate() {
        if hidden.contains(&place) {
            if place == hidden.start {
                writeln!(f, "      … {} steps …", hidden.len())?;
            }
            continue;
        }
        let mark = if line.is_unusual { '>' } else { ' ' };
        writeln!(f, "{mark} {:3}  {}", place + 1, line.text)?;
    }
    Ok(())
}

struct Line {
    text: String,
    is_unusual: bool,
    /// Whose step it is.
    actor: Option<TaskId>,
}

fn tell(labels: &BTreeMap<TaskId, String>, event: &Event, lines: &mut Vec<Line>) {
    let label = |task: &TaskId| labels.get(task).map_or("a task", String::as_str);
    let mut line = |text: String, is_unusual, actor| {
        lines.push(Line {
            text,
            is_unusual,
            actor,
        });
    };
    match event {
        Event::Runs {
            task,
            before,
            is_spurious,
        } => {
            let why = match (is_spurious, before) {
                (true, _) => " though nobody woke it".to_owned(),
                (false, 0) => String::new(),
                (false, 1) => " before 1 that was ready earlier".to_owned(),
                (false, others) => format!(" before {others} that were ready earlier"),
            };
            let text = format!("{} runs{why}", label(task));
            return line(text, *is_spurious || *before > 0, Some(*task));
        }
        Event::Cancelled(task) => {
            return line(format!("{} is cancelled", label(task)), true, Some(*task));
        }
        Event::Clock(at) => return line(format!("the clock goes on to +{at:?}"), false, None),
        _ => {}
    }
    // The rest are parts of a step.
    let Some(last) = lines.last_mut() else {
        return;
    };
    let part = match event {
        Event::Spawned(task, _, place) => format!("spawns {} (at {place})", label(task)),
        Event::Woken(task) if last.actor.is_some() => format!("wakes {}", label(task)),
        Event::Woken(task) => format!("{} is woken", label(task)),
        Event::Delayed(task, by) => {
            last.is_unusual = true;
            format!("wakes {}, {by:?} late", label(task))
        }
        Event::Exhausted => {
            last.is_unusual = true;
            "its budget is used up".to_owned()
        }
        Event::Pending { yields: true } => "yields".to_owned(),
        Event::Pending { yields: false } => "waits".to_owned(),
        Event::Ended(task) if last.actor == Some(*task) => "ends".to_owned(),
        Event::Ended(task) => format!("{} ends", label(task)),
        Event::Runs { .. } | Event::Cancelled(_) | Event::Clock(_) => return,
    };
    last.text.push_str("; ");
    last.text.push_str(&part);
}

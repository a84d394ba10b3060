//! Runs one check: on a thread of its own, under a watchdog.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::backend::{Backend, Body, Capability, Explored, Progress, Root, Stage};
use crate::log::{Scope, message_of};
use crate::report::{Failure, Outcome};

/// What to run.
pub(crate) struct Check {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) body: Body,
    pub(crate) needs: Vec<Capability>,
    pub(crate) seed: u64,
    pub(crate) watchdog: Duration,
    /// Whether it is to run while no other check does.
    pub(crate) is_alone: bool,
    /// Whether it tries the backend itself, of which nothing is known yet.
    pub(crate) is_trial: bool,
}

/// Shared by the checks that run, or had by one alone.
static MACHINE: RwLock<()> = RwLock::new(());

/// Runs it, and always returns: a check that hangs is left behind on its thread.
pub(crate) fn run(check: Check) -> (Outcome, Duration) {
    let Check {
        backend,
        body,
        needs,
        seed,
        watchdog,
        is_alone,
        is_trial,
    } = check;
    let _alone = is_alone.then(|| MACHINE.write().unwrap_or_else(PoisonError::into_inner));
    let _shared = (!is_alone).then(|| MACHINE.read().unwrap_or_else(PoisonError::into_inner));
    let (root, progress) = Root::new(body, needs, seed);
    let (done, returned) = channel();
    let start = Instant::now();
    let log = Arc::clone(&progress.log);
    let started = thread::Builder::new()
        .name("check".to_owned())
        .spawn(move || {
            let _scope = Scope::enter(&log);
            let result = catch_unwind(AssertUnwindSafe(|| backend.run(root)));
            // The runner may have given up; then nobody listens.
            let _ = done.send(result);
        });
    if let Err(error) = started {
        let failure = Failure::new(format!("no thread to run the check on: {error}"));
        return (Outcome::Failed(failure), start.elapsed());
    }
    let returned = returned.recv_timeout(watchdog);
    let time = start.elapsed();
    let outcome = match returned {
        Ok(Ok(())) => ended(&progress),
        Ok(Err(payload)) => backend_panicked(&progress, &message_of(&*payload)),
        Err(RecvTimeoutError::Timeout) => {
            let outcome = hung(&progress, watchdog, is_trial);
            progress.log.abandon();
            outcome
        }
        Err(RecvTimeoutError::Disconnected) => failed(
            &progress,
            "the check's thread ended without a result".to_owned(),
        ),
    };
    (outcome, time)
}

/// What the backend tells of how a check came to fail with this seed, if it does so
/// in time.
pub(crate) fn retell(
    backend: Arc<dyn Backend>,
    body: impl Fn() -> Body + Send + 'static,
    seed: u64,
    watchdog: Duration,
) -> Option<String> {
    aside(watchdog, move || {
        backend.retell(&|| Root::new(body(), Vec::new(), seed).0)
    })
}

/// How far the backend comes when it runs a check under every schedule, if it can,
/// and does so in time.
pub(crate) fn explore(
    backend: Arc<dyn Backend>,
    body: impl Fn() -> Body + Send + 'static,
    seed: u64,
    limit: u64,
    watchdog: Duration,
) -> Option<Explored> {
    aside(watchdog, move || {
        backend.explore(&|| Root::new(body(), Vec::new(), seed).0, limit)
    })
}

/// What `work` returns, on a thread that is left behind when it takes too long.
fn aside<T: Send + 'static>(
    watchdog: Duration,
    work: impl FnOnce() -> Option<T> + Send + 'static,
) -> Option<T> {
    let (done, told) = channel();
    let working = move || {
        let came = catch_unwind(AssertUnwindSafe(work));
        // The runner may have given up; then nobody listens.
        let _ = done.send(came.ok().flatten());
    };
    let thread = thread::Builder::new().name("check again".to_owned());
    thread.spawn(working).ok()?;
    told.recv_timeout(watchdog).ok()?
}

fn failed(progress: &Progress, message: String) -> Outcome {
    let mut failure = Failure::new(message);
    failure.dump = progress.log.dump();
    Outcome::Failed(failure)
}

fn polls(progress: &Progress) -> u64 {
    progress.polls.load(Ordering::Relaxed)
}

fn ended(progress: &Progress) -> Outcome {
    match progress.take_stage() {
        Stage::Done(outcome) => outcome,
        Stage::Given => failed(
            progress,
            "the backend's `run` returned without making the root future: call `root.on(face)` \
             and run what it returns"
                .to_owned(),
        ),
        Stage::Running | Stage::Dropped if polls(progress) == 0 => failed(
            progress,
            "the backend never polled the root future and returned: did `run` start it, and wait \
             for it?"
                .to_owned(),
        ),
        Stage::Running | Stage::Dropped => failed(
            progress,
            format!(
                "the backend ended early: `run` returned when the root future was still pending, \
                 after {} polls. Does it take a task that waits for one that is done, or stop \
                 when nothing is ready?",
                polls(progress)
            ),
        ),
    }
}

fn backend_panicked(progress: &Progress, message: &str) -> Outcome {
    let stage = progress.take_stage();
    if let Stage::Done(Outcome::Failed(failure)) = stage {
        return Outcome::Failed(failure);
    }
    let when = match stage {
        Stage::Done(_) => "while it shut down, after the law had finished",
        Stage::Given => "before it ran the law",
        Stage::Running | Stage::Dropped => "while it ran the law",
    };
    let mut outcome = failed(progress, format!("the backend panicked {when}: {message}"));
    if let (Outcome::Failed(failure), Some(panic)) =
        (&mut outcome, progress.log.panic_like(message))
    {
        failure.location = panic.location;
    }
    outcome
}

fn hung(progress: &Progress, watchdog: Duration, is_trial: bool) -> Outcome {
    let stage = progress.take_stage();
    let message = match stage {
        Stage::Done(Outcome::Failed(failure)) => return Outcome::Failed(failure),
        Stage::Done(_) => format!(
            "the law finished, and the backend's `run` has not returned after {watchdog:.0?}: \
             does its shutdown wait for a task or a thread that never ends?"
        ),
        Stage::Given => format!(
            "the backend has not made the root future after {watchdog:.0?}: does `run` block \
             before `root.on(face)`?"
        ),
        Stage::Dropped => format!(
            "the backend dropped the root future unfinished and has not returned after \
             {watchdog:.0?}"
        ),
        Stage::Running if polls(progress) == 0 => format!(
            "the backend has not polled the root future within {watchdog:.0?}: was it queued on \
             an executor that nobody runs?"
        ),
        Stage::Running => format!(
            "hung: not finished after {watchdog:.0?}. {}",
            stands(progress, is_trial)
        ),
    };
    failed(progress, message)
}

/// What a root future that hangs is at, with a guess at the cause.
fn stands(progress: &Progress, is_trial: bool) -> String {
    let before = polls(progress);
    let is_in_poll = progress.in_poll.load(Ordering::Relaxed);
    thread::sleep(Duration::from_millis(20));
    let polls = polls(progress);
    match (polls - before, is_in_poll) {
        (0, true) => format!(
            "Poll {polls} of the root future does not return: something in it blocks the \
             executor's thread"
        ),
        (0, false) if is_trial => format!(
            "The root future was polled {polls}x and waits: either a wake-up was lost, by the \
             executor's waker, or something blocks the executor's thread"
        ),
        // The backend has been tried before, and wakes what waits.
        (0, false) => format!(
            "The root future was polled {polls}x and waits: either the primitive lost a \
             wake-up, or something blocks the executor's thread"
        ),
        _ => format!(
            "The root future is polled again and again, {polls}x by now: what it asks for does \
             not come true, as when a task that is ready is never run"
        ),
    }
}

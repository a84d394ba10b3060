//! What a backend is asked before any law: does it run a future at all, and a
//! task? One that does not would let each law hang until its watchdog barks.

use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use anysync::yield_now;

use super::{Backend, Body, Capability};
use crate::cx::Cx;
use crate::report::{Failure, Outcome};
use crate::runner;

/// How long the future may take, which is done at its second poll.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// What a backend that runs futures is like.
pub(crate) struct Probed {
    /// What it says that it lacks, and why.
    pub(crate) lacks: Vec<(Capability, String)>,
    /// What it offers and cannot do, and what happened.
    pub(crate) broken: Vec<(Capability, Failure)>,
}

/// The capabilities that run something which says when it is done. A timer is left
/// to the laws.
const TRIED: [Capability; 3] = [
    Capability::Spawn,
    Capability::SpawnLocal,
    Capability::SpawnBlocking,
];

/// # Errors
///
/// What happened, if it cannot run a future at all.
pub(crate) fn probe(backend: &Arc<dyn Backend>, limit: Duration) -> Result<Probed, Failure> {
    let asks = |answer: Sender<Vec<_>>| {
        boxed(move |cx: Cx| async move {
            yield_now().await;
            let missing = Capability::ALL.into_iter().filter_map(|what| {
                let reason = cx.reason_against(&[what])?;
                Some((what, reason))
            });
            let _ = answer.send(missing.collect());
        })
    };
    let lacks = run(backend, limit, asks).map_err(|mut failure| {
        let name = backend.name();
        failure.message = format!("{name} cannot run a future at all: {}", failure.message);
        failure
    })?;
    let has = |what: &Capability| !lacks.iter().any(|(missing, _)| missing == what);
    let broken = TRIED.into_iter().filter(has).filter_map(|what| {
        let failure = try_task(backend, limit, what)?;
        Some((what, failure))
    });
    let broken = broken.collect();
    Ok(Probed { lacks, broken })
}

/// What happened, if the task of one line does not come to its end.
fn try_task(backend: &Arc<dyn Backend>, limit: Duration, what: Capability) -> Option<Failure> {
    let tries = |answer: Sender<()>| {
        boxed(move |cx: Cx| async move {
            run_task(&cx, what).await;
            let _ = answer.send(());
        })
    };
    let mut failure = run(backend, limit, tries).err()?;
    let name = backend.name();
    let guess = match what {
        Capability::SpawnBlocking => "is there a thread that takes the work?",
        _ => "is the task queued where the executor looks, and polled again when it is woken?",
    };
    failure.message = format!(
        "{name} does not run what `{what}` is given: {}. {guess}",
        failure.message
    );
    Some(failure)
}

/// Runs a task of one line to its end, or panics.
async fn run_task(cx: &Cx, what: Capability) {
    let (ran, runs) = channel();
    let label = "of the probe";
    let task = async move {
        yield_now().await;
        let _ = ran.send(());
    };
    let ended = match what {
        Capability::SpawnLocal => cx.spawn_local(label, task).await,
        Capability::SpawnBlocking => {
            let work = move || anysync::io::block_on(task);
            cx.spawn_blocking(label, work).await
        }
        _ => cx.spawn(label, task).await,
    };
    if let Err(error) = ended {
        panic!("nobody aborted it, and its handle says: {error}");
    }
    assert!(
        runs.try_recv().is_ok(),
        "its handle says that it is done, and it is not"
    );
}

fn boxed<F>(body: impl FnOnce(Cx) -> F + Send + 'static) -> Body
where
    F: Future<Output = ()> + Send + 'static,
{
    Box::new(move |cx| Box::pin(body(cx)))
}

/// What the body sends, or why it does not. A machine that stands still for as long
/// as the limit is no flaw of the backend: what hangs is asked twice.
fn run<T>(
    backend: &Arc<dyn Backend>,
    limit: Duration,
    body: impl Fn(Sender<T>) -> Body,
) -> Result<T, Failure> {
    let once = || {
        let (sender, answer) = channel();
        let (outcome, time) = runner::run(runner::Check {
            backend: Arc::clone(backend),
            body: body(sender),
            needs: Vec::new(),
            seed: 0,
            watchdog: limit,
            is_alone: false,
            is_trial: true,
        });
        let answer = match (outcome, answer.try_recv()) {
            (Outcome::Failed(failure), _) => Err(failure),
            (_, Ok(answer)) => Ok(answer),
            (_, Err(_)) => Err(Failure::new("the future ended without a word".to_owned())),
        };
        (answer, time)
    };
    match once() {
        (Err(_), time) if time >= limit => once().0,
        (answer, _) => answer,
    }
}

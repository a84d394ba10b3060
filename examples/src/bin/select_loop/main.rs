//! A task that waits for one lock in two places: in a future that it keeps
//! between the turns of a `select` loop, and in the body of a turn.
//!
//! While it is in the body it does not poll the future. If the lock is handed to
//! the future just then, the task waits in the body for a lock that it has
//! itself, in a future that it will poll after the body. With many locks it does
//! so for ever. Nothing in the code shows it: no lock is taken twice, and each
//! piece is right by itself.
//!
//! `anysync` sees that the wait which is polled is of the same task as the one
//! which the lock was handed to, and lets it have the lock. The other is the
//! first in line again. It knows the task by its waker, so a combinator that
//! gives each branch a waker of its own (`FuturesUnordered`, `join_all` with
//! many branches) hides that they are one task. `select` as here, `select!` and
//! `join!` pass the task's waker on.

#![forbid(unsafe_code)]

mod locks;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anysync::channel::{self, Receiver, Sender};
use anysync::{Join, Mutex, Notify, Runtime};
use anysync_examples::{Failure, PATIENCE, Program};
use futures::future::{Either, select};

use locks::{Journal, Lock};

/// After which a loop that should hang is taken to do so.
const LONG_ENOUGH: Duration = Duration::from_millis(500);

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "A select loop: a lock that is granted to a branch left alone";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        show::<Mutex<Journal>, R>(&rt, PATIENCE).await?;
        show::<tokio::sync::Mutex<Journal>, R>(&rt, LONG_ENOUGH).await?;
        show::<smol::lock::Mutex<Journal>, R>(&rt, PATIENCE).await
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

async fn show<L: Lock, R: Runtime>(rt: &R, limit: Duration) -> Result<(), Failure> {
    match serve_one::<L, R>(rt, limit).await? {
        Some(journal) => println!("{}: goes on: {}", L::NAME, journal.join(", ")),
        None => println!("{}: the loop waits for itself", L::NAME),
    }
    Ok(())
}

/// What the serving task and another one share.
#[derive(Default)]
struct Shared<L> {
    journal: L,
    /// The other task has the lock.
    taken: Notify,
    /// The other task is to let go of it.
    let_go: Notify,
    /// It has.
    gone: Notify,
}

/// One server, one request; what the journal says then, or `None` if the server
/// is not done within `limit`.
async fn serve_one<L: Lock, R: Runtime>(
    rt: &R,
    limit: Duration,
) -> Result<Option<Journal>, Failure> {
    let shared = Arc::new(Shared::<L>::default());
    let (requests, inbox) = channel::bounded(1);

    let other = rt.spawn(use_it(rt.clone(), Arc::clone(&shared)));
    shared.taken.wait(rt).await;
    let server = serve(rt.clone(), Arc::clone(&shared), inbox);
    let client = ask(rt.clone(), requests);
    let mut server = rt.spawn(server);
    client.await?;
    let served = rt.timeout(limit, &mut server).await;
    other.await?;
    match served {
        Ok(joined) => {
            joined?;
            Ok(Some(shared.journal.lock(rt).await.clone()))
        }
        Err(_) => {
            server.abort();
            Ok(None)
        }
    }
}

/// Another user of the lock: has it until it is told to let go.
async fn use_it<L: Lock, R: Runtime>(rt: R, shared: Arc<Shared<L>>) {
    let mut journal = shared.journal.lock(&rt).await;
    journal.push("the other task");
    shared.taken.notify_one();
    shared.let_go.wait(&rt).await;
    drop(journal);
    shared.gone.notify_one();
}

async fn ask<R: Runtime>(rt: R, requests: Sender<&'static str>) -> Result<(), Failure> {
    requests.send(&rt, "the request").await?;
    Ok(())
}

/// The loop: writes its report when the lock allows, and meanwhile serves.
async fn serve<L: Lock, R: Runtime>(rt: R, shared: Arc<Shared<L>>, inbox: Receiver<&'static str>) {
    let mut report = pin!(async {
        shared.journal.lock(&rt).await.push("the report");
    });
    loop {
        // The report is polled first, so it is in line for the lock.
        match select(report.as_mut(), pin!(inbox.recv(&rt))).await {
            Either::Left(((), _)) => break,
            Either::Right((Ok(request), _)) => {
                // From here to the next turn nobody polls the report; and here
                // the lock is let go of, so the report is the one who gets it.
                shared.let_go.notify_one();
                shared.gone.wait(&rt).await;
                shared.journal.lock(&rt).await.push(request);
            }
            // Nobody asks any more: the report is left to write.
            Either::Right((Err(_), _)) => {
                report.await;
                break;
            }
        }
    }
}

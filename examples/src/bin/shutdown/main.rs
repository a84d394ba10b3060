//! Telling every worker to stop: once with a signal that is gone after it was
//! given, and, better, with one that stays.

#![forbid(unsafe_code)]

mod sticky;

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anysync::{Notify, OnceCell, Runtime};
use anysync_examples::{Failure, Program};

use sticky::Shutdown;

const WORKERS: usize = 4;
/// How long a worker is given to stop; they need far less.
const PATIENCE: Duration = Duration::from_secs(30);
/// After which a worker that should sleep for ever is taken to do so.
const LONG_ENOUGH: Duration = Duration::from_millis(50);

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "Shutdown: reaching every worker, also one that comes late";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        by_notify_all(&rt).await?;
        by_flag_and_notify(&rt).await?;
        by_once_cell(&rt).await
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

/// `notify_all` reaches whoever waits *at that moment* and leaves nothing
/// behind.
async fn by_notify_all<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let signal = Arc::new(Notify::new());

    // Each wait is made here and not inside its task: it counts for
    // `notify_all` from now on, even if the executor starts the task later.
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let stop = Arc::clone(&signal).wait_owned(rt.clone());
            rt.spawn(work_until(rt.clone(), stop))
        })
        .collect();
    signal.notify_all();
    let stopped = count_stopped(rt, workers).await?;
    println!("notify_all: {stopped} of {WORKERS} workers stopped");

    // The signal was given, but this worker has not been there to hear it.
    let late = rt.timeout(LONG_ENOUGH, signal.wait(rt)).await;
    let outcome = if late.is_err() {
        "sleeps on"
    } else {
        "stopped"
    };
    println!("notify_all: a worker that comes late {outcome}");
    Ok(())
}

/// A flag tells the late ones, a `Notify` wakes the early ones; `Shutdown`
/// joins the two without a gap between.
async fn by_flag_and_notify<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let shutdown = Arc::new(Shutdown::new());
    let work = || {
        let (io, shutdown) = (rt.clone(), Arc::clone(&shutdown));
        let stop = async move { shutdown.wait(io).await };
        rt.spawn(work_until(rt.clone(), stop))
    };

    let workers: Vec<_> = (0..WORKERS).map(|_| work()).collect();
    shutdown.trigger();
    let stopped = count_stopped(rt, workers).await?;
    println!("flag and notify: {stopped} of {WORKERS} workers stopped");

    let late = count_stopped(rt, vec![work()]).await?;
    let outcome = if late == 1 { "stopped" } else { "sleeps on" };
    println!("flag and notify: a worker that comes late {outcome}");
    println!(
        "flag and notify: is_triggered is {}",
        shutdown.is_triggered()
    );
    Ok(())
}

/// A `OnceCell<()>` is a sticky signal as it stands: `set` gives it, `wait`
/// hears it, early or late. With a value in place of `()` it also says why.
async fn by_once_cell<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let reason = Arc::new(OnceCell::new());
    let work = || {
        let (io, reason) = (rt.clone(), Arc::clone(&reason));
        rt.spawn(async move { *reason.wait(io).await })
    };

    let workers: Vec<_> = (0..WORKERS).map(|_| work()).collect();
    println!(
        "once_cell: the first set is accepted: {}",
        reason.set("maintenance")
    );
    println!(
        "once_cell: the second set is accepted: {}",
        reason.set("impatience")
    );
    for (id, worker) in workers.into_iter().enumerate() {
        let reason = rt.timeout(PATIENCE, worker).await??;
        println!("once_cell: worker {id} stopped for {reason}");
    }
    let heard = rt.timeout(PATIENCE, work()).await??;
    println!("once_cell: a worker that comes late stopped for {heard}");
    Ok(())
}

/// A worker: does a piece of work now and then until `stop` is ready.
///
/// One and the same wait is carried through all the pieces, so no signal falls
/// between two of them.
async fn work_until<R: Runtime>(rt: R, stop: impl Future<Output = ()>) {
    let mut stop = pin!(stop);
    while rt
        .timeout(Duration::from_millis(1), stop.as_mut())
        .await
        .is_err()
    {
        // A piece of work would be done here, and cleaned up after the loop.
    }
}

/// How many of `workers` come to their end.
async fn count_stopped<R: Runtime>(rt: &R, workers: Vec<R::Handle<()>>) -> Result<usize, Failure> {
    let mut stopped = 0;
    for worker in workers {
        if let Ok(joined) = rt.timeout(PATIENCE, worker).await {
            joined?;
            stopped += 1;
        }
    }
    Ok(stopped)
}

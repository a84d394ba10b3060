//! Faults and load, for every way in which a primitive of ours waits: runtimes that
//! end with waiters queued, tasks that are aborted, holders that panic, and very
//! many waiters. Afterwards nobody is queued, nothing is lost, and the primitive
//! works for somebody else.
//!
//! What belongs to a single primitive is tested where that is: panics in wakers by
//! the law `any::panicking_waker_loses_no_wakeup`; in initialisers and the leader's
//! action by those of `once_cell::` and `barrier::`; in what is dropped by the unit
//! tests named `dropping_…`. Tasks that give up and are aborted while others use the
//! same primitive, with exact totals, are the matter of the soak, and executors that
//! share one that of the backend `mixed`.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use anysync_conformance::harness::run_trials;
use anysync_conformance::subject::{Subject, Waiting};
use anysync_conformance::subjects::Anysync;
use libtest_mimic::{Failed, Trial};

mod crowd;
mod reached;
mod shutdown;
mod tasks;

/// A test that hangs fails, if late.
const WATCHDOG: Duration = Duration::from_secs(300);

fn watched(test: impl FnOnce() + Send + 'static) -> Result<(), Failed> {
    let (done, result) = channel();
    std::thread::spawn(move || {
        let _ = done.send(catch_unwind(AssertUnwindSafe(test)));
    });
    match result.recv_timeout(WATCHDOG) {
        Ok(Ok(())) => Ok(()),
        // libtest-mimic shows the message.
        Ok(Err(payload)) => resume_unwind(payload),
        Err(_) => Err(format!("hung: not finished after {WATCHDOG:?}").into()),
    }
}

/// What is done to a way to wait.
type Fault = Box<dyn Fn(&dyn Waiting) + Send>;

fn main() -> ExitCode {
    let anysync: Arc<dyn Subject> = Arc::new(Anysync);
    let mut trials = Vec::new();
    for waiting in anysync.waitings() {
        let mut add = |fault: &str, test: Fault| {
            let waiting = Arc::clone(&waiting);
            let name = format!("{fault}::{}", waiting.name());
            trials.push(Trial::test(name, move || watched(move || test(&*waiting))));
        };
        for runtime in shutdown::RUNTIMES {
            add(
                &format!("shutdown::{}", runtime.name),
                Box::new(|waiting| shutdown::ends_with_waiters(waiting, runtime)),
            );
        }
        add("aborted", Box::new(tasks::aborted_at_random));
        add("panics", Box::new(tasks::winner_panics));
        add("crowd", Box::new(crowd::many_come_and_go));
    }
    run_trials(trials)
}

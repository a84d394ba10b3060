//! A connection pool in the simulator: the home-made one loses a wake-up when a
//! caller is cancelled at the wrong moment, and the report tells when; the one on
//! a `Semaphore` does not, in every schedule that there is.

#![forbid(unsafe_code)]

mod naive;
mod pool;

use std::process::ExitCode;
use std::time::Duration;

use anysync::Timer;
use anysync_sim::{JoinHandle, Sim};

use naive::NaivePool;
use pool::Pool;

const ROUNDS: u64 = 10_000;

/// Three clients share one connection; one of them is impatient, and may be
/// cancelled wherever it waits.
async fn naive(io: Sim) {
    let pool = NaivePool::new(["connection 1"]);
    let client = |io: Sim| {
        let pool = pool.clone();
        async move {
            let connection = io.waiting("a connection", pool.get()).await;
            assert_eq!(*connection, "connection 1");
            io.sleep(Duration::from_millis(1)).await; // a query
        }
    };
    let first = io.task("first").spawn(client(io.clone()));
    let impatient = io.task("impatient").cancellable();
    let impatient = impatient.spawn(client(io.clone()));
    let last = io.task("last").spawn(client(io.clone()));
    all_end(first, impatient, last).await;
}

/// The same with the other pool.
async fn sound(io: Sim) {
    let pool = Pool::new(["connection 1"]);
    let client = |io: Sim| {
        let pool = pool.clone();
        async move {
            let connection = io.waiting("a connection", pool.get(&io)).await;
            assert_eq!(*connection, "connection 1");
            io.sleep(Duration::from_millis(1)).await;
        }
    };
    let first = io.task("first").spawn(client(io.clone()));
    let impatient = io.task("impatient").cancellable();
    let impatient = impatient.spawn(client(io.clone()));
    let last = io.task("last").spawn(client(io.clone()));
    all_end(first, impatient, last).await;
}

async fn all_end(first: JoinHandle<()>, impatient: JoinHandle<()>, last: JoinHandle<()>) {
    first.await.expect("the first client ends");
    last.await.expect("the last client ends");
    // However it ended.
    let _ = impatient.await;
}

fn main() -> ExitCode {
    println!("# the home-made pool\n");
    // The report is to be the same however the program was built.
    let options = Sim::builder().backtraces(false);
    let Err(failure) = options.try_check(ROUNDS, naive) else {
        eprintln!("error: {ROUNDS} rounds did not find the bug");
        return ExitCode::FAILURE;
    };
    println!("{failure}\n");

    println!("# the pool on a semaphore\n");
    if let Err(failure) = Sim::builder().try_check(ROUNDS, sound) {
        eprintln!("error: {failure}");
        return ExitCode::FAILURE;
    }
    println!("no failure in {ROUNDS} rounds");
    match Sim::builder().try_explore(1_000_000, sound) {
        Ok(explored) if explored.is_complete => {
            println!("no failure in any schedule with one cancellation");
            ExitCode::SUCCESS
        }
        Ok(explored) => {
            eprintln!(
                "error: there are more than {} schedules",
                explored.schedules
            );
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

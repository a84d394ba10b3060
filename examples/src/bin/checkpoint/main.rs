//! Four workers, two phases, and a sum in between that all of them read.

#![forbid(unsafe_code)]

mod job;

use std::process::ExitCode;
use std::sync::Arc;

use anysync::Runtime;
use anysync_examples::{Failure, Program};

use job::{Form, ParallelJob, Share, WORKERS};

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "A checkpoint: four workers, two phases, and a sum in between";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        for (name, form) in [
            ("one wait_then", Form::WaitThen),
            ("two waits", Form::TwoWaits),
        ] {
            println!("{name}:");
            run_job(&rt, form).await?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

async fn run_job<R: Runtime>(rt: &R, form: Form) -> Result<(), Failure> {
    let data: Vec<u64> = (1..=100).collect();
    let job = Arc::new(ParallelJob::new());
    let workers: Vec<_> = data
        .chunks(data.len() / WORKERS)
        .enumerate()
        .map(|(id, chunk)| {
            let (rt, job, chunk) = (rt.clone(), Arc::clone(&job), chunk.to_vec());
            rt.clone()
                .spawn(async move { job.run_worker(&rt, id, &chunk, form).await })
        })
        .collect();

    let mut leaders = 0;
    for (id, worker) in workers.into_iter().enumerate() {
        let Share {
            partial,
            total,
            is_leader,
        } = worker.await?;
        let percent = 100.0 * partial as f64 / total as f64;
        println!("  worker {id}: {partial} of {total} is {percent:.1} %");
        // Who comes last, and so leads, differs from run to run.
        leaders += usize::from(is_leader);
    }
    println!("  leaders: {leaders}, sums made: {}", job.sums_made());
    Ok(())
}

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use anysync::{Bare, Block};

use super::{Form, ParallelJob, Share, WORKERS};

const CHUNKS: [[u64; 2]; WORKERS] = [[1, 2], [3, 4], [5, 6], [7, 8]];

fn workers<'a>(
    job: &'a ParallelJob,
    form: Form,
) -> Vec<Pin<Box<impl Future<Output = Share> + use<'a>>>> {
    let chunks = CHUNKS.iter().enumerate();
    chunks
        .map(|(id, chunk)| Box::pin(job.run_worker(Bare, id, chunk, form)))
        .collect()
}

#[test]
fn nobody_reads_before_the_last_has_arrived_and_the_sum_is_made() {
    for form in [Form::WaitThen, Form::TwoWaits] {
        let mut cx = Context::from_waker(Waker::noop());
        let job = ParallelJob::new();
        let mut workers = workers(&job, form);
        let last = workers.pop().unwrap();
        for worker in &mut workers {
            assert!(worker.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(job.sums_made(), 0);

        workers.push(last);
        let mut done: [Option<Share>; WORKERS] = [None; WORKERS];
        // The last first: it is the leader. Two rounds, for the two waits.
        for _ in 0..2 {
            for (id, worker) in workers.iter_mut().enumerate().rev() {
                if done[id].is_none() {
                    if let Poll::Ready(share) = worker.as_mut().poll(&mut cx) {
                        done[id] = Some(share);
                    }
                }
            }
        }
        for (id, share) in done.into_iter().enumerate() {
            let expected = Share {
                partial: CHUNKS[id].iter().sum(),
                total: 36,
                is_leader: id == WORKERS - 1,
            };
            assert_eq!(share, Some(expected), "{form:?}");
        }
        assert_eq!(job.sums_made(), 1);
    }
}

#[test]
fn threads_agree_on_the_total_round_after_round() {
    for form in [Form::WaitThen, Form::TwoWaits] {
        for _ in 0..200 {
            let job = ParallelJob::new();
            let shares: Vec<Share> = thread::scope(|scope| {
                let workers: Vec<_> = workers(&job, form)
                    .into_iter()
                    .map(|worker| scope.spawn(|| Bare.block_on(worker)))
                    .collect();
                workers
                    .into_iter()
                    .map(|worker| worker.join().unwrap())
                    .collect()
            });
            assert!(shares.iter().all(|share| share.total == 36), "{shares:?}");
            assert_eq!(shares.iter().filter(|share| share.is_leader).count(), 1);
            assert_eq!(job.sums_made(), 1);
        }
    }
}

//! `Barrier`: a whole generation, for each who takes part.

use std::future::Future;

use crate::harness::{Contender, OURS, Row, does};
use crate::task::{finished, queued, wakers};

pub(super) fn rows() -> Vec<Row> {
    [2, 8, 1_000]
        .into_iter()
        .map(|parties| {
            Row::new("barrier", format!("a generation of {parties}"), move || {
                contenders(parties)
            })
            .operations(parties as u32)
        })
        .collect()
}

/// All but the last wait, the last releases them, and each completes. Each wait is in
/// a box, made again for each generation, whoever's it is.
pub(super) fn generation<F: Future + 'static>(
    name: &'static str,
    parties: usize,
    wait: impl Fn() -> F + 'static,
) -> Contender {
    let tasks = wakers(parties);
    let mut waits = Vec::with_capacity(parties);
    does(name, move || {
        waits.extend((0..parties).map(|_| Box::pin(wait())));
        let ((last, waiting), (last_task, waiting_tasks)) = (
            waits.split_last_mut().expect("at least one"),
            tasks.split_last().expect("at least one"),
        );
        for (wait, task) in waiting.iter_mut().zip(waiting_tasks) {
            queued(wait.as_mut(), task);
        }
        finished(last.as_mut(), last_task);
        for (wait, task) in waiting.iter_mut().zip(waiting_tasks) {
            finished(wait.as_mut(), task);
        }
        waits.clear();
    })
}

fn contenders(parties: usize) -> Vec<Contender> {
    let ours: &'static _ = Box::leak(Box::new(anysync::Barrier::new(parties)));
    let tokio: &'static _ = Box::leak(Box::new(tokio::sync::Barrier::new(parties)));
    let smol: &'static _ = Box::leak(Box::new(async_lock::Barrier::new(parties)));
    let band: &'static _ = Box::leak(Box::new(asyncband::barrier::Barrier::new(parties as u32)));
    let mut all = vec![
        generation(OURS, parties, || ours.wait_future()),
        generation("tokio", parties, || tokio.wait()),
        generation("asyncband", parties, || band.wait()),
    ];
    // Its waits may have to be polled again after a first wake-up, which is what an
    // executor would do.
    all.push(again("async-lock", parties, || smol.wait()));
    all
}

/// The same for waits that take more than one poll after the release.
pub(super) fn again<F: Future + 'static>(
    name: &'static str,
    parties: usize,
    wait: impl Fn() -> F + 'static,
) -> Contender {
    let tasks = wakers(parties);
    let mut waits = Vec::with_capacity(parties);
    does(name, move || {
        waits.extend((0..parties).map(|_| Some(Box::pin(wait()))));
        let mut left = parties;
        while left > 0 {
            for (wait, task) in waits.iter_mut().zip(&tasks) {
                if wait
                    .as_mut()
                    .is_some_and(|wait| crate::task::poll(wait.as_mut(), task).is_ready())
                {
                    *wait = None;
                    left -= 1;
                }
            }
        }
        waits.clear();
    })
}

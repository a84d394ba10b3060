//! `Semaphore`.

use std::pin::pin;

use crate::harness::{Contender, OURS, Row, does};
use crate::rows::tasks::{self, Executor};
use crate::task::{finished, queued, ready, waker};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        Row::new("semaphore", "acquire and release, free", free),
        Row::new("semaphore", "queue and hand over", hand_over),
        Row::new("semaphore", "queue and cancel", cancel),
    ];
    for executor in Executor::ALL {
        rows.push(
            Row::new(
                "semaphore",
                format!("64 tasks, 4 permits held over a yield, {}", executor.name()),
                move || contended(executor, 64),
            )
            .operations(64 * tasks::TURNS),
        );
    }
    rows
}

fn free() -> Vec<Contender> {
    let ours = anysync::Semaphore::new(4);
    let tokio = tokio::sync::Semaphore::new(4);
    let smol = async_lock::Semaphore::new(4);
    let maitake = maitake_sync::Semaphore::new(4);
    let band = asyncband::semaphore::Semaphore::new(4);
    let intrusive = futures_intrusive::sync::Semaphore::new(true, 4);
    vec![
        does(OURS, move || {
            drop(ready(ours.acquire_future()).expect("open"))
        }),
        does("tokio", move || drop(ready(tokio.acquire()).expect("open"))),
        does("async-lock", move || drop(ready(smol.acquire()))),
        does("maitake-sync", move || {
            drop(ready(maitake.acquire(1)).expect("open"))
        }),
        does("asyncband", move || drop(ready(band.acquire(1)))),
        does("futures-intrusive, fair", move || {
            drop(ready(intrusive.acquire(1)))
        }),
    ]
}

macro_rules! hands_over {
    ($name:expr, $semaphore:expr, |$s:ident| $acquire:expr) => {{
        let ($s, waker) = ($semaphore, waker());
        does($name, move || {
            let permit = ready($acquire);
            let mut next = pin!($acquire);
            queued(next.as_mut(), &waker);
            drop(permit);
            drop(finished(next, &waker));
        })
    }};
}

fn hand_over() -> Vec<Contender> {
    vec![
        hands_over!(OURS, anysync::Semaphore::new(1), |s| s.acquire_future()),
        hands_over!("tokio", tokio::sync::Semaphore::new(1), |s| s.acquire()),
        hands_over!("async-lock", async_lock::Semaphore::new(1), |s| s.acquire()),
        hands_over!("maitake-sync", maitake_sync::Semaphore::new(1), |s| s
            .acquire(1)),
        hands_over!("asyncband", asyncband::semaphore::Semaphore::new(1), |s| s
            .acquire(1)),
        hands_over!(
            "futures-intrusive, fair",
            futures_intrusive::sync::Semaphore::new(true, 1),
            |s| s.acquire(1)
        ),
    ]
}

macro_rules! cancels {
    ($name:expr, $semaphore:expr, |$s:ident| $acquire:expr) => {{
        let ($s, waker) = ($semaphore, waker());
        does($name, move || queued(pin!($acquire), &waker))
    }};
}

fn cancel() -> Vec<Contender> {
    vec![
        cancels!(OURS, anysync::Semaphore::new(0), |s| s.acquire_future()),
        cancels!("tokio", tokio::sync::Semaphore::new(0), |s| s.acquire()),
        cancels!("async-lock", async_lock::Semaphore::new(0), |s| s.acquire()),
        cancels!("maitake-sync", maitake_sync::Semaphore::new(0), |s| s
            .acquire(1)),
        cancels!("asyncband", asyncband::semaphore::Semaphore::new(0), |s| s
            .acquire(1)),
        cancels!(
            "futures-intrusive, fair",
            futures_intrusive::sync::Semaphore::new(true, 0),
            |s| s.acquire(1)
        ),
    ]
}

macro_rules! fights {
    ($name:expr, $executor:expr, $count:expr, $semaphore:expr, |$s:ident| $acquire:expr) => {
        tasks::contended($name, $executor, $count, $semaphore, |$s| async move {
            tasks::leave($acquire.await, true).await;
        })
    };
}

pub(super) fn contended(executor: Executor, count: usize) -> Vec<Contender> {
    vec![
        fights!(OURS, executor, count, anysync::Semaphore::new(4), |s| s
            .acquire_future()),
        fights!(
            "tokio",
            executor,
            count,
            tokio::sync::Semaphore::new(4),
            |s| s.acquire()
        ),
        fights!(
            "async-lock",
            executor,
            count,
            async_lock::Semaphore::new(4),
            |s| s.acquire()
        ),
        fights!(
            "maitake-sync",
            executor,
            count,
            maitake_sync::Semaphore::new(4),
            |s| s.acquire(1)
        ),
        fights!(
            "asyncband",
            executor,
            count,
            asyncband::semaphore::Semaphore::new(4),
            |s| s.acquire(1)
        ),
        fights!(
            "futures-intrusive, fair",
            executor,
            count,
            futures_intrusive::sync::Semaphore::new(true, 4),
            |s| s.acquire(1)
        ),
    ]
}

//! `Mutex`.

use std::hint::black_box;
use std::pin::pin;

use anysync::mutex::Fairness;

use crate::harness::{Contender, OURS, Row, does};
use crate::rows::tasks::{self, Executor};
use crate::task::{finished, queued, ready, waker};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        Row::new("mutex", "lock, free", lock),
        Row::new("mutex", "try_lock, free", try_lock),
        Row::new("mutex", "queue and hand over", hand_over),
    ];
    for executor in Executor::ALL {
        for count in [4, 64] {
            for over in [false, true] {
                let held = if over {
                    "held over a yield"
                } else {
                    "released before a yield"
                };
                rows.push(
                    Row::new(
                        "mutex in order",
                        format!("{count} tasks, {held}, {}", executor.name()),
                        move || in_order(executor, count, over),
                    )
                    .operations(count as u32 * tasks::TURNS),
                );
                rows.push(
                    Row::new(
                        "mutex with barging",
                        format!("{count} tasks, {held}, {}", executor.name()),
                        move || with_barging(executor, count, over),
                    )
                    .operations(count as u32 * tasks::TURNS),
                );
            }
        }
    }
    rows
}

fn lock() -> Vec<Contender> {
    let ours = anysync::Mutex::new(0_u64);
    let tokio = tokio::sync::Mutex::new(0_u64);
    let smol = async_lock::Mutex::new(0_u64);
    let futures = futures::lock::Mutex::new(0_u64);
    let intrusive = futures_intrusive::sync::Mutex::new(0_u64, true);
    let maitake = maitake_sync::Mutex::new(0_u64);
    let band = asyncband::mutex::Mutex::new(0_u64);
    let std = std::sync::Mutex::new(0_u64);
    let parking = parking_lot::Mutex::new(0_u64);
    vec![
        does(OURS, move || *ready(ours.lock_future()) += 1),
        does("tokio", move || *ready(tokio.lock()) += 1),
        does("async-lock", move || *ready(smol.lock()) += 1),
        does("futures", move || *ready(futures.lock()) += 1),
        does("futures-intrusive, fair", move || {
            *ready(intrusive.lock()) += 1
        }),
        does("maitake-sync", move || *ready(maitake.lock()) += 1),
        does("asyncband", move || *ready(band.lock()) += 1),
        does("std, for threads", move || {
            *black_box(&std).lock().expect("no panic") += 1
        }),
        does("parking_lot, for threads", move || {
            *black_box(&parking).lock() += 1
        }),
    ]
}

fn try_lock() -> Vec<Contender> {
    let ours = anysync::Mutex::new(0_u64);
    let tokio = tokio::sync::Mutex::new(0_u64);
    let smol = async_lock::Mutex::new(0_u64);
    let futures = futures::lock::Mutex::new(0_u64);
    let intrusive = futures_intrusive::sync::Mutex::new(0_u64, true);
    let maitake = maitake_sync::Mutex::new(0_u64);
    let band = asyncband::mutex::Mutex::new(0_u64);
    vec![
        does(OURS, move || {
            *black_box(&ours).try_lock().expect("free") += 1
        }),
        does("tokio", move || {
            *black_box(&tokio).try_lock().expect("free") += 1
        }),
        does("async-lock", move || {
            *black_box(&smol).try_lock().expect("free") += 1
        }),
        does("futures", move || {
            *black_box(&futures).try_lock().expect("free") += 1
        }),
        does("futures-intrusive, fair", move || {
            *black_box(&intrusive).try_lock().expect("free") += 1;
        }),
        does("maitake-sync", move || {
            *black_box(&maitake).try_lock().expect("free") += 1
        }),
        does("asyncband", move || {
            *black_box(&band).try_lock().expect("free") += 1
        }),
    ]
}

/// Takes the lock, has another wait for it, gives it up, and completes the other.
macro_rules! hands_over {
    ($name:expr, $mutex:expr, $lock:ident) => {{
        let (mutex, waker) = ($mutex, waker());
        does($name, move || {
            let guard = ready(mutex.$lock());
            let mut next = pin!(mutex.$lock());
            queued(next.as_mut(), &waker);
            drop(guard);
            *finished(next, &waker) += 1;
        })
    }};
}

fn hand_over() -> Vec<Contender> {
    vec![
        hands_over!(OURS, anysync::Mutex::new(0_u64), lock_future),
        hands_over!("tokio", tokio::sync::Mutex::new(0_u64), lock),
        hands_over!("async-lock", async_lock::Mutex::new(0_u64), lock),
        hands_over!("futures", futures::lock::Mutex::new(0_u64), lock),
        hands_over!(
            "futures-intrusive, fair",
            futures_intrusive::sync::Mutex::new(0_u64, true),
            lock
        ),
        hands_over!("maitake-sync", maitake_sync::Mutex::new(0_u64), lock),
        hands_over!("asyncband", asyncband::mutex::Mutex::new(0_u64), lock),
    ]
}

/// Tasks that fight for a lock.
macro_rules! fights {
    ($name:expr, $executor:expr, $count:expr, $over:expr, $mutex:expr, $lock:ident) => {{
        let over = $over;
        tasks::contended($name, $executor, $count, $mutex, move |mutex| async move {
            let mut guard = mutex.$lock().await;
            *guard += 1;
            tasks::leave(guard, over).await;
        })
    }};
}

pub(super) fn in_order(executor: Executor, count: usize, over: bool) -> Vec<Contender> {
    let intrusive = futures_intrusive::sync::Mutex::new(0_u64, true);
    vec![
        fights!(
            OURS,
            executor,
            count,
            over,
            anysync::Mutex::new(0_u64),
            lock_future
        ),
        fights!(
            "tokio",
            executor,
            count,
            over,
            tokio::sync::Mutex::new(0_u64),
            lock
        ),
        fights!(
            "maitake-sync",
            executor,
            count,
            over,
            maitake_sync::Mutex::new(0_u64),
            lock
        ),
        fights!(
            "asyncband",
            executor,
            count,
            over,
            asyncband::mutex::Mutex::new(0_u64),
            lock
        ),
        fights!(
            "futures-intrusive, fair",
            executor,
            count,
            over,
            intrusive,
            lock
        ),
    ]
}

fn with_barging(executor: Executor, count: usize, over: bool) -> Vec<Contender> {
    let ours = anysync::Mutex::with_fairness(0_u64, Fairness::Eventual);
    let intrusive = futures_intrusive::sync::Mutex::new(0_u64, false);
    vec![
        fights!(OURS, executor, count, over, ours, lock_future),
        fights!(
            "async-lock",
            executor,
            count,
            over,
            async_lock::Mutex::new(0_u64),
            lock
        ),
        fights!(
            "futures",
            executor,
            count,
            over,
            futures::lock::Mutex::new(0_u64),
            lock
        ),
        fights!("futures-intrusive", executor, count, over, intrusive, lock),
    ]
}

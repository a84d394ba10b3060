//! `RwLock`.

use std::hint::black_box;

use crate::harness::{Contender, OURS, Row, does};
use crate::rows::tasks::{self, Executor};
use crate::task::ready;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        Row::new("rwlock", "read, free", read),
        Row::new("rwlock", "write, free", write),
        Row::new("rwlock", "nine reads and a write, free", mixed).operations(10),
    ];
    for executor in Executor::ALL {
        rows.push(
            Row::new(
                "rwlock",
                format!("64 tasks, nine reads to a write, {}", executor.name()),
                move || tasks_mix(executor),
            )
            .operations(64 * tasks::TURNS * 10),
        );
    }
    rows
}

fn read() -> Vec<Contender> {
    let ours = anysync::RwLock::new(1_u64);
    let tokio = tokio::sync::RwLock::new(1_u64);
    let smol = async_lock::RwLock::new(1_u64);
    let maitake = maitake_sync::RwLock::new(1_u64);
    let band = asyncband::rwlock::RwLock::new(1_u64);
    let std = std::sync::RwLock::new(1_u64);
    vec![
        does(OURS, move || {
            black_box(*ready(ours.read_future()));
        }),
        does("tokio", move || {
            black_box(*ready(tokio.read()));
        }),
        does("async-lock", move || {
            black_box(*ready(smol.read()));
        }),
        does("maitake-sync", move || {
            black_box(*ready(maitake.read()));
        }),
        does("asyncband", move || {
            black_box(*ready(band.read()));
        }),
        does("std, for threads", move || {
            black_box(*black_box(&std).read().expect("no panic"));
        }),
    ]
}

fn write() -> Vec<Contender> {
    let ours = anysync::RwLock::new(1_u64);
    let tokio = tokio::sync::RwLock::new(1_u64);
    let smol = async_lock::RwLock::new(1_u64);
    let maitake = maitake_sync::RwLock::new(1_u64);
    let band = asyncband::rwlock::RwLock::new(1_u64);
    let std = std::sync::RwLock::new(1_u64);
    vec![
        does(OURS, move || *ready(ours.write_future()) += 1),
        does("tokio", move || *ready(tokio.write()) += 1),
        does("async-lock", move || *ready(smol.write()) += 1),
        does("maitake-sync", move || *ready(maitake.write()) += 1),
        does("asyncband", move || *ready(band.write()) += 1),
        does("std, for threads", move || {
            *black_box(&std).write().expect("no panic") += 1
        }),
    ]
}

macro_rules! mixes {
    ($name:expr, $lock:expr, $read:ident, $write:ident) => {{
        let lock = $lock;
        does($name, move || {
            for _ in 0..9 {
                black_box(*ready(lock.$read()));
            }
            *ready(lock.$write()) += 1;
        })
    }};
}

fn mixed() -> Vec<Contender> {
    vec![
        mixes!(OURS, anysync::RwLock::new(1_u64), read_future, write_future),
        mixes!("tokio", tokio::sync::RwLock::new(1_u64), read, write),
        mixes!("async-lock", async_lock::RwLock::new(1_u64), read, write),
        mixes!(
            "maitake-sync",
            maitake_sync::RwLock::new(1_u64),
            read,
            write
        ),
        mixes!(
            "asyncband",
            asyncband::rwlock::RwLock::new(1_u64),
            read,
            write
        ),
    ]
}

macro_rules! fights {
    ($name:expr, $executor:expr, $lock:expr, $read:ident, $write:ident) => {
        tasks::contended($name, $executor, 64, $lock, |lock| async move {
            for _ in 0..9 {
                tasks::leave(lock.$read().await, true).await;
            }
            let mut guard = lock.$write().await;
            *guard += 1;
            tasks::leave(guard, true).await;
        })
    };
}

fn tasks_mix(executor: Executor) -> Vec<Contender> {
    vec![
        fights!(
            OURS,
            executor,
            anysync::RwLock::new(1_u64),
            read_future,
            write_future
        ),
        fights!(
            "tokio",
            executor,
            tokio::sync::RwLock::new(1_u64),
            read,
            write
        ),
        fights!(
            "async-lock",
            executor,
            async_lock::RwLock::new(1_u64),
            read,
            write
        ),
        fights!(
            "maitake-sync",
            executor,
            maitake_sync::RwLock::new(1_u64),
            read,
            write
        ),
        fights!(
            "asyncband",
            executor,
            asyncband::rwlock::RwLock::new(1_u64),
            read,
            write
        ),
    ]
}

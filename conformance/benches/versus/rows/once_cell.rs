//! `OnceCell`.

use std::future::Future;
use std::hint::black_box;
use std::sync::OnceLock;

use crate::harness::{Contender, OURS, Row, does};
use crate::task::{poll, ready, wakers, yield_now};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("once_cell", "get", get),
        Row::new("once_cell", "get_or_init of a cell that is set", set),
        Row::new("once_cell", "a new cell, initialised", cold),
        Row::new("once_cell", "a new cell, with 100 waiting", crowd).operations(100),
    ]
}

fn get() -> Vec<Contender> {
    let ours = anysync::OnceCell::with_value(7_u64);
    let tokio = tokio::sync::OnceCell::new_with(Some(7_u64));
    let smol = async_lock::OnceCell::from(7_u64);
    let band = asyncband::once::OnceCell::from_value(7_u64);
    let std = OnceLock::from(7_u64);
    vec![
        does(OURS, move || {
            black_box(black_box(&ours).get());
        }),
        does("tokio", move || {
            black_box(black_box(&tokio).get());
        }),
        does("async-lock", move || {
            black_box(black_box(&smol).get());
        }),
        does("asyncband", move || {
            black_box(black_box(&band).get());
        }),
        does("std, for threads", move || {
            black_box(black_box(&std).get());
        }),
    ]
}

fn set() -> Vec<Contender> {
    let ours = anysync::OnceCell::with_value(7_u64);
    let tokio = tokio::sync::OnceCell::new_with(Some(7_u64));
    let smol = async_lock::OnceCell::from(7_u64);
    let band = asyncband::once::OnceCell::from_value(7_u64);
    vec![
        does(OURS, move || {
            black_box(ready(
                black_box(&ours).get_or_init_async(anysync::Bare, || async { 8 }),
            ));
        }),
        does("tokio", move || {
            black_box(ready(black_box(&tokio).get_or_init(|| async { 8 })));
        }),
        does("async-lock", move || {
            black_box(ready(black_box(&smol).get_or_init(|| async { 8 })));
        }),
        does("asyncband", move || {
            black_box(ready(black_box(&band).get_or_init(async || 8)));
        }),
    ]
}

fn cold() -> Vec<Contender> {
    vec![
        does(OURS, || {
            let cell = anysync::OnceCell::new();
            black_box(ready(
                cell.get_or_init_async(anysync::Bare, || async { 8_u64 }),
            ));
        }),
        does("tokio", || {
            let cell = tokio::sync::OnceCell::new();
            black_box(ready(cell.get_or_init(|| async { 8_u64 })));
        }),
        does("async-lock", || {
            let cell = async_lock::OnceCell::new();
            black_box(ready(cell.get_or_init(|| async { 8_u64 })));
        }),
        does("asyncband", || {
            let cell = asyncband::once::OnceCell::new();
            black_box(ready(cell.get_or_init(async || 8_u64)));
        }),
    ]
}

/// The first initialises and yields meanwhile; the others wait.
fn crowds<C: 'static, F: Future + 'static>(
    name: &'static str,
    new: impl Fn() -> C + 'static,
    wait: impl Fn(&'static C) -> F + 'static,
) -> Contender {
    let tasks = wakers(100);
    let mut waits = Vec::with_capacity(tasks.len());
    does(name, move || {
        // Leaked, since the waits have to be of one type and live in a vector; the
        // allocation is everyone's, and so small that it does not matter.
        let cell: &'static C = Box::leak(Box::new(new()));
        waits.extend(tasks.iter().map(|_| Some(Box::pin(wait(cell)))));
        let mut left = tasks.len();
        while left > 0 {
            for (wait, task) in waits.iter_mut().zip(&tasks) {
                if wait
                    .as_mut()
                    .is_some_and(|wait| poll(wait.as_mut(), task).is_ready())
                {
                    *wait = None;
                    left -= 1;
                }
            }
        }
        waits.clear();
    })
}

async fn slow() -> u64 {
    yield_now().await;
    8
}

fn crowd() -> Vec<Contender> {
    vec![
        crowds(OURS, anysync::OnceCell::new, |cell| {
            cell.get_or_init_async(anysync::Bare, slow)
        }),
        crowds("tokio", tokio::sync::OnceCell::new, |cell| {
            cell.get_or_init(slow)
        }),
        crowds("async-lock", async_lock::OnceCell::new, |cell| {
            cell.get_or_init(slow)
        }),
        crowds("asyncband", asyncband::once::OnceCell::new, |cell| {
            cell.get_or_init(async || slow().await)
        }),
    ]
}

//! The laws of `Io`'s capabilities on the executors of the futures crate.

#![forbid(unsafe_code)]

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use anysync::{Bare, Block, Join, Spawn, SpawnLocal};
use anysync_adapter_tests::{Local, Sending, laws};
use anysync_futures::{Futures, FuturesLocal, FuturesPool};

laws!(global: Sending(Futures));
laws!(pool: Sending(FuturesPool::with_threads(2).unwrap()));
laws!(pool_of_one: Sending(FuturesPool::with_threads(1).unwrap()));
laws!(local: Local(FuturesLocal::default()));

#[test]
fn local_tasks_stay_on_their_thread() {
    let rt = FuturesLocal::default();
    let task = rt.spawn_local(async {
        anysync::yield_now().await;
        thread::current().id()
    });
    assert_eq!(rt.block_on(task).unwrap(), thread::current().id());
}

#[test]
fn dropped_local_pool_cancels_its_tasks() {
    let rt = FuturesLocal::default();
    let never_polled = rt.spawn_local(async {});
    drop(rt);
    assert!(Bare.block_on(never_polled).unwrap_err().is_cancelled());

    let rt = FuturesLocal::default();
    let pending = rt.spawn_local(pending::<()>());
    rt.run_until_stalled();
    drop(rt);
    assert!(Bare.block_on(pending).unwrap_err().is_cancelled());
}

#[test]
fn task_aborted_before_its_first_poll_is_never_polled() {
    let rt = FuturesLocal::default();
    let task = rt.spawn_local(async { panic!("polled after an abort") });
    task.abort();
    let outcome: Result<(), _> = rt.block_on(task);
    assert!(outcome.unwrap_err().is_cancelled());
}

/// Runs `code`, which panics; returns the message.
fn message_of(code: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(code)).unwrap_err();
    match payload.downcast::<&'static str>() {
        Ok(text) => text.to_string(),
        Err(payload) => *payload.downcast::<String>().unwrap(),
    }
}

#[test]
fn nested_block_on_keeps_the_message_of_futures() {
    const MESSAGE: &str = "cannot execute `LocalPool` executor from within another executor";

    let global = message_of(|| Futures.block_on(async { Futures.block_on(async {}) }));
    assert!(global.contains(MESSAGE), "{global}");

    let task = Futures.spawn(async { Futures.block_on(async {}) });
    let error = Futures.block_on(task).unwrap_err();
    assert!(error.to_string().contains(MESSAGE), "{error}");

    let rt = FuturesLocal::default();
    let local = message_of(|| rt.block_on(async { rt.block_on(async {}) }));
    assert!(local.contains(MESSAGE), "{local}");
    let stalled = message_of(|| rt.block_on(async { rt.run_until_stalled() }));
    assert!(stalled.contains(MESSAGE), "{stalled}");
    assert_eq!(rt.block_on(async { 42 }), 42);
}

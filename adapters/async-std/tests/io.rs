//! The laws of `Io`'s capabilities on async-std.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;

use anysync::{Block, Join, Spawn, SpawnLocal};
use anysync_adapter_tests::{Local, Sending, laws};
use anysync_async_std::AsyncStd;

laws!(send_tasks: Sending(AsyncStd));
laws!(local_tasks: Local(AsyncStd));

#[test]
fn local_tasks_stay_on_their_thread() {
    let here = thread::current().id();
    let task = AsyncStd.spawn_local(async {
        anysync::yield_now().await;
        thread::current().id()
    });
    assert_eq!(AsyncStd.block_on(task).unwrap(), here);
}

#[test]
fn local_tasks_of_an_executor_thread_run() {
    let answer = AsyncStd.block_on(AsyncStd.spawn(async {
        let task = {
            let shared = Rc::new(42);
            AsyncStd.spawn_local(async move { *shared })
        };
        // It may not leave this thread, and this task may.
        task.await
    }));
    assert_eq!(answer.unwrap().unwrap(), 42);
}

#[test]
fn local_task_aborted_before_its_first_poll_is_never_polled() {
    let task = AsyncStd.spawn_local(async { panic!("polled after an abort") });
    task.abort();
    let outcome: Result<(), _> = AsyncStd.block_on(task);
    assert!(outcome.unwrap_err().is_cancelled());
}

#[test]
fn nested_block_on_blocks_the_thread() {
    let answer = AsyncStd.block_on(async { AsyncStd.block_on(async { 42 }) });
    assert_eq!(answer, 42);
}

#[test]
fn block_on_runs_local_tasks_after_a_nested_panic() {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        AsyncStd.block_on(async { AsyncStd.block_on(async { panic!("inside") }) })
    }));
    assert!(outcome.is_err());
    let task = AsyncStd.spawn_local(async { 42 });
    assert_eq!(AsyncStd.block_on(task).unwrap(), 42);
}

//! The laws of `Io`'s capabilities on smol's executors.

#![forbid(unsafe_code)]

use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use anysync::{Bare, Block, Join, Notify, Spawn, SpawnLocal};
use anysync_adapter_tests::{Local, Sending, laws};
use anysync_smol::{Smol, SmolExecutor, SmolLocal};
use smol::{Executor, LocalExecutor};

laws!(global: Sending(Smol));
laws!(executor: Sending(SmolExecutor::default()));
laws!(executor_in_a_static: {
    static EXECUTOR: Executor<'static> = Executor::new();
    Sending(SmolExecutor::new(&EXECUTOR))
});
laws!(local: Local(SmolLocal::default()));

#[test]
fn local_tasks_stay_on_their_thread() {
    let rt = SmolLocal::new(Rc::new(LocalExecutor::new()));
    let task = rt.spawn_local(async {
        anysync::yield_now().await;
        thread::current().id()
    });
    assert_eq!(rt.block_on(task).unwrap(), thread::current().id());
}

#[test]
fn dropped_executor_cancels_its_tasks() {
    let rt = SmolExecutor::new(Arc::new(Executor::new()));
    let never_polled = rt.spawn(async {});
    drop(rt);
    assert!(Bare.block_on(never_polled).unwrap_err().is_cancelled());

    let rt = SmolExecutor::default();
    let pending = rt.spawn(pending::<()>());
    rt.block_on(anysync::yield_now());
    drop(rt);
    assert!(Bare.block_on(pending).unwrap_err().is_cancelled());
}

#[test]
fn dropped_local_executor_cancels_its_tasks() {
    let rt = SmolLocal::default();
    let pending = rt.spawn_local(pending::<()>());
    rt.block_on(anysync::yield_now());
    drop(rt);
    assert!(Bare.block_on(pending).unwrap_err().is_cancelled());
}

#[test]
fn task_aborted_before_its_first_poll_is_never_polled() {
    let rt = SmolLocal::default();
    let task = rt.spawn_local(async { panic!("polled after an abort") });
    task.abort();
    let outcome: Result<(), _> = rt.block_on(task);
    assert!(outcome.unwrap_err().is_cancelled());
}

#[test]
fn nested_block_on_runs_the_tasks() {
    let rt = SmolExecutor::default();
    let answer = rt.block_on(async {
        let task = rt.spawn(async { 42 });
        rt.block_on(task)
    });
    assert_eq!(answer.unwrap(), 42);
}

#[test]
fn several_threads_run_one_executor() {
    let rt = SmolExecutor::default();
    let stop = Notify::new();
    thread::scope(|scope| {
        let driver = scope.spawn(|| rt.block_on(stop.wait(Bare)));
        // This thread does not run the executor: the other one does.
        let task = rt.spawn(async { thread::current().id() });
        let ran_on = Bare.block_on(task).unwrap();
        assert_eq!(ran_on, driver.thread().id());
        stop.notify_one();
    });
}

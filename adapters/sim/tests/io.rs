//! The laws of `Io`'s capabilities in the simulator.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use anysync::{Bare, Block, Join, Notify, Spawn, SpawnBlocking, SpawnLocal, Timer};
use anysync_adapter_tests::{Local, Sending, laws};
use anysync_sim::Sim;

/// Some laws wake tasks from other threads.
fn with_threads(seed: u64) -> Sim {
    Sim::builder().foreign_wakes(true).build(seed)
}

laws!(first_seed: simulated Sending(with_threads(0)));
laws!(second_seed: simulated Sending(with_threads(1)));
laws!(third_seed: simulated Sending(with_threads(2)));
laws!(local: simulated Local(with_threads(3)));
laws!(local_again: simulated Local(with_threads(4)));

/// Runs `code`, which panics; returns the message.
fn message_of(code: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(code)).unwrap_err();
    match payload.downcast::<&'static str>() {
        Ok(text) => text.to_string(),
        Err(payload) => *payload.downcast::<String>().unwrap(),
    }
}

#[test]
fn sleep_never_ends_early_on_the_virtual_clock() {
    Sim::check(100, |io| async move {
        for micros in [0, 1, 400, 999, 1_000, 1_001, 3_700_000_000] {
            let duration = Duration::from_micros(micros);
            let start = io.now();
            io.sleep(duration).await;
            assert!(io.now() - start >= duration, "{duration:?}");
        }
    });
}

#[test]
fn clock_stands_still_while_anybody_can_run() {
    let calm = Sim::builder().delayed_wakes(0);
    calm.check(100, |io| async move {
        let timer = io.spawn({
            let io = io.clone();
            async move {
                io.sleep(Duration::from_nanos(1)).await;
                io.now().since_start()
            }
        });
        for _ in 0..20 {
            anysync::yield_now().await;
            assert_eq!(io.now().since_start(), Duration::ZERO);
        }
        assert_eq!(timer.await.unwrap(), Duration::from_nanos(1));
    });
}

#[test]
fn sleeps_end_in_deadline_order() {
    Sim::check(200, |io| async move {
        let start = io.now();
        let sleeps: Vec<_> = [3, 1, 2]
            .map(|seconds| {
                let io = io.clone();
                let at = start + Duration::from_secs(seconds);
                io.clone().spawn(async move {
                    io.sleep_until(at).await;
                    io.now()
                })
            })
            .into();
        let mut ends = Vec::new();
        for sleep in sleeps {
            ends.push(sleep.await.unwrap());
        }
        assert!(ends[1] < ends[2] && ends[2] < ends[0], "{ends:?}");
    });
}

#[test]
fn local_tasks_stay_on_their_thread() {
    let sim = Sim::new(0);
    let shared = Rc::new(42);
    let task = sim.spawn_local({
        let shared = shared.clone();
        async move {
            anysync::yield_now().await;
            (*shared, thread::current().id())
        }
    });
    let here = thread::current().id();
    assert_eq!(sim.block_on(task).unwrap(), (42, here));
    assert_eq!(Rc::strong_count(&shared), 1);
}

#[test]
fn local_task_on_another_thread_is_refused_and_not_touched() {
    let sim = Sim::new(0);
    let shared = Rc::new(());
    drop(sim.spawn_local({
        let shared = shared.clone();
        async move { drop(shared) }
    }));
    let elsewhere = thread::spawn(move || {
        message_of(|| {
            sim.block_on(async {
                for _ in 0..100 {
                    anysync::yield_now().await;
                }
            });
        })
    });
    let message = elsewhere.join().unwrap();
    assert!(message.contains("another thread"), "{message}");
    assert_eq!(Rc::strong_count(&shared), 2);
}

#[test]
fn blocking_code_runs_at_a_drawn_moment() {
    let orders = std::sync::Mutex::new(std::collections::BTreeSet::new());
    Sim::check(100, |io| {
        let orders = &orders;
        async move {
            let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            let note = |what: &'static str| {
                let order = order.clone();
                move || order.lock().unwrap().push(what)
            };
            let (block, step) = (note("blocking"), note("task"));
            let blocking = io.spawn_blocking(block);
            let task = io.spawn(async move { step() });
            blocking.await.unwrap();
            task.await.unwrap();
            orders.lock().unwrap().insert(order.lock().unwrap().clone());
        }
    });
    assert_eq!(orders.into_inner().unwrap().len(), 2);
}

#[test]
fn nested_block_on_says_what_to_do() {
    let sim = Sim::new(0);
    let message = message_of(|| sim.block_on(async { sim.block_on(async {}) }));
    assert!(message.contains("inside a simulation"), "{message}");
    assert!(
        message.contains("await the future, or spawn it"),
        "{message}"
    );

    let task = sim.spawn({
        let sim = sim.clone();
        async move { sim.block_on(async {}) }
    });
    let error = sim.block_on(task).unwrap_err();
    assert!(error.to_string().contains("inside a simulation"), "{error}");
    assert_eq!(sim.block_on(async { 42 }), 42);
}

#[test]
fn deadlock_in_block_on_is_told_at_once() {
    let sim = Sim::new(0);
    let never = std::sync::Arc::new(Notify::new());
    let message = message_of(|| {
        let never = never.clone();
        let task = sim
            .task("sleeper")
            .spawn(async move { never.wait(Bare).await });
        sim.block_on(async { task.await.unwrap() });
    });
    for part in [
        "nobody can go on",
        "task 0 `sleeper` (from adapters/sim/tests/io.rs",
        "`main`",
        "waits for the end of task 0 `sleeper`",
    ] {
        assert!(message.contains(part), "no {part} in:\n{message}");
    }
    // The task is still there, and may go on.
    never.notify_one();
    sim.block_on(async { anysync::yield_now().await });
}

#[test]
fn dropped_world_cancels_its_tasks() {
    let sim = Sim::new(0);
    let never_polled = sim.spawn(async {});
    drop(sim);
    assert!(Bare.block_on(never_polled).unwrap_err().is_cancelled());
}

#[test]
fn task_aborted_before_its_first_poll_is_never_polled() {
    Sim::check(20, |io| async move {
        let task = io.spawn(async { panic!("polled after an abort") });
        task.abort();
        let outcome: Result<(), _> = task.await;
        assert!(outcome.unwrap_err().is_cancelled());
    });
}

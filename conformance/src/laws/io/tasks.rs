//! Tasks, their handles, and their turns.

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use anysync::Io;

use crate::backend::Capability;
use crate::cx::{Cx, Dropped, Gate};
use crate::subject::Subject;

pub(super) async fn spawned_task_runs_without_being_awaited(cx: Cx, _: Arc<dyn Subject>) {
    let (ran, inner_ran) = (Gate::new(), Gate::new());
    let (opens, inner_opens, inner) = (ran.clone(), inner_ran.clone(), cx.clone());
    let handle = cx.spawn("outer", async move {
        let handle = inner.spawn("inner", async move { inner_opens.open() });
        opens.open();
        handle.join().await;
    });
    cx.waiting("the task to run", ran.passed()).await;
    cx.waiting("the task's own task to run", inner_ran.passed())
        .await;
    handle.join().await;
}

pub(super) async fn dropped_handle_detaches(cx: Cx, _: Arc<dyn Subject>) {
    let task = Detached::new();
    drop(cx.spawn("detached before it ran", task.body()));
    task.proves_alive(&cx, "a task").await;

    let task = Detached::new();
    let handle = cx.spawn("detached while it waits", task.body());
    task.started.passed().await;
    drop(handle);
    task.proves_alive(&cx, "a task that had started").await;

    if cx.has(Capability::SpawnLocal) {
        let task = Detached::new();
        drop(cx.spawn_local("a detached local task", task.body()));
        task.proves_alive(&cx, "a local task").await;
    }
    if cx.has(Capability::SpawnBlocking) {
        let (go, done) = (Gate::new(), Gate::new());
        let (gone, opens) = (go.clone(), done.clone());
        drop(cx.spawn_blocking("detached blocking code", move || {
            gone.wait_blocking();
            opens.open();
        }));
        go.open();
        cx.waiting("detached blocking code", done.passed()).await;
    }
}

/// A task that is to go on after its handle was dropped.
struct Detached {
    started: Gate,
    go: Gate,
    done: Gate,
    dropped: Dropped,
}

impl Detached {
    fn new() -> Self {
        Self {
            started: Gate::new(),
            go: Gate::new(),
            done: Gate::new(),
            dropped: Dropped::new(),
        }
    }

    fn body(&self) -> impl Future<Output = ()> + Send + use<> {
        let Self {
            started, go, done, ..
        } = self;
        let (started, go, done) = (started.clone(), go.clone(), done.clone());
        let guard = self.dropped.guard();
        async move {
            let _guard = guard;
            started.open();
            go.passed().await;
            done.open();
        }
    }

    async fn proves_alive(&self, cx: &Cx, what: &str) {
        let label = format!("{what} whose handle was dropped, to finish");
        self.go.open();
        let mut finished = std::pin::pin!(cx.waiting(label, self.done.passed()));
        // Cancelled, it would never finish: say so at once.
        poll_fn(|task| {
            if finished.as_mut().poll(task).is_ready() {
                return Poll::Ready(());
            }
            let cancelled = self.dropped.is_dropped() && !self.done.is_open();
            assert!(!cancelled, "dropping the handle of {what} cancelled it");
            task.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

pub(super) async fn abort_drops_the_future(cx: Cx, _: Arc<dyn Subject>) {
    let waiting = Dropped::new();
    let guard = waiting.guard();
    let started = Gate::new();
    let opens = started.clone();
    let handle = cx.spawn("waits for ever", async move {
        let _guard = guard;
        opens.open();
        pending::<()>().await;
    });
    cx.waiting("the task to start", started.passed()).await;
    ends_as_cancelled(&cx, handle, &waiting, "a waiting task").await;

    let fresh = Dropped::new();
    let guard = fresh.guard();
    let handle = cx.spawn("aborted at once", async move {
        let _guard = guard;
        pending::<()>().await;
    });
    ends_as_cancelled(&cx, handle, &fresh, "a task that was just spawned").await;

    // A task that runs is cancelled at its next wait.
    let running = Dropped::new();
    let guard = running.guard();
    let (aborted, passed) = (Gate::new(), Gate::new());
    let (go, opens) = (aborted.clone(), passed.clone());
    let handle = cx.spawn("aborted while it is ready", async move {
        let _guard = guard;
        go.passed().await;
        opens.open();
        loop {
            anysync::yield_now().await;
        }
    });
    aborted.open();
    cx.waiting("the task to be ready all the time", passed.passed())
        .await;
    ends_as_cancelled(&cx, handle, &running, "a task that is always ready").await;

    if cx.has(Capability::SpawnLocal) {
        let local = Dropped::new();
        let guard = local.guard();
        let handle = cx.spawn_local("a local task", async move {
            let _guard = guard;
            pending::<()>().await;
        });
        ends_as_cancelled(&cx, handle, &local, "a local task").await;
    }
}

async fn ends_as_cancelled(
    cx: &Cx,
    handle: crate::cx::JoinHandle<()>,
    dropped: &Dropped,
    what: &str,
) {
    handle.abort();
    let result = cx.waiting(format!("the handle of {what}"), handle).await;
    let error = result.expect_err("an aborted task that never ends has no output");
    assert!(error.is_cancelled(), "{what} was aborted: {error}");
    assert_eq!(
        dropped.count(),
        1,
        "the handle of {what} has ended, and its future is not dropped"
    );
}

/// What a law panics with, to be known again.
#[derive(Debug, PartialEq)]
struct Payload(u64);

pub(super) async fn panic_becomes_join_error(cx: Cx, _: Arc<dyn Subject>) {
    let bystander = Gate::new();
    let passed = bystander.clone();
    let other = cx
        .spawn_queued("bystander", async move { passed.passed().await })
        .await;

    let seed = cx.seed();
    let handle = cx.spawn("panics at once", async move { panic_with(seed) });
    has_payload(handle.await, seed, "a task");

    let handle = cx.spawn("panics later", async move {
        anysync::yield_now().await;
        panic_with(seed)
    });
    has_payload(handle.await, seed, "a task that had yielded");

    if cx.has(Capability::SpawnBlocking) {
        let handle = cx.spawn_blocking("panics", move || panic_with(seed));
        has_payload(handle.await, seed, "blocking code");
    }
    if cx.has(Capability::SpawnLocal) {
        let handle = cx.spawn_local("panics", async move { panic_with(seed) });
        has_payload(handle.await, seed, "a local task");
    }
    // Nobody awaits this one, and nothing happens.
    cx.spawn("panics unheard", async move { panic_with(seed) })
        .detach();

    bystander.open();
    other.join().await;
    let after = cx.spawn("after the panics", async { 7 });
    assert_eq!(after.join().await, 7);
}

fn panic_with(seed: u64) {
    std::panic::resume_unwind(Box::new(Payload(seed)));
}

fn has_payload(result: Result<(), anysync::JoinError>, seed: u64, what: &str) {
    let error = result.expect_err("a task that panics has no output");
    assert!(
        error.is_panic(),
        "{what} panicked, and the error says: {error}"
    );
    let payload = error.try_into_panic().expect("it is a panic");
    assert_eq!(
        payload.downcast_ref(),
        Some(&Payload(seed)),
        "the payload of {what}"
    );
}

pub(super) async fn finished_task_survives_abort(cx: Cx, _: Arc<dyn Subject>) {
    let go = Gate::new();
    let passed = go.clone();
    let seed = cx.seed();
    let mut handle = cx.spawn("finishes", async move {
        passed.passed().await;
        seed
    });
    // The handle's waker tells that the task has finished, and leaves the output
    // where it is.
    let finished = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&finished));
    let first = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
    assert!(first.is_pending(), "the task waits at a closed gate");
    go.open();
    cx.waiting("the handle to be woken", finished.gate.passed())
        .await;
    handle.abort();
    handle.abort();
    match handle.await {
        Ok(output) => assert_eq!(output, seed),
        Err(error) => panic!("the task had finished before it was aborted: {error}"),
    }
}

#[derive(Default)]
struct Flag {
    gate: Gate,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.gate.open();
    }
}

pub(super) async fn yield_now_lets_others_run(cx: Cx, _: Arc<dyn Subject>) {
    const TASKS: usize = 4;
    const ROUNDS: usize = 50;

    // Each counts a round only when all have finished the one before, and
    // meanwhile does nothing but yield: a task that starves another one never
    // ends.
    let rounds: Arc<[AtomicUsize]> = (0..TASKS).map(|_| AtomicUsize::new(0)).collect();
    let handles: Vec<_> = (0..TASKS)
        .map(|own| {
            let (rounds, cx) = (Arc::clone(&rounds), cx.clone());
            let task = cx.clone();
            task.spawn(format!("yielder {own}"), async move {
                for round in 0..ROUNDS {
                    rounds[own].store(round + 1, Ordering::Relaxed);
                    let all_here = || {
                        let mut counts = rounds.iter();
                        counts.all(|count| count.load(Ordering::Relaxed) > round)
                    };
                    cx.until("the others have had their turn", all_here).await;
                }
            })
        })
        .collect();
    for handle in handles {
        handle.join().await;
    }

    // One who yields in a loop does not keep the processor from a newcomer.
    let ran = Arc::new(AtomicBool::new(false));
    let sets = Arc::clone(&ran);
    let newcomer = cx.spawn(
        "newcomer",
        async move { sets.store(true, Ordering::Relaxed) },
    );
    cx.until("the newcomer has run", || ran.load(Ordering::Relaxed))
        .await;
    newcomer.join().await;
}

pub(super) async fn budget_is_finite(cx: Cx, _: Arc<dyn Subject>) {
    /// Far more than any executor gives at once.
    const ENOUGH: u32 = 1_000_000;

    let io = cx.io();
    let spender = cx.spawn("spender", async move {
        for time in 0..3 {
            let spent = poll_fn(|task| {
                let spent = (0..ENOUGH).take_while(|_| io.poll_spend(task).is_ready());
                Poll::Ready(spent.count())
            });
            let spent = spent.await;
            assert!(
                spent < ENOUGH as usize,
                "the budget never ended in turn {time}"
            );
            // It arranged for a wake-up when it said no, and says yes then.
            poll_fn(|task| io.poll_spend(task)).await;
        }
    });
    spender.join().await;
}

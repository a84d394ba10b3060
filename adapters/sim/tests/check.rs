//! What a check finds, and how its report tells of it.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use anysync::{Bare, Notify, Spawn, Timer, yield_now};
use anysync_sim::{Builder, Failure, FailureKind, SEED, Sim, Strategy};

/// An event that loses a wake-up: it looks whether it was set, yields, and only
/// then leaves its waker.
#[derive(Default)]
struct LeakyEvent {
    is_set: Mutex<bool>,
    waker: Mutex<Option<Waker>>,
}

impl LeakyEvent {
    fn set(&self) {
        *self.is_set.lock().unwrap() = true;
        if let Some(waker) = self.waker.lock().unwrap().take() {
            waker.wake();
        }
    }

    async fn wait(&self) {
        if *self.is_set.lock().unwrap() {
            return;
        }
        yield_now().await;
        let mut is_queued = false;
        poll_fn(|cx| {
            if is_queued {
                return Poll::Ready(());
            }
            is_queued = true;
            *self.waker.lock().unwrap() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

async fn waits_for_a_leaky_event(io: Sim) {
    let event = Arc::new(LeakyEvent::default());
    let waiter = io.task("waiter").spawn({
        let event = event.clone();
        async move { event.wait().await }
    });
    let others: Vec<_> = (0..3).map(|_| io.spawn(yield_now())).collect();
    let setter = io.task("setter").spawn(async move {
        yield_now().await;
        event.set();
    });
    waiter.await.unwrap();
    setter.await.unwrap();
    for other in others {
        other.await.unwrap();
    }
}

/// Where the first line with this text is, as reports and backtraces begin it.
fn place_of(text: &str) -> String {
    let source = include_str!("check.rs").lines().enumerate();
    let mut lines = source.filter(|(_, line)| line.trim_start().starts_with(text));
    let (line, _) = lines.next().unwrap();
    format!("tests/check.rs:{}:", line + 1)
}

/// The faults switched off.
fn calm() -> Builder {
    Sim::builder()
        .spurious_polls(0)
        .delayed_wakes(0)
        .exhausted_budgets(0)
        .cancellations(0)
}

fn failure<F: Future<Output = ()>>(builder: &Builder, test: impl Fn(Sim) -> F) -> Failure {
    builder.try_check(2_000, test).unwrap_err()
}

#[test]
fn lost_wake_up_is_told_with_who_waits() {
    let failure = failure(&Sim::builder(), waits_for_a_leaky_event);
    assert_eq!(failure.kind(), FailureKind::Deadlock);
    let text = failure.to_string();
    let seed = failure.seed().unwrap();
    for part in [
        "nobody can go on",
        "task 1 `waiter` (from adapters/sim/tests/check.rs:",
        "waiting, polled 2×",
        "task 0 `main` (from adapters/sim/tests/check.rs:",
        "waits for the end of task 1 `waiter`",
        "task 5 `setter` runs",
        "polled once more it goes on, though nobody woke it",
        // Main, in its join.
        &format!("\n      at {}", place_of("waiter.await.unwrap()")),
        &format!("ANYSYNC_SIM_SEED={seed}"),
    ] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
}

#[test]
fn failing_schedule_is_shrunk_to_what_it_needs() {
    for first_seed in [0, 1_000, 2_000, 3_000] {
        let builder = Sim::builder().first_seed(first_seed);
        let failure = failure(&builder, waits_for_a_leaky_event);
        // The setter has to overtake, or something has to keep the waiter back:
        // one choice is enough.
        assert_eq!(failure.unusual_choices(), Some(1), "{failure}");
        assert_eq!(failure.to_string().matches("\n> ").count(), 1, "{failure}");
    }
}

#[test]
fn seed_repeats_a_failure_exactly() {
    let builder = Sim::builder().first_seed(77);
    let text = failure(&builder, waits_for_a_leaky_event).to_string();
    assert_eq!(text, failure(&builder, waits_for_a_leaky_event).to_string());

    let seed = failure(&builder, waits_for_a_leaky_event).seed().unwrap();
    let replayed = panic_of(|| Sim::replay(seed, waits_for_a_leaky_event));
    let story = |text: &str| text[text.find("how it came about").unwrap()..].to_owned();
    assert_eq!(story(&replayed), story(&text));
}

/// The order in which three tasks take their two steps each, under a seed.
fn order_of(builder: &Builder, seed: u64) -> Vec<u8> {
    let order = RefCell::new(Vec::new());
    builder.replay(seed, |io| {
        let order = &order;
        async move {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let tasks: Vec<_> = (0..3)
                .map(|name| {
                    let seen = seen.clone();
                    io.spawn(async move {
                        seen.lock().unwrap().push(name);
                        yield_now().await;
                        seen.lock().unwrap().push(name);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            order.replace(seen.lock().unwrap().clone());
        }
    });
    order.into_inner()
}

#[test]
fn seeds_differ_and_each_is_the_same_every_time() {
    for strategy in [
        Strategy::Mixed,
        Strategy::Uniform,
        Strategy::Pct { changes: 2 },
    ] {
        let builder = Sim::builder().strategy(strategy);
        let once: Vec<_> = (0..200).map(|seed| order_of(&builder, seed)).collect();
        let twice: Vec<_> = (0..200).map(|seed| order_of(&builder, seed)).collect();
        assert_eq!(once, twice, "{strategy:?}");
        let different: BTreeSet<_> = once.iter().collect();
        assert!(different.len() > 10, "{strategy:?}: {different:?}");
    }
}

/// One task has to stand still while another takes `steps` steps.
async fn overtaken(io: Sim, steps: u32) {
    let progress = Arc::new(AtomicU64::new(0));
    let runner = io.spawn({
        let (io, progress) = (io.clone(), progress.clone());
        async move {
            for _ in 0..steps {
                // A turn of its own each: whoever is ready may run in between.
                io.spawn(async {}).await.unwrap();
                progress.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let looker = io.spawn(async move { progress.load(Ordering::Relaxed) });
    assert!(looker.await.unwrap() < u64::from(steps), "overtaken");
    runner.await.unwrap();
}

#[test]
fn priorities_find_what_needs_a_task_to_stand_still() {
    let rounds_until_found = |strategy| {
        let builder = calm().strategy(strategy);
        let failure = builder.try_check(2_000, |io| overtaken(io, 30)).err();
        failure.map(|failure| failure.seed().unwrap())
    };
    let by_priorities = rounds_until_found(Strategy::Pct { changes: 0 });
    assert!(by_priorities.is_some_and(|rounds| rounds < 20));
    assert_eq!(rounds_until_found(Strategy::Uniform), None);
}

#[test]
fn exploration_runs_every_order_once() {
    let orders = RefCell::new(Vec::new());
    let explored = Sim::builder().explore(10_000, |io| {
        let orders = &orders;
        async move {
            let order = Arc::new(Mutex::new(Vec::new()));
            let tasks: Vec<_> = (0..3)
                .map(|name| {
                    let order = order.clone();
                    io.spawn(async move { order.lock().unwrap().push(name) })
                })
                .collect();
            // Nobody waits for another, so that main runs when all are done.
            io.sleep(Duration::from_secs(1)).await;
            drop(tasks);
            orders.borrow_mut().push(order.lock().unwrap().clone());
        }
    });
    let orders = orders.into_inner();
    assert!(explored.is_complete);
    assert_eq!(explored.schedules, 6, "3! orders");
    assert_eq!(orders.len(), 6);
    assert_eq!(orders.into_iter().collect::<BTreeSet<_>>().len(), 6);
}

#[test]
fn exploration_says_when_it_is_not_complete() {
    let explored = Sim::builder().explore(5, |io| async move {
        let tasks: Vec<_> = (0..3).map(|_| io.spawn(async {})).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!((explored.schedules, explored.is_complete), (5, false));
}

#[test]
fn exploration_finds_the_only_order_that_fails() {
    let failure = Sim::builder()
        .try_explore(10_000, |io| async move {
            let order = Arc::new(Mutex::new(Vec::new()));
            let tasks: Vec<_> = (0..4)
                .map(|name| {
                    let order = order.clone();
                    io.spawn(async move { order.lock().unwrap().push(name) })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_ne!(*order.lock().unwrap(), [3, 2, 1, 0]);
        })
        .unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Panic);
    assert_eq!(failure.seed(), None);
    assert!(failure.to_string().contains("explore again"), "{failure}");
}

#[test]
fn loop_of_yields_ends_in_every_order() {
    let explored = Sim::builder().explore(10_000, |io| async move {
        let done = Arc::new(Notify::new());
        let setter = io.spawn({
            let done = done.clone();
            async move {
                yield_now().await;
                done.notify_one();
            }
        });
        let other = io.spawn(yield_now());
        while !done.has_permit() {
            yield_now().await;
        }
        setter.await.unwrap();
        other.await.unwrap();
    });
    assert!(explored.is_complete, "{explored:?}");
}

#[test]
fn cancellation_comes_at_each_await_point_and_nowhere_else() {
    // How far a task came that was cancelled, in every schedule.
    let reached = RefCell::new(BTreeSet::new());
    let explored = calm().cancellations(1).explore(10_000, |io| {
        let reached = &reached;
        async move {
            let steps = Arc::new(AtomicU64::new(0));
            let task = io.task("victim").cancellable().spawn({
                let steps = steps.clone();
                async move {
                    for _ in 0..3 {
                        steps.fetch_add(1, Ordering::Relaxed);
                        yield_now().await;
                    }
                }
            });
            let safe = io.spawn(yield_now());
            if let Err(error) = task.await {
                assert!(error.is_cancelled());
                reached.borrow_mut().insert(steps.load(Ordering::Relaxed));
            }
            safe.await.expect("nobody allowed it to be cancelled");
        }
    });
    assert!(explored.is_complete);
    assert_eq!(reached.into_inner(), BTreeSet::from([1, 2, 3]));
}

/// How often something was seen in 500 rounds.
fn seen_in<F: Future<Output = bool>>(builder: &Builder, test: impl Fn(Sim) -> F) -> u64 {
    let seen = Cell::new(0);
    builder.check(500, |io| {
        let (seen, test) = (&seen, &test);
        async move { seen.set(seen.get() + u64::from(test(io).await)) }
    });
    seen.into_inner()
}

#[test]
fn spurious_polls_happen_unless_they_are_switched_off() {
    async fn is_polled_too_often(io: Sim) -> bool {
        let polls = Arc::new(AtomicU64::new(0));
        drop(io.spawn({
            let polls = polls.clone();
            poll_fn(move |_| {
                polls.fetch_add(1, Ordering::Relaxed);
                Poll::<()>::Pending
            })
        }));
        for _ in 0..50 {
            yield_now().await;
        }
        polls.load(Ordering::Relaxed) > 1
    }
    assert!(seen_in(&calm().spurious_polls(3), is_polled_too_often) > 100);
    assert_eq!(seen_in(&calm(), is_polled_too_often), 0);
}

#[test]
fn delayed_wakes_let_time_pass_unless_they_are_switched_off() {
    async fn is_late(io: Sim) -> bool {
        let gate = Arc::new(Notify::new());
        let waiter = io.spawn({
            let (io, gate) = (io.clone(), gate.clone());
            async move {
                gate.wait(Bare).await;
                io.now().since_start() > Duration::ZERO
            }
        });
        while gate.waiter_count() == 0 {
            yield_now().await;
        }
        gate.notify_one();
        waiter.await.unwrap()
    }
    assert!(seen_in(&calm().delayed_wakes(1), is_late) > 20);
    assert_eq!(seen_in(&calm(), is_late), 0);
}

#[test]
fn exhausted_budget_comes_between_the_win_and_the_return() {
    async fn is_held_up(io: Sim) -> bool {
        let signal = Arc::new(Notify::new());
        signal.notify_one();
        let waiter = io.spawn({
            let (io, signal) = (io.clone(), signal.clone());
            async move { signal.wait(&io).await }
        });
        let mut waiter = std::pin::pin!(waiter);
        let mut is_held_up = false;
        loop {
            let polled = poll_fn(|cx| Poll::Ready(waiter.as_mut().poll(cx))).await;
            if polled.is_ready() {
                return is_held_up;
            }
            // The permit is taken, and whoever took it has not returned.
            is_held_up |= !signal.has_permit();
            yield_now().await;
        }
    }
    assert!(seen_in(&calm().exhausted_budgets(1), is_held_up) > 20);
    assert_eq!(seen_in(&calm(), is_held_up), 0);
}

#[test]
fn endless_loop_meets_the_limit_of_steps() {
    let failure = failure(&Sim::builder().max_steps(1_000), |_| async {
        loop {
            yield_now().await;
        }
    });
    assert_eq!(failure.kind(), FailureKind::StepLimit);
    assert_eq!(failure.unusual_choices(), Some(0));
    let text = failure.to_string();
    assert!(text.contains("not finished after 1000 steps"), "{text}");
    assert!(text.contains("ready, polled 1000×"), "{text}");
}

#[test]
fn panic_is_told_with_its_place_and_those_of_tasks() {
    let failure = failure(&Sim::builder(), |io| async move {
        let task = io.spawn(async { panic!("seven is not eight") });
        let outcome: Result<(), _> = task.await;
        outcome.unwrap();
    });
    assert_eq!(failure.kind(), FailureKind::Panic);
    let text = failure.to_string();
    assert_eq!(
        text.matches("check.rs").count(),
        text.matches("tests/check.rs:").count()
    );
    for part in [
        "seven is not eight",
        "a task panicked at adapters/sim/tests/check.rs:",
    ] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
}

#[test]
fn what_is_left_is_dropped_and_may_fail_the_round() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("boom");
        }
    }

    let failure = failure(&calm(), |io| async move {
        let bomb = Bomb;
        drop(io.spawn(async move {
            let _bomb = bomb;
            pending::<()>().await;
        }));
    });
    assert!(failure.message().contains("a task that was left panicked"));
    assert!(failure.message().contains("boom"), "{failure}");

    let held = Arc::new(());
    Sim::check(10, |io| {
        let held = held.clone();
        async move {
            let own = io.clone();
            drop(io.spawn(async move {
                let _held = held;
                own.sleep(Duration::MAX).await;
            }));
            yield_now().await;
        }
    });
    assert_eq!(Arc::strong_count(&held), 1, "a world was leaked");
}

#[test]
fn wake_from_another_thread_is_refused_or_allowed() {
    async fn is_woken_by_a_thread(_: Sim) {
        let signal = Arc::new(Notify::new());
        let thread = thread::Builder::new().name("outsider".to_owned());
        let thread = thread.spawn({
            let signal = signal.clone();
            move || {
                while signal.waiter_count() == 0 {
                    thread::yield_now();
                }
                signal.notify_one();
            }
        });
        let mut wait = std::pin::pin!(signal.wait(Bare));
        // The wait is queued; the loop goes on until the thread has woken it.
        while poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx).is_pending())).await {
            yield_now().await;
        }
        thread.unwrap().join().unwrap();
        yield_now().await;
    }
    let failure = failure(&calm().max_steps(u64::MAX), is_woken_by_a_thread);
    assert_eq!(failure.kind(), FailureKind::ForeignWake);
    assert!(failure.message().contains("outsider"), "{failure}");
    calm()
        .max_steps(u64::MAX)
        .foreign_wakes(true)
        .check(20, is_woken_by_a_thread);
}

#[test]
fn test_that_depends_on_more_than_its_schedule_is_told_so() {
    let runs = Cell::new(0);
    let failure = failure(&calm(), |_| {
        runs.set(runs.get() + 1);
        let is_first = runs.get() == 1;
        async move { assert!(!is_first) }
    });
    assert_eq!(failure.unusual_choices(), None);
    let text = failure.to_string();
    assert!(text.contains("did not fail a second time"), "{text}");
}

/// Runs `code`, which panics; returns the message.
fn panic_of(code: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(code)).unwrap_err();
    match payload.downcast::<&'static str>() {
        Ok(text) => text.to_string(),
        Err(payload) => *payload.downcast::<String>().unwrap(),
    }
}

#[test]
fn no_rounds_are_refused() {
    let message = panic_of(|| Sim::check(0, |_| async {}));
    assert!(message.contains("0 rounds check nothing"), "{message}");
}

/// The environment belongs to the process, so these start this test again, in
/// another one.
fn in_a_process_with(seed: &str) -> (bool, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "check_of_the_other_process", "--nocapture"])
        .args(["--test-threads", "1"])
        .env(SEED, seed)
        .env(OTHER_PROCESS, "1")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

const OTHER_PROCESS: &str = "ANYSYNC_SIM_TEST_OTHER_PROCESS";

/// In the other process, a check; here, that without the variable all rounds run.
#[test]
fn check_of_the_other_process() {
    let rounds = Cell::new(0);
    Sim::check(1_000, |io| {
        rounds.set(rounds.get() + 1);
        async move {
            match std::env::var(OTHER_PROCESS) {
                Ok(_) => waits_for_a_leaky_event(io).await,
                Err(_) => yield_now().await,
            }
        }
    });
    match std::env::var(OTHER_PROCESS) {
        Ok(_) => assert_eq!(rounds.get(), 1),
        Err(_) => assert_eq!(rounds.get(), 1_000),
    }
}

#[test]
fn environment_chooses_the_only_round() {
    let seed = failure(&Sim::builder(), waits_for_a_leaky_event)
        .seed()
        .unwrap();
    let (is_success, text) = in_a_process_with(&seed.to_string());
    assert!(!is_success, "{text}");
    assert!(text.contains("nobody can go on"), "{text}");
    assert!(text.contains(&format!("with seed {seed}")), "{text}");

    let sound = (0..).find(|seed| {
        let result = catch_unwind(|| Sim::replay(*seed, waits_for_a_leaky_event));
        result.is_ok()
    });
    let (is_success, text) = in_a_process_with(&sound.unwrap().to_string());
    assert!(is_success, "{text}");
}

#[test]
fn environment_without_a_seed_is_refused() {
    for bad in ["", "-1", "seven", "0x10", "18446744073709551616"] {
        let (is_success, text) = in_a_process_with(bad);
        assert!(!is_success);
        let message = format!(
            "ANYSYNC_SIM_SEED={bad}: a seed is a whole number from 0 to 18446744073709551615"
        );
        assert!(text.contains(&message), "no {message} in:\n{text}");
    }
}

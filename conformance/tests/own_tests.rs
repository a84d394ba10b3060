//! `tests!`: one async test on every backend, each case by its own name. What
//! libtest makes of the cases is seen in child processes of this very file.

#![forbid(unsafe_code)]

use std::future::{Future, ready};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anysync::{Bare, Block, Io, Join, JoinError, Runtime, SpawnLocal};
use anysync_conformance::backend::{Backend, Capability, Face, Root, lacks};
use anysync_conformance::backends;
use anysync_conformance::cx::Cx;

/// An executor of one's own, which can only run a future.
struct OneFuture;

impl Backend for OneFuture {
    fn name(&self) -> &str {
        "one-future"
    }

    fn run(&self, root: Root) {
        let face = Face::new(Bare).lacks(Capability::Timer, "it has no clock");
        Bare.block_on(root.on(face));
    }
}

const SEEDS: u64 = 40;

/// What is to fail does so only in a child process that asks for it.
fn is_to_fail() -> bool {
    std::env::var_os("ANYSYNC_OWN_TESTS_FAIL").is_some()
}

/// Counts a run of so many, and fails in the last where it is to.
fn count(runs: &AtomicU64, of: u64) {
    let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
    assert!(run <= of, "{of} runs were asked for, and this is one more");
    if is_to_fail() {
        assert_ne!(run, of, "the last of {of} runs");
    }
}

anysync_conformance::tests! {
    /// Code that knows no executor: tasks, time and blocking code.
    #[require(timer, spawn, spawn_blocking)]
    #[also(one_future = OneFuture)]
    async fn generic_code_runs(cx: Cx) -> Result<(), JoinError> {
        async fn program<R: Runtime>(rt: R) -> Result<usize, JoinError> {
            let start = rt.now();
            let words = rt.spawn_blocking(|| "as long as this".len());
            rt.sleep(Duration::from_millis(2)).await;
            assert!(rt.now() >= start + Duration::from_millis(2), "it is later");
            assert!(rt.timeout(Duration::from_millis(1), std::future::pending::<()>()).await.is_err());
            assert!(rt.timeout(Duration::MAX, ready(())).await.is_ok());
            let deadline = rt.now() + Duration::from_millis(1);
            let late = rt.timeout_at(deadline, std::future::pending::<()>()).await;
            assert!(late.is_err() && rt.now() >= deadline);
            let clone = rt.clone();
            let length = rt.spawn(async move {
                clone.sleep(Duration::from_millis(1)).await;
                words.await
            });
            let forever = rt.spawn(std::future::pending::<()>());
            forever.abort();
            assert!(forever.await.is_err_and(|error| error.is_cancelled()));
            length.await?
        }
        assert_eq!(program(cx.runtime()).await?, 15);
        Ok(())
    }

    #[require(block_on, threads)]
    async fn threads_block(cx: Cx) {
        let (gate, runtime) = (anysync_conformance::cx::Gate::new(), cx.runtime());
        let opened = gate.clone();
        let thread = cx.thread("blocks", move || runtime.block_on(opened.passed()));
        gate.open();
        thread.join().await;
    }

    #[require(spawn_local)]
    async fn local_output_need_not_be_send(cx: Cx) {
        fn start(rt: impl SpawnLocal) -> impl Future<Output = u32> {
            let task = rt.spawn_local(async { std::rc::Rc::new(7) });
            async move { *task.await.expect("it does not panic") }
        }
        // The task's handle stays on this thread, in a task that does too.
        let runtime = cx.runtime();
        let seven = cx.spawn_local("local", async move { start(runtime).await });
        assert_eq!(seven.join().await, 7);
    }

    #[only(tokio_multi_thread, mine = OneFuture)]
    async fn chosen(_cx: Cx) {}

    #[require(budget)]
    async fn budget(cx: Cx) {
        let io = cx.runtime();
        let spends = std::future::poll_fn(|cx| io.poll_spend(cx));
        spends.await;
    }

    /// Fails in the last of its runs, and would in one too many.
    #[seeds(0..SEEDS)]
    #[only(sim)]
    async fn range_of_seeds(_cx: Cx) {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        count(&RUNS, SEEDS);
    }

    #[rounds(30)]
    #[only(sim)]
    async fn so_many_rounds(_cx: Cx) {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        count(&RUNS, 30);
    }

    #[rounds(30)]
    #[only(threads)]
    async fn rounds_are_of_the_simulator(_cx: Cx) {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        count(&RUNS, 1);
    }

    /// Holds unless the second task is first, and always where none is to fail.
    #[require(spawn)]
    #[rounds(200)]
    #[only(sim)]
    async fn first_come_first_served(cx: Cx) {
        let first = Arc::new(AtomicU64::new(0));
        let tasks = [1, 2].map(|number| {
            let first = Arc::clone(&first);
            cx.spawn(format!("task {number}"), async move {
                let _ = first.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
            })
        });
        for task in tasks {
            task.join().await;
        }
        if is_to_fail() {
            assert_eq!(first.load(Ordering::Relaxed), 1, "who was first");
        }
    }

    #[only(tokio_current_thread)]
    async fn error_that_is_returned(_cx: Cx) -> Result<(), String> {
        match is_to_fail() {
            true => Err("no such file".to_owned()),
            false => Ok(()),
        }
    }

    #[only(threads)]
    #[watchdog(1)]
    async fn waits_for_nobody(cx: Cx) {
        if is_to_fail() {
            cx.waiting("the answer", std::future::pending::<()>()).await;
        }
    }

    #[should_panic(expected = "as it should")]
    #[only(sim)]
    async fn panic_that_is_expected(_cx: Cx) {
        panic!("as it should");
    }
}

/// This file again, with these arguments.
fn child(arguments: &[&str], environment: &[(&str, &str)]) -> (Output, String) {
    let mut command = Command::new(std::env::current_exe().expect("it has a path"));
    command
        .env_remove("ANYSYNC_CONFORMANCE_SEED")
        .args(arguments);
    let output = command.envs(environment.iter().copied()).output();
    let output = output.expect("it starts");
    let text = [&output.stdout[..], &output.stderr].concat();
    (output, String::from_utf8(text).expect("UTF-8"))
}

#[test]
fn each_case_is_a_test_by_its_own_name() {
    let (_, list) = child(&["--list"], &[]);
    let cases = |test: &str| -> Vec<_> {
        let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
        names
            .filter_map(|name| name.strip_prefix(test)?.strip_prefix("::"))
            .collect()
    };
    let mut built_in: Vec<_> = backends::all()
        .iter()
        .map(|backend| backend.name().replace('-', "_"))
        .collect();
    built_in.sort();
    assert_eq!(cases("threads_block"), built_in);
    assert_eq!(cases("chosen"), ["mine", "tokio_multi_thread"]);
    assert_eq!(cases("generic_code_runs").len(), built_in.len() + 1);
}

/// What the macro says of the built-in backends is what they say of themselves.
#[test]
fn ignored_is_what_lacks_a_capability() {
    for (test, needs) in [
        (
            "generic_code_runs",
            &[
                Capability::Timer,
                Capability::Spawn,
                Capability::SpawnBlocking,
            ][..],
        ),
        ("threads_block", &[Capability::Block, Capability::Threads]),
        ("local_output_need_not_be_send", &[Capability::SpawnLocal]),
        ("budget", &[Capability::Budget]),
    ] {
        let (output, text) = child(&[&format!("{test}::")], &[]);
        assert!(output.status.success(), "{text}");
        for backend in backends::all() {
            let name = format!("{test}::{}", backend.name().replace('-', "_"));
            let lacks = lacks(backend);
            let missing = needs
                .iter()
                .find(|need| lacks.iter().any(|(what, _)| what == *need));
            let expected = match missing {
                Some(missing) => format!("test {name} ... ignored, no {missing}\n"),
                None => format!("test {name} ... ok\n"),
            };
            assert!(text.contains(&expected), "no {expected} in:\n{text}");
        }
    }
}

#[test]
fn own_backend_that_lacks_a_capability_says_so() {
    let (output, text) = child(&["generic_code_runs::one_future"], &[]);
    assert!(output.status.success(), "{text}");
    let skipped =
        "– generic_code_runs::one_future on one-future skipped: no timer: it has no clock";
    assert!(text.contains(skipped), "{text}");
}

#[test]
fn seeds_and_rounds_are_as_many_as_asked_for() {
    for (case, last) in [
        ("range_of_seeds::sim", "the last of 40 runs"),
        ("so_many_rounds::sim", "the last of 30 runs"),
        ("rounds_are_of_the_simulator::threads", "the last of 1 runs"),
    ] {
        let (output, text) = child(&["--exact", case], &[]);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
        let (output, text) = child(&["--exact", case], &[FAILS]);
        assert!(!output.status.success() && text.contains(last), "{text}");
    }
}

const FAILS: (&str, &str) = ("ANYSYNC_OWN_TESTS_FAIL", "1");

#[test]
fn failing_schedule_is_told_and_its_seed_repeats_it() {
    let test = "first_come_first_served::sim";
    let (output, text) = child(&["--exact", test], &[FAILS]);
    assert!(!output.status.success(), "{text}");
    for part in [
        "own_tests.rs:",
        "who was first",
        "the plainest schedule that fails likewise:",
        "first_come_first_served::sim fails on sim (seed ",
    ] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
    let repeat = text
        .split_once("to repeat it: ANYSYNC_CONFORMANCE_SEED=")
        .expect("it is told");
    let (seed, command) = repeat.1.split_once(' ').expect("a command follows");
    assert!(
        command.starts_with(&format!("cargo test {test}")),
        "{command}"
    );
    let (output, again) = child(
        &["--exact", test],
        &[FAILS, ("ANYSYNC_CONFORMANCE_SEED", seed)],
    );
    assert!(!output.status.success(), "{again}");
    assert!(again.contains(&format!("(seed {seed})")), "{again}");
}

#[test]
fn error_and_hang_are_told() {
    for (test, parts) in [
        (
            "error_that_is_returned",
            ["on tokio-current-thread", "no such file"],
        ),
        (
            "waits_for_nobody",
            ["hung: not finished after 1s", "the answer: for"],
        ),
    ] {
        let (output, text) = child(&[test], &[FAILS]);
        assert!(!output.status.success(), "{text}");
        for part in parts {
            assert!(text.contains(part), "no {part} in:\n{text}");
        }
    }
}

#[test]
fn seed_that_is_no_number_is_named() {
    let (output, text) = child(&["so_many_rounds"], &[("ANYSYNC_CONFORMANCE_SEED", "x7")]);
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("ANYSYNC_CONFORMANCE_SEED=x7: "), "{text}");
}

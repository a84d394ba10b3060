//! The engine itself: what it makes of laws and backends that misbehave.

#![forbid(unsafe_code)]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anysync::{Bare, Block};
use anysync_conformance::backend::{Backend, Capability, Face, Root, lacks};
use anysync_conformance::backends::sim::Simulated;
use anysync_conformance::backends::threads::OnThreads;
use anysync_conformance::backends::tokio::TokioCurrentThread;
use anysync_conformance::cx::Cx;
use anysync_conformance::law::{About, Law, Level};
use anysync_conformance::report::{Failure, Outcome, Report};
use anysync_conformance::subject::{Kind, Promise, Subject};
use anysync_conformance::{Day, Suite, run};

/// A subject without any primitive.
struct Nothing;

impl Subject for Nothing {
    fn name(&self) -> &str {
        "nothing"
    }
}

/// One that takes every law as a MUST, and so has the laws about backends too.
struct Strict;

impl Subject for Strict {
    fn name(&self) -> &str {
        "strict"
    }

    fn is_strict(&self) -> bool {
        true
    }
}

const NO_KIND: About = About::Kinds(&[]);

fn law(id: &'static str, run: anysync_conformance::law::Run) -> Law {
    Law::must(id, NO_KIND, "The sentence.", "The hint.", run)
}

/// A suite of nothing but these laws.
fn suite(laws: impl IntoIterator<Item = Law>) -> Suite {
    let suite = Suite::new()
        .subject(Nothing)
        .watchdog(Duration::from_secs(20));
    laws.into_iter().fold(suite, |suite, law| {
        let id = law.id;
        suite.law(law).filter(id)
    })
}

fn failure(report: &Report, law: &str) -> Failure {
    let mut results = report.results().iter();
    let result = results
        .find(|result| result.law == law)
        .expect("it was run");
    match &result.outcome {
        Outcome::Failed(failure) => failure.clone(),
        other => panic!("{law} was to fail: {other:?}"),
    }
}

async fn passes(_: Cx, _: Arc<dyn Subject>) {}

async fn panics(_: Cx, _: Arc<dyn Subject>) {
    panic!("seven is not eight");
}

async fn panics_in_a_task(cx: Cx, _: Arc<dyn Subject>) {
    let task = cx.spawn("task", async {
        anysync::yield_now().await;
        panic!("nine is not ten");
    });
    task.join().await
}

async fn hangs(cx: Cx, _: Arc<dyn Subject>) {
    cx.note("about to hang");
    let task = cx.spawn("sleeper", async { pending::<()>().await });
    let handle = cx
        .spawn_queued("queued one", async { pending::<()>().await })
        .await;
    cx.waiting("the signal that never comes", pending::<()>())
        .await;
    drop((task, handle));
}

#[test]
fn panic_is_a_failure_with_message_and_place() {
    let laws = [
        law("test::panics", run!(panics)),
        law("test::panics_in_a_task", run!(panics_in_a_task)),
        law("test::passes", run!(passes)),
    ];
    for backend in [true, false] {
        let suite = suite(laws.clone());
        let report = match backend {
            true => suite.backend(OnThreads).run(),
            false => suite.backend(TokioCurrentThread).run(),
        };
        assert!(!report.is_success());
        let in_law = failure(&report, "test::panics");
        assert_eq!(in_law.message, "seven is not eight");
        assert!(in_law.location.contains("engine.rs"), "{in_law:?}");
        let in_task = failure(&report, "test::panics_in_a_task");
        assert_eq!(in_task.message, "nine is not ten");
        assert!(in_task.location.contains("engine.rs"), "{in_task:?}");
        let passed = |result: &&anysync_conformance::report::CheckResult| {
            matches!(result.outcome, Outcome::Passed)
        };
        assert_eq!(report.results().iter().filter(passed).count(), 1);
    }
}

#[test]
fn watchdog_tells_who_waits_on_what_and_the_others_go_on() {
    let laws = [
        law("test::hangs", run!(hangs)),
        law("test::passes", run!(passes)),
    ];
    let report = suite(laws)
        .backend(OnThreads)
        .watchdog(Duration::from_millis(500))
        .run();
    let hung = failure(&report, "test::hangs");
    assert!(hung.message.contains("hung"), "{hung:?}");
    for part in [
        "task `sleeper`",
        "queued one",
        "the signal that never comes",
        "about to hang",
    ] {
        assert!(hung.dump.contains(part), "no {part} in:\n{}", hung.dump);
    }
    assert_eq!(report.results().len(), 2);
    assert!(matches!(report.results()[1].outcome, Outcome::Passed));
}

/// Only runs one future.
struct Bareboned;

impl Backend for Bareboned {
    fn name(&self) -> &str {
        "bareboned"
    }

    fn run(&self, root: Root) {
        let face = Face::new(Bare).lacks(Capability::Timer, "it has no clock");
        Bare.block_on(root.on(face));
    }
}

#[test]
fn what_cannot_be_run_is_skipped_with_the_reason() {
    const NOTIFY: About = About::Kinds(&[Kind::Notify]);
    let laws = [
        law("test::timer", run!(passes)).needs(&[Capability::Timer]),
        law("test::spawn", run!(passes)).needs(&[Capability::Spawn]),
        Law::must("test::kind", NOTIFY, "", "", run!(passes)),
        Law::must("test::every", About::EveryWait, "", "", run!(passes)),
        law("test::promise", run!(passes)).promised(Promise::FifoMutex),
        law("test::while_running", run!(skips)),
    ];
    let report = suite(laws).backend(Bareboned).run();
    let reasons: Vec<_> = report
        .results()
        .iter()
        .map(|result| match &result.outcome {
            Outcome::Skipped(reason) => reason.as_str(),
            other => panic!("{} was to be skipped: {other:?}", result.law),
        })
        .collect();
    assert_eq!(
        reasons,
        [
            "no timer: it has no clock",
            "no spawn: the backend does not offer it",
            "nothing has no Notify",
            "nothing has no primitive that waits",
            "nothing does not promise a mutex that is first in, first out",
            "found out late",
        ]
    );
    assert!(report.is_success());
    let text = report.to_string();
    assert!(text.contains("no timer: it has no clock"), "{text}");

    let lacks = lacks(Arc::new(Bareboned));
    let timer = (Capability::Timer, "no timer: it has no clock".to_owned());
    assert!(lacks.contains(&timer), "{lacks:?}");
    assert!(!lacks.iter().any(|(what, _)| *what == Capability::Threads));
}

async fn skips(cx: Cx, _: Arc<dyn Subject>) {
    cx.skip("found out late");
}

/// A backend out of one function.
struct Odd(&'static str, fn(Root));

impl Backend for Odd {
    fn name(&self) -> &str {
        self.0
    }

    fn run(&self, root: Root) {
        (self.1)(root);
    }
}

#[test]
fn backend_that_misbehaves_is_told_so() {
    let cases: [(Odd, &str); 7] = [
        (
            Odd("ignores the root", drop),
            "without making the root future",
        ),
        (
            Odd("never polls", |root| drop(root.on(Face::new(Bare)))),
            "never polled the root future and returned",
        ),
        (
            Odd("polls once", |root| {
                let mut root = Box::pin(root.on(Face::new(Bare)));
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(root.as_mut().poll(&mut cx).is_pending());
            }),
            "ended early",
        ),
        (
            Odd("panics first", |_| panic!("no memory left")),
            "before it ran the law: no memory left",
        ),
        (
            Odd("panics last", |root| {
                Bare.block_on(root.on(Face::new(Bare)));
                panic!("cannot close");
            }),
            "while it shut down, after the law had finished: cannot close",
        ),
        (
            Odd("never polls and hangs", |root| {
                let _root = root.on(Face::new(Bare));
                Bare.block_on(pending())
            }),
            "has not polled the root future",
        ),
        (
            Odd("never returns", |root| {
                Bare.block_on(root.on(Face::new(Bare)));
                Bare.block_on(pending())
            }),
            "the law finished, and the backend's `run` has not returned",
        ),
    ];
    for (backend, message) in cases {
        let name = backend.0;
        let report = suite([law("test::yields", run!(yields))])
            .backend(backend)
            .watchdog(Duration::from_millis(300))
            .run();
        let failure = failure(&report, "test::yields");
        assert!(failure.message.contains(message), "{name}: {failure:?}");
    }
}

async fn yields(_: Cx, _: Arc<dyn Subject>) {
    anysync::yield_now().await;
}

#[test]
fn should_fails_only_who_is_strict() {
    let law = Law::should("test::panics", NO_KIND, "", "", run!(panics));
    let lenient = suite([law.clone()]).backend(Bareboned);
    assert!(lenient.run().is_success());
    assert!(lenient.level(Level::Must).checks().is_empty());

    let strict = Suite::new().subject(Strict).law(law).filter("test::");
    let strict = strict.backend(Bareboned).run();
    assert!(!strict.is_success());
    assert_eq!(strict.results()[0].level, Level::Must);
}

static DRAWN: AtomicU64 = AtomicU64::new(0);

async fn draws(cx: Cx, _: Arc<dyn Subject>) {
    assert_eq!(cx.rng().next_u64(), cx.rng().next_u64());
    DRAWN.store(cx.seed(), Ordering::Relaxed);
}

#[test]
fn seed_repeats_a_check_exactly() {
    let drawn = |seed| {
        let suite = suite([law("test::draws", run!(draws))]);
        let report = suite.seed(seed).backend(Bareboned).run();
        assert!(report.is_success(), "{report}");
        DRAWN.load(Ordering::Relaxed)
    };
    let first = drawn(1);
    assert_ne!(first, drawn(2));
    assert_eq!(first, drawn(1));
}

/// Holds unless the second task is first.
async fn first_come_first_served(cx: Cx, _: Arc<dyn Subject>) {
    let order = Arc::new(AtomicU64::new(0));
    let tasks = [1, 2].map(|number| {
        let order = Arc::clone(&order);
        cx.spawn(format!("task {number}"), async move {
            let _ = order.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
        })
    });
    for task in tasks {
        task.join().await;
    }
    assert_eq!(order.load(Ordering::Relaxed), 1, "who was first");
}

#[test]
fn rounds_find_the_schedule_that_fails_and_its_seed_repeats_it() {
    let law = || {
        law(
            "test::first_come_first_served",
            run!(first_come_first_served),
        )
    };
    let run = |seed, rounds| {
        let suite = suite([law()]).backend(Simulated).seed(seed).rounds(rounds);
        suite.run()
    };
    let start = (0..).find(|seed| run(*seed, 1).is_success()).unwrap();
    let report = run(start, 100);
    let result = &report.results()[0];
    assert!(matches!(result.outcome, Outcome::Failed(_)), "{report}");
    assert!(result.seed > start && result.rounds == 1 + result.seed - start);
    let command = format!("SEED={} cargo test -- --exact nothing::sim::", result.seed);
    let text = report.to_string();
    for part in [
        &*command,
        "the plainest schedule that fails likewise:",
        ">   2  task 2 `task 2` runs before 1 that was ready earlier",
    ] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
    for _ in 0..3 {
        assert!(!run(result.seed, 1).is_success());
        assert!(run(start, result.seed - start).is_success());
    }
    // Elsewhere, and where it is to, a law runs once.
    let elsewhere = suite([law()]).backend(TokioCurrentThread).rounds(100);
    assert_eq!(elsewhere.run().results()[0].rounds, 1);
    let once = suite([law().once()]).backend(Simulated).seed(start);
    assert_eq!(once.rounds(100).run().results()[0].rounds, 1);
}

#[test]
fn known_failure_is_skipped_with_its_reason() {
    let failing = || law("test::fails", run!(fails));
    let known = suite([failing(), law_of_two_tasks("test::two_tasks")])
        .backend(TokioCurrentThread)
        .known_failure("test::fails", "it is meant to")
        .known_failure("test::two_tasks", "it does not fail");
    let report = known.run();
    assert!(report.is_success(), "{report}");
    let outcomes: Vec<_> = report
        .results()
        .iter()
        .map(|result| &result.outcome)
        .collect();
    let Outcome::Skipped(reason) = outcomes[0] else {
        panic!("{report}");
    };
    assert_eq!(reason, "known failure: it is meant to");
    assert!(matches!(outcomes[1], Outcome::Passed), "{report}");
    assert!(
        !suite([failing()])
            .backend(TokioCurrentThread)
            .run()
            .is_success()
    );
}

async fn fails(_: Cx, _: Arc<dyn Subject>) {
    panic!("as it is meant to");
}

#[test]
fn exploration_finds_the_schedule_and_knows_when_it_is_through() {
    let law = || {
        law(
            "test::first_come_first_served",
            run!(first_come_first_served),
        )
    };
    let on = |law| suite([law]).backend(Simulated).rounds(1);
    let start = (0..)
        .find(|seed| on(law()).seed(*seed).run().is_success())
        .unwrap();
    let report = on(law()).seed(start).exhaustive(1_000).run();
    assert!(!report.is_success(), "{report}");
    let text = report.to_string();
    assert!(text.contains("explore again"), "{text}");

    let sound = || law_of_two_tasks("test::two_tasks");
    let report = on(sound()).exhaustive(1_000).run();
    let (schedules, is_complete) = report.results()[0].explored.expect("the simulator can");
    assert!(is_complete && schedules > 1, "{report}");
    assert!(
        report.to_string().contains("1 of 1 checks have no others"),
        "{report}"
    );
    let report = on(sound()).exhaustive(1).run();
    assert_eq!(report.results()[0].explored, Some((1, false)));
    // Elsewhere, and of a law that runs once, there is nothing to explore.
    let elsewhere = suite([sound()]).backend(TokioCurrentThread);
    assert_eq!(elsewhere.exhaustive(10).run().results()[0].explored, None);
    let once = on(sound().once()).exhaustive(10).run();
    assert_eq!(once.results()[0].explored, None);
}

fn law_of_two_tasks(id: &'static str) -> Law {
    async fn two_tasks(cx: Cx, _: Arc<dyn Subject>) {
        let tasks = [1, 2].map(|number| cx.spawn(format!("task {number}"), async move { number }));
        let mut sum = 0;
        for task in tasks {
            sum += task.join().await;
        }
        assert_eq!(sum, 3);
    }
    law(id, run!(two_tasks))
}

#[test]
fn simulator_tells_of_a_hang_at_once() {
    let start = std::time::Instant::now();
    let report = suite([law("test::hangs", run!(hangs))])
        .backend(Simulated)
        .run();
    let hung = failure(&report, "test::hangs");
    assert!(start.elapsed() < Duration::from_secs(20), "the watchdog's");
    assert!(hung.message.contains("nobody can go on"), "{hung:?}");
    for part in ["about to hang", "the signal that never comes"] {
        assert!(hung.dump.contains(part), "no {part} in:\n{}", hung.dump);
    }
}

#[test]
fn report_has_all_that_is_needed_to_mend_and_repeat() {
    let laws = [
        law("test::panics", run!(panics)),
        law("test::panics_in_a_task", run!(panics_in_a_task)),
    ];
    let report = suite(laws).backend(OnThreads).seed(77).run();
    let text = report.to_string();
    for part in [
        "test::panics ",
        "✗",
        "The sentence.",
        "The hint.",
        "seven is not eight",
        "nine is not ten",
        "engine.rs:",
        "ANYSYNC_CONFORMANCE_SEED=77 cargo test -- --exact nothing::threads::test::panics",
        "0 passed, 2 failed, 0 skipped",
    ] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
}

#[test]
fn json_is_an_object_for_each_subject() {
    let laws = [
        law("test::panics", run!(panics)),
        law("test::passes", run!(passes)),
        law("test::timer", run!(passes)).needs(&[Capability::Timer]),
    ];
    let report = suite(laws).subject(Strict).backend(Bareboned).seed(5).run();
    let json = report.json();
    let lines: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let subjects: Vec<_> = lines.iter().map(|line| &line["subject"]).collect();
    assert_eq!(subjects, ["nothing", "strict"]);
    let results = lines[0]["results"].as_array().expect("an array");
    let outcomes: Vec<_> = results.iter().map(|result| &result["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "passed", "skipped"]);
    let failed = results[0].as_object().expect("an object");
    let keys: Vec<_> = failed.keys().map(String::as_str).collect();
    let mut expected = [
        "law", "backend", "level", "outcome", "reason", "seed", "millis",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(failed["law"], "test::panics");
    assert_eq!(failed["backend"], "bareboned");
    assert_eq!(failed["level"], "must");
    assert_eq!(failed["seed"], 5);
    let reason = failed["reason"].as_str().expect("a text");
    assert!(reason.contains("seven is not eight"), "{reason}");
    assert!(results[1]["reason"].is_null());
}

#[test]
fn known_failure_ends_with_its_last_day() {
    let day = |text: &str| text.parse::<Day>().expect("a day");
    let suite = suite([
        law("test::panics", run!(panics)),
        law("test::passes", run!(passes)),
    ]);
    let suite = suite
        .backend(Bareboned)
        .known_failure_until("test::panics", day("2026-12-31"), "seven is new")
        .known_failure("test::passes", "it was worse");
    for (today, holds) in [
        ("2026-12-30", true),
        ("2026-12-31", true),
        ("2027-01-01", false),
    ] {
        let suite = suite.clone().today(day(today));
        let report = suite.run();
        assert_eq!(report.is_success(), holds, "{today}: {report}");
        assert_eq!(suite.outdated(&report), ["test::passes"]);
        if !holds {
            let failure = failure(&report, "test::panics");
            assert!(
                failure.message.ends_with("seven is not eight"),
                "{failure:?}"
            );
            assert!(failure.message.contains("until 2026-12-31"), "{failure:?}");
        }
    }
    assert!(Day::today() > day("2024-01-01"));
}

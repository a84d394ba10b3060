//! Executors that cannot run a future, or a task, are told so within seconds and by
//! all checks at once, with a guess at the cause.

#![forbid(unsafe_code)]

use std::future::{Future, pending};
use std::mem::forget;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use anysync::io::{TaskHandle, package};
use anysync::{Bare, Block, Io, Spawn, Timer};
use anysync_conformance::Suite;
use anysync_conformance::backend::{Backend, Capability, Face, Root, lacks};
use anysync_conformance::backends::threads::{OnThreads, Sleep, Threads};
use anysync_conformance::harness::trials;
use anysync_conformance::report::{Outcome, Report};

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

fn face() -> Face {
    Face::new(Bare)
}

fn poll_once(future: impl Future<Output = ()>) -> Poll<()> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Those who hang do so twice, for as long as the probe waits.
const FEW_SECONDS: Duration = Duration::from_secs(25);

/// What the one check that failed says, and how many were skipped for it.
fn verdict(report: &Report) -> (String, usize) {
    let mut failed = Vec::new();
    let mut skipped = 0;
    for result in report.results() {
        match &result.outcome {
            Outcome::Failed(failure) => failed.push(failure.message.clone()),
            Outcome::Skipped(reason) if failed.contains(reason) => skipped += 1,
            _ => {}
        }
    }
    assert_eq!(failed.len(), 1, "one tells for all: {failed:#?}");
    assert!(!report.is_success());
    (failed.remove(0), skipped)
}

#[test]
fn executor_that_runs_no_future_is_told_so_once_with_a_guess() {
    let cases: [(Odd, &str); 9] = [
        (
            Odd("ignores-it", drop),
            "call `root.on(face)` and run what it returns",
        ),
        (
            Odd("drops-it", |root| drop(root.on(face()))),
            "never polled the root future and returned: did `run` start it, and wait for it?",
        ),
        (
            Odd("returns-early", |root| {
                let future = root.on(face());
                let polled = thread::spawn(|| poll_once(future)).join();
                assert!(polled.unwrap().is_pending());
            }),
            "ended early: `run` returned when the root future was still pending, after 1 polls",
        ),
        (
            Odd("never-polls", |root| {
                let _queued = root.on(face());
                Bare.block_on(pending())
            }),
            "was it queued on an executor that nobody runs?",
        ),
        (
            Odd("blocks-first", |root| {
                Bare.block_on(pending::<()>());
                drop(root);
            }),
            "does `run` block before `root.on(face)`?",
        ),
        (
            Odd("polls-once-and-waits", |root| {
                let mut future = Box::pin(root.on(face()));
                let _ = future
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()));
                Bare.block_on(pending())
            }),
            "was polled 1x and waits: either a wake-up was lost, by the \
             executor's waker",
        ),
        (
            Odd("drops-it-and-waits", |root| {
                let _ = poll_once(root.on(face()));
                Bare.block_on(pending())
            }),
            "dropped the root future unfinished",
        ),
        (
            Odd("never-returns", |root| {
                Bare.block_on(root.on(face()));
                Bare.block_on(pending())
            }),
            "does its shutdown wait for a task or a thread that never ends?",
        ),
        (
            Odd("polls-again", |root| {
                let mut future = Box::pin(root.on(face()));
                Bare.block_on(future.as_mut());
                Bare.block_on(future.as_mut());
            }),
            "polled the root future again after it had finished",
        ),
    ];
    let start = Instant::now();
    // All at once: most of them do nothing but wait.
    thread::scope(|scope| {
        for (backend, guess) in cases {
            scope.spawn(move || {
                let name = backend.0;
                let report = Suite::new().backend(backend).run();
                let (message, skipped) = verdict(&report);
                let told = format!("{name} cannot run a future at all: ");
                assert!(message.starts_with(&told), "{message}");
                assert!(message.contains(guess), "{name}: {message}");
                assert_eq!(
                    skipped,
                    report.results().len() - 1,
                    "the others are skipped"
                );
                assert!(
                    report.to_string().contains(guess),
                    "the table has the reason"
                );
            });
        }
    });
    assert!(start.elapsed() < FEW_SECONDS, "{:?}", start.elapsed());
}

/// Threads, whose tasks come to nothing.
#[derive(Clone)]
struct Careless {
    threads: Threads,
    how: How,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    /// Drops each task.
    Drops,
    /// Puts each task where nobody looks.
    Forgets,
}

impl Io for Careless {}

impl Timer for Careless {
    type Instant = Instant;
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        self.threads.now()
    }

    fn deadline(&self, after: Duration) -> Instant {
        self.threads.deadline(after)
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        self.threads.sleep_until(at)
    }
}

impl Spawn for Careless {
    type Handle<T: Send + 'static> = TaskHandle<T>;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = package(future);
        match self.how {
            How::Drops => drop(task),
            How::Forgets => forget(task),
        }
        handle
    }
}

struct OnCareless(How);

impl Backend for OnCareless {
    fn name(&self) -> &str {
        "careless"
    }

    fn run(&self, root: Root) {
        let careless = Careless {
            threads: Threads::new(),
            how: self.0,
        };
        Bare.block_on(root.on(face().timer(careless.clone()).spawn(careless)));
    }
}

#[test]
fn executor_that_runs_no_task_is_told_so_and_the_rest_goes_on() {
    for (how, what) in [
        (How::Drops, "nobody aborted it, and its handle says: "),
        (How::Forgets, "waits: either a wake-up was lost"),
    ] {
        let start = Instant::now();
        let suite = Suite::new()
            .filter("notify::")
            .filter("mutex::")
            .backend(OnCareless(how));
        let report = suite.run();
        let (message, skipped) = verdict(&report);
        assert!(
            message.starts_with("careless does not run what `spawn` is given: "),
            "{message}"
        );
        assert!(message.contains(what), "{message}");
        assert!(
            message.contains("is the task queued where the executor looks"),
            "{message}"
        );
        let needs = |id: &str| {
            let laws = suite.laws();
            let law = laws
                .iter()
                .find(|law| law.id == id)
                .expect("it is in the suite");
            law.needs.contains(&Capability::Spawn)
        };
        let needy = report.results().iter().filter(|result| needs(&result.law));
        assert_eq!(skipped + 1, needy.count(), "{report}");
        let passed = report
            .results()
            .iter()
            .filter(|result| !needs(&result.law) && matches!(result.outcome, Outcome::Passed));
        assert!(passed.count() > 3, "{report}");
        assert!(start.elapsed() < FEW_SECONDS, "{:?}", start.elapsed());
    }
}

#[test]
fn tests_of_an_executor_that_runs_no_future_are_ignored_but_one() {
    let hopeless = Odd("drops-it", |root| drop(root.on(face())));
    let trials = trials(
        Suite::new()
            .filter("notify::")
            .backend(hopeless)
            .backend(OnThreads),
    );
    let able = trials.iter().filter(|trial| !trial.has_ignored_flag());
    let able: Vec<_> = able.map(|trial| trial.name()).collect();
    assert!(
        able.contains(&"anysync::drops-it::runs_futures"),
        "{able:?}"
    );
    assert!(able.contains(&"anysync::threads::runs_futures"), "{able:?}");
    let of_hopeless = able
        .iter()
        .filter(|name| name.starts_with("anysync::drops-it::"));
    assert_eq!(of_hopeless.count(), 1, "{able:?}");
    assert!(able.len() > 3, "those of the other go on: {able:?}");
    let kind = trials
        .iter()
        .find(|trial| trial.has_ignored_flag())
        .map(|trial| trial.kind());
    assert_eq!(kind, Some("cannot run a future"));
    assert_eq!(lacks(Arc::new(Odd("ignores-it", drop))), []);
}

/// A wait that blocks its thread inside of a poll, and one that spins.
#[test]
fn hang_is_told_by_how_it_hangs() {
    use anysync_conformance::cx::Cx;
    use anysync_conformance::law::{About, Law};
    use anysync_conformance::run;
    use anysync_conformance::subject::Subject;

    async fn blocks(_: Cx, _: Arc<dyn Subject>) {
        anysync::io::block_on(pending::<()>());
    }

    static GIVEN_UP: AtomicUsize = AtomicUsize::new(0);

    async fn spins(_: Cx, _: Arc<dyn Subject>) {
        while GIVEN_UP.load(Ordering::Relaxed) == 0 {
            anysync::yield_now().await;
        }
    }

    let law = |id, run| Law::must(id, About::Kinds(&[]), "", "", run);
    let report = Suite::new()
        .law(law("test::blocks", run!(blocks)))
        .law(law("test::spins", run!(spins)))
        .filter("test::")
        .backend(OnThreads)
        .watchdog(Duration::from_millis(300))
        .run();
    GIVEN_UP.store(1, Ordering::Relaxed);
    let text = report.to_string();
    for part in [
        "Poll 1 of the root future does not return: something in it blocks",
        "The root future is polled again and again",
    ] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
}

//! The peers run, and the page about them is of today.

#![cfg(feature = "peers")]
#![forbid(unsafe_code)]

use std::sync::Arc;

use anysync_conformance::backends::sim::Simulated;
use anysync_conformance::backends::threads::OnThreads;
use anysync_conformance::law::About;
use anysync_conformance::report::{Outcome, Report};
use anysync_conformance::subject::Subject;
use anysync_conformance::{Suite, laws, random_seed, subjects};

/// What a primitive is for: nobody need promise it.
const CORE: [&str; 11] = [
    "notify::permit_is_stored",
    "notify::wait_before_check_misses_nothing",
    "barrier::exactly_one_leader_per_generation",
    "once_cell::initialises_once",
    "mutex::try_lock_never_waits",
    "mutex::unlocks_on_drop_and_unwind",
    "semaphore::never_over_issues",
    "condvar::wait_releases_and_reacquires",
    "channel::each_message_once",
    "channel::fifo_per_producer",
    "watch::latest_value_wins",
];

fn peers() -> Vec<Arc<dyn Subject>> {
    let all = subjects::all();
    let first = all.iter().position(|subject| subject.name() == "asyncband");
    all[first.expect("a peer")..].to_vec()
}

fn run(subject: &Arc<dyn Subject>, filters: &[&str]) -> Report {
    let suite = Suite::new()
        .shared_subject(Arc::clone(subject))
        .backend(Simulated)
        .backend(OnThreads)
        .rounds(5)
        .seed(random_seed());
    let suite = filters.iter().fold(suite, |suite, law| suite.filter(*law));
    suite.run()
}

#[test]
fn each_does_what_its_primitives_are_for() {
    for subject in peers() {
        let report = run(&subject, &CORE);
        let ended = |name: &str| {
            let results = report.results().iter();
            results.filter(|it| it.outcome.name() == name).count()
        };
        assert_eq!(ended("failed"), 0, "{report}");
        assert!(ended("passed") > 0, "nothing was run:\n{report}");
    }
}

/// One that keeps one waker has tasks that wake each other without end where a
/// schedule is unfair, so this is for threads.
#[test]
fn each_lock_excludes_on_threads() {
    for subject in peers() {
        let suite = Suite::new()
            .shared_subject(Arc::clone(&subject))
            .backend(OnThreads)
            .filter("mutex::excludes")
            .filter("rwlock::writer_excludes_all")
            .seed(random_seed());
        let report = suite.run();
        assert_eq!(report.failures(), "", "{}", subject.name());
    }
}

#[test]
fn what_is_not_promised_is_a_law_and_has_a_reason() {
    let laws = laws::all();
    for subject in subjects::all() {
        for (id, why) in subject.not_promised() {
            let name = subject.name();
            assert!(laws.iter().any(|law| law.id == *id), "{name}: {id}");
            assert!(why.ends_with(['.', '"']), "{name}: {id}: {why}");
        }
    }
}

/// It bites: a law that a peer is known to break fails, and is a SHOULD where it is
/// not promised.
#[test]
fn channel_that_sends_for_a_dropped_send_is_told_so() {
    let all = peers();
    let flume = all.iter().find(|subject| subject.name() == "flume");
    let report = run(
        flume.expect("a peer"),
        &["channel::cancelled_send_gives_back_or_never_sent"],
    );
    let results = report.results().iter();
    assert!(
        results
            .clone()
            .all(|it| matches!(it.outcome, Outcome::Failed(_))),
        "{report}"
    );
    assert!(report.is_success(), "none of it is a MUST for flume");
}

/// The page that is kept is made anew when a law or a subject changes.
#[test]
fn kept_page_names_every_law_and_every_subject() {
    let kept = include_str!("../PEERS.md");
    let mut matrix = kept.split("```text\n").nth(1).expect("a matrix").lines();
    let subjects = subjects::all();
    let stair: Vec<_> = matrix
        .by_ref()
        .take(subjects.len())
        .map(|line| line.trim_start_matches([' ', '│']))
        .collect();
    for subject in &subjects {
        let name = subject.name();
        assert!(stair.contains(&name), "no column: {name}");
        assert!(
            kept.contains(&format!("\n### {name}\n")),
            "no section: {name}"
        );
    }
    let of_primitives = laws::all()
        .into_iter()
        .filter(|law| law.about != About::Backend);
    for law in of_primitives {
        let row = matrix.next().unwrap_or_default();
        assert_eq!(row.split(' ').next(), Some(law.id), "the row of a law");
        let marks = row.chars().filter(|mark| "✓✗○–".contains(*mark)).count();
        assert_eq!(marks, subjects.len(), "the marks of {}", law.id);
        assert!(row.ends_with(law.level.name()), "the level of {}", law.id);
    }
    assert_eq!(matrix.next(), Some("```"), "laws that are no more");
}

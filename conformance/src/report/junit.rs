//! The results as JUnit XML, which CI systems show: a suite for each subject and
//! backend, a case for each law.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report as XmlReport, TestCase, TestCaseStatus, TestSuite};

use super::{CheckResult, Failure, Outcome, Report};

pub(super) fn xml(report: &Report) -> String {
    let mut suites: BTreeMap<(&str, &str), TestSuite> = BTreeMap::new();
    for result in report.results() {
        let suite = suites
            .entry((&result.subject, &result.backend))
            .or_insert_with(|| TestSuite::new(format!("{} on {}", result.subject, result.backend)));
        suite.add_test_case(case(report, result));
    }
    let mut xml = XmlReport::new("anysync-conformance");
    xml.add_test_suites(suites.into_values());
    let xml = xml.to_string().expect("it is written to memory");
    without_skipped(&xml)
}

/// Jenkins's xUnit plugin goes by a schema that knows no `skipped` of the whole.
fn without_skipped(xml: &str) -> String {
    let whole = xml.find("<testsuites ").unwrap_or_default();
    let (before, whole) = xml.split_at(whole);
    let (head, rest) = whole.split_at(whole.find('>').unwrap_or_default());
    let attributes = head.split(' ').filter(|text| !text.starts_with("skipped="));
    format!("{before}{}{rest}", attributes.collect::<Vec<_>>().join(" "))
}

fn case(report: &Report, result: &CheckResult) -> TestCase {
    let status = match &result.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason);
            status
        }
        // The exit code is that of the MUSTs, and so are the failures.
        Outcome::Failed(failure) if !result.is_fatal() => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("no MUST, and does not hold: {}", failure.message));
            status.set_type(result.level.name());
            status.set_description(described(report, result, failure));
            status
        }
        Outcome::Failed(failure) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(&failure.message);
            status.set_type(result.level.name());
            status.set_description(described(report, result, failure));
            status
        }
    };
    let mut case = TestCase::new(&result.law, status);
    case.set_classname(format!("{}.{}", result.subject, result.backend));
    case.set_time(result.time);
    case
}

/// What is known about a check that failed.
fn described(report: &Report, result: &CheckResult, failure: &Failure) -> String {
    let law = report.law(&result.law);
    let sentence = law.map(|law| law.sentence).unwrap_or_default();
    let hint = law.map(|law| law.hint).unwrap_or_default();
    format!(
        "the law: {sentence}\n{}\n{}\nhow to mend it: {hint}\nto repeat it: {}",
        failure.location,
        failure.dump,
        result.command()
    )
}

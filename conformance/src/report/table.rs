//! The matrix: laws down, backends across, and below it why something failed or
//! was skipped.

use std::fmt::{self, Write};

use super::{CheckResult, Outcome, Report};

pub(super) fn write(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for subject in report.subjects() {
        let results: Vec<&CheckResult> = report
            .results
            .iter()
            .filter(|result| result.subject == subject)
            .collect();
        matrix(subject, &results, f)?;
        skipped(&results, f)?;
        failures(report, &results, f)?;
        summary(&results, f)?;
    }
    Ok(())
}

/// The values of a column, each once, in order.
fn distinct<'a>(
    results: &[&'a CheckResult],
    value: impl Fn(&'a CheckResult) -> &'a str,
) -> Vec<&'a str> {
    let mut all = Vec::new();
    for result in results {
        let value = value(result);
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all
}

fn matrix(subject: &str, results: &[&CheckResult], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let backends = distinct(results, |result| &result.backend);
    let laws = distinct(results, |result| &result.law);
    let width = laws.iter().map(|law| law.len()).max().unwrap_or(0);
    let width = width.max(subject.len());
    writeln!(f, "{subject:width$}  {}", backends.join("  "))?;
    for law in laws {
        let level = results.iter().find(|result| result.law == law);
        let mut line = format!("{law:width$}");
        for backend in &backends {
            let cell = results
                .iter()
                .find(|result| result.law == law && result.backend == *backend);
            let mark = match cell.map(|result| &result.outcome) {
                Some(Outcome::Passed) => '✓',
                Some(Outcome::Failed(_)) => '✗',
                Some(Outcome::Skipped(_)) => '–',
                None => ' ',
            };
            let _ = write!(line, "  {mark:^width$}", width = backend.len());
        }
        let level = level.map_or("", |result| result.level.name());
        writeln!(f, "{line}  {level}")?;
    }
    writeln!(f)
}

/// One line for each reason, with the cells that it covers.
fn skipped(results: &[&CheckResult], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut groups: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for result in results {
        let Outcome::Skipped(reason) = &result.outcome else {
            continue;
        };
        let known = groups
            .iter_mut()
            .find(|(why, law, _)| *why == reason && *law == result.law);
        match known {
            Some((_, _, backends)) => backends.push(&result.backend),
            None => groups.push((reason, &result.law, vec![&result.backend])),
        }
    }
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(f, "skipped (–)")?;
    for (reason, law, backends) in groups {
        writeln!(f, "  {law} on {}: {reason}", backends.join(", "))?;
    }
    writeln!(f)
}

fn failures(report: &Report, results: &[&CheckResult], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for result in results {
        let Outcome::Failed(failure) = &result.outcome else {
            continue;
        };
        let CheckResult {
            law,
            backend,
            level,
            subject,
            seed,
            ..
        } = result;
        writeln!(f, "✗ {law} on {backend} ({level}, seed {seed})")?;
        let law_data = report.laws.iter().find(|known| known.id == law);
        if let Some(known) = law_data {
            writeln!(f, "  the law: {}", known.sentence)?;
        }
        writeln!(f, "  what happened: {}", indented(&failure.message))?;
        if !failure.location.is_empty() {
            writeln!(f, "  at {}", failure.location)?;
        }
        if !failure.dump.is_empty() {
            writeln!(f, "  {}", indented(failure.dump.trim_end()))?;
        }
        if let Some(known) = law_data {
            writeln!(f, "  how to mend it: {}", known.hint)?;
        }
        writeln!(
            f,
            "  to repeat it: anysync-conformance {law} --backend {backend} --subject {subject} \
             --seed {seed}"
        )?;
        writeln!(f)?;
    }
    Ok(())
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}

fn summary(results: &[&CheckResult], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let count = |name| {
        let of_name = results
            .iter()
            .filter(|result| result.outcome.name() == name);
        of_name.count()
    };
    writeln!(
        f,
        "{} passed, {} failed, {} skipped\n",
        count("passed"),
        count("failed"),
        count("skipped")
    )
}

//! The matrix: laws down, backends across, and below it why something failed or
//! was skipped.

use std::fmt;

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
    // A stair of names, for they are wider than their columns.
    for (place, backend) in backends.iter().enumerate() {
        let heading = if place == 0 { subject } else { "" };
        writeln!(f, "{heading:width$}  {}{backend}", "│ ".repeat(place))?;
    }
    for law in laws {
        let level = results.iter().find(|result| result.law == law);
        write!(f, "{law:width$}  ")?;
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
            write!(f, "{mark} ")?;
        }
        writeln!(f, " {}", level.map_or("", |result| result.level.name()))?;
    }
    writeln!(f)
}

/// One line for each reason, with the laws and the backends that it covers.
fn skipped(results: &[&CheckResult], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut reasons: Vec<(&str, Vec<&str>, Vec<&str>)> = Vec::new();
    for result in results {
        let Outcome::Skipped(reason) = &result.outcome else {
            continue;
        };
        let place = reasons.iter().position(|(known, ..)| known == reason);
        let place = place.unwrap_or_else(|| {
            reasons.push((reason, Vec::new(), Vec::new()));
            reasons.len() - 1
        });
        let (_, laws, backends) = &mut reasons[place];
        for (names, name) in [(laws, &*result.law), (backends, &*result.backend)] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let all = distinct(results, |result| &result.backend).len();
    writeln!(f, "– skipped:")?;
    for (reason, laws, backends) in reasons {
        let backends = match backends.len() {
            count if count == all && all > 1 => "all backends".to_owned(),
            _ => backends.join(", "),
        };
        writeln!(f, "  on {backends}: {reason}")?;
        writeln!(f, "    {}", laws.join(", "))?;
    }
    writeln!(f)
}

pub(super) fn failures(
    report: &Report,
    results: &[&CheckResult],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
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
    write!(
        f,
        "{} passed, {} failed, {} skipped",
        count("passed"),
        count("failed"),
        count("skipped")
    )?;
    let drawn = results.iter().filter(|result| result.rounds > 1);
    match drawn.map(|result| result.rounds).sum() {
        0_u64 => {}
        rounds => write!(f, "; {rounds} schedules were drawn")?,
    }
    let explored: Vec<_> = results
        .iter()
        .filter_map(|result| result.explored)
        .collect();
    if !explored.is_empty() {
        let schedules: u64 = explored.iter().map(|(schedules, _)| schedules).sum();
        let whole = explored.iter().filter(|(_, is_complete)| *is_complete);
        write!(
            f,
            "; {schedules} schedules were explored, in which {} of {} checks have no others",
            whole.count(),
            explored.len()
        )?;
    }
    writeln!(f, "\n")
}

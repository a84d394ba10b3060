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
        write_skipped(&results, f)?;
        failures(report, &results, f)?;
        writeln!(f, "{}\n", summary(&results))?;
    }
    Ok(())
}

/// The values of a column, each once, in order.
pub(super) fn distinct<'a>(
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
            let mark = cell.map_or(' ', |result| result.mark());
            write!(f, "{mark} ")?;
        }
        writeln!(f, " {}", level.map_or("", |result| result.level.name()))?;
    }
    writeln!(f)
}

/// A reason, with the laws and the backends that it covers.
pub(super) struct Skipped<'a> {
    pub(super) reason: &'a str,
    pub(super) laws: Vec<&'a str>,
    /// The names, or that it is all of them.
    pub(super) backends: String,
}

/// What was skipped, each reason once.
pub(super) fn skipped<'a>(results: &[&'a CheckResult]) -> Vec<Skipped<'a>> {
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
    let all = distinct(results, |result| &result.backend).len();
    let told = reasons.into_iter().map(|(reason, laws, backends)| Skipped {
        reason,
        laws,
        backends: match backends.len() {
            count if count == all && all > 1 => "all backends".to_owned(),
            _ => backends.join(", "),
        },
    });
    told.collect()
}

fn write_skipped(results: &[&CheckResult], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let reasons = skipped(results);
    if reasons.is_empty() {
        return Ok(());
    }
    writeln!(f, "– skipped:")?;
    for Skipped {
        reason,
        laws,
        backends,
    } in reasons
    {
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
            seed,
            ..
        } = result;
        writeln!(
            f,
            "{} {law} on {backend} ({level}, seed {seed})",
            result.mark()
        )?;
        let law_data = report.law(law);
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
        writeln!(f, "  to repeat it: {}", result.command())?;
        writeln!(f)?;
    }
    Ok(())
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}

/// How many checks ended how, and under how many schedules they ran.
pub(super) fn summary(results: &[&CheckResult]) -> String {
    let [passed, failed, skipped] =
        ["passed", "failed", "skipped"].map(|name| count(results, name));
    let fatal = results.iter().filter(|result| result.is_fatal()).count();
    let mut text = format!("{passed} passed, {failed} failed, {skipped} skipped");
    match (failed - fatal, fatal) {
        (0, _) => {}
        (_, 0) => text += "; what failed is no MUST (○)",
        (shoulds, _) => text += &format!("; {shoulds} of what failed are no MUST (○)"),
    }
    let drawn = results.iter().filter(|result| result.rounds > 1);
    match drawn.map(|result| result.rounds).sum() {
        0_u64 => {}
        rounds => text += &format!("; {rounds} schedules were drawn"),
    }
    let explored: Vec<_> = results
        .iter()
        .filter_map(|result| result.explored)
        .collect();
    if !explored.is_empty() {
        let schedules: u64 = explored.iter().map(|(schedules, _)| schedules).sum();
        let whole = explored.iter().filter(|(_, is_complete)| *is_complete);
        text += &format!(
            "; {schedules} schedules were explored, in which {} of {} checks have no others",
            whole.count(),
            explored.len()
        );
    }
    text
}

/// How many have the outcome of this name.
pub(super) fn count(results: &[&CheckResult], outcome: &str) -> usize {
    let of_name = results
        .iter()
        .filter(|result| result.outcome.name() == outcome);
    of_name.count()
}

//! The results as a page for a browser, in one file that fetches nothing.
//!
//! It can be read without its script: the script adds the filters, and opens what is
//! known about a check, which lies beside the table as JSON. maud escapes the text
//! between the tags, [`in_script`] that in the JSON.

use std::time::SystemTime;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;

use super::table::{self, Skipped, count, distinct, skipped};
use super::{CheckResult, Outcome, Report};
use crate::book;
use crate::law::Law;

#[cfg(test)]
mod tests;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Nothing is fetched, whatever a message says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
                      script-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                      form-action 'none'";

/// The outcomes, the worst first.
const OUTCOMES: [&str; 3] = ["failed", "passed", "skipped"];

/// How many backends fit a narrow screen.
const FITTING: usize = 14;

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    laws: Vec<LawData<'a>>,
    checks: Vec<CheckData<'a>>,
}

#[derive(Serialize)]
struct LawData<'a> {
    id: &'a str,
    sentence: &'a str,
    hint: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    why: &'a str,
    /// Issues, each with its address.
    seen_in: Vec<(&'a str, Option<String>)>,
}

#[derive(Serialize)]
struct CheckData<'a> {
    subject: &'a str,
    /// Its place among the laws.
    law: usize,
    backend: &'a str,
    level: &'static str,
    outcome: &'static str,
    /// Why it failed, or was not run.
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    location: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    dump: &'a str,
    /// As text: a script has no whole numbers so large.
    seed: String,
    runs: String,
    time: String,
    command: String,
}

/// A subject's part of the results, each with its place among all.
struct Part<'a> {
    subject: &'a str,
    places: Vec<(usize, &'a CheckResult)>,
}

impl<'a> Part<'a> {
    fn results(&self) -> Vec<&'a CheckResult> {
        self.places.iter().map(|(_, result)| *result).collect()
    }

    fn laws(&self) -> Vec<&'a str> {
        distinct(&self.results(), |result| &result.law)
    }

    fn backends(&self) -> Vec<&'a str> {
        distinct(&self.results(), |result| &result.backend)
    }

    fn cell(&self, law: &str, backend: &str) -> Option<(usize, &'a CheckResult)> {
        let mut places = self.places.iter();
        let cell = places.find(|(_, result)| result.law == law && result.backend == backend);
        cell.copied()
    }
}

pub(super) fn page(report: &Report, made: Option<SystemTime>) -> String {
    let all: Vec<&CheckResult> = report.results.iter().collect();
    let laws = distinct(&all, |result| &result.law);
    let parts: Vec<Part<'_>> = report
        .subjects()
        .into_iter()
        .map(|subject| Part {
            subject,
            places: report
                .results
                .iter()
                .enumerate()
                .filter(|(_, result)| result.subject == subject)
                .collect(),
        })
        .collect();
    let title = format!(
        "{} failed, {} passed: {}",
        count(&all, "failed"),
        count(&all, "passed"),
        report.subjects().join(", ")
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "anysync-conformance " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(report, &parts, &all, made))
                (filters(&all))
                main {
                    @for (place, part) in parts.iter().enumerate() {
                        (section(report, part, place, &laws))
                    }
                    p #nothing .nothing hidden {
                        "No law matches these filters. "
                        button type="button" data-clear { "Clear the filters" }
                    }
                }
                (panel())
                script #data type="application/json" {
                    (PreEscaped(in_script(&data(report, &laws))))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut page = page.into_string();
    page.push('\n');
    page
}

fn head(
    report: &Report,
    parts: &[Part<'_>],
    all: &[&CheckResult],
    made: Option<SystemTime>,
) -> Markup {
    let made = made.map(|made| humantime::format_rfc3339_seconds(made).to_string());
    html! {
        header {
            h1 { "Conformance of " (report.subjects().join(", ")) }
            @if report.is_success() {
                p.verdict.good {
                    span aria-hidden="true" { "✓ " } "Every MUST holds"
                    @match count(all, "failed") {
                        0 => {}
                        shoulds => { ", and " (shoulds) " of the SHOULDs (○) not" }
                    }
                }
            } @else {
                p.verdict.bad { span aria-hidden="true" { "✗ " } "A MUST does not hold" }
            }
            dl.facts {
                div { dt { "Suite" } dd { "anysync-conformance " (env!("CARGO_PKG_VERSION")) } }
                div { dt { "Seed" } dd { (report.seed) } }
                @if let Some(made) = &made {
                    div {
                        dt { "Made" }
                        dd { time datetime=(made) { (made.replace('T', " ").replace('Z', " UTC")) } }
                    }
                }
                div { dt { "Size" } dd { (size(all)) } }
            }
            table.counts {
                caption.unseen { "How many checks ended how" }
                thead {
                    tr {
                        th scope="col" { "Subject" }
                        @for outcome in OUTCOMES { th scope="col" { (outcome) } }
                        th scope="col" { "laws × backends" }
                    }
                }
                tbody {
                    @for (place, part) in parts.iter().enumerate() {
                        tr {
                            th scope="row" { a href={ "#subject-" (place) } { (part.subject) } }
                            @for outcome in OUTCOMES {
                                @let count = count(&part.results(), outcome);
                                td class=[(count > 0).then_some(outcome)] { (count) }
                            }
                            td { (part.laws().len()) " × " (part.backends().len()) }
                        }
                    }
                }
            }
        }
    }
}

/// Hidden until the script can serve them.
fn filters(all: &[&CheckResult]) -> Markup {
    html! {
        form #filters .filters role="search" aria-label="Filters" hidden {
            label.field {
                span { "Law" }
                input #query type="search" placeholder="name or words" autocomplete="off" spellcheck="false";
            }
            fieldset {
                legend { "Outcome" }
                @for outcome in OUTCOMES {
                    label.choice {
                        input type="checkbox" name="outcome" value=(outcome) checked;
                        (outcome) " " span.number { (count(all, outcome)) }
                    }
                }
            }
            fieldset {
                legend { "Level" }
                @for level in ["must", "should"] {
                    label.choice {
                        input type="checkbox" name="level" value=(level) checked;
                        (level)
                    }
                }
            }
            label.field {
                span { "Backend" }
                select #backend {
                    option value="" { "all" }
                    @for backend in distinct(all, |result| &result.backend) {
                        option value=(backend) { (backend) }
                    }
                }
            }
            p.shown {
                output #shown role="status" {}
                " "
                button type="button" data-clear hidden { "Clear" }
            }
        }
    }
}

fn section(report: &Report, part: &Part<'_>, place: usize, laws: &[&str]) -> Markup {
    let results = part.results();
    let backends = part.backends();
    let heading = format!("subject-{place}");
    let failed = || {
        let places = part.places.iter();
        places.filter_map(|(place, result)| match &result.outcome {
            Outcome::Failed(failure) => Some((*place, *result, failure)),
            _ => None,
        })
    };
    html! {
        section aria-labelledby=(heading) {
            h2 #(heading) { (part.subject) }
            p.summary { (table::summary(&results)) }
            div.matrix.many[backends.len() > FITTING] style={ "--backends:" (backends.len()) } tabindex="-1" {
                table.laws role="table" aria-labelledby=(heading) {
                    thead role="rowgroup" {
                        tr role="row" {
                            th.law role="columnheader" scope="col" { "Law" }
                            @for backend in &backends {
                                th.backend role="columnheader" scope="col" data-backend=(backend) {
                                    span { (backend) }
                                }
                            }
                        }
                    }
                    @for (group, of_group) in groups(part.laws()) {
                        tbody role="rowgroup" {
                            tr.group role="row" {
                                th role="rowheader" scope="rowgroup" colspan=(backends.len() + 1) {
                                    (group)
                                }
                            }
                            @for law in of_group { (row(report, part, law, &backends, laws)) }
                        }
                    }
                }
            }
            @if failed().next().is_some() {
                h3 { "What failed" }
                @for (place, result, failure) in failed() {
                    details.failure data-check=(place) {
                        summary {
                            span.mark.failed aria-hidden="true" { (result.mark()) }
                            span { (broken(&result.law)) " on " (result.backend) " "
                                span.level { (result.level) } }
                        }
                        (evidence(report, result, failure))
                    }
                }
            }
            (not_run(&skipped(&results)))
        }
    }
}

fn row(report: &Report, part: &Part<'_>, law: &str, backends: &[&str], laws: &[&str]) -> Markup {
    let of_law = part.places.iter().find(|(_, result)| result.law == law);
    let level = of_law.map(|(_, result)| result.level.name());
    let place = laws.iter().position(|known| *known == law);
    html! {
        tr.of-law role="row" data-law=[place] data-level=[level] {
            th.law role="rowheader" scope="row" {
                code { (broken(law)) } " "
                @if let Some(level) = level { span.level { (level) } }
                @if let Some(law) = report.law(law) { span.sentence { (law.sentence) } }
            }
            @for backend in backends {
                td role="cell" data-backend=(backend) {
                    @if let Some((place, result)) = part.cell(law, backend) {
                        @let outcome = result.outcome.name();
                        button type="button" class=(outcome) data-check=(place)
                            aria-label={ (outcome) ": " (law) " on " (backend) }
                            title={ (outcome) " on " (backend) } {
                            (result.mark())
                        }
                    }
                }
            }
        }
    }
}

fn evidence(report: &Report, result: &CheckResult, failure: &super::Failure) -> Markup {
    let law = report.law(&result.law);
    html! {
        dl.evidence {
            @if let Some(law) = law {
                dt { "the law" } dd { (law.sentence) }
                @if !law.why.is_empty() { dt { "why" } dd { (law.why) } }
            }
            dt { "what happened" } dd.told { (failure.message) }
            @if !failure.location.is_empty() {
                dt { "at" } dd { code { (failure.location) } }
            }
            @if !failure.dump.is_empty() {
                dt { "who waited, and what had happened" } dd { pre { (failure.dump.trim_end()) } }
            }
            @if let Some(law) = law {
                dt { "how to mend it" } dd { (law.hint) }
                @let seen = seen_in(law);
                @if !seen.is_empty() {
                    dt { "seen in" }
                    dd.links {
                        @for (issue, address) in seen {
                            @match address {
                                Some(address) => a href=(address) rel="noreferrer" { (issue) },
                                None => span { (issue) },
                            }
                        }
                    }
                }
            }
            dt { "seed" } dd { (result.seed) }
            dt { "runs" } dd { (runs(result)) ", " (format!("{:.1?}", result.time)) }
            dt { "to repeat it" } dd { pre { (words(&result.command())) } }
        }
    }
}

fn not_run(reasons: &[Skipped<'_>]) -> Markup {
    html! {
        @if !reasons.is_empty() {
            details.skips {
                summary { "What was skipped, and why" }
                @for Skipped { reason, laws, backends } in reasons {
                    h4 { "on " (backends) ": " (reason) }
                    ul {
                        @for law in laws { li { code { (broken(law)) } } }
                    }
                }
            }
        }
    }
}

/// Filled by the script.
fn panel() -> Markup {
    html! {
        dialog #panel aria-labelledby="panel-title" {
            div.panel {
                div.top {
                    h2 #panel-title {}
                    button #close type="button" aria-label="Close" { "×" }
                }
                p #panel-where {}
                dl #panel-parts .evidence {}
            }
        }
    }
}

/// The public issues of a law, each with its address.
fn seen_in(law: &Law) -> Vec<(&'static str, Option<String>)> {
    let issues = law.seen_in.iter();
    issues.map(|issue| (*issue, book::address(issue))).collect()
}

/// The laws by the first part of their ids, in order.
fn groups(laws: Vec<&str>) -> Vec<(&str, Vec<&str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for law in laws {
        let end = law.find("::").map_or(0, |end| end + 2);
        let (name, _) = law.split_at(end);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, of_group)) => of_group.push(law),
            None => groups.push((name, vec![law])),
        }
    }
    groups
}

/// A law's id, which may be broken after an underscore.
fn broken(law: &str) -> Markup {
    html! { @for word in law.split_inclusive('_') { (word) wbr; } }
}

/// How large a matrix is.
fn size(results: &[&CheckResult]) -> String {
    let laws = distinct(results, |result| &result.law).len();
    let backends = distinct(results, |result| &result.backend).len();
    let plural = |count| if count == 1 { "" } else { "s" };
    format!(
        "{laws} law{} × {backends} backend{}",
        plural(laws),
        plural(backends)
    )
}

/// A command whose lines end between words, and not after the first dash of an option.
fn words(command: &str) -> Markup {
    html! {
        @for (place, word) in command.split(' ').enumerate() {
            @if place > 0 { " " }
            span.word { (word) }
        }
    }
}

/// How often a check was run.
fn runs(result: &CheckResult) -> String {
    let mut text = match result.rounds {
        0 => "not run".to_owned(),
        1 => "run once".to_owned(),
        rounds => format!("{rounds} schedules were drawn"),
    };
    match (&result.outcome, result.explored) {
        (Outcome::Failed(_), Some(_)) => text += ", then one was found among all that there are",
        (_, Some((schedules, true))) => {
            text += &format!(", {schedules} were explored, and there are no others");
        }
        (_, Some((schedules, false))) => {
            text += &format!(", {schedules} were explored, and there are more");
        }
        (_, None) => {}
    }
    text
}

fn data(report: &Report, laws: &[&str]) -> String {
    let laws_data = laws.iter().map(|id| {
        let law = report.law(id);
        LawData {
            id,
            sentence: law.map(|law| law.sentence).unwrap_or_default(),
            hint: law.map(|law| law.hint).unwrap_or_default(),
            why: law.map(|law| law.why).unwrap_or_default(),
            seen_in: law.map(seen_in).unwrap_or_default(),
        }
    });
    let checks = report.results.iter().map(|result| {
        let (message, location, dump) = match &result.outcome {
            Outcome::Passed => ("", "", ""),
            Outcome::Skipped(reason) => (&**reason, "", ""),
            Outcome::Failed(failure) => (
                &*failure.message,
                &*failure.location,
                failure.dump.trim_end(),
            ),
        };
        let place = laws.iter().position(|law| *law == result.law);
        CheckData {
            subject: &result.subject,
            law: place.expect("the laws are those of the results"),
            backend: &result.backend,
            level: result.level.name(),
            outcome: result.outcome.name(),
            message,
            location,
            dump,
            seed: result.seed.to_string(),
            runs: runs(result),
            time: format!("{:.1?}", result.time),
            command: result.command(),
        }
    });
    let data = Data {
        laws: laws_data.collect(),
        checks: checks.collect(),
    };
    serde_json::to_string(&data).expect("strings and numbers")
}

/// JSON that neither ends the element it lies in nor begins a comment there: its
/// strings are the only place where these characters can be.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

//! What was measured, for the terminal, as JSON and as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use anysync_conformance::report::locked_versions;
use serde_json::json;

use crate::bytes::Size;
use crate::harness::{Measured, OURS, Result, ratio};

/// The versions of the contenders, as they are in Cargo.lock.
const LOCK: &str = include_str!("../../../Cargo.lock");
const CONTENDERS: [&str; 17] = [
    "anysync",
    "async-broadcast",
    "async-channel",
    "async-executor",
    "async-lock",
    "asyncband",
    "crossfire",
    "event-listener",
    "flume",
    "futures",
    "futures-intrusive",
    "kanal",
    "maitake-sync",
    "oneshot",
    "parking_lot",
    "tokio",
    "tokio-util",
];

/// Name and version of each contender.
fn versions() -> BTreeMap<&'static str, &'static str> {
    let mut all = locked_versions(LOCK);
    all.retain(|name, _| CONTENDERS.contains(name));
    all
}

fn time(nanos: f64) -> String {
    match nanos {
        n if n < 100.0 => format!("{n:.1} ns"),
        n if n < 10_000.0 => format!("{n:.0} ns"),
        n if n < 10_000_000.0 => format!("{:.1} us", n / 1e3),
        n => format!("{:.1} ms", n / 1e6),
    }
}

fn allocations(result: &Result) -> String {
    match result.allocations {
        None => String::new(),
        Some(0.0) => "0 allocations".to_owned(),
        Some(count) => format!("{count:.2} allocations"),
    }
}

/// One row with its contenders, the fastest first.
pub(crate) fn row(row: &Measured) -> String {
    let mut text = format!("\n{}: {}\n", row.group, row.what);
    let mut results: Vec<_> = row.results.iter().collect();
    results.sort_by(|a, b| a.median.total_cmp(&b.median));
    for result in results {
        let beside = row
            .ours()
            .map_or(String::new(), |ours| format!("{:.2}", ratio(result, ours)));
        writeln!(
            text,
            "  {:<28}{:>12}{beside:>8}  {}",
            result.name,
            time(result.median),
            allocations(result),
        )
        .expect("a String takes it");
    }
    text
}

pub(crate) fn bytes(sizes: &[Size]) -> String {
    let mut text = String::new();
    if !sizes.is_empty() {
        text.push_str("\nbytes\n");
    }
    for size in sizes {
        writeln!(
            text,
            "  {:<44}{:<20}{:>6}",
            size.what, size.name, size.bytes
        )
        .expect("a String takes it");
    }
    text
}

/// One line for each row that has us and a peer.
fn lines(rows: &[Measured]) -> Vec<[String; 5]> {
    rows.iter()
        .filter_map(|row| {
            let (ours, best) = (row.ours()?, row.best_peer()?);
            Some([
                format!("{}: {}", row.group, row.what),
                time(ours.median),
                best.name.to_owned(),
                time(best.median),
                format!("{:.2}", ratio(ours, best)),
            ])
        })
        .collect()
}

const HEAD: [&str; 5] = ["row", OURS, "best of the others", "it takes", "ratio"];

pub(crate) fn summary(rows: &[Measured]) -> String {
    let lines = lines(rows);
    if lines.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n");
    for [what, ours, best, theirs, ratio] in std::iter::once(HEAD.map(String::from)).chain(lines) {
        writeln!(
            text,
            "{what:<52}{ours:>12}  {best:<26}{theirs:>12}{ratio:>8}"
        )
        .expect("a String takes it");
    }
    text.push('\n');
    for (name, version) in versions() {
        write!(text, "{name} {version}  ").expect("a String takes it");
    }
    text.push('\n');
    text
}

pub(crate) fn markdown(rows: &[Measured], sizes: &[Size], rounds: u32) -> String {
    let mut text = String::new();
    let versions: Vec<_> = versions()
        .into_iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    writeln!(text, "{rounds} rounds. {}.\n", versions.join(", ")).expect("a String takes it");
    writeln!(text, "| {} |\n|-|-|-|-|-|", HEAD.join(" | ")).expect("a String takes it");
    for line in lines(rows) {
        writeln!(text, "| {} |", line.join(" | ")).expect("a String takes it");
    }
    text.push_str("\n| row | contender | median | ratio to anysync | allocations |\n|-|-|-|-|-|\n");
    for row in rows {
        for result in &row.results {
            let beside = row
                .ours()
                .map_or(String::new(), |ours| format!("{:.2}", ratio(result, ours)));
            let allocations = result
                .allocations
                .map_or(String::new(), |count| format!("{count:.2}"));
            writeln!(
                text,
                "| {}: {} | {} | {} | {beside} | {allocations} |",
                row.group,
                row.what,
                result.name,
                time(result.median),
            )
            .expect("a String takes it");
        }
    }
    if !sizes.is_empty() {
        text.push_str("\n| what | whose | bytes |\n|-|-|-|\n");
        for size in sizes {
            writeln!(text, "| {} | {} | {} |", size.what, size.name, size.bytes)
                .expect("a String takes it");
        }
    }
    text
}

pub(crate) fn json(
    rows: &[Measured],
    sizes: &[Size],
    rounds: u32,
) -> std::result::Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&json!({
        "rounds": rounds,
        "versions": versions(),
        "rows": rows,
        "bytes": sizes,
    }))
}

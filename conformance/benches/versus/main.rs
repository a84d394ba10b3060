//! Each primitive beside its peers, in one process and one run.
//!
//! ```console
//! $ cargo bench -p anysync-conformance --bench versus                  # all rows
//! $ cargo bench -p anysync-conformance --bench versus -- mutex channel # some
//! $ cargo bench -p anysync-conformance --bench versus -- --help
//! ```
//!
//! The contenders of a row take turns, and each round begins with another one, so
//! that what the machine does meanwhile falls on all of them. What is printed is
//! the median over the rounds; a ratio is the median of the ratios within each
//! round.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

mod bytes;
mod charts;
mod harness;
mod report;
mod rows;
mod task;

use harness::{Budget, Measured};

/// Measures each primitive beside its peers.
#[derive(Parser)]
#[command(name = "versus")]
struct Args {
    /// Rows whose name contains one of these; all without any.
    filter: Vec<String>,
    /// How often each contender is measured.
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// How long one measurement of one contender takes, in milliseconds.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    millis: u64,
    /// Names the rows, and measures none.
    #[arg(long)]
    list: bool,
    /// Writes everything that was measured as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the summary as a page of Markdown.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Writes a chart for each group of rows, as SVG.
    #[arg(long, value_name = "DIRECTORY")]
    charts: Option<PathBuf>,
    /// What cargo says to each benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let wanted = |name: &str| {
        args.filter.is_empty() || args.filter.iter().any(|part| name.contains(part.as_str()))
    };
    let rows: Vec<_> = rows::all()
        .into_iter()
        .filter(|row| wanted(&row.name()))
        .collect();
    let bytes = wanted("bytes").then(bytes::all).unwrap_or_default();
    if rows.is_empty() && bytes.is_empty() {
        eprintln!(
            "error: no row's name contains {:?}; --list names them",
            args.filter
        );
        return ExitCode::from(2);
    }
    if args.list {
        for row in &rows {
            println!("{}", row.name());
        }
        if !bytes.is_empty() {
            println!("bytes");
        }
        return ExitCode::SUCCESS;
    }

    let budget = Budget {
        rounds: args.rounds,
        millis: args.millis,
    };
    let progress = ProgressBar::new(rows.len() as u64).with_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("a valid template"),
    );
    let mut measured: Vec<Measured> = Vec::new();
    for row in rows {
        progress.set_message(row.name());
        let row = row.measure(budget);
        progress.suspend(|| print!("{}", report::row(&row)));
        measured.push(row);
        progress.inc(1);
    }
    progress.finish_and_clear();
    print!("{}", report::bytes(&bytes));
    print!("{}", report::summary(&measured));

    let written = (|| -> Result<(), Box<dyn std::error::Error>> {
        if let Some(path) = &args.json {
            fs::write(path, report::json(&measured, &bytes, args.rounds)?)?;
        }
        if let Some(path) = &args.markdown {
            fs::write(path, report::markdown(&measured, &bytes, args.rounds))?;
        }
        if let Some(directory) = &args.charts {
            fs::create_dir_all(directory)?;
            charts::draw(directory, &measured)?;
        }
        Ok(())
    })();
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

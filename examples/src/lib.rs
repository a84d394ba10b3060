//! What the example programs share: choosing the executor that runs them.
//!
//! A program is written once, as a [`Program`]. [`main`] reads `--backend` and
//! runs it on that executor; nothing else in this package names one.

#![forbid(unsafe_code)]

use std::error::Error;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use anysync::{Runtime, Timer};
use anysync_async_std::AsyncStd;
use anysync_futures::Futures;
use anysync_smol::Smol;
use anysync_tokio::Tokio;
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};

/// What may go wrong in a program: shown to the user, who gets exit code 1.
pub type Failure = Box<dyn Error + Send + Sync>;

/// How long a program waits for what must come; it takes far less.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `state` holds: for programs that show what one task does once
/// another has come to a certain point, in every run the same.
///
/// It looks every millisecond. A program that has something to wait on waits on
/// that.
///
/// # Errors
///
/// When it does not hold within [`PATIENCE`].
pub async fn until(io: impl Timer, mut state: impl FnMut() -> bool) -> Result<(), Failure> {
    let end = io.deadline(PATIENCE);
    while !state() {
        if io.now() >= end {
            return Err("what the program waits for does not come".into());
        }
        io.sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// A program that any executor can run.
pub trait Program {
    /// What the program shows, in a line, for `--help`.
    const ABOUT: &'static str;

    /// Runs it on `rt`.
    fn run<R: Runtime>(rt: R) -> impl Future<Output = Result<(), Failure>>;
}

/// The executors to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// tokio, with several threads.
    Tokio,
    /// async-std.
    AsyncStd,
    /// smol's global executor.
    Smol,
    /// The thread pool of the `futures` crate.
    Futures,
}

impl Backend {
    /// Runs `P` on this executor to its end.
    ///
    /// # Errors
    ///
    /// Those of the program.
    pub fn run<P: Program>(self) -> Result<(), Failure> {
        match self {
            Self::Tokio => run_on::<P, _>(Tokio),
            Self::AsyncStd => run_on::<P, _>(AsyncStd),
            Self::Smol => run_on::<P, _>(Smol),
            Self::Futures => run_on::<P, _>(Futures),
        }
    }
}

fn run_on<P: Program, R: Runtime>(rt: R) -> Result<(), Failure> {
    rt.block_on(P::run(rt.clone()))
}

#[derive(Parser)]
struct Args {
    /// The executor that runs the program; the output is the same on each.
    #[arg(long, value_enum, default_value_t = Backend::Tokio)]
    backend: Backend,
}

/// The `main` of every example: runs `P` on the executor that the command line
/// names.
///
/// The exit code is 0, 1 when the program fails, or 2 for bad usage.
pub fn main<P: Program>() -> ExitCode {
    let command = Args::command().about(P::ABOUT);
    let Args { backend } = match Args::from_arg_matches(&command.get_matches()) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    match backend.run::<P>() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The programs of the workspace's README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The code on the page about neutral libraries.
#[cfg(doctest)]
#[doc = include_str!("../NEUTRAL.md")]
struct Neutral;

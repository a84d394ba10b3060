//! How many instructions each operation takes, beside the counts that are kept.
//!
//! ```console
//! $ cargo bench -p anysync-conformance --bench instructions            # fails when one has grown by much
//! $ cargo bench -p anysync-conformance --bench instructions -- mutex   # some
//! $ cargo bench -p anysync-conformance --bench instructions -- --renew # keeps what is counted now
//! ```
//!
//! This program runs itself under valgrind's callgrind: for each operation twice, with
//! few repetitions and with more. What the second takes beyond the first is due to the
//! operation alone, since all else is the same. `--profiles DIRECTORY` leaves there what
//! `callgrind_annotate` reads.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use clap::Parser;

mod kept;
mod operations;
#[path = "../versus/task.rs"]
mod task;

use kept::{Kept, Verdict};
use operations::Operation;

/// What is kept lies beside the crate's manifest.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/INSTRUCTIONS.md");
/// How many operations the runs with few repetitions do, and those with more do beyond.
const OPERATIONS: u32 = 10_000;

/// Counts the instructions of each operation, and compares them with those that are kept.
#[derive(Parser)]
#[command(name = "instructions")]
struct Args {
    /// Operations whose name contains one of these; all without any.
    filter: Vec<String>,
    /// Keeps what is counted now.
    #[arg(long, conflicts_with = "filter")]
    renew: bool,
    /// The page of what is kept.
    #[arg(long, value_name = "FILE", default_value = PAGE)]
    kept: PathBuf,
    /// Leaves a profile of each operation there.
    #[arg(long, value_name = "DIRECTORY")]
    profiles: Option<PathBuf>,
    /// Only repeats the operation of that name; this is what runs under valgrind.
    #[arg(long, hide = true, requires = "times")]
    repeat: Option<String>,
    #[arg(long, hide = true)]
    times: Option<u32>,
    /// What cargo says to each benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing has grown by much.
fn run(args: &Args) -> Result<bool, String> {
    let mut operations = operations::all();
    if let (Some(name), Some(times)) = (&args.repeat, args.times) {
        let operation = operations
            .iter()
            .find(|operation| operation.name == name)
            .ok_or_else(|| format!("no operation's name is {name:?}"))?;
        (operation.repeat)(times);
        return Ok(true);
    }
    operations.retain(|operation| {
        let is_in = |part: &String| operation.name.contains(part.as_str());
        args.filter.is_empty() || args.filter.iter().any(is_in)
    });
    if operations.is_empty() {
        return Err(format!("no operation's name contains {:?}", args.filter));
    }
    if let Some(directory) = &args.profiles {
        fs::create_dir_all(directory).map_err(|error| of_file(directory, error))?;
    }

    let (compiler, target) = compiler()?;
    if args.renew {
        let mut now = Kept {
            compiler,
            target,
            counts: Vec::new(),
        };
        for operation in &operations {
            let count = count(operation, args.profiles.as_deref())?;
            println!("{:>6}  {}", count, operation.name);
            now.counts.push((operation.name.to_owned(), count));
        }
        fs::write(&args.kept, now.page()).map_err(|error| of_file(&args.kept, error))?;
        return Ok(true);
    }

    let page = fs::read_to_string(&args.kept).map_err(|error| of_file(&args.kept, error))?;
    let kept = Kept::parse(&page).map_err(|error| of_file(&args.kept, error))?;
    if kept.compiler != compiler {
        println!(
            "note: what is kept was built by {}, and this by {compiler}",
            kept.compiler
        );
    }
    // Of another processor or C library are other instructions.
    let can_compare = kept.target == target;
    if !can_compare {
        println!(
            "note: nothing is compared: what is kept is of {}, and this of {target}",
            kept.target
        );
    }
    let mut wrong = Vec::new();
    let mut shrunk = false;
    println!("  kept     now");
    for operation in &operations {
        let name = operation.name;
        let before = kept.of(name);
        let now = count(operation, args.profiles.as_deref())?;
        let shown = before.map_or_else(|| "-".to_owned(), |before| before.to_string());
        let verdict = if can_compare {
            Verdict::of(before, now)
        } else {
            Verdict::Alike
        };
        let word = match verdict {
            Verdict::Alike => "",
            Verdict::Grown => "  GROWN",
            Verdict::Shrunk => "  less",
            Verdict::NotKept => "  NOT KEPT",
        };
        println!("{shown:>6}  {now:>6}  {name}{word}");
        match verdict {
            Verdict::Alike => {}
            Verdict::Shrunk => shrunk = true,
            Verdict::Grown => wrong.push(format!(
                "{name} took {shown} instructions, and takes {now} now"
            )),
            Verdict::NotKept => wrong.push(format!(
                "{name} takes {now} instructions, and none are kept for it"
            )),
        }
    }
    if args.filter.is_empty() {
        let is_counted = |name: &String| operations.iter().any(|counted| counted.name == name);
        for (name, _) in kept.counts.iter().filter(|(name, _)| !is_counted(name)) {
            wrong.push(format!("{name} is kept, and counted no more"));
        }
    }
    const RENEW: &str = "cargo bench -p anysync-conformance --bench instructions -- --renew";
    if shrunk {
        println!("note: some take much less than is kept: renew it, by\n  {RENEW}");
    }
    for wrong in &wrong {
        eprintln!("error: {wrong}");
    }
    if !wrong.is_empty() {
        eprintln!(
            "find the cause, by\n  \
             cargo bench -p anysync-conformance --bench instructions -- --profiles DIRECTORY\n\
             and callgrind_annotate; if it is to be so, renew what is kept, by\n  {RENEW}"
        );
    }
    Ok(wrong.is_empty())
}

fn of_file(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

/// The compiler's version, and what it builds for, if cargo took the usual one.
fn compiler() -> Result<(String, String), String> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let output = Command::new(&rustc)
        .arg("-vV")
        .output()
        .map_err(|error| format!("cannot run {rustc}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let version = said.lines().next();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    match (version, host) {
        (Some(version), Some(host)) => Ok((version.to_owned(), host.to_owned())),
        _ => Err(format!("{rustc} -vV said {said:?}")),
    }
}

/// The instructions of one operation, rounded.
fn count(operation: &Operation, profiles: Option<&Path>) -> Result<u64, String> {
    let times = (OPERATIONS / operation.each).max(1);
    // Both at once, for there are two cores at least on most machines.
    let few = start(operation, times, None)?;
    let more = start(operation, 2 * times, profiles)?;
    let (few, more) = (counted(few)?, counted(more)?);
    let of_all = more
        .checked_sub(few)
        .ok_or_else(|| format!("{}: more took less, {more} and {few}", operation.name))?;
    let operations = u64::from(times) * u64::from(operation.each);
    Ok((of_all + operations / 2) / operations)
}

fn start(operation: &Operation, times: u32, profiles: Option<&Path>) -> Result<Child, String> {
    let itself = env::current_exe().map_err(|error| format!("cannot find itself: {error}"))?;
    let profile = match profiles {
        Some(directory) => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let words: Vec<_> = operation.name.split(|c| !is_plain(c)).collect();
            directory.join(words.join("-") + ".callgrind")
        }
        None => PathBuf::from("/dev/null"),
    };
    let mut out = std::ffi::OsString::from("--callgrind-out-file=");
    out.push(profile);
    Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(out)
        .arg(itself)
        .args(["--repeat", operation.name, "--times", &times.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run valgrind, which has to be installed: {error}"))
}

/// What callgrind says at the end.
fn counted(child: Child) -> Result<u64, String> {
    let output = child
        .wait_with_output()
        .map_err(|error| format!("cannot wait for valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said
        .lines()
        .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    match count {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(format!("valgrind ended with {}:\n{said}", output.status)),
    }
}

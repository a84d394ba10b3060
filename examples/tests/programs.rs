//! Each program, as its user starts it: on every executor it prints what it is
//! to print, and nothing else.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const BACKENDS: [&str; 4] = ["tokio", "async-std", "smol", "futures"];

/// A program that takes longer hangs; each needs about a second.
const WATCHDOG: Duration = Duration::from_secs(180);

struct Output {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

fn run(command: &mut Command) -> Output {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stdout = read(child.stdout.take().unwrap());
    let stderr = read(child.stderr.take().unwrap());
    let stdout = wait_for(&stdout, &mut child, command);
    let stderr = wait_for(&stderr, &mut child, command);
    let status = child.wait().unwrap();
    Output {
        status,
        stdout,
        stderr,
    }
}

fn read(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("the output is text");
        sender.send(text)
    });
    receiver
}

fn wait_for(output: &mpsc::Receiver<String>, child: &mut Child, command: &Command) -> String {
    output.recv_timeout(WATCHDOG).unwrap_or_else(|_| {
        child.kill().expect("the program can be stopped");
        panic!("{command:?} hangs");
    })
}

fn prints_the_same_on_every_backend(program: &str, expected: &str) {
    for backend in BACKENDS {
        let output = run(Command::new(program).args(["--backend", backend]));
        assert!(output.status.success(), "on {backend}: {}", output.stderr);
        assert_eq!(output.stdout, expected, "on {backend}");
        assert_eq!(output.stderr, "", "on {backend}");
    }
    let output = run(&mut Command::new(program));
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(output.stdout, expected, "without --backend");
}

fn refuses_bad_usage(program: &str) {
    let output = run(Command::new(program).args(["--backend", "monoio"]));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, "");
    for word in ["monoio", "--backend"].iter().chain(&BACKENDS) {
        assert!(
            output.stderr.contains(word),
            "no {word} in: {}",
            output.stderr
        );
    }

    for (args, word) in [
        (&["--backend"][..], "--backend"),
        (&["--backend", ""], "--backend"),
        (&["--backend", "smol", "--backend", "tokio"], "--backend"),
        (&["--threads", "4"], "--threads"),
        (&["smol"], "smol"),
    ] {
        let output = run(Command::new(program).args(args));
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(output.stdout, "", "{args:?}");
        assert!(output.stderr.contains(word), "{args:?}: {}", output.stderr);
    }
}

fn helps(program: &str) {
    let output = run(Command::new(program).arg("--help"));
    assert_eq!(output.status.code(), Some(0));
    for word in ["--backend"].iter().chain(&BACKENDS) {
        assert!(
            output.stdout.contains(word),
            "no {word} in: {}",
            output.stdout
        );
    }
}

macro_rules! programs {
    ($($name:ident)*) => {$(
        mod $name {
            const PROGRAM: &str = env!(concat!("CARGO_BIN_EXE_", stringify!($name)));
            const EXPECTED: &str = include_str!(concat!("expected/", stringify!($name), ".txt"));

            #[test]
            fn prints_the_same_on_every_backend() {
                super::prints_the_same_on_every_backend(PROGRAM, EXPECTED);
            }

            #[test]
            fn refuses_bad_usage() {
                super::refuses_bad_usage(PROGRAM);
            }

            #[test]
            fn helps() {
                super::helps(PROGRAM);
            }
        }
    )*};
}

programs! {
    work_queue shutdown checkpoint db_pool tls_config connection_pool rate_limiter actors
    select_loop graceful_shutdown config_reload chat
}

/// Those that are each written for one executor, or none, around one library.
#[test]
fn the_neutral_pool_does_the_same_for_each_of_its_users() {
    for program in [
        env!("CARGO_BIN_EXE_pool_on_tokio"),
        env!("CARGO_BIN_EXE_pool_on_smol"),
        env!("CARGO_BIN_EXE_pool_on_threads"),
    ] {
        let output = run(&mut Command::new(program));
        assert!(output.status.success(), "{program}: {}", output.stderr);
        let expected = include_str!("expected/pool_on.txt");
        assert_eq!(output.stdout, expected, "{program}");
        assert_eq!(output.stderr, "", "{program}");
    }
}

/// The program that runs in the simulator: its report is the same every time.
#[test]
fn the_simulated_pool_shows_the_planted_bug_and_its_cure() {
    let output = run(&mut Command::new(env!("CARGO_BIN_EXE_simulated_pool")));
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(output.stdout, include_str!("expected/simulated_pool.txt"));
    assert_eq!(output.stderr, "");
}

/// The programs with files say what went wrong, and end with 1.
#[cfg(unix)]
#[test]
fn a_failure_is_told_and_ends_with_1() {
    for program in [
        env!("CARGO_BIN_EXE_config_reload"),
        env!("CARGO_BIN_EXE_connection_pool"),
        env!("CARGO_BIN_EXE_db_pool"),
        env!("CARGO_BIN_EXE_tls_config"),
    ] {
        let output = run(Command::new(program).env("TMPDIR", "/dev/null/nowhere"));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, "");
        assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
        assert!(
            output.stderr.contains("/dev/null/nowhere"),
            "{}",
            output.stderr
        );
    }
}

//! The command as its users meet it: exit codes, messages, formats.

#![forbid(unsafe_code)]

use std::process::{Command, Output};

fn command(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anysync-conformance"))
        .args(arguments)
        .output()
        .expect("the command starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn bad_usage_exits_with_2_and_names_what_is_allowed() {
    let cases: [(&[&str], &[&str]); 9] = [
        (
            &["--backend", "tokyo"],
            &["tokyo", "tokio-current-thread", "smol-local", "threads"],
        ),
        (&["--subject", "parking_lot"], &["parking_lot", "anysync"]),
        (
            &["nothing::like_it"],
            &["nothing::like_it", "notify::permit_is_stored"],
        ),
        (&["--seed", "x7"], &["x7", "--seed"]),
        (&["--seed", "-1"], &["-1"]),
        (&["--watchdog", "0"], &["0", "--watchdog"]),
        (&["--rounds", "0"], &["0", "--rounds"]),
        (&["--level", "may"], &["may", "must", "should"]),
        (&["--format", "xml"], &["xml", "table", "json"]),
    ];
    for (arguments, parts) in cases {
        let output = command(arguments);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        for part in parts {
            assert!(message.contains(part), "no {part} in: {message}");
        }
    }
}

#[test]
fn file_that_cannot_be_written_is_bad_usage() {
    let path = std::env::temp_dir().join("anysync-no-such-folder/report.txt");
    let path = path.to_str().expect("UTF-8");
    let output = command(&["permit_is_stored", "--output", path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(path), "{}", stderr(&output));
}

#[test]
fn laws_that_hold_exit_with_0_and_print_the_matrix() {
    let output = command(&[
        "notify::permit_is_stored",
        "--backend",
        "threads",
        "--backend",
        "async-std",
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("notify::permit_is_stored"), "{text}");
    assert!(text.contains("✓ ✓"), "{text}");
    assert!(text.contains("2 passed, 0 failed, 0 skipped"), "{text}");
    // No progress bar where there is no terminal.
    assert_eq!(stderr(&output), "");
}

#[test]
fn broken_must_exits_with_1() {
    let arguments = [
        "io::panic",
        "--backend",
        "panic-looks-cancelled",
        "--seed",
        "9",
    ];
    let output = command(&arguments);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    let repeat = "anysync-conformance io::panic_becomes_join_error --backend \
                  panic-looks-cancelled --subject anysync --seed 9";
    assert!(text.contains(repeat), "{text}");
}

#[test]
fn json_goes_to_the_file() {
    let path = std::env::temp_dir().join(format!("anysync-{}.json", std::process::id()));
    let name = path.to_str().expect("UTF-8");
    let arguments = [
        "notify::permit",
        "--backend",
        "threads",
        "--format",
        "json",
        "--seed",
        "3",
        "--output",
        name,
    ];
    let output = command(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
    let text = std::fs::read_to_string(&path).expect("it was written");
    std::fs::remove_file(&path).expect("it is there");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one object");
    assert_eq!(json["subject"], "anysync");
    assert_eq!(json["results"][0]["law"], "notify::permit_is_stored");
    assert_eq!(json["results"][0]["outcome"], "passed");
    assert_eq!(json["results"][0]["seed"], 3);
}

#[test]
fn list_names_everything_and_runs_nothing() {
    let output = command(&["--list"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0));
    for part in ["io::budget_is_finite (should)", "threads", "anysync"] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
    assert!(
        !text.contains("panic-looks-cancelled"),
        "mutants stay hidden"
    );
}

#[test]
fn mutants_print_the_kill_table() {
    let output = command(&["io::panic_becomes", "--mutants"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("panic-looks-cancelled"), "{text}");
    assert!(text.contains('✗'), "{text}");
}

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
    let cases: [(&[&str], &[&str]); 28] = [
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
        (&["--exhaustive", "0"], &["0", "--exhaustive"]),
        (
            &["--exhaustive", "9", "--backend", "threads"],
            &["--exhaustive", "`threads`", "`sim`"],
        ),
        (
            &["--rounds", "9", "--backend", "threads"],
            &["--rounds", "threads", "`sim`"],
        ),
        (&["--list", "--seed", "7"], &["--list", "--seed"]),
        (
            &["--list", "--format", "html"],
            &["--list", "table", "json"],
        ),
        (
            &["--mutants", "--format", "json"],
            &["--mutants", "--format"],
        ),
        (&["--output", "/"], &["/", "directory"]),
        (&["--level", "may"], &["may", "must", "should"]),
        (
            &["--format", "xml"],
            &["xml", "table", "json", "junit", "html"],
        ),
        (
            &["--known", "mutex::is_fifo"],
            &["mutex::is_fifo", "reason"],
        ),
        (
            &["--known", "mutex::is_fifo="],
            &["mutex::is_fifo", "missing"],
        ),
        (&["--known", "mutex::is=x"], &["mutex::is", "--list"]),
        (
            &["--known", "mutex::is_fifo@31.12.2026=x"],
            &["31.12.2026", "is no day", "2026-12-31"],
        ),
        (
            &["--known", "mutex::is_fifo@2026-02-30=x"],
            &["2026-02-30", "is no day"],
        ),
        (&["--known", "mutex::is_fifo@=x"], &["``", "is no day"]),
        (
            &["soak", "--minutes", "0"],
            &["0", "--minutes", "more than"],
        ),
        (&["soak", "--minutes", "inf"], &["inf", "527040 minutes"]),
        (&["soak", "--minutes", "ten"], &["ten", "527040 minutes"]),
        (&["soak", "--seed", "x7"], &["x7", "--seed"]),
        (&["soak", "--backend", "tokyo"], &["tokyo", "smol-local"]),
        (&["soak", "mutex::"], &["mutex::"]),
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
fn old_report_stays_until_the_new_one_is_complete() {
    let path = std::env::temp_dir().join(format!("anysync-old-{}.txt", std::process::id()));
    std::fs::write(&path, "old").expect("it is written");
    let name = path.to_str().expect("UTF-8");
    let output = command(&["mutex::is_fifo", "--rounds", "x", "--output", name]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "old");
    let output = command(&["permit_is_stored", "--backend", "threads", "--output", name]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(text.contains("1 passed"), "{text}");
    std::fs::remove_file(&path).expect("it is removed");
}

#[test]
fn dash_is_standard_output_and_a_backend_runs_once() {
    let output = command(&[
        "permit_is_stored",
        "--backend",
        "threads",
        "--backend",
        "threads",
        "--output",
        "-",
    ]);
    let text = stdout(&output);
    assert!(text.contains("1 passed, 0 failed"), "{text}");
}

#[test]
fn list_is_there_as_json() {
    let output = command(&["notify::permit", "--list", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(list["laws"][0]["id"], "notify::permit_is_stored");
    assert_eq!(list["laws"][0]["level"], "must");
    assert!(list["backends"].to_string().contains("\"sim\""), "{list}");
    assert!(
        list["subjects"].to_string().contains("\"anysync\""),
        "{list}"
    );
}

#[test]
fn watchdog_of_the_environment_is_checked() {
    let output = Command::new(env!("CARGO_BIN_EXE_anysync-conformance"))
        .args(["permit_is_stored"])
        .env("ANYSYNC_CONFORMANCE_WATCHDOG", "0")
        .output()
        .expect("the command starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--watchdog"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn shoulds_that_do_not_hold_are_told_and_no_failures() {
    let arguments = ["mutex::starves", "--subject", "futures", "--backend", "sim"];
    let output = command(&arguments);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("what failed is no MUST (○)"), "{text}");
    let told = stderr(&output);
    assert!(
        told.starts_with("○ mutex::starves_nobody on sim: "),
        "{told}"
    );
    let xml = stdout(&command(&[&arguments[..], &["--format", "junit"]].concat()));
    assert!(xml.contains("failures=\"0\""), "{xml}");
    assert!(xml.contains("no MUST, and does not hold: "), "{xml}");
    let page = stdout(&command(&[&arguments[..], &["--format", "html"]].concat()));
    assert!(
        page.contains("Every MUST holds, and 1 of the SHOULDs (○) not"),
        "{page}"
    );
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
fn junit_has_a_case_for_each_law_on_each_backend() {
    let output = command(&[
        "io::panic",
        "notify::permit_is",
        "--backend",
        "panic-looks-cancelled",
        "--backend",
        "sim",
        "--format",
        "junit",
        "--seed",
        "3",
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    let report = quick_junit::Report::deserialize_from_str(&text).expect("it is JUnit XML");
    let suites: Vec<_> = report
        .test_suites
        .iter()
        .map(|suite| (suite.name.as_str(), suite.tests, suite.failures))
        .collect();
    assert_eq!(
        suites,
        [
            ("anysync on panic-looks-cancelled", 2, 1),
            ("anysync on sim", 2, 0)
        ]
    );
    assert!(text.contains("io::panic_becomes_join_error"), "{text}");
    let repeat = "--backend panic-looks-cancelled --subject anysync --seed 3";
    assert!(text.contains(repeat), "{text}");
}

#[test]
fn html_is_one_page_with_the_command_that_repeats_a_failure() {
    let output = command(&[
        "io::panic",
        "notify::permit_is",
        "--backend",
        "panic-looks-cancelled",
        "--backend",
        "sim",
        "--format",
        "html",
        "--seed",
        "3",
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(text.starts_with("<!DOCTYPE html>"), "{text}");
    assert!(text.contains("<time datetime=\"20"), "{text}");
    assert_eq!(text.matches("<tr class=\"of-law\"").count(), 2);
    let repeat = "anysync-conformance io::panic_becomes_join_error --backend \
                  panic-looks-cancelled --subject anysync --seed 3\"";
    assert!(text.contains(repeat), "{text}");
}

#[test]
fn known_failure_counts_as_skipped() {
    let output = command(&[
        "io::panic_becomes",
        "--backend",
        "panic-looks-cancelled",
        "--known",
        "io::panic_becomes_join_error=it is broken on purpose",
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("0 passed, 0 failed, 1 skipped"), "{text}");
    assert!(
        text.contains("known failure: it is broken on purpose"),
        "{text}"
    );
}

#[test]
fn known_failure_lasts_to_its_day() {
    let known = |day: &str| {
        command(&[
            "io::panic_becomes",
            "--backend",
            "panic-looks-cancelled",
            "--known",
            &format!("io::panic_becomes_join_error@{day}=mended in the next release"),
        ])
    };
    let output = known("9999-12-31");
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    let reason = "known failure: mended in the next release (until 9999-12-31)";
    assert!(text.contains(reason), "{text}");
    assert_eq!(stderr(&output), "");

    let output = known("2020-02-29");
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    let over = "io::panic_becomes_join_error was allowed to fail until 2020-02-29, which is over \
                (mended in the next release): mend it, or give it another day.";
    assert!(text.contains(over), "{text}");
}

#[test]
fn known_failure_that_passes_is_noted() {
    let output = command(&[
        "notify::permit_is_stored",
        "--backend",
        "threads",
        "--known",
        "notify::permit_is_stored=it was lost",
    ]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stderr(&output),
        "note: notify::permit_is_stored is a known failure and passes now: remove its `--known`\n"
    );
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

#[test]
fn exhaustive_runs_in_the_simulator() {
    let output = command(&["notify::permit", "--exhaustive", "50"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("schedules were explored"), "{text}");
    assert!(text.contains("sim"), "{text}");
}

/// The book that is kept is the one that the command makes.
#[test]
fn kept_law_book_is_the_one_of_these_laws() {
    let output = command(&["book"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let made = stdout(&output);
    let kept = include_str!("../LAWS.md");
    for (line, (made, kept)) in made.lines().zip(kept.lines()).enumerate() {
        assert_eq!(made, kept, "line {}: make LAWS.md anew", line + 1);
    }
    assert!(made == kept, "one has lines that the other has not");
    for law in anysync_conformance::laws::all() {
        assert!(!law.why.is_empty(), "nobody says why: {}", law.id);
        for issue in law.seen_in {
            let number = issue
                .split_once('#')
                .map(|(_, number)| number.parse::<u32>());
            assert!(matches!(number, Some(Ok(_))), "{}: {issue}", law.id);
            assert_eq!(issue.matches('/').count(), 1, "{}: {issue}", law.id);
        }
    }
}

/// The table that is kept is made anew when a law or a mutant changes.
#[test]
fn kept_kill_table_names_every_law_and_every_mutant() {
    let kept = include_str!("../kill-table.txt");
    for law in anysync_conformance::laws::all() {
        let row = |line: &str| line.split(' ').next() == Some(law.id) && line.contains('✗');
        assert!(kept.lines().any(row), "no row that kills: {}", law.id);
    }
    let mutants = anysync_conformance::mutants::all();
    for mutant in &mutants {
        let entry = format!(
            "\n{}: {}\n  to be killed by {}\n",
            mutant.name,
            mutant.flaw,
            mutant.killed_by.join(", ")
        );
        assert!(kept.contains(&entry), "not as it is: {}", mutant.name);
    }
    let entries = kept.matches("\n  to be killed by ").count();
    assert_eq!(entries, mutants.len(), "mutants that are no more");
    for bad in ["no mutant dies", "outlives"] {
        assert!(!kept.contains(bad), "{bad}");
    }
}

/// On the simulator the seed decides all, so one epoch is enough.
fn soak(subject: &str, seed: u64) -> Output {
    command(&[
        "soak",
        "--minutes",
        "0.00001",
        "--backend",
        "sim",
        "--subject",
        subject,
        "--seed",
        &seed.to_string(),
    ])
}

#[test]
fn soak_prints_exact_totals_of_every_kind() {
    let output = soak("anysync", 3);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    for part in [
        "anysync on sim: 1 epochs",
        "from seed 3",
        "counted under the lock",
        "permits at last",
        "12 generations = 12 leaders",
        "sent = ",
        "told as missed",
    ] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
    let kinds = text.lines().skip(1).count();
    assert_eq!(kinds, 12, "a line for each kind:\n{text}");
    let again = stdout(&soak("anysync", 3));
    let totals = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(totals(&text), totals(&again), "the seed repeats it");
}

/// Each breaks what another scenario counts.
#[test]
fn soak_finds_what_loses_and_what_makes_too_much() {
    for (subject, wrong) in [
        ("dropped-recv-takes-one", "times sent and received"),
        ("delivers-twice", ": message "),
        ("lag-is-one-less", "Broadcast: not 72 to receive"),
        ("one-permit-too-many", "permits are held"),
        ("value-is-leaked", "dropped in the end"),
        ("third-value-is-lost", "told of"),
        ("everybody-initialises", "whose value it is"),
        ("late-wait-sleeps", "nobody can go on"),
        ("permit-comes-back-silently", "nobody can go on"),
        ("two-hold-the-lock", "index out of bounds"),
        ("leader-yields", "passes of 12 generations"),
        ("child-cancels-parent", "sibling"),
    ] {
        let found = (0..20).find_map(|seed| {
            let output = soak(subject, seed);
            (output.status.code() == Some(1)).then(|| stdout(&output))
        });
        let text = found.unwrap_or_else(|| panic!("{subject} outlived 20 epochs"));
        assert!(text.contains(wrong), "{subject}: {text}");
        let repeat = format!("soak --minutes 1 --backend sim --subject {subject} --seed");
        assert!(text.contains(&repeat), "{subject}: {text}");
    }
}

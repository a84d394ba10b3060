use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::*;
use crate::law::{About, Law, Level};
use crate::report::Failure;

const EVIL: &str = "</script><script>alert(\"1\")</script> & 'ß ✗ \u{2028}<!--";

fn law(id: &'static str, sentence: &'static str) -> Law {
    Law::must(
        id,
        About::EveryWait,
        sentence,
        "<b>mend</b> & rest",
        |_, _| Box::pin(async {}),
    )
}

fn result(subject: &str, law: &str, backend: &str, outcome: Outcome) -> CheckResult {
    CheckResult {
        subject: subject.to_owned(),
        law: law.to_owned(),
        backend: backend.to_owned(),
        is_built_in: true,
        level: Level::Must,
        outcome,
        seed: u64::MAX,
        rounds: 1,
        explored: None,
        time: Duration::from_micros(1500),
    }
}

fn failed(text: &str) -> Outcome {
    Outcome::Failed(Failure {
        message: text.to_owned(),
        location: "src/<lib>.rs:1:2".to_owned(),
        dump: format!("{text}\nwaits\n"),
    })
}

fn skip(reason: &str) -> Outcome {
    Outcome::Skipped(reason.to_owned())
}

/// Two subjects, three laws in two groups that are not in a row, two backends; one
/// cell is missing.
fn report() -> Report {
    let results = vec![
        result("ours", "a::one_thing", "first", Outcome::Passed),
        result("ours", "a::one_thing", "second", skip("no <clock>")),
        result("ours", "b::two", "first", failed("2 < 1")),
        result("ours", "a::three", "first", Outcome::Passed),
        result("ours", "a::three", "second", Outcome::Passed),
        result("theirs", "b::two", "first", Outcome::Passed),
    ];
    let laws = vec![
        law("a::one_thing", "one & only"),
        law("b::two", "two <i>")
            .because("1 < 2 & so on")
            .seen_in(&["us/\"them\"#7", "elsewhere"]),
        law("a::three", "three"),
    ];
    Report::new(results, laws, 7)
}

fn evil() -> Report {
    let results = vec![
        result(EVIL, EVIL, EVIL, failed(EVIL)),
        result(EVIL, EVIL, "second", skip(EVIL)),
    ];
    Report::new(results, vec![law(EVIL, EVIL)], 7)
}

/// What stands between the tags of the JSON.
fn data_of(page: &str) -> serde_json::Value {
    let (_, rest) = page
        .split_once(r#"<script id="data" type="application/json">"#)
        .expect("there is data");
    let (json, _) = rest.split_once("</script>").expect("it ends");
    serde_json::from_str(json).expect("it is JSON")
}

#[test]
fn page_is_whole_and_fetches_nothing() {
    let page = report().html(None);
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"));
    assert!(page.ends_with("</body></html>\n"));
    for part in [
        r#"<meta name="viewport" content="width=device-width, initial-scale=1">"#,
        r#"<meta name="color-scheme" content="light dark">"#,
        "default-src 'none'",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(part), "no {part}");
    }
    for part in ["http://", "src=", "@import", "url(", "<link rel=\"style"] {
        assert!(!page.contains(part), "{part}");
    }
    // A link is followed by whoever clicks it.
    let links = page.matches("<a href=\"https://").count();
    let in_data = page.matches("\",\"https://").count();
    assert_eq!((links, in_data), (1, 1));
    assert_eq!(page.matches("https://").count(), 2);
}

#[test]
fn head_says_what_was_run() {
    let made = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let page = report().html(Some(made));
    for part in [
        concat!("anysync-conformance ", env!("CARGO_PKG_VERSION")),
        "<dt>Seed</dt><dd>7</dd>",
        r#"<time datetime="2001-09-09T01:46:40Z">2001-09-09 01:46:40 UTC</time>"#,
        "3 laws × 2 backends",
        "A MUST does not hold",
        r##"<a href="#subject-0">ours</a></th><td class="failed">1</td><td class="passed">3</td><td class="skipped">1</td><td>3 × 2</td>"##,
        r##"<a href="#subject-1">theirs</a></th><td>0</td><td class="passed">1</td><td>0</td><td>1 × 1</td>"##,
        "3 passed, 1 failed, 1 skipped",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(!report().html(None).contains("<time"));
    assert!(!report().html(None).contains("Every MUST holds"));
}

#[test]
fn matrix_has_a_row_for_each_law_and_a_button_for_each_check() {
    let page = report().html(None);
    assert_eq!(page.matches(r#"<tr class="of-law""#).count(), 4);
    assert_eq!(page.matches("<td role=\"cell\"").count(), 7);
    assert_eq!(page.matches(" data-check=\"").count(), 6 + 1);
    let groups: Vec<_> = page.match_indices(r#"<tr class="group""#).collect();
    assert_eq!(groups.len(), 3, "a:: and b:: of ours, b:: of theirs");
    for part in [
        r#"aria-label="passed: a::one_thing on first""#,
        r#"aria-label="failed: b::two on first" title="failed on first">✗</button>"#,
        r#"aria-label="skipped: a::one_thing on second""#,
        r#"<code>a::one_<wbr>thing<wbr></code> <span class="level">must</span><span class="sentence">one &amp; only</span>"#,
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
}

#[test]
fn failures_and_skips_are_told_without_the_script() {
    let page = report().html(None);
    for part in [
        "<dt>the law</dt><dd>two &lt;i&gt;</dd><dt>why</dt><dd>1 &lt; 2 &amp; so on</dd>",
        r#"<a href="https://github.com/us/&quot;them&quot;/issues/7" rel="noreferrer">us/&quot;them&quot;#7</a><span>elsewhere</span>"#,
        r#"<dt>what happened</dt><dd class="told">2 &lt; 1</dd>"#,
        "<dt>at</dt><dd><code>src/&lt;lib&gt;.rs:1:2</code></dd>",
        "<pre>2 &lt; 1\nwaits</pre>",
        "<dd>&lt;b&gt;mend&lt;/b&gt; &amp; rest</dd>",
        r#"<span class="word">--seed</span> <span class="word">18446744073709551615</span></pre>"#,
        "<h4>on second: no &lt;clock&gt;</h4>",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
}

#[test]
fn data_holds_every_check_in_the_order_of_the_results() {
    let report = report();
    let data = data_of(&report.html(None));
    assert_eq!(data["laws"][1]["why"], "1 < 2 & so on");
    assert_eq!(
        data["laws"][1]["seen_in"][0][1],
        "https://github.com/us/\"them\"/issues/7"
    );
    let checks = data["checks"].as_array().expect("a list");
    assert_eq!(checks.len(), report.results().len());
    for (check, result) in checks.iter().zip(report.results()) {
        let law = &data["laws"][check["law"].as_u64().expect("a place") as usize];
        assert_eq!(law["id"], *result.law);
        assert_eq!(check["subject"], *result.subject);
        assert_eq!(check["backend"], *result.backend);
        assert_eq!(check["outcome"], result.outcome.name());
        assert_eq!(check["command"], result.command());
        assert_eq!(check["seed"], u64::MAX.to_string(), "no digit is lost");
        assert_eq!(check["time"], "1.5ms");
    }
}

#[test]
fn nothing_from_outside_becomes_markup() {
    let page = evil().html(None);
    let tame = report().html(None);
    for tag in ["<script", "</script>", "<!--", "<style"] {
        assert_eq!(
            page.matches(tag).count(),
            tame.matches(tag).count(),
            "{tag}"
        );
    }
    assert!(!page.contains("alert(\"1\")"), "a quote ends an attribute");
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)"));
    let data = data_of(&page);
    assert_eq!(data["laws"][0]["id"], EVIL);
    assert_eq!(data["laws"][0]["sentence"], EVIL);
    let failure = &data["checks"][0];
    for part in ["subject", "backend", "message"] {
        assert_eq!(failure[part], EVIL, "{part}");
    }
    assert_eq!(failure["dump"], format!("{EVIL}\nwaits"));
    assert_eq!(data["checks"][1]["message"], EVIL);
}

#[test]
fn runs_are_told_by_rounds_and_by_exploration() {
    let with = |rounds, explored, outcome| {
        let mut result = result("s", "l", "b", outcome);
        (result.rounds, result.explored) = (rounds, explored);
        runs(&result)
    };
    assert_eq!(with(0, None, skip("")), "not run");
    assert_eq!(with(1, None, Outcome::Passed), "run once");
    assert_eq!(with(20, None, Outcome::Passed), "20 schedules were drawn");
    assert_eq!(
        with(1, Some((5, true)), Outcome::Passed),
        "run once, 5 were explored, and there are no others"
    );
    assert_eq!(
        with(2, Some((9, false)), Outcome::Passed),
        "2 schedules were drawn, 9 were explored, and there are more"
    );
    assert_eq!(
        with(2, Some((0, false)), failed("x")),
        "2 schedules were drawn, then one was found among all that there are"
    );
}

#[test]
fn empty_run_has_a_page() {
    let page = Report::new(Vec::new(), Vec::new(), 0).html(None);
    assert!(page.contains("0 laws × 0 backends"));
    assert!(page.ends_with("</html>\n"));
}

#[test]
fn law_that_is_nowhere_described_has_a_row() {
    let results = vec![result(
        "s",
        "plain",
        &Arc::<str>::from("b"),
        Outcome::Passed,
    )];
    let page = Report::new(results, Vec::new(), 0).html(None);
    assert!(page.contains(r#"<code>plain<wbr></code>"#), "{page}");
}

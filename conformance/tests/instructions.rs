//! What the check of instruction counts takes for grown, and its page.

#[path = "../benches/instructions/kept.rs"]
mod kept;

use kept::{Kept, Verdict};

#[test]
fn a_count_fails_that_is_over_a_quarter_and_over_ten_more() {
    for (kept, most) in [(0, 10), (1, 11), (39, 49), (40, 50), (41, 51), (100, 125)] {
        assert_eq!(Verdict::of(Some(kept), most), Verdict::Alike, "{kept}");
        assert_eq!(Verdict::of(Some(kept), most + 1), Verdict::Grown, "{kept}");
        assert_eq!(Verdict::of(Some(most + 1), kept), Verdict::Shrunk, "{kept}");
        assert_eq!(Verdict::of(Some(most), kept), Verdict::Alike, "{kept}");
    }
    assert_eq!(Verdict::of(None, 0), Verdict::NotKept);
}

#[test]
fn the_page_is_read_as_it_was_written() {
    let kept = Kept {
        compiler: "rustc 1.95.0 (made for this)".into(),
        target: "x86_64-unknown-linux-gnu".into(),
        counts: vec![("mutex: lock, free".into(), 12), ("watch: send".into(), 0)],
    };
    assert_eq!(Kept::parse(&kept.page()), Ok(kept));
}

#[test]
fn the_page_that_is_kept_can_be_read_and_is_what_would_be_written() {
    let page = include_str!("../INSTRUCTIONS.md");
    let kept = Kept::parse(page).expect("a page");
    assert_eq!(kept.page(), page);
    let (name, count) = &kept.counts[0];
    assert_eq!(kept.of(name), Some(*count));
    assert_eq!(kept.of("no such name"), None);
}

#[test]
fn a_page_that_is_none_says_what_is_missing() {
    let broken = |page: &str| Kept::parse(page).expect_err("broken");
    assert!(broken("").contains("Built by COMPILER"));
    let page = Kept::default().page();
    assert!(broken(&page.replace("|-|-|", "")).contains("no table"));
    assert!(broken(&format!("{page}| mutex | many |\n")).contains("many"));
}

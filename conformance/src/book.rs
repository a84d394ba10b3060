//! The law book: what each law says, why, where it was seen broken, and how it is
//! tested, as Markdown.

use std::fmt::{self, Write as _};

use crate::law::{About, Law, Level};
use crate::mutants::{self, Mutant};

/// The laws, in their order, as one page of Markdown.
///
/// # Examples
///
/// ```
/// use anysync_conformance::{book, laws};
///
/// let page = book::of(&laws::all());
/// assert!(page.contains("### `notify::permit_is_stored`"));
/// ```
pub fn of(laws: &[Law]) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_book(laws, &mut page);
    page
}

fn write_book(laws: &[Law], page: &mut String) -> fmt::Result {
    let mutants = mutants::all();
    let count = |level| laws.iter().filter(|law| law.level == level).count();
    writeln!(
        page,
        "# The law book\n\n\
         <!-- Made by `anysync-conformance book`: change the laws, not this page. -->\n\n\
         {} laws: {} are a MUST, and who fails one is broken; {} are a SHOULD, which is quality. \
         `anysync` itself is held to all of them as a MUST. A law's identifier never changes; a \
         new law is a SHOULD first. \"Seen in\" are public issues of software that broke the law, \
         or that met what it forbids; most have been mended since. \"Shown to bite\" names the \
         primitives and executors with a planted bug that the law catches.\n",
        laws.len(),
        count(Level::Must),
        count(Level::Should),
    )?;
    let mut group = "";
    for law in laws {
        let of_law = law.id.split("::").next().unwrap_or_default();
        if of_law != group {
            group = of_law;
            writeln!(page, "## {group}\n\n{}\n", about(law))?;
        }
        entry(law, &mutants, page)?;
    }
    Ok(())
}

/// What the group of this law is about.
fn about(law: &Law) -> String {
    match law.about {
        About::Backend => "Laws of an executor's adapter; no primitive takes part.".to_owned(),
        About::EveryWait => "Laws of every wait, whatever it waits for.".to_owned(),
        About::Kinds(_) if law.id.starts_with("pattern::") => {
            "Programs that people write, each of several primitives.".to_owned()
        }
        About::Kinds(kinds) => {
            let names: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            format!("Laws of {}.", names.join(", "))
        }
    }
}

fn entry(law: &Law, mutants: &[Mutant], page: &mut String) -> fmt::Result {
    let level = law.level.name().to_uppercase();
    writeln!(page, "### `{}`\n\n**{level}.** {}\n", law.id, law.sentence)?;
    if !law.why.is_empty() {
        writeln!(page, "- Why: {}", law.why)?;
    }
    if !law.seen_in.is_empty() {
        let links: Vec<_> = law.seen_in.iter().map(|issue| link(issue)).collect();
        writeln!(page, "- Seen in: {}", links.join(", "))?;
    }
    writeln!(page, "- To mend it: {}", law.hint)?;
    writeln!(page, "- How it is tested: {}", tested(law))?;
    let bitten: Vec<_> = mutants
        .iter()
        .filter(|mutant| mutant.killed_by.contains(&law.id))
        .map(|mutant| format!("`{}` ({})", mutant.name, mutant.flaw))
        .collect();
    if !bitten.is_empty() {
        writeln!(page, "- Shown to bite: {}", bitten.join("; "))?;
    }
    writeln!(page)
}

fn link(issue: &str) -> String {
    match address(issue) {
        Some(address) => format!("[{issue}]({address})"),
        None => issue.to_owned(),
    }
}

/// Where an issue of [`Law::seen_in`] is. GitHub leads on from an issue's address to a
/// pull request of that number.
pub(crate) fn address(issue: &str) -> Option<String> {
    let (repository, number) = issue.split_once('#')?;
    Some(format!("https://github.com/{repository}/issues/{number}"))
}

fn tested(law: &Law) -> String {
    let mut how = match (law.about, law.once) {
        (_, true) => "once on each executor".to_owned(),
        (About::Backend, false) => "on each executor, in the simulator under many seeds".to_owned(),
        (_, false) => "on each executor, in the simulator under many drawn schedules and, if they \
                       are few, under all"
            .to_owned(),
    };
    if !law.needs.is_empty() {
        let needs: Vec<_> = law.needs.iter().map(|need| need.name()).collect();
        let _ = write!(how, "; needs {}", needs.join(", "));
    }
    if let Some(promise) = law.promise {
        let _ = write!(how, "; for who promises {promise}");
    }
    how.push('.');
    how
}

//! The page that keeps the counts, and what is told of a count beside it.

use std::fmt::Write as _;

/// What comes before the compiler and the table.
const HEAD: &str = "\
# Instructions

How many instructions each operation takes, by one thread and without an executor, as \
valgrind's callgrind counts them in a release build. Unlike times they come out the same \
on a busy machine; unlike times they say nothing of caches, and of an atomic operation no \
more than of an addition. What is allocated counts with what `malloc` takes for it. Of a \
crowd the count is that of one who waits.

```console
$ cargo bench -p anysync-conformance --bench instructions            # fails when one has grown by much
$ cargo bench -p anysync-conformance --bench instructions -- --renew # writes this page
```

It fails when an operation takes over a quarter and over 10 instructions more than here.

";
const BUILT: &str = "Built by ";
const FOR: &str = " for ";
const COLUMNS: &str = "| operation | instructions |\n|-|-|\n";

/// The counts that are kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) compiler: String,
    /// What it built for.
    pub(crate) target: String,
    pub(crate) counts: Vec<(String, u64)>,
}

impl Kept {
    /// What [`page`](Self::page) wrote.
    pub(crate) fn parse(page: &str) -> Result<Self, String> {
        let (compiler, target) = page
            .lines()
            .find_map(|line| line.strip_prefix(BUILT)?.rsplit_once(FOR))
            .ok_or_else(|| format!("no line is \"{BUILT}COMPILER{FOR}TARGET\""))?;
        let (_, table) = page
            .split_once(COLUMNS)
            .ok_or_else(|| format!("no table begins with {COLUMNS:?}"))?;
        let counts = table
            .lines()
            .map(|line| {
                row(line).ok_or_else(|| format!("{line:?} is no row like \"| mutex: lock | 12 |\""))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            compiler: compiler.to_owned(),
            target: target.to_owned(),
            counts,
        })
    }

    pub(crate) fn page(&self) -> String {
        let (compiler, target) = (&self.compiler, &self.target);
        let mut page = format!("{HEAD}{BUILT}{compiler}{FOR}{target}\n\n{COLUMNS}");
        for (name, count) in &self.counts {
            let _ = writeln!(page, "| {name} | {count} |");
        }
        page
    }

    pub(crate) fn of(&self, name: &str) -> Option<u64> {
        let (_, count) = self.counts.iter().find(|(kept, _)| kept == name)?;
        Some(*count)
    }
}

fn row(line: &str) -> Option<(String, u64)> {
    let (name, count) = line
        .strip_prefix("| ")?
        .strip_suffix(" |")?
        .split_once(" | ")?;
    Some((name.to_owned(), count.parse().ok()?))
}

/// What a count is beside the one that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Alike,
    Grown,
    Shrunk,
    NotKept,
}

impl Verdict {
    pub(crate) fn of(kept: Option<u64>, now: u64) -> Self {
        let Some(kept) = kept else {
            return Self::NotKept;
        };
        // Another compiler, or another crate beside it, moves a few.
        let is_over = |more: u64, less: u64| more * 4 > less * 5 && more > less + 10;
        if is_over(now, kept) {
            Self::Grown
        } else if is_over(kept, now) {
            Self::Shrunk
        } else {
            Self::Alike
        }
    }
}

//! `UNSAFE.md` lists every use of `unsafe` in this crate and the invariants that
//! it cites. This compares the page with the source, so that neither changes
//! without the other.
//!
//! Places are names of functions, not lines, so code may move.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// An invariant's name has at least this many letters, all capitals.
const SHORTEST: usize = 4;

/// What `unsafe` stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fn,
    Trait,
    Impl,
    Block,
}

/// The place of one row: a file, and a function, trait or `impl` in it.
type Place = (String, String);

/// What there is at a place, and the invariants cited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Uses {
    fns: usize,
    traits: usize,
    impls: usize,
    blocks: usize,
    cites: BTreeSet<String>,
}

impl Uses {
    fn count(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Fn => &mut self.fns,
            Kind::Trait => &mut self.traits,
            Kind::Impl => &mut self.impls,
            Kind::Block => &mut self.blocks,
        }
    }

    /// As the second cell of a row has it.
    fn kinds(&self) -> String {
        let counts = [
            (self.fns, "fn"),
            (self.traits, "trait"),
            (self.impls, "impl"),
            (self.blocks, "block"),
        ];
        let present = counts.iter().filter(|(count, _)| *count != 0);
        let kinds: Vec<_> = present
            .map(|(count, kind)| match count {
                1 => (*kind).to_owned(),
                n => format!("{n} {kind}s"),
            })
            .collect();
        kinds.join(", ")
    }

    /// The opposite of [`kinds`](Self::kinds).
    fn read(cell: &str, cites: &str) -> Self {
        let mut uses = Self::default();
        for part in cell.split(", ") {
            let (count, kind) = match part.split_once(' ') {
                Some((count, kinds)) => (
                    count.parse().expect("a number of uses"),
                    kinds.trim_end_matches('s'),
                ),
                None => (1, part),
            };
            *uses.count(match kind {
                "fn" => Kind::Fn,
                "trait" => Kind::Trait,
                "impl" => Kind::Impl,
                "block" => Kind::Block,
                _ => panic!("UNSAFE.md: `{part}` is none of fn, trait, impl, block"),
            }) += count;
        }
        let names = words(cites).filter(|word| is_name(word));
        uses.cites = names.map(str::to_owned).collect();
        uses
    }
}

type List = BTreeMap<Place, Uses>;
/// Names of invariants with the file that defines each.
type Definitions = BTreeSet<(String, String)>;

/// The code of a line, without comments and the content of strings.
fn code(line: &str) -> String {
    let mut code = String::new();
    let mut in_string = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_string => drop(chars.next()),
            '"' => in_string = !in_string,
            '/' if !in_string && chars.peek() == Some(&'/') => break,
            _ if in_string => {}
            c => code.push(c),
        }
    }
    code
}

fn words(text: &str) -> impl Iterator<Item = &str> + Clone {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// The text of a line that is a comment and nothing else.
fn comment(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("//")
}

/// The name of the function that begins in this line.
fn function(code: &str) -> Option<&str> {
    let mut words = words(code);
    words.find(|word| *word == "fn")?;
    words.next()
}

/// The head of an `impl` without its own generics.
fn implementation(code: &str) -> String {
    let head = code.split_once("impl").map_or(code, |(_, head)| head);
    let (mut depth, mut before) = (0, ' ');
    let generics = head.find(|c| {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        before = c;
        depth == 0
    });
    let rest = match generics {
        Some(end) if head.starts_with('<') => &head[end + 1..],
        _ => head,
    };
    let end = rest.find('{').unwrap_or(rest.len());
    rest[..end].trim().to_owned()
}

/// The comment that a use of `unsafe` at `lines[at]` rests on: above a block the
/// nearest SAFETY, above a declaration what is said about it.
fn reasons<'a>(lines: &[&'a str], at: usize, kind: Kind) -> Vec<&'a str> {
    let declares = matches!(kind, Kind::Fn | Kind::Trait);
    let mut reasons = Vec::new();
    for line in lines[..at].iter().rev() {
        match comment(line) {
            Some(text) => reasons.push(text),
            None if line.trim_start().starts_with("#[") => {}
            // A block may begin some lines below its comment.
            None if !declares && reasons.is_empty() && function(&code(line)).is_none() => continue,
            None => break,
        }
        if !declares && line.contains("SAFETY:") {
            break;
        }
    }
    reasons
}

fn is_name(word: &str) -> bool {
    word.len() >= SHORTEST && word.chars().all(|c| c.is_ascii_uppercase())
}

/// What one file uses and defines.
fn scan(file: &str, text: &str, known: &BTreeSet<String>, list: &mut List) {
    let lines: Vec<&str> = text.lines().collect();
    let mut current = "";
    let codes: Vec<String> = lines.iter().map(|line| code(line)).collect();
    for (at, code) in codes.iter().enumerate() {
        current = function(code).unwrap_or(current);
        let mut words = words(code).peekable();
        while let Some(word) = words.next() {
            if word != "unsafe" {
                continue;
            }
            let (kind, item) = match words.peek() {
                Some(&"impl") => (Kind::Impl, implementation(code)),
                Some(&"trait") => (Kind::Trait, words.clone().nth(1).unwrap_or("").to_owned()),
                Some(&"fn") => (Kind::Fn, current.to_owned()),
                _ => (Kind::Block, current.to_owned()),
            };
            let uses = list.entry((file.to_owned(), item)).or_default();
            *uses.count(kind) += 1;
            for reason in reasons(&lines, at, kind) {
                let names = self::words(reason).filter(|word| known.contains(*word));
                uses.cites.extend(names.map(str::to_owned));
            }
        }
    }
}

/// The invariants that a file defines: `**NAME**:` or `Invariant **NAME**` in a
/// comment.
fn definitions(file: &str, text: &str) -> Definitions {
    let mut defined = Definitions::new();
    for line in text.lines().filter_map(comment) {
        let parts: Vec<&str> = line.split("**").collect();
        for around in parts.windows(3).step_by(2) {
            let defines = around[2].starts_with(':') || around[0].ends_with("nvariant ");
            if defines && is_name(around[1]) {
                defined.insert((around[1].to_owned(), file.to_owned()));
            }
        }
    }
    defined
}

/// Whether this is code for tests, whose `unsafe` is not listed.
fn is_for_tests(path: &str) -> bool {
    path.split('/').any(|part| {
        part == "tests"
            || part.ends_with("tests.rs")
            || matches!(part, "test_util.rs" | "loom_util.rs")
    })
}

fn sources(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the source is there") {
        let path = entry.expect("the folder is readable").path();
        let name = path.file_name().expect("it has a name").to_string_lossy();
        let relative = format!("{prefix}{name}");
        if is_for_tests(&relative) {
        } else if path.is_dir() {
            sources(&path, &format!("{relative}/"), found);
        } else if relative.ends_with(".rs") {
            found.push((relative, fs::read_to_string(&path).expect("it is text")));
        }
    }
}

/// What the page says.
fn page(text: &str) -> (List, Definitions) {
    let (mut list, mut defined) = (List::new(), Definitions::new());
    let mut file = "";
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            file = heading.trim_matches('`');
        }
        let Some(row) = line.strip_prefix("| `") else {
            continue;
        };
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        let item = cells[0].trim_matches('`').to_owned();
        if file == "Invariants" {
            defined.insert((item, cells[1].trim_matches('`').to_owned()));
            continue;
        }
        let uses = Uses::read(cells[1], cells[2]);
        let twice = list.insert((file.to_owned(), item), uses);
        assert!(
            twice.is_none(),
            "UNSAFE.md has two rows for one place: {line}"
        );
    }
    (list, defined)
}

fn row((file, item): &Place, uses: &Uses) -> String {
    let kinds = uses.kinds();
    let cites: Vec<&str> = uses.cites.iter().map(String::as_str).collect();
    let cites = if cites.is_empty() {
        "–".to_owned()
    } else {
        cites.join(", ")
    };
    format!("## `{file}`\n| `{item}` | {kinds} | {cites} | what it does |\n")
}

/// Where an invariant that `file` cites may be defined: in the file, in the
/// module that it is a part of, or in another part of that.
fn may_define(defining: &str, file: &str) -> bool {
    let module = |path: &str| match path.split_once('/') {
        Some((module, _)) => module.to_owned(),
        None => path.trim_end_matches(".rs").to_owned(),
    };
    module(defining) == module(file)
}

#[test]
fn page_lists_every_use() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&core.join("src"), "", &mut files);
    let defined: Definitions = files
        .iter()
        .flat_map(|(file, text)| definitions(file, text))
        .collect();
    let mut used = List::new();
    for (file, text) in &files {
        let homes = defined.iter().filter(|(_, home)| may_define(home, file));
        let known = homes.map(|(name, _)| name.clone()).collect();
        scan(file, text, &known, &mut used);
    }
    let text = fs::read_to_string(core.join("UNSAFE.md")).expect("UNSAFE.md is there");
    let (listed, explained) = page(&text);

    let mut wrong = String::new();
    for (place, uses) in &used {
        if listed.get(place) != Some(uses) {
            write!(wrong, "\nadd, or correct, this row:\n{}", row(place, uses)).unwrap();
        }
    }
    for (place, uses) in &listed {
        if !used.contains_key(place) {
            write!(
                wrong,
                "\nremove this row, the source has it no more:\n{}",
                row(place, uses)
            )
            .unwrap();
        }
    }
    let cited = used
        .iter()
        .flat_map(|((file, _), uses)| uses.cites.iter().map(move |name| (name, file)));
    let mut needed = Definitions::new();
    for (name, file) in cited {
        let homes: Vec<_> = defined
            .iter()
            .filter(|(other, home)| other == name && may_define(home, file))
            .collect();
        match homes[..] {
            [one] => drop(needed.insert(one.clone())),
            _ => writeln!(
                wrong,
                "\n{file} cites {name}, which is to be defined once, as **{name}**, in its \
                 module; it is in {homes:?}"
            )
            .unwrap(),
        }
    }
    for (name, file) in needed.difference(&explained) {
        writeln!(
            wrong,
            "\nadd to the invariants:\n| `{name}` | `{file}` | in short |"
        )
        .unwrap();
    }
    for (name, file) in explained.difference(&needed) {
        writeln!(
            wrong,
            "\nremove from the invariants {name} of {file}: no `unsafe` cites it"
        )
        .unwrap();
    }
    assert!(
        wrong.is_empty(),
        "core/UNSAFE.md does not agree with the source:\n{wrong}"
    );
}

#[test]
fn a_use_is_found_wherever_it_stands() {
    let text = r#"
//! Invariant **ALONE**: there is one.
// SAFETY: invariant ALONE.
unsafe impl<T: Fn() -> u8> Send for Thing<T> {}
/// Says "unsafe".
fn safe() { log("unsafe // {"); }
fn two() {
    // SAFETY: ALONE, and another one is not.
    let _ = unsafe { one() }; // unsafe
    this.cell
        .with(|cell| unsafe { two(cell) });
}
"#;
    let defined = definitions("thing.rs", text);
    assert_eq!(
        defined,
        [("ALONE".to_owned(), "thing.rs".to_owned())].into()
    );
    let mut list = List::new();
    scan("thing.rs", text, &["ALONE".to_owned()].into(), &mut list);
    let rows: Vec<_> = list.iter().map(|(place, uses)| row(place, uses)).collect();
    assert_eq!(
        rows,
        [
            "## `thing.rs`\n| `Send for Thing<T>` | impl | ALONE | what it does |\n",
            "## `thing.rs`\n| `two` | 2 blocks | ALONE | what it does |\n",
        ]
    );
}

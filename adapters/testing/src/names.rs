//! Whether the tests of a drop-in use every name that it has to offer. They are
//! compiled over the original and over ours: a name that one of them lacks does not
//! compile, and one that no test uses is found here.

/// The names of `list` that `tests` does not use, each with the type before it.
///
/// A line of the list is `Type: name name`; a name is used as `.name` or `::name`,
/// and the type by its own. What goes on for several lines is indented.
pub fn unused(list: &str, tests: &[&str]) -> Vec<String> {
    let mut unused = Vec::new();
    let mut owner = "";
    for line in list.lines() {
        let names = match line.split_once(':') {
            Some((own, names)) => {
                owner = own.trim();
                if !tests.iter().any(|test| has_word(test, owner, "")) {
                    unused.push(owner.to_owned());
                }
                names
            }
            None => line,
        };
        for name in names.split_whitespace() {
            if !tests.iter().any(|test| has_word(test, name, ".:")) {
                unused.push(format!("{owner}: {name}"));
            }
        }
    }
    unused
}

/// Whether `text` has the word, after one of `before` if there are any.
fn has_word(text: &str, word: &str, before: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.match_indices(word).any(|(start, _)| {
        let previous = text[..start].bytes().next_back();
        let next = text[start + word.len()..].bytes().next();
        let begins = match previous {
            Some(byte) if before.is_empty() => !is_part(byte),
            Some(byte) => before.as_bytes().contains(&byte),
            None => before.is_empty(),
        };
        begins && !next.is_some_and(is_part)
    })
}

#[test]
fn finds_what_is_not_used() {
    let list = "Mutex: new lock\n  try_lock\nGuard:\nLost: found";
    let tests = [
        "let a = Mutex::new(1); a.lock_owned(); Guards",
        "a.try_lock()",
    ];
    assert_eq!(
        unused(list, &tests),
        ["Mutex: lock", "Guard", "Lost", "Lost: found"]
    );
    assert_eq!(
        unused(list, &["Mutex::new Guard Lost.found", ".lock .try_lock"]),
        [""; 0]
    );
}

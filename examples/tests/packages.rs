//! What a stranger sees of the published crates: manifests, tables of features, links.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The packages that are published, by what cargo says of them.
fn published() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let published: Vec<_> = packages
        .iter()
        .filter(|package| package["publish"].is_null())
        .cloned()
        .collect();
    assert!(published.len() >= 7, "{} packages", published.len());
    published
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field]
        .as_str()
        .unwrap_or_else(|| panic!("{} has no {field}", package["name"]))
}

fn directory(package: &Value) -> PathBuf {
    let manifest = Path::new(text(package, "manifest_path"));
    manifest.parent().expect("a directory").to_owned()
}

#[test]
fn each_package_says_what_it_is_for() {
    let mut keywords_of = BTreeMap::new();
    for package in published() {
        let name = text(&package, "name");
        assert!(text(&package, "description").len() > 60, "{name}");
        assert_eq!(text(&package, "license"), "MIT OR Apache-2.0");
        let address = format!("https://docs.rs/{name}");
        assert_eq!(text(&package, "documentation"), address);
        let keywords = package["keywords"].to_string();
        let count = package["keywords"].as_array().expect("keywords").len();
        assert!(
            (3..=5).contains(&count),
            "{name} has the keywords {keywords}"
        );
        assert_ne!(package["categories"], Value::Array(vec![]), "{name}");
        if let Some(other) = keywords_of.insert(keywords, name.to_owned()) {
            panic!("{name} has the keywords of {other}");
        }
        let docs = &package["metadata"]["docs"]["rs"];
        assert_eq!(docs["all-features"], Value::Bool(true), "{name}");
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "CHANGELOG.md"] {
            let there = fs::read(directory(&package).join(file));
            let ours = fs::read(root().join(file)).expect("the workspace has it");
            assert_eq!(there.ok(), Some(ours), "{name}: {file}");
        }
    }
}

/// The page of a crate: its own text, or the README that it includes.
fn page(package: &Value) -> String {
    let directory = directory(package);
    let code = fs::read_to_string(directory.join("src/lib.rs")).expect("a library");
    if code.starts_with("#![doc = include_str!(\"../README.md\")]") {
        fs::read_to_string(directory.join("README.md")).expect("a README")
    } else {
        code
    }
}

#[test]
fn each_feature_has_a_row_on_the_crate_s_page() {
    for package in published() {
        let name = text(&package, "name");
        let page = page(&package);
        let features = package["features"].as_object().expect("features");
        for feature in features.keys().filter(|feature| *feature != "default") {
            assert!(
                page.contains(&format!("| `{feature}` |")),
                "the page of {name} has no row for the feature {feature}"
            );
        }
        let rows = page.split("# Features\n").nth(1).into_iter();
        for row in rows.flat_map(str::lines) {
            let row = row.trim_start_matches("//! ");
            if row.starts_with("# ") || row.starts_with("## ") {
                break;
            }
            let named = row
                .strip_prefix("| `")
                .and_then(|row| row.split('`').next());
            if let Some(named) = named {
                assert!(
                    features.contains_key(named),
                    "{name} has no feature {named}"
                );
            }
        }
    }
}

#[test]
fn core_brings_one_package_into_a_lock_file() {
    let packages = published();
    let core = packages
        .iter()
        .find(|package| package["name"] == "anysync")
        .expect("the core");
    let dependencies = core["dependencies"].as_array().expect("dependencies");
    let needed: Vec<_> = dependencies
        .iter()
        .filter(|one| one["kind"].is_null() && one["optional"] == Value::Bool(false))
        .map(|one| text(one, "name"))
        .collect();
    assert_eq!(needed, ["pin-project-lite"]);
}

/// The targets of the links of a page of Markdown, outside of code.
fn links(page: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for rest in line.split("](").skip(1) {
            if let Some((target, _)) = rest.split_once(')') {
                targets.push(target.to_owned());
            }
        }
    }
    targets
}

/// The anchors of a page: its headings as they are spelt in a link.
fn anchors(page: &str) -> Vec<String> {
    page.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            heading
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// All pages of Markdown below a directory.
fn pages(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !path.is_symlink() && name != "target" && !name.starts_with('.') {
            pages(&path, found);
        } else if name.ends_with(".md") && !path.is_symlink() {
            found.push(path);
        }
    }
}

#[test]
fn no_link_between_pages_is_dead() {
    let mut found = Vec::new();
    pages(&root(), &mut found);
    assert!(found.len() > 15, "{} pages", found.len());
    let mut dead = Vec::new();
    for path in found {
        let page = fs::read_to_string(&path).expect("a page");
        for target in links(&page) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let other = if file.is_empty() {
                path.clone()
            } else {
                path.parent().expect("a directory").join(file)
            };
            let is_there = other.exists()
                && (anchor.is_empty()
                    || anchors(&fs::read_to_string(&other).unwrap_or_default())
                        .contains(&anchor.to_owned()));
            if !is_there {
                dead.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

/// A crate's page is shown where its repository is not: on docs.rs and in the package.
#[test]
fn no_link_of_a_crate_s_page_leaves_the_package() {
    for package in published() {
        let name = text(&package, "name");
        let readme = directory(&package).join(text(&package, "readme"));
        let mut texts = vec![fs::read_to_string(readme).expect("a README")];
        for file in ["MIGRATION.md", "CI.md"] {
            texts.extend(fs::read_to_string(directory(&package).join(file)));
        }
        for target in texts.iter().flat_map(|text| links(text)) {
            let is_packaged = ["LICENSE-APACHE", "LICENSE-MIT", "CHANGELOG.md"].contains(&&*target);
            assert!(
                target.contains("://") || target.starts_with('#') || is_packaged,
                "the page of {name} has a link to {target}, which is not where the page is shown"
            );
        }
    }
}

/// Addresses on docs.rs name crates and files of ours that there are.
#[test]
fn addresses_of_our_own_pages_name_what_there_is() {
    let packages = published();
    let mut found = Vec::new();
    pages(&root(), &mut found);
    let mut wrong = Vec::new();
    for path in found {
        let page = fs::read_to_string(&path).expect("a page");
        for target in links(&page) {
            let Some(rest) = target.strip_prefix("https://docs.rs/") else {
                continue;
            };
            let parts: Vec<_> = rest.split(['/', '#']).collect();
            let of = |name: &str| packages.iter().find(|package| package["name"] == name);
            let is_right = match parts[..] {
                ["crate", name, "latest", "source", ..] => of(name)
                    .is_none_or(|package| directory(package).join(parts[4..].join("/")).is_file()),
                [name, "latest", module, "migration" | "ci", ..] => {
                    of(name).is_none_or(|package| {
                        let code = directory(package).join("src/lib.rs");
                        module == name.replace('-', "_")
                            && fs::read_to_string(code).is_ok_and(|code| {
                                code.contains(&format!("pub mod {} {{}}", parts[3]))
                            })
                    })
                }
                [name, ..] => !name.starts_with("anysync") || of(name).is_some(),
                [] => false,
            };
            if !is_right {
                wrong.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "wrong addresses:\n{}", wrong.join("\n"));
}

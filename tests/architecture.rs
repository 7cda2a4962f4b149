//! The shape of the house: which room may know which.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Each layer and the layers that it must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "connection",
        &[
            "probe", "plan", "module", "cluster", "playbook", "apply", "report", "run", "cli",
        ],
    ),
    (
        "probe",
        &[
            "connection",
            "plan",
            "module",
            "cluster",
            "playbook",
            "apply",
            "report",
            "run",
            "cli",
        ],
    ),
    (
        "plan",
        &[
            "connection",
            "module",
            "cluster",
            "playbook",
            "apply",
            "report",
            "run",
            "cli",
        ],
    ),
    ("module", &["connection", "apply", "report", "run", "cli"]),
    ("cluster", &["connection", "apply", "report", "run", "cli"]),
    (
        "playbook",
        &[
            "connection",
            "apply",
            "report",
            "run",
            "cli",
            "module",
            "cluster",
        ],
    ),
    (
        "inventory",
        &[
            "connection",
            "probe",
            "plan",
            "apply",
            "report",
            "run",
            "cli",
            "module",
            "cluster",
        ],
    ),
    (
        "yaml",
        &[
            "connection",
            "probe",
            "plan",
            "apply",
            "report",
            "run",
            "cli",
            "module",
            "cluster",
            "playbook",
        ],
    ),
    ("apply", &["run", "cli"]),
    ("rehearse", &["connection", "run", "cli"]),
    ("report", &["run", "cli", "apply", "connection"]),
];

#[test]
fn dependencies_point_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (layer, forbidden) in FORBIDDEN {
        for path in sources(&source.join(layer)) {
            let text = std::fs::read_to_string(&path).unwrap();
            for name in *forbidden {
                if text.contains(&format!("crate::{name}::"))
                    || text.contains(&format!("crate::{{{name}::"))
                {
                    wrong.push(format!("{} names {name}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_report_and_the_command_line_print() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in sources(&source) {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in ["println!(", "eprintln!(", "print!(", "dbg!("] {
            if code
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(word))
            {
                wrong.push(format!("{} has {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every code that a person can meet has its page (`provision explain`), and every page its code.
#[test]
fn every_code_has_a_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let code = regex::Regex::new(r#""([SGPKH][0-9]+)""#).unwrap();
    let heading = regex::Regex::new(r"(?m)^## ([SGPKH][0-9]+): ").unwrap();
    let mut used = BTreeSet::new();
    for folder in ["src/cluster", "src/module"] {
        for path in sources(&root.join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            used.extend(code.captures_iter(&text).map(|found| found[1].to_owned()));
        }
    }
    let mut explained = BTreeSet::new();
    for entry in std::fs::read_dir(root.join("docs/explain")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        explained.extend(
            heading
                .captures_iter(&text)
                .map(|found| found[1].to_owned()),
        );
    }
    assert!(used.len() > 80, "the codes were not found: {used:?}");
    assert_eq!(used, explained, "codes on the left, pages on the right");
}

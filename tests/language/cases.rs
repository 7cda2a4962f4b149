//! Each `NAME.yml` of a folder, and the exact text that it gives in `NAME.txt`.
//! After a change on purpose: `UPDATE_EXPECTED=1 cargo test --test language`, and read the difference.

use crate::support;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn check(folder: &str, render: impl Fn(&Path) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/language")
        .join(folder);
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yml"))
        .collect();
    cases.sort();
    assert!(cases.len() > 10, "the cases are missing");
    let mut differing = String::new();
    for case in cases {
        let seen = format!("{}\n", render(&case).trim_end());
        let expected = case.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &seen).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if wanted != seen {
            let name = case.file_stem().unwrap().to_string_lossy();
            let diff = similar::TextDiff::from_lines(&wanted, &seen);
            write!(differing, "== {name}\n{}", diff.unified_diff()).unwrap();
        }
    }
    assert!(differing.is_empty(), "\n{differing}");
}

#[test]
fn inventories() {
    check("inventory", |path| match support::load(path, &[]) {
        Err(found) => found,
        Ok(inventory) => {
            let mut text = inventory.to_graph();
            let list = serde_json::to_string_pretty(&inventory.to_list()).unwrap();
            writeln!(text, "{list}").unwrap();
            for host in inventory.hosts() {
                writeln!(
                    text,
                    "{} at {}: {:?}",
                    host.name, host.address, host.connection
                )
                .unwrap();
            }
            for advice in &inventory.advice {
                writeln!(text, "\n{advice}").unwrap();
            }
            let folder = format!("{}/", path.parent().unwrap().display());
            text.replace(&folder, "")
        }
    });
}

//! What users see: each folder in `tests/cli/` holds files, a `command` and the `expected` output and exit code.
//!
//! `UPDATE_EXPECTED=1 cargo test --test cli` writes the `expected` files anew; read the difference before you commit it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a case in a copy of its folder and returns what a user sees.
fn run(case: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if name != "command" && name != "expected" {
            std::fs::copy(&path, folder.path().join(name)).unwrap();
        }
    }
    let seconds = regex::Regex::new(r"in \d+\.\d s").unwrap();
    let mut text = String::new();
    for line in std::fs::read_to_string(case.join("command"))
        .unwrap()
        .lines()
    {
        let words = shlex::split(line).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command
            .args(&words[1..])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", folder.path())
            .env("COLUMNS", "100")
            .stdin(std::process::Stdio::null());
        let output = command.output().unwrap();
        let _ = writeln!(text, "$ {line}");
        for stream in [output.stdout, output.stderr] {
            text.push_str(&seconds.replace_all(&String::from_utf8_lossy(&stream), "in N s"));
        }
        let _ = writeln!(text, "[exit {}]", output.status.code().unwrap());
    }
    text
}

#[test]
fn users_see_what_is_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() > 10, "the cases were not found");
    let mut wrong = Vec::new();
    for case in &cases {
        let seen = run(case);
        let expected = case.join("expected");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &seen).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if seen != wanted {
            let difference = similar::TextDiff::from_lines(&wanted, &seen);
            wrong.push(format!(
                "{}:\n{}",
                case.display(),
                difference.unified_diff()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_hostile_inventory_is_answered_quickly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inventory.yml");
    std::fs::write(&path, "[".repeat(10_000_000)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_provision"))
        .arg("validate")
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("inventory.yml") && said.len() < 2_000,
        "{said}"
    );
}

//! Keeping the disks of a stopped lab, and putting them back.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::hosts::still_on;
use crate::lab::{Lab, Record, exists};
use crate::process::{run, tool};

/// What a snapshot holds of the lab's directory: the disks, and the host keys that go with them.
const PARTS: [&str; 2] = ["hosts", "known_hosts"];

/// Keeps the disks under `label`.
pub fn snapshot(lab: &Lab, record: &Record, label: &str) -> Result<()> {
    let place = place(lab, label)?;
    require_off(lab, record)?;
    let scratch = beside(&place, "making");
    fs::create_dir_all(&scratch)?;
    for part in PARTS {
        copy(&lab.directory.join(part), &scratch.join(part))?;
    }
    let old = beside(&place, "old");
    if exists(&place) {
        fs::rename(&place, &old)?;
    }
    fs::rename(&scratch, &place)?;
    remove(&old)
}

/// Puts the disks back to `label`.
pub fn restore(lab: &Lab, record: &Record, label: &str) -> Result<()> {
    let place = place(lab, label)?;
    if !exists(&place) {
        bail!(
            "lab `{}` has no snapshot `{label}`; it has: {}",
            lab.name,
            labels(lab).join(" ")
        );
    }
    require_off(lab, record)?;
    for part in PARTS {
        let target = lab.directory.join(part);
        let (fresh, old) = (beside(&target, "making"), beside(&target, "old"));
        copy(&place.join(part), &fresh)?;
        fs::rename(&target, &old)?;
        fs::rename(&fresh, &target)?;
        remove(&old)?;
    }
    Ok(())
}

/// Labels of the lab's snapshots.
fn labels(lab: &Lab) -> Vec<String> {
    let entries = fs::read_dir(lab.directory.join("snapshots"))
        .into_iter()
        .flatten()
        .flatten();
    let mut labels: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    labels.retain(|label| !label.starts_with('.'));
    labels.sort();
    labels
}

fn place(lab: &Lab, label: &str) -> Result<PathBuf> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if label.is_empty() || !label.chars().all(letters) {
        bail!("`{label}` cannot name a snapshot: use letters, digits, `-` and `_`");
    }
    Ok(lab.directory.join("snapshots").join(label))
}

fn require_off(lab: &Lab, record: &Record) -> Result<()> {
    let on = still_on(lab, record);
    if on.is_empty() {
        return Ok(());
    }
    bail!(
        "{} on; run `lab stop --all --name {}` first",
        on.join(" ") + if on.len() == 1 { " is" } else { " are" },
        lab.name
    )
}

/// A hidden neighbour of `path`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{what}"))
}

/// Copies with everything an overlay's upper directory is made of: extended attributes, device
/// nodes, links, holes.
fn copy(from: &Path, to: &Path) -> Result<()> {
    remove(to)?;
    run(tool("cp")
        .args(["-a", "--reflink=auto", "--sparse=always"])
        .arg(from)
        .arg(to))
    .map(drop)
}

fn remove(path: &Path) -> Result<()> {
    if !exists(path) {
        return Ok(());
    }
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.with_context(|| format!("cannot remove {}", path.display()))
}

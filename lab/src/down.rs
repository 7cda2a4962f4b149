//! `lab down`: nothing stays.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::cgroup;
use crate::lab::{Lab, exists};
use crate::network;

/// Removes the lab. Whatever is left of one is enough to find the rest; no lab is no error.
pub fn down(lab: &Lab) -> Result<()> {
    let _lock = if exists(&lab.directory) {
        Some(lab.lock()?)
    } else {
        None
    };
    // Silence before death, as with a single host: no reason to teach peers otherwise here, but
    // the namespaces must be empty before they can go.
    for group in unified_groups(lab)? {
        cgroup::kill(&group)?;
        cgroup::remove(&group)?;
    }
    for namespace in network::namespaces(lab) {
        network::remove(&namespace)?;
    }
    network::tidy();
    for group in v1_groups(lab)? {
        cgroup::remove(&group)?;
    }
    remove_state(lab)
}

/// Where the lab said its cgroup2 group is, and where this process would have made it.
fn unified_groups(lab: &Lab) -> Result<Vec<PathBuf>> {
    let mut groups = vec![cgroup::places(lab)?.unified];
    groups.extend(lab.record().ok().map(|record| record.unified));
    groups.dedup();
    Ok(groups)
}

fn v1_groups(lab: &Lab) -> Result<Vec<PathBuf>> {
    let places = cgroup::places(lab)?;
    let mut groups = vec![places.devices];
    groups.extend(places.v1.into_iter().map(|(_, path)| path));
    if let Ok(record) = lab.record() {
        groups.push(record.devices);
        groups.extend(record.v1.into_iter().map(|(_, path)| path));
    }
    groups.sort();
    groups.dedup();
    Ok(groups)
}

/// Moved aside first, so that a lab of the name is gone at once, and half of one is never seen.
fn remove_state(lab: &Lab) -> Result<()> {
    let parent = lab
        .directory
        .parent()
        .context("a lab without a parent directory")?;
    let prefix = format!(".{}.removed-", lab.name);
    if exists(&lab.directory) {
        let aside = parent.join(format!("{prefix}{}", std::process::id()));
        fs::rename(&lab.directory, &aside)?;
    }
    // Also what an interrupted `down` left.
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_dir_all(entry.path()).with_context(|| {
                format!(
                    "cannot remove {}; remove it by hand",
                    entry.path().display()
                )
            })?;
        }
    }
    let _ = fs::remove_dir(parent);
    if exists(&lab.directory) {
        bail!(
            "{} came back while the lab was being removed; run `lab down` again",
            lab.directory.display()
        );
    }
    Ok(())
}

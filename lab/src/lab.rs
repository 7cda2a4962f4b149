//! One lab: its name, its place on disk, and what is written down about it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::cli::CgroupVersion;
use crate::host::Host;
use crate::process::wait_until;
use crate::site::Site;

/// A lab, which may or may not exist.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Its name.
    pub name: String,
    /// Its state directory.
    pub directory: PathBuf,
}

/// What `up` decided, and every later command relies on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Record {
    /// Number of hosts.
    pub hosts: u8,
    /// Their names and addresses. Labs made before there was a choice say nothing.
    #[serde(default)]
    pub site: Site,
    /// How the hosts see control groups.
    pub cgroup: CgroupVersion,
    /// The lab's directory in the cgroup2 tree.
    pub unified: PathBuf,
    /// The lab's directory in the version 1 `devices` hierarchy: the fence.
    pub devices: PathBuf,
    /// The lab's directories in further version 1 hierarchies, with the hierarchy's name.
    pub v1: Vec<(String, PathBuf)>,
    /// The base image.
    pub base: PathBuf,
    /// The web sites of the fake internet.
    pub web: PathBuf,
    /// Keys and certificates.
    pub identity: PathBuf,
}

impl Lab {
    /// The lab of that name below `LAB_HOME`.
    pub fn named(name: &str) -> Result<Self> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            directory: home().join(name),
        })
    }

    /// Name of the network namespace that holds the bridge; also of the control groups.
    pub fn namespace(&self) -> String {
        format!("lab-{}", self.name)
    }

    fn record_file(&self) -> PathBuf {
        self.directory.join("lab.json")
    }

    /// What is written down about the lab; an error that says what to do when there is none.
    pub fn record(&self) -> Result<Record> {
        let file = self.record_file();
        let text = fs::read_to_string(&file).with_context(|| {
            format!(
                "there is no lab `{0}`; make it with `lab up --name {0}`",
                self.name
            )
        })?;
        serde_json::from_str(&text).with_context(|| {
            format!(
                "cannot understand {}; remove the lab with `lab down`",
                file.display()
            )
        })
    }

    /// Writes it down.
    pub fn save(&self, record: &Record) -> Result<()> {
        let file = self.record_file();
        fs::write(&file, serde_json::to_string_pretty(record)?)
            .with_context(|| format!("cannot write {}", file.display()))
    }

    /// The hosts, in the order of their numbers.
    pub fn hosts(&self, record: &Record) -> Vec<Host> {
        (1..=record.hosts)
            .map(|number| Host::new(self, &record.site, number))
            .collect()
    }

    /// The host of that name or address.
    pub fn host(&self, record: &Record, name: &str) -> Result<Host> {
        let hosts = self.hosts(record);
        hosts
            .into_iter()
            .find(|host| host.name() == name || host.address() == name)
            .with_context(|| {
                format!(
                    "lab `{}` has no host `{name}`; it has {} to {}",
                    self.name,
                    record.site.name(1),
                    record.site.name(record.hosts)
                )
            })
    }

    /// Keeps other commands that change the lab away until the value is dropped.
    pub fn lock(&self) -> Result<Flock<File>> {
        let mut lock = None;
        let mut file = Some(File::open(&self.directory).with_context(|| {
            format!(
                "there is no lab `{0}`; make it with `lab up --name {0}`",
                self.name
            )
        })?);
        // `down` and a first `up` take seconds; nothing holds the lock for minutes.
        wait_until(Duration::from_secs(180), || match file.take() {
            None => true,
            Some(open) => match Flock::lock(open, FlockArg::LockExclusiveNonblock) {
                Ok(locked) => {
                    lock = Some(locked);
                    true
                }
                Err((open, _)) => {
                    file = Some(open);
                    false
                }
            },
        });
        lock.with_context(|| {
            format!(
                "another command has been working on lab `{}` for three minutes",
                self.name
            )
        })
    }
}

/// Parent directory of all labs.
pub fn home() -> PathBuf {
    std::env::var_os("LAB_HOME")
        .map_or_else(|| PathBuf::from("/var/lib/provision-lab"), PathBuf::from)
}

/// A name must serve as part of a namespace's name, and must not look like another lab's host.
fn check_name(name: &str) -> Result<()> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 40 || name.starts_with('-') || !name.chars().all(letters) {
        bail!(
            "`{name}` cannot name a lab: use up to 40 of a-z, 0-9, `-` and `_`, not starting with `-`"
        );
    }
    if name.contains("ke2-server") {
        bail!("`{name}` cannot name a lab: `ke2-server` is part of the names of hosts");
    }
    Ok(())
}

/// Whether `path` exists, symbolic links not followed.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_mistaken_are_refused() {
        for good in ["demo", "labtest-4711", "a_b"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-x",
            "Demo",
            "a/b",
            "a b",
            "..",
            "dev-ke2-server1",
            &"x".repeat(41),
        ] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}

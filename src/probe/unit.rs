//! systemd units, asked of `systemctl show` in one call for all names.

use super::shell::join;
use super::{Answer, Query, Seen};
use serde::{Deserialize, Serialize};

/// State of a systemd unit; the fields are systemd's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// `LoadState`: `loaded`, `not-found`, `masked`, `error` …
    pub load: String,
    /// `ActiveState`: `active`, `inactive`, `failed`, `activating` …
    pub active: String,
    /// `UnitFileState`: `enabled`, `disabled`, `static` …; empty when there is no file.
    pub file: String,
    /// `NeedDaemonReload`: the files on disk are newer than what systemd loaded.
    pub stale: bool,
}

impl Unit {
    /// Whether there is such a unit.
    pub fn exists(&self) -> bool {
        self.load != "not-found"
    }

    /// Whether it runs.
    pub fn is_active(&self) -> bool {
        self.active == "active"
    }

    /// Whether it starts at boot by itself; `static` and `indirect` units are started by others.
    pub fn is_enabled(&self) -> bool {
        matches!(
            &*self.file,
            "enabled" | "enabled-runtime" | "alias" | "static" | "indirect" | "generated"
        )
    }
}

pub(super) fn script(names: &[&str]) -> String {
    format!(
        "systemctl show -p LoadState,ActiveState,UnitFileState,NeedDaemonReload -- {}",
        join(names)
    )
}

/// `systemctl show` prints one block a unit, in the order asked, with an empty line between.
pub(super) fn parse(names: &[&str], stdout: &str, stderr: &str) -> Vec<(Query, Seen<Answer>)> {
    let blocks: Vec<&str> = stdout.trim().split("\n\n").collect();
    names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let seen = match blocks.get(n).filter(|_| blocks.len() == names.len()) {
                Some(block) if block.contains("LoadState=") => {
                    Seen::Is(Answer::Unit(block_of(block)))
                }
                _ => Seen::Unknown(format!(
                    "systemctl said nothing of {name}: {}",
                    stderr.trim()
                )),
            };
            (Query::Unit((*name).to_owned()), seen)
        })
        .collect()
}

fn block_of(block: &str) -> Unit {
    let mut unit = Unit::default();
    for (key, value) in block.lines().filter_map(|line| line.split_once('=')) {
        match key {
            "LoadState" => value.clone_into(&mut unit.load),
            "ActiveState" => value.clone_into(&mut unit.active),
            "UnitFileState" => value.clone_into(&mut unit.file),
            "NeedDaemonReload" => unit.stale = value == "yes",
            _ => {}
        }
    }
    unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_matched_in_order() {
        let stdout = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n\n\
                      LoadState=not-found\nActiveState=inactive\nUnitFileState=\nNeedDaemonReload=no\n";
        let answers = parse(&["docker", "nope"], stdout, "");
        let Seen::Is(Answer::Unit(docker)) = &answers[0].1 else {
            panic!("{answers:?}")
        };
        assert!(docker.exists() && docker.is_active() && docker.is_enabled());
        let Seen::Is(Answer::Unit(nope)) = &answers[1].1 else {
            panic!("{answers:?}")
        };
        assert!(!nope.exists() && !nope.is_active() && !nope.is_enabled());
    }

    #[test]
    fn a_short_answer_is_unknown_not_absent() {
        let answers = parse(&["docker", "nope"], "", "Failed to connect to bus");
        assert!(answers.iter().all(|(_, seen)| seen.unknown().is_some()));
    }
}

//! Which configuration a service runs with: it writes the checksums of its files down when it starts,
//! whoever starts it. A restart follows from that, not from clocks or from what a run remembers.

use super::attributes::Wanted;
use super::managed_file::{self, ManagedFile, object};
use super::{Args, Unfit};
use crate::inventory::HostName;
use crate::plan::{Act, Class, Content, Refusal, Step, StepId, UnitVerb};
use crate::probe::path;
use crate::probe::{Answers, PathState, Seen};
use std::collections::BTreeMap;

/// Where the stamps are: gone after a boot, as is what was loaded.
const STAMPS: &str = "/run/provision";

/// The files that a unit is watched for.
#[derive(Clone, Debug)]
pub struct Stamp {
    host: HostName,
    unit: String,
    restarted: Vec<String>,
    reloaded: Vec<String>,
    drop_in: ManagedFile,
}

/// What is seen of them.
#[derive(Clone, Debug)]
pub struct Sight {
    directory: Seen<PathState>,
    drop_in: managed_file::Sight,
    /// Noted at the start.
    started: Seen<Option<path::Content>>,
    /// Noted at the start and at each reload.
    reloaded: Seen<Option<path::Content>>,
    files: BTreeMap<String, Seen<PathState>>,
    /// SHA-256 of what an earlier step is about to write there.
    coming: BTreeMap<String, String>,
}

/// What follows.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The drop-in.
    pub steps: Vec<Step>,
    /// Why the drop-in cannot be written.
    pub refusals: Vec<Refusal>,
    /// What makes the service read its files again, and why.
    pub restart: Option<(UnitVerb, String)>,
}

impl Stamp {
    /// From `restarted_after` and `reloaded_after`; `None` when neither names a file.
    pub fn from_args(args: &Args<'_>, host: &HostName, unit: &str) -> Result<Option<Self>, Unfit> {
        let restarted = args.list("restarted_after");
        let reloaded = args.list("reloaded_after");
        for (name, list) in [
            ("restarted_after", &restarted),
            ("reloaded_after", &reloaded),
        ] {
            let plain = |c: char| c.is_ascii_alphanumeric() || "/._-@:+,".contains(c);
            if let Some(odd) = list.iter().find(|path| !path.chars().all(plain)) {
                return Err(args.wrong_at(
                    name,
                    format!(
                        "`{odd}` has characters that cannot stand in a unit's file as they are"
                    ),
                ));
            }
        }
        if restarted.is_empty() && reloaded.is_empty() {
            return Ok(None);
        }
        if !unit.ends_with(".service") {
            return Err(args.wrong("only a service can be restarted after its files"));
        }
        Ok(Some(Self::new(host, unit, &restarted, &reloaded)))
    }

    /// For a service and its files; their paths are of plain characters.
    pub fn new(host: &HostName, unit: &str, restarted: &[String], reloaded: &[String]) -> Self {
        Self {
            host: host.clone(),
            unit: unit.to_owned(),
            restarted: restarted.to_vec(),
            reloaded: reloaded.to_vec(),
            drop_in: ManagedFile {
                module: "service",
                host: host.clone(),
                path: format!("{}/50-provision-stamp.conf", directory(unit)),
                content: Content::plain(drop_in(unit, restarted, reloaded)),
                wanted: Wanted::default(),
            },
        }
    }

    /// Looks; the caller settles.
    pub fn look(&self, seen: &Answers<'_>) -> Sight {
        let files = || self.restarted.iter().chain(&self.reloaded);
        Sight {
            directory: seen.path(&self.host, directory(&self.unit)),
            drop_in: self.drop_in.look(seen),
            started: self.note(seen, "start", &self.restarted),
            reloaded: self.note(seen, "reload", &self.reloaded),
            files: files()
                .map(|path| (path.clone(), seen.path(&self.host, &**path)))
                .collect(),
            coming: files()
                .filter_map(|path| Some((path.clone(), seen.coming(&self.host, path)?)))
                .collect(),
        }
    }

    fn note(
        &self,
        seen: &Answers<'_>,
        when: &str,
        files: &[String],
    ) -> Seen<Option<path::Content>> {
        if files.is_empty() {
            return Seen::Is(None);
        }
        seen.content(&self.host, stamp_path(&self.unit, when))
    }

    /// Decides.
    pub fn plan(&self, sight: &Sight, active: bool) -> Verdict {
        let mut verdict = Verdict::default();
        if sight.directory == Seen::Is(PathState::Absent) {
            let path = directory(&self.unit);
            let id = StepId::new(&["service", "directory", object(&path)]);
            let act = Act::MakeDirectory {
                path,
                mode: None,
                owner: None,
                group: None,
            };
            let why = "the note of what the service was started with needs it";
            verdict
                .steps
                .push(Step::new(id, &self.host, Class::Create, why, act));
        }
        let decision = self.drop_in.plan(&sight.drop_in);
        verdict.steps.extend(decision.steps);
        verdict.refusals.extend(decision.refusals);
        if active {
            verdict.restart = self.restart(sight);
        }
        verdict
    }

    /// A restart reads everything again, so it comes before a reload.
    fn restart(&self, sight: &Sight) -> Option<(UnitVerb, String)> {
        let verbs = [
            (UnitVerb::Restart, &self.restarted, &sight.started),
            (UnitVerb::Reload, &self.reloaded, &sight.reloaded),
        ];
        for (verb, paths, stamp) in verbs.into_iter().filter(|(_, paths, _)| !paths.is_empty()) {
            let Some(content) = stamp.known()? else {
                let why = "it was started before its configuration was noted, so with which one is not known";
                return Some((verb, why.to_owned()));
            };
            let noted = noted(&content.bytes);
            let mut older: Vec<&str> = Vec::new();
            for path in paths {
                let now = match (sight.coming.get(path), sight.files.get(path)?.known()?) {
                    (Some(coming), _) => Some(&**coming),
                    (None, PathState::File { sha256, .. }) => sha256.as_deref(),
                    (None, _) => None,
                };
                if now != noted.get(path.as_str()).copied() {
                    older.push(path);
                }
            }
            if !older.is_empty() {
                return Some((verb, format!("it runs with an older {}", older.join(", "))));
            }
        }
        None
    }
}

fn directory(unit: &str) -> String {
    format!("/etc/systemd/system/{unit}.d")
}

/// `when` is `start` or `reload`.
fn stamp_path(unit: &str, when: &str) -> String {
    format!("{STAMPS}/{unit}.{when}")
}

/// `-`: a file that is not there is no reason not to start. `+`: with full rights, whatever the service has.
fn drop_in(unit: &str, restarted: &[String], reloaded: &[String]) -> String {
    let mut text = String::from(
        "# Written by provision: notes which configuration the service was started with.\n[Service]\n",
    );
    let mut note = |key: &str, when: &str, files: &[String]| {
        if !files.is_empty() {
            text.push_str(&format!(
                "{key}=+-/bin/sh -c 'mkdir -p {STAMPS} && sha256sum {} >{}'\n",
                files.join(" "),
                stamp_path(unit, when)
            ));
        }
    };
    note("ExecStartPre", "start", restarted);
    note("ExecStartPre", "reload", reloaded);
    note("ExecReload", "reload", reloaded);
    text
}

/// Checksum by path, from the output of sha256sum.
fn noted(stamp: &[u8]) -> BTreeMap<&str, &str> {
    std::str::from_utf8(stamp)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, path)| (path, sum))
        .collect()
}

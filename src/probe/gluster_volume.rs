//! A `GlusterFS` volume: how it was made (every daemon of the pool knows), and how its bricks are (one is asked).

use super::shell::quote;
use super::{Seen, xml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A volume as the daemon of one host knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// The volume; `None` when the daemon knows none of this name, or does not answer.
    pub info: Option<Info>,
    /// Why the daemon does not tell; empty when it says that there is none.
    pub silent: String,
    /// All options that are in effect, the defaults too.
    pub effective: BTreeMap<String, String>,
}

/// How a volume was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Info {
    /// Its identity, which each of its bricks carries.
    pub id: String,
    /// `Created`, `Started` or `Stopped`.
    pub status: String,
    /// `Replicate`, `Distributed-Replicate`, `Distribute`, `Disperse` …
    pub kind: String,
    /// Copies of each file.
    pub replica: u32,
    /// Copies of those that hold no content.
    pub arbiter: u32,
    /// Its bricks, in order.
    pub bricks: Vec<Brick>,
    /// The options that were set.
    pub options: BTreeMap<String, String>,
}

/// A brick as the volume names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Brick {
    /// `ke2-server1:/data/brick/gvol0`
    pub name: String,
    /// Identity of the daemon that it belongs to.
    pub host_uuid: String,
    /// Whether it is the arbiter.
    pub arbiter: bool,
}

impl Brick {
    /// The host part of its name.
    pub fn host(&self) -> &str {
        self.name.split_once(":/").map_or("", |(host, _)| host)
    }

    /// Its folder.
    pub fn path(&self) -> &str {
        self.name
            .find(":/")
            .map_or("", |colon| &self.name[colon + 1..])
    }
}

/// How the processes and the copies of a started volume are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Bricks and daemons; `None` when the daemon did not tell.
    pub processes: Option<Vec<Process>>,
    /// Another command holds the lock of the pool.
    pub busy: bool,
    /// Why the daemon does not tell.
    pub silent: String,
    /// What has to be healed, by brick; `None` when nobody could tell.
    pub heal: Option<Vec<Heal>>,
    /// Files whose copies contradict each other; the first twenty.
    pub split_brain: Vec<String>,
}

/// A process of a volume. A host that is cut off from the one that is asked is not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// Identity of the daemon that runs it.
    pub host_uuid: String,
    /// The folder of a brick; empty for the self-heal daemon.
    pub brick: String,
    /// Whether it runs.
    pub online: bool,
}

/// What one brick knows to be healed, on itself or on others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heal {
    /// `ke2-server1:/data/brick/gvol0`
    pub brick: String,
    /// `None` when the brick is not connected, which is not the same as nothing.
    pub pending: Option<u64>,
    /// Entries whose copies contradict each other.
    pub split_brain: u64,
}

pub(super) fn volume_script(name: &str) -> String {
    format!(
        "v={}\n[ \"$(systemctl is-active glusterd.service)\" = active ] || {{ echo 'glusterd does not run' >&2; exit 0; }}\n\
         timeout 15 gluster --mode=script --xml volume info \"$v\" || {{ echo 'gluster volume info failed, or did not answer within 15 s' >&2; exit 0; }}\n\
         echo end\ntimeout 15 gluster --mode=script --xml volume get \"$v\" all\nexit 0",
        quote(name)
    )
}

pub(super) fn parse_volume(name: &str, stdout: &str, stderr: &str) -> Seen<Volume> {
    let (info, options) = stdout.split_once("\nend\n").unwrap_or((stdout, ""));
    let mut volume = Volume::default();
    let document = match xml::parse(info) {
        Ok(document) => document,
        Err(why) => {
            volume.silent = match stderr.trim() {
                "" => why,
                said => said.to_owned(),
            };
            return Seen::Is(volume);
        }
    };
    let root = document.root_element();
    match xml::failure(&document) {
        // 30806 is `EG_NOVOL`: the only failure that says something about the volume.
        Some(_) if xml::text(root, "opErrno") == "30806" => {}
        Some(error) => volume.silent = error,
        None => {
            volume.info = xml::all(root, "volume")
                .find(|node| xml::text(*node, "name") == name)
                .map(read_info);
        }
    }
    if let Ok(document) = xml::parse(options) {
        volume.effective = xml::all(document.root_element(), "Opt")
            .map(|node| (xml::text(node, "Option"), xml::text(node, "Value")))
            .map(|(key, value)| {
                let value = value.strip_suffix("(DEFAULT)").unwrap_or(value).trim();
                (key.to_owned(), value.to_owned())
            })
            .collect();
    }
    Seen::Is(volume)
}

fn read_info(node: roxmltree::Node<'_, '_>) -> Info {
    let number = |name: &str| xml::text(node, name).parse().unwrap_or_default();
    Info {
        id: xml::text(node, "id").to_owned(),
        status: xml::text(node, "statusStr").to_owned(),
        kind: xml::text(node, "typeStr").to_owned(),
        replica: number("replicaCount"),
        arbiter: number("arbiterCount"),
        bricks: xml::all(node, "brick")
            .map(|brick| Brick {
                name: xml::text(brick, "name").to_owned(),
                host_uuid: xml::text(brick, "hostUuid").to_owned(),
                arbiter: xml::text(brick, "isArbiter") == "1",
            })
            .collect(),
        options: xml::all(node, "option")
            .map(|option| {
                let pair = (xml::text(option, "name"), xml::text(option, "value"));
                (pair.0.to_owned(), pair.1.to_owned())
            })
            .collect(),
    }
}

// The lock of the pool is held for a moment by every command that asks for all bricks, and for some more by one that was
// sent to a host which has just died.
pub(super) fn status_script(name: &str) -> String {
    format!(
        "v={}\n[ \"$(systemctl is-active glusterd.service)\" = active ] || {{ echo 'glusterd does not run' >&2; exit 0; }}\n\
         for n in $(seq 12); do\n\
         said=$(timeout 15 gluster --mode=script --xml volume status \"$v\" 2>&1)\n\
         case $said in *'nother transaction'*|*'ocking failed'*) sleep 1 ;; *) break ;; esac\ndone\n\
         printf '%s\\nend\\n' \"$said\"\n\
         h() {{ timeout -s KILL 20 gluster --mode=script --xml volume heal \"$v\" info \"$1\"; }}\n\
         heal=$(h summary); printf '%s\\nend\\n' \"$heal\"\n\
         n=$(printf '%s' \"$heal\" | sed -n 's/.*InSplitBrain>\\([1-9]\\).*/\\1/p')\n\
         [ -z \"$n\" ] || h split-brain\nexit 0",
        quote(name)
    )
}

pub(super) fn parse_status(name: &str, stdout: &str, stderr: &str) -> Seen<Status> {
    let mut parts = stdout.splitn(3, "\nend\n");
    let (answer, heal, split) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let mut status = Status::default();
    match xml::parse(answer) {
        Err(why) if stderr.trim().is_empty() => status.silent = why,
        Err(_) => stderr.trim().clone_into(&mut status.silent),
        Ok(document) => match xml::failure(&document) {
            Some(error) => status.silent = error,
            None => status.processes = Some(processes(&document, name)),
        },
    }
    let silent = status.silent.to_lowercase();
    status.busy = silent.contains("another transaction") || silent.contains("locking failed");
    status.heal = xml::parse(heal).ok().map(|document| {
        xml::all(document.root_element(), "brick")
            .map(|brick| Heal {
                brick: xml::text(brick, "name").to_owned(),
                pending: xml::text(brick, "totalNumberOfEntries")
                    .parse()
                    .ok()
                    .filter(|_| xml::text(brick, "status") == "Connected"),
                split_brain: xml::text(brick, "numberOfEntriesInSplitBrain")
                    .parse()
                    .unwrap_or_default(),
            })
            .collect()
    });
    if let Ok(document) = xml::parse(split) {
        let mut files: Vec<String> = xml::all(document.root_element(), "file")
            .filter_map(|file| Some(file.text()?.trim().to_owned()))
            .collect();
        files.sort();
        files.dedup();
        files.truncate(20);
        status.split_brain = files;
    }
    Seen::Is(status)
}

fn processes(document: &roxmltree::Document<'_>, name: &str) -> Vec<Process> {
    let volume = xml::all(document.root_element(), "volume")
        .find(|node| xml::text(*node, "volName") == name);
    let nodes = volume
        .into_iter()
        .flat_map(|volume| xml::all(volume, "node"));
    nodes
        .filter_map(|node| {
            let (host, path) = (xml::text(node, "hostname"), xml::text(node, "path"));
            let brick = match host {
                "Self-heal Daemon" => "",
                // Quota, bitrot and their like.
                _ if !path.starts_with('/') => return None,
                _ => path,
            };
            Some(Process {
                host_uuid: xml::text(node, "peerid").to_owned(),
                brick: brick.to_owned(),
                online: xml::text(node, "status") == "1",
            })
        })
        .collect()
}

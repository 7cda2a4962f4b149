//! The directory that all hosts of the stack share, as far as modules must know of it before they touch it.

use crate::inventory::HostName;
use crate::module::Args;
use crate::plan::{Claim, Expect, Reach, Refusal, StackExpect, Step};
use crate::playbook::{ArgKind, ArgSpec};
use crate::probe::machine::Filesystem;
use crate::probe::{Answers, Need, Query, Seen};

/// Types of file systems that several hosts can have mounted at once.
const SHARED: [&str; 13] = [
    "fuse.glusterfs",
    "glusterfs",
    "nfs",
    "nfs4",
    // A client in user space; /etc/fstab calls it nfs.
    "fuse.nfs",
    "ceph",
    "fuse.ceph",
    "cifs",
    "smb3",
    "gfs2",
    "ocfs2",
    "lustre",
    "beegfs",
];

/// The argument `share`.
pub(super) const SHARE: ArgSpec = ArgSpec {
    name: "share",
    kind: ArgKind::Path,
    required: true,
    default: None,
    doc: "The directory that all hosts of the play share.",
};

/// The argument `mounted_before`.
pub(super) const MOUNTED_BEFORE: ArgSpec = ArgSpec {
    name: "mounted_before",
    kind: ArgKind::Bool,
    required: false,
    default: Some("false"),
    doc: "Whether an earlier task mounts it: then it may be missing while the plan is made.",
};

/// The argument `local`.
pub(super) const LOCAL: ArgSpec = ArgSpec {
    name: "local",
    kind: ArgKind::Bool,
    required: false,
    default: Some("false"),
    doc: "Consent to a directory that nothing is mounted on: each host then has its own, and data is not shared.",
};

/// The shared directory.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub path: String,
    mounted_before: bool,
    local: bool,
}

/// What a host says of it.
pub(super) enum Mounted {
    /// It is there.
    Yes,
    /// It is not there yet; an earlier task sees to it.
    Later,
    /// Something else is there.
    No(String),
    /// The host did not answer, and why.
    Silent(String),
}

/// What each host says of where it is.
#[derive(Clone, Debug)]
pub(super) struct Mounts(Vec<(HostName, Seen<Filesystem>)>);

impl Mounts {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&HostName, &Seen<Filesystem>)> {
        self.0.iter().map(|(host, seen)| (host, seen))
    }

    /// The hosts that did not answer, and why.
    pub(super) fn silent(&self) -> impl Iterator<Item = (&HostName, &str)> {
        self.iter()
            .filter_map(|(host, seen)| Some((host, seen.unknown()?)))
    }

    /// Who writes there: the first that answers, mounted yet or not, so that a run does what its plan said before the
    /// mount.
    pub(super) fn writer(&self) -> Option<&HostName> {
        let (host, _) = self.iter().find(|(_, seen)| seen.known().is_some())?;
        Some(host)
    }
}

impl Share {
    pub(super) fn from_args(args: &Args<'_>) -> Self {
        Self {
            path: args.text("share").unwrap_or_default(),
            mounted_before: args.flag("mounted_before"),
            local: args.flag("local"),
        }
    }

    /// Where it is on each host. Who speaks for it is known when all have answered: a kept answer of another would not
    /// be forgotten.
    pub(super) fn look(&self, seen: &Answers<'_>, hosts: &[HostName]) -> Result<Mounts, Need> {
        let mounts = hosts
            .iter()
            .map(|host| (host.clone(), seen.filesystem(host, &*self.path)));
        seen.settle(mounts.collect()).map(Mounts)
    }

    /// Who tells what is there: the first that has it mounted. When nobody has, the first that answers says that nothing is
    /// there yet; but only when all answer, since one that does not may know better.
    pub(super) fn reader<'a>(&self, mounts: &'a Mounts) -> Option<&'a HostName> {
        match self.having(mounts).next() {
            Some(host) => Some(host),
            None if mounts.silent().next().is_none() => mounts.writer(),
            None => None,
        }
    }

    /// The hosts that have it mounted.
    fn having<'a>(&self, mounts: &'a Mounts) -> impl Iterator<Item = &'a HostName> {
        let has = |(_, seen): &(_, &Seen<_>)| matches!(self.mounted(seen), Mounted::Yes);
        mounts.iter().filter(has).map(|(host, _)| host)
    }

    /// Where nothing can be decided about what is there: a host has something else in its place (K1).
    pub(super) fn is_misplaced(&self, mounts: &Mounts) -> bool {
        mounts
            .iter()
            .any(|(_, seen)| matches!(self.mounted(seen), Mounted::No(_)))
    }

    pub(super) fn mounted(&self, seen: &Seen<Filesystem>) -> Mounted {
        match seen {
            Seen::Unknown(why) => Mounted::Silent(why.clone()),
            Seen::Is(_) if self.local => Mounted::Yes,
            Seen::Is(found) => {
                let kinds = SHARED.map(str::to_owned);
                if crate::plan::is_mounted(&found.mount_point, &found.kind, &self.path, &kinds) {
                    Mounted::Yes
                } else if self.mounted_before && found.mount_point != self.path {
                    Mounted::Later
                } else {
                    Mounted::No(format!(
                        "{} is on {} ({})",
                        self.path, found.mount_point, found.kind
                    ))
                }
            }
        }
    }

    /// The step of the writer, which is not done unless the directory is mounted there then.
    pub(super) fn guard(&self, step: Step, mounts: &Mounts) -> Step {
        let Some(host) = mounts.writer() else {
            return step;
        };
        let step = if self.having(mounts).any(|one| one == host) {
            step
        } else if self.having(mounts).next().is_some() {
            step.assume(format!("{} is mounted by then", self.path))
        } else {
            step.assume(format!(
                "{} is mounted by then, and nothing of this is on it",
                self.path
            ))
        };
        if self.local {
            return step;
        }
        let expect = StackExpect::Mounted {
            path: self.path.clone(),
            kinds: SHARED.map(str::to_owned).into(),
        };
        step.need(Claim::new(
            host,
            Query::Filesystem(self.path.clone()),
            Expect::Stack(expect),
        ))
    }

    /// K1: it is not what it should be on these hosts.
    pub(super) fn refuse(&self, evidence: Vec<String>) -> Refusal {
        Refusal {
            code: "K1".to_owned(),
            because: format!(
                "{} is no shared file system on every host, and what is written there would be seen by one host only",
                self.path
            ),
            evidence,
            hint: format!(
                "mount it on each host (`findmnt -T {}` shows what is there); for a test on one host set `shared_dir_is_local: true`",
                self.path
            ),
            reach: Reach::Layer,
        }
    }
}

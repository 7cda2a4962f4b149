//! What a host is below its daemons: names, packages, paths, what starts at boot, firewall. It obeys like EL9.

use provision::plan::{Act, Content, FirewallItem};
use provision::probe::path::Attributes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Folders of an EL9 that has nothing of ours.
const FOLDERS: &[&str] = &[
    "/etc",
    "/etc/yum.repos.d",
    "/etc/dnf/modules.d",
    "/etc/systemd/system",
    "/etc/sudoers.d",
    "/etc/sysconfig",
    "/etc/ssh",
    "/usr/local/libexec",
    "/var/lib",
    "/var/log",
    "/mnt",
    "/data/brick",
];

#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    File {
        bytes: Arc<[u8]>,
        sha256: String,
        attributes: Attributes,
        /// When it was last written, in the cluster's own count of moments.
        at: u64,
    },
    Directory(Attributes),
}

/// A host without its daemons.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub hostname: String,
    pub id: String,
    pub boots: u32,
    pub packages: BTreeMap<String, String>,
    pub paths: BTreeMap<String, Entry>,
    pub enabled: BTreeSet<String>,
    /// Units that are active and nothing else: those of daemons are with their daemons.
    pub active: BTreeSet<String>,
    pub runtime: BTreeSet<FirewallItem>,
    pub permanent: BTreeSet<FirewallItem>,
    pub immutable: BTreeSet<String>,
    /// Whether the repository CRB is switched on.
    pub crb: bool,
}

pub fn attributes(mode: u32, owner: &str) -> Attributes {
    Attributes {
        mode,
        owner: owner.to_owned(),
        group: owner.to_owned(),
    }
}

fn changed(
    now: Attributes,
    mode: Option<u32>,
    owner: Option<&String>,
    group: Option<&String>,
) -> Attributes {
    Attributes {
        mode: mode.unwrap_or(now.mode),
        owner: owner.cloned().unwrap_or(now.owner),
        group: group.cloned().unwrap_or(now.group),
    }
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

impl Machine {
    /// A blank machine.
    pub fn blank(id: String) -> Self {
        let mut machine = Self {
            hostname: "localhost.localdomain".into(),
            boots: 0,
            packages: BTreeMap::new(),
            paths: BTreeMap::new(),
            enabled: BTreeSet::from(["firewalld.service".to_owned()]),
            active: BTreeSet::from(["firewalld.service".to_owned()]),
            runtime: BTreeSet::new(),
            permanent: BTreeSet::new(),
            immutable: BTreeSet::new(),
            crb: false,
            id,
        };
        for folder in FOLDERS {
            machine.folder(folder, 0o755, "root");
        }
        let disk = "LABEL=brick /data/brick xfs defaults 0 0\n";
        machine.file("/etc/hosts", b"127.0.0.1 localhost\n", 0o644, "root", 0);
        machine.file("/etc/fstab", disk.as_bytes(), 0o644, "root", 0);
        let key = format!("ssh-ed25519 KEY-{} root@host\n", machine.id);
        let path = "/etc/ssh/ssh_host_ed25519_key.pub";
        machine.file(path, key.as_bytes(), 0o644, "root", 0);
        machine
    }

    pub fn folder(&mut self, path: &str, mode: u32, owner: &str) {
        let entry = Entry::Directory(attributes(mode, owner));
        self.paths.insert(path.to_owned(), entry);
    }

    pub fn file(&mut self, path: &str, bytes: &[u8], mode: u32, owner: &str, at: u64) {
        self.put(path, bytes, attributes(mode, owner), at);
    }

    fn put(&mut self, path: &str, bytes: &[u8], attributes: Attributes, at: u64) {
        let entry = Entry::File {
            sha256: Content::plain(bytes).sha256(),
            bytes: bytes.into(),
            attributes,
            at,
        };
        self.paths.insert(path.to_owned(), entry);
    }

    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        match self.paths.get(path)? {
            Entry::File { bytes, .. } => Some(bytes),
            Entry::Directory(_) => None,
        }
    }

    pub fn text(&self, path: &str) -> &str {
        self.bytes(path)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    pub fn has(&self, package: &str) -> bool {
        self.packages.contains_key(package)
    }

    /// Takes away what is at a place and below it.
    pub fn clear(&mut self, place: &str) {
        let below = format!("{place}/");
        self.paths
            .retain(|path, _| path != place && !path.starts_with(&below));
    }

    /// Obeys an act on files, the firewall, names and what starts at boot; `None` for any other.
    pub fn obey(&mut self, act: &Act, now: u64) -> Option<Result<(), String>> {
        Some(match act {
            Act::SetHostname(name) => {
                self.hostname.clone_from(name);
                Ok(())
            }
            Act::WriteFile {
                path,
                content,
                before,
                mode,
                owner,
                group,
            } => {
                let is = self.bytes(path);
                if is != before.as_ref().map(|before| &before.bytes[..]) {
                    return Some(Err(format!("{path} is not what it was at the plan")));
                }
                if !matches!(self.paths.get(parent(path)), Some(Entry::Directory(_))) {
                    return Some(Err(format!("{path}: No such file or directory")));
                }
                let kept = match self.paths.get(path) {
                    Some(Entry::File { attributes, .. }) => attributes.clone(),
                    _ => attributes(0o644, "root"),
                };
                let attributes = changed(kept, *mode, owner.as_ref(), group.as_ref());
                self.put(path, &content.bytes, attributes, now);
                Ok(())
            }
            Act::MakeDirectory {
                path,
                mode,
                owner,
                group,
            } => {
                let mut above = parent(path);
                while above != "/" && !self.paths.contains_key(above) {
                    self.folder(above, 0o755, "root");
                    above = parent(above);
                }
                let kept = match self.paths.get(path) {
                    Some(Entry::Directory(kept)) => kept.clone(),
                    Some(Entry::File { .. }) => return Some(Err(format!("{path}: File exists"))),
                    None => attributes(0o755, "root"),
                };
                let kept = changed(kept, *mode, owner.as_ref(), group.as_ref());
                self.paths.insert(path.clone(), Entry::Directory(kept));
                Ok(())
            }
            Act::SetAttributes {
                path,
                mode,
                owner,
                group,
            } => match self.paths.get_mut(path) {
                Some(Entry::File { attributes, .. } | Entry::Directory(attributes)) => {
                    *attributes =
                        changed(attributes.clone(), *mode, owner.as_ref(), group.as_ref());
                    Ok(())
                }
                None => Err(format!("{path}: No such file or directory")),
            },
            Act::RemovePath { path } => {
                self.paths.remove(path);
                Ok(())
            }
            Act::Firewall(change) => {
                for item in &change.items {
                    for (side, wanted) in [
                        (&mut self.runtime, change.runtime),
                        (&mut self.permanent, change.permanent),
                    ] {
                        match (wanted, change.open) {
                            (false, _) => {}
                            (true, true) => drop(side.insert(item.clone())),
                            (true, false) => drop(side.remove(item)),
                        }
                    }
                }
                Ok(())
            }
            _ => return None,
        })
    }

    /// Whether something comes in.
    pub fn opens(&self, port: &str) -> bool {
        self.runtime.contains(&FirewallItem::Port(port.to_owned()))
    }

    pub fn opens_service(&self, name: &str) -> bool {
        self.runtime
            .contains(&FirewallItem::Service(name.to_owned()))
    }
}

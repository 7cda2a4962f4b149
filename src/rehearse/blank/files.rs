//! The few files of a blank machine whose content can be told: names, mounts, and its own new keys.

use crate::inventory::HostName;
use crate::plan;
use crate::probe::PathState;
use crate::probe::path::Content;

/// The file of names.
pub(super) const HOSTS: &str = "/etc/hosts";

/// The file of mounts.
const FSTAB: &str = "/etc/fstab";

/// As EL9's package `setup` brings it.
const NEW_HOSTS: &str = "\
127.0.0.1   localhost localhost.localdomain localhost4 localhost4.localdomain4
::1         localhost localhost.localdomain localhost6 localhost6.localdomain6
";

/// Whether the content of a file on a blank machine can be told.
pub(super) fn is_made(path: &str) -> bool {
    path == HOSTS || path == FSTAB || is_key(path)
}

fn is_key(path: &str) -> bool {
    path.starts_with("/etc/ssh/ssh_host_") && path.ends_with("_key.pub")
}

/// The content of such a file, from what the true host has there.
pub(super) fn made(host: &HostName, path: &str, now: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(now);
    if path == HOSTS {
        return NEW_HOSTS.as_bytes().to_vec();
    }
    if is_key(path) {
        let kind = text.split_whitespace().next().unwrap_or_default();
        return format!("{kind} the-key-that-the-new-{host}-will-have\n").into_bytes();
    }
    let lines = text.lines().filter(|line| {
        let mut words = line.split_whitespace();
        let ours = words
            .nth(2)
            .is_some_and(|kind| kind == "glusterfs" || kind.starts_with("nfs") || kind == "cifs");
        line.starts_with('#') || !ours
    });
    lines
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        .into_bytes()
}

pub(super) fn content(bytes: Vec<u8>) -> Content {
    Content {
        size: bytes.len() as u64,
        bytes,
    }
}

/// What is at its place.
pub(super) fn state(now: PathState, bytes: &[u8]) -> PathState {
    match now {
        PathState::File { attributes, .. } => PathState::File {
            sha256: Some(plan::Content::plain(bytes).sha256()),
            size: bytes.len() as u64,
            attributes,
        },
        other => other,
    }
}

/// Whether a file of names has this one.
pub(super) fn names(hosts: &[u8], name: &str) -> bool {
    let text = String::from_utf8_lossy(hosts);
    text.lines().any(|line| {
        let words = line.split('#').next().unwrap_or_default();
        words.split_whitespace().skip(1).any(|word| word == name)
    })
}

/// What the new file of names says.
pub(super) fn resolves(name: &str) -> Vec<String> {
    if names(NEW_HOSTS.as_bytes(), name) {
        vec!["127.0.0.1".to_owned()]
    } else {
        Vec::new()
    }
}

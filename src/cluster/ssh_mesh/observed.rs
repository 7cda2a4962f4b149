//! What the hosts told of their keys and files.

use super::lines;
use crate::probe::shell::Outcome;
use crate::probe::{PathState, Seen, path};
use serde::Serialize;

/// What is known of one host.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub folder: Seen<PathState>,
    pub private: Seen<PathState>,
    pub public: Seen<Option<path::Content>>,
    pub server: Vec<Seen<Option<path::Content>>>,
    pub authorized: Seen<Option<path::Content>>,
    pub known: Seen<Option<path::Content>>,
    pub authorized_path: Seen<PathState>,
    pub known_path: Seen<PathState>,
    /// Asked only of a mesh whose files are right.
    pub logins: Option<Seen<Outcome>>,
}

/// A public key of a host, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Told {
    Keys(Vec<String>),
    /// It answered, and has none yet.
    None,
    Silent,
}

pub(super) fn bytes(content: &Seen<Option<path::Content>>) -> &[u8] {
    match content {
        Seen::Is(Some(content)) => &content.bytes,
        _ => b"",
    }
}

impl Observed {
    pub fn answered(&self) -> bool {
        self.folder.known().is_some()
            && self.public.known().is_some()
            && self.authorized.known().is_some()
            && self.known.known().is_some()
    }

    pub fn key(&self) -> Told {
        match &self.public {
            Seen::Unknown(_) => Told::Silent,
            Seen::Is(content) => content
                .as_ref()
                .and_then(|content| lines::key(&content.bytes))
                .map_or(Told::None, |key| Told::Keys(vec![key])),
        }
    }

    pub fn server_keys(&self) -> Told {
        if self.server.iter().any(|key| key.known().is_none()) {
            return Told::Silent;
        }
        let keys: Vec<String> = self
            .server
            .iter()
            .filter_map(|key| lines::key(bytes(key)))
            .collect();
        if keys.is_empty() {
            Told::None
        } else {
            Told::Keys(keys)
        }
    }
}

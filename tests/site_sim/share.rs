//! What is on the volume besides the writers' lines: folders, the secret key, certificates; as hosts see it by their mounts.

use super::cluster::Cluster;
use super::gluster::MOUNT;
use super::machine::{Entry, attributes};
use provision::plan::{Act, Content};
use std::collections::BTreeMap;

/// By path.
pub type Files = BTreeMap<String, Entry>;

/// The secret key of the application.
pub const KEY: &str = "/mnt/gluster/var/.secret_key";

const DEAD: &str = "Transport endpoint is not connected";

fn at(entry: &Entry) -> u64 {
    match entry {
        Entry::File { at, .. } => *at,
        Entry::Directory(_) => 0,
    }
}

/// Takes what is newer.
fn heal(files: &mut Files, from: &Files) {
    for (path, entry) in from {
        if files.get(path).is_none_or(|own| at(own) < at(entry)) {
            files.insert(path.clone(), entry.clone());
        }
    }
}

/// Whether a path is on the volume, where that is mounted.
pub fn is_shared(path: &str) -> bool {
    path.strip_prefix(MOUNT)
        .is_some_and(|rest| rest.starts_with('/'))
}

impl Cluster {
    /// What a host sees at a path of the shared directory.
    ///
    /// # Errors
    /// When the volume is mounted and does not answer.
    pub fn shared(&self, h: usize, path: &str) -> Result<Option<&Entry>, String> {
        if !self.gluster[h].mounted {
            return Ok(self.machines[h].paths.get(path));
        }
        if !self.mount_answers(h) {
            return Err(format!("{path}: {DEAD}"));
        }
        let bricks = self.bricks_from(h).into_iter();
        let folders = bricks.filter_map(|b| self.gluster[b].folder.as_ref());
        let found = folders.filter_map(|folder| folder.files.get(path));
        Ok(found.max_by_key(|entry| at(entry)))
    }

    pub fn shared_bytes(&self, h: usize, path: &str) -> Option<&[u8]> {
        match self.shared(h, path).ok()?? {
            Entry::File { bytes, .. } => Some(bytes),
            Entry::Directory(_) => None,
        }
    }

    /// Writes through the mount of a host, or into the folder below it where nothing is mounted.
    ///
    /// # Errors
    /// In the host's words.
    pub fn share(&mut self, h: usize, path: &str, entry: Entry) -> Result<(), String> {
        let (parent, _) = path.rsplit_once('/').unwrap_or_default();
        if !self.gluster[h].mounted {
            let machine = &mut self.machines[h];
            if machine.immutable.contains(MOUNT) {
                return Err(format!("{path}: Operation not permitted"));
            }
            machine.paths.insert(path.to_owned(), entry);
            return Ok(());
        }
        if parent != MOUNT && self.shared(h, parent)?.is_none() {
            return Err(format!("{path}: No such file or directory"));
        }
        if !self.mount_answers(h) {
            return Err(format!("{path}: {DEAD}"));
        }
        for b in self.bricks_from(h) {
            if let Some(folder) = &mut self.gluster[b].folder {
                folder.files.insert(path.to_owned(), entry.clone());
            }
        }
        Ok(())
    }

    pub fn share_file(
        &mut self,
        h: usize,
        path: &str,
        bytes: &[u8],
        mode: u32,
    ) -> Result<(), String> {
        let at = self.moment();
        let entry = Entry::File {
            sha256: Content::plain(bytes).sha256(),
            bytes: bytes.into(),
            attributes: attributes(mode, "root"),
            at,
        };
        self.share(h, path, entry)
    }

    /// Obeys an act on the shared directory; `None` for any other.
    pub fn share_obey(&mut self, h: usize, act: &Act) -> Option<Result<(), String>> {
        match act {
            Act::MakeDirectory { path, mode, .. } if is_shared(path) => {
                let made = Entry::Directory(attributes(mode.unwrap_or(0o755), "root"));
                Some(self.share(h, path, made))
            }
            Act::WriteFile { path, .. } | Act::SetAttributes { path, .. } if is_shared(path) => {
                Some(Err(format!("the simulation does not write {path}")))
            }
            _ => None,
        }
    }

    /// Bricks get what they lack.
    pub fn heal_files(&mut self, h: usize) {
        let others: Vec<usize> = self
            .bricks_from(h)
            .into_iter()
            .filter(|b| *b != h)
            .collect();
        for b in others {
            let Some(from) = self.gluster[b].folder.as_ref() else {
                continue;
            };
            let own = self.gluster[h].folder.as_ref();
            if own.is_none_or(|own| own.volume_id != from.volume_id || own.files == from.files) {
                continue;
            }
            let from = from.files.clone();
            if let Some(folder) = &mut self.gluster[h].folder {
                heal(&mut folder.files, &from);
            }
        }
    }

    /// The key that the bricks hold, whoever reaches them; the newest.
    pub fn kept_key(&self) -> Option<&[u8]> {
        let folders = self.gluster.iter().filter_map(|one| one.folder.as_ref());
        let newest = folders
            .filter_map(|folder| folder.files.get(KEY))
            .max_by_key(|entry| at(entry))?;
        match newest {
            Entry::File { bytes, .. } if !bytes.is_empty() => Some(bytes),
            _ => None,
        }
    }
}

//! What was acknowledged to the writers, and what of it nobody can have any more because disks were lost.

use super::cluster::Cluster;
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub next: u32,
    /// Rows whose commit was acknowledged.
    pub rows: BTreeSet<u32>,
    /// Lines of the shared file that were acknowledged.
    pub lines: BTreeSet<u32>,
    /// What the world, not provision, has destroyed the last copy of.
    pub gone_rows: BTreeSet<u32>,
    pub gone_lines: BTreeSet<u32>,
    /// The secret key that was written last, and whether the world has destroyed its last copy.
    pub key: Option<Vec<u8>>,
    pub key_gone: bool,
    /// Whether the world has destroyed the last copy of the database that the application had filled.
    pub database_gone: bool,
    /// How often another one was written over it.
    pub other_keys: usize,
}

impl Cluster {
    /// A client commits a row through the virtual address, and appends a line on a host's mount.
    pub fn write(&mut self) {
        let id = self.ledger.next;
        self.ledger.next += 1;
        if self.commit(id) {
            self.ledger.rows.insert(id);
        }
        let h = self.rng.below(self.machines.len());
        if self.append(h, id) {
            self.ledger.lines.insert(id);
        }
    }

    /// Rows that some data directory in use holds, whether it runs or not.
    pub fn kept_rows(&self) -> BTreeSet<u32> {
        let data = self.databases.iter().filter_map(|one| one.data.as_ref());
        data.flat_map(|data| data.rows.iter().map(|row| row.id))
            .collect()
    }

    pub fn kept_lines(&self) -> BTreeSet<u32> {
        let folders = self.gluster.iter().filter_map(|one| one.folder.as_ref());
        folders
            .flat_map(|folder| folder.lines.iter().copied())
            .collect()
    }

    /// What was acknowledged and is nowhere any more, neither in use nor kept aside, although the world has not destroyed
    /// it: rows and lines.
    pub fn lost(&self) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let mut rows = self.kept_rows();
        let aside = self.databases.iter().flat_map(|one| &one.aside);
        rows.extend(aside.flat_map(|data| data.rows.iter().map(|row| row.id)));
        let of = |all: &BTreeSet<u32>, gone: &BTreeSet<u32>, kept: &BTreeSet<u32>| {
            let mut lost = all.clone();
            lost.retain(|id| !gone.contains(id) && !kept.contains(id));
            lost
        };
        let ledger = &self.ledger;
        (
            of(&ledger.rows, &ledger.gone_rows, &rows),
            of(&ledger.lines, &ledger.gone_lines, &self.kept_lines()),
        )
    }

    /// After something of the world's own doing: what has no copy left is nobody's fault of ours.
    pub fn settle_losses(&mut self) {
        let (rows, lines) = (self.kept_rows(), self.kept_lines());
        self.ledger.gone_rows = self.ledger.rows.difference(&rows).copied().collect();
        self.ledger.gone_lines = self.ledger.lines.difference(&lines).copied().collect();
        self.ledger.key_gone = self.kept_key().is_none();
        let data = |one: &super::database::Instance| {
            one.data
                .iter()
                .chain(&one.aside)
                .any(|data| data.key.is_some())
        };
        self.ledger.database_gone |= self.ledger.key.is_some() && !self.databases.iter().any(data);
    }
}

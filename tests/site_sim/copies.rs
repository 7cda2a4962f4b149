//! Copies of a primary's data: who may be replaced by one, and how it is made.

use super::cluster::Cluster;
use super::database::{Row, slot_of};
use super::packages::PGDATA;

/// Bytes of a segment of the write-ahead log.
const SEGMENT: u64 = 0x100_0000;

impl Cluster {
    pub fn keep_slot(&mut self, primary: usize, standby: usize) {
        let slot = slot_of(self.name(standby));
        if let Some(data) = &mut self.databases[primary].data {
            data.slots.insert(slot);
        }
    }

    /// `pg_basebackup` beside what is there, then in its place.
    pub fn copy(&mut self, from: usize, to: usize) {
        self.keep_slot(from, to);
        let Some(source) = &mut self.databases[from].data else {
            return;
        };
        source.end = (source.end / SEGMENT + 1) * SEGMENT + 0x28;
        let mut data = source.clone();
        (data.standby, data.upstream) = (true, Some(from));
        data.slots.clear();
        data.state = "in archive recovery".into();
        (data.checkpoint, data.checkpoint_timeline) = (data.end, data.timeline);
        data.min_recovery = data.end;
        let old = self.databases[to].data.replace(data);
        self.databases[to].aside.extend(old);
        self.machines[to].clear(PGDATA);
        self.machines[to].folder(PGDATA, 0o700, "postgres");
        let now = self.moment();
        let below = format!("{PGDATA}/");
        let files = self.machines[from].paths.clone();
        let files = files
            .into_iter()
            .filter(|(path, _)| path.starts_with(&below));
        self.machines[to].paths.extend(files);
        let conf = format!("{PGDATA}/postgresql.conf");
        let include = format!("include_if_exists = '{PGDATA}/myrecovery.conf'\n");
        let mut text = self.machines[to].text(&conf).to_owned();
        if !text.contains(&include) {
            text.push_str(&include);
            self.machines[to].file(&conf, text.as_bytes(), 0o600, "postgres", now);
        }
    }

    /// Whether a stopped host's data may be replaced by a copy of the primary's, as `standby.sh` sees it.
    ///
    /// # Errors
    /// Why not.
    pub fn not_ahead(&self, target: usize, primary: usize) -> Result<(), String> {
        let (Some(own), Some(of)) = (&self.databases[target].data, &self.databases[primary].data)
        else {
            return Ok(());
        };
        if own.system != of.system {
            return Err("is of another cluster: nothing is replaced".into());
        }
        if own.timeline > of.timeline {
            return Err("the target is ahead".into());
        }
        let fork = if own.timeline == of.timeline {
            of.end
        } else {
            let left = of
                .history
                .iter()
                .find(|(timeline, _)| *timeline == own.timeline);
            left.ok_or("is no ancestor")?.1
        };
        let past = |row: &&Row| row.timeline == own.timeline && row.at > fork;
        match own.rows.iter().filter(past).count() {
            0 => Ok(()),
            _ if self.careless => Ok(()),
            commits => Err(format!(
                "has {commits} commits past the fork: a person decides"
            )),
        }
    }
}

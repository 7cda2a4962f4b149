//! What a person has to decide about a key.

use super::{SecretKey, State};
use crate::plan::{Decision, Reach, Refusal};
use crate::probe::Seen;

impl SecretKey {
    /// K4: the database has tables, and there is no key for what is encrypted in them.
    pub(super) fn populated(&self, state: &State) -> Option<Decision> {
        let evidence: Vec<String> = state
            .tables
            .iter()
            .filter_map(|(host, seen)| match seen {
                Seen::Is(Some(count)) if *count > 0 => Some(format!(
                    "{host}: the database {} has {count} tables",
                    self.database
                )),
                _ => None,
            })
            .collect();
        (!evidence.is_empty()).then(|| {
            self.refuse(
                "K4",
                "is missing or empty, but the database has data: with another key the passwords in it could not be read any more",
                evidence,
                "set `secret_key` in the inventory to the key of this database, or bring the file back from a backup",
            )
        })
    }

    /// K3: a host that does not answer may hold the key, or a database with data.
    pub(super) fn silent(&self, state: &State) -> Option<Decision> {
        let shares = state.mounts.silent();
        let tables = state
            .tables
            .iter()
            .filter_map(|(host, seen)| Some((host, seen.unknown()?)));
        let mut evidence: Vec<String> = shares
            .chain(tables)
            .map(|(host, why)| format!("{host}: {why}"))
            .collect();
        evidence.dedup();
        (!evidence.is_empty()).then(|| {
            self.refuse(
                "K3",
                "does not exist, and is made only when every host answers: one that does not may have the database's data",
                evidence,
                "bring the host back and run again, or set `secret_key` to the key of the database",
            )
        })
    }

    pub(super) fn refuse(
        &self,
        code: &str,
        because: &str,
        evidence: Vec<String>,
        hint: &str,
    ) -> Decision {
        Decision {
            refusals: vec![Refusal {
                code: code.to_owned(),
                because: format!("{} {because}", self.path),
                evidence,
                hint: hint.to_owned(),
                reach: Reach::Layer,
            }],
            ..Decision::default()
        }
    }
}

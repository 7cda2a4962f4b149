//! In what services differ from what is declared.

use super::file::Wanted;
use super::table::Table;
use std::collections::{BTreeMap, BTreeSet};

/// The states of an update that did not come to its end.
pub(super) const STOPPED: [&str; 4] = [
    "paused",
    "rollback_paused",
    "rollback_started",
    "rollback_completed",
];

impl Table<'_> {
    /// Services that carry our label, and differ from what it stands for.
    pub(super) fn by_hand(&self, wanted: &[Wanted]) -> Vec<(String, Vec<String>)> {
        let differs = |want: &Wanted| {
            let service = self.services().get(&want.name)?;
            if service.spec != want.spec {
                return None;
            }
            let mut found = Vec::new();
            if service.replicas != want.replicas {
                let count = |count: Option<u64>| {
                    count.map_or("one a node".to_owned(), |count| count.to_string())
                };
                found.push(format!(
                    "{}: {} tasks instead of {}",
                    want.name,
                    count(service.replicas),
                    count(want.replicas)
                ));
            }
            if service.environment != want.environment {
                found.push(format!("{}: another environment", want.name));
            }
            if service.configs != want.configs {
                found.push(format!("{}: other configs", want.name));
            }
            (!found.is_empty()).then(|| (want.name.clone(), found))
        };
        wanted.iter().filter_map(differs).collect()
    }

    /// Services that are not what is declared, and how.
    pub(super) fn stale(&self, wanted: &[Wanted]) -> BTreeMap<String, String> {
        let by_hand: BTreeSet<String> = self
            .by_hand(wanted)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let why = |want: &Wanted| {
            let why = match self.services().get(&want.name) {
                None => "not there",
                Some(service) if service.spec.is_empty() => "deployed by another tool",
                Some(service) if service.spec != want.spec => "declared differently",
                Some(_) if by_hand.contains(&want.name) => "changed by hand",
                // That this is allowed was seen before.
                Some(service) if STOPPED.contains(&&*service.update) => {
                    "with an update that stopped"
                }
                Some(_) => return None,
            };
            Some((want.name.clone(), why.to_owned()))
        };
        wanted.iter().filter_map(why).collect()
    }
}

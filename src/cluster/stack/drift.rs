//! In what services differ from what is declared.

use super::file::Wanted;
use super::table::Table;
use crate::probe::stack::Service;
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
            let mut found = declaration(service, want);
            if service.configs != want.configs {
                found.push("other configs".to_owned());
            }
            let told = |what: String| format!("{}: {what}", want.name);
            let found: Vec<String> = found.into_iter().map(told).collect();
            (!found.is_empty()).then(|| (want.name.clone(), found))
        };
        wanted.iter().filter_map(differs).collect()
    }

    /// A service's name; of one that another tool deployed with what the deployment would change about it. Its configs
    /// are others in any case: ours have a hash in their names.
    pub(super) fn told(&self, name: &str) -> String {
        let declared = self.stack.file.wanted();
        let want = declared.iter().find(|want| want.name == name);
        let service = self.services().get(name);
        let found = match (want, service) {
            (Some(want), Some(service)) if service.spec.is_empty() => {
                let image = (service.image != want.image)
                    .then(|| format!("image {} instead of {}", service.image, want.image));
                let rest = declaration(service, want);
                image.into_iter().chain(rest).collect()
            }
            _ => Vec::new(),
        };
        if found.is_empty() {
            name.to_owned()
        } else {
            format!("{name} (now {})", found.join("; "))
        }
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

/// What a service has that is not declared: the number of its tasks, its environment.
fn declaration(service: &Service, want: &Wanted) -> Vec<String> {
    let mut found = Vec::new();
    if service.replicas != want.replicas {
        let count =
            |count: Option<u64>| count.map_or("one a node".to_owned(), |count| count.to_string());
        found.push(format!(
            "{} tasks instead of {}",
            count(service.replicas),
            count(want.replicas)
        ));
    }
    if service.environment != want.environment {
        found.push("another environment".to_owned());
    }
    found
}

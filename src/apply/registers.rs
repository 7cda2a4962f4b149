//! What tasks registered, and who read it.

use crate::inventory::HostName;
use crate::playbook::{Registered, Val};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError, RwLock};

/// A registered value: the host that it is about, and its name.
pub(super) type RegisterKey = (HostName, String);

/// What tasks registered, by host and name. Shared with the scopes that templates are rendered in.
#[derive(Debug, Default)]
pub struct Registers {
    values: RwLock<BTreeMap<HostName, BTreeMap<String, Val<serde_json::Value>>>>,
    reads: Mutex<BTreeSet<RegisterKey>>,
}

impl Registers {
    /// Keeps a value; says whether it is another one than before.
    pub(super) fn set(&self, host: &HostName, name: &str, value: Val<serde_json::Value>) -> bool {
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        let of_host = values.entry(host.clone()).or_default();
        if of_host.get(name) == Some(&value) {
            return false;
        }
        of_host.insert(name.to_owned(), value);
        true
    }

    /// The values that were read since the last call.
    pub(super) fn take_reads(&self) -> BTreeSet<RegisterKey> {
        std::mem::take(&mut *self.reads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Registered for Registers {
    fn get(&self, host: &HostName, name: &str) -> Option<Val<serde_json::Value>> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        let value = values.get(host)?.get(name)?.clone();
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.insert((host.clone(), name.to_owned()));
        Some(value)
    }
}

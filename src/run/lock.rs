//! One run at a time: a lock on every reachable host, a majority of all needed (ruling 8).

use crate::apply::Remote;
use crate::connection::{Held, LockError};
use crate::inventory::HostName;
use crate::report::{Event, Reporter};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A host lets its lock fall three beats after the last one, and waits as long again for a step that runs:
/// 24 s in all, within the 30 s that a dead holder may block others.
const HEARTBEAT: Duration = Duration::from_secs(4);

/// How often a held lock is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Why the locks could not be had.
pub enum Denied {
    /// Another run holds one.
    Held(String),
    /// Too few hosts could be locked.
    TooFew(String),
}

/// The locks of a run. They fall when it ends, however it ends.
pub struct Locks(BTreeMap<HostName, Held>);

impl Locks {
    /// How many locks are held. Hosts that were never locked do not count.
    pub fn held(&self) -> usize {
        self.0.values().filter(|held| held.is_held()).count()
    }

    /// Releases all, and waits for that.
    pub async fn release(self) {
        join_all(self.0.into_values().map(Held::release)).await;
    }
}

/// Locks all hosts that answer, or says who holds them. `paths` gives the lock file of each host.
///
/// # Errors
/// After `patience`, when another run still holds a lock, or when fewer than a majority could be locked.
pub async fn lock(
    remote: &Remote,
    paths: &BTreeMap<HostName, String>,
    patience: Duration,
    report: &Reporter,
) -> Result<Locks, Denied> {
    let began = Instant::now();
    let mut told = false;
    loop {
        let (locks, holder, failures) = try_all(remote, paths).await;
        match holder {
            None if locks.len() * 2 > paths.len() => return Ok(Locks(locks)),
            None => {
                let text = format!(
                    "only {} of {} hosts could be locked, a majority is needed: {}",
                    locks.len(),
                    paths.len(),
                    failures.join("; ")
                );
                return Err(Denied::TooFew(text));
            }
            Some(holder) => {
                // Two runs that hold half each would wait for each other.
                Locks(locks).release().await;
                if began.elapsed() >= patience {
                    return Err(Denied::Held(holder));
                }
                if !std::mem::replace(&mut told, true) {
                    let text = format!(
                        "waiting up to {} s for another run: {holder}",
                        patience.as_secs()
                    );
                    report.emit(&Event::Lock { text });
                }
                // Two runs that try in step would take half of the locks each, again and again.
                let apart = Duration::from_millis(u64::from(std::process::id() % 1000));
                let rest = patience.saturating_sub(began.elapsed());
                tokio::time::sleep((RETRY + apart).min(rest)).await;
            }
        }
    }
}

async fn try_all(
    remote: &Remote,
    paths: &BTreeMap<HostName, String>,
) -> (BTreeMap<HostName, Held>, Option<String>, Vec<String>) {
    let text = holder();
    let tried = join_all(paths.iter().map(|(host, path)| {
        let text = text.clone();
        async move {
            let Some(session) = remote.session(host).await else {
                return (host.clone(), Err(None));
            };
            (
                host.clone(),
                session
                    .hold_lock(path, &text, HEARTBEAT)
                    .await
                    .map_err(Some),
            )
        }
    }))
    .await;
    let mut locks = BTreeMap::new();
    let mut holder = None;
    let mut failures = Vec::new();
    for (host, result) in tried {
        match result {
            Ok(held) => {
                locks.insert(host, held);
            }
            Err(Some(LockError::Held { holder_text })) => {
                holder = Some(format!("{host}: {}", holder_text.trim()));
            }
            Err(Some(other)) => failures.push(format!("{host}: {other}")),
            Err(None) => failures.push(format!("{host} cannot be reached")),
        }
    }
    (locks, holder, failures)
}

/// Who we are, for those who wait.
fn holder() -> String {
    let name = |variable: &str| std::env::var(variable).ok();
    let user = name("SUDO_USER")
        .or_else(|| name("USER"))
        .unwrap_or_else(|| "somebody".to_owned());
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let since = humantime::format_rfc3339_seconds(std::time::SystemTime::now());
    format!(
        "{user}@{} (pid {}) since {since}",
        machine.trim(),
        std::process::id()
    )
}

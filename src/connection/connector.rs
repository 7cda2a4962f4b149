//! Opens sessions to the hosts of an inventory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::Semaphore;

use super::config::{PINNED_NAME, render};
use super::diagnose::{Offending, last_lines};
use super::link::Link;
use super::master::{LaunchError, Master, UnknownKeys};
use super::{
    Answering, ConnectError, ConnectFailure, Request, Session, Settings, SetupError, Target,
};

/// Between two attempts at a host that may only be slow to come up.
const PAUSE_BEFORE_RETRY: Duration = Duration::from_secs(1);

/// A Unix socket's path has at most 107 bytes, and ssh needs some 50 of them below the directory.
const LONGEST_TEMP_DIR: usize = 50;

/// All the hosts that can be connected to. Holds a private temporary directory with the generated
/// configurations and the control sockets, which is removed when the connector and all its
/// sessions are dropped; so let them be dropped before `std::process::exit`.
pub struct Connector {
    targets: BTreeMap<String, (Target, PathBuf)>,
    settings: Settings,
    directory: Arc<TempDir>,
    handshakes: Semaphore,
    /// Fingerprints of the new keys that a person has accepted, by host.
    accepted: Mutex<BTreeMap<String, String>>,
    /// One writer of known_hosts at a time: `ssh-keygen -R` rewrites the whole file.
    known_hosts: tokio::sync::Mutex<()>,
}

impl Connector {
    /// Writes the configuration of every target. Connects to nothing.
    pub fn new(
        targets: impl IntoIterator<Item = Target>,
        settings: Settings,
    ) -> Result<Self, SetupError> {
        let directory = temp_dir().map_err(SetupError::Directory)?;
        let mut known = BTreeMap::new();
        for (number, target) in targets.into_iter().enumerate() {
            let wrong = |problem| SetupError::Target {
                host: target.name.clone(),
                problem,
            };
            let pinned = match &target.host_key {
                None => None,
                Some(key) => {
                    let path = directory.path().join(format!("key{number}"));
                    let line = pinned_line(key).map_err(wrong)?;
                    std::fs::write(&path, line).map_err(SetupError::Directory)?;
                    Some(path)
                }
            };
            let text = render(&target, &settings, pinned.as_deref()).map_err(wrong)?;
            let path = directory.path().join(format!("ssh_config{number}"));
            std::fs::write(&path, text).map_err(SetupError::Directory)?;
            let name = target.name.clone();
            if known.insert(name.clone(), (target, path)).is_some() {
                let problem = "the host is named twice".into();
                return Err(SetupError::Target {
                    host: name,
                    problem,
                });
            }
        }
        Ok(Self {
            targets: known,
            directory: Arc::new(directory),
            handshakes: Semaphore::new(settings.forks.max(1)),
            accepted: Mutex::default(),
            known_hosts: tokio::sync::Mutex::new(()),
            settings,
        })
    }

    /// From now on, records the key of `host` with this fingerprint, be it unknown or changed, and no other.
    /// For a caller that has shown a person the fingerprint in [`ConnectFailure::UnknownHostKey`] or
    /// [`ConnectFailure::ChangedHostKey`].
    pub fn accept_new_key(&self, host: &str, fingerprint: &str) {
        self.accepted().insert(host.into(), fingerprint.into());
    }

    fn accepted(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.accepted
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Connects to a host and opens its step shell. Call it for all hosts at once: only the number
    /// of handshakes under way is limited.
    pub async fn connect(&self, name: &str) -> Result<Session, ConnectError> {
        let (session, _none) = self.connect_asking(name, Vec::new()).await?;
        Ok(session)
    }

    /// The same, with requests that need not wait until the shell is open, which saves a round
    /// trip. They may be lost with an attempt that fails, so they must only read.
    pub async fn connect_asking(
        &self,
        name: &str,
        first: Vec<Request>,
    ) -> Result<(Session, Vec<Answering>), ConnectError> {
        let Some((target, config)) = self.targets.get(name) else {
            let failure = ConnectFailure::Other {
                said: "it is not among the hosts".into(),
            };
            return Err(ConnectError {
                host: name.into(),
                destination: name.into(),
                failure,
            });
        };
        let error = |failure| ConnectError {
            host: name.into(),
            destination: target.destination(),
            failure,
        };
        let mut retries = self.settings.retries;
        let master = loop {
            match self.handshake(target, config).await {
                Ok(master) => break master,
                Err(failure) if retries > 0 && failure.is_transient() => retries -= 1,
                Err(failure) => return Err(error(failure)),
            }
            tokio::time::sleep(PAUSE_BEFORE_RETRY).await;
        };
        let link = Link::new(target, &self.settings, config.clone(), master);
        Session::open(link, first).await.map_err(error)
    }

    async fn handshake(&self, target: &Target, config: &Path) -> Result<Master, ConnectFailure> {
        let accepted = match target.host_key {
            Some(_) => None,
            None => self.accepted().get(&target.name).cloned(),
        };
        let _one_writer = if accepted.is_some() {
            Some(self.known_hosts.lock().await)
        } else {
            None
        };
        let _permit = self.handshakes.acquire().await;
        let unknown_keys = match &accepted {
            Some(fingerprint) => UnknownKeys::Record(fingerprint),
            None => UnknownKeys::Refuse,
        };
        let launch = || {
            let parent = Arc::clone(&self.directory);
            let (pinned, limit) = (target.host_key.is_some(), self.settings.connect_timeout);
            Master::launch(config, &target.address, parent, unknown_keys, pinned, limit)
        };
        match launch().await {
            // The key on record goes only for the one that was accepted.
            Err(LaunchError {
                offending: Some(old),
                failure: ConnectFailure::ChangedHostKey { fingerprint, .. },
            }) if accepted.as_ref() == Some(&fingerprint) => {
                forget(&old).await?;
                launch().await
            }
            other => other,
        }
        .map_err(|error| error.failure)
    }
}

/// Removes the key on record; ssh-keygen keeps the file before that as `FILE.old`.
async fn forget(old: &Offending) -> Result<(), ConnectFailure> {
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-R", &old.name, "-f", &old.file])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let said = match command.output().await {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => last_lines(&String::from_utf8_lossy(&output.stderr)),
        Err(error) => error.to_string(),
    };
    let said = format!(
        "could not remove the old key of {} from {}: {said}",
        old.name, old.file
    );
    Err(ConnectFailure::Other { said })
}

fn temp_dir() -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("provision-").rand_bytes(6);
    let usual = std::env::temp_dir();
    if usual.as_os_str().len() > LONGEST_TEMP_DIR {
        return builder.tempdir_in("/tmp");
    }
    builder.tempdir_in(usual)
}

/// The known_hosts line of a key given as `TYPE BASE64 [COMMENT]`, or as a known_hosts line with
/// its host names.
fn pinned_line(key: &str) -> Result<String, String> {
    let words: Vec<&str> = key.split_whitespace().collect();
    let is_type = |word: &&str| {
        ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"]
            .iter()
            .any(|start| word.starts_with(start))
    };
    match words.iter().position(is_type) {
        Some(at @ (0 | 1)) if words.len() > at + 1 => {
            Ok(format!("{PINNED_NAME} {} {}\n", words[at], words[at + 1]))
        }
        _ => Err(format!(
            "host_key {key:?} is not a public key such as `ssh-ed25519 AAAA…`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::pinned_line;

    #[test]
    fn a_host_key_is_taken_bare_or_as_a_line_of_known_hosts() {
        let line = "provision-target ssh-ed25519 AAAAC3\n";
        assert_eq!(pinned_line("ssh-ed25519 AAAAC3 root@db1").unwrap(), line);
        assert_eq!(
            pinned_line("db1,10.0.0.5 ssh-ed25519 AAAAC3").unwrap(),
            line
        );
        for wrong in ["", "AAAAC3", "ssh-ed25519", "@revoked * ssh-ed25519 AAAAC3"] {
            assert!(pinned_line(wrong).is_err(), "{wrong}");
        }
    }
}

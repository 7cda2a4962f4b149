//! What all parts of one session share: the connection and how to become privileged over it.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::channel::{self, Channel, Process};
use super::master::Master;
use super::script::Way;
use super::{ConnectFailure, Settings, Target};

/// sshd allows ten channels a connection (MaxSessions); the step shell, a lock and a kill need
/// three.
const UPLOADS_AT_ONCE: usize = 4;

pub(super) struct Link {
    pub(super) target: Target,
    pub(super) config: PathBuf,
    pub(super) master: Master,
    way: OnceLock<Way>,
    /// How long opening a channel may take.
    pub(super) patience: Duration,
    /// How long a dead connection may look alive.
    pub(super) silence: Duration,
    pub(super) uploads: Semaphore,
    /// No fail-stop request may begin any more.
    pub(super) stopped: AtomicBool,
    /// The step shell of the moment.
    pub(super) shell: watch::Sender<Option<Process>>,
}

impl Link {
    pub(super) fn new(
        target: &Target,
        settings: &Settings,
        config: PathBuf,
        master: Master,
    ) -> Self {
        Self {
            target: target.clone(),
            config,
            master,
            way: OnceLock::new(),
            patience: settings.connect_timeout,
            silence: settings.silence(),
            uploads: Semaphore::new(UPLOADS_AT_ONCE),
            stopped: AtomicBool::new(false),
            shell: watch::Sender::new(None),
        }
    }

    /// Runs `body` as the wanted user on a channel of its own.
    pub(super) async fn open(&self, body: &str) -> Result<Channel, ConnectFailure> {
        self.open_with(body, &[]).await
    }

    /// The same, with the beginning of its standard input, which may be sent without waiting.
    pub(super) async fn open_with(
        &self,
        body: &str,
        ahead: &[u8],
    ) -> Result<Channel, ConnectFailure> {
        let way = self.way.get().copied();
        let privilege = &self.target.privilege;
        let (ssh, limit) = (&self.master.ssh, self.patience);
        let channel = channel::open(ssh, privilege, way, body, ahead, limit).await?;
        let _known = self.way.set(channel.way);
        Ok(channel)
    }

    /// Why the connection is gone, in a few words.
    pub(super) fn why_gone(&self, otherwise: &str) -> String {
        let said = self.master.last_words();
        if said.is_empty() {
            otherwise.into()
        } else {
            format!("ssh said: {said}")
        }
    }
}

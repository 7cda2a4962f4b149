//! What the caller says about the hosts: where they are, who to log in as, how to be patient.

use std::path::PathBuf;
use std::time::Duration;

use super::Secret;

/// How to reach one host. Built by the caller from the inventory and the command line.
#[derive(Clone, Debug)]
pub struct Target {
    /// The name in the inventory: used in every message, never for connecting.
    pub name: String,
    /// What `ssh` is given as the destination: a host name, an address, or an alias of the user's
    /// own `~/.ssh/config`, whose `Host` blocks apply.
    pub address: String,
    /// TCP port; `None` leaves it to the user's configuration, then 22.
    pub port: Option<u16>,
    /// Login user; `None` leaves it to the user's configuration, then the local user name.
    pub user: Option<String>,
    /// Private key; when given, no other key is offered.
    pub key_file: Option<PathBuf>,
    /// Lines of ssh_config(5), such as `ProxyCommand lab connect db1`; they win over the user's
    /// own configuration.
    pub options: Vec<String>,
    /// The host's public key (`ssh-ed25519 AAAA…`) from the inventory. When given, it is the only
    /// key that is believed, whatever the known_hosts files say.
    pub host_key: Option<String>,
    /// How commands become privileged there.
    pub privilege: Become,
}

impl Target {
    /// A target with everything but its name and address left to the user's configuration.
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: address.into(),
            port: None,
            user: None,
            key_file: None,
            options: Vec::new(),
            host_key: None,
            privilege: Become::default(),
        }
    }

    /// `user@address port N`, as far as it is known, for messages.
    pub(super) fn destination(&self) -> String {
        let user = self
            .user
            .as_ref()
            .map_or_else(String::new, |u| format!("{u}@"));
        let port = self.port.map_or_else(String::new, |p| format!(" port {p}"));
        format!("{user}{}{port}", self.address)
    }
}

/// Privilege escalation by sudo.
#[derive(Clone, Debug, Default)]
pub struct Become {
    /// Whether commands run through sudo at all. A login as the wanted user needs no sudo, and
    /// none is looked for when root logs in and root is wanted.
    pub enabled: bool,
    /// The user to become; `None` is root.
    pub user: Option<String>,
    /// Sent on sudo's standard input, once, and only to hosts that ask for it.
    pub password: Option<Secret>,
}

impl Become {
    pub(super) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("root")
    }
}

/// What is the same for all hosts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many handshakes may be under way at once. They are bound by this machine's CPU (about
    /// 80 ms each); hosts that are already connected do not count.
    pub forks: usize,
    /// How long one attempt may take, from the TCP connection to the shell's first answer (each
    /// of the two halves, handshake and shell, may take this long).
    pub connect_timeout: Duration,
    /// How often a transient failure (refused, no route, timed out) is tried again, a second
    /// apart.
    pub retries: u32,
    /// Read and written instead of the user's and the system's known_hosts files.
    pub known_hosts: Option<PathBuf>,
    /// ssh asks the host for a sign of life this often …
    pub keepalive_interval: Duration,
    /// … and gives the connection up when this many in a row went unanswered.
    pub keepalive_count: u32,
    /// Configuration files that apply after our own lines.
    pub ssh_config: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            forks: 20,
            connect_timeout: Duration::from_secs(15),
            retries: 0,
            known_hosts: None,
            keepalive_interval: Duration::from_secs(5),
            keepalive_count: 3,
            // `ssh -F` leaves out the system's file as well
            ssh_config: vec!["~/.ssh/config".into(), "/etc/ssh/ssh_config".into()],
        }
    }
}

impl Settings {
    /// How long a dead link can go unnoticed by ssh.
    pub(super) fn silence(&self) -> Duration {
        self.keepalive_interval * (self.keepalive_count + 1)
    }
}

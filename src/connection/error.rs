//! Why a host cannot be connected to, and what to do about it.

use std::fmt;

/// Why a host could not be connected to. Its text names the host, what was attempted, what was
/// said, and what to do next.
#[derive(Clone, Debug)]
pub struct ConnectError {
    /// The inventory name.
    pub host: String,
    /// What was tried: `user@address port N`.
    pub destination: String,
    /// What happened.
    pub failure: ConnectFailure,
}

/// The kinds of failure that call for different actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectFailure {
    /// Nothing listens on the port, or a firewall rejects it.
    Refused,
    /// The network knows no way there.
    NoRoute,
    /// No answer in time; what was being waited for.
    Timeout {
        /// For example `the ssh handshake`.
        waiting_for: String,
    },
    /// The host name is not known to the resolver.
    Resolve,
    /// No known_hosts file knows the host.
    UnknownHostKey {
        /// For example `ssh-ed25519`.
        key_type: String,
        /// `SHA256:…`, as `ssh-keygen -lf` shows it on the host itself.
        fingerprint: String,
    },
    /// The host shows another key than the one on record.
    ChangedHostKey {
        /// For example `ssh-ed25519`.
        key_type: String,
        /// `SHA256:…` of the key that the host shows now.
        fingerprint: String,
        /// Where the old key is on record: `FILE:LINE`, or the inventory.
        known_hosts_line: String,
    },
    /// The host refused every key that was offered.
    KeyRefused {
        /// What ssh said.
        said: String,
    },
    /// sudo wants a password and none was given.
    SudoPasswordWanted,
    /// sudo did not accept the password.
    SudoPasswordWrong,
    /// sudo is missing or does not let this user in.
    SudoRefused {
        /// What sudo said.
        said: String,
    },
    /// The ProxyCommand (or jump host) ended before ssh could speak to the host.
    ProxyCommand {
        /// What it said.
        said: String,
    },
    /// Anything else, in ssh's own words.
    Other {
        /// What was said.
        said: String,
    },
}

impl ConnectFailure {
    /// Whether the same attempt may succeed a moment later with nothing changed by anybody.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Refused | Self::NoRoute | Self::Timeout { .. })
    }
}

impl fmt::Display for ConnectFailure {
    /// What happened, in a clause.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => write!(f, "connection refused"),
            Self::NoRoute => write!(f, "no route to it"),
            Self::Timeout { waiting_for } => write!(f, "timed out while waiting for {waiting_for}"),
            Self::Resolve => write!(f, "the name cannot be resolved"),
            Self::UnknownHostKey {
                key_type,
                fingerprint,
            } => {
                write!(
                    f,
                    "its host key is not known; it shows {key_type} {fingerprint}"
                )
            }
            Self::ChangedHostKey {
                key_type,
                fingerprint,
                known_hosts_line,
            } => write!(
                f,
                "its host key has changed; it now shows {key_type} {fingerprint}, and another key is on record in {known_hosts_line}"
            ),
            Self::KeyRefused { said } => write!(f, "the host refused the login ({said})"),
            Self::SudoPasswordWanted => write!(f, "sudo wants a password"),
            Self::SudoPasswordWrong => write!(f, "sudo did not accept the password"),
            Self::SudoRefused { said } => write!(f, "sudo refused ({said})"),
            Self::ProxyCommand { said } => {
                write!(
                    f,
                    "the ProxyCommand or jump host on the way failed ({said})"
                )
            }
            Self::Other { said } => write!(f, "{said}"),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ConnectFailure as F;
        let Self {
            host,
            destination,
            failure,
        } = self;
        let attempt = match failure {
            F::SudoPasswordWanted | F::SudoPasswordWrong | F::SudoRefused { .. } => {
                "could not become privileged after logging in to"
            }
            _ => "could not connect to",
        };
        write!(
            f,
            "{host}: {attempt} {destination}: {failure}. {}",
            self.advice()
        )
    }
}

impl ConnectError {
    /// What to do next.
    fn advice(&self) -> String {
        use ConnectFailure as F;
        let host = &self.host;
        let words = match &self.failure {
            F::Refused => "Check that sshd runs there, and the port and the firewall.",
            F::NoRoute => {
                "Check the address in the inventory, the network, and that the host is up."
            }
            F::Timeout { .. } => {
                "Check that the host is up and that no firewall drops the packets."
            }
            F::Resolve => {
                "Set ansible_host in the inventory, or repair name resolution on this machine."
            }
            F::UnknownHostKey { .. } => {
                return format!(
                    "Compare that with `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` on the host's console; then run again with `--accept-new-key {host}`, or put host_key into the inventory."
                );
            }
            F::ChangedHostKey {
                known_hosts_line, ..
            } => {
                let then = if known_hosts_line == PINNED_PLACE {
                    "correct host_key in the inventory".to_string()
                } else {
                    format!("run again with `--accept-new-key {host}`")
                };
                return format!(
                    "If the host was reinstalled, compare the fingerprint on its console, then {then}. If it was not, somebody may be intercepting the connection."
                );
            }
            F::KeyRefused { .. } => {
                "Only keys and the agent are tried, never a login password: check the user, the key file, and authorized_keys on the host."
            }
            F::SudoPasswordWanted => {
                "Run again with `--ask-become-pass`, or allow NOPASSWD for this user."
            }
            F::SudoPasswordWrong => {
                "Run again with `--ask-become-pass` and the password of the login user."
            }
            F::SudoRefused { .. } => {
                "Let this user run commands as the wanted user in sudoers on the host."
            }
            F::ProxyCommand { .. } => "Run that command by hand.",
            F::Other { .. } => "`ssh -v` to the same address shows more.",
        };
        words.into()
    }
}

impl std::error::Error for ConnectError {}

/// [`ConnectFailure::ChangedHostKey::known_hosts_line`] of a key given in the inventory.
pub(super) const PINNED_PLACE: &str = "host_key in the inventory";

/// Why connections cannot even be prepared.
#[derive(Debug)]
pub enum SetupError {
    /// What the inventory says about a host cannot be given to ssh.
    Target {
        /// The inventory name.
        host: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The private temporary directory could not be made.
    Directory(std::io::Error),
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target { host, problem } => {
                write!(f, "{host}: {problem}. Correct it in the inventory.")
            }
            Self::Directory(error) => write!(
                f,
                "could not make a temporary directory for the connections: {error}. Set TMPDIR to a directory that can be written to."
            ),
        }
    }
}

impl std::error::Error for SetupError {}

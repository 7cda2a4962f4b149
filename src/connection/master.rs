//! The ssh process that holds one host's connection.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use super::ConnectFailure;
use super::diagnose::{Offending, diagnose, ended, offending};

/// The master leaves by itself when no channel was open for this long, so it does not outlive a
/// program that was killed.
const IDLE_SECONDS: u32 = 15;

/// A live master and the way to open channels through it. Dropping it ends the connection.
pub(super) struct Master {
    pub(super) ssh: Arc<openssh::Session>,
    directory: TempDir,
    /// The fleet's directory, which holds this one and the configuration.
    _parent: Arc<TempDir>,
}

/// What to do with a key that no known_hosts file has.
#[derive(Clone, Copy)]
pub(super) enum UnknownKeys<'a> {
    Refuse,
    /// Record it when it has this fingerprint.
    Record(&'a str),
}

/// Answers ssh's question about an unknown key: with the fingerprint, which ssh itself compares with that of
/// the key it was shown (since OpenSSH 8.0), so that no other key is ever recorded. To anything else that ssh
/// may ask the answer is no.
const ASKPASS: &str = "#!/bin/sh\ncase $1 in *'(yes/no/[fingerprint])'*) printf '%s\\n' \"$PROVISION_FINGERPRINT\" ;; *) echo no ;; esac\n";

pub(super) struct LaunchError {
    pub(super) failure: ConnectFailure,
    pub(super) offending: Option<Offending>,
}

impl Master {
    /// Connects and authenticates. The crate's own builder would do nearly the same, but cannot
    /// end the ssh process when the time is up, discards what a ProxyCommand says, and gives no
    /// access to the log, in which the host's key is.
    pub(super) async fn launch(
        config: &Path,
        address: &str,
        parent: Arc<TempDir>,
        unknown_keys: UnknownKeys<'_>,
        pinned: bool,
        limit: Duration,
    ) -> Result<Self, LaunchError> {
        let plain = |failure| LaunchError {
            failure,
            offending: None,
        };
        let local = |what: &str, error: std::io::Error| {
            plain(ConnectFailure::Other {
                said: format!("{what}: {error}"),
            })
        };
        let directory = tempfile::Builder::new()
            .prefix("h")
            .rand_bytes(6)
            .tempdir_in(parent.path())
            .map_err(|e| local("could not make a directory for the control socket", e))?;
        let path = |name: &str| directory.path().join(name);
        // a file, not a pipe: a ProxyCommand keeps it open as long as the connection lives
        let proxy_said = std::fs::File::create(path("stderr"))
            .map_err(|e| local("could not make a log file", e))?;
        // `-v` puts the host's key into the log, and keeps ssh from discarding what a ProxyCommand
        // says, as it otherwise does for a master (sshconnect.c, ssh_proxy_connect)
        let mut command = Command::new("ssh");
        command
            .arg("-F")
            .arg(config)
            .arg("-E")
            .arg(path("log"))
            .arg("-S")
            .arg(path("master"));
        command.args(["-M", "-N", "-f", "-v"]);
        match unknown_keys {
            UnknownKeys::Refuse => {
                command.args(["-o", "StrictHostKeyChecking=yes"]);
            }
            UnknownKeys::Record(fingerprint) => {
                let program = path("askpass");
                executable(&program, ASKPASS)
                    .map_err(|e| local("could not write a program for ssh", e))?;
                command
                    .env("SSH_ASKPASS", program)
                    .env("SSH_ASKPASS_REQUIRE", "force")
                    .env("PROVISION_FINGERPRINT", fingerprint);
                // in batch mode ssh asks nothing; nothing but the key is to be asked about
                for option in [
                    "StrictHostKeyChecking=ask",
                    "BatchMode=no",
                    "PasswordAuthentication=no",
                    "KbdInteractiveAuthentication=no",
                    "NumberOfPasswordPrompts=1",
                ] {
                    command.args(["-o", option]);
                }
            }
        }
        command.args([
            "-o",
            &format!("ControlPersist={IDLE_SECONDS}"),
            "--",
            address,
        ]);
        command
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(proxy_said);
        // not in our process group: an interrupt at the terminal is ours to handle
        command.process_group(0).kill_on_drop(true);
        let status = match timeout(limit, command.status()).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => return Err(local("could not run `ssh`", error)),
            Err(_elapsed) => {
                let waiting_for = "the ssh handshake".into();
                return Err(plain(ConnectFailure::Timeout { waiting_for }));
            }
        };
        if !status.success() {
            let read = |name| {
                String::from_utf8_lossy(&std::fs::read(path(name)).unwrap_or_default()).into_owned()
            };
            let log = read("log");
            let failure = diagnose(&log, &read("stderr"), pinned);
            return Err(LaunchError {
                failure,
                offending: offending(&log),
            });
        }
        let ssh = openssh::Session::resume_mux(path("master").into_boxed_path(), None);
        Ok(Self {
            ssh: Arc::new(ssh),
            directory,
            _parent: parent,
        })
    }

    /// What ssh last said about the connection, for telling why it is gone.
    pub(super) fn last_words(&self) -> String {
        let log = std::fs::read(self.directory.path().join("log")).unwrap_or_default();
        ended(&String::from_utf8_lossy(&log))
    }

    /// Ends the connection at once, whatever still runs over it. Blocks for a moment at most: the
    /// master is a local process.
    pub(super) fn terminate(&self) {
        let _gone_already = terminate(&self.directory.path().join("master"));
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        self.terminate();
    }
}

fn executable(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o700)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// Speaks the mux protocol (PROTOCOL.mux in OpenSSH) for the one message that the client crate
/// does not have. Its "stop listening" would leave the master running as long as a hung command
/// holds a channel.
fn terminate(socket: &PathBuf) -> std::io::Result<()> {
    const HELLO: u32 = 1;
    const VERSION: u32 = 4;
    const TERMINATE: u32 = 0x1000_0005;
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.set_write_timeout(Some(Duration::from_secs(1)))?;
    let mut message = Vec::new();
    for word in [8, HELLO, VERSION, 8, TERMINATE, 0] {
        message.extend_from_slice(&u32::to_be_bytes(word));
    }
    stream.write_all(&message)?;
    // hello, the answer, and the end of the stream: the master has closed the connection by then
    let mut answer = Vec::new();
    stream.take(1024).read_to_end(&mut answer)?;
    Ok(())
}

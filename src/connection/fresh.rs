//! Proof that a new login works, independent of the connection that is already open.

use std::io::{Read, Seek};
use std::process::Stdio;

use tempfile::{NamedTempFile, tempfile};
use tokio::process::Command;
use tokio::time::timeout;

use super::diagnose::diagnose;
use super::link::Link;
use super::{ConnectError, ConnectFailure, Session};

impl Session {
    /// Opens a new TCP and ssh connection to the host, by the same way, and runs `true` there.
    ///
    /// For changes that can lock us out (firewall, sshd): the open connection survives them, so
    /// only a new one proves anything.
    pub async fn check_fresh_login(&self) -> Result<(), ConnectError> {
        let link = &self.link;
        let failure = match new_login(link).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        Err(ConnectError {
            host: link.target.name.clone(),
            destination: link.target.destination(),
            failure,
        })
    }
}

async fn new_login(link: &Link) -> Result<(), ConnectFailure> {
    let local = |error: std::io::Error| ConnectFailure::Other {
        said: format!("could not run `ssh`: {error}"),
    };
    // files, not pipes: what a ProxyCommand leaves behind may keep them open
    let (mut log, mut stderr) = (
        NamedTempFile::new().map_err(local)?,
        tempfile().map_err(local)?,
    );
    let mut command = Command::new("ssh");
    command
        .arg("-F")
        .arg(&link.config)
        .arg("-E")
        .arg(log.path());
    command.args([
        "-o",
        "ControlMaster=no",
        "-o",
        "ControlPath=none",
        "-o",
        "LogLevel=DEBUG1",
    ]);
    command.args([
        "-o",
        "StrictHostKeyChecking=yes",
        "-T",
        "--",
        &link.target.address,
        "true",
    ]);
    command
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
        .stderr(stderr.try_clone().map_err(local)?)
        .process_group(0)
        .kill_on_drop(true);
    match timeout(link.patience, command.status()).await {
        Ok(Ok(status)) if status.success() => return Ok(()),
        Ok(Ok(_failed)) => {}
        Ok(Err(error)) => return Err(local(error)),
        Err(_elapsed) => {
            return Err(ConnectFailure::Timeout {
                waiting_for: "a new login".into(),
            });
        }
    }
    let (mut logged, mut said) = (Vec::new(), Vec::new());
    log.read_to_end(&mut logged).map_err(local)?;
    stderr
        .rewind()
        .and_then(|()| stderr.read_to_end(&mut said))
        .map_err(local)?;
    let (logged, said) = (
        String::from_utf8_lossy(&logged),
        String::from_utf8_lossy(&said),
    );
    Err(diagnose(&logged, &said, link.target.host_key.is_some()))
}

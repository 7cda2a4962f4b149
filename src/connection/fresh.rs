//! Proof that a new login works, independent of the connection that is already open.

use std::process::Stdio;

use tokio::process::Command;
use tokio::time::timeout;

use super::diagnose::diagnose;
use super::{ConnectError, ConnectFailure, Session};

impl Session {
    /// Opens a new TCP and ssh connection to the host, by the same way, and runs `true` there.
    ///
    /// For changes that can lock us out (firewall, sshd): the open connection survives them, so
    /// only a new one proves anything.
    pub async fn check_fresh_login(&self) -> Result<(), ConnectError> {
        let link = &self.link;
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&link.config);
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
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let failure = match timeout(link.patience, command.output()).await {
            Ok(Ok(output)) if output.status.success() => return Ok(()),
            Ok(Ok(output)) => {
                let log = String::from_utf8_lossy(&output.stderr);
                diagnose(&log, "", link.target.host_key.is_some())
            }
            Ok(Err(error)) => ConnectFailure::Other {
                said: format!("could not run `ssh`: {error}"),
            },
            Err(_elapsed) => ConnectFailure::Timeout {
                waiting_for: "a new login".into(),
            },
        };
        Err(ConnectError {
            host: link.target.name.clone(),
            destination: link.target.destination(),
            failure,
        })
    }
}

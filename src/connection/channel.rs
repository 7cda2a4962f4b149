//! Opens one privileged process on a host, up to the moment when it is known to run.

use std::sync::Arc;
use std::time::Duration;

use openssh::{ChildStderr, ChildStdin, ChildStdout, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::opening::{Next, Opening, Ready};
use super::script::{self, Way};
use super::{Become, ConnectFailure};

/// A process on the host that has said that it is ready.
pub(super) struct Channel {
    /// Keeps the channel open; it is closed when this is dropped.
    pub(super) child: openssh::Child<Arc<openssh::Session>>,
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
    /// What was read behind the ready lines.
    pub(super) early: (Vec<u8>, Vec<u8>),
    /// How much of what was to go ahead is on its way.
    pub(super) sent: usize,
    pub(super) process: Process,
    pub(super) way: Way,
    /// Whether its shell is bash.
    pub(super) bash: bool,
}

/// A process on the host, named so that it cannot be confused with a later one of the same pid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// Start time in clock ticks since boot.
    pub(super) start: String,
}

/// A fresh random word of 128 bits.
pub(super) fn nonce() -> Result<String, ConnectFailure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| ConnectFailure::Other {
        said: format!("no random numbers: {e}"),
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Runs `body` (see [`script::open`]) and waits until it says that it is ready, at most `limit`.
///
/// `ahead` is for its standard input. It is sent without waiting, which saves a round trip, unless
/// sudo could take it for the password: with none to give, a sudo that wants one ends the attempt
/// in any case, and one that wants none does not read.
pub(super) async fn open(
    ssh: &Arc<openssh::Session>,
    privilege: &Become,
    way: Option<Way>,
    body: &str,
    ahead: &[u8],
    limit: Duration,
) -> Result<Channel, ConnectFailure> {
    let waiting_for = "the shell".into();
    timeout(limit, open_unbounded(ssh, privilege, way, body, ahead))
        .await
        .unwrap_or(Err(ConnectFailure::Timeout { waiting_for }))
}

async fn open_unbounded(
    ssh: &Arc<openssh::Session>,
    privilege: &Become,
    way: Option<Way>,
    body: &str,
    ahead: &[u8],
) -> Result<Channel, ConnectFailure> {
    let nonce = nonce()?;
    let other = |said: String| ConnectFailure::Other { said };
    // raw: the text is a whole command line, quoted by script::open
    let mut command = openssh::Session::to_raw_command(
        Arc::clone(ssh),
        script::open(&nonce, privilege, way, body),
    );
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .await
        .map_err(|e| other(format!("could not open a channel: {e}")))?;
    let streams = (
        child.stdin().take(),
        child.stdout().take(),
        child.stderr().take(),
    );
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) = streams else {
        return Err(other("the channel has no streams".into()));
    };
    let mut opening = Opening::new(&nonce);
    if way == Some(Way::SudoPassword) {
        send_password(&mut stdin, "", privilege).await?;
        opening.asked = true;
    }
    let may_ask = match way {
        None => privilege.enabled && privilege.password.is_some(),
        Some(way) => way == Way::SudoPassword,
    };
    let mut ahead = if may_ask { &[][..] } else { ahead };
    let mut sent = 0;
    let (mut out, mut err) = ([0; 4096], [0; 4096]);
    let mut err_ended = false;
    loop {
        let ended = tokio::select! {
            written = stdin.write(ahead), if !ahead.is_empty() => {
                // a process that reads no more says why on the other streams
                let n = written.unwrap_or(0);
                sent += n;
                ahead = if n == 0 { &[] } else { &ahead[n..] };
                continue;
            }
            n = stdout.read(&mut out) => {
                let n = n.unwrap_or(0);
                opening.out.extend_from_slice(&out[..n]);
                n == 0
            }
            n = stderr.read(&mut err), if !err_ended => {
                let n = n.unwrap_or(0);
                opening.err.extend_from_slice(&err[..n]);
                err_ended = n == 0;
                false
            }
        };
        if ended {
            // the reason may still be on its way on the other stream
            let _late = timeout(Duration::from_secs(1), stderr.read_to_end(&mut opening.err)).await;
        }
        match opening.next(ended) {
            Next::Wait => {}
            Next::SendPassword => send_password(&mut stdin, "go\n", privilege).await?,
            Next::Fail(failure) => return Err(failure),
            Next::Ready(ready) => {
                let Ready {
                    way,
                    process,
                    bash,
                    early,
                } = ready;
                return Ok(Channel {
                    child,
                    stdin,
                    stdout,
                    stderr,
                    early,
                    sent,
                    process,
                    way,
                    bash,
                });
            }
        }
    }
}

/// The only place where the password leaves this program.
async fn send_password(
    stdin: &mut ChildStdin,
    before: &str,
    privilege: &Become,
) -> Result<(), ConnectFailure> {
    let Some(password) = &privilege.password else {
        return Err(ConnectFailure::SudoPasswordWanted);
    };
    let line = format!("{before}{}\n", password.expose());
    let sent = stdin.write_all(line.as_bytes()).await;
    sent.map_err(|e| ConnectFailure::Other {
        said: format!("could not send the password: {e}"),
    })
}

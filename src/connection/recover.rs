//! What happens to a shell that hangs or ended, and to the requests that were behind it.
//!
//! The rules, which [`super::Session::send`] promises:
//! - the request that hung is answered with [`Lost::Deadline`], one whose shell ended under it with
//!   [`Lost::Shell`];
//! - a request behind it that may run at any time is sent again to a new shell: it has not run, or
//!   it reads only;
//! - a fail-stop request behind it comes back as skipped when it is certain that it never ran,
//!   that is when its shell is seen to be dead and it was not next in line; else as
//!   [`Lost::Shell`]. Either way its generation counts as failed.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::link::Link;
use super::shell::Shell;
use super::{Lost, Output, script};

/// Why the shell cannot be used any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Hung,
    Ended,
}

/// Gives up `old` and opens a new shell with the requests that may still run. Answers all others.
/// Fails, with all answered, when the connection is gone. Ends in bounded time.
pub(super) async fn replace(
    link: &Link,
    mut old: Shell,
    trouble: Trouble,
) -> Result<Shell, String> {
    link.shell.send_replace(None);
    let head = old.jobs.front().map(|job| job.number);
    let dead = match kill(link, &old).await {
        Ok(dead) => dead,
        Err(reason) => return Err(give_up(old, reason)),
    };
    old.drain(Duration::from_secs(1)).await;
    let mut failed = old.failed;
    let mut again = Vec::new();
    for (place, job) in std::mem::take(&mut old.jobs).into_iter().enumerate() {
        let was_running = Some(job.number) == head;
        if !was_running && job.generation == 0 {
            again.push(job);
            continue;
        }
        failed = failed.max(job.generation);
        let deadline = job.request.deadline;
        job.answer(match (was_running, trouble) {
            (true, Trouble::Hung) => Err(Lost::Deadline(deadline)),
            (true, Trouble::Ended) => Err(Lost::Shell("it ended under this command".into())),
            (false, _) if dead && place > 0 => Ok(Output {
                skipped: true,
                ..Output::default()
            }),
            (false, _) => Err(Lost::Shell(
                "it was given up when this command was next".into(),
            )),
        });
    }
    old.jobs.extend(again);
    let mut fresh = match Shell::open(link, Vec::new()).await {
        Ok(fresh) => fresh,
        Err(failure) => {
            let reason = link.why_gone(&format!("no new shell: {failure}"));
            return Err(give_up(old, reason));
        }
    };
    fresh.failed = failed;
    for job in old.jobs {
        fresh.enqueue(job);
    }
    link.shell.send_replace(Some(fresh.process.clone()));
    Ok(fresh)
}

/// Ends the old shell and what it runs, over a channel of its own. Says whether it is dead for
/// certain; fails when the host does not answer any more.
async fn kill(link: &Link, old: &Shell) -> Result<bool, String> {
    let body = script::kill_shell(old.process.pid, &old.process.start);
    let asked = async {
        let mut channel = link
            .open(&body)
            .await
            .map_err(|failure| failure.to_string())?;
        let mut said = std::mem::take(&mut channel.early.0);
        channel
            .stdout
            .read_to_end(&mut said)
            .await
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(said.starts_with(b"dead"))
    };
    match timeout(
        link.silence.max(link.patience) + Duration::from_secs(3),
        asked,
    )
    .await
    {
        Ok(Ok(dead)) => Ok(dead),
        Ok(Err(otherwise)) => Err(link.why_gone(&otherwise)),
        Err(_elapsed) => Err(link.why_gone("the host does not answer")),
    }
}

fn give_up(old: Shell, reason: String) -> String {
    for job in old.jobs {
        job.answer(Err(Lost::Gone(reason.clone())));
    }
    reason
}

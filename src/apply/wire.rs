//! Questions and acts as requests, and answers as replies.

use super::fleet::Done;
use crate::connection::{Output, Request, Session};
use crate::plan::{Act, Phase};
use crate::probe::ask::{Ask, Reply};
use crate::probe::path::CONTENT_LIMIT;
use crate::probe::{Answer, Query, Seen};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How much standard input rides along with a request; more goes through a session of its own.
const INLINE_STDIN: usize = 64 << 10;

/// Bytes in a second below which a line is of no use: an upload may take its request's own time, and that.
const SLOWEST: u64 = 32 << 10;

/// The one request of an act that needs no more.
pub(super) fn simple(act: &Act) -> Option<Request> {
    if act.late().is_some() {
        return None;
    }
    let mut phases = act.phases(None).into_iter();
    match (phases.next(), phases.next()) {
        (
            Some(Phase::Run {
                script,
                stdin,
                deadline,
            }),
            None,
        ) if stdin
            .as_ref()
            .is_none_or(|stdin| stdin.len() <= INLINE_STDIN) =>
        {
            Some(Request {
                deadline,
                stdin,
                fail_stop: true,
                ..Request::new(script)
            })
        }
        _ => None,
    }
}

/// Brings a large standard input over by a session of its own, into a private file that the script removes.
pub(super) async fn spool(
    session: &Session,
    script: String,
    stdin: Option<Vec<u8>>,
    deadline: Duration,
) -> Result<(String, Option<Vec<u8>>), Done> {
    let content = match stdin {
        Some(content) if content.len() > INLINE_STDIN => content,
        other => return Ok((script, other)),
    };
    let nonce = format!("{:x}-{}", unix_time().to_bits(), content.len());
    let path = format!("/tmp/.provision-{nonce}");
    let deadline = deadline + Duration::from_secs(content.len() as u64 / SLOWEST);
    match session.upload(&path, 0o600, content, deadline).await {
        Ok(output) if output.status == 0 => {
            let script = format!("(\n{script}\n) <{path}\ns=$?\nrm -f {path}\nexit $s");
            Ok((script, None))
        }
        Ok(output) => Err(Done::Failed {
            status: output.status,
            said: said(&output),
        }),
        Err(lost) => Err(Done::Lost(lost.to_string())),
    }
}

pub(super) fn request_of(ask: &Ask) -> Request {
    // A batch of contents is the largest answer there is.
    let stdout_limit = ask
        .queries
        .len()
        .saturating_mul(CONTENT_LIMIT)
        .saturating_add(1 << 20);
    Request {
        deadline: ask.deadline,
        stdout_limit,
        ..Request::new(ask.script.clone())
    }
}

pub(super) fn reply(output: Output, sent_s: f64) -> Reply {
    Reply {
        status: output.status,
        stdout: output.stdout,
        stderr: output.stderr,
        sent_s,
        received_s: unix_time(),
    }
}

pub(super) fn silent(queries: &[Query], why: &str) -> Vec<(Query, Seen<Answer>)> {
    queries
        .iter()
        .map(|query| (query.clone(), Seen::Unknown(why.to_owned())))
        .collect()
}

/// Standard error, after standard output where that says something.
pub(super) fn said(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    [stdout.trim(), stderr.trim()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

pub(super) fn unix_time() -> f64 {
    since_epoch(SystemTime::now())
}

/// Unix seconds.
pub(super) fn since_epoch(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

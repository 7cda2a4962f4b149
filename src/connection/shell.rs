//! The step shell of one host: requests go in, answers come out, in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use openssh::{ChildStderr, ChildStdin, ChildStdout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::channel::{self, Channel, Process};
use super::frame::{Frame, Keep, Scanner, encode};
use super::link::Link;
use super::{ConnectFailure, Lost, Output, Request, script};

/// How much of a request's standard error is kept: its end, where the reason is.
const STDERR_KEPT: usize = 64 * 1024;

/// A request and who waits for its answer.
pub(super) struct Job {
    pub(super) number: u64,
    /// 0: runs whatever happened before.
    pub(super) generation: u64,
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Result<Output, Lost>>,
}

impl Job {
    /// The text for the shell; see [`encode`].
    fn encode(&self, exact: bool) -> Vec<u8> {
        let Request { script, stdin, .. } = &self.request;
        let stdin = stdin.as_deref();
        encode(self.number, self.generation, script, stdin, exact)
    }

    pub(super) fn answer(self, answer: Result<Output, Lost>) {
        // nobody waits any more: then nobody misses it
        let _unwanted = self.reply.send(answer);
    }
}

/// What became of waiting.
pub(super) enum Heard {
    /// Bytes went in or out.
    Something,
    /// The request at the head did not end in time.
    Deadline,
    /// The shell ended, or spoke nonsense.
    Ended,
}

pub(super) struct Shell {
    pub(super) process: Process,
    _child: openssh::Child<Arc<openssh::Session>>,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
    bash: bool,
    outbox: VecDeque<u8>,
    out: Scanner,
    err: Scanner,
    out_frames: VecDeque<Frame>,
    err_frames: VecDeque<Frame>,
    /// Written or in the outbox, not yet answered; only the first can be running.
    pub(super) jobs: VecDeque<Job>,
    /// Since when the first job is the first.
    head_since: Instant,
    /// The last generation of which a request has failed.
    pub(super) failed: u64,
    out_buffer: Vec<u8>,
    err_buffer: Vec<u8>,
}

impl Shell {
    /// Opens it with its first requests, none of them fail-stop. They go ahead with the opening.
    pub(super) async fn open(link: &Link, first: Vec<Job>) -> Result<Self, ConnectFailure> {
        let nonce = channel::nonce()?;
        let mut ahead = script::prelude(&nonce).into_bytes();
        for job in &first {
            // what shell will read it is not known yet
            ahead.extend(job.encode(false));
        }
        let opened = link.open_with(script::STEP_SHELL, &ahead).await?;
        let Channel {
            child,
            stdin,
            stdout,
            stderr,
            early,
            sent,
            process,
            bash,
            ..
        } = opened;
        let mut shell = Self {
            process,
            _child: child,
            stdin,
            stdout,
            stderr,
            bash,
            outbox: ahead.split_off(sent).into(),
            out: Scanner::new(&nonce),
            err: Scanner::new(&nonce),
            out_frames: VecDeque::new(),
            err_frames: VecDeque::new(),
            jobs: first.into(),
            head_since: Instant::now(),
            failed: 0,
            out_buffer: vec![0; 64 * 1024],
            err_buffer: vec![0; 64 * 1024],
        };
        shell.hear_out(&early.0);
        if let Heard::Ended = shell.hear_err(&early.1) {
            let said = "the new shell gave an answer that does not fit the question".into();
            return Err(ConnectFailure::Other { said });
        }
        Ok(shell)
    }

    pub(super) fn enqueue(&mut self, job: Job) {
        if self.jobs.is_empty() {
            self.head_since = Instant::now();
        }
        self.outbox.extend(job.encode(self.bash));
        self.jobs.push_back(job);
    }

    /// Writes and reads until something happens. Cancel-safe.
    pub(super) async fn turn(&mut self) -> Heard {
        let deadline = self
            .jobs
            .front()
            .map(|job| self.head_since + job.request.deadline);
        let (pending, _) = self.outbox.as_slices();
        let has_pending = !pending.is_empty();
        tokio::select! {
            written = self.stdin.write(pending), if has_pending => match written {
                Ok(n) if n > 0 => {
                    self.outbox.drain(..n);
                    Heard::Something
                }
                _ => Heard::Ended,
            },
            read = self.stdout.read(&mut self.out_buffer) => match read {
                Ok(n) if n > 0 => self.heard_out(n),
                _ => Heard::Ended,
            },
            read = self.stderr.read(&mut self.err_buffer) => match read {
                Ok(n) if n > 0 => self.heard_err(n),
                _ => Heard::Ended,
            },
            () = until(deadline) => Heard::Deadline,
        }
    }

    fn heard_out(&mut self, n: usize) -> Heard {
        let buffer = std::mem::take(&mut self.out_buffer);
        let heard = self.hear_out(&buffer[..n]);
        self.out_buffer = buffer;
        heard
    }

    fn heard_err(&mut self, n: usize) -> Heard {
        let buffer = std::mem::take(&mut self.err_buffer);
        let heard = self.hear_err(&buffer[..n]);
        self.err_buffer = buffer;
        heard
    }

    fn hear_out(&mut self, bytes: &[u8]) -> Heard {
        let (jobs, waiting) = (&self.jobs, self.out_frames.len());
        let keep = |ahead: usize| {
            Keep::First(
                jobs.get(waiting + ahead)
                    .map_or(0, |job| job.request.stdout_limit),
            )
        };
        let frames = self.out.feed(bytes, keep);
        self.out_frames.extend(frames);
        self.settle()
    }

    fn hear_err(&mut self, bytes: &[u8]) -> Heard {
        let frames = self.err.feed(bytes, |_| Keep::Last(STDERR_KEPT));
        self.err_frames.extend(frames);
        self.settle()
    }

    /// Answers every request whose two markers have come.
    fn settle(&mut self) -> Heard {
        while let (Some(out), Some(err)) = (self.out_frames.front(), self.err_frames.front()) {
            let Some(job) = self.jobs.front() else {
                return Heard::Ended;
            };
            let number = job.number.to_string();
            let Some((said_number, status)) = out.words.split_once(' ') else {
                return Heard::Ended;
            };
            let skipped = status == "skipped";
            let status = if skipped {
                Ok(0)
            } else {
                status.parse::<i32>()
            };
            let (true, true, Ok(status)) = (said_number == number, err.words == number, status)
            else {
                return Heard::Ended;
            };
            let (Some(out), Some(err), Some(job)) = (
                self.out_frames.pop_front(),
                self.err_frames.pop_front(),
                self.jobs.pop_front(),
            ) else {
                return Heard::Ended;
            };
            if status != 0 && job.generation != 0 {
                self.failed = job.generation;
            }
            self.head_since = Instant::now();
            let truncated = out.truncated || err.truncated;
            let (stdout, stderr) = (out.body, err.body);
            job.answer(Ok(Output {
                status,
                stdout,
                stderr,
                truncated,
                skipped,
            }));
        }
        Heard::Something
    }

    /// Reads what is left after the shell was ended, so that what it did answer counts.
    pub(super) async fn drain(&mut self, limit: Duration) {
        self.outbox.clear();
        let until = Instant::now() + limit;
        // both streams end separately; a job's deadline no longer matters
        let (mut out_open, mut err_open) = (true, true);
        while out_open || err_open {
            tokio::select! {
                read = self.stdout.read(&mut self.out_buffer), if out_open => match read {
                    Ok(n) if n > 0 => drop(self.heard_out(n)),
                    _ => out_open = false,
                },
                read = self.stderr.read(&mut self.err_buffer), if err_open => match read {
                    Ok(n) if n > 0 => drop(self.heard_err(n)),
                    _ => err_open = false,
                },
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

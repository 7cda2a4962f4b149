//! One host's session, as its users see it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::io::AsyncReadExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::link::Link;
use super::shell::{Job, Shell};
use super::{ConnectFailure, Lost, driver, script};

/// Something to run on a host.
#[derive(Clone)]
pub struct Request {
    /// A POSIX shell text. It runs in a subshell, in `/`, with umask 022, `LC_ALL=C`, `HOSTNAME`
    /// set and every sbin directory in `PATH`. A process that it leaves behind must not keep its
    /// standard output, or what that process says appears in later answers.
    pub script: String,
    /// How long it may run, counted from when the request before it ended.
    pub deadline: Duration,
    /// How many bytes of standard output are kept (its beginning); the rest is read and dropped.
    pub stdout_limit: usize,
    /// Whether this request and the later fail-stop ones of the same [`Session::begin`] depend on
    /// each other: when one fails, the later ones do nothing and come back as skipped.
    pub fail_stop: bool,
    /// Standard input, any bytes; `None` is `/dev/null`. Meant for up to some 100 kB: see
    /// [`Session::upload`].
    pub stdin: Option<Vec<u8>>,
}

impl Request {
    /// A request with a minute to run, 1 MiB of output, nothing on its standard input, and no
    /// dependence on others.
    pub fn new(script: impl Into<String>) -> Self {
        Self {
            script: script.into(),
            deadline: Duration::from_secs(60),
            stdout_limit: 1 << 20,
            fail_stop: false,
            stdin: None,
        }
    }
}

/// What a request answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit status; 128+N when signal N ended it.
    pub status: i32,
    /// The first [`Request::stdout_limit`] bytes of standard output.
    pub stdout: Vec<u8>,
    /// The last 64 to 128 KiB of standard error.
    pub stderr: Vec<u8>,
    /// Whether any of the two is not all of it.
    pub truncated: bool,
    /// An earlier fail-stop request failed, so this one did nothing.
    pub skipped: bool,
}

/// A connected host with its step shell.
///
/// Needs a tokio runtime with time and I/O, current-thread or not; all futures are `Send`.
/// Dropping a session ends its connection, without waiting for what still runs.
pub struct Session {
    pub(super) link: Arc<Link>,
    jobs: mpsc::UnboundedSender<Job>,
    driver: JoinHandle<()>,
    opened_at: SystemTime,
    /// Starts at 1: on the wire, 0 means "not fail-stop".
    generation: AtomicU64,
    number: AtomicU64,
}

/// The answer to a request, once it is there.
pub type Answering = Pin<Box<dyn Future<Output = Result<Output, Lost>> + Send>>;

impl Session {
    /// Opens the shell, and sends the `first` requests without waiting for it. Where that cannot be
    /// (see [`super::Connector::connect_asking`]) they are sent as any other.
    pub(super) async fn open(
        link: Link,
        first: Vec<Request>,
    ) -> Result<(Self, Vec<Answering>), ConnectFailure> {
        let opened_at = SystemTime::now();
        let goes_ahead = |request: &Request| !request.fail_stop && !request.script.contains('\0');
        let (ahead, rest) = match first.iter().all(goes_ahead) {
            true => (first, Vec::new()),
            false => (Vec::new(), first),
        };
        let (mut sent, mut answers) = (Vec::new(), Vec::new());
        for (number, request) in (1..).zip(ahead) {
            let (reply, answer) = oneshot::channel();
            answers.push(answering(answer));
            sent.push(Job {
                number,
                generation: 0,
                request,
                reply,
            });
        }
        let number = AtomicU64::new(1 + sent.len() as u64);
        let shell = Shell::open(&link, sent).await?;
        link.shell.send_replace(Some(shell.process.clone()));
        let link = Arc::new(link);
        let (jobs, receiver) = mpsc::unbounded_channel();
        let driver = tokio::spawn(driver::run(Arc::clone(&link), shell, receiver));
        let session = Self {
            link,
            jobs,
            driver,
            opened_at,
            generation: AtomicU64::new(1),
            number,
        };
        answers.extend(rest.into_iter().map(|request| session.send(request)));
        Ok((session, answers))
    }

    /// The inventory name of the host.
    pub fn host(&self) -> &str {
        &self.link.target.name
    }

    /// When the opening of the shell began: no request was sent before.
    pub fn opened_at(&self) -> SystemTime {
        self.opened_at
    }

    /// Starts a new chain of fail-stop requests: what failed before no longer matters.
    pub fn begin(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Queues a request at once; requests run in the order of the calls, and are written to the
    /// host without waiting for earlier answers. The future only waits for the answer; dropping
    /// it takes nothing back.
    ///
    /// Every request is answered in bounded time:
    /// - one that hangs is answered with [`Lost::Deadline`] and its shell is given up. Requests
    ///   behind it that are not fail-stop are sent again to a new shell (they may then have been
    ///   begun twice, so they must only read); fail-stop ones come back as skipped when they
    ///   certainly did not run, else as [`Lost::Shell`], and their chain counts as failed;
    /// - when the link is cut, ssh notices after [`super::Settings::keepalive_interval`] ×
    ///   [`super::Settings::keepalive_count`], and all that is pending is [`Lost::Gone`].
    pub fn send(&self, request: Request) -> Answering {
        let (reply, answer) = oneshot::channel();
        let generation = if request.fail_stop {
            self.generation.load(Ordering::Relaxed)
        } else {
            0
        };
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let _closed = self.jobs.send(Job {
            number,
            generation,
            request,
            reply,
        });
        answering(answer)
    }

    /// For good, lets no further fail-stop request begin, not even one that the host has already
    /// been sent: each comes back as skipped. What runs goes on to its end, and other requests are
    /// served as before. For an interrupted run.
    pub async fn stop(&self) -> Result<(), Lost> {
        let link = &self.link;
        link.stopped.store(true, Ordering::Relaxed);
        // a shell that is being replaced: its successor is sent no fail-stop requests
        let Some(process) = link.shell.borrow().clone() else {
            return Ok(());
        };
        let gone = |said: String| Lost::Gone(link.why_gone(&said));
        let body = script::stop_shell(process.pid, &process.start);
        let mut channel = link.open(&body).await.map_err(|e| gone(e.to_string()))?;
        let mut said = std::mem::take(&mut channel.early.0);
        let told = timeout(link.patience, channel.stdout.read_to_end(&mut said)).await;
        match told {
            Ok(Ok(_)) if said.starts_with(b"told") => Ok(()),
            Ok(_) => Err(Lost::Shell("it could not be told to stop".into())),
            Err(_elapsed) => Err(Lost::Deadline(link.patience)),
        }
    }

    /// Ends the connection. What still runs is not waited for; its answer is [`Lost::Gone`].
    pub async fn close(self) {
        drop(self.jobs);
        // it only fails if the driver panicked, and then the connection is dropped all the same
        let _ended = self.driver.await;
    }
}

fn answering(answer: oneshot::Receiver<Result<Output, Lost>>) -> Answering {
    Box::pin(async move {
        answer
            .await
            .unwrap_or_else(|_| Err(Lost::Gone("the session was closed".into())))
    })
}

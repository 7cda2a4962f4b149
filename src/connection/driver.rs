//! The task that owns a session's step shell: the only place that writes to it or replaces it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc::UnboundedReceiver;

use super::link::Link;
use super::recover::{Trouble, replace};
use super::shell::{Heard, Job, Shell};
use super::{Lost, Output};

/// Serves requests until every sender is gone, then ends the connection.
pub(super) async fn run(link: Arc<Link>, mut shell: Shell, mut jobs: UnboundedReceiver<Job>) {
    let gone = loop {
        let heard = tokio::select! {
            job = jobs.recv() => match job {
                Some(job) => {
                    accept(&link, &mut shell, job);
                    continue;
                }
                None => break "the session was closed".to_string(),
            },
            heard = shell.turn() => heard,
        };
        let trouble = match heard {
            Heard::Something => continue,
            Heard::Deadline => Trouble::Hung,
            Heard::Ended => Trouble::Ended,
        };
        match replace(&link, shell, trouble).await {
            Ok(fresh) => shell = fresh,
            Err(reason) => return bury(&link, jobs, &reason).await,
        }
    };
    for job in shell.jobs.drain(..) {
        job.answer(Err(Lost::Gone(gone.clone())));
    }
    link.master.terminate();
}

fn accept(link: &Link, shell: &mut Shell, job: Job) {
    let stopped = job.generation == shell.failed || link.stopped.load(Ordering::Relaxed);
    if job.generation != 0 && stopped {
        return job.answer(Ok(Output {
            skipped: true,
            ..Output::default()
        }));
    }
    if job.request.script.contains('\0') {
        if job.generation != 0 {
            shell.failed = job.generation;
        }
        let stderr = b"the script was not sent: it contains a NUL byte".to_vec();
        return job.answer(Ok(Output {
            status: 2,
            stderr,
            ..Output::default()
        }));
    }
    shell.enqueue(job);
}

/// The connection is gone: every further request learns why, at once.
async fn bury(link: &Link, mut jobs: UnboundedReceiver<Job>, reason: &str) {
    link.master.terminate();
    while let Some(job) = jobs.recv().await {
        job.answer(Err(Lost::Gone(reason.into())));
    }
}

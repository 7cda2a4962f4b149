//! The lock of a host: held by a process there, for as long as we are seen to be alive.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::channel::Channel;
use super::link::Link;
use super::{LockError, Lost, Session, script};

/// The lock falls when the heartbeat is late by this many beats.
const BEATS_UNTIL_LATE: f64 = 3.0;

/// A lock that is held. Dropping it releases the lock.
pub struct Held {
    release: Option<oneshot::Sender<()>>,
    fallen: watch::Receiver<bool>,
    beating: JoinHandle<()>,
}

impl Held {
    /// Whether the lock is still held, as far as is known here.
    pub fn is_held(&self) -> bool {
        !*self.fallen.borrow()
    }

    /// Waits until the lock has fallen without being released (the connection or the process that
    /// holds it is gone). Nothing may be changed on the host after that.
    pub async fn fallen(&self) {
        let mut fallen = self.fallen.clone();
        let _ended = fallen.wait_for(|fallen| *fallen).await;
    }

    /// Releases the lock and waits, for a moment at most, until that is done.
    pub async fn release(mut self) {
        drop(self.release.take());
        let _ended = (&mut self.beating).await;
    }
}

impl Session {
    /// Takes the lock `path` (flock(2)) on the host, or says who has it. `holder_text` (who, since
    /// when, from where) is what others are told.
    ///
    /// A process of its own holds it and wants a heartbeat every `heartbeat_every` (10 s is
    /// usual). When that is late by three beats, or the connection ends, it kills the step shell
    /// first, waits as long again for a step that is under way, and then lets the lock fall.
    pub async fn hold_lock(
        &self,
        path: &str,
        holder_text: &str,
        heartbeat_every: Duration,
    ) -> Result<Held, LockError> {
        let gone = |said: String| LockError::Lost(Lost::Gone(self.link.why_gone(&said)));
        let late = heartbeat_every.as_secs_f64() * BEATS_UNTIL_LATE;
        let body = script::hold_lock(path, holder_text, late);
        let mut channel = self
            .link
            .open(&body)
            .await
            .map_err(|e| gone(e.to_string()))?;
        let mut said = std::mem::take(&mut channel.early.0);
        let answer = async {
            // the answer is one line, or all there is
            while !said.starts_with(b"locked\n") && channel.stdout.read_buf(&mut said).await? > 0 {}
            Ok::<_, std::io::Error>(())
        };
        match timeout(self.link.silence.max(self.link.patience), answer).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(gone(error.to_string())),
            Err(_elapsed) => return Err(gone("no answer about the lock".into())),
        }
        if said.starts_with(b"locked\n") {
            let (release, released) = oneshot::channel();
            let (falling, fallen) = watch::channel(false);
            let link = Arc::clone(&self.link);
            let beating = tokio::spawn(async move {
                if !beat(&link, channel, heartbeat_every, released).await {
                    falling.send_replace(true);
                }
            });
            return Ok(Held {
                release: Some(release),
                fallen,
                beating,
            });
        }
        if let Some(holder) = said.strip_prefix(b"held\n") {
            let holder_text = String::from_utf8_lossy(holder).trim().to_string();
            return Err(LockError::Held { holder_text });
        }
        let mut err = std::mem::take(&mut channel.early.1);
        let _late = timeout(Duration::from_secs(1), channel.stderr.read_to_end(&mut err)).await;
        let said = String::from_utf8_lossy(&err).trim().to_string();
        if said.is_empty() {
            Err(gone("no answer about the lock".into()))
        } else {
            Err(LockError::Failed { said })
        }
    }
}

/// Sends heartbeats until the lock is released (true) or has fallen (false).
async fn beat(
    link: &Link,
    mut channel: Channel,
    every: Duration,
    mut released: oneshot::Receiver<()>,
) -> bool {
    let mut shell = link.shell.subscribe();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut noise = Vec::new();
    let freed = loop {
        tokio::select! {
            _ = &mut released => break true,
            _ = ticks.tick() => {}
            // a new step shell must be named before it runs anything for long
            changed = shell.changed() => if changed.is_err() { break false },
            ended = channel.stdout.read_buf(&mut noise) => {
                if ended.is_ok_and(|n| n > 0) { noise.clear() } else { break false }
            }
        }
        let line = match &*shell.borrow_and_update() {
            Some(process) => format!("beat {} {}\n", process.pid, process.start),
            None => "beat\n".into(),
        };
        // a beat that cannot be written is late soon enough: the holder decides
        let _late = timeout(every, channel.stdin.write_all(line.as_bytes())).await;
    };
    if freed {
        let release = async {
            channel.stdin.write_all(b"release\n").await?;
            channel.stdout.read_to_end(&mut noise).await
        };
        let _late = timeout(Duration::from_secs(5), release).await;
    }
    freed
}

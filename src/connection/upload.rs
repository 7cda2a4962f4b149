//! Large or binary content goes over a channel of its own.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Lost, Output, Session, script};

/// No progress for this long, and the upload is given up. Syncing a slow disk counts.
const STALLED: Duration = Duration::from_secs(120);

const CHUNK: usize = 256 * 1024;

impl Session {
    /// Writes `content` to the new file `path_of_temporary` (removing one of that name), with
    /// the given permission bits, synced to disk. Runs beside the step shell's requests, as the
    /// same user; up to four at once.
    ///
    /// The caller names a path beside the final one and renames it afterwards. Status 0 means that
    /// the whole content is stored. `deadline` is for all of it, also for the wait for its turn; a host that
    /// takes nothing any more is given up before.
    pub async fn upload(
        &self,
        path_of_temporary: &str,
        mode: u32,
        content: Vec<u8>,
        deadline: Duration,
    ) -> Result<Output, Lost> {
        let uploading = self.store(path_of_temporary, mode, content);
        let timed = timeout(deadline, uploading).await;
        timed.unwrap_or(Err(Lost::Deadline(deadline)))
    }

    async fn store(
        &self,
        path_of_temporary: &str,
        mode: u32,
        content: Vec<u8>,
    ) -> Result<Output, Lost> {
        let link = &self.link;
        let gone = |said: String| Lost::Gone(link.why_gone(&said));
        let _permit = link
            .uploads
            .acquire()
            .await
            .map_err(|e| gone(e.to_string()))?;
        let body = script::upload(path_of_temporary, mode, content.len());
        let channel = link.open(&body).await.map_err(|e| gone(e.to_string()))?;
        let _open = channel.child;
        let (mut stdin, mut stdout, mut stderr) = (channel.stdin, channel.stdout, channel.stderr);
        let write = async move {
            for chunk in content.chunks(CHUNK) {
                match timeout(STALLED, stdin.write_all(chunk)).await {
                    Ok(Ok(())) => {}
                    // the host no longer reads: it says why on the other streams
                    Ok(Err(_broken_pipe)) => return true,
                    Err(_elapsed) => return false,
                }
            }
            true
        };
        let (mut out, mut err) = channel.early;
        let read = async {
            let (out, err) = (stdout.read_to_end(&mut out), stderr.read_to_end(&mut err));
            tokio::try_join!(out, err).is_ok()
        };
        let all = async {
            tokio::pin!(read);
            tokio::select! {
                written = write => written && timeout(STALLED, read).await.unwrap_or(false),
                ended = &mut read => ended,
            }
        };
        if !all.await {
            return Err(Lost::Deadline(STALLED));
        }
        let stored = out.ends_with(b"stored\n");
        if !stored && err.is_empty() {
            return Err(gone("the upload ended without a word".into()));
        }
        Ok(Output {
            status: i32::from(!stored),
            stderr: err,
            ..Output::default()
        })
    }
}

//! Acts that need more than one request, and how a request ended.

use super::Remote;
use crate::apply::fleet::Done;
use crate::apply::wire::{said, spool};
use crate::connection::{Lost, Output, Request, Session};
use crate::inventory::HostName;
use crate::plan::{Act, Late, Phase};

impl Remote {
    /// An act that needs more than one request: a secret, a fresh login, or much content.
    pub(super) async fn act_in_phases(
        &self,
        host: &HostName,
        session: &Session,
        act: &Act,
    ) -> Done {
        let late = match act.late() {
            None => None,
            Some(late) => match self.fetch(&late).await {
                Ok(secret) => Some(secret),
                Err(said) => return Done::Failed { status: -1, said },
            },
        };
        for phase in act.phases(late.as_deref()) {
            let done = match phase {
                Phase::FreshLogin => match session.check_fresh_login().await {
                    Ok(()) => Done::Ok,
                    Err(error) => Done::Failed {
                        status: -1,
                        said: format!(
                            "after this change no new login succeeds, so it is left to revert by itself: {error}"
                        ),
                    },
                },
                Phase::FeedFile {
                    script,
                    file,
                    deadline,
                } => {
                    let content = match tokio::fs::read(&file).await {
                        Ok(content) => content,
                        Err(error) => {
                            return Done::Failed {
                                status: -1,
                                said: format!("{file} on this machine cannot be read: {error}"),
                            };
                        }
                    };
                    let (script, stdin) =
                        match spool(session, script, Some(content), deadline).await {
                            Ok(ready) => ready,
                            Err(done) => return done,
                        };
                    let request = Request {
                        deadline,
                        stdin,
                        ..Request::new(script)
                    };
                    self.done(host, session.send(request).await)
                }
                Phase::Run {
                    script,
                    stdin,
                    deadline,
                } => {
                    let (script, stdin) = match spool(session, script, stdin, deadline).await {
                        Ok(ready) => ready,
                        Err(done) => return done,
                    };
                    let request = Request {
                        deadline,
                        stdin,
                        ..Request::new(script)
                    };
                    self.done(host, session.send(request).await)
                }
            };
            if done != Done::Ok {
                return done;
            }
        }
        Done::Ok
    }

    /// Asks for a secret just before it is needed. It is held in memory only.
    async fn fetch(&self, late: &Late) -> Result<String, String> {
        let from = match late {
            Late::JoinToken { from, .. } => from,
            Late::Certificates(request) => return crate::apply::certify::make(request),
        };
        let mut said = "no manager answers".to_owned();
        for host in from {
            let Some(session) = self.session(host).await else {
                continue;
            };
            match session.send(Request::new(late.script())).await {
                Ok(output) if output.status == 0 => {
                    return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
                }
                Ok(output) => {
                    said = format!("{host}: {}", String::from_utf8_lossy(&output.stderr).trim());
                }
                Err(lost) => said = format!("{host}: {lost}"),
            }
        }
        Err(format!("the join token could not be had: {said}"))
    }

    pub(super) fn done(&self, host: &HostName, answer: Result<Output, Lost>) -> Done {
        match answer {
            Ok(output) if output.skipped => Done::Skipped,
            Ok(output) if output.status == 0 => Done::Ok,
            Ok(output) => Done::Failed {
                status: output.status,
                said: said(&output),
            },
            Err(lost) => {
                self.gone(host, &lost);
                Done::Lost(lost.to_string())
            }
        }
    }
}

//! The hosts over SSH: questions and acts become requests to each host's one shell.

mod phases;

use super::Fleet;
use super::fleet::Done;
use super::wire::{reply, request_of, said, silent, simple, since_epoch, unix_time};
use crate::connection::{
    Answering, ConnectError, ConnectFailure, Connector, Lost, Request, Session,
};
use crate::inventory::HostName;
use crate::plan::Act;
use crate::probe::ask::{Ask, lower};
use crate::probe::{Answer, Query, Seen};
use futures_util::future::join_all;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use tokio::sync::OnceCell;

/// Shows an unknown or changed host key, and says whether it is to be believed.
pub type AskKey = Box<dyn Fn(&ConnectError) -> bool>;

/// The hosts over SSH.
pub struct Remote {
    connector: Connector,
    sessions: BTreeMap<HostName, OnceCell<Option<Rc<Session>>>>,
    down: RefCell<BTreeMap<HostName, String>>,
    ask_key: Option<AskKey>,
    /// One question about a key at a time.
    asking: tokio::sync::Mutex<()>,
}

impl Remote {
    /// No connection is opened before the first question.
    pub fn new(
        connector: Connector,
        hosts: impl IntoIterator<Item = HostName>,
        ask_key: Option<AskKey>,
    ) -> Self {
        Self {
            connector,
            sessions: hosts
                .into_iter()
                .map(|host| (host, OnceCell::new()))
                .collect(),
            down: RefCell::default(),
            ask_key,
            asking: tokio::sync::Mutex::new(()),
        }
    }

    /// The session of a host, connecting when there is none yet; `None` when it cannot be reached.
    pub async fn session(&self, host: &HostName) -> Option<Rc<Session>> {
        let (session, _none) = self.session_asking(host, Vec::new()).await?;
        Some(session)
    }

    /// The same, with requests that only read. When the host is not connected yet, they go along with the
    /// opening of its shell.
    async fn session_asking(
        &self,
        host: &HostName,
        first: Vec<Request>,
    ) -> Option<(Rc<Session>, Vec<Answering>)> {
        if self.down.borrow().contains_key(host) {
            return None;
        }
        let cell = self.sessions.get(host)?;
        let mut answers = None;
        let (sent, requests) = (&mut answers, &first);
        let open = cell.get_or_init(|| async move {
            match self.connect(host, requests).await {
                Ok((session, answering)) => {
                    *sent = Some(answering);
                    Some(Rc::new(session))
                }
                Err(error) => {
                    let why = error.to_string();
                    let prefix = format!("{host}: ");
                    // Every message that quotes it names the host already.
                    let why = why.strip_prefix(&prefix).unwrap_or(&why).to_owned();
                    self.down.borrow_mut().insert(host.clone(), why);
                    None
                }
            }
        });
        let session = open.await.clone()?;
        let answers = answers.unwrap_or_else(|| {
            first
                .into_iter()
                .map(|request| session.send(request))
                .collect()
        });
        Some((session, answers))
    }

    async fn connect(
        &self,
        host: &HostName,
        first: &[Request],
    ) -> Result<(Session, Vec<Answering>), ConnectError> {
        let connect = || self.connector.connect_asking(host.as_str(), first.to_vec());
        let error = match connect().await {
            Ok(connected) => return Ok(connected),
            Err(error) => error,
        };
        let (
            ConnectFailure::UnknownHostKey { fingerprint, .. }
            | ConnectFailure::ChangedHostKey { fingerprint, .. },
            Some(ask),
        ) = (&error.failure, &self.ask_key)
        else {
            return Err(error);
        };
        let one_at_a_time = self.asking.lock().await;
        let accepted = ask(&error);
        drop(one_at_a_time);
        if !accepted {
            return Err(error);
        }
        self.connector.accept_new_key(host.as_str(), fingerprint);
        connect().await
    }

    /// Sets the fail-stop flag on all hosts: acts that were sent ahead and have not begun do nothing.
    pub async fn stop(&self) {
        let open = self
            .sessions
            .values()
            .filter_map(|cell| cell.get().cloned().flatten());
        // A host that cannot be told any more does nothing more either.
        join_all(open.map(|session| async move { session.stop().await })).await;
    }

    /// Ends all connections that were opened.
    pub async fn close(self) {
        let open = self
            .sessions
            .into_values()
            .filter_map(|cell| cell.into_inner().flatten());
        let ended = open
            .filter_map(|session| Rc::try_unwrap(session).ok())
            .map(Session::close);
        join_all(ended).await;
    }

    fn gone(&self, host: &HostName, lost: &Lost) {
        if let Lost::Gone(_) = lost {
            self.down
                .borrow_mut()
                .entry(host.clone())
                .or_insert_with(|| lost.to_string());
        }
    }

    /// Reads the answers in order; what was asked at once and hung is asked one by one.
    async fn read(
        &self,
        host: &HostName,
        session: &Session,
        sent: Vec<(Answering, Ask)>,
        sent_s: f64,
    ) -> Vec<(Query, Seen<Answer>)> {
        let mut answers = Vec::new();
        let mut hung = Vec::new();
        for (answer, ask) in sent {
            match answer.await {
                Ok(output) => answers.extend(ask.read(&reply(output, sent_s))),
                Err(Lost::Deadline(_)) if ask.queries.len() > 1 => hung.extend(ask.apart()),
                Err(lost) => {
                    self.gone(host, &lost);
                    answers.extend(silent(&ask.queries, &lost.to_string()));
                }
            }
        }
        for ask in hung {
            let sent_s = unix_time();
            match session.send(request_of(&ask)).await {
                Ok(output) => answers.extend(ask.read(&reply(output, sent_s))),
                Err(lost) => {
                    self.gone(host, &lost);
                    answers.extend(silent(&ask.queries, &lost.to_string()));
                }
            }
        }
        answers
    }

    /// Runs a script of a check on a host, with this on its standard input; what it printed.
    ///
    /// # Errors
    /// What the host said, or why it did not answer.
    pub async fn check(
        &self,
        host: &HostName,
        script: String,
        stdin: Vec<u8>,
    ) -> Result<String, String> {
        let Some(session) = self.session(host).await else {
            return Err(self.unreachable(host).unwrap_or_default());
        };
        let request = Request {
            deadline: std::time::Duration::from_secs(60),
            stdin: Some(stdin),
            ..Request::new(script)
        };
        match session.send(request).await {
            Ok(output) if output.status == 0 => {
                Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
            }
            Ok(output) => Err(said(&output)),
            Err(lost) => Err(lost.to_string()),
        }
    }
}

impl Fleet for Remote {
    async fn ask(&self, host: &HostName, queries: BTreeSet<Query>) -> Vec<(Query, Seen<Answer>)> {
        let asks = lower(&queries);
        let sent_s = unix_time();
        let first = asks.iter().map(request_of).collect();
        match self.session_asking(host, first).await {
            Some((session, answers)) => {
                let sent = answers.into_iter().zip(asks).collect();
                // what went ahead was not sent before the connection was there
                let opened_s = since_epoch(session.opened_at());
                self.read(host, &session, sent, sent_s.max(opened_s)).await
            }
            None => {
                let why = self
                    .unreachable(host)
                    .unwrap_or_else(|| "it cannot be reached".to_owned());
                silent(&queries.into_iter().collect::<Vec<_>>(), &why)
            }
        }
    }

    async fn act(&self, host: &HostName, acts: Vec<Act>, mut each: impl FnMut(Done)) {
        let Some(session) = self.session(host).await else {
            let why = self.unreachable(host).unwrap_or_default();
            return acts.iter().for_each(|_| each(Done::Lost(why.clone())));
        };
        session.begin();
        let mut failed = false;
        let mut tell = |done: Done| {
            failed |= done != Done::Ok;
            each(done);
            failed
        };
        let mut sent = Vec::new();
        for (number, act) in (1..).zip(&acts) {
            if let Some(request) = simple(act) {
                sent.push(session.send(request));
                continue;
            }
            let mut failed = false;
            for answer in std::mem::take(&mut sent) {
                failed = tell(self.done(host, answer.await));
            }
            let done = match failed {
                true => Done::Skipped,
                false => self.act_in_phases(host, &session, act).await,
            };
            if tell(done) {
                acts[number..].iter().for_each(|_| _ = tell(Done::Skipped));
                return;
            }
        }
        for answer in sent {
            tell(self.done(host, answer.await));
        }
    }

    fn unreachable(&self, host: &HostName) -> Option<String> {
        self.down.borrow().get(host).cloned()
    }
}

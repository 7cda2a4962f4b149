//! `secret_key`: the key that the application encrypts the passwords in its database with.
//!
//! An empty file means a new database: the application writes a key into it. With a database that has data
//! an empty file would cost all stored passwords. It is made only where nothing is, and never overwritten.

mod refuse;

use super::share::{LOCAL, MOUNTED_BEFORE, Mounts, SHARE, Share};
use crate::inventory::HostName;
use crate::module::{Args, Context, Module, Unfit};
use crate::plan::{
    Act, Claim, Class, Content, Decision, Expect, Reach, StackAct, StackExpect, Step, StepId, Wait,
};
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::{Answers, Need, PathState, Query, Seen};

/// How long the application may take between its first table and its key, in seconds.
const WRITTEN_S: u64 = 60;

/// A secret key.
#[derive(Clone, Debug)]
pub struct SecretKey {
    share: Share,
    hosts: Vec<HostName>,
    path: String,
    secret: Option<Content>,
    database: String,
    database_hosts: Vec<HostName>,
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub struct State {
    mounts: Mounts,
    /// What is at its path, and the host that tells.
    key: Option<(HostName, Seen<PathState>)>,
    tables: Vec<(HostName, Seen<Option<u64>>)>,
}

impl Module for SecretKey {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "secret_key",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            SHARE,
            MOUNTED_BEFORE,
            LOCAL,
            ArgSpec {
                name: "path",
                kind: ArgKind::Path,
                required: true,
                default: None,
                doc: "The file.",
            },
            ArgSpec {
                name: "key",
                kind: ArgKind::Text,
                required: false,
                default: None,
                doc: "The key of an existing database, exactly; without it an empty file is made for a new one.",
            },
            ArgSpec {
                name: "database",
                kind: ArgKind::Text,
                required: false,
                default: Some("kompira"),
                doc: "Name of the application's database.",
            },
            ArgSpec {
                name: "database_hosts",
                kind: ArgKind::List(&ArgKind::Text),
                required: false,
                default: None,
                doc: "Hosts that run PostgreSQL: they are asked whether the database has tables already.",
            },
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let secret = args.text("key").filter(|key| !key.is_empty());
        if secret
            .as_ref()
            .is_some_and(|key| key.contains(['\n', '\r']))
        {
            return Err(args.wrong_at("key", "the key has a line break, which no key has"));
        }
        Ok(Self {
            share: Share::from_args(args),
            hosts: context.group.to_vec(),
            path: args.required("path")?,
            secret: secret.map(|key| Content {
                bytes: key.into_bytes(),
                secret: true,
            }),
            database: args.text("database").unwrap_or_default(),
            database_hosts: args
                .list("database_hosts")
                .iter()
                .map(|name| HostName::new(&**name))
                .collect(),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<State, Need> {
        let mounts = self.share.look(seen, &self.hosts)?;
        let reader = self.share.reader(&mounts);
        let key = reader.map(|host| (host.clone(), seen.path(host, &*self.path)));
        // Only while it matters: a key that is there is the key.
        let filled = matches!(&key, Some((_, Seen::Is(PathState::File { size, .. }))) if *size > 0);
        let asked: &[HostName] = if filled { &[] } else { &self.database_hosts };
        let tables = asked
            .iter()
            .map(|host| (host.clone(), seen.tables(host, &*self.database)))
            .collect();
        seen.settle(State {
            mounts,
            key,
            tables,
        })
    }

    fn plan(&self, state: &State) -> Decision {
        let Some((host, Seen::Is(path))) = &state.key else {
            return Decision::default();
        };
        let Some(writer) = state.mounts.writer() else {
            return Decision::default();
        };
        // The mount check of `shared_dir` has refused it already.
        if self.share.is_misplaced(&state.mounts) {
            return Decision::default();
        }
        match (path, &self.secret) {
            (PathState::File { sha256, size, .. }, Some(secret)) if *size > 0 => {
                if sha256.as_ref() == Some(&secret.sha256()) {
                    Decision::default()
                } else {
                    self.refuse("K5", "holds another key than the inventory gives, and no key is ever overwritten: what was encrypted with it would be lost", vec![format!("{host}: {} has {size} bytes", self.path)], "find out which of the two is the database's own; remove `secret_key` from the inventory to keep the one that is there")
                }
            }
            (PathState::File { size, .. }, None) if *size > 0 => Decision::default(),
            (PathState::File { size, .. }, Some(secret)) if *size == 0 => {
                let act = Act::WriteFile {
                    path: self.path.clone(),
                    content: secret.clone(),
                    before: Some(Content {
                        bytes: Vec::new(),
                        secret: true,
                    }),
                    mode: None,
                    owner: None,
                    group: None,
                };
                let id = StepId::new(&["secret_key", "fill", self.path.trim_start_matches('/')]);
                let why = "it is empty, and the inventory has the key of the database";
                let step = Step::new(id, writer, Class::Repair, why, act);
                step_only(self.share.guard(step, &state.mounts))
            }
            (PathState::File { .. }, _) => self.unfilled(state, host),
            (PathState::Absent, _) => self.make(state, writer),
            (PathState::Directory { .. } | PathState::Other(_), _) => self.refuse(
                "K2",
                "is no regular file, and what is there is not replaced",
                vec![format!("{host}: something else is at {}", self.path)],
                "look at it, move it away by hand and run again",
            ),
        }
    }
}

fn step_only(step: Step) -> Decision {
    Decision {
        steps: vec![step],
        ..Decision::default()
    }
}

impl SecretKey {
    fn make(&self, state: &State, host: &HostName) -> Decision {
        if self.secret.is_none()
            && let Some(refusal) = self.populated(state).or_else(|| self.silent(state))
        {
            return refusal;
        }
        let content = self.secret.clone().unwrap_or_else(|| Content {
            bytes: Vec::new(),
            secret: true,
        });
        let (class, why) = match &self.secret {
            Some(_) => (
                Class::Create,
                "it does not exist, and the inventory has the key of the database",
            ),
            None => (
                Class::Found,
                "it does not exist: the application makes the key of a new database",
            ),
        };
        let act = Act::Stack(StackAct::MakeKey {
            path: self.path.clone(),
            content,
        });
        let id = StepId::new(&["secret_key", "make", self.path.trim_start_matches('/')]);
        let done = Claim::new(
            host,
            Query::Path(self.path.clone()),
            Expect::Stack(StackExpect::FileThere),
        );
        let mut step = Step::new(id, host, class, why, act).done(done);
        if self.secret.is_none() && self.database_hosts.is_empty() {
            step = step.assume(
                "the external database is a new one: if it has data, set `secret_key` to its key",
            );
        }
        step_only(self.share.guard(step, &state.mounts))
    }

    /// The application makes the tables of a new database and its key at almost the same time, and the share is asked
    /// before the database: only a key that stays away is missing.
    fn unfilled(&self, state: &State, host: &HostName) -> Decision {
        let Some(mut decision) = self.populated(state) else {
            return Decision::default();
        };
        for refusal in &mut decision.refusals {
            refusal.reach = Reach::LayerAfterWaits;
        }
        decision.waits.push(Wait {
            what: format!(
                "the application writes its key into {} (looked at on {host})",
                self.path
            ),
            until: Claim::new(
                host,
                Query::Path(self.path.clone()),
                Expect::Stack(StackExpect::FileFilled),
            ),
            deadline_s: WRITTEN_S,
        });
        decision
    }
}

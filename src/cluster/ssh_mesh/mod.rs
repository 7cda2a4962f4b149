//! `ssh_mesh`: an account logs in on every host of a group from every other, with a key of its own on each.
//!
//! A key is made on its host and never leaves it. The other hosts learn its public half, and the keys that the
//! hosts' ssh servers show, from the hosts themselves: over the connection that this program trusts.

mod files;
mod lines;
mod observed;
mod proof;
mod steps;

use observed::Observed;

use crate::inventory::HostName;
use crate::module::argument::needed;
use crate::module::attributes::Wanted;
use crate::module::managed_file::{self, ManagedFile};
use crate::module::{Args, Context, Module, Unfit};
use crate::plan::{Content, Decision, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need, Seen};
use std::collections::BTreeMap;

/// The keys that an ssh server on EL9 has, best first.
const SERVER_KEYS: [&str; 3] = [
    "/etc/ssh/ssh_host_ed25519_key.pub",
    "/etc/ssh/ssh_host_ecdsa_key.pub",
    "/etc/ssh/ssh_host_rsa_key.pub",
];

/// The mesh that should be there.
#[derive(Clone, Debug)]
pub struct SshMesh {
    hosts: Vec<(HostName, Option<String>)>,
    user: String,
    folder: String,
    key: String,
}

/// What is known of every host.
#[derive(Clone, Debug, Default)]
pub struct State {
    hosts: BTreeMap<HostName, Observed>,
}

impl Module for SshMesh {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "ssh_mesh",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            needed(
                "user",
                ArgKind::Text,
                "The account; it has the same name everywhere.",
            ),
            needed("home", ArgKind::Path, "Its home directory."),
            needed(
                "key",
                ArgKind::Text,
                "Name of the private key in `.ssh`; made when it is missing, kept when it is there.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        for name in ["user", "key"] {
            let text = args.required(name)?;
            if text.is_empty() || text.starts_with(['-', '.']) || !text.chars().all(plain) {
                return Err(args.wrong_at(name, format!("`{text}` is no plain name")));
            }
        }
        let mut hosts = Vec::new();
        for host in context.group {
            let address = match (context.variable)(host, "advertise_address")? {
                Some(node) => Some(node),
                None => (context.variable)(host, "ansible_host")?,
            };
            hosts.push((host.clone(), address.and_then(|node| node.scalar())));
        }
        Ok(Self {
            hosts,
            user: args.required("user")?,
            folder: format!("{}/.ssh", args.required("home")?.trim_end_matches('/')),
            key: args.required("key")?,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<State, Need> {
        let mut state = State::default();
        for (host, _) in &self.hosts {
            let public = format!("{}.pub", self.private());
            state.hosts.insert(
                host.clone(),
                Observed {
                    folder: seen.path(host, &*self.folder),
                    private: seen.path(host, self.private()),
                    public: seen.content(host, public),
                    server: SERVER_KEYS
                        .iter()
                        .map(|path| seen.content(host, *path))
                        .collect(),
                    authorized: seen.content(host, self.file("authorized_keys")),
                    known: seen.content(host, self.file("known_hosts")),
                    authorized_path: seen.path(host, self.file("authorized_keys")),
                    known_path: seen.path(host, self.file("known_hosts")),
                    logins: None,
                },
            );
        }
        let state = seen.settle(state)?;
        let mut proven = state.clone();
        if self.decide(&state).is_settled() {
            for (host, observed) in &mut proven.hosts {
                if observed.answered() {
                    let script = proof::script(self, &self.answering(&state));
                    observed.logins = Some(seen.command(host, script));
                }
            }
        }
        seen.settle(proven)
    }

    fn plan(&self, state: &State) -> Decision {
        let mut decision = self.decide(state);
        if decision.is_settled() {
            let logins = state
                .hosts
                .iter()
                .filter_map(|(host, observed)| Some((host, observed.logins.as_ref()?)));
            decision.refusals.extend(proof::refusal(&self.user, logins));
        }
        decision
    }
}

impl SshMesh {
    fn private(&self) -> String {
        self.file(&self.key)
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    fn wanted(&self, mode: u32) -> Wanted {
        Wanted {
            mode: Some(mode),
            owner: Some(self.user.clone()),
            group: Some(self.user.clone()),
        }
    }

    fn answering(&self, state: &State) -> Vec<HostName> {
        let answers = |host: &&HostName| state.hosts.get(*host).is_some_and(Observed::answered);
        let names = self.hosts.iter().map(|(host, _)| host);
        names.filter(answers).cloned().collect()
    }

    /// Files only: keys first, since what the others are told depends on them.
    fn decide(&self, state: &State) -> Decision {
        let mut decision = Decision::default();
        let answering: Vec<(&HostName, &Observed)> = self
            .hosts
            .iter()
            .filter_map(|(host, _)| Some((host, state.hosts.get(host)?)))
            .filter(|(_, observed)| observed.answered())
            .collect();
        for (host, observed) in &answering {
            decision.steps.extend(self.folder(host, observed));
            decision.steps.extend(self.make_key(host, observed));
        }
        for (host, observed) in &answering {
            for (name, path, content, lines) in [
                (
                    "authorized_keys",
                    &observed.authorized_path,
                    &observed.authorized,
                    self.authorized(state, observed),
                ),
                (
                    "known_hosts",
                    &observed.known_path,
                    &observed.known,
                    self.known(state, observed),
                ),
            ] {
                let file = ManagedFile {
                    module: "ssh_mesh",
                    host: (*host).clone(),
                    path: self.file(name),
                    content: Content::plain(lines),
                    wanted: self.wanted(0o600),
                };
                let same =
                    matches!(content, Seen::Is(Some(now)) if now.bytes == file.content.bytes);
                let sight = managed_file::Sight {
                    path: path.clone(),
                    content: (!same).then(|| content.clone()),
                };
                let mut more = file.plan(&sight);
                for step in &mut more.steps {
                    step.id = StepId::new(&["ssh_mesh", name, host.as_str()]);
                }
                decision.steps.extend(more.steps);
                decision.refusals.extend(more.refusals);
            }
        }
        decision
    }
}

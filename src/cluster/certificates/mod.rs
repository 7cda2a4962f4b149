//! `certificates`: an authority and a server's certificate on the share, for nginx and RabbitMQ.
//!
//! The authority's private key stays on the admin's machine, beside the inventory; the source copies it to
//! where every container can read it. What is made is made when the step runs: a plan has no randomness.

mod decide;
mod health;
mod reload;
mod wanted;

use super::share::{LOCAL, MOUNTED_BEFORE, Mounts, SHARE, Share};
use crate::inventory::HostName;
use crate::module::attributes::Wanted;
use crate::module::managed_file::{ManagedFile, Sight};
use crate::module::{Args, Context, Health, Module, Unfit};
use crate::plan::{Advice, Content, Decision, Request};
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::certificate::{Pair, Place};
use crate::probe::presented::Presented;
use crate::probe::{Answers, Need, Seen};
use wanted::{Kept, Own};

/// A certificate that ends sooner is made anew, in seconds: 30 days.
const SOON_S: i64 = 30 * 86_400;

/// Certificates on the share.
#[derive(Clone, Debug)]
pub struct Certificates {
    share: Share,
    hosts: Vec<HostName>,
    request: Request,
    kept: Option<Kept>,
    own: Option<Own>,
    /// The stack whose servers present it.
    stack: Option<String>,
}

/// What is seen of them.
#[derive(Clone, Debug)]
pub struct State {
    mounts: Mounts,
    /// The pair on the share, and the host that tells of it.
    pair: Option<(HostName, Seen<Pair>)>,
    own: Vec<(ManagedFile, Sight)>,
    /// What servers present on each host whose engine runs.
    presented: Vec<(HostName, Seen<Presented>)>,
}

impl Module for Certificates {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "certificates",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            SHARE,
            MOUNTED_BEFORE,
            LOCAL,
            ArgSpec {
                name: "folder",
                kind: ArgKind::Path,
                required: true,
                default: None,
                doc: "Where the containers read them.",
            },
            ArgSpec {
                name: "ca_name",
                kind: ArgKind::Text,
                required: true,
                default: None,
                doc: "Name of the authority's files, without .crt.",
            },
            ArgSpec {
                name: "server_name",
                kind: ArgKind::Text,
                required: true,
                default: None,
                doc: "Name of the server's files, without .crt and .key.",
            },
            ArgSpec {
                name: "stack",
                kind: ArgKind::Text,
                required: false,
                default: None,
                doc: "Name of the stack whose nginx and RabbitMQ load it again when it is another one.",
            },
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let request = wanted::request(args, context)?;
        let own = wanted::own(args, context)?;
        Ok(Self {
            share: Share::from_args(args),
            hosts: context.group.to_vec(),
            kept: match &own {
                Some(_) => None,
                None => wanted::kept(args, context, &request)?,
            },
            own,
            request,
            stack: args.text("stack").filter(|name| !name.is_empty()),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<State, Need> {
        let mounts = self.share.look(seen, &self.hosts)?;
        let reader = self.share.reader(&mounts).cloned();
        let place = Place {
            folder: self.request.folder.clone(),
            ca: self.request.ca.file.clone(),
            server: self.request.server.file.clone(),
        };
        let looked_at = reader.iter().flat_map(|host| self.own_files(host));
        let sights = looked_at.map(|file| file.look(seen));
        let written = mounts.writer().into_iter();
        let written = written.flat_map(|host| self.own_files(host));
        let own = written.zip(sights).collect();
        let pair = reader.map(|host| {
            let pair = seen.certificates(&host, place);
            (host, pair)
        });
        let presented = self.look_at_servers(seen);
        seen.settle(State {
            mounts,
            pair,
            own,
            presented,
        })
    }

    fn plan(&self, state: &State) -> Decision {
        let Some((host, Seen::Is(pair))) = &state.pair else {
            return Decision::default();
        };
        let Some(writer) = state.mounts.writer() else {
            return Decision::default();
        };
        // The mount check of `shared_dir` has refused it already.
        if self.share.is_misplaced(&state.mounts) {
            return Decision::default();
        }
        let mut decision = if self.own.is_some() {
            self.bring(state)
        } else {
            self.decide(state, writer, host, pair)
        };
        for step in std::mem::take(&mut decision.steps) {
            decision.steps.push(self.share.guard(step, &state.mounts));
        }
        if decision.refusals.is_empty() {
            let made_anew = !decision.steps.is_empty();
            decision.steps.extend(self.reload(state, made_anew));
        }
        if pair.ca_key {
            decision.advice.push(Advice {
                code: "K10".to_owned(),
                host: None,
                text: format!(
                    "{}/{}.key is the private key of the authority, and every container can read it there: keep it on the admin's machine in {} and remove it from the share",
                    self.request.folder, self.request.ca.file, self.request.ca_folder
                ),
            });
        }
        decision
    }

    fn health(&self, state: &State) -> Option<Health> {
        self.told(state)
    }
}

impl Certificates {
    fn own_files(&self, host: &HostName) -> Vec<ManagedFile> {
        let Some(own) = &self.own else {
            return Vec::new();
        };
        let file = |name: String, bytes: &[u8], secret: bool| ManagedFile {
            module: "certificates",
            host: host.clone(),
            path: format!("{}/{name}", self.request.folder),
            content: Content {
                bytes: bytes.to_vec(),
                secret,
            },
            wanted: Wanted {
                mode: Some(if secret { 0o600 } else { 0o644 }),
                ..Wanted::default()
            },
        };
        vec![
            file(format!("{}.crt", self.request.ca.file), &own.ca, false),
            file(format!("{}.key", self.request.server.file), &own.key, true),
            file(
                format!("{}.crt", self.request.server.file),
                &own.server,
                false,
            ),
        ]
    }

    /// The admin's own files, as they are.
    fn bring(&self, state: &State) -> Decision {
        let mut decision = Decision::default();
        for (file, sight) in &state.own {
            let one = file.plan(sight);
            decision.steps.extend(one.steps);
            decision.refusals.extend(one.refusals);
        }
        decision
    }
}

//! `stack`: the services of Kompira on the Swarm, as the inventory declares them.
//!
//! [`kompira`] renders the document, [`state`] says what a manager told, [`table`] decides, [`health`] tells.
//! A service carries the hash of its declaration as a label: when all of them are equal, nothing is deployed,
//! because `docker stack deploy` updates every service each time.

mod deploy;
mod drift;
mod emit;
mod file;
mod health;
mod images;
mod kompira;
mod overlay;
mod rabbitmq;
mod refuse;
mod remove;
mod state;
mod table;
mod watch;

pub use file::{StackFile, Wanted};
pub use images::StackImages;
pub use state::State;

use super::share::{LOCAL, MOUNTED_BEFORE, SHARE, Share};
use crate::inventory::HostName;
use crate::module::{Args, Context, Health, Module, Unfit};
use crate::plan::{Allow, Decision};
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::stack_node::About;
use crate::probe::{Answers, Need};
use kompira::Settings;

/// A stack that should be there, or should not.
#[derive(Clone, Debug)]
pub struct Stack {
    file: StackFile,
    /// Whether it should be there.
    present: bool,
    /// Folder on the managers.
    folder: String,
    /// Names of objects that are ours begin with this.
    project: String,
    /// Hosts that run it.
    members: Vec<HostName>,
    /// Managers of the Swarm, in the order of the inventory.
    managers: Vec<HostName>,
    /// The directory with the secret key.
    share: Share,
    /// The secret key, which the application fills when it is empty.
    key: String,
    /// What is asked of each member.
    about: About,
    allowed: Vec<Allow>,
}

const fn text(name: &'static str, doc: &'static str, default: Option<&'static str>) -> ArgSpec {
    ArgSpec {
        name,
        kind: ArgKind::Text,
        required: default.is_none(),
        default,
        doc,
    }
}

const OVERLAY: ArgSpec = ArgSpec {
    name: "overlay",
    kind: ArgKind::Text,
    required: false,
    default: None,
    doc: "A file of the admin's that is laid over the document.",
};

impl Module for Stack {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "stack",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            text("name", "Name of the stack.", Some("ke2")),
            ArgSpec {
                name: "managers",
                kind: ArgKind::List(&ArgKind::Text),
                required: true,
                default: None,
                doc: "Managers of the Swarm.",
            },
            ArgSpec {
                name: "workers",
                kind: ArgKind::List(&ArgKind::Text),
                required: false,
                default: None,
                doc: "Workers of the Swarm.",
            },
            SHARE,
            MOUNTED_BEFORE,
            LOCAL,
            ArgSpec {
                name: "key",
                kind: ArgKind::Path,
                required: true,
                default: None,
                doc: "The secret key's file; while it is empty one task of each service runs.",
            },
            ArgSpec {
                name: "folder",
                kind: ArgKind::Path,
                required: false,
                default: Some("/etc/kompira"),
                doc: "Folder on a manager that gets docker-swarm.yml and the files beside it.",
            },
            OVERLAY,
            text("state", "`present`, or `absent`.", Some("present")),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let hosts = |name: &str| -> Vec<HostName> {
            args.list(name)
                .iter()
                .map(|host| HostName::new(&**host))
                .collect()
        };
        let managers = hosts("managers");
        let swarm: Vec<HostName> = managers.iter().cloned().chain(hosts("workers")).collect();
        if let Some(outside) = context.group.iter().find(|host| !swarm.contains(host)) {
            return Err(args.wrong(format!(
                "{outside} is to run the stack, but is in neither `managers` nor `workers`"
            )));
        }
        let (file, settings) = document(args, context, &swarm)?;
        let name = file.name().to_owned();
        let rabbitmq = if settings.rabbitmq_data.starts_with('/') {
            settings.rabbitmq_data
        } else {
            format!("{}_{}", settings.project, settings.rabbitmq_data)
        };
        let about = About {
            stack: name.clone(),
            network: format!("{}_default", settings.project),
            rabbitmq,
        };
        Ok(Self {
            file,
            present: args.text("state").as_deref() != Some("absent"),
            folder: format!("{}/{name}", args.required("folder")?.trim_end_matches('/')),
            project: settings.project,
            members: context.group.to_vec(),
            managers,
            share: Share::from_args(args),
            key: args.required("key")?,
            about,
            allowed: context.allowed.to_vec(),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<State, Need> {
        let mounts = self.share.look(seen, &self.members)?;
        let state = State::look(self, seen, self.share.reader(&mounts));
        seen.settle(state)
    }

    fn plan(&self, state: &State) -> Decision {
        table::decide(self, state)
    }

    fn health(&self, state: &State) -> Option<Health> {
        self.present.then(|| health::of(self, state))
    }
}

/// The document that the inventory declares, with the overlay laid over it.
fn document(
    args: &Args<'_>,
    context: &Context<'_>,
    swarm: &[HostName],
) -> Result<(StackFile, Settings), Unfit> {
    let name = args.required("name")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(plain) {
        let problem = format!("`{name}` is no name of a stack: letters, digits, `_` and `-`");
        return Err(args.wrong_at("name", problem));
    }
    let settings = Settings::read(args, context, context.group, swarm)?;
    let mut file = kompira::render(&name, &settings, context)?;
    let overlay = args.text("overlay").filter(|path| !path.is_empty());
    if let Some(path) = overlay {
        let local = (context.local)(&path);
        match local.bytes {
            Ok(Some(bytes)) => {
                file.lay_over(&overlay::read(&local.path, &bytes).map_err(Unfit::Wrong)?);
            }
            Ok(None) => {
                let problem = format!("there is no file {}", local.path);
                return Err(args.wrong_at("overlay", problem));
            }
            Err(why) => return Err(args.wrong_at("overlay", why)),
        }
    }
    Ok((file, settings))
}

impl Stack {
    /// The document and its files, for who wants to read them.
    pub fn file(&self) -> &StackFile {
        &self.file
    }
}

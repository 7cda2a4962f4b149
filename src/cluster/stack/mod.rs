//! `stack`: the services of Kompira on the Swarm, as the inventory declares them.
//!
//! [`kompira`] renders the document, [`state`] says what a manager told, [`table`] decides, [`health`] tells.
//! A service carries the hash of its declaration as a label: when all of them are equal, nothing is deployed,
//! because `docker stack deploy` updates every service each time.

mod emit;
mod file;
mod health;
mod kompira;
mod overlay;
mod refuse;
#[cfg(test)]
mod rows;
mod state;
mod table;

pub use file::{StackFile, Wanted};
pub use state::State;

use crate::inventory::HostName;
use crate::module::{Args, Context, Health, Module, Unfit};
use crate::plan::{Allow, Decision};
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
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
    /// The secret key, which the application fills when it is empty.
    key: String,
    /// Folder of this machine with images in files.
    archives: Option<String>,
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
            ArgSpec {
                name: "overlay",
                kind: ArgKind::Text,
                required: false,
                default: None,
                doc: "A file of the admin's that is laid over the document.",
            },
            ArgSpec {
                name: "archives",
                kind: ArgKind::Text,
                required: false,
                default: None,
                doc: "A folder of this machine with the images as `docker save` writes them, NAME-TAG.tar each; without it they come from their registry.",
            },
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
        let name = args.required("name")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(plain) {
            let problem = format!("`{name}` is no name of a stack: letters, digits, `_` and `-`");
            return Err(args.wrong_at("name", problem));
        }
        let settings = Settings::read(args, context, context.group, &swarm)?;
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
        Ok(Self {
            file,
            present: args.text("state").as_deref() != Some("absent"),
            folder: format!("{}/{name}", args.required("folder")?.trim_end_matches('/')),
            project: settings.project,
            members: context.group.to_vec(),
            managers,
            key: args.required("key")?,
            archives: args
                .text("archives")
                .map(|folder| (context.local)(&format!("{folder}/")).path),
            allowed: context.allowed.to_vec(),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<State, Need> {
        let state = State::look(self, seen);
        seen.settle(state)
    }

    fn plan(&self, state: &State) -> Decision {
        table::decide(self, state)
    }

    fn health(&self, state: &State) -> Option<Health> {
        self.present.then(|| health::of(self, state))
    }
}

impl Stack {
    /// The document and its files, for who wants to read them.
    pub fn file(&self) -> &StackFile {
        &self.file
    }
}

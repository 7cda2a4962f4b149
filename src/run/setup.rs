//! Everything that can be read and checked without a connection.

use super::compile::{Compiled, Selection, compile};
use super::project::Project;
use super::targets;
use crate::apply::{Engine, Fleet, Options, Registers, Remote};
use crate::cli::{ConnectionArgs, InputArgs};
use crate::failure::Failure;
use crate::inventory::{Host, HostName, Inventory};
use crate::module::SPECS;
use crate::playbook::{Play, Playbook, Scope, Val};
use crate::report::Redactor;
use crate::yaml::{Diagnostic, Diagnostics, Span, suggest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The input of a run, checked.
pub struct Setup {
    /// The inventory.
    pub inventory: Arc<Inventory>,
    /// The tasks.
    pub compiled: Compiled,
    /// What tasks will register.
    pub registers: Arc<Registers>,
    /// The hosts that may be changed; all when `None`.
    pub limit: Option<BTreeSet<HostName>>,
}

/// Loads and checks the input; all that is wrong comes back at once.
///
/// # Errors
/// All diagnostics, with exit code 64.
pub fn load(input: &InputArgs) -> Result<Setup, Failure> {
    load_only(input, |_| true)
}

/// The same of some plays alone: what the others need is not asked for.
///
/// # Errors
/// As [`load`].
pub fn load_only(input: &InputArgs, wanted: impl Fn(&Play) -> bool) -> Result<Setup, Failure> {
    let (project, source) = Project::open(input.playbook.as_deref())?;
    let import = |name: &str| project.import(name);
    let (mut playbook, mut found) = match Playbook::load(&source, SPECS, &import) {
        Ok(playbook) => (playbook, Diagnostics::default()),
        Err(found) => (Playbook::default(), found),
    };
    let selection = Selection {
        tags: input.tags.clone(),
        skip_tags: input.skip_tags.clone(),
        allow: input.allow.clone(),
    };
    let unknown_tags = unknown_tags(&playbook, &selection);
    let all = playbook.plays.len();
    playbook.plays.retain(&wanted);
    if playbook.plays.len() < all {
        // The layers that it names may be gone.
        playbook
            .plays
            .iter_mut()
            .for_each(|play| play.needs.clear());
    }
    let inventory =
        match Inventory::load_for(&input.inventory, &input.extra_vars, &playbook.variables()) {
            Ok(inventory) => Arc::new(inventory),
            Err(more) => {
                found.0.extend(more.0);
                return Err(found.into());
            }
        };
    found.0.extend(playbook.check(&inventory).0);
    found.0.extend(unknown_tags);
    let registers = Arc::new(Registers::default());
    let compiled = match compile(&playbook, &inventory, &project, &selection, &registers) {
        Ok(compiled) => Some(compiled),
        // The check above has told most of it already.
        Err(more) if found.0.is_empty() => {
            found.0.extend(more.0);
            None
        }
        Err(_) => None,
    };
    let limit = match &input.limit {
        None => None,
        Some(pattern) => match inventory.select(pattern, &Span::builtin("--limit")) {
            Ok(hosts) => Some(hosts.into_iter().collect()),
            Err(wrong) => {
                found.push(wrong);
                None
            }
        },
    };
    match compiled {
        Some(compiled) if found.0.is_empty() => Ok(Setup {
            inventory,
            compiled,
            registers,
            limit,
        }),
        _ => Err(found.into()),
    }
}

/// A tag that no task has would choose nothing, and a run that does nothing would look like success.
fn unknown_tags(playbook: &Playbook, selection: &Selection) -> Vec<Diagnostic> {
    let tasks = playbook.plays.iter().flat_map(|play| &play.tasks);
    let plays = playbook.plays.iter().flat_map(|play| &play.tags);
    let known: BTreeSet<&str> = tasks
        .flat_map(|task| &task.tags)
        .chain(plays)
        .map(String::as_str)
        .collect();
    let given = selection.tags.iter().map(|tag| ("--tags", tag));
    let skipped = selection.skip_tags.iter().map(|tag| ("--skip-tags", tag));
    given
        .chain(skipped)
        .filter(|(_, tag)| !known.contains(tag.as_str()) && *tag != "always")
        .map(|(option, tag)| {
            let message = format!("no play and no task has the tag `{tag}`");
            let wrong = Diagnostic::new(&Span::builtin(option), message);
            match suggest(tag, known.iter().copied()) {
                Some(near) => wrong.hint(format!("did you mean `{near}`?")),
                None if known.is_empty() => wrong.hint("the playbook has no tags at all"),
                None => {
                    let all: Vec<&str> = known.iter().copied().collect();
                    wrong.hint(format!("there are: {}", all.join(", ")))
                }
            }
        })
        .collect()
}

impl Setup {
    /// The hosts over SSH, not connected yet.
    ///
    /// # Errors
    /// As [`targets::connector`].
    pub fn remote(&self, connection: &ConnectionArgs) -> Result<Remote, Failure> {
        let connector = targets::connector(&self.inventory, connection)?;
        let hosts = self.inventory.hosts().iter().map(|host| host.name.clone());
        Ok(Remote::new(
            connector,
            hosts,
            Some(targets::ask_key(connection)),
        ))
    }

    /// How to run.
    pub fn options(&self, paranoid: bool) -> Options {
        Options {
            limit: self.limit.clone(),
            paranoid,
            ..Options::default()
        }
    }

    /// The engine over a fleet.
    pub fn engine<'f, F: Fleet>(self, fleet: &'f F, paranoid: bool) -> Engine<'f, F> {
        let options = self.options(paranoid);
        Engine::new(
            fleet,
            self.compiled.layers,
            self.compiled.works,
            self.registers,
            options,
        )
    }

    /// The value of a variable that is the same for all hosts that have it.
    pub fn variable(&self, name: &str) -> Option<String> {
        let mut hosts = self.inventory.hosts().iter();
        hosts.find_map(|host| self.rendered(host, name))
    }

    fn rendered(&self, host: &Host, name: &str) -> Option<String> {
        let scope = Scope::new(&self.inventory, &host.name);
        let variable = host.var(name)?;
        match scope.render(&variable.node) {
            Ok(Val::Known(node)) => node.scalar(),
            _ => None,
        }
    }

    /// The lock file of each host.
    pub fn lock_paths(&self) -> BTreeMap<HostName, String> {
        self.inventory
            .hosts()
            .iter()
            .map(|host| {
                (
                    host.name.clone(),
                    self.rendered(host, "lock_path")
                        .unwrap_or_else(|| "/run/provision.lock".to_owned()),
                )
            })
            .collect()
    }

    /// The secrets that the input holds.
    pub fn redactor(&self) -> Redactor {
        let passwords = self
            .inventory
            .hosts()
            .iter()
            .filter_map(|host| host.connection.sudo_password.as_ref());
        Redactor::new(passwords.map(|secret| secret.expose().to_owned()))
    }
}

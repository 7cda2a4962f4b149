//! Playbook × inventory → the engine's tasks, each with a way to build its module when its values are known.

mod called;
mod maker;

use super::project::Project;
use crate::apply::{LayerSpec, Registers, Work};
use crate::inventory::{HostName, Inventory};
use crate::plan::Allow;
use crate::playbook::{Play, Playbook, Registered, Scope, Task, Val};
use crate::yaml::{Diagnostic, Diagnostics, Node, Value};
use called::Names;
use maker::Maker;
use std::sync::Arc;

/// What of the playbook is meant.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only tasks with one of these tags; all when empty.
    pub tags: Vec<String>,
    /// No tasks with one of these tags.
    pub skip_tags: Vec<String>,
    /// What is allowed beyond convergence.
    pub allow: Vec<Allow>,
}

impl Selection {
    fn takes(&self, play: &Play, task: &Task) -> bool {
        let has = |tag: &String| play.tags.contains(tag) || task.tags.contains(tag);
        let always = task.tags.iter().any(|tag| tag == "always");
        (self.tags.is_empty() || always || self.tags.iter().any(has))
            && !self.skip_tags.iter().any(has)
    }
}

/// The tasks of a run.
pub struct Compiled {
    /// The layers in order.
    pub layers: Vec<LayerSpec>,
    /// The tasks in order.
    pub works: Vec<Work<'static>>,
}

struct Shared {
    inventory: Arc<Inventory>,
    project: Project,
    allow: Vec<Allow>,
}

/// Compiles. Nothing is connected to.
///
/// # Errors
/// All that is wrong with hosts, loops and layers.
pub fn compile(
    playbook: &Playbook,
    inventory: &Arc<Inventory>,
    project: &Project,
    selection: &Selection,
    registers: &Arc<Registers>,
) -> Result<Compiled, Diagnostics> {
    let shared = Arc::new(Shared {
        inventory: inventory.clone(),
        project: project.clone(),
        allow: selection.allow.clone(),
    });
    let mut found = Diagnostics::default();
    let mut names = Names::default();
    let mut compiled = Compiled {
        layers: Vec::new(),
        works: Vec::new(),
    };
    for play in &playbook.plays {
        let layer = match layer_of(play, &mut compiled.layers) {
            Ok(layer) => layer,
            Err(wrong) => {
                found.push(wrong);
                continue;
            }
        };
        let hosts: Arc<[HostName]> = match inventory.select(&play.hosts, &play.hosts_span) {
            Ok(hosts) => hosts.into(),
            Err(wrong) => {
                found.push(wrong);
                continue;
            }
        };
        for task in play.tasks.iter().filter(|task| selection.takes(play, task)) {
            let groups: Vec<Vec<HostName>> = if task.module.cluster {
                vec![hosts.to_vec()]
            } else {
                hosts.iter().map(|host| vec![host.clone()]).collect()
            };
            for members in groups.into_iter().filter(|members| !members.is_empty()) {
                let dynamic: Arc<dyn Registered> = registers.clone();
                let scope = Scope::new(inventory, &members[0])
                    .registered(&dynamic)
                    .play_hosts(&hosts)
                    .vars(&play.vars)
                    .vars(&task.vars);
                match items(task, &scope) {
                    Err(wrong) => push_once(&mut found, wrong),
                    Ok(items) => {
                        for item in items {
                            compiled.works.push(work(
                                &shared,
                                play,
                                task,
                                layer,
                                members.clone(),
                                &hosts,
                                &scope,
                                item.as_ref(),
                                &mut names,
                            ));
                        }
                    }
                }
            }
        }
    }
    // Tasks go in the order of the playbook, and within a task in the order of the hosts, so that loops interleave as written.
    found.into_result(compiled)
}

/// The same mistake in a loop is met once a host; it is told once.
fn push_once(found: &mut Diagnostics, wrong: Diagnostic) {
    let text = wrong.to_string();
    if found.0.iter().all(|known| known.to_string() != text) {
        found.push(wrong);
    }
}

fn layer_of(play: &Play, layers: &mut Vec<LayerSpec>) -> Result<usize, Diagnostic> {
    let name = play.layer.clone().unwrap_or_else(|| play.name.clone());
    if let Some(known) = layers.iter().position(|layer| layer.name == name) {
        return Ok(known);
    }
    let mut needs = Vec::new();
    for needed in &play.needs {
        match layers.iter().position(|layer| layer.name == *needed) {
            Some(index) => needs.push(index),
            None => {
                let problem =
                    format!("`needs` names the layer `{needed}`, which no earlier play has");
                return Err(Diagnostic::new(&play.span, problem));
            }
        }
    }
    // A play that says nothing comes after everything before it.
    if play.needs.is_empty() {
        needs.extend(0..layers.len());
    }
    layers.push(LayerSpec { name, needs });
    Ok(layers.len() - 1)
}

fn items(task: &Task, scope: &Scope) -> Result<Vec<Option<Node>>, Diagnostic> {
    let Some(looped) = &task.looped else {
        return Ok(vec![None]);
    };
    match scope.render(looped)? {
        Val::Known(Node {
            value: Value::List(items),
            ..
        }) => Ok(items.into_iter().map(Some).collect()),
        Val::Known(other) => Err(Diagnostic::new(
            &looped.span,
            format!("`loop` wants a list, not {}", other.kind()),
        )),
        Val::Unknown(_) => Err(Diagnostic::new(
            &looped.span,
            "`loop` depends on a value that is read from a host",
        )
        .hint(
            "loop over a list of the inventory, and use the value in `when` or in the arguments",
        )),
    }
}

#[allow(clippy::too_many_arguments)]
fn work(
    shared: &Arc<Shared>,
    play: &Play,
    task: &Task,
    layer: usize,
    members: Vec<HostName>,
    hosts: &Arc<[HostName]>,
    scope: &Scope,
    item: Option<&Node>,
    names: &mut Names,
) -> Work<'static> {
    let scope = match item {
        Some(item) => scope.clone().item(&task.loop_var, item),
        None => scope.clone(),
    };
    let label = item
        .as_ref()
        .and_then(|item| item.scalar())
        .map_or_else(String::new, |item| format!(" [{item}]"));
    let maker = Maker {
        shared: shared.clone(),
        spec: task.module,
        called: names.next(task, &label, &members[0]),
        args: task.args.clone(),
        when: task.when.clone(),
        host: members[0].clone(),
        group: hosts.clone(),
        privileged: task.use_sudo.or(play.use_sudo),
        scope,
    };
    Work {
        layer,
        task: format!("{}{label}", task.name),
        hosts: members,
        cluster: task.module.cluster,
        tells_health: task.module.cluster || task.module.name == "mount",
        register: task.register.clone(),
        build: Box::new(move || maker.build()),
    }
}

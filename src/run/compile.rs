//! Playbook × inventory → the engine's tasks, each with a way to build its module when its values are known.

use super::project::Project;
use crate::apply::{Built, LayerSpec, Registers, Work};
use crate::inventory::{HostName, Inventory};
use crate::module::{AnyModule, Args, Context, Unfit};
use crate::playbook::{Play, Playbook, Registered, Scope, Task, Val};
use crate::probe::Query;
use crate::yaml::{Diagnostic, Diagnostics, Entry, Node, Source, Span, Value};
use std::sync::Arc;

/// What of the playbook is meant.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only tasks with one of these tags; all when empty.
    pub tags: Vec<String>,
    /// No tasks with one of these tags.
    pub skip_tags: Vec<String>,
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
    });
    let mut found = Diagnostics::default();
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

/// All that building a task's module needs.
struct Maker {
    shared: Arc<Shared>,
    spec: &'static crate::playbook::ModuleSpec,
    args: Node,
    when: Vec<Node>,
    host: HostName,
    group: Arc<[HostName]>,
    privileged: Option<bool>,
    scope: Scope,
}

impl Maker {
    fn build(&self) -> Built {
        match self.scope.all(&self.when) {
            Ok(Val::Known(true)) => {}
            Ok(Val::Known(false)) => return Built::Skipped,
            Ok(Val::Unknown(why)) => return Built::Unknown(why, Vec::new()),
            Err(wrong) => return Built::Wrong(wrong.into()),
        }
        let args = match self.scope.render(&self.args) {
            Ok(Val::Known(args)) => args,
            Ok(Val::Unknown(why)) => return Built::Unknown(why, self.foreseen(&self.known_args())),
            Err(wrong) => return Built::Wrong(wrong.into()),
        };
        let args = match self.spec.complete(&args) {
            Ok(args) => args,
            Err(wrong) => return Built::Wrong(wrong),
        };
        match self.module(&args) {
            Ok(module) => Built::Module(Box::new(module)),
            Err(Unfit::Wrong(wrong)) => Built::Wrong(wrong),
            Err(Unfit::Unknown(why)) => Built::Unknown(why, self.foreseen(&args)),
        }
    }

    fn foreseen(&self, args: &Node) -> Vec<Query> {
        let spec = self.spec;
        AnyModule::foresee(&Args { spec, node: args }, &self.host)
    }

    /// The arguments that are known already.
    fn known_args(&self) -> Node {
        let entries =
            self.args
                .entries()
                .iter()
                .filter_map(|entry| match self.scope.render(&entry.node) {
                    Ok(Val::Known(node)) => Some(Entry {
                        node,
                        ..entry.clone()
                    }),
                    _ => None,
                });
        Node {
            span: self.args.span.clone(),
            value: Value::Map(entries.collect()),
        }
    }

    fn module(&self, args: &Node) -> Result<AnyModule, Unfit> {
        let variable = |host: &HostName, name: &str| self.variable(host, name);
        let file = |node: &Node| Ok(self.shared.project.file(node, "files")?.1);
        let template = |node: &Node| self.template(node);
        let connection = self
            .shared
            .inventory
            .host(self.host.as_str())
            .map(|host| &host.connection);
        let privileged = self
            .privileged
            .unwrap_or_else(|| connection.is_some_and(|connection| connection.use_sudo));
        let user = match connection {
            Some(connection) if privileged => &connection.sudo_user,
            Some(connection) => connection.user.as_deref().unwrap_or_default(),
            None => "",
        };
        let context = Context {
            host: &self.host,
            group: &self.group,
            user,
            variable: &variable,
            file: &file,
            template: &template,
        };
        AnyModule::build(
            &Args {
                spec: self.spec,
                node: args,
            },
            &context,
        )
    }

    fn variable(&self, host: &HostName, name: &str) -> Result<Option<Node>, Unfit> {
        let Some(known) = self.shared.inventory.host(host.as_str()) else {
            return Ok(None);
        };
        if name == "ansible_host" {
            let span = Span::builtin("address of the host");
            return Ok(Some(Node {
                span,
                value: Value::Text(known.address.clone()),
            }));
        }
        let Some(variable) = known.var(name) else {
            return Ok(None);
        };
        let scope = Scope::new(&self.shared.inventory, host).play_hosts(&self.group);
        match scope.render(&variable.node)? {
            Val::Known(node) => Ok(Some(node)),
            Val::Unknown(why) => Err(Unfit::Unknown(why)),
        }
    }

    fn template(&self, node: &Node) -> Result<String, Unfit> {
        let (path, bytes) = self.shared.project.file(node, "templates")?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Diagnostic::new(&node.span, format!("{} is not UTF-8 text", path.display()))
        })?;
        let source = Arc::new(Source {
            name: path.display().to_string(),
            text,
        });
        match self.scope.render_file(&source)? {
            Val::Known(text) => Ok(text),
            Val::Unknown(why) => Err(Unfit::Unknown(why)),
        }
    }
}

//! Everything about a playbook and an inventory that can be checked without a connection.

use super::{ModuleSpec, Play, Playbook, Registered, Scope, Task, Val};
use crate::inventory::{HostName, Inventory};
use crate::yaml::{Diagnostic, Diagnostics, Entry, Node, Value};
use serde_json::Value as Json;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

impl Playbook {
    /// Chooses the hosts of every play and renders every task for each of them, as far as that goes
    /// while what tasks register is unknown. Each mistake is reported once.
    pub fn check(&self, inventory: &Arc<Inventory>) -> Diagnostics {
        let later = Arc::new(Later::default());
        let mut check = Check {
            inventory,
            later: later.clone(),
            registered: later,
            found: Diagnostics::default(),
            seen: HashSet::new(),
        };
        for play in &self.plays {
            check.play(play);
        }
        check.found
    }
}

/// What the tasks so far have registered, without the values.
#[derive(Default)]
struct Later(RwLock<HashSet<(HostName, String)>>);

impl Registered for Later {
    fn get(&self, host: &HostName, name: &str) -> Option<Val<Json>> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let key = (host.clone(), name.to_owned());
        names
            .contains(&key)
            .then(|| Val::Unknown(format!("`{name}` is read on {host}")))
    }
}

struct Check<'a> {
    inventory: &'a Arc<Inventory>,
    later: Arc<Later>,
    registered: Arc<dyn Registered>,
    found: Diagnostics,
    seen: HashSet<(String, String)>,
}

impl Check<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        let key = (diagnostic.span.to_string(), diagnostic.message.clone());
        if self.seen.insert(key) {
            self.found.push(diagnostic);
        }
    }

    fn play(&mut self, play: &Play) {
        let hosts = match self.inventory.select(&play.hosts, &play.hosts_span) {
            Ok(hosts) => hosts,
            Err(diagnostic) => return self.report(diagnostic),
        };
        let hosts: Arc<[HostName]> = hosts.into();
        for task in &play.tasks {
            for host in hosts.iter() {
                let scope = Scope::new(self.inventory, host)
                    .registered(&self.registered)
                    .play_hosts(&hosts)
                    .vars(&play.vars)
                    .vars(&task.vars);
                if let Err(diagnostic) = self.task(task, &scope) {
                    self.report(diagnostic);
                }
            }
            if let Some(name) = &task.register {
                let mut names = self.later.0.write().unwrap_or_else(PoisonError::into_inner);
                names.extend(hosts.iter().map(|host| (host.clone(), name.clone())));
            }
        }
    }

    fn task(&mut self, task: &Task, scope: &Scope) -> Result<(), Diagnostic> {
        let Some(looped) = &task.looped else {
            return self.once(task, scope);
        };
        let Val::Known(items) = scope.render(looped)? else {
            return Ok(());
        };
        let Value::List(items) = &items.value else {
            let message = format!("`loop` needs a list, not {}", items.kind());
            return Err(Diagnostic::new(&looped.span, message));
        };
        for item in items {
            self.once(task, &scope.clone().item(&task.loop_var, item))?;
        }
        Ok(())
    }

    fn once(&mut self, task: &Task, scope: &Scope) -> Result<(), Diagnostic> {
        if scope.all(&task.when)? == Val::Known(false) {
            return Ok(());
        }
        if let Err(found) = complete(task.module, &task.args, scope)? {
            for diagnostic in found.0 {
                self.report(diagnostic);
            }
        }
        Ok(())
    }
}

/// The arguments one by one: what is unknown about one says nothing about the others.
fn complete(
    module: &'static ModuleSpec,
    args: &Node,
    scope: &Scope,
) -> Result<Result<Node, Diagnostics>, Diagnostic> {
    let mut entries = Vec::new();
    for entry in args.entries() {
        // An unknown one stays the template that it is, which passes as anything.
        let node = match scope.render(&entry.node)? {
            Val::Known(node) => node,
            Val::Unknown(_) => entry.node.clone(),
        };
        entries.push(Entry {
            node,
            ..entry.clone()
        });
    }
    Ok(module.complete(&Node {
        span: args.span.clone(),
        value: Value::Map(entries),
    }))
}

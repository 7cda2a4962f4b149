//! A task's module is built when its values are known: arguments rendered and checked, files and variables at hand.

use super::Shared;
use crate::apply::Built;
use crate::inventory::HostName;
use crate::module::{AnyModule, Args, Context, Local, Unfit};
use crate::playbook::{ModuleSpec, Scope, Val};
use crate::probe::Query;
use crate::yaml::{Diagnostic, Entry, Node, Source, Span, Value};
use std::sync::Arc;

/// All that building a task's module needs.
pub(super) struct Maker {
    pub(super) shared: Arc<Shared>,
    pub(super) spec: &'static ModuleSpec,
    /// What its steps are called by, when they have no better name.
    pub(super) called: Option<String>,
    pub(super) args: Node,
    pub(super) when: Vec<Node>,
    pub(super) host: HostName,
    pub(super) group: Arc<[HostName]>,
    pub(super) privileged: Option<bool>,
    pub(super) scope: Scope,
}

impl Maker {
    pub(super) fn build(&self) -> Built {
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
            Ok(module) => Built::Module(Box::new(match &self.called {
                Some(name) => module.called(name),
                None => module,
            })),
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
        let local = |path: &str| self.local(path);
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
            local: &local,
            allowed: &self.shared.allow,
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

    fn local(&self, path: &str) -> Local {
        let path = match path.strip_prefix("~/").zip(std::env::home_dir()) {
            Some((rest, home)) => home.join(rest),
            None => self.shared.inventory.folder.join(path),
        };
        let path = std::path::absolute(&path).unwrap_or(path);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
        };
        Local {
            path: path.display().to_string(),
            bytes,
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

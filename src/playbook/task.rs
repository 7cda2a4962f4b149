//! One task: known keys and exactly one module.

use super::load::Loader;
use super::{ModuleSpec, Task, compile, keyword};
use crate::yaml::{Diagnostic, Entry, Node, Value, is_template, suggest};
use std::sync::Arc;

impl Loader<'_> {
    pub(super) fn task(&mut self, node: &Node, play_tags: &[String]) -> Option<Task> {
        let Value::Map(entries) = &node.value else {
            let message = format!("a task is a mapping, not {}", node.kind());
            let hint = "write `- name: …` and below it the module with its arguments";
            self.found
                .push(Diagnostic::new(&node.span, message).hint(hint));
            return None;
        };
        let module = self.module(node, entries);
        self.check_templates(node, &["when", "loop"]);
        let name = self.text(node, "name");
        let mut tags = play_tags.to_vec();
        tags.extend(self.words(node, "tags"));
        let when = self.when(node);
        let looped = self.looped(node);
        let loop_var = self.loop_var(node);
        let vars = Arc::new(self.vars(node));
        let use_sudo = self.boolean(node, "become");
        let register = self.name_of_variable(node, "register");
        if let Some(changed) = node.get("changed_when")
            && !matches!(changed.value, Value::Bool(false))
        {
            let message = "`changed_when` can only be false";
            let hint = "modules know what they change; a command tells by `creates` or `unless`";
            self.found
                .push(Diagnostic::new(&changed.span, message).hint(hint));
        }
        let (module, entry) = module?;
        if let (Some(_), false) = (&register, module.registers) {
            let span = node.get("register").map_or(&node.span, |node| &node.span);
            let message = format!("`{}` reads nothing that could be registered", module.name);
            let hint = "register what a reading module has read; restarts need no register";
            self.found.push(Diagnostic::new(span, message).hint(hint));
        }
        let args = self.args(module, entry)?;
        Some(Task {
            name: name.unwrap_or_else(|| module.name.to_owned()),
            span: node.span.clone(),
            module,
            module_span: entry.key_span.clone(),
            args,
            when,
            looped,
            loop_var,
            use_sudo,
            tags,
            register,
            vars,
        })
    }

    fn module<'e>(
        &mut self,
        node: &Node,
        entries: &'e [Entry],
    ) -> Option<(&'static ModuleSpec, &'e Entry)> {
        let mut chosen: Option<(&'static ModuleSpec, &Entry)> = None;
        let mut complained = false;
        for entry in entries {
            let key = entry.key.as_str();
            if keyword::TASK.contains(&key) {
                continue;
            }
            let name = short_name(key);
            if let Some(module) = self.known.iter().find(|module| module.name == name) {
                if let Some((first, _)) = chosen {
                    let message = format!("a second module, `{key}`, beside `{}`", first.name);
                    let hint = "one task has one module: make two tasks";
                    self.found
                        .push(Diagnostic::new(&entry.key_span, message).hint(hint));
                    complained = true;
                } else {
                    chosen = Some((module, entry));
                }
                continue;
            }
            complained = true;
            let diagnostic = self.unknown_key(name, entry, entries);
            self.found.push(diagnostic);
        }
        if chosen.is_none() && !complained {
            let message = "this task has no module";
            let hint =
                "say what to do with a module, such as `service: {name: docker, state: started}`";
            self.found
                .push(Diagnostic::new(&node.span, message).hint(hint));
        }
        chosen
    }

    fn unknown_key(&self, name: &str, entry: &Entry, entries: &[Entry]) -> Diagnostic {
        if let Some(instead) = keyword::left_out(name) {
            let message = format!("`{name}` is not part of this language");
            return Diagnostic::new(&entry.key_span, message).hint(instead);
        }
        let is_known = |key: &str| {
            self.known
                .iter()
                .any(|module| module.name == short_name(key))
        };
        let has_module = entries.iter().any(|entry| is_known(&entry.key));
        let modules = self.known.iter().map(|module| module.name);
        let near = suggest(name, keyword::TASK.into_iter().chain(modules));
        // Without another module this key is most likely meant as one.
        let what = if has_module { "key" } else { "module" };
        let message = match near {
            Some(near) if keyword::TASK.contains(&near) => format!("unknown key `{}`", entry.key),
            _ => format!("unknown {what} `{}`", entry.key),
        };
        let diagnostic = Diagnostic::new(&entry.key_span, message);
        match near {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None if has_module => diagnostic,
            None => {
                let names: Vec<_> = self.known.iter().map(|module| module.name).collect();
                diagnostic.hint(format!("there are {}", names.join(", ")))
            }
        }
    }

    fn args(&mut self, module: &'static ModuleSpec, entry: &Entry) -> Option<Node> {
        let args = match (&entry.node.value, module.free_form) {
            (Value::Map(_), _) => entry.node.clone(),
            (Value::Null, _) => Node {
                span: entry.key_span.clone(),
                value: Value::Map(Vec::new()),
            },
            (Value::Text(_) | Value::Int(..) | Value::Float(..), Some(free)) => Node {
                span: entry.node.span.clone(),
                value: Value::Map(vec![Entry {
                    key: free.to_owned(),
                    key_span: entry.node.span.clone(),
                    node: entry.node.clone(),
                }]),
            },
            _ => {
                let message = format!(
                    "`{}` takes its arguments as a mapping, not {}",
                    module.name,
                    entry.node.kind()
                );
                let hint = "write each argument on a line of its own: `NAME: VALUE`";
                self.found
                    .push(Diagnostic::new(&entry.node.span, message).hint(hint));
                return None;
            }
        };
        let inner = module.checked(&args, &mut self.found);
        Some(Node {
            span: if matches!(entry.node.value, Value::Map(_)) {
                entry.key_span.clone()
            } else {
                args.span
            },
            value: Value::Map(inner),
        })
    }

    fn when(&mut self, node: &Node) -> Vec<Node> {
        let Some(when) = node.get("when") else {
            return Vec::new();
        };
        let conditions = match &when.value {
            Value::List(conditions) => conditions.clone(),
            _ => vec![when.clone()],
        };
        for condition in &conditions {
            match &condition.value {
                Value::Bool(_) => {}
                Value::Text(text) => {
                    let (text, _) = compile::sole_expression(text).unwrap_or((text, 0));
                    self.check_expression(condition, text);
                }
                _ => {
                    let message = format!("a condition is an expression, not {}", condition.kind());
                    self.found.push(Diagnostic::new(&condition.span, message));
                }
            }
        }
        conditions
    }

    fn looped(&mut self, node: &Node) -> Option<Node> {
        let looped = node.get("loop")?;
        match &looped.value {
            Value::List(_) => self.check_templates(looped, &[]),
            Value::Text(text) if is_template(text) => {
                if compile::sole_expression(text).is_none() {
                    let message = "`loop` is a list, or one {{ expression }} that gives a list";
                    self.found.push(Diagnostic::new(&looped.span, message));
                }
                self.check_templates(looped, &[]);
            }
            _ => {
                let message = format!("`loop` is a list or an expression, not {}", looped.kind());
                let hint = "write an expression as \"{{ … }}\"";
                self.found
                    .push(Diagnostic::new(&looped.span, message).hint(hint));
            }
        }
        Some(looped.clone())
    }

    fn loop_var(&mut self, node: &Node) -> String {
        let own = self.name_of_variable(node, "loop_var");
        let control = node.get("loop_control");
        if let Some(control) = control {
            for entry in control
                .entries()
                .iter()
                .filter(|entry| entry.key != "loop_var")
            {
                let message = format!("`loop_control` has no `{}` here", entry.key);
                let hint = "it has loop_var only";
                self.found
                    .push(Diagnostic::new(&entry.key_span, message).hint(hint));
            }
        }
        let nested = control.and_then(|control| self.name_of_variable(control, "loop_var"));
        own.or(nested).unwrap_or_else(|| "item".to_owned())
    }
}

/// The names of Ansible's collections for the same modules.
fn short_name(key: &str) -> &str {
    key.strip_prefix("ansible.builtin.")
        .or_else(|| key.strip_prefix("ansible.legacy."))
        .or_else(|| key.strip_prefix("ansible.posix."))
        .unwrap_or(key)
}

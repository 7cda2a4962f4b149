//! Text → [`Playbook`], with all that is wrong reported at once.

use super::{ModuleSpec, Play, Playbook, compile, keyword};
use crate::inventory::Vars;
use crate::yaml::{self, Diagnostic, Diagnostics, Node, Source, Value, suggest};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How a playbook that is imported is found; the error says why it is not.
pub type Import<'a> = &'a dyn Fn(&str) -> Result<Arc<Source>, String>;

/// How deep playbooks may import each other.
const MAX_IMPORTS: usize = 16;

impl Playbook {
    /// Loads a playbook whose tasks use the `known` modules.
    pub fn load(
        source: &Arc<Source>,
        known: &'static [ModuleSpec],
        import: Import<'_>,
    ) -> Result<Self, Diagnostics> {
        let mut loader = Loader {
            known,
            import,
            found: Diagnostics::default(),
            stack: vec![source.name.clone()],
        };
        let plays = loader.file(source, &[]);
        loader.found.sort();
        loader.found.into_result(Self { plays })
    }

    /// Every name that a template or a condition asks for; the inventory takes these for intended.
    pub fn variables(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for play in &self.plays {
            add_vars(&mut names, &play.vars);
            for task in &play.tasks {
                names.extend(compile::variables_in(&task.args));
                add_vars(&mut names, &task.vars);
                names.extend(task.looped.iter().flat_map(compile::variables_in));
                for condition in &task.when {
                    if let Value::Text(text) = &condition.value {
                        let bare = compile::sole_expression(text).map_or(&**text, |(text, _)| text);
                        names.extend(compile::variables_of(&format!("{{{{ {bare} }}}}")));
                    }
                }
            }
        }
        names
    }
}

fn add_vars(names: &mut BTreeSet<String>, vars: &Vars) {
    for variable in vars.values() {
        names.extend(compile::variables_in(&variable.node));
    }
}

/// What one load collects.
pub(super) struct Loader<'a> {
    pub known: &'static [ModuleSpec],
    import: Import<'a>,
    pub found: Diagnostics,
    /// The files that are being read, outermost first.
    stack: Vec<String>,
}

impl Loader<'_> {
    fn file(&mut self, source: &Arc<Source>, tags: &[String]) -> Vec<Play> {
        let (root, found) = yaml::load_on(source);
        self.found.0.extend(found.0);
        let Some(root) = root else {
            return Vec::new();
        };
        let items = match &root.value {
            Value::List(items) if !items.is_empty() => items,
            Value::Null | Value::List(_) => {
                let message = "the playbook has no plays";
                self.found.push(Diagnostic::new(&root.span, message));
                return Vec::new();
            }
            _ => {
                let message = format!("a playbook is a list of plays, not {}", root.kind());
                let diagnostic = Diagnostic::new(&root.span, message);
                self.found.push(if root.get("all").is_some() {
                    diagnostic.hint("this looks like an inventory")
                } else {
                    diagnostic.hint("begin each play with `- name: …`")
                });
                return Vec::new();
            }
        };
        let mut plays = Vec::new();
        for item in items {
            if !matches!(item.value, Value::Map(_)) {
                let message = format!("a play is a mapping, not {}", item.kind());
                self.found.push(Diagnostic::new(&item.span, message));
            } else if item.get("import_playbook").is_some() {
                plays.extend(self.imported(item, tags));
            } else {
                plays.extend(self.play(item, tags));
            }
        }
        plays
    }

    fn imported(&mut self, node: &Node, tags: &[String]) -> Vec<Play> {
        self.check_keys(node, &keyword::IMPORT, "an import");
        let mut all_tags = tags.to_vec();
        all_tags.extend(self.words(node, "tags"));
        let Some(file) = self.text(node, "import_playbook") else {
            return Vec::new();
        };
        let span = node
            .get("import_playbook")
            .map_or(&node.span, |node| &node.span)
            .clone();
        let source = match (self.import)(&file) {
            Ok(source) => source,
            Err(why) => {
                let message = format!("cannot import `{file}`: {why}");
                self.found.push(Diagnostic::new(&span, message));
                return Vec::new();
            }
        };
        if self.stack.contains(&source.name) || self.stack.len() >= MAX_IMPORTS {
            let message = format!("`{file}` is imported by a playbook that it imports");
            self.found.push(Diagnostic::new(&span, message));
            return Vec::new();
        }
        self.stack.push(source.name.clone());
        let plays = self.file(&source, &all_tags);
        self.stack.pop();
        plays
    }

    fn play(&mut self, node: &Node, tags: &[String]) -> Option<Play> {
        self.check_keys(node, &keyword::PLAY, "a play");
        if let Some(facts) = node.get("gather_facts")
            && !matches!(facts.value, Value::Bool(false))
        {
            let message = "`gather_facts` can only be false";
            let hint = "facts are not gathered: modules ask for what they need";
            self.found
                .push(Diagnostic::new(&facts.span, message).hint(hint));
        }
        let mut all_tags = tags.to_vec();
        all_tags.extend(self.words(node, "tags"));
        let vars = self.vars(node);
        let use_sudo = self.boolean(node, "become");
        let layer = self.text(node, "layer");
        let needs = self.words(node, "needs");
        let name = self.text(node, "name");
        let mut tasks = Vec::new();
        match node.get("tasks") {
            Some(list) => match &list.value {
                Value::List(items) => {
                    tasks.extend(items.iter().filter_map(|item| self.task(item, &all_tags)));
                }
                Value::Null => {}
                _ => {
                    let message = format!("`tasks` is a list, not {}", list.kind());
                    self.found.push(Diagnostic::new(&list.span, message));
                }
            },
            None => {
                let message = "this play has no `tasks`";
                self.found.push(Diagnostic::new(&node.span, message));
            }
        }
        let Some(pattern) = node.get("hosts") else {
            let message = "this play has no `hosts`";
            let hint = "name a group, a host or a pattern, such as `hosts: managers`";
            self.found
                .push(Diagnostic::new(&node.span, message).hint(hint));
            return None;
        };
        let hosts = self.words(node, "hosts").join(",");
        Some(Play {
            name: name.unwrap_or_else(|| hosts.clone()),
            span: node.span.clone(),
            hosts,
            hosts_span: pattern.span.clone(),
            layer,
            needs,
            vars: Arc::new(vars),
            use_sudo,
            tags: all_tags,
            tasks,
        })
    }

    fn check_keys(&mut self, node: &Node, known: &[&str], what: &str) {
        for entry in node.entries() {
            let key = entry.key.as_str();
            if known.contains(&key) {
                continue;
            }
            let diagnostic = if let Some(instead) = keyword::left_out(key) {
                let message = format!("`{key}` is not part of this language");
                Diagnostic::new(&entry.key_span, message).hint(instead)
            } else {
                let message = format!("unknown key `{key}` in {what}");
                let hint = match suggest(key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("{what} has {}", known.join(", ")),
                };
                Diagnostic::new(&entry.key_span, message).hint(hint)
            };
            self.found.push(diagnostic);
        }
    }
}

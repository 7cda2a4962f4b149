//! What to say about a template that could not be rendered.

use super::context::Rendering;
use super::scope::Failure;
use crate::inventory::variables;
use crate::yaml::suggest;
use minijinja::ErrorKind;

impl Rendering {
    /// Message and hint; the innermost variable with a mistake comes first.
    pub(super) fn words(&self, failure: &Failure) -> (String, Option<String>) {
        let mut state = self.state();
        if let Some(nested) = state.nested.take() {
            return nested;
        }
        let Some(error) = &failure.error else {
            return (failure.message.clone().unwrap_or_default(), None);
        };
        let detail = error.detail().unwrap_or_default();
        if error.kind() == ErrorKind::UndefinedError {
            let missed = state.missed.take();
            drop(state);
            // The engine names the expression; `missed` is only the last name that was asked for.
            let name = match (detail.split('`').nth(1), &missed) {
                (Some(name), _) => name,
                (None, Some(missed)) => missed,
                (None, None) => return ("a value is undefined".to_owned(), None),
            };
            return (format!("`{name}` is undefined"), self.hint_for(name));
        }
        let kind = error.kind().to_string();
        let message = match error.kind() {
            ErrorKind::SyntaxError => format!("the template cannot be read: {detail}"),
            ErrorKind::UnknownFunction => format!("the function {detail}"),
            ErrorKind::UnknownFilter | ErrorKind::UnknownTest => {
                format!("the {detail}")
            }
            ErrorKind::TemplateNotFound => "other templates cannot be included here".to_owned(),
            _ if detail.is_empty() => kind,
            _ => format!("{kind}: {detail}"),
        };
        (message, None)
    }

    fn hint_for(&self, name: &str) -> Option<String> {
        let scope = &self.scope;
        let host = scope.inventory.host(scope.host.as_str())?;
        if let Some(wanted) = member(name, "hostvars") {
            let hosts = scope.inventory.hosts().iter();
            let near = suggest(wanted, hosts.map(|host| host.name.as_str()))?;
            return Some(format!("did you mean the host `{near}`?"));
        }
        if let Some(wanted) = member(name, "groups") {
            let groups = scope.inventory.groups();
            let near = suggest(wanted, groups.map(|group| group.name.as_str()))?;
            return Some(format!("did you mean the group `{near}`?"));
        }
        if name.contains(['.', '[', '(', ' ']) {
            return None;
        }
        let own = host.vars.keys().map(String::as_str);
        let layers = scope.layers.iter().flat_map(|vars| vars.keys());
        let item = scope.item.iter().map(|(name, _)| name.as_str());
        let known = variables::all().map(|known| known.name);
        let magic = ["hostvars", "groups", "inventory_hostname", "play_hosts"];
        let all = own
            .chain(layers.map(String::as_str))
            .chain(item)
            .chain(known)
            .chain(magic);
        if variables::known(name).is_some() {
            return Some(format!("set `{name}` in the inventory; it has no default"));
        }
        if name.starts_with("ansible_") && variables::near(name).is_none() {
            return Some("facts are not gathered: register what a module reads".into());
        }
        suggest(name, all).map(|near| format!("did you mean `{near}`?"))
    }
}

/// `x` of `base.x`, `base[x]` and `base['x']`, whatever follows.
fn member<'n>(name: &'n str, base: &str) -> Option<&'n str> {
    let rest = name.strip_prefix(base)?.strip_prefix(['.', '['])?;
    let rest = rest.trim_start_matches(['\'', '"']);
    rest.split(['.', '[', ']', '\'', '"']).next()
}

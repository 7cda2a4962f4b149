//! The names of a scope as lazy objects of the template engine.
//!
//! A value that is unknown aborts the rendering as soon as a template touches it, and leaves its
//! reason in the [`Rendering`]; whatever was printed until then does not count.

use super::Val;
use super::convert::to_jinja;
use super::members::{Groups, HostVars};
use super::scope::{Failure, OMIT, Scope, render_node};
use crate::inventory::{Host, HostName, Variable};
use crate::yaml::Diagnostic;
use minijinja::value::{Enumerator, Object, Serde};
use minijinja::{Error, ErrorKind, Value as Jinja};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many variables may be defined by way of each other.
const MAX_CHAIN: usize = 40;

/// One rendering and what came up in it.
pub(super) struct Rendering {
    pub(super) scope: Scope,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    unknown: Option<String>,
    /// What went wrong in a variable that the template used, and a hint.
    pub nested: Option<(String, Option<String>)>,
    /// The variables that are being rendered just now, outermost first.
    chain: Vec<(HostName, String)>,
    /// The last name that nobody knew.
    pub missed: Option<String>,
}

/// The names as one host sees them: its own rendering, or through `hostvars`.
pub(super) struct Frame {
    pub rendering: Arc<Rendering>,
    pub host: HostName,
    /// Through `hostvars`: variables of the play and the item belong to the host that renders.
    pub foreign: bool,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<variables of {}>", self.host)
    }
}

impl Rendering {
    pub fn start(scope: &Scope) -> Arc<Frame> {
        Arc::new(Frame {
            rendering: Arc::new(Self {
                scope: scope.clone(),
                state: Mutex::default(),
            }),
            host: scope.host.clone(),
            foreign: false,
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing that is still looked up can change the outcome.
    fn is_over(&self) -> bool {
        let state = self.state();
        state.unknown.is_some() || state.nested.is_some()
    }

    /// The result, unless something unknown was touched on the way.
    pub fn judge<T>(&self, value: T) -> Val<T> {
        match self.state().unknown.take() {
            Some(why) => Val::Unknown(why),
            None => Val::Known(value),
        }
    }

    /// What a failure means: something unknown, or an error at the place of the use.
    pub fn explain<T>(&self, failure: &Failure) -> Result<Val<T>, Diagnostic> {
        if let Some(why) = self.state().unknown.take() {
            return Ok(Val::Unknown(why));
        }
        let (message, hint) = self.words(failure);
        let diagnostic = Diagnostic::new(&failure.span, message);
        Err(match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        })
    }
}

impl Frame {
    pub fn context(self: &Arc<Self>) -> Jinja {
        Jinja::from_dyn_object(self.clone())
    }

    fn scope(&self) -> &Scope {
        &self.rendering.scope
    }

    fn host(&self) -> Option<&Host> {
        self.scope().inventory.host(self.host.as_str())
    }

    fn lookup(self: &Arc<Self>, name: &str) -> Option<Jinja> {
        let scope = self.scope();
        if !self.foreign
            && let Some((item, value)) = &scope.item
            && item == name
        {
            return Some(value.clone());
        }
        if let Some(value) = self.magic(name) {
            return Some(value);
        }
        if let Some(variable) = scope.inventory.extra().get(name) {
            return Some(self.variable(name, variable));
        }
        if let Some(value) = scope.registered.get(&self.host, name) {
            return Some(match value {
                Val::Known(json) => Jinja::from(Serde(&json)),
                Val::Unknown(why) => self.unknown(why),
            });
        }
        if !self.foreign {
            let strongest_first = scope.layers.iter().rev();
            if let Some(variable) = strongest_first.filter_map(|vars| vars.get(name)).next() {
                return Some(self.variable(name, variable));
            }
        }
        // Only the connection needs it; a template would print it.
        if name == "ansible_become_password" {
            return None;
        }
        let variable = self.host()?.var(name)?;
        Some(self.variable(name, &variable))
    }

    fn magic(self: &Arc<Self>, name: &str) -> Option<Jinja> {
        let host = self.host.as_str();
        Some(match name {
            "inventory_hostname" => Jinja::from(host),
            "inventory_hostname_short" => Jinja::from(host.split('.').next().unwrap_or(host)),
            "hostvars" => Jinja::from_object(HostVars(self.rendering.clone())),
            "groups" => Jinja::from_object(Groups(self.rendering.clone())),
            "group_names" => {
                let mut names = self.host()?.groups.clone();
                names.sort();
                Jinja::from(names)
            }
            "inventory_dir" => {
                Jinja::from(self.scope().inventory.folder.to_string_lossy().into_owned())
            }
            "play_hosts" | "ansible_play_hosts" => names(self.scope().play_hosts.iter()),
            "omit" => Jinja::from(OMIT),
            _ => return None,
        })
    }

    fn unknown(&self, why: String) -> Jinja {
        self.rendering.state().unknown.get_or_insert(why);
        Jinja::from(Error::new(ErrorKind::InvalidOperation, "not known yet"))
    }

    fn variable(self: &Arc<Self>, name: &str, variable: &Variable) -> Jinja {
        if !variable.node.has_template() {
            return to_jinja(&variable.node);
        }
        let link = (self.host.clone(), name.to_owned());
        {
            let mut state = self.rendering.state();
            let circle = state.chain.iter().position(|known| *known == link);
            if circle.is_some() || state.chain.len() >= MAX_CHAIN {
                let from = circle.unwrap_or(0);
                let links = state.chain[from..].iter().chain([&link]);
                let links: Vec<&str> = links.map(|(_, name)| name.as_str()).collect();
                let message = if circle.is_some() {
                    format!("variables are defined by each other: {}", links.join(" → "))
                } else {
                    format!("more than {MAX_CHAIN} variables are defined by way of each other")
                };
                return fail(&mut state, message, None);
            }
            state.chain.push(link);
        }
        let result = render_node(self, &variable.node);
        self.rendering.state().chain.pop();
        match result {
            Ok(node) => to_jinja(&node),
            Err(failure) => {
                let inner_is_nested = self.rendering.state().nested.is_some();
                let (mut message, hint) = self.rendering.words(&failure);
                // The innermost variable is where the mistake is; the way there would only be long.
                if !inner_is_nested {
                    message = format!("{message}, in the variable `{name}` at {}", failure.span);
                }
                fail(&mut self.rendering.state(), message, hint)
            }
        }
    }
}

fn fail(state: &mut State, message: String, hint: Option<String>) -> Jinja {
    state.nested = Some((message, hint));
    Jinja::from(Error::new(ErrorKind::InvalidOperation, "see the variable"))
}

pub(super) fn names<'n>(hosts: impl Iterator<Item = &'n HostName>) -> Jinja {
    hosts.map(|host| Jinja::from(host.as_str())).collect()
}

impl Object for Frame {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        // For its debug information the engine asks again for every name that a failed template
        // uses; through a chain of variables that would double at each link.
        if self.rendering.is_over() {
            return None;
        }
        let value = self.lookup(key);
        if value.is_none() {
            self.rendering.state().missed = Some(key.to_owned());
        }
        value
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.host().map(|host| host.vars.keys().cloned());
        let names = names.into_iter().flatten();
        Enumerator::Values(names.map(Jinja::from).collect())
    }
}

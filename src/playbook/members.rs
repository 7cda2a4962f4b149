//! `hostvars` and `groups`: looked up when a template asks for a member.

use super::context::{Frame, Rendering, names};
use minijinja::Value as Jinja;
use minijinja::value::{Enumerator, Object};
use std::sync::Arc;

/// `hostvars`: the variables of every host, looked up when asked for.
pub(super) struct HostVars(pub Arc<Rendering>);

impl std::fmt::Debug for HostVars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<hostvars>")
    }
}

impl Object for HostVars {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let name = key.as_str()?;
        let Some(host) = self.0.scope.inventory.host(name) else {
            self.0.state().missed = Some(format!("hostvars[{name}]"));
            return None;
        };
        Some(Jinja::from_object(Frame {
            rendering: self.0.clone(),
            host: host.name.clone(),
            foreign: true,
        }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let hosts = self.0.scope.inventory.hosts().iter();
        Enumerator::Values(hosts.map(|host| Jinja::from(host.name.as_str())).collect())
    }
}

/// `groups`: the host names of every group.
pub(super) struct Groups(pub Arc<Rendering>);

impl std::fmt::Debug for Groups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<groups>")
    }
}

impl Object for Groups {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let name = key.as_str()?;
        let Some(hosts) = self.0.scope.inventory.hosts_of(name) else {
            self.0.state().missed = Some(format!("groups.{name}"));
            return None;
        };
        Some(names(hosts.iter()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let groups = self.0.scope.inventory.groups();
        Enumerator::Values(
            groups
                .map(|group| Jinja::from(group.name.as_str()))
                .collect(),
        )
    }
}

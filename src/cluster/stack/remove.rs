//! What goes: configs of another content, services that nothing declares, and the whole stack. And what must
//! be gone before a stack of the same name is made again.

use super::refuse;
use super::table::Table;
use crate::plan::{
    Act, Allow, Claim, Class, Decision, Expect, StackAct, StackExpect, Step, StepId, Wait,
};
use crate::probe::{Query, Seen};
use std::collections::BTreeSet;

/// How long nodes may take to let go of a removed stack, in seconds: containers have time to stop.
const LEAVE_S: u64 = 300;

impl Table<'_> {
    /// Configs of ours that nothing declares any more: their names have the hash of another content.
    pub(super) fn prune(&self) -> Option<Step> {
        let declared = self.stack.file.configs();
        let kept: BTreeSet<&String> = self
            .services()
            .iter()
            .filter(|(name, _)| !self.is_declared(name))
            .flat_map(|(_, service)| &service.configs)
            .collect();
        let names: BTreeSet<String> = self
            .running
            .configs
            .iter()
            .filter(|name| !declared.contains(*name) && !kept.contains(name))
            .filter(|name| is_ours(name, &self.stack.project))
            .cloned()
            .collect();
        if names.is_empty() {
            return None;
        }
        let listed: Vec<&str> = names.iter().map(String::as_str).collect();
        let why = format!("no service declares {} any more", listed.join(", "));
        let id = StepId::new(&["stack", "prune", self.stack.file.name()]);
        let act = Act::Stack(StackAct::PruneConfigs {
            names: names.clone(),
        });
        let done = Claim::new(
            self.speaker,
            self.query(),
            Expect::Stack(StackExpect::WithoutConfigs(names)),
        );
        let step = Step::new(id, self.speaker, Class::Repair, why, act);
        Some(step.via(self.via()).done(done))
    }

    /// Services of the stack that nothing declares, and whose removal is not allowed.
    pub(super) fn undeclared(&self) -> impl Iterator<Item = &String> {
        let services = self.services().keys();
        services.filter(|name| !self.is_declared(name) && !self.may_go(name))
    }

    fn may_go(&self, service: &str) -> bool {
        Allow::any(&self.stack.allowed, "remove-service", service, "")
    }

    /// The removal of those for which it is allowed.
    pub(super) fn orphans(&self) -> Vec<Step> {
        let orphans = self.services().keys();
        orphans
            .filter(|name| !self.is_declared(name) && self.may_go(name))
            .map(|name| {
                let id = StepId::new(&["stack", "remove-service", name]);
                let why = "nothing declares it, and its removal is allowed";
                let act = Act::Stack(StackAct::RemoveService { name: name.clone() });
                let class = Class::Destroy(format!("service {name}"));
                let gone = StackExpect::WithoutService(name.clone());
                let done = Claim::new(self.speaker, self.query(), Expect::Stack(gone));
                let step = Step::new(id, self.speaker, class, why, act);
                step.via(self.via()).done(done)
            })
            .collect()
    }

    pub(super) fn remove(&self, decision: &mut Decision) {
        let name = self.stack.file.name();
        if self.running.is_gone() {
            return;
        }
        if !Allow::any(&self.stack.allowed, "remove-stack", name, "") {
            let refusal = refuse::removal(name, self.services().len());
            decision.refusals.push(refusal);
            return;
        }
        let act = Act::Stack(StackAct::Remove {
            stack: name.to_owned(),
        });
        let why = "it is declared absent, and its removal is allowed";
        let class = Class::Destroy(format!("stack {name}"));
        let id = StepId::new(&["stack", "remove", name]);
        let done = Claim::new(self.speaker, self.query(), Expect::Stack(StackExpect::Gone));
        let step = Step::new(id, self.speaker, class, why, act);
        decision.steps.push(step.via(self.via()).done(done));
    }

    /// Nodes that have not let go of a removed stack: its network there has another id than the new one would
    /// have, and tasks that are attached to it fail (moby#29293). Says whether there are any.
    pub(super) fn leftovers(&self, decision: &mut Decision) -> bool {
        // A network without services that the Swarm does list is what an interrupted deployment leaves.
        if !self.services().is_empty() || !self.running.networks.is_empty() {
            return false;
        }
        let mut evidence = Vec::new();
        for (host, seen) in &self.state.nodes {
            let Seen::Is(node) = seen else { continue };
            let containers = node.running.values().sum::<usize>() + node.ended;
            if containers == 0 && node.networks.is_empty() {
                continue;
            }
            let networks = if node.networks.is_empty() {
                "no network of it".to_owned()
            } else {
                format!("the network {}", self.stack.about.network)
            };
            evidence.push(format!("{host}: {containers} containers and {networks}"));
            decision.waits.push(Wait {
                what: format!(
                    "{host} lets go of the stack {} that was removed",
                    self.stack.file.name()
                ),
                until: Claim::new(
                    host,
                    Query::StackNode(self.stack.about.clone()),
                    Expect::Stack(StackExpect::Left),
                ),
                deadline_s: LEAVE_S,
            });
        }
        if evidence.is_empty() {
            return false;
        }
        let refusal = refuse::left_over(&self.stack.about.network, evidence);
        decision.refusals.push(refusal);
        true
    }
}

/// `swarm_nginx-config_0a1b2c3d`
fn is_ours(name: &str, project: &str) -> bool {
    let hash = name
        .strip_prefix(project)
        .and_then(|rest| rest.strip_prefix('_'))
        .and_then(|rest| rest.rsplit_once('_'))
        .map(|(_, hash)| hash);
    hash.is_some_and(|hash| hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_configs_with_a_hash_are_ours() {
        assert!(is_ours("swarm_nginx-config_0a1b2c3d", "swarm"));
        assert!(!is_ours("swarm_nginx-config", "swarm"));
        assert!(!is_ours("other_nginx-config_0a1b2c3d", "swarm"));
        assert!(!is_ours("swarm_nginx-config_0a1b2c3x", "swarm"));
    }
}

//! The simulated hosts obey typed acts, with the engine's own refusals; and break in the middle of them.

use super::world::{Phase, World, majority};
use provision::inventory::HostName;
use provision::plan::{Act, Step, SwarmAct, Via};

/// What happens around an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The controller dies just before it, or the request is lost.
    Before,
    /// The act runs, and the controller never hears of it.
    After,
    /// A host that joins loses its power when the managers have listed it.
    Half,
}

pub const FAULTS: [Fault; 3] = [Fault::Before, Fault::After, Fault::Half];

impl World {
    /// Runs a step.
    ///
    /// # Errors
    /// In the engine's words.
    pub fn obey(&mut self, step: &Step) -> Result<(), String> {
        let h = match &step.via {
            Via::Host(host) => self.host(host),
            Via::AnyManager(hosts) => {
                let speaks = |host: &&HostName| {
                    let h = self.host(host);
                    self.reachable(h) && self.speaks(h).is_some()
                };
                let host = hosts.iter().find(speaks).ok_or("no manager answers")?;
                self.host(host)
            }
        };
        if !self.reachable(h) {
            return Err("no route to host".to_owned());
        }
        if !self.hosts[h].running {
            return Err("Cannot connect to the Docker daemon".to_owned());
        }
        let Act::Swarm(act) = &step.act else {
            return Err(format!("not an act of the swarm: {:?}", step.act));
        };
        self.swarm(h, act)
    }

    /// Does an act on a host.
    ///
    /// # Errors
    /// In the engine's words.
    pub fn swarm(&mut self, h: usize, act: &SwarmAct) -> Result<(), String> {
        match act {
            SwarmAct::Init {
                advertise_addr,
                data_path_port,
                default_addr_pool,
                subnet_size,
            } => {
                if self.hosts[h].disk.is_some() {
                    return Err("This node is already part of a swarm".to_owned());
                }
                if *advertise_addr != self.hosts[h].addr {
                    return Err("no such address".to_owned());
                }
                self.founded += 1;
                self.found(
                    h,
                    default_addr_pool.clone(),
                    u32::from(*data_path_port),
                    u32::from(*subnet_size),
                );
                Ok(())
            }
            SwarmAct::Join {
                manager,
                remote_addrs,
                token_from,
                drained,
                ..
            } => {
                self.join(h, *manager, remote_addrs, token_from)?;
                if let Some(disk) = self.hosts[h].disk.clone() {
                    let node = self.clusters[disk.cluster].nodes.get_mut(&disk.node);
                    node.unwrap().drained = *drained;
                }
                Ok(())
            }
            SwarmAct::Mark | SwarmAct::Unmark => {
                self.hosts[h].marked = *act == SwarmAct::Mark;
                Ok(())
            }
            SwarmAct::Activate { id } => {
                self.entry(h, id)?.1.drained = false;
                Ok(())
            }
            SwarmAct::Leave => {
                self.hosts[h].disk = None;
                Ok(())
            }
            SwarmAct::Promote { id } => {
                self.entry(h, id)?.1.manager = true;
                Ok(())
            }
            SwarmAct::Demote { id } => self.demote(h, id),
            SwarmAct::Forget { id } => {
                let (c, node) = self.entry(h, id)?;
                if node.vote || node.manager {
                    return Err(
                        "node is a cluster manager and is a member of the raft cluster".to_owned(),
                    );
                }
                if !node.given_up() {
                    return Err("node is not down and can't be removed".to_owned());
                }
                self.clusters[c].nodes.remove(id);
                Ok(())
            }
            SwarmAct::Label { id, labels } => {
                let (c, _) = self.entry(h, id)?;
                let named = |(key, node): &(&String, &mut super::world::Node)| {
                    *key == id || node.hostname == *id
                };
                let mut found: Vec<_> = self.clusters[c]
                    .nodes
                    .iter_mut()
                    .filter(|entry| named(entry))
                    .collect();
                match &mut found[..] {
                    [(_, node)] => {
                        node.labels.extend(labels.clone());
                        Ok(())
                    }
                    several => Err(format!(
                        "node {id} is ambiguous ({} matches)",
                        several.len()
                    )),
                }
            }
        }
    }

    /// The roster's entry, by id or host name, as a manager on `h` finds it.
    fn entry(&mut self, h: usize, id: &str) -> Result<(usize, &mut super::world::Node), String> {
        let c = self.speaks(h).ok_or("The swarm does not have a leader")?;
        self.clusters[c]
            .nodes
            .iter_mut()
            .find(|(key, node)| *key == id || node.hostname == id)
            .map(|(_, node)| (c, node))
            .ok_or_else(|| format!("node {id} not found"))
    }

    fn demote(&mut self, h: usize, id: &str) -> Result<(), String> {
        let (c, node) = self.entry(h, id)?;
        let votes = node.vote;
        let heard = self.heard(c, id);
        let (voters, voters_heard) = (self.voters(c), self.voters_heard(c));
        if votes && voters == 1 {
            return Err("attempting to demote the last manager of the swarm".to_owned());
        }
        if votes && voters_heard - usize::from(heard) < majority(voters - 1) {
            return Err(
                "can't remove member from the raft: this would result in a loss of quorum"
                    .to_owned(),
            );
        }
        self.entry(h, id)?.1.manager = false;
        Ok(())
    }

    fn join(
        &mut self,
        h: usize,
        manager: bool,
        remote: &[String],
        token_from: &[HostName],
    ) -> Result<(), String> {
        if self.hosts[h].disk.is_some() {
            return Err("This node is already part of a swarm".to_owned());
        }
        let token = token_from.iter().find_map(|host| {
            let from = self.host(host);
            self.reachable(from).then(|| self.speaks(from)).flatten()
        });
        let c = token.ok_or("no manager gives a token")?;
        let answers = (0..self.hosts.len()).any(|peer| {
            self.speaks(peer) == Some(c)
                && self.hosts[peer].link
                && remote.contains(&format!("{}:2377", self.hosts[peer].addr))
        });
        if !answers || !self.hosts[h].link {
            return Err("could not find local IP address: dial timed out".to_owned());
        }
        let node = self.fresh("n");
        let phase = if self.slow_joins {
            Phase::Joining(3)
        } else {
            Phase::Active
        };
        self.enter(h, c, node, manager, phase);
        Ok(())
    }
}

//! What happens by itself while time passes: the managers' own work, and engines that come up.

use super::world::{Phase, World};

impl World {
    /// Some seconds pass.
    pub fn tick(&mut self) {
        for cluster in 0..self.clusters.len() {
            self.elect(cluster);
            if self.led(cluster) {
                self.reconcile(cluster);
            }
        }
        for h in 0..self.hosts.len() {
            let Some(disk) = self.hosts[h].disk.clone() else {
                continue;
            };
            if !self.hosts[h].power || !self.hosts[h].running || !self.linked(h, disk.cluster) {
                continue;
            }
            let led = self.led(disk.cluster);
            let node = self.clusters[disk.cluster].nodes.get(&disk.node);
            let vote = node.map(|node| node.vote);
            let disk = self.hosts[h].disk.as_mut().unwrap();
            match disk.phase {
                Phase::Joining(left) if led && left > 1 => disk.phase = Phase::Joining(left - 1),
                Phase::Joining(_) if led => disk.phase = Phase::Active,
                Phase::Starting => disk.phase = Phase::Active,
                _ => {}
            }
            if led && disk.phase == Phase::Active {
                match vote {
                    Some(vote) => disk.manager = vote,
                    // A worker whose node is gone is told so by the managers.
                    None if !disk.manager && disk.node.ends_with(['1', '3', '5', '7', '9']) => {
                        disk.phase = Phase::Failed;
                    }
                    None => {}
                }
            }
        }
    }

    /// A leader that is gone, or that lost its majority, is followed by another one after a while.
    fn elect(&mut self, c: usize) {
        let quorum = self.quorum(c);
        let heard = |id: &String| self.heard(c, id);
        let gone = self.clusters[c]
            .leader
            .as_ref()
            .is_some_and(|id| !heard(id));
        let cluster = &mut self.clusters[c];
        if self.election > 0 && (gone || !quorum) {
            cluster.leader = None;
            cluster.electing = self.election;
        } else {
            cluster.electing = cluster.electing.saturating_sub(1);
        }
    }

    /// The leader's own work: hearing of nodes, handing votes over, leading.
    fn reconcile(&mut self, c: usize) {
        let heard: Vec<String> = self.clusters[c]
            .nodes
            .keys()
            .filter(|id| self.heard(c, id))
            .cloned()
            .collect();
        let cluster = &mut self.clusters[c];
        for (id, node) in &mut cluster.nodes {
            node.missed = if heard.contains(id) {
                0
            } else {
                node.missed + 1
            };
            if node.manager && heard.contains(id) {
                node.vote = true;
            } else if !node.manager {
                node.vote = false;
            }
        }
        let leads = |id: &&String| cluster.nodes.get(*id).is_some_and(|node| node.vote);
        if cluster
            .leader
            .as_ref()
            .filter(|id| heard.contains(id))
            .filter(leads)
            .is_none()
        {
            // Never the first by name alone: nothing may depend on who leads.
            cluster.leader = heard.iter().rev().find(leads).cloned();
        }
    }
}

//! What befalls a stack between runs.

use super::cluster::Cluster;
use super::events::Event;
use super::stack::{KOMPIRA, NGINX, RABBITMQ, Stack};
use super::stack_says::SSL;

impl Cluster {
    pub fn happen_to_stack(&mut self, event: Event, h: usize) {
        let names = [KOMPIRA, NGINX, RABBITMQ];
        let name = names[self.rng.below(names.len())];
        match event {
            Event::ScaleService => self.by_hand(h, |stack| {
                if let Some(service) = stack.services.get_mut(name) {
                    (service.replicas, service.by_hand) = (2, true);
                }
            }),
            Event::RemoveService => self.by_hand(h, |stack| {
                stack.services.remove(name);
            }),
            Event::EditService => self.by_hand(h, |stack| {
                if let Some(service) = stack.services.get_mut(name) {
                    service.by_hand |= !service.configs.is_empty();
                    service.configs.clear();
                    service.made_from.push_str(" without configs");
                    (service.updated, service.updating) = (true, 3);
                }
            }),
            Event::KillContainer => {
                let own = &mut self.containers[h];
                let before = own.running.len();
                own.running.retain(|one| one.service != name);
                own.ended += before - own.running.len();
            }
            Event::LoseBroker => {
                let own = &mut self.containers[h];
                own.running.retain(|one| one.service != RABBITMQ);
                own.broker = None;
            }
            Event::EditCertificate => {
                let path = format!("{SSL}/server.crt");
                if let Some(ca) = self.shared_bytes(h, &format!("{SSL}/local-ca.crt")) {
                    let ca = ca.to_vec();
                    let _ = self.share_file(h, &path, &ca, 0o644);
                }
            }
            Event::OldCertificate => {
                let path = format!("{SSL}/local-ca.crt");
                let other = self.shared_bytes(h, &path).map(<[u8]>::to_vec);
                for one in &mut self.containers[h].running {
                    if one.loaded.is_some() && other.is_some() {
                        one.loaded.clone_from(&other);
                    }
                }
            }
            other => panic!("{other:?} does not befall a stack"),
        }
    }

    /// Through a manager that can decide.
    fn by_hand(&mut self, h: usize, change: impl FnOnce(&mut Stack)) {
        let stack = self.swarm.speaks(h).and_then(|c| self.stacks.get_mut(&c));
        stack.map(change);
    }
}

//! What the engine of a host does with the tasks that the managers give it.

use super::cluster::Cluster;
use super::stack::{Container, NGINX, RABBITMQ, Service, State, Task};
use super::swarm_sim::world::Phase;
use std::collections::BTreeSet;

impl Cluster {
    /// The engine of a host does what the managers that it hears want.
    pub fn agent(&mut self, h: usize) {
        let host = &self.swarm.hosts[h];
        if !host.power || !host.running {
            self.containers[h].end();
            return;
        }
        let Some(disk) = host.disk.clone() else {
            self.containers[h].end();
            self.containers[h].ended = 0;
            return;
        };
        let c = disk.cluster;
        let hears = self.swarm.heard(c, &disk.node) && self.swarm.led(c);
        if !hears || disk.phase != Phase::Active {
            return;
        }
        let Some(mut stack) = self.stacks.remove(&c) else {
            self.containers[h].end();
            self.containers[h].ended = 0;
            return;
        };
        let wanted: BTreeSet<u64> = stack
            .tasks
            .iter()
            .filter(|task| task.wanted && task.node == disk.node)
            .map(|task| task.id)
            .collect();
        let own = &mut self.containers[h];
        let before = own.running.len();
        own.running.retain(|one| wanted.contains(&one.task));
        own.ended += before - own.running.len();
        if stack.services.is_empty() {
            own.ended = 0;
        }
        if !own.runs(RABBITMQ) {
            own.alone = 0;
            if let Some(broker) = &mut own.broker {
                broker.up = false;
            }
        }
        for task in stack.tasks.iter_mut().filter(|task| task.node == disk.node) {
            let runs = self.containers[h]
                .running
                .iter()
                .any(|one| one.task == task.id);
            match task.state {
                State::Running if !runs => {
                    task.state = match task.wanted {
                        true => State::Failed,
                        false => State::Shutdown,
                    };
                }
                State::Preparing(_) if !task.wanted => task.state = State::Shutdown,
                State::Preparing(left) if left > 0 => task.state = State::Preparing(left - 1),
                State::Preparing(_) => {
                    let started = self.start(h, task, &stack.services[&task.service]);
                    (task.state, task.error) = match started {
                        Ok(container) => {
                            self.containers[h].running.push(container);
                            (State::Running, String::new())
                        }
                        Err(why) => (State::Rejected, why),
                    };
                }
                _ => {}
            }
        }
        self.stacks.insert(c, stack);
    }

    /// Starts a container, which needs its image and what it mounts.
    fn start(&self, h: usize, task: &Task, service: &Service) -> Result<Container, String> {
        if !self.containers[h].images.contains(&service.image) {
            return Err(format!("No such image: {}", service.image));
        }
        for path in &service.binds {
            if self.shared(h, path)?.is_none() {
                return Err(format!(
                    "invalid mount config for type \"bind\": bind source path does not exist: {path}"
                ));
            }
        }
        let speaks_tls = [NGINX, RABBITMQ].contains(&&*task.service);
        let loaded = speaks_tls.then(|| self.served_certificate(h));
        if loaded == Some(None) {
            return Err("task: non-zero exit (1)".into());
        }
        Ok(Container {
            task: task.id,
            service: task.service.clone(),
            loaded: loaded.flatten(),
            ..Container::default()
        })
    }
}

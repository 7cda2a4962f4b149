//! What stops hosts and layers: refusals, silence, and values that nobody will give.

use super::Drive;
use crate::apply::Fleet;
use crate::apply::engine::Stage;
use crate::apply::schedule::Frontier;
use crate::inventory::HostName;
use crate::plan::Reach;
use crate::report::Event;

impl<'e, 'a: 'e, F: Fleet> Drive<'e, 'a, F> {
    /// Nothing is in flight. Hosts that wait for a value that nobody will give are stopped, once, so that the rest can go on.
    pub(super) fn is_stuck(&mut self) -> bool {
        let hosts = self.engine.hosts.iter();
        let stuck: Vec<(HostName, String)> = hosts
            .filter(|host| !self.engine.stopped_hosts.contains_key(*host))
            .filter_map(|host| match self.engine.frontier(host) {
                Frontier::Unknown(why) => Some((host.clone(), why)),
                _ => None,
            })
            .collect();
        for (host, why) in &stuck {
            self.drove.failed = true;
            self.stop_host(host, why.clone());
        }
        !stuck.is_empty()
    }

    /// Stops what the task's refusals reach; says whether that is anything new.
    pub(super) fn refuse(&mut self, index: usize) -> bool {
        let Stage::Decided(verdict) = &self.engine.progress[index].stage else {
            return false;
        };
        let layer = self.engine.works[index].layer;
        let own = self.engine.works[index].hosts.clone();
        let cluster = self.engine.works[index].cluster;
        let mut stopped = false;
        for refusal in verdict.decision.refusals.clone() {
            let why = format!("{}: {}", refusal.code, refusal.because);
            match refusal.reach {
                Reach::Hosts(hosts) => {
                    for host in hosts {
                        stopped |= self.stop_host(&host, why.clone());
                    }
                }
                Reach::Layer => stopped |= self.stop_layer(layer, why),
                Reach::Here if !cluster => {
                    for host in &own {
                        stopped |= self.stop_host(host, why.clone());
                    }
                }
                Reach::Here | Reach::LayerAfterWaits => {}
            }
        }
        self.drove.refused |= stopped;
        stopped
    }

    pub(super) fn note_unreachable(&mut self, host: &HostName) {
        let Some(why) = self.engine.fleet.unreachable(host) else {
            return;
        };
        if !self.engine.stopped_hosts.contains_key(host) {
            self.engine.stopped_hosts.insert(host.clone(), why.clone());
            self.report.emit(&Event::Unreachable {
                host: host.clone(),
                why,
            });
        }
    }

    pub(super) fn stop_host(&mut self, host: &HostName, why: String) -> bool {
        if self.engine.stopped_hosts.contains_key(host) {
            return false;
        }
        self.engine.stopped_hosts.insert(host.clone(), why.clone());
        self.report.emit(&Event::HostStopped {
            host: host.clone(),
            why,
        });
        true
    }

    pub(super) fn stop_layer(&mut self, layer: usize, why: String) -> bool {
        if self.engine.stopped_layers.contains_key(&layer) {
            return false;
        }
        self.engine.stopped_layers.insert(layer, why.clone());
        let layer = self.engine.layers[layer].name.clone();
        self.report.emit(&Event::LayerStopped { layer, why });
        true
    }
}

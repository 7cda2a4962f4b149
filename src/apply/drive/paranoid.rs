//! `--paranoid`: what is held to be true is asked for again.

use super::Drive;
use crate::apply::Fleet;
use crate::inventory::HostName;
use crate::plan::Scope;
use crate::probe::{Answer, Query};
use std::collections::BTreeMap;

impl<'e, 'a: 'e, F: Fleet> Drive<'e, 'a, F> {
    /// `--paranoid`: every answer that was kept is asked for again, and must not have moved.
    pub(super) async fn check_kept(&mut self) {
        let hosts = self.engine.hosts.clone();
        for host in hosts.iter() {
            if self.busy.contains(host) || self.engine.fleet.unreachable(host).is_some() {
                continue;
            }
            let kept: BTreeMap<Query, Answer> = self
                .engine
                .memory
                .of(host)
                // What is being changed now is forgotten when that has ended.
                .filter(|(query, _)| {
                    let touched =
                        |(on, scope): &(HostName, Scope)| scope.touches(query, on == host);
                    !self.acting.iter().any(touched)
                })
                .filter_map(|(query, seen)| Some((query.clone(), seen.known()?.steady()?)))
                .collect();
            let fresh = self
                .engine
                .fleet
                .ask(host, kept.keys().cloned().collect())
                .await;
            for (query, now) in fresh {
                let now = now.known().and_then(Answer::steady);
                if now.is_some_and(|now| kept.get(&query).is_some_and(|before| *before != now)) {
                    self.drove.failed = true;
                    self.stop_host(host, format!("paranoid: the kept answer to {query:?} has moved: an act changes more than it says"));
                }
            }
        }
    }
}

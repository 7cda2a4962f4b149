//! What the members say of each other: G1 to G4, and names.

use super::refuse;
use super::state::{Here, Place};
use super::table::{Whole, gluster};
use crate::inventory::HostName;
use crate::plan::{
    Act, Advice, Class, Decision, GlusterAct, GlusterExpect, Step, StepId, Via, Wait,
};
use std::collections::BTreeSet;

/// `Peer Rejected`. Source: glusterd-sm.h, `GD_FRIEND_STATE_REJECTED`.
const REJECTED: u8 = 6;

/// `Peer in Cluster`.
const IN_CLUSTER: u8 = 3;

impl<'a> Whole<'a> {
    /// What each member that answers says of each other host that is a member by its own word.
    pub(super) fn between(&self, decision: &mut Decision) {
        let mut rejected = BTreeSet::new();
        for (by, place) in &self.speakers {
            for (host, own) in self.members.iter().filter(|(host, _)| host != by) {
                let Some(peer) = self.entry(place, host) else {
                    let what = format!(
                        "{by} does not know {host}, though both are in one pool; when that stays, `gluster peer probe {host}` on another member"
                    );
                    decision.waits.push(self.sees(by, host, what));
                    continue;
                };
                if peer.uuid != own.uuid && !own.uuid.is_empty() {
                    let why = "it is in a pool under another identity";
                    decision
                        .refusals
                        .push(refuse::replaced(self, host, peer, why));
                } else if peer.state == REJECTED {
                    rejected.insert((*host).clone());
                    let what = format!(
                        "{by} rejects {host}; right after {host} came back to the pool that lasts for a moment"
                    );
                    decision.waits.push(self.sees(by, host, what));
                } else if peer.state != IN_CLUSTER {
                    let what = format!(
                        "{by} sees {host} as {}; when that stays, restart glusterd on both, one after the other",
                        peer.state_text
                    );
                    decision.waits.push(self.sees(by, host, what));
                } else if !peer.connected
                    && matches!(self.pool.here(self.state, host), Here::Member(_))
                {
                    let what = format!(
                        "{by} has no connection to glusterd of {host}, which runs; look at the port 24007/tcp between them"
                    );
                    decision.waits.push(self.sees(by, host, what));
                }
            }
        }
        if !rejected.is_empty() {
            decision.refusals.push(refuse::rejected(self, &rejected));
        }
        decision.refusals.dedup();
    }

    fn sees(&self, by: &HostName, host: &HostName, what: String) -> Wait {
        let name = self
            .speakers
            .iter()
            .find(|(speaker, _)| *speaker == by)
            .and_then(|(_, place)| self.entry(place, host)?.hostnames.first().cloned());
        let name = name.unwrap_or_else(|| host.to_string());
        Wait {
            what,
            until: gluster(by, GlusterExpect::Peers(vec![name])),
            deadline_s: 60,
        }
    }

    /// A member that is known by an address only: bricks name hosts, and must find them by those names.
    pub(super) fn names(&self, speaker: &HostName, told: &'a Place, decision: &mut Decision) {
        for (host, _) in self.members.iter().filter(|(host, _)| *host != speaker) {
            let Some(peer) = self.entry(told, host).filter(|peer| peer.is_well()) else {
                continue;
            };
            if peer.is_called(host.as_str()) {
                continue;
            }
            let act = Act::Gluster(GlusterAct::Probe {
                host: host.to_string(),
            });
            let id = StepId::new(&["gluster_pool", "name", host.as_str()]);
            let why = format!(
                "the pool knows it as {}, not by its name",
                peer.hostnames.join(", ")
            );
            let step = Step::new(id, host, Class::Repair, why, act)
                .via(Via::Host(speaker.clone()))
                .done(gluster(
                    speaker,
                    GlusterExpect::Peers(vec![host.to_string()]),
                ));
            decision.steps.push(step);
        }
    }

    /// Members of the pool that the play does not name.
    pub(super) fn strangers(&self, told: &Place) -> Option<Advice> {
        let own: BTreeSet<&str> = self
            .members
            .iter()
            .map(|(_, place)| place.uuid.as_str())
            .collect();
        let names: Vec<String> = told
            .peers
            .iter()
            .filter(|peer| !own.contains(peer.uuid.as_str()))
            .filter(|peer| {
                self.pool
                    .hosts
                    .iter()
                    .all(|host| !peer.is_called(host.as_str()))
            })
            .map(|peer| peer.hostnames.join("/"))
            .collect();
        (!names.is_empty()).then(|| Advice {
            code: "G1".to_owned(),
            host: None,
            text: format!(
                "the pool has members that are not in the group: {}; add them to the inventory, or take them out by hand once no volume has bricks there (`gluster peer detach NAME`)",
                names.join(", ")
            ),
        })
    }
}

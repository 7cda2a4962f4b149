//! The decision table of the pool. The codes (G0, G1 …) are those of `docs/glusterfs.md`.

use super::state::{Here, Place};
use super::{GlusterPool, State, refuse};
use crate::inventory::HostName;
use crate::plan::{
    Act, Claim, Class, Decision, Expect, GlusterAct, GlusterExpect, Refusal, Step, StepId, Via,
    Wait,
};
use crate::probe::Query;
use crate::probe::gluster::Peer;
use std::collections::BTreeSet;

/// What follows from what the hosts told.
pub(super) fn decide(pool: &GlusterPool, state: &State) -> Decision {
    if let Some(refusal) = refuse::loopback(state) {
        return refused(refusal);
    }
    if pool.only_check {
        return Decision::default();
    }
    let members: Vec<(&HostName, &Place)> = pool
        .hosts
        .iter()
        .filter_map(|host| Some((host, pool.here(state, host).place()?)))
        .collect();
    if members.is_empty() {
        return found(pool, state);
    }
    let whole = Whole::new(pool, state, &members);
    if let Some(refusal) = whole.obstacle() {
        return refused(refusal);
    }
    whole.decide()
}

fn refused(refusal: Refusal) -> Decision {
    Decision {
        refusals: vec![refusal],
        ..Decision::default()
    }
}

/// G0: no trace is seen anywhere, so that a pool may be founded when every host answered.
fn found(pool: &GlusterPool, state: &State) -> Decision {
    let silent = |host: &HostName| matches!(pool.here(state, host), Here::Silent(_));
    if pool.hosts.iter().any(silent) {
        return refused(refuse::may_hold_a_pool(pool, state));
    }
    let Some((founder, others)) = pool.hosts.split_first() else {
        return Decision::default();
    };
    let mut decision = Decision::default();
    for (index, host) in others.iter().enumerate() {
        let why = if index == 0 {
            format!(
                "all {} hosts answered, and none is in a pool or has a trace of one",
                pool.hosts.len()
            )
        } else {
            "it is in no pool yet".to_owned()
        };
        let mut step = probe(pool, state, founder, host, &why);
        if index == 0 {
            step.class = Class::Found;
            for other in &pool.hosts {
                step = step.need(gluster(other, GlusterExpect::Blank));
            }
            step.assumes.extend(assumed(pool, state, founder));
        }
        decision.steps.push(step);
    }
    decision
}

pub(super) fn gluster(host: &HostName, expect: GlusterExpect) -> Claim {
    Claim::new(host, Query::Gluster, Expect::Gluster(expect))
}

pub(super) fn assumed(pool: &GlusterPool, state: &State, host: &HostName) -> Option<String> {
    match pool.here(state, host) {
        Here::Blank {
            assumed: Some(why), ..
        } => Some(format!("{host} is in no pool: {why}")),
        _ => None,
    }
}

/// Always from inside of the pool: a blank host cannot take itself into one.
fn probe(pool: &GlusterPool, state: &State, from: &HostName, host: &HostName, why: &str) -> Step {
    let act = Act::Gluster(GlusterAct::Probe {
        host: host.to_string(),
    });
    let id = StepId::new(&["gluster_pool", "probe", host.as_str()]);
    let mut step = Step::new(id, host, Class::Create, why, act)
        .via(Via::Host(from.clone()))
        .need(gluster(from, GlusterExpect::Answers))
        .need(gluster(host, GlusterExpect::Answers))
        .need(gluster(host, GlusterExpect::Blank));
    step.assumes.extend(assumed(pool, state, host));
    step.done(gluster(from, GlusterExpect::Peers(vec![host.to_string()])))
}

/// A pool that is there.
pub(super) struct Whole<'a> {
    pub pool: &'a GlusterPool,
    pub state: &'a State,
    pub members: &'a [(&'a HostName, &'a Place)],
    /// Members whose daemon answers, in the order of the inventory.
    pub speakers: Vec<(&'a HostName, &'a Place)>,
}

impl<'a> Whole<'a> {
    fn new(
        pool: &'a GlusterPool,
        state: &'a State,
        members: &'a [(&'a HostName, &'a Place)],
    ) -> Self {
        let speaks =
            |(host, _): &&(&HostName, &Place)| matches!(pool.here(state, host), Here::Member(_));
        Self {
            pool,
            state,
            members,
            speakers: members.iter().filter(speaks).copied().collect(),
        }
    }

    /// Why nothing is done at all.
    fn obstacle(&self) -> Option<Refusal> {
        if let Some(refusal) = self.own_pools() {
            return Some(refusal);
        }
        let inside = |peer: &Peer| {
            self.pool.hosts.iter().any(|host| {
                peer.is_called(host.as_str())
                    || self
                        .members
                        .iter()
                        .any(|(own, place)| *own == host && place.uuid == peer.uuid)
            })
        };
        let foreign = self
            .members
            .iter()
            .find(|(_, place)| !place.peers.is_empty() && !place.peers.iter().any(inside));
        if let Some((host, _)) = foreign
            && self.pool.hosts.len() > 1
        {
            return Some(refuse::pool_of_others(self, host));
        }
        None
    }

    /// G19: members that are in pools of their own: no chain of peers leads from one to the other.
    fn own_pools(&self) -> Option<Refusal> {
        let ids = |place: &'a Place| -> BTreeSet<&'a str> {
            let peers = place.peers.iter().map(|peer| peer.uuid.as_str());
            peers.chain([place.uuid.as_str()]).collect()
        };
        let mut reached = ids(self.members[0].1);
        let mut left: Vec<_> = self.members[1..].to_vec();
        while let Some(next) = left
            .iter()
            .position(|(_, place)| !ids(place).is_disjoint(&reached))
        {
            reached.extend(ids(left.remove(next).1));
        }
        (!left.is_empty()).then(|| refuse::two_pools(self.pool, self.state))
    }

    /// The entry that a member has for a host: by its identity, else by its name.
    pub(super) fn entry(&self, by: &'a Place, host: &HostName) -> Option<&'a Peer> {
        let uuid = match self.pool.here(self.state, host) {
            Here::Member(place) | Here::Stopped { disk: place, .. } => place.uuid.as_str(),
            _ => "",
        };
        by.peers
            .iter()
            .find(|peer| !uuid.is_empty() && peer.uuid == uuid)
            .or_else(|| by.peers.iter().find(|peer| peer.is_called(host.as_str())))
    }

    fn decide(&self) -> Decision {
        let mut decision = Decision::default();
        for (host, _) in self.members {
            if let Here::Stopped { silent, .. } = self.pool.here(self.state, host) {
                decision.waits.push(Wait {
                    what: format!(
                        "glusterd of {host} does not answer ({silent}); look at `journalctl -u glusterd` there"
                    ),
                    until: gluster(host, GlusterExpect::Answers),
                    deadline_s: 120,
                });
            }
        }
        let Some((speaker, told)) = self.speakers.first().copied() else {
            if decision.waits.is_empty() {
                decision.refusals.push(refuse::nobody_answers(self));
            }
            return decision;
        };
        self.between(&mut decision);
        for host in &self.pool.hosts {
            let Here::Blank { uuid, .. } = self.pool.here(self.state, host) else {
                continue;
            };
            let former = self
                .members
                .iter()
                .find_map(|(_, place)| place.knows(host, uuid));
            match former {
                Some(peer) => self.replaced(host, uuid, peer, &mut decision),
                None => {
                    let why = format!("the pool of {speaker} does not know it, and it is in none");
                    let step = probe(self.pool, self.state, speaker, host, &why);
                    decision.steps.push(step);
                }
            }
        }
        self.names(speaker, told, &mut decision);
        decision.advice.extend(self.strangers(told));
        decision
    }
}

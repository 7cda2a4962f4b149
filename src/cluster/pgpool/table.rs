//! The decision table: which case the whole cluster is in. The codes (P0, P1 …) are those of `docs/pgpool.md`.

use super::state::{self, Observed, State};
use super::{Pgpool, address, ids, refuse, repair, steps, tables};
use crate::inventory::HostName;
use crate::module::stamp::Stamp;
use crate::plan::{Decision, Reach, Refusal, UnitVerb};
use crate::probe::pgpool::Watchdog;
use crate::probe::postgres::Postgres;

/// What is seen, with what follows at once.
pub(super) struct View<'a> {
    pub(super) wanted: &'a Pgpool,
    pub(super) state: &'a State,
    pub(super) ids: ids::Ids,
    /// The host with the primary, or the one that is about to have it when nobody has data yet.
    pub(super) primary: &'a HostName,
    /// Nobody has data yet: the layer below makes the primary first.
    pub(super) blank: bool,
}

/// What follows from what the hosts told.
pub(super) fn decide(wanted: &Pgpool, state: &State) -> Decision {
    let mut decision = Decision::default();
    decision.advice.extend(refuse::even_nodes(wanted));
    if let Some(refusal) = address::obstacle(wanted, state) {
        decision.refusals.push(refusal);
        return decision;
    }
    let ids = match state::settled(wanted, state) {
        Ok(ids) => ids,
        Err(files) => {
            decision.refusals.push(refuse::ids_contradict(files));
            return decision;
        }
    };
    let (primary, blank) = match primary(wanted, state) {
        Ok(found) => found,
        Err(refusal) => {
            decision.refusals.push(*refusal);
            return decision;
        }
    };
    let view = View {
        wanted,
        state,
        ids,
        primary,
        blank,
    };
    if let Some(refusal) = view.no_file_seen().or_else(|| view.other_cluster()) {
        decision.refusals.push(refusal);
        return decision;
    }
    steps::files(&view, &mut decision);
    let mut due = steps::services(&view, &mut decision);
    for again in tables::due(&view, &mut decision) {
        let begins = |it: &steps::Due<'_>| it.0 == again.0 && it.1 != UnitVerb::Reload;
        if !due.iter().any(begins) {
            // A start loads everything anew.
            due.retain(|it| it.0 != again.0);
            due.push(again);
        }
    }
    if steps::all_nodes_known(&view) {
        repair::standbys(&view, &mut decision);
        steps::restarts(&view, due, &mut decision);
    } else {
        steps::restarts(&view, due, &mut decision);
        repair::standbys(&view, &mut decision);
    }
    let reaches = |reach| {
        let mut refusals = decision.refusals.iter();
        refusals.any(|refusal| refusal.reach == reach)
    };
    let (all, later) = (reaches(Reach::Layer), reaches(Reach::LayerAfterWaits));
    if all || later {
        decision.steps.clear();
    }
    if all {
        decision.waits.clear();
    }
    let in_vain = steps::in_vain(&view, &decision.waits);
    decision.refusals.extend(in_vain);
    decision
}

/// The host whose PostgreSQL is the primary; with `true` when it has yet to be made.
fn primary<'a>(wanted: &'a Pgpool, state: &State) -> Result<(&'a HostName, bool), Box<Refusal>> {
    let of = |host: &HostName| state.hosts.get(host).and_then(|seen| seen.postgres.known());
    let is_primary = |host: &&HostName| of(host).is_some_and(|seen| seen.primary().is_some());
    let primaries: Vec<&HostName> = wanted.members.iter().filter(is_primary).collect();
    match primaries[..] {
        [one] => return Ok((one, false)),
        [] => {}
        _ => return Err(Box::new(refuse::two_primaries(wanted, state))),
    }
    let free = |host: &HostName| of(host).is_some_and(|seen| seen.data.is_free() && !seen.running);
    match wanted.members.first() {
        Some(first) if wanted.members.iter().all(free) => Ok((first, true)),
        _ => Err(Box::new(refuse::no_primary(wanted, state))),
    }
}

impl<'a> View<'a> {
    pub(super) fn seen(&self, host: &HostName) -> Option<&'a Observed> {
        self.state.hosts.get(host)
    }

    pub(super) fn stamp(&self, host: &HostName) -> Option<&'a Stamp> {
        let at = self.wanted.members.iter().position(|own| own == host)?;
        self.wanted.stamps.get(at)
    }

    pub(super) fn postgres(&self, host: &HostName) -> Option<&'a Postgres> {
        self.seen(host)?.postgres.known()
    }

    /// The members in the order in which Pgpool-II is started: the primary's host first (1.12), then by id.
    pub(super) fn in_order(&self) -> Vec<&'a HostName> {
        let mut hosts: Vec<&HostName> = self.wanted.members.iter().collect();
        hosts.sort_by_key(|host| (*host != self.primary, ids::of(&self.ids, host)));
        hosts
    }

    /// The leader of the watchdog that a majority follows.
    pub(super) fn leader(&self) -> Option<&'a HostName> {
        let watchdogs = self
            .wanted
            .members
            .iter()
            .filter_map(|host| self.seen(host)?.pgpool.known()?.watchdog.as_ref());
        let named = watchdogs
            .filter(|watchdog| Watchdog::has_quorum(watchdog))
            .find(|watchdog| !watchdog.leader.is_empty())?;
        let is_leader = |host: &&HostName| host.as_str() == named.leader;
        self.wanted.members.iter().find(is_leader)
    }

    /// Who is asked to change nodes: the leader, else the one that is started first.
    pub(super) fn speaker(&self) -> &'a HostName {
        self.leader()
            .or_else(|| self.in_order().into_iter().next())
            .unwrap_or(&self.wanted.members[0])
    }

    /// P0: no host that answered has a backends file, and one that did not may have it.
    fn no_file_seen(&self) -> Option<Refusal> {
        let known = self.wanted.members.iter().any(|host| {
            self.seen(host)
                .and_then(|seen| seen.pgpool.known())
                .is_some_and(|seen| seen.backends.is_some())
        });
        let silent = self
            .wanted
            .members
            .iter()
            .any(|host| self.seen(host).is_none_or(|seen| !seen.answered()));
        (!known && silent).then(|| refuse::may_hold_ids(self.wanted, self.state))
    }

    /// P11: data of another cluster.
    fn other_cluster(&self) -> Option<Refusal> {
        let own = &self.postgres(self.primary)?.identifier;
        let other = self.wanted.members.iter().any(|host| {
            self.postgres(host)
                .is_some_and(|seen| !seen.identifier.is_empty() && seen.identifier != *own)
        });
        (!self.blank && other).then(|| refuse::other_cluster(self.wanted, self.state))
    }
}

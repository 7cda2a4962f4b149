//! Files, then the daemon on one host after the other: primary's host first, restarts with the leader last.

use super::state::{self, HAND_OVER, Observed};
use super::table::View;
use super::{ATTACH_UNIT, UNIT, ids, refuse};
use crate::inventory::HostName;
use crate::plan::{
    Act, Claim, Class, Decision, Expect, PgpoolExpect, Refusal, Step, StepId, UnitVerb, Wait,
};
use crate::probe::Query;

/// How long the daemons may take to find each other, in seconds: a lost node is only given up after
/// `wd_heartbeat_deadtime` (30) and a few checks.
const ASSEMBLE_S: u64 = 120;
/// How long a daemon may take to answer after its start, in seconds: `status.sh` waits for a primary for up to 240, and
/// Pgpool-II itself looks for one for up to 300 (`search_primary_node_timeout`) before it serves anybody.
const START_S: u64 = 600;

impl View<'_> {
    pub(super) fn says(&self, host: &HostName, expect: PgpoolExpect) -> Claim {
        let query = Query::Pgpool(self.wanted.about.clone());
        Claim::new(host, query, Expect::Pgpool(expect))
    }

    /// That Pgpool-II serves on a host.
    pub(super) fn serves(&self, host: &HostName) -> Claim {
        self.says(host, PgpoolExpect::Serves(host.to_string()))
    }
}

/// Node ids and backends, the scripts in the primary's data directory, and the note of what is loaded.
pub(super) fn files(view: &View<'_>, decision: &mut Decision) {
    for host in &view.wanted.members {
        let Some(observed) = view.seen(host).filter(|seen| seen.answered()) else {
            continue;
        };
        if let Some(refusal) = another_id(view, host) {
            decision.refusals.push(refusal);
            continue;
        }
        let files = state::own_files(view.wanted, host, &view.ids);
        for (file, sight) in files.iter().zip(&observed.files) {
            let mut more = file.plan(sight);
            for step in &mut more.steps {
                let name = file.path.rsplit('/').next().unwrap_or_default();
                step.id = StepId::new(&["pgpool", name, host.as_str()]);
            }
            decision.steps.extend(more.steps);
            decision.refusals.extend(more.refusals);
        }
    }
    if let Some(observed) = view.seen(view.primary) {
        for (name, sight) in HAND_OVER.iter().zip(&observed.hand_over) {
            let mut more = view.wanted.hand_over(view.primary, name).plan(sight);
            for step in &mut more.steps {
                step.id = StepId::new(&["pgpool", name, view.primary.as_str()]);
            }
            decision.steps.extend(more.steps);
            decision.refusals.extend(more.refusals);
        }
    }
}

/// P14: a daemon that runs under another id than its host has.
fn another_id(view: &View<'_>, host: &HostName) -> Option<Refusal> {
    let observed = view.seen(host)?;
    let has = &observed.pgpool.known()?.node_id;
    let wanted = ids::of(&view.ids, host)?.to_string();
    (observed.is_active() && !has.is_empty() && *has != wanted)
        .then(|| refuse::another_id(host, has, &wanted))
}

/// A daemon that has not loaded what is on the disk, with how it is to load it and why.
pub(super) type Due<'a> = (&'a HostName, UnitVerb, String);

/// The daemon: at boot, and running. Returned is who has to load again what is on the disk.
pub(super) fn services<'a>(view: &View<'a>, decision: &mut Decision) -> Vec<Due<'a>> {
    let order = view.in_order();
    let mut restarts = Vec::new();
    let mut starting: Option<&HostName> = None;
    for host in &order {
        let Some(observed) = view.seen(host).filter(|seen| seen.answered()) else {
            continue;
        };
        let Some(stamp) = view.stamp(host) else {
            continue;
        };
        let verdict = stamp.plan(&observed.stamp, observed.is_active());
        // The folder of the unit's additions is the play's.
        let drop_in = verdict.steps.into_iter();
        decision
            .steps
            .extend(drop_in.filter(|step| !matches!(step.act, Act::MakeDirectory { .. })));
        decision.refusals.extend(verdict.refusals);
        let unit = observed.unit.known();
        if !unit.is_some_and(|unit| unit.exists() && unit.is_enabled()) {
            let why = "it does not start at boot";
            let step = unit_step(host, UnitVerb::Enable, Class::Repair, why);
            decision.steps.push(step);
        }
        if !observed
            .attach
            .known()
            .is_some_and(|unit| unit.exists() && unit.is_enabled())
        {
            decision.steps.push(Step::new(
                StepId::new(&["pgpool", "enable-attach", host.as_str()]),
                host,
                Class::Create,
                "after a boot nobody would attach the standby",
                Act::Unit {
                    unit: ATTACH_UNIT.to_owned(),
                    verb: UnitVerb::Enable,
                },
            ));
        }
        let is_starting = unit.is_some_and(|unit| unit.active == "activating");
        if observed.is_active() || is_starting {
            restarts.extend(verdict.restart.map(|(verb, why)| (*host, verb, why)));
            if verdict_serves(view, host) {
                starting = Some(host);
            } else {
                decision.waits.push(until_it_serves(view, host, observed));
            }
            continue;
        }
        let why = match unit.map(|unit| &*unit.active) {
            Some("" | "inactive") | None => "it does not run".to_owned(),
            Some(word) => format!("it is {word}"),
        };
        let mut step =
            unit_step(host, UnitVerb::Start, Class::Create, &why).done(view.serves(host));
        if let Some(before) = starting {
            // One after the other, so that who is first leads, and no election is lost.
            step = step.need(view.serves(before));
        }
        decision.steps.push(step);
        starting = Some(host);
    }
    waits(view, decision);
    restarts
}

/// Restarts and reloads, one host after the other, the leader last.
pub(super) fn restarts(view: &View<'_>, mut due: Vec<Due<'_>>, decision: &mut Decision) {
    let leader = view.leader();
    due.sort_by_key(|(host, verb, _)| (*verb == UnitVerb::Reload, Some(*host) == leader));
    for (host, verb, why) in due {
        let class = match verb {
            UnitVerb::Reload => Class::Repair,
            _ => Class::Restart,
        };
        let mut step = unit_step(host, verb, class, &why)
            .sparing_tasks()
            .done(view.serves(host));
        if verb != UnitVerb::Reload {
            for other in view.in_order().into_iter().filter(|other| *other != host) {
                if view.seen(other).is_some_and(Observed::answered) {
                    step = step.need(view.says(other, PgpoolExpect::Idle));
                }
            }
        }
        decision.steps.push(step);
    }
}

/// Whether each daemon that runs knows the node of every member: then none has to be restarted before a standby can be
/// repaired, and a restart would only wait for that standby, since nobody is disrupted beside a host that is not well.
pub(super) fn all_nodes_known(view: &View<'_>) -> bool {
    let mut active = view
        .wanted
        .members
        .iter()
        .filter_map(|host| view.seen(host))
        .filter(|seen| seen.is_active());
    active.all(|seen| {
        let nodes = seen.pgpool.known().and_then(|pgpool| pgpool.nodes.as_ref());
        nodes.is_some_and(|nodes| {
            let mut members = view.wanted.members.iter();
            members.all(|member| nodes.iter().any(|node| node.host == member.as_str()))
        })
    })
}

/// P12: a daemon that runs, or is about to.
fn until_it_serves(view: &View<'_>, host: &HostName, observed: &Observed) -> Wait {
    let answers = observed
        .pgpool
        .known()
        .is_some_and(|pgpool| pgpool.nodes.is_some());
    let (what, deadline_s) = match answers {
        true => (
            format!(
                "Pgpool-II on {host} does not count in the watchdog yet; when that stays, look at /var/log/pgpool_log there, at wd_authkey and at the ports 9000/tcp and 9694/udp"
            ),
            ASSEMBLE_S,
        ),
        false => (
            format!(
                "Pgpool-II on {host} starts and does not answer yet: it may look for a primary for some minutes; when that stays, look at /var/log/pgpool_log and `journalctl -u {UNIT}` there"
            ),
            START_S,
        ),
    };
    Wait {
        what,
        until: view.serves(host),
        deadline_s,
    }
}

fn verdict_serves(view: &View<'_>, host: &HostName) -> bool {
    view.seen(host).is_some_and(|seen| {
        seen.pgpool.known().is_some_and(|pgpool| {
            PgpoolExpect::Serves(host.to_string())
                .holds(&crate::probe::Answer::Pgpool(pgpool.clone()))
        })
    })
}

/// P12: a majority, and the address where the leader is.
fn waits(view: &View<'_>, decision: &mut Decision) {
    if !view.wanted.watchdog {
        return;
    }
    let active: Vec<&HostName> = view
        .in_order()
        .into_iter()
        .filter(|host| verdict_serves(view, host))
        .collect();
    let majority = view.wanted.members.len() / 2 + 1;
    let Some(first) = active.first().filter(|_| active.len() >= majority) else {
        return;
    };
    let Some(leader) = view.leader() else {
        decision.waits.push(Wait {
            what: "the watchdog has no leader that a majority follows yet".to_owned(),
            until: view.says(first, PgpoolExpect::Quorum),
            deadline_s: ASSEMBLE_S,
        });
        return;
    };
    let vip = view.wanted.vip.to_string();
    let has = |host: &&HostName| view.seen(host).is_some_and(|seen| seen.has(&vip));
    let holders: Vec<&HostName> = view.wanted.members.iter().filter(has).collect();
    match holders[..] {
        [one] if one == leader => {}
        [] => decision.waits.push(Wait {
            what: format!("{leader} leads the watchdog and has not taken {vip} yet"),
            until: Claim::new(
                leader,
                Query::Interfaces,
                Expect::Pgpool(PgpoolExpect::HasAddress(vip)),
            ),
            deadline_s: 60,
        }),
        _ => decision
            .refusals
            .push(refuse::address_elsewhere(view.wanted, leader, &holders)),
    }
}

/// P12: what is said when the wait for the address was in vain. What else there is to do is not held back by it.
pub(super) fn in_vain(view: &View<'_>, waits: &[Wait]) -> Option<Refusal> {
    let vip = view.wanted.vip.to_string();
    let is_for_it =
        |wait: &Wait| wait.until.expect == Expect::Pgpool(PgpoolExpect::HasAddress(vip.clone()));
    let leader = view.leader()?;
    let awaited = waits.iter().any(is_for_it);
    awaited.then(|| refuse::address_on_nobody(view.wanted, leader))
}

fn unit_step(host: &HostName, verb: UnitVerb, class: Class, why: &str) -> Step {
    let id = StepId::new(&["pgpool", verb.word(), host.as_str()]);
    let act = Act::Unit {
        unit: UNIT.to_owned(),
        verb,
    };
    Step::new(id, host, class, why, act)
}

//! The decision table: which row the hosts are in. The codes are those of `docs/postgresql.md`.

use super::state::{Disk, Here};
use super::{Postgres, State, deposed, leaderless, led, refuse, steps, two_primaries};
use crate::cluster::former_primary::Beyond;
use crate::inventory::HostName;
use crate::plan::{Advice, Claim, Decision, Expect, PostgresExpect, Reach, Refusal, Wait};
use crate::probe::Query;
use crate::probe::postgres::{Lsn, Server};
use std::collections::BTreeSet;

/// What follows from what the hosts told.
pub(super) fn decide(of: &Postgres, state: &State) -> Decision {
    if let Some(refusal) = contradiction(of, state) {
        return refused(refusal);
    }
    let here = |host: &HostName| of.here(state, host);
    let primaries: Vec<(&HostName, &Server)> = of
        .members
        .iter()
        .filter_map(|host| Some((host, here(host).primary()?)))
        .collect();
    match &primaries[..] {
        [(host, server)] => with_primary(of, state, host, server),
        [] => leaderless::decide(of, state),
        _ => several(of, state),
    }
}

/// P7: one of them may be deposed beyond doubt.
fn several(of: &Postgres, state: &State) -> Decision {
    let Some(deposed) = deposed::find(of, state) else {
        return refused(two_primaries::refused(of, state, None));
    };
    match deposed::judge(of, state, deposed) {
        deposed::Verdict::Stop(fence) => {
            let mut decision = with_primary(of, state, deposed.primary, deposed.server);
            decision.steps.insert(0, *fence);
            decision
        }
        deposed::Verdict::Served(waits) => Decision {
            waits,
            ..refused(two_primaries::served(of, state, deposed))
        },
        deposed::Verdict::Open => refused(two_primaries::refused(of, state, Some(deposed))),
    }
}

/// Before anything is changed: where a database is to be made, whether its directory is free everywhere. P26 and P27
/// reach the whole layer here, since no host is to be begun with.
pub(super) fn check(of: &Postgres, state: &State) -> Decision {
    let here = |host: &HostName| of.here(state, host);
    if of.members.iter().any(|host| here(host).disk().is_some()) {
        return Decision::default();
    }
    let foreign = of.members.iter().filter_map(|host| match here(host) {
        Here::Foreign(names) => Some(refuse::foreign(of, host, names)),
        _ => None,
    });
    let elsewhere = of
        .members
        .iter()
        .any(|host| matches!(here(host), Here::Elsewhere(_)))
        .then(|| refuse::other_version(of, state));
    let mut refusals: Vec<Refusal> = foreign.chain(elsewhere).collect();
    for refusal in &mut refusals {
        refusal.reach = Reach::Layer;
    }
    Decision {
        refusals,
        ..Decision::default()
    }
}

/// A decision that is one refusal.
pub(super) fn refused(refusal: Refusal) -> Decision {
    Decision {
        refusals: vec![refusal],
        ..Decision::default()
    }
}

/// What must not be whatever else is seen: P11 and P26.
fn contradiction(of: &Postgres, state: &State) -> Option<Refusal> {
    let disks = || {
        let disk = |host: &HostName| of.here(state, host).disk();
        of.members.iter().filter_map(disk)
    };
    let identifiers: BTreeSet<&str> = disks()
        .map(|disk| &*disk.identifier)
        .filter(|identifier| !identifier.is_empty())
        .collect();
    if identifiers.len() > 1 {
        return Some(refuse::several_clusters(of, state));
    }
    let elsewhere = of
        .members
        .iter()
        .any(|host| matches!(of.here(state, host), Here::Elsewhere(_)));
    let other = disks().any(|disk| disk.version != of.version);
    (elsewhere || other).then(|| refuse::other_version(of, state))
}

/// P1 to P4 and P6: the primary is known, and is so whatever the inventory's order.
fn with_primary(of: &Postgres, state: &State, host: &HostName, primary: &Server) -> Decision {
    let mut decision = Decision::default();
    steps::converge(of, state, host, &mut decision);
    for member in of.members.iter().filter(|member| *member != host) {
        match of.here(state, member) {
            // P2: Pgpool-II's online recovery makes the standby.
            Here::Silent(_) | Here::Empty { .. } | Here::Elsewhere(_) => {}
            Here::Foreign(names) => {
                decision.refusals.push(refuse::foreign(of, member, names));
            }
            Here::Starting(disk, why) if disk.standby => {
                decision.waits.push(coming(of, member, disk, why));
            }
            // It is deposed, and stopped first.
            Here::Running(disk, server, _) if !server.in_recovery => {
                if steps::is_given_up(of, member, disk) {
                    let step = steps::set_aside(of, state, member, disk, host);
                    decision.steps.push(step);
                }
            }
            Here::Running(_, server, _) => {
                steps::converge(of, state, member, &mut decision);
                if led::is_streaming(server) {
                    continue;
                }
                if let Some(advice) = led::by_pgpool(of, state, member, host) {
                    decision.advice.push(advice);
                } else {
                    decision.waits.push(Wait {
                        what: format!(
                            "the standby on {member} does not stream from {host} yet; when that stays, look at its log and at the slot on the primary"
                        ),
                        until: claim(of, member, PostgresExpect::Streaming),
                        deadline_s: 120,
                    });
                }
            }
            // P4, ruling 3: Pgpool-II's online recovery brings it back as a standby.
            Here::Stopped(disk) if !disk.standby && lost_nothing(state, member) => {
                decision.advice.push(comes_back(state, member, host));
            }
            Here::Stopped(disk) if !disk.standby && steps::is_given_up(of, member, disk) => {
                decision
                    .steps
                    .push(steps::set_aside(of, state, member, disk, host));
            }
            Here::Stopped(disk) | Here::Starting(disk, _) if !disk.standby => {
                let refusal = refuse::former_primary(of, state, member, disk, host, primary);
                decision.refusals.push(refusal);
            }
            Here::Stopped(disk) | Here::Starting(disk, _) => {
                match diverged(disk, of.here(state, host), primary) {
                    Some(fork) => {
                        let refusal = refuse::diverged(of, state, member, disk, fork);
                        decision.refusals.push(refusal);
                    }
                    None => steps::start_standby(of, state, member, host, &mut decision),
                }
            }
        }
    }
    steps::slots(of, state, primary, &mut decision);
    decision
}

/// Whether a former primary certainly has nothing that the present one lacks: its log was read past the fork.
fn lost_nothing(state: &State, member: &HostName) -> bool {
    state.beyond(member).is_some_and(Beyond::is_nothing)
}

/// What stands for it in the plan, also of a playbook that has no online recovery.
fn comes_back(state: &State, member: &HostName, primary: &HostName) -> Advice {
    let evidence = state.beyond(member).map(|beyond| beyond.says(member));
    Advice {
        code: "P4".to_owned(),
        host: Some(member.clone()),
        text: format!(
            "it was a primary, {primary} is it now, and nothing would be lost ({}): online recovery by Pgpool-II makes it a standby",
            evidence.unwrap_or_default()
        ),
    }
}

/// Where a stopped standby's data and the primary's history part, when the standby has gone beyond it (P3).
fn diverged(disk: &Disk, primary: &Here, server: &Server) -> Option<(u32, Lsn)> {
    let (timeline, at) = disk.reaches();
    if timeline >= server.timeline {
        return (timeline > server.timeline).then_some((server.timeline, Lsn(0)));
    }
    let history = &primary.disk()?.history;
    let fork = history.iter().find(|fork| fork.timeline == timeline)?;
    (at > fork.at).then_some((timeline, fork.at))
}

pub(super) fn coming(of: &Postgres, host: &HostName, disk: &Disk, why: &str) -> Wait {
    let expect = if disk.standby {
        PostgresExpect::Standby
    } else {
        PostgresExpect::Primary
    };
    Wait {
        what: format!("PostgreSQL on {host} runs and does not answer yet: {why}"),
        until: claim(of, host, expect),
        deadline_s: 300,
    }
}

pub(super) fn claim(of: &Postgres, host: &HostName, expect: PostgresExpect) -> Claim {
    Claim::new(
        host,
        Query::Postgres(of.about.clone()),
        Expect::Postgres(expect),
    )
}

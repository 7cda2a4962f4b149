//! What follows: founding, starting, and bringing a server to what is declared.

mod config;
mod objects;

use super::state::{Disk, Here};
use super::table::claim;
use super::{Postgres, State};
use crate::cluster::former_primary;
use crate::inventory::HostName;
use crate::plan::{Act, Advice, Class, Decision, PostgresAct, PostgresExpect, Step, StepId};
use crate::probe::postgres::Server;

/// WAL that a slot without a reader may hold back before it is told, in bytes.
const HELD_BACK: i64 = 1 << 30;

/// P0: no trace anywhere, and everybody answered.
pub(super) fn found(of: &Postgres, state: &State) -> Decision {
    let mut decision = Decision::default();
    let Some(founder) = of.members.first() else {
        return decision;
    };
    let mut step = Step::new(
        StepId::new(&["postgres", "initdb"]),
        founder,
        Class::Found,
        format!(
            "all {} hosts answered, and none holds data of PostgreSQL",
            of.members.len()
        ),
        Act::Postgres(PostgresAct::Initdb {
            bin: of.about.bin.clone(),
            data: of.about.data.clone(),
        }),
    );
    for member in &of.members {
        step = step.need(claim(of, member, PostgresExpect::NoTrace));
        if let Here::Empty { blank: true, .. } = of.here(state, member) {
            step = step.assume(format!(
                "{member} holds no data of PostgreSQL: it is not installed there yet, and its disk shows none"
            ));
        }
    }
    decision
        .steps
        .push(step.done(claim(of, founder, PostgresExpect::Stopped)));
    config::blocks(of, state, founder, &mut decision);
    decision.steps.push(start(
        of,
        founder,
        "its data directory is new",
        Class::Create,
    ));
    objects::all(of, founder, None, &mut decision);
    decision
}

/// P10: the only one that was a primary, on the newest timeline of all.
pub(super) fn cold_start(of: &Postgres, state: &State, host: &HostName, disk: &Disk) -> Decision {
    let mut decision = Decision::default();
    config::blocks(of, state, host, &mut decision);
    let others = of.members.iter().filter(|member| *member != host);
    let mut step = start(
        of,
        host,
        "nobody is a primary, all hosts answered, and it is the only one that was, on the newest timeline",
        if disk.is_virgin() {
            Class::Create
        } else {
            Class::Repair
        },
    );
    for other in others {
        step = step.need(claim(of, other, PostgresExpect::NotPrimary));
        // Started while Pgpool-II promotes another one, there would be two.
        if of.here(state, other).standby().is_some() {
            step = step.yield_to(claim(of, other, PostgresExpect::Primary));
        }
    }
    decision.steps.push(step);
    if disk.is_virgin() {
        objects::all(of, host, None, &mut decision);
    }
    for other in of.members.iter().filter(|member| *member != host) {
        if let Here::Stopped(other_disk) = of.here(state, other)
            && other_disk.standby
        {
            start_standby(of, state, other, host, &mut decision);
        }
    }
    decision
}

/// P3: a standby that was stopped, with nothing that the primary lacks.
pub(super) fn start_standby(
    of: &Postgres,
    state: &State,
    host: &HostName,
    primary: &HostName,
    decision: &mut Decision,
) {
    config::blocks(of, state, host, decision);
    let step = Step::new(
        StepId::new(&["postgres", "start", host.as_str()]),
        host,
        Class::Repair,
        format!("it is a standby of {primary} that does not run"),
        Act::Unit {
            unit: of.unit.clone(),
            verb: crate::plan::UnitVerb::Start,
        },
    )
    .need(claim(of, primary, PostgresExpect::Primary))
    .done(claim(of, host, PostgresExpect::Standby));
    decision.steps.push(step);
}

/// P4: whether a person gave up what a former primary has that the present one lacks.
pub(super) fn is_given_up(of: &Postgres, host: &HostName, disk: &Disk) -> bool {
    of.allowed
        .contains(&former_primary::allowance(host, &disk.control))
}

/// P4: what was given up is kept aside; online recovery then makes a standby in its place.
pub(super) fn set_aside(
    of: &Postgres,
    state: &State,
    host: &HostName,
    disk: &Disk,
    primary: &HostName,
) -> Step {
    let timeline = disk.control.timeline;
    let lost = state.beyond(host).map_or_else(
        || format!("what {host} committed on timeline {timeline} and {primary} lacks"),
        |beyond| beyond.says(host),
    );
    Step::new(
        StepId::new(&["postgres", "set-aside", host.as_str()]),
        host,
        Class::Destroy(format!("{host}@tli{timeline}")),
        format!("it was a primary, and what it has beyond {primary} is given up: {lost}"),
        Act::Postgres(PostgresAct::SetAside {
            bin: of.about.bin.clone(),
            data: of.about.data.clone(),
            timeline,
        }),
    )
    .need(claim(of, primary, PostgresExpect::Primary))
    .need(claim(of, host, PostgresExpect::Stopped))
    .done(claim(of, host, PostgresExpect::NoTrace))
}

fn start(of: &Postgres, host: &HostName, why: &str, class: Class) -> Step {
    Step::new(
        StepId::new(&["postgres", "start", host.as_str()]),
        host,
        class,
        why,
        Act::Postgres(PostgresAct::Start {
            unit: of.unit.clone(),
        }),
    )
    .need(claim(of, host, PostgresExpect::Stopped))
    .done(claim(of, host, PostgresExpect::Primary))
}

/// P1, P23 and P25: a server that runs, against what is declared.
pub(super) fn converge(of: &Postgres, state: &State, host: &HostName, decision: &mut Decision) {
    let Here::Running(_, server, loaded) = of.here(state, host) else {
        return;
    };
    config::blocks(of, state, host, decision);
    config::load(of, host, server, *loaded, decision);
    config::restart(of, state, host, server, *loaded, decision);
    if !server.in_recovery {
        objects::all(of, host, Some(server), decision);
    }
}

/// P18: a slot that nobody reads keeps WAL for ever.
pub(super) fn slots(of: &Postgres, state: &State, primary: &Server, decision: &mut Decision) {
    for slot in primary.slots.iter().filter(|slot| !slot.active) {
        let owner = of
            .members
            .iter()
            .find(|host| slot.name == slot_of(host.as_str()));
        let held = slot.retained_bytes.unwrap_or(0);
        let lost = matches!(&*slot.wal_status, "lost" | "unreserved");
        if held < HELD_BACK && !lost {
            continue;
        }
        let whose = match owner {
            Some(host) => format!("of {host} ({})", of.here(state, host).says()),
            None => "of no host of the inventory".to_owned(),
        };
        decision.advice.push(Advice {
            code: "P18".to_owned(),
            host: owner.cloned(),
            text: format!(
                "nobody streams from the slot {} {whose}; it holds back {} MiB of WAL on the primary{}",
                slot.name,
                held >> 20,
                if lost { ", and what its standby needs is gone: it must be recovered" } else { "" }
            ),
        });
    }
}

/// The slot of a standby: its host's name as `recovery_1st_stage` writes it.
pub(crate) fn slot_of(host: &str) -> String {
    host.to_lowercase().replace(['-', '.'], "_")
}

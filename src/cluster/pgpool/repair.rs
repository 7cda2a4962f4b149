//! The standbys: made by online recovery (P2, P4), attached (P5), or left to a person. One at a time.

use super::state::Observed;
use super::table::View;
use super::{ATTACH_UNIT, follow, ids, refuse, slots};
use crate::cluster::former_primary;
use crate::inventory::HostName;
use crate::plan::{
    Act, Advice, Claim, Class, Decision, Expect, PgpoolAct, PgpoolExpect, Step, StepId, Via, Wait,
};
use crate::probe::Query;
use crate::probe::pgpool::Node;
use crate::probe::postgres::{Data, Postgres};

/// How long a failover or a recovery that is under way may take, in seconds: it is seen to be at work, and a base backup
/// copies the whole cluster.
const BUSY_S: u64 = 4 * 3600;
/// How long the health checks may take to notice what is so, in seconds.
const NOTICE_S: u64 = 120;

/// What is to be done for a host that should be a standby.
enum Row {
    /// P1: it streams, and Pgpool-II has it.
    Well,
    /// It did not answer.
    Silent,
    /// P2: it has no data. P4: its former primary's data has nothing that the primary lacks.
    Recover { class: Class, why: String },
    /// P5: it streams, and Pgpool-II does not have it.
    Attach,
    /// P6: it runs, never begins to stream by itself, and has nothing to lose.
    Follow { why: String, detached: bool },
    /// P20, P21 and the like: it goes on by itself.
    Coming(String),
    /// P3, P4, P6, P7: a person, or another layer, decides.
    Refused(crate::plan::Refusal),
}

pub(super) fn standbys(view: &View<'_>, decision: &mut Decision) {
    let speaker = view.speaker();
    // P20: a failover or a recovery is under way; whatever is seen now changes.
    let mut idle = Vec::new();
    for host in &view.wanted.members {
        let Some(pgpool) = view.seen(host).and_then(|seen| seen.pgpool.known()) else {
            continue;
        };
        let claim = view.says(host, PgpoolExpect::Idle);
        if !pgpool.busy.is_empty() {
            decision.waits.push(Wait {
                what: format!("{} is at work on {host}", pgpool.busy.join(" and ")),
                until: claim.clone(),
                deadline_s: BUSY_S,
            });
        }
        idle.push(claim);
    }
    if decision.waits.iter().any(|wait| idle.contains(&wait.until)) {
        return;
    }
    let primary = view.says(speaker, PgpoolExpect::Primary(view.primary.to_string()));
    if let Some(refusal) = other_primary(view, speaker) {
        // After a failover PostgreSQL knows first.
        decision.waits.push(Wait {
            what: refusal.because.clone(),
            until: primary,
            deadline_s: NOTICE_S,
        });
        decision.refusals.push(refusal);
        return;
    }
    // After a total loss every node is down in its table, and PostgreSQL says who the primary is.
    let down = knows(view, speaker, view.primary).is_some_and(|node| node.status == "down");
    if let Some(node) = ids::of(&view.ids, view.primary).filter(|_| down) {
        let about = view.wanted.about.clone();
        let step = Step::new(
            StepId::new(&["pgpool", "attach", view.primary.as_str()]),
            view.primary,
            Class::Repair,
            "it is the only primary, and Pgpool-II takes it for down".to_owned(),
            Act::Pgpool(PgpoolAct::Attach { node, about }),
        )
        .via(Via::Host(speaker.clone()))
        .need(view.serves(speaker))
        .need(view.says(speaker, PgpoolExpect::Idle))
        .done(primary.clone());
        decision.steps.push(step);
    } else if knows(view, speaker, view.primary)
        .is_some_and(|node| node.role != "primary" || !node.is_attached())
    {
        decision.waits.push(Wait {
            what: format!(
                "Pgpool-II on {speaker} does not take {} for the primary yet; when that stays, look at /var/log/pgpool_log there",
                view.primary
            ),
            until: primary.clone(),
            deadline_s: NOTICE_S,
        });
    }
    let mut before: Option<Claim> = None;
    for host in view.in_order() {
        if host == view.primary {
            continue;
        }
        let row = row(view, host, speaker);
        let Some(node) = ids::of(&view.ids, host) else {
            continue;
        };
        let about = view.wanted.about.clone();
        let (verb, class, why, act) = match row {
            Row::Well | Row::Silent => continue,
            Row::Coming(text) => {
                decision.advice.push(Advice {
                    code: "P21".to_owned(),
                    host: Some(host.clone()),
                    text,
                });
                continue;
            }
            Row::Refused(refusal) => {
                decision.refusals.push(refusal);
                continue;
            }
            Row::Recover { class, why } => {
                ("recover", class, why, PgpoolAct::Recover { node, about })
            }
            Row::Follow { why, detached } => {
                let mut step = follow::step(view, host, node, why);
                // Serial with the others, as they are with each other.
                if let Some(claim) = before.replace(follow::streams(view, host)) {
                    step = step.need(claim);
                }
                decision.steps.push(step);
                if !detached {
                    continue;
                }
                let why = format!("it streams from {} again by then", view.primary);
                let act = PgpoolAct::Attach { node, about };
                ("attach", Class::Repair, why, act)
            }
            Row::Attach => (
                "attach",
                Class::Repair,
                format!(
                    "it streams from {}, and Pgpool-II does not send it queries",
                    view.primary
                ),
                PgpoolAct::Attach { node, about },
            ),
        };
        let recovers = verb == "recover";
        let done = view.says(speaker, PgpoolExpect::Standby(host.to_string()));
        let mut step = Step::new(
            StepId::new(&["pgpool", verb, host.as_str()]),
            host,
            class,
            why,
            Act::Pgpool(act),
        )
        .via(Via::Host(speaker.clone()))
        .need(view.serves(speaker))
        .need(primary.clone())
        .need(view.says(speaker, PgpoolExpect::Idle))
        .done(done.clone());
        if recovers {
            let stopped = Expect::Pgpool(PgpoolExpect::Stopped);
            let server = Query::Postgres(view.wanted.server.clone());
            let detached = view.says(speaker, PgpoolExpect::Detached(host.to_string()));
            if knows(view, speaker, host).is_some_and(Node::is_attached) {
                decision.waits.push(Wait {
                    what: format!("Pgpool-II has not noticed yet that nothing runs on {host}"),
                    until: detached.clone(),
                    deadline_s: NOTICE_S,
                });
            }
            step = step.need(detached).need(Claim::new(host, server, stopped));
        }
        if verb == "attach" && view.seen(host).is_some_and(Observed::attaches_itself) {
            step = step.assume(format!("{ATTACH_UNIT}, which runs there, is not quicker"));
        }
        // Serial: a second copy at once would halve the speed of both and double what is at stake.
        if let Some(claim) = before.replace(done) {
            step = step.need(claim);
        }
        decision.steps.push(step);
    }
    slots::told(view, decision);
}

/// What the speaker knows of a node.
fn knows<'a>(view: &View<'a>, speaker: &HostName, host: &HostName) -> Option<&'a Node> {
    let nodes = view.seen(speaker)?.pgpool.known()?.nodes.as_ref()?;
    nodes.iter().find(|node| node.host == host.as_str())
}

/// P8: Pgpool-II takes another host for the primary.
fn other_primary(view: &View<'_>, speaker: &HostName) -> Option<crate::plan::Refusal> {
    let nodes = view.seen(speaker)?.pgpool.known()?.nodes.as_ref()?;
    let other = nodes.iter().find(|node| {
        node.is_attached() && node.role == "primary" && node.host != view.primary.as_str()
    })?;
    Some(refuse::other_primary(view, speaker, &other.host))
}

/// Whether a standby is as it should be, for PostgreSQL and for the leader of the watchdog.
pub(super) fn is_well(view: &View<'_>, host: &HostName, speaker: &HostName) -> bool {
    matches!(row(view, host, speaker), Row::Well)
}

fn row(view: &View<'_>, host: &HostName, speaker: &HostName) -> Row {
    let Some(observed) = view.seen(host).filter(|seen| seen.answered()) else {
        return Row::Silent;
    };
    let Some(postgres) = observed.postgres.known() else {
        return Row::Silent;
    };
    if postgres.running {
        return running(view, host, postgres, speaker);
    }
    stopped(view, host, postgres)
}

fn running(view: &View<'_>, host: &HostName, postgres: &Postgres, speaker: &HostName) -> Row {
    if postgres.server.is_none() {
        return Row::Coming(format!(
            "PostgreSQL on {host} runs and does not answer yet: {}",
            postgres.silent
        ));
    }
    let primary = view.postgres(view.primary).and_then(Postgres::primary);
    let streams = primary
        .and_then(|server| server.sender(host.as_str()))
        .is_some_and(|sender| sender.state == "streaming");
    match knows(view, speaker, host) {
        Some(node) if node.status == "quarantine" => Row::Coming(format!(
            "Pgpool-II has {host} in quarantine, and takes it back when it can reach it again"
        )),
        Some(node) if node.is_attached() && streams => Row::Well,
        // The daemon is about to start, and takes over what it finds.
        None if streams => Row::Well,
        Some(_) if streams => Row::Attach,
        known => match follow::why(view, postgres) {
            Some(why) => Row::Follow {
                why,
                detached: known.is_some_and(|node| !node.is_attached()),
            },
            None => Row::Refused(refuse::does_not_stream(view, host, postgres)),
        },
    }
}

fn stopped(view: &View<'_>, host: &HostName, postgres: &Postgres) -> Row {
    match &postgres.data {
        Data::Absent | Data::Empty if view.blank => Row::Recover {
            class: Class::Create,
            why: format!(
                "it has no data: it becomes a standby of {}, which is made first",
                view.primary
            ),
        },
        Data::Absent | Data::Empty => Row::Recover {
            class: Class::Create,
            why: format!("it has no data: it becomes a standby of {}", view.primary),
        },
        Data::Foreign(_) => Row::Refused(refuse::foreign_data(view, host, postgres)),
        Data::Present if postgres.standby_signal => {
            Row::Refused(refuse::standby_stopped(view, host, postgres))
        }
        Data::Present => former_primary(view, host, postgres),
    }
}

/// P4 and ruling 3: a former primary comes back as a standby by itself only when it certainly has no commit that the
/// primary lacks: its log was read past the fork. What a person gave up, the layer below has moved aside before.
fn former_primary(view: &View<'_>, host: &HostName, postgres: &Postgres) -> Row {
    let beyond = view.seen(host).and_then(|seen| seen.beyond.as_ref());
    if let Some(beyond) = beyond.filter(|beyond| beyond.is_nothing()) {
        return Row::Recover {
            class: Class::Repair,
            why: format!(
                "it was the primary of timeline {}, and has no commit past the fork at {}: it comes back as a standby of {}, its data directory is kept aside",
                beyond.fork.timeline, beyond.fork.at, view.primary
            ),
        };
    }
    let given_up = |control| {
        let allowance = former_primary::allowance(host, control);
        view.wanted.allowed.contains(&allowance)
    };
    if postgres.control.as_ref().is_some_and(given_up) {
        return Row::Recover {
            class: Class::Create,
            why: format!(
                "its data directory is moved aside first: it becomes a standby of {}",
                view.primary
            ),
        };
    }
    Row::Refused(refuse::former_primary(view, host, postgres))
}

//! P0, P9 and P10: nobody is the primary. What was one is started, or everything is made anew, or Pgpool-II is about to
//! promote a standby.

use super::state::{Disk, Here};
use super::table::{claim, coming, refused};
use super::{Postgres, State, refuse, steps};
use crate::inventory::HostName;
use crate::plan::{Decision, PostgresExpect, Reach, Wait};

/// How long a failover may take, in seconds: the health checks' retries, the watchdog's vote and the promotion.
const FAILOVER_S: u64 = 120;

/// P9, P10 and P0: nobody is the primary.
pub(super) fn decide(of: &Postgres, state: &State) -> Decision {
    let here = |host: &HostName| of.here(state, host);
    let silent = of
        .members
        .iter()
        .any(|host| matches!(here(host), Here::Silent(_)));
    let has_data = |host: &&HostName| here(host).disk().is_some();
    let foreign = of.members.iter().find_map(|host| match here(host) {
        Here::Foreign(names) => Some((host, names)),
        _ => None,
    });
    if !of.members.iter().any(|host| has_data(&host)) {
        if let Some((host, names)) = foreign {
            return refused(refuse::foreign(of, host, names));
        }
        if silent {
            return refused(refuse::may_hold_data(of, state));
        }
        return steps::found(of, state);
    }
    let mut decision = Decision::default();
    for host in &of.members {
        if let Here::Starting(disk, why) = here(host) {
            decision.waits.push(coming(of, host, disk, why));
        }
    }
    if !decision.waits.is_empty() {
        return decision;
    }
    let former: Vec<(&HostName, &Disk)> = of
        .members
        .iter()
        .filter_map(|host| match here(host) {
            Here::Stopped(disk) if !disk.standby => Some((host, disk)),
            _ => None,
        })
        .collect();
    let newest = of
        .members
        .iter()
        .filter_map(|host| newest(here(host)))
        .max();
    match &former[..] {
        // Only a primary writes on a timeline, so on the newest one nobody can have more than the one that wrote it.
        [(host, disk)] if !silent && newest <= newest_of_disk(disk) => {
            let mut decision = steps::cold_start(of, state, host, disk);
            let what = |standby: &HostName| {
                format!(
                    "Pgpool-II may be about to promote the standby on {standby}, and {host} is started when it does not"
                )
            };
            decision.waits = promotions(of, state, what);
            decision
        }
        // Also in the middle of a failover: one standby tells of the new timeline before the promoted one was asked again.
        [(_, _)] if !silent => failing_over(of, state),
        [] => failing_over(of, state),
        _ => refused(refuse::no_candidate(of, state, silent)),
    }
}

/// P9: only standbys, beside a former primary that is older. When some of them run, Pgpool-II may be about to promote one: it takes a minute to be sure that the
/// primary is gone.
fn failing_over(of: &Postgres, state: &State) -> Decision {
    let what = |standby: &HostName| {
        format!(
            "no host runs a primary, and Pgpool-II may be about to promote the standby on {standby}"
        )
    };
    let waits = promotions(of, state, what);
    let mut refusal = refuse::nobody_leads(of, state);
    if !waits.is_empty() {
        refusal.reach = Reach::LayerAfterWaits;
    }
    Decision {
        waits,
        ..refused(refusal)
    }
}

/// Each standby that runs may be promoted, as long as a failover takes.
fn promotions(of: &Postgres, state: &State, what: impl Fn(&HostName) -> String) -> Vec<Wait> {
    let running = of
        .members
        .iter()
        .filter(|host| of.here(state, host).standby().is_some());
    let wait = |host: &HostName| Wait {
        what: what(host),
        until: claim(of, host, PostgresExpect::Primary),
        deadline_s: FAILOVER_S,
    };
    running.map(wait).collect()
}

/// The newest timeline that a host knows of.
fn newest(here: &Here) -> Option<u32> {
    let server = match here {
        Here::Running(_, server, _) => server.timeline,
        _ => 0,
    };
    here.disk()
        .map(|disk| newest_of_disk(disk).unwrap_or(0).max(server))
}

fn newest_of_disk(disk: &Disk) -> Option<u32> {
    let left = disk.history.iter().map(|fork| fork.timeline + 1).max();
    Some(disk.reaches().0.max(left.unwrap_or(0)))
}

//! Why not: one function a row of the table. Each says what was seen, and what a person can do.

use super::state::{Disk, Here};
use super::{Postgres, State};
use crate::cluster::former_primary;
use crate::inventory::HostName;
use crate::plan::{Reach, Refusal};
use crate::probe::postgres::{Lsn, Server};

pub(super) fn refusal(
    code: &str,
    reach: Reach,
    because: String,
    evidence: Vec<String>,
    hint: String,
) -> Refusal {
    Refusal {
        code: code.to_owned(),
        because,
        evidence,
        hint,
        reach,
    }
}

/// What every member said, one line each.
pub(super) fn all_say(of: &Postgres, state: &State) -> Vec<String> {
    let line = |host: &HostName| format!("{host}: {}", of.here(state, host).says());
    of.members.iter().map(line).collect()
}

/// P0: no data is seen, but a host that did not answer may hold it.
pub(super) fn may_hold_data(of: &Postgres, state: &State) -> Refusal {
    let silent: Vec<&str> = of
        .members
        .iter()
        .filter(|host| matches!(of.here(state, host), Here::Silent(_)))
        .map(HostName::as_str)
        .collect();
    refusal(
        "P0",
        Reach::Layer,
        format!(
            "no data of PostgreSQL is seen, but {} did not answer and may hold it: a new database would be an empty one beside it",
            silent.join(", ")
        ),
        all_say(of, state),
        "bring the host back and run again, or take it out of the inventory when it is gone for good; no flag overrides this".to_owned(),
    )
}

/// P27: what is in the way is not PostgreSQL's.
pub(super) fn foreign(of: &Postgres, host: &HostName, names: &[String]) -> Refusal {
    let data = &of.about.data;
    refusal(
        "P27",
        Reach::Hosts(vec![host.clone()]),
        format!(
            "{data} on {host} holds something that is no data directory, and it is not removed"
        ),
        vec![format!("{host}: {data} holds {}", names.join(", "))],
        format!(
            "look at it and move it away (`mv {data} {data}.old`); of a file system of its own, mount it above the directory, not on it"
        ),
    )
}

/// P26: another major version.
pub(super) fn other_version(of: &Postgres, state: &State) -> Refusal {
    let mut evidence = all_say(of, state);
    for host in &of.members {
        if let Some(disk) = of.here(state, host).disk() {
            evidence.push(format!(
                "{host}: {} is of PostgreSQL {}",
                of.about.data, disk.version
            ));
        }
    }
    refusal(
        "P26",
        Reach::Layer,
        format!(
            "the inventory says PostgreSQL {}, and data of another one is there; a new major version is never a side effect",
            of.version
        ),
        evidence,
        "set `postgres_version` to that of the data; when the other directory is a remnant, move it away".to_owned(),
    )
}

/// P11: different clusters.
pub(super) fn several_clusters(of: &Postgres, state: &State) -> Refusal {
    let mut evidence = all_say(of, state);
    for host in &of.members {
        if let Some(disk) = of.here(state, host).disk() {
            evidence.push(format!("{host}: system identifier {}", disk.identifier));
        }
    }
    refusal(
        "P11",
        Reach::Layer,
        "the hosts hold different databases: someone has made one anew".to_owned(),
        evidence,
        "find the one that has your data (`psql -c '\\l+'` on each), move the other data directory away, and run again".to_owned(),
    )
}

/// P4: what was the primary before is never started beside the present one.
pub(super) fn former_primary(
    of: &Postgres,
    state: &State,
    host: &HostName,
    disk: &Disk,
    primary: &HostName,
    server: &Server,
) -> Refusal {
    let (timeline, at) = disk.reaches();
    let mut evidence = all_say(of, state);
    let history = of.here(state, primary).disk().map(|disk| &disk.history);
    let fork = history.and_then(|history| history.iter().find(|fork| fork.timeline == timeline));
    if let Some(beyond) = state.beyond(host) {
        evidence.push(beyond.says(host));
    }
    evidence.push(match fork {
        Some(fork) => format!(
            "{primary} left timeline {timeline} at {}; {host} reaches at least {at} on it",
            fork.at
        ),
        None => format!(
            "{host} reaches at least {at} on timeline {timeline}; {primary} is on timeline {}",
            server.timeline
        ),
    });
    refusal(
        "P4",
        Reach::Hosts(vec![host.clone()]),
        format!(
            "{host} was a primary and {primary} is it now: started as it is, there would be two"
        ),
        evidence,
        format!(
            "what {host} committed beyond the fork would be lost. When it is not needed, or copied out (start a copy of {} elsewhere), run again with `--allow {}`: its data directory is kept aside, and it becomes a standby",
            of.about.data,
            former_primary::allowance(host, &disk.control),
        ),
    )
}

/// P3: a standby that has more than the primary's history.
pub(super) fn diverged(
    of: &Postgres,
    state: &State,
    host: &HostName,
    disk: &Disk,
    (timeline, at): (u32, Lsn),
) -> Refusal {
    let mut evidence = all_say(of, state);
    let (own, reaches) = disk.reaches();
    evidence.push(format!(
        "{host} reaches {reaches} on timeline {own}; the primary left timeline {timeline} at {at}"
    ));
    refusal(
        "P3",
        Reach::Hosts(vec![host.clone()]),
        format!(
            "the standby on {host} holds WAL that is not part of the primary's history, and cannot follow it"
        ),
        evidence,
        format!(
            "recover it: `pcp_recovery_node` of Pgpool-II, or move {} there away and run again",
            of.about.data
        ),
    )
}

/// P9: standbys, and nobody to follow.
pub(super) fn nobody_leads(of: &Postgres, state: &State) -> Refusal {
    refusal(
        "P9",
        Reach::Layer,
        "no host runs a primary, and the ones that could be promoted are not promoted by provision".to_owned(),
        all_say(of, state),
        "bring the former primary's host back when there is one that does not answer. Otherwise choose the standby that has received most, make sure that the former primary stays down, promote it (`pg_ctl promote` as postgres), and run again".to_owned(),
    )
}

/// P10: nobody runs, and who may start is not certain.
pub(super) fn no_candidate(of: &Postgres, state: &State, silent: bool) -> Refusal {
    let because = if silent {
        "no host runs a primary, and one that does not answer may hold a newer one"
    } else {
        "no host runs a primary, and more than one was: which of them has the last commits is not certain"
    };
    refusal(
        "P10",
        Reach::Layer,
        because.to_owned(),
        all_say(of, state),
        "bring all hosts back and run again; when one is gone for good, start the right primary by hand (`systemctl start postgresql-*` there: the highest timeline, then the highest place) and run again".to_owned(),
    )
}

/// P25: the primary is not restarted by the way.
pub(super) fn primary_restart(
    of: &Postgres,
    state: &State,
    host: &HostName,
    server: &Server,
) -> Refusal {
    let pending: Vec<&str> = server.pending_restart().collect();
    let mut evidence: Vec<String> = pending
        .iter()
        .map(|name| {
            format!(
                "{host}: {name} is {} and waits for a restart",
                server.setting(name).unwrap_or_default()
            )
        })
        .collect();
    evidence.extend(all_say(of, state));
    refusal(
        "P25",
        Reach::Here,
        format!(
            "{} of the primary on {host} only changes with a restart, which interrupts all clients",
            pending.join(", ")
        ),
        evidence,
        format!(
            "choose the time: `--allow switchover={host}`, or restart it by hand with Pgpool-II stopped"
        ),
    )
}

/// P25: a lower value reaches the primary first.
pub(super) fn lower_first(host: &HostName, setting: &str) -> Refusal {
    refusal(
        "P25",
        Reach::Here,
        format!(
            "{setting} is lowered, and the standby on {host} would not start below its primary's value"
        ),
        vec![format!("{host}: {setting} waits for a restart")],
        "restart the primary first, then run again".to_owned(),
    )
}

/// P28: files that the server would not accept.
pub(super) fn bad_files(host: &HostName, server: &Server) -> Refusal {
    refusal(
        "P28",
        Reach::Hosts(vec![host.clone()]),
        format!(
            "the configuration files of PostgreSQL on {host} have errors outside our blocks: neither a reload nor a restart would take them"
        ),
        server
            .file_errors
            .iter()
            .map(|line| format!("{host}: {line}"))
            .collect(),
        "mend these lines and run again".to_owned(),
    )
}

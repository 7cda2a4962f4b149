//! Why not: one function a row of the table. Each says what was seen, and what a person can do.

mod member;

pub(super) use member::{does_not_stream, foreign_data, former_primary, standby_stopped};

use super::Pgpool;
use super::state::State;
use super::table::View;
use crate::inventory::HostName;
use crate::plan::{Advice, Reach, Refusal};
use crate::probe::Seen;
use crate::probe::postgres::{Data, Postgres};

fn refusal(
    code: &str,
    reach: Reach,
    because: String,
    evidence: Vec<String>,
    hint: &str,
) -> Refusal {
    Refusal {
        code: code.to_owned(),
        because,
        evidence,
        hint: hint.to_owned(),
        reach,
    }
}

/// What every member's PostgreSQL is, one line each.
fn all_say(wanted: &Pgpool, state: &State) -> Vec<String> {
    wanted
        .members
        .iter()
        .map(
            |host| match state.hosts.get(host).map(|seen| &seen.postgres) {
                Some(Seen::Is(postgres)) => format!("{host}: {}", says(postgres)),
                Some(Seen::Unknown(why)) => format!("{host}: did not answer: {why}"),
                None => format!("{host}: was not asked"),
            },
        )
        .collect()
}

/// One line about a PostgreSQL.
pub(super) fn says(postgres: &Postgres) -> String {
    let cluster = match &*postgres.identifier {
        "" => String::new(),
        identifier => format!(", cluster {identifier}"),
    };
    if let Some(server) = &postgres.server {
        let (role, at) = if server.in_recovery {
            ("standby", server.received.or(server.replayed))
        } else {
            ("primary", server.current)
        };
        let at = at.map(|lsn| format!(" at {lsn}")).unwrap_or_default();
        return format!("{role} on timeline {}{at}{cluster}", server.timeline);
    }
    if postgres.running {
        return format!("runs and does not answer ({}){cluster}", postgres.silent);
    }
    match (&postgres.data, &postgres.control) {
        (Data::Absent, _) => "no data".to_owned(),
        (Data::Empty, _) => "an empty data directory".to_owned(),
        (Data::Foreign(names), _) => format!("not PostgreSQL's: {}", names.join(", ")),
        (Data::Present, Some(control)) => {
            let role = if postgres.standby_signal {
                "standby"
            } else {
                "former primary"
            };
            let (timeline, at) = control.reaches();
            format!(
                "stopped {role}, {}, timeline {timeline} at {at}{cluster}",
                control.state
            )
        }
        (Data::Present, None) => format!("stopped, pg_controldata does not tell{cluster}"),
    }
}

/// P26: somebody else has the address.
pub(super) fn address_in_use(wanted: &Pgpool, asked: &HostName) -> Refusal {
    let vip = wanted.vip;
    refusal(
        "P26",
        Reach::Layer,
        format!("{vip}, which is to be the virtual address, is in use by another machine"),
        vec![format!(
            "{asked}: `arping -D {vip}` got an answer, and no host of the cluster has the address"
        )],
        "give `cluster_vip` an address that nobody uses, or find the other machine (`arping -c 1` shows its hardware address)",
    )
}

/// P27: hosts are not in the network of the address.
pub(super) fn address_outside(wanted: &Pgpool, networks: Vec<String>) -> Refusal {
    refusal(
        "P27",
        Reach::Layer,
        format!(
            "{} is in no network of every database host, so that not every one of them could take it",
            wanted.vip
        ),
        networks,
        "set `cluster_vip` to a free address of the network that the hosts share; with `if_name` only that interface counts",
    )
}

/// P12: a majority follows the leader, and it has not taken the address.
pub(super) fn address_on_nobody(wanted: &Pgpool, leader: &HostName) -> Refusal {
    refusal(
        "P12",
        Reach::LayerAfterWaits,
        format!(
            "{} is on no host, and {leader}, which leads the watchdog, does not take it",
            wanted.vip
        ),
        vec![
            format!("the watchdog's leader: {leader}"),
            "the address is on: nobody".to_owned(),
        ],
        &format!(
            "/var/log/pgpool_log on {leader} tells why (look for vip.sh, sudo, ip and arping); once that is mended, `systemctl restart pgpool` there hands the lead, and the address, to another host"
        ),
    )
}

/// P13: the address is where it should not be.
pub(super) fn address_elsewhere(
    wanted: &Pgpool,
    leader: &HostName,
    holders: &[&HostName],
) -> Refusal {
    let names: Vec<&str> = holders.iter().map(|host| host.as_str()).collect();
    refusal(
        "P13",
        Reach::Here,
        format!(
            "{} is on {}, and {leader} leads the watchdog",
            wanted.vip,
            names.join(" and ")
        ),
        vec![
            format!("the watchdog's leader: {leader}"),
            format!("the address is on: {}", names.join(", ")),
        ],
        "when this stays for a minute: `vip.sh down ADDRESS` as postgres on those that do not lead, then `vip.sh announce ADDRESS` on the leader",
    )
}

/// P15: the hosts disagree about who is which node.
pub(super) fn ids_contradict(files: Vec<String>) -> Refusal {
    refusal(
        "P15",
        Reach::Layer,
        "the backends files contradict each other about the node ids; a recovery would hit the wrong host".to_owned(),
        files,
        "find the file that the running Pgpool-II nodes use (`pcp_node_info -a`), copy it to the other hosts, and run again",
    )
}

/// P14: the daemon runs under another node id.
pub(super) fn another_id(host: &HostName, has: &str, wanted: &str) -> Refusal {
    refusal(
        "P14",
        Reach::Layer,
        format!(
            "Pgpool-II on {host} runs as node {has}, and the backends file has it as node {wanted}"
        ),
        vec![
            format!("{host}: pgpool_node_id is {has}"),
            format!("backends file: {host} is node {wanted}"),
        ],
        "stop pgpool on that host, and run again: the id is then written anew",
    )
}

/// P0: a host that did not answer may know the node ids.
pub(super) fn may_hold_ids(wanted: &Pgpool, state: &State) -> Refusal {
    let evidence = wanted
        .members
        .iter()
        .map(|host| match state.hosts.get(host) {
            Some(seen) if seen.answered() => format!("{host}: has no backends file"),
            Some(seen) => format!("{host}: did not answer: {}", seen.silence()),
            None => format!("{host}: was not asked"),
        })
        .collect();
    refusal(
        "P0",
        Reach::Layer,
        "no backends file is seen, but not every host answered, and the node ids may be known there".to_owned(),
        evidence,
        "bring the host back and run again; no flag overrides this",
    )
}

/// P7: more than one primary.
pub(super) fn two_primaries(wanted: &Pgpool, state: &State) -> Refusal {
    refusal(
        "P7",
        Reach::Layer,
        "more than one PostgreSQL takes writes".to_owned(),
        all_say(wanted, state),
        "decide which one to keep by timeline and last transactions; stop the other by hand, move its data directory aside, and run again",
    )
}

/// P9, P10: no primary.
pub(super) fn no_primary(wanted: &Pgpool, state: &State) -> Refusal {
    refusal(
        "P9",
        Reach::Layer,
        "no PostgreSQL of the hosts is a primary, and there is data: Pgpool-II is not started in front of it".to_owned(),
        all_say(wanted, state),
        "see what the layer postgresql says; bring silent hosts back first",
    )
}

/// P11: data of different clusters.
pub(super) fn other_cluster(wanted: &Pgpool, state: &State) -> Refusal {
    refusal(
        "P11",
        Reach::Layer,
        "the data directories are of different clusters: somebody ran initdb again; nothing is recovered in either direction".to_owned(),
        all_say(wanted, state),
        "find out which one has the data; move the other data directories aside by hand, and run again",
    )
}

/// P8: Pgpool-II and PostgreSQL disagree.
pub(super) fn other_primary(view: &View<'_>, speaker: &HostName, named: &str) -> Refusal {
    let mut evidence = all_say(view.wanted, view.state);
    evidence.push(format!("Pgpool-II on {speaker}: the primary is {named}"));
    refusal(
        "P8",
        Reach::LayerAfterWaits,
        format!(
            "Pgpool-II takes {named} for the primary, and PostgreSQL says that it is {}",
            view.primary
        ),
        evidence,
        "restart pgpool on the hosts that do not lead, then on the leader, and run again",
    )
}

/// P28: an even number of nodes bears no more losses than one node less.
pub(super) fn even_nodes(wanted: &Pgpool) -> Option<Advice> {
    let nodes = wanted.members.len();
    let majority = nodes / 2 + 1;
    (wanted.watchdog && nodes.is_multiple_of(2)).then(|| Advice {
        code: "P28".to_owned(),
        host: None,
        text: format!(
            "{nodes} nodes need {majority} for a majority and bear the loss of {}, no more than {} would: make it {}",
            nodes - majority,
            nodes - 1,
            nodes + 1
        ),
    })
}

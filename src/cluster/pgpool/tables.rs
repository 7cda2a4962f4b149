//! Daemons whose table of the nodes is not the leader's.
//!
//! A daemon takes the leader's table over when it joins the watchdog and after each failover; when it does not get it then,
//! it goes on with its own (`sync_backend_from_watchdog` in `pgpool_main.c`), and before 4.6.7 it may do so with no primary at
//! all when all daemons start at once. Its clients are sent by its own table, and everybody is when it leads.

use super::repair;
use super::steps::Due;
use super::table::View;
use crate::inventory::HostName;
use crate::plan::{Decision, PgpoolExpect, UnitVerb, Wait};
use crate::probe::pgpool::{Node, Pgpool as Daemon};
use std::fmt;

/// How long a daemon may take to get the leader's table, in seconds; while it does not change, half a minute.
const TAKE_OVER_S: u64 = 120;

/// What a daemon has otherwise than the leader of its watchdog.
pub(super) struct Difference<'a> {
    leader: &'a HostName,
    has: &'a Node,
    own: &'a Node,
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (leader, host) = (self.leader, &self.has.host);
        if self.own.is_attached() {
            let (own, has) = (&self.own.role, &self.has.role);
            write!(
                f,
                "it takes {host} for a {own}, and {leader}, which leads, for the {has}"
            )
        } else {
            let own = &self.own.status;
            write!(
                f,
                "it has {host} as {own}, and {leader}, which leads, as up"
            )
        }
    }
}

impl<'a> Difference<'a> {
    /// In which node the tables of a daemon and of its leader differ, first of all in the primary. Where the leader sends no
    /// queries to a node, that is for the leader to change.
    pub(super) fn between(
        (leader, table): (&'a HostName, &'a Daemon),
        daemon: &'a Daemon,
    ) -> Option<Self> {
        let own = daemon.nodes.as_ref()?;
        let follows = |daemon: &Daemon| {
            let watchdog = daemon.watchdog.as_ref();
            watchdog.is_some_and(|it| it.has_quorum() && it.leader == leader.as_str())
        };
        if !(follows(daemon) && follows(table)) {
            return None;
        }
        let differ = |has: &'a Node| {
            let own = own.iter().find(|own| own.host == has.host)?;
            let differ = !own.is_attached() || own.role != has.role;
            let meant = has.is_attached() && own.status != "quarantine";
            (meant && differ).then_some(Self { leader, has, own })
        };
        let mut found: Vec<Self> = table.nodes.iter().flatten().filter_map(differ).collect();
        found.sort_by_key(|it| it.has.role != "primary");
        found.into_iter().next()
    }
}

/// Who has to start again to take over the leader's table. What may pass by itself is waited for.
pub(super) fn due<'a>(view: &View<'a>, decision: &mut Decision) -> Vec<Due<'a>> {
    let mut due = Vec::new();
    let Some(leader) = view.leader() else {
        return due;
    };
    let of = |host: &HostName| view.seen(host)?.pgpool.known();
    let Some(table) = of(leader) else {
        return due;
    };
    for host in view.in_order() {
        let Some(daemon) = of(host).filter(|_| host != leader) else {
            continue;
        };
        let Some(difference) = Difference::between((leader, table), daemon) else {
            continue;
        };
        let node = HostName::new(&*difference.has.host);
        let in_truth = node == *view.primary || repair::is_well(view, &node, leader);
        if !in_truth || (node == *view.primary) != (difference.has.role == "primary") {
            continue;
        }
        let idle = table.busy.is_empty() && daemon.busy.is_empty();
        if idle && table.settled && daemon.settled {
            due.push((host, UnitVerb::Restart, difference.to_string()));
            continue;
        }
        let expect = match node == *view.primary {
            true => PgpoolExpect::Primary(node.to_string()),
            false => PgpoolExpect::Standby(node.to_string()),
        };
        decision.waits.push(Wait {
            what: format!("Pgpool-II on {host} has the leader's table: {difference}"),
            until: view.says(host, expect),
            deadline_s: TAKE_OVER_S,
        });
    }
    due
}

//! Pgpool-II on a host: its files that name the nodes, and what the daemon says over PCP.
//!
//! The password is in the file that `PCPPASSFILE` names, never in an argument. Each call has a time limit.
//! Sources: `pcp_node_info.c` and `pcp_watchdog_info.c` of Pgpool-II 4.5 to 4.7; `pool_status` in `pgpool_main.c`.

use super::Seen;
use super::shell::quote;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Which Pgpool-II is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct About {
    /// Folder of its configuration, `/etc/pgpool-II`.
    pub conf: String,
    /// File with the password of the PCP user.
    pub passfile: String,
    /// The PCP user.
    pub user: String,
}

/// What is known about Pgpool-II on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pgpool {
    /// Whether the program is installed.
    pub installed: bool,
    /// Text of `pgpool_node_id`; empty without one.
    pub node_id: String,
    /// The backends file: host name by node id; `None` when there is no file.
    pub backends: Option<BTreeMap<u32, String>>,
    /// Its `failover.sh` promotes nobody beside a primary that lives.
    pub guarded: bool,
    /// One of our scripts works on this host, or a recovery is under way: `failover.sh`, `standby.sh` …
    pub busy: Vec<String>,
    /// What the daemon says of the PostgreSQL nodes, by id; `None` when it does not answer.
    pub nodes: Option<Vec<Node>>,
    /// Whether no node's status has changed for [`SETTLED_S`] in its table.
    pub settled: bool,
    /// What its watchdog says; `None` when there is none, or it does not answer.
    pub watchdog: Option<Watchdog>,
    /// Why it does not answer, when it does not.
    pub silent: String,
}

/// A PostgreSQL node as one Pgpool-II sees it: what it remembers, and what it sees now (`pg_…`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Host name.
    pub host: String,
    /// `up`, `waiting` (up without sessions yet), `down`, `unused` or `quarantine`.
    pub status: String,
    /// `up`, `down` or `unknown`, now.
    pub pg_status: String,
    /// `primary` or `standby`.
    pub role: String,
    /// `primary`, `standby` or `unknown`, now.
    pub pg_role: String,
    /// `streaming`, or `none`.
    pub replication: String,
}

impl Node {
    /// Whether queries are sent to it.
    pub fn is_attached(&self) -> bool {
        matches!(&*self.status, "up" | "waiting")
    }
}

/// The watchdog as one Pgpool-II sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watchdog {
    /// `QUORUM EXIST`, `QUORUM IS ON THE EDGE`, `QUORUM ABSENT`, `NO LEADER NODE` …
    pub quorum: String,
    /// Host name of the leader; empty when there is none.
    pub leader: String,
    /// Whether this node has taken the virtual address.
    pub escalated: bool,
    /// All nodes, in the order told: this one first.
    pub nodes: Vec<Peer>,
}

impl Watchdog {
    /// Whether a majority of the nodes works together.
    pub fn has_quorum(&self) -> bool {
        matches!(&*self.quorum, "QUORUM EXIST" | "QUORUM IS ON THE EDGE")
    }

    /// The state of a node: `LEADER`, `STANDBY`, `LOST`, `SHUTDOWN` …
    pub fn state(&self, host: &str) -> Option<&str> {
        let peer = self.nodes.iter().find(|peer| peer.host == host)?;
        Some(&peer.state)
    }
}

/// A node of the watchdog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Peer {
    /// Host name.
    pub host: String,
    /// `LEADER`, `STANDBY`, `LOST`, `SHUTDOWN`, `DEAD`, `JOINING` …
    pub state: String,
    /// `MEMBER`, or why it does not count: `NO-SHOW`, `LOST` …
    pub membership: String,
}

impl Pgpool {
    /// Without what changes by itself as nodes come and go.
    pub fn steady(&self) -> Self {
        Self {
            installed: self.installed,
            node_id: self.node_id.clone(),
            backends: self.backends.clone(),
            guarded: self.guarded,
            ..Self::default()
        }
    }
}

/// How long a table has to stay as it is to be taken for more than a moment of a failover, in seconds.
pub const SETTLED_S: u64 = 30;

/// The words in `failover.sh` by which it is known that it looks for a primary that lives.
pub const GUARD: &str = "nothing is promoted beside it";

pub(super) fn script(about: &About) -> String {
    format!(
        r#"export LC_ALL=C PCPPASSFILE={passfile}
c={conf}
command -v pgpool >/dev/null && echo 'installed yes'
[ -f "$c/pgpool_node_id" ] && echo "id $(head -c 20 -- "$c/pgpool_node_id" | tr -cd '0-9')"
[ -f "$c/pgpool.ke2-backends.conf" ] && echo 'backends yes' && sed -n "s/^ *backend_hostname\([0-9][0-9]*\) *= *'\([^']*\)'.*/backend \1 \2/p" -- "$c/pgpool.ke2-backends.conf"
grep -sq '{GUARD}' -- "$c/failover.sh" && echo 'guarded yes'
pgrep -u postgres -fa -- "^/bin/bash $c/(failover.sh|follow_primary.sh|standby.sh (follow|rebuild)|recovery_1st_stage)" | sed 's/^[0-9]* .bin.bash \([^ ]*\).*/busy \1/'
systemctl list-units --plain --no-legend --state=activating 'provision-recover-*.service' | sed 's/ .*//; s/^/busy /'
command -v pcp_node_info >/dev/null || exit 0
s=$(systemctl is-active pgpool.service)
[ "$s" = active ] || {{ echo "pgpool.service is $s" >&2; exit 0; }}
date '+now %F %T'
timeout 12 pcp_node_info -w -h localhost -p 9898 -U {user} -a | sed 's/^/node /'
timeout 8 pcp_watchdog_info -w -h localhost -p 9898 -U {user} -v | sed 's/^/wd /'
exit 0"#,
        passfile = quote(&about.passfile),
        conf = quote(&about.conf),
        user = quote(&about.user),
    )
}

pub(super) fn parse(status: i32, stdout: &str, stderr: &str) -> Seen<Pgpool> {
    if status != 0 {
        return Seen::Unknown(format!(
            "the look at Pgpool-II broke off (status {status}): {}",
            stderr.trim()
        ));
    }
    let mut found = Pgpool::default();
    let mut nodes = Vec::new();
    let mut watchdog = Vec::new();
    let mut now = None;
    let mut changed = Vec::new();
    for line in stdout.lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "installed" => found.installed = true,
            "guarded" => found.guarded = true,
            "id" => value.clone_into(&mut found.node_id),
            "backends" => found.backends = Some(BTreeMap::new()),
            "backend" => {
                if let Some((id, host)) = value.split_once(' ')
                    && let (Ok(id), Some(backends)) = (id.parse(), &mut found.backends)
                {
                    backends.insert(id, host.to_owned());
                }
            }
            "busy" => found.busy.push(value.to_owned()),
            "now" => now = moment(value),
            "node" => {
                nodes.extend(node(value));
                changed.push(last_change(value));
            }
            "wd" => watchdog.push(value),
            _ => {}
        }
    }
    found.busy.sort();
    found.busy.dedup();
    found.settled = !nodes.is_empty() && changed.iter().all(|it| is_settled(now, *it));
    found.nodes = (!nodes.is_empty()).then_some(nodes);
    found.watchdog = parse_watchdog(&watchdog);
    if found.nodes.is_none() {
        stderr.trim().clone_into(&mut found.silent);
    }
    Seen::Is(found)
}

/// `host port status weight status-name pg-status role pg-role delay… replication-state sync-state date time`
fn node(line: &str) -> Option<Node> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let word = |at: usize| Some((*words.get(at)?).to_owned());
    // A delay may be "0" or "0.000 second": what comes after it is counted from the end.
    let replication = words.len().checked_sub(4).and_then(word)?;
    Some(Node {
        host: word(0)?,
        status: word(4)?,
        pg_status: word(5)?,
        role: word(6)?,
        pg_role: word(7)?,
        replication,
    })
}

/// `2026-11-21 06:33:05`, by the host's own clock.
fn moment(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339_weak(text.trim()).ok()
}

/// When the node's status was changed last: the last two words.
fn last_change(line: &str) -> Option<SystemTime> {
    let (rest, time) = line.trim().rsplit_once(' ')?;
    let (_, date) = rest.trim_end().rsplit_once(' ')?;
    moment(&format!("{date} {time}"))
}

/// A clock that was put back since then says nothing: what it shows is not of this moment.
fn is_settled(now: Option<SystemTime>, changed: Option<SystemTime>) -> bool {
    let (Some(now), Some(changed)) = (now, changed) else {
        return false;
    };
    now.duration_since(changed)
        .map_or(true, |age| age.as_secs() >= SETTLED_S)
}

fn parse_watchdog(lines: &[&str]) -> Option<Watchdog> {
    let mut found = Watchdog::default();
    let mut told = false;
    for line in lines {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        let of_node = |found: &mut Watchdog, set: &dyn Fn(&mut Peer)| {
            if let Some(peer) = found.nodes.last_mut() {
                set(peer);
            }
        };
        match key.trim() {
            "Quorum state" => {
                told = true;
                value.clone_into(&mut found.quorum);
            }
            "Local node escalation" => found.escalated = value == "YES",
            "Leader Host Name" if value != "Not Set" => value.clone_into(&mut found.leader),
            "Node Name" => found.nodes.push(Peer::default()),
            "Host Name" => of_node(&mut found, &|peer| value.clone_into(&mut peer.host)),
            "Status Name" => of_node(&mut found, &|peer| value.clone_into(&mut peer.state)),
            "Membership Status" => {
                of_node(&mut found, &|peer| value.clone_into(&mut peer.membership));
            }
            _ => {}
        }
    }
    told.then_some(found)
}

//! How well the database is as its clients see it, in Pgpool-II's own words.

use super::Pgpool;
use super::state::{Observed, State};
use super::tables::Difference;
use crate::inventory::HostName;
use crate::module::{Health, Light, Margin, MemberHealth};
use crate::probe::pgpool::{Node, Pgpool as Daemon};
use crate::probe::postgres::Postgres;

/// The health of each member, and how many more the watchdog can lose.
pub(super) fn of(wanted: &Pgpool, state: &State) -> Health {
    let members = wanted
        .members
        .iter()
        .map(|host| {
            let (light, says) = match state.hosts.get(host) {
                Some(observed) => member(wanted, host, observed, state),
                None => (Light::Unknown, "was not asked".to_owned()),
            };
            MemberHealth {
                host: host.clone(),
                light,
                says,
            }
        })
        .collect();
    let serving = wanted
        .members
        .iter()
        .filter(|host| counts(state, host))
        .count();
    Health {
        layer: "pgpool".to_owned(),
        members,
        margin: wanted
            .watchdog
            .then(|| Margin::majority("Pgpool-II nodes", wanted.members.len(), serving)),
    }
}

fn daemon<'a>(state: &'a State, host: &HostName) -> Option<&'a Daemon> {
    state.hosts.get(host)?.pgpool.known()
}

/// The leader of the watchdog, as it sees itself, and what it says.
fn leader<'a>(wanted: &'a Pgpool, state: &'a State) -> Option<(&'a HostName, &'a Daemon)> {
    let leads = |daemon: &Daemon, host: &HostName| {
        let watchdog = daemon.watchdog.as_ref();
        watchdog.is_some_and(|it| it.has_quorum() && it.state(host.as_str()) == Some("LEADER"))
    };
    let mut members = wanted.members.iter();
    members.find_map(|host| Some((host, daemon(state, host).filter(|it| leads(it, host))?)))
}

fn counts(state: &State, host: &HostName) -> bool {
    daemon(state, host)
        .and_then(|daemon| daemon.watchdog.as_ref()?.state(host.as_str()))
        .is_some_and(|word| matches!(word, "LEADER" | "STANDBY"))
}

/// `primary up, watchdog leader, 10.20.0.100`
fn member(wanted: &Pgpool, host: &HostName, observed: &Observed, state: &State) -> (Light, String) {
    if !observed.answered() {
        return (
            Light::Unknown,
            format!("did not answer: {}", observed.silence()),
        );
    }
    let Some(daemon) = observed.pgpool.known() else {
        return (Light::Unknown, "did not answer".to_owned());
    };
    let Some(nodes) = &daemon.nodes else {
        let why = match (daemon.installed, &*daemon.silent) {
            (false, _) => "pgpool is not installed",
            (true, "") => "pgpool does not answer",
            (true, why) => why,
        };
        return (Light::Red, why.to_owned());
    };
    // Where queries go is the leader's to say; a daemon that says otherwise serves those who ask it.
    let leads = leader(wanted, state);
    let table = leads.and_then(|(_, table)| table.nodes.as_ref());
    let own = table
        .unwrap_or(nodes)
        .iter()
        .find(|node| node.host == host.as_str());
    let (mut light, mut words) = node(own, observed.postgres.known());
    let difference = leads.and_then(|leads| Difference::between(leads, daemon));
    if let Some(difference) = difference {
        words.push(difference.to_string());
        light = light.max(Light::Advised);
    }
    if wanted.watchdog {
        let word = daemon
            .watchdog
            .as_ref()
            .and_then(|watchdog| watchdog.state(host.as_str()));
        words.push(format!(
            "watchdog {}",
            word.unwrap_or("silent").to_ascii_lowercase()
        ));
        light = light.max(match (word, &daemon.watchdog) {
            (Some("LEADER" | "STANDBY"), Some(watchdog)) if watchdog.has_quorum() => Light::Green,
            _ => Light::Red,
        });
        let vip = wanted.vip.to_string();
        match (observed.has(&vip), word == Some("LEADER")) {
            (true, true) => words.push(vip),
            (true, false) => {
                words.push(format!("holds {vip} and does not lead"));
                light = light.max(Light::Red);
            }
            (false, true) => {
                words.push(format!("leads and does not hold {vip}"));
                light = light.max(Light::Red);
            }
            (false, false) => {}
        }
    }
    (light, words.join(", "))
}

/// The PostgreSQL node, by Pgpool-II and by PostgreSQL itself: they must agree.
fn node(node: Option<&Node>, postgres: Option<&Postgres>) -> (Light, Vec<String>) {
    let Some(node) = node else {
        return (Light::Red, vec!["Pgpool-II does not know it".to_owned()]);
    };
    let words = vec![format!("{} {}", node.role, node.status)];
    let server = postgres.and_then(|postgres| postgres.server.as_ref());
    let truth = match server {
        Some(server) if server.in_recovery => "standby",
        Some(_) => "primary",
        None => "not running",
    };
    if truth != node.role {
        return (
            Light::Red,
            vec![format!("{}, in truth {truth}", words.join(""))],
        );
    }
    let light = if !node.is_attached() {
        Light::Red
    } else if node.role == "standby" && node.replication != "streaming" {
        Light::Yellow
    } else {
        Light::Green
    };
    (light, words)
}

//! `external_database`: whether the database that `database_url` names can be reached, before anything relies on it.
//!
//! It changes nothing. The password is not tried: blank hosts have no client. While the hosts are no cluster yet, a
//! database that cannot be reached is most likely a mistake in the inventory, and nothing is begun; once they are one,
//! an outage of the database is no reason to leave the rest unrepaired.

use crate::inventory::HostName;
use crate::module::argument::{defaulted, needed};
use crate::module::{Args, Context, Health, Light, MemberHealth, Module, Unfit};
use crate::plan::{Advice, Decision, Reach, Refusal};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::database_port::{Endpoint, Listens};
use crate::probe::docker::Docker;
use crate::probe::{Answers, Need, Seen};

/// PostgreSQL's port.
const POSTGRESQL: u16 = 5432;

/// The database of somebody else.
#[derive(Clone, Debug)]
pub struct ExternalDatabase {
    hosts: Vec<HostName>,
    endpoints: Vec<Endpoint>,
    founding: bool,
}

/// What each host found at each endpoint.
#[derive(Clone, Debug)]
pub struct State {
    found: Vec<(HostName, Endpoint, Seen<Listens>)>,
    /// Whether some host is in a swarm already.
    is_cluster: bool,
}

impl Module for ExternalDatabase {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "external_database",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            needed(
                "url",
                ArgKind::Text,
                "Where it is: pgsql://USER:PASSWORD@HOST:PORT/DATABASE. Only host and port are used.",
            ),
            defaulted(
                "founding",
                ArgKind::Bool,
                "false",
                "Whether it is refused only while no host is in a swarm, and told otherwise.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let url = args.required("url")?;
        let endpoints =
            endpoints(&url).map_err(|problem| args.wrong_at("url", problem.to_owned()))?;
        Ok(Self {
            hosts: context.group.to_vec(),
            endpoints,
            founding: args.flag("founding"),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<State, Need> {
        let mut found = Vec::new();
        for host in &self.hosts {
            for endpoint in &self.endpoints {
                let listens = seen.database_port(host, endpoint.clone());
                found.push((host.clone(), endpoint.clone(), listens));
            }
        }
        let mut state = seen.settle(State {
            found,
            is_cluster: false,
        })?;
        if self.founding && !self.blind(&state).is_empty() {
            let dockers: Vec<Seen<Docker>> =
                self.hosts.iter().map(|host| seen.docker(host)).collect();
            let in_swarm = |docker: &Docker| !docker.trace.is_empty();
            state.is_cluster = dockers.iter().filter_map(Seen::known).any(in_swarm);
        }
        seen.settle(state)
    }

    fn plan(&self, state: &State) -> Decision {
        let blind = self.blind(state);
        if blind.is_empty() {
            return Decision::default();
        }
        let places: Vec<String> = self.endpoints.iter().map(ToString::to_string).collect();
        let because = format!(
            "the database of `database_url` at {} cannot be reached from {}",
            places.join(", "),
            blind
                .iter()
                .map(|host| host.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        );
        let evidence: Vec<String> = state
            .found
            .iter()
            .filter(|(host, ..)| blind.contains(&host))
            .map(|(host, endpoint, found)| format!("{host}: {}", tried(endpoint, found)))
            .collect();
        let mut decision = Decision::default();
        if state.is_cluster {
            decision.advice.push(Advice {
                code: "K30".to_owned(),
                host: None,
                text: format!("{because}: {}", evidence.join("; ")),
            });
        } else {
            decision.refusals.push(Refusal {
                code: "K30".to_owned(),
                because,
                evidence,
                hint: "correct host and port in `database_url`, or let these hosts through to it (listen_addresses, pg_hba.conf, firewalls), and run again".to_owned(),
                reach: Reach::Layer,
            });
        }
        decision
    }

    fn health(&self, state: &State) -> Option<Health> {
        if self.founding || self.endpoints.is_empty() {
            return None;
        }
        let blind = self.blind(state);
        let members = self.hosts.iter().map(|host| {
            let own = || state.found.iter().filter(|(one, ..)| one == host);
            let silent = own().find_map(|(_, _, found)| found.unknown());
            let light = if blind.contains(&host) {
                Light::Red
            } else if silent.is_some() {
                Light::Unknown
            } else {
                Light::Green
            };
            let says: Vec<String> = own()
                .map(|(_, endpoint, found)| tried(endpoint, found))
                .collect();
            MemberHealth {
                host: host.clone(),
                light,
                says: says.join("; "),
            }
        });
        Some(Health {
            layer: "external database".to_owned(),
            members: members.collect(),
            margin: None,
        })
    }
}

impl ExternalDatabase {
    /// The hosts that answered and reach no endpoint.
    fn blind<'a>(&self, state: &'a State) -> Vec<&'a HostName> {
        let mut blind: Vec<&HostName> = Vec::new();
        for own in state.found.chunks(self.endpoints.len().max(1)) {
            let reaches = |found: &Seen<Listens>| {
                found
                    .known()
                    .is_none_or(|listens| *listens == Listens::Postgresql)
            };
            if let Some((host, ..)) = own.first()
                && !own.iter().any(|(_, _, found)| reaches(found))
            {
                blind.push(host);
            }
        }
        blind
    }
}

/// What was tried, and what came of it.
fn tried(endpoint: &Endpoint, found: &Seen<Listens>) -> String {
    match found {
        Seen::Unknown(why) => format!("did not answer: {why}"),
        Seen::Is(Listens::Postgresql) => format!("reaches PostgreSQL at {endpoint}"),
        Seen::Is(Listens::SomethingElse) => {
            format!(
                "tried {endpoint} over TCP: what takes the connection does not speak PostgreSQL's protocol"
            )
        }
        Seen::Is(Listens::Nothing { why }) => format!("tried {endpoint} over TCP: {why}"),
    }
}

/// The servers that a URL names; none for a socket or a file. The URL is never repeated: it has a password.
fn endpoints(url: &str) -> Result<Vec<Endpoint>, &'static str> {
    const SHAPE: &str = "`database_url` is a URL such as pgsql://USER:PASSWORD@HOST:PORT/DATABASE";
    let (_, rest) = url.split_once("://").ok_or(SHAPE)?;
    // A password may have a bare `@` and a bare `/`: what follows the last `@` is the place.
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split(['/', '?', '#']).next().unwrap_or_default();
    place
        .split(',')
        .filter(|one| !one.is_empty() && !one.starts_with('%'))
        .map(|one| {
            let (host, port) = match one.strip_prefix('[') {
                Some(v6) => {
                    let (host, port) = v6.split_once(']').ok_or(SHAPE)?;
                    (host, port.strip_prefix(':'))
                }
                None => match one.split_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (one, None),
                },
            };
            let port = match port {
                None | Some("") => POSTGRESQL,
                Some(port) => port.parse().map_err(
                    |_| "`database_url` has no number as its port: in a password, `:`, `/`, `@` and the like are written %3A, %2F, %40",
                )?,
            };
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
            if host.is_empty() || host.starts_with('-') || !host.chars().all(plain) {
                return Err("`database_url` has no name or address as its host: in a password, `@`, `/` and the like are written %40, %2F");
            }
            Ok(Endpoint {
                host: host.to_owned(),
                port,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_found_whatever_the_password_is() {
        let at = |url: &str| {
            endpoints(url).map(|found| {
                let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                found.join(" ")
            })
        };
        for (url, place) in [
            ("pgsql://k:p%40ss%3A@10.0.0.9:5433/kompira", "10.0.0.9:5433"),
            ("postgres://k@db.example/kompira", "db.example:5432"),
            ("pgsql://k:a@b/c@db:9999/k?sslmode=require", "db:9999"),
            ("pgsql://k:p@[fd00::1]:5433/k", "[fd00::1]:5433"),
            ("pgsql://k:p@[fd00::1]/k", "[fd00::1]:5432"),
            ("postgresql://k:p@a:1,b/k", "a:1 b:5432"),
            ("pgsql://k:p@%2Frun%2Fpostgresql/k", ""),
            ("sqlite:///var/db", ""),
        ] {
            assert_eq!(at(url).as_deref(), Ok(place), "{url}");
        }
        for url in [
            "nonsense",
            "pgsql://k:p@db:port/k",
            "pgsql://k:p@a b/k",
            "pgsql://k:pa ss/w",
        ] {
            let problem = at(url).unwrap_err();
            assert!(!problem.contains("k:p@"), "{problem}");
        }
    }
}

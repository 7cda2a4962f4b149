//! Questions become shell scripts here and nowhere else: united by kind, so that many cost few forks.

use super::{
    Answer, Query, Seen, arp, brick, certificate, database_port, docker, firewall,
    firewall_service, gluster, gluster_volume, image, machine, mounted, network, package, path,
    pgpool, postgres, presented, shell, stack, stack_node, tables, unit, user,
};
use std::collections::BTreeSet;
use std::time::Duration;

/// One script that answers one or more questions.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What it answers, in order.
    pub queries: Vec<Query>,
    /// The text for the host's shell.
    pub script: String,
    /// How long it may take.
    pub deadline: Duration,
}

/// What a script left behind, with the controller's clock around it in Unix seconds.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// When the question was sent.
    pub sent_s: f64,
    /// When the answer was there.
    pub received_s: f64,
}

/// Questions of one kind that share a script.
fn united(queries: &BTreeSet<Query>) -> Vec<Vec<Query>> {
    let mut groups: Vec<Vec<Query>> = Vec::new();
    for query in queries {
        let kind = std::mem::discriminant(query);
        let shared = matches!(
            query,
            Query::Package(_) | Query::Unit(_) | Query::Path(_) | Query::Content(_)
        );
        match groups.last_mut() {
            Some(group) if shared && std::mem::discriminant(&group[0]) == kind => {
                group.push(query.clone());
            }
            _ => groups.push(vec![query.clone()]),
        }
    }
    groups
}

/// The scripts that answer `queries`.
pub fn lower(queries: &BTreeSet<Query>) -> Vec<Ask> {
    united(queries).into_iter().map(Ask::new).collect()
}

impl Ask {
    fn new(queries: Vec<Query>) -> Self {
        let names = names(&queries);
        let script = match &queries[0] {
            Query::Machine => machine::MACHINE.to_owned(),
            Query::Interfaces => network::INTERFACES.to_owned(),
            Query::Clock => machine::CLOCK.to_owned(),
            Query::Resolve(name) => network::resolve_script(name),
            Query::Filesystem(path) => machine::filesystem_script(path),
            Query::Package(_) => package::script(&names),
            Query::Unit(_) => unit::script(&names),
            Query::Path(_) => path::stat_script(&names),
            Query::Content(_) => path::content_script(&names),
            Query::Command(line) => line.script(),
            Query::Firewall => firewall::FIREWALL.to_owned(),
            Query::User(name) => user::script(name),
            Query::Sysctl(key) => format!("sysctl -n -- {}", shell::quote(key)),
            Query::Docker => docker::DOCKER.to_owned(),
            Query::SwarmNodes => docker::NODES.to_owned(),
            Query::Postgres(about) => postgres::script(about),
            Query::PostgresPast(about) => postgres::past::script(about),
            Query::Pgpool(about) => pgpool::script(about),
            Query::FirewallService(name) => firewall_service::script(name),
            Query::Mounted(path) => mounted::script(path),
            Query::Gluster => gluster::GLUSTER.to_owned(),
            Query::GlusterVolume(name) => gluster_volume::volume_script(name),
            Query::GlusterStatus(name) => gluster_volume::status_script(name),
            Query::GlusterBrick(path) => brick::script(path),
            Query::Stack(name) => stack::script(name),
            Query::StackNode(about) => stack_node::script(about),
            Query::Presented(about) => presented::script(about),
            Query::Image(reference) => image::script(reference),
            Query::Certificates(place) => certificate::script(place),
            Query::Tables(database) => tables::script(database),
            Query::DatabasePort(endpoint) => database_port::script(endpoint),
            Query::AddressTaken(about) => arp::script(about),
        };
        let deadline = match &queries[0] {
            Query::Command(_) => Duration::from_secs(120),
            Query::GlusterStatus(_) => Duration::from_secs(100),
            Query::GlusterVolume(_) | Query::GlusterBrick(_) => Duration::from_secs(45),
            Query::Mounted(_) => Duration::from_secs(mounted::PATIENCE_S + 30),
            Query::PostgresPast(_) => Duration::from_secs(150),
            _ => Duration::from_secs(30),
        };
        Self {
            queries,
            script,
            deadline,
        }
    }

    /// One script a question, with a short deadline: after a united script hung, this finds the question that hangs.
    pub fn apart(self) -> Vec<Self> {
        self.queries
            .into_iter()
            .map(|query| {
                let mut one = Self::new(vec![query]);
                one.deadline = one.deadline.min(Duration::from_secs(10));
                one
            })
            .collect()
    }

    /// The answers in a reply.
    pub fn read(&self, reply: &Reply) -> Vec<(Query, Seen<Answer>)> {
        let names = names(&self.queries);
        let Reply {
            status,
            stdout: raw,
            ..
        } = reply;
        let stdout = &*String::from_utf8_lossy(raw);
        let stderr = &*String::from_utf8_lossy(&reply.stderr);
        let one = |seen: Seen<Answer>| vec![(self.queries[0].clone(), seen)];
        match &self.queries[0] {
            Query::Package(_) => package::parse(&names, stdout, stderr),
            Query::Unit(_) => unit::parse(&names, stdout, stderr),
            Query::Path(_) => path::stat_parse(&names, raw, stderr),
            Query::Content(_) => path::content_parse(&names, *status, raw, stderr),
            Query::Machine => one(Seen::Is(Answer::Machine(machine::parse_machine(stdout)))),
            Query::Interfaces => {
                one(network::parse(*status, stdout, stderr).map(Answer::Interfaces))
            }
            Query::Clock => {
                one(machine::parse_clock(stdout, reply.sent_s, reply.received_s).map(Answer::Clock))
            }
            Query::Resolve(_) => {
                one(network::parse_resolve(*status, stdout, stderr).map(Answer::Resolve))
            }
            Query::Filesystem(path) => {
                one(machine::parse_filesystem(path, stdout, stderr).map(Answer::Filesystem))
            }
            Query::Command(_) => {
                one(shell::parse(*status, raw, &reply.stderr).map(Answer::Command))
            }
            Query::Firewall => one(firewall::parse(*status, stdout, stderr).map(Answer::Firewall)),
            Query::User(_) => one(user::parse(*status, stdout, stderr).map(Answer::User)),
            Query::Sysctl(_) => one(read_sysctl(*status, stdout, stderr)),
            Query::Docker => one(docker::parse_docker(stdout, stderr).map(Answer::Docker)),
            Query::SwarmNodes => one(docker::parse_nodes(stdout, stderr).map(Answer::SwarmNodes)),
            Query::Postgres(_) => {
                one(postgres::parse(*status, stdout, stderr).map(Answer::Postgres))
            }
            Query::Pgpool(_) => one(pgpool::parse(*status, stdout, stderr).map(Answer::Pgpool)),
            Query::FirewallService(_) => {
                one(firewall_service::parse(stdout, stderr).map(Answer::FirewallService))
            }
            Query::Mounted(path) => one(mounted::parse(path, stdout, stderr).map(Answer::Mounted)),
            Query::Gluster => one(gluster::parse(stdout, stderr).map(Answer::Gluster)),
            Query::GlusterVolume(name) => {
                one(gluster_volume::parse_volume(name, stdout, stderr).map(Answer::GlusterVolume))
            }
            Query::GlusterStatus(name) => {
                one(gluster_volume::parse_status(name, stdout, stderr).map(Answer::GlusterStatus))
            }
            Query::PostgresPast(_) => one(Seen::Is(Answer::PostgresPast(postgres::past::parse(
                reply.status,
                stdout,
            )))),
            Query::GlusterBrick(_) => one(brick::parse(stdout, stderr).map(Answer::GlusterBrick)),
            Query::Stack(_) => one(stack::parse(stdout, stderr).map(Answer::Stack)),
            Query::StackNode(_) => one(stack_node::parse(stdout, stderr).map(Answer::StackNode)),
            Query::Presented(about) => {
                one(presented::parse(about, stdout, stderr).map(Answer::Presented))
            }
            Query::Image(_) => one(image::parse(stdout, stderr).map(Answer::Image)),
            Query::Certificates(place) => {
                one(certificate::parse(place, stdout, stderr).map(Answer::Certificates))
            }
            Query::Tables(_) => one(tables::parse(*status, stdout, stderr).map(Answer::Tables)),
            Query::DatabasePort(_) => {
                one(database_port::parse(*status, stdout, stderr).map(Answer::DatabasePort))
            }
            Query::AddressTaken(_) => one(arp::parse(*status, stderr).map(Answer::AddressTaken)),
        }
    }
}

/// Only a missing file below /proc/sys means that the kernel has no such parameter.
fn read_sysctl(status: i32, stdout: &str, stderr: &str) -> Seen<Answer> {
    let words = || stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    match status {
        0 => Seen::Is(Answer::Sysctl(Some(words()))),
        _ if stderr.contains("No such file or directory") => Seen::Is(Answer::Sysctl(None)),
        _ => Seen::Unknown(format!("sysctl exited {status}: {}", stderr.trim())),
    }
}

fn names(queries: &[Query]) -> Vec<&str> {
    queries
        .iter()
        .filter_map(|query| match query {
            Query::Package(name)
            | Query::Unit(name)
            | Query::Path(name)
            | Query::Content(name)
            | Query::Resolve(name)
            | Query::Filesystem(name)
            | Query::User(name)
            | Query::Sysctl(name) => Some(&**name),
            _ => None,
        })
        .collect()
}

//! The hosts answer typed questions, in the words of real ones.

use super::cluster::Cluster;
use super::gluster::{BRICK, MOUNT, VOLUME};
use super::machine::Entry;
use super::packages::of_unit;
use super::stack_says::of_stack;
use provision::plan::FirewallItem;
use provision::probe::firewall::{Firewall, Openings, Zone};
use provision::probe::firewall_service::Service;
use provision::probe::machine::{Clock, Filesystem, Machine};
use provision::probe::network::Interface;
use provision::probe::package::Installed;
use provision::probe::path::Content;
use provision::probe::unit::Unit;
use provision::probe::{Answer, PathState, Query, Seen};
use std::collections::{BTreeMap, BTreeSet};

pub const VIP: &str = "10.20.0.100";
const ZONE: &str = "public";

impl Cluster {
    /// What a host that can be reached answers.
    pub fn says(&self, h: usize, query: &Query) -> Seen<Answer> {
        if self.mute[h] && (of_daemon(query) || of_stack(query)) {
            return Seen::Unknown("did not answer within 30 s".into());
        }
        self.tells(h, query)
    }

    /// The same of a host whose daemons all answer.
    pub fn tells(&self, h: usize, query: &Query) -> Seen<Answer> {
        if let Some(says) = self.stack_says(h, query) {
            return says;
        }
        let machine = &self.machines[h];
        Seen::Is(match query {
            Query::Docker | Query::SwarmNodes => {
                return self.swarm.answer(&self.swarm.hosts[h].name, query);
            }
            Query::Interfaces => Answer::Interfaces(self.interfaces(h)),
            Query::Machine => Answer::Machine(Machine {
                os: "rocky".into(),
                os_version: "9.4".into(),
                platform: "platform:el9".into(),
                os_name: "Rocky Linux 9.4".into(),
                architecture: "x86_64".into(),
                hostname: machine.hostname.clone(),
                machine_id: machine.id.clone(),
                product_uuid: format!("uuid-{}", machine.id),
                boot_id: format!("boot-{}-{}", machine.id, machine.boots),
                selinux: "Permissive".into(),
                uid: 0,
            }),
            Query::Clock => Answer::Clock(Clock {
                ahead_s: 0.0,
                synchronised: Some(true),
                source: "chronyc".into(),
            }),
            Query::Resolve(name) => {
                Answer::Resolve(self.resolves(h).remove(name).unwrap_or_default())
            }
            Query::Filesystem(_) => Answer::Filesystem(Filesystem {
                mount_point: "/".into(),
                kind: "xfs".into(),
                free_bytes: 50 << 30,
                inodes_used_percent: 3,
            }),
            Query::Package(name) => {
                let evr = machine.packages.get(name).cloned();
                Answer::Package(evr.map(|evr| Installed { evr }))
            }
            Query::Unit(name) => Answer::Unit(self.unit(h, name)),
            Query::Path(path) => Answer::Path(path_state(machine.paths.get(path))),
            Query::Content(path) => Answer::Content(machine.bytes(path).map(|bytes| Content {
                bytes: bytes.to_vec(),
                size: bytes.len() as u64,
            })),
            Query::AddressTaken(_) => {
                let has = |p: usize| self.pgpools[p].vip && self.linked(h, p);
                Answer::AddressTaken(self.hosts().any(has))
            }
            Query::Command(line) => match self.reads(h, line) {
                Some(outcome) => Answer::Command(outcome),
                None => return unknown(query),
            },
            Query::Firewall => Answer::Firewall(self.firewall(h)),
            Query::FirewallService(name) => {
                let ports = ["24007-24008/tcp", "49152-60999/tcp"].map(str::to_owned);
                let ports = BTreeSet::from(ports);
                let known = name == "glusterfs";
                Answer::FirewallService(known.then(|| Service {
                    runtime: ports.clone(),
                    permanent: ports,
                }))
            }
            Query::Gluster => Answer::Gluster(self.gluster_says(h)),
            Query::GlusterVolume(name) if name == VOLUME => {
                Answer::GlusterVolume(self.volume_says(h))
            }
            Query::GlusterStatus(name) if name == VOLUME => {
                Answer::GlusterStatus(self.status_says(h))
            }
            Query::GlusterBrick(path) if path == BRICK => Answer::GlusterBrick(self.folder_says(h)),
            Query::Mounted(path) if path == MOUNT => Answer::Mounted(self.mount_says(h)),
            Query::Postgres(_) => Answer::Postgres(self.postgres_says(h)),
            Query::PostgresPast(about) => {
                Answer::PostgresPast(self.past_says(h, about.timeline, about.at.0))
            }
            Query::Pgpool(_) => Answer::Pgpool(self.pgpool_says(h)),
            other => return unknown(other),
        })
    }

    fn interfaces(&self, h: usize) -> Vec<Interface> {
        let interface = |name: &str, driver: &str, addresses: Vec<String>| Interface {
            name: name.to_owned(),
            driver: driver.to_owned(),
            addresses,
            up: true,
        };
        let mut own = vec![format!("{}/24", self.swarm.hosts[h].addr)];
        if self.pgpools[h].vip {
            own.push(format!("{VIP}/24"));
        }
        vec![
            interface("lo", "", vec!["127.0.0.1/8".to_owned()]),
            interface("eth0", "virtio_net", own),
        ]
    }

    fn firewall(&self, h: usize) -> Firewall {
        let side = |items: &BTreeSet<FirewallItem>| {
            let mut side = Openings::default();
            for item in items {
                match item {
                    FirewallItem::Port(port) => drop(side.ports.insert(port.clone())),
                    FirewallItem::Service(name) => drop(side.services.insert(name.clone())),
                    FirewallItem::Protocol(name) => drop(side.protocols.insert(name.clone())),
                }
            }
            side
        };
        let zone = Zone {
            runtime: side(&self.machines[h].runtime),
            permanent: side(&self.machines[h].permanent),
        };
        Firewall {
            running: true,
            default_zone: ZONE.into(),
            interfaces: BTreeMap::from([("eth0".to_owned(), ZONE.to_owned())]),
            zones: BTreeMap::from([(ZONE.to_owned(), zone)]),
            ..Firewall::default()
        }
    }

    /// Whether a unit is active, in systemd's word.
    pub fn active(&self, h: usize, name: &str) -> &'static str {
        let runs = match name {
            "docker.service" => self.swarm.hosts[h].running,
            "glusterd.service" => self.gluster[h].running,
            "postgresql-16.service" if self.databases[h].guarding.is_some() => {
                return "activating";
            }
            "postgresql-16.service" => self.databases[h].running,
            "pgpool.service" => self.pgpools[h].running,
            "provision-pgpool-attach.service" => self.pgpools[h].attach,
            other => self.machines[h].active.contains(other),
        };
        if runs { "active" } else { "inactive" }
    }

    fn unit(&self, h: usize, name: &str) -> Unit {
        let machine = &self.machines[h];
        let file = format!("/etc/systemd/system/{name}");
        let there = name == "firewalld.service"
            || of_unit(name).is_some_and(|package| machine.has(package))
            || machine.paths.contains_key(&file);
        let word = |yes: bool, one: &str, other: &str| if yes { one } else { other }.to_owned();
        Unit {
            load: word(there, "loaded", "not-found"),
            active: self.active(h, name).to_owned(),
            file: match there {
                true => word(machine.enabled.contains(name), "enabled", "disabled"),
                false => String::new(),
            },
            stale: false,
        }
    }
}

/// Whether a daemon is asked that may hang.
fn of_daemon(query: &Query) -> bool {
    matches!(
        query,
        Query::Docker
            | Query::SwarmNodes
            | Query::Gluster
            | Query::GlusterVolume(_)
            | Query::GlusterStatus(_)
            | Query::GlusterBrick(_)
            | Query::Mounted(_)
            | Query::Postgres(_)
            | Query::PostgresPast(_)
            | Query::Pgpool(_)
    )
}

fn unknown(query: &Query) -> Seen<Answer> {
    Seen::Unknown(format!("the simulation does not know {query:?}"))
}

pub fn path_state(entry: Option<&Entry>) -> PathState {
    match entry {
        None => PathState::Absent,
        Some(Entry::Directory(attributes)) => PathState::Directory {
            attributes: attributes.clone(),
        },
        Some(Entry::File {
            bytes,
            sha256,
            attributes,
            ..
        }) => PathState::File {
            sha256: Some(sha256.clone()),
            size: bytes.len() as u64,
            attributes: attributes.clone(),
        },
    }
}

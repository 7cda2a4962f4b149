//! What a host is below its swarm: names, packages, files, units, firewall. It answers and obeys like EL9.

use provision::plan::{Act, UnitVerb};
use provision::probe::firewall::{Firewall, Openings, Zone};
use provision::probe::gluster::Gluster;
use provision::probe::machine::{Clock, Filesystem, Machine as Identity};
use provision::probe::package::Installed;
use provision::probe::path::{Attributes, Content};
use provision::probe::unit::Unit;
use provision::probe::{Answer, PathState, Query};
use std::collections::{BTreeMap, BTreeSet};

const DOCKER: &str = "docker.service";

/// The firewall's only zone.
const ZONE: &str = "public";

/// A host without its swarm. Whether the engine is installed and runs is the world's.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub hostname: String,
    pub id: String,
    /// `PLATFORM_ID` of os-release.
    pub platform: String,
    pub packages: BTreeMap<String, String>,
    pub files: BTreeMap<String, (Vec<u8>, u32)>,
    pub enabled: BTreeSet<String>,
    pub runtime: BTreeSet<String>,
    pub permanent: BTreeSet<String>,
}

impl Machine {
    /// A blank machine.
    pub fn blank(id: String) -> Self {
        let hosts = b"127.0.0.1 localhost\n".to_vec();
        Self {
            hostname: "localhost.localdomain".into(),
            id,
            platform: "platform:el9".into(),
            packages: BTreeMap::new(),
            files: BTreeMap::from([("/etc/hosts".to_owned(), (hosts, 0o644))]),
            enabled: BTreeSet::from(["firewalld.service".to_owned()]),
            runtime: BTreeSet::new(),
            permanent: BTreeSet::new(),
        }
    }

    /// Everything but the swarm's own questions; `running` is whether the engine runs.
    pub fn answer(&self, query: &Query, running: bool) -> Answer {
        match query {
            Query::Machine => Answer::Machine(Identity {
                os: "rocky".into(),
                os_version: "9.4".into(),
                platform: self.platform.clone(),
                os_name: "Rocky Linux 9.4".into(),
                architecture: "x86_64".into(),
                hostname: self.hostname.clone(),
                machine_id: self.id.clone(),
                product_uuid: format!("uuid-{}", self.id),
                boot_id: format!("boot-{}", self.id),
                selinux: "Permissive".into(),
                uid: 0,
            }),
            Query::Clock => Answer::Clock(Clock {
                ahead_s: 0.0,
                synchronised: Some(true),
                source: "chronyc".into(),
            }),
            Query::Filesystem(_) => Answer::Filesystem(Filesystem {
                mount_point: "/".into(),
                kind: "xfs".into(),
                free_bytes: 50 << 30,
                inodes_used_percent: 3,
            }),
            Query::Package(name) => Answer::Package(
                self.packages
                    .get(name)
                    .map(|evr| Installed { evr: evr.clone() }),
            ),
            Query::Unit(name) => Answer::Unit(self.unit(name, running)),
            Query::Path(path) => Answer::Path(self.path(path)),
            Query::Content(path) => {
                Answer::Content(self.files.get(path).map(|(bytes, _)| Content {
                    bytes: bytes.clone(),
                    size: bytes.len() as u64,
                }))
            }
            Query::Firewall => Answer::Firewall(self.firewall()),
            // It is not installed here.
            Query::Gluster => Answer::Gluster(Gluster::default()),
            other => panic!("the simulation does not know {other:?}"),
        }
    }

    fn unit(&self, name: &str, running: bool) -> Unit {
        let (exists, active) = match name {
            DOCKER => (self.packages.contains_key("docker-ce"), running),
            "firewalld.service" => (true, true),
            other => panic!("the simulation has no unit {other}"),
        };
        let word = |yes: bool, one: &str, other: &str| if yes { one } else { other }.to_owned();
        Unit {
            load: word(exists, "loaded", "not-found"),
            active: word(active, "active", "inactive"),
            file: match exists {
                true => word(self.enabled.contains(name), "enabled", "disabled"),
                false => String::new(),
            },
            stale: false,
        }
    }

    fn path(&self, path: &str) -> PathState {
        let Some((bytes, mode)) = self.files.get(path) else {
            return PathState::Absent;
        };
        PathState::File {
            sha256: Some(provision::plan::Content::plain(bytes.clone()).sha256()),
            size: bytes.len() as u64,
            attributes: Attributes {
                mode: *mode,
                owner: "root".into(),
                group: "root".into(),
            },
        }
    }

    fn firewall(&self) -> Firewall {
        let side = |ports: &BTreeSet<String>| Openings {
            ports: ports.clone(),
            ..Openings::default()
        };
        Firewall {
            running: true,
            default_zone: ZONE.into(),
            interfaces: BTreeMap::from([("eth0".to_owned(), ZONE.to_owned())]),
            zones: BTreeMap::from([(
                ZONE.to_owned(),
                Zone {
                    runtime: side(&self.runtime),
                    permanent: side(&self.permanent),
                },
            )]),
            ..Firewall::default()
        }
    }

    /// Obeys; says what becomes of the engine, when something does.
    ///
    /// # Errors
    /// In the host's words.
    pub fn obey(&mut self, act: &Act) -> Result<Option<Engine>, String> {
        match act {
            Act::SetHostname(name) => self.hostname.clone_from(name),
            Act::WriteFile {
                path,
                content,
                before,
                mode,
                ..
            } => {
                let now = self.files.get(path);
                let expected = before.as_ref().map(|before| &before.bytes);
                if now.map(|(bytes, _)| bytes) != expected {
                    return Err(format!("{path} is not what it was when this was planned"));
                }
                let kept = now.map_or(0o644, |(_, mode)| *mode);
                let new = (content.bytes.clone(), mode.unwrap_or(kept));
                self.files.insert(path.clone(), new);
            }
            Act::InstallPackages(packages) => {
                if !self.files.contains_key("/etc/yum.repos.d/docker-ce.repo") {
                    return Err("Unable to find a match".into());
                }
                for package in packages {
                    let newest = || "3:26.1.5-1.el9".to_owned();
                    let evr = package.version.clone().unwrap_or_else(newest);
                    self.packages.insert(package.name.clone(), evr);
                }
                return Ok(self
                    .packages
                    .contains_key("docker-ce")
                    .then_some(Engine::Installed));
            }
            Act::Unit { unit, verb } if unit == DOCKER => {
                if !self.packages.contains_key("docker-ce") {
                    return Err("Unit docker.service not found.".into());
                }
                match verb {
                    UnitVerb::Enable => {
                        self.enabled.insert(unit.clone());
                    }
                    UnitVerb::Start => return Ok(Some(Engine::Started)),
                    other => panic!("nobody does {other:?} to {unit} here"),
                }
            }
            Act::Firewall(change) => {
                for item in &change.items {
                    let (_, port) = item.option();
                    if change.runtime {
                        self.runtime.insert(port.to_owned());
                    }
                    if change.permanent {
                        self.permanent.insert(port.to_owned());
                    }
                }
            }
            other => panic!("nobody does {other:?} here"),
        }
        Ok(None)
    }
}

/// What becomes of a host's engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Installed,
    Started,
}

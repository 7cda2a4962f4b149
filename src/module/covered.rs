//! Whether the definition of a firewalld service stands for the ports that it should: a package may bring a wider
//! one than firewalld itself, or an older, narrower one.

use super::refusal::{NO_SERVICE, refuse};
use super::{Args, Unfit, opening};
use crate::inventory::HostName;
use crate::plan::{FirewallItem, Refusal};
use crate::probe::firewall::Openings;
use crate::probe::firewall_service::Service;
use crate::probe::package::Installed;
use crate::probe::{Answers, Seen};

/// A service and the ports that it must stand for.
#[derive(Clone, Debug)]
pub struct Covered {
    service: String,
    ports: Vec<FirewallItem>,
    package: Option<String>,
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub struct Sight {
    service: Seen<Option<Service>>,
    package: Option<Seen<Option<Installed>>>,
}

impl Covered {
    /// From `covers` and `comes_with`; `None` when they are not given.
    pub fn from_args(args: &Args<'_>) -> Result<Option<Self>, Unfit> {
        let ports = args.list("covers");
        if ports.is_empty() {
            return Ok(None);
        }
        let services = args.list("services");
        let [service] = &services[..] else {
            return Err(args.wrong_at(
                "covers",
                "`covers` is about one service: name it in `services`",
            ));
        };
        if let Some(odd) = ports.iter().find(|port| !opening::is_port(port)) {
            return Err(args.wrong_at(
                "covers",
                format!("`{odd}` is no port, such as 24007-24008/tcp"),
            ));
        }
        Ok(Some(Self {
            service: service.clone(),
            ports: ports.into_iter().map(FirewallItem::Port).collect(),
            package: args.text("comes_with"),
        }))
    }

    /// Looks; the caller settles.
    pub fn look(&self, host: &HostName, seen: &Answers<'_>) -> Sight {
        Sight {
            service: seen.firewall_service(host, &*self.service),
            package: self
                .package
                .as_deref()
                .map(|package| seen.package(host, package)),
        }
    }

    /// The ports that the definition lacks, now or after a restart; `None` when that is unknown.
    ///
    /// # Errors
    /// The refusal when there is no definition, and no package that will bring it.
    pub fn lacks(
        &self,
        host: &HostName,
        sight: &Sight,
    ) -> Result<Option<Vec<FirewallItem>>, Box<Refusal>> {
        // A package that is not installed yet brings the definition that counts.
        let coming = match &sight.package {
            Some(Seen::Unknown(_)) => return Ok(None),
            Some(Seen::Is(installed)) => installed.is_none(),
            None => false,
        };
        match &sight.service {
            _ if coming => Ok(Some(Vec::new())),
            Seen::Unknown(_) => Ok(None),
            Seen::Is(None) => Err(Box::new(self.unknown(host))),
            Seen::Is(Some(service)) => {
                let side = |ports: &std::collections::BTreeSet<String>| Openings {
                    ports: ports.clone(),
                    ..Openings::default()
                };
                let (now, later) = (side(&service.runtime), side(&service.permanent));
                let lacking = self.ports.iter().filter(|port| {
                    !opening::lets_in(&now, port) || !opening::lets_in(&later, port)
                });
                Ok(Some(lacking.cloned().collect()))
            }
        }
    }

    fn unknown(&self, host: &HostName) -> Refusal {
        refuse(
            host,
            NO_SERVICE,
            format!("firewalld on {host} knows no service {}", self.service),
            vec![format!("{host}: INVALID_SERVICE: {}", self.service)],
            "its package is there, so firewalld has to read the definition: `systemctl restart firewalld`, and docker after it when it runs",
        )
    }
}

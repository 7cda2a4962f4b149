//! Servers that present another certificate than the share's load it again.
//!
//! What is compared is what they present to a client, so that nothing is forgotten when a run dies between
//! writing the files and telling the servers.

use super::{Certificates, State};
use crate::inventory::HostName;
use crate::plan::{Act, Claim, Class, Expect, Reload, StackAct, StackExpect, Step, StepId};
use crate::probe::presented::{About, Presented};
use crate::probe::{Answers, Query, Seen};

/// The servers of the stack, and where each speaks TLS.
const SERVERS: [(&str, u16); 2] = [("nginx", 443), ("rabbitmq", 5671)];

impl Certificates {
    pub(super) fn look_at_servers(&self, seen: &Answers<'_>) -> Vec<(HostName, Seen<Presented>)> {
        let Some(about) = self.about() else {
            return Vec::new();
        };
        let runs = |host: &&HostName| {
            let docker = seen.docker(host);
            docker.known().is_some_and(|docker| docker.engine.is_some())
        };
        let hosts = self.hosts.iter().filter(runs);
        hosts
            .map(|host| (host.clone(), seen.presented(host, about.clone())))
            .collect()
    }

    fn about(&self) -> Option<About> {
        let stack = self.stack.as_ref()?;
        Some(About {
            file: format!("{}/{}.crt", self.request.folder, self.request.server.file),
            listeners: SERVERS
                .iter()
                .map(|(name, port)| (format!("{stack}_{name}"), *port))
                .collect(),
        })
    }

    /// One step for each server on each host that presents another certificate, or will when a new one is made.
    pub(super) fn reload(&self, state: &State, made_anew: bool) -> Vec<Step> {
        let (Some(stack), Some(about)) = (&self.stack, self.about()) else {
            return Vec::new();
        };
        let mut steps = Vec::new();
        for (host, seen) in &state.presented {
            let Seen::Is(presented) = seen else { continue };
            for (name, _) in SERVERS {
                let service = format!("{stack}_{name}");
                let listens = presented
                    .listeners
                    .get(&service)
                    .is_some_and(|shown| !shown.is_empty());
                let why = if presented.is_stale(&service) {
                    format!("{name} presents another certificate than the one on the share")
                } else if made_anew && listens {
                    format!("{name} has loaded the certificate that is made anew")
                } else {
                    continue;
                };
                let act = Act::Stack(StackAct::Reload {
                    service: service.clone(),
                    how: self.how(name),
                });
                let id = StepId::new(&["certificates", "reload", name]);
                let done = Claim::new(
                    host,
                    Query::Presented(about.clone()),
                    Expect::Stack(StackExpect::Presents(service)),
                );
                let step = Step::new(id, host, Class::Repair, why, act);
                steps.push(step.done(done));
            }
        }
        steps
    }

    fn how(&self, server: &str) -> Reload {
        match server {
            "nginx" => Reload::Nginx,
            _ => Reload::Rabbitmq(vec![
                format!("{}.crt", self.request.ca.file),
                format!("{}.crt", self.request.server.file),
                format!("{}.key", self.request.server.file),
            ]),
        }
    }
}

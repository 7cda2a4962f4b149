//! `replaced_hosts`: says once, before anything is changed, which hosts are other machines than the cluster knew.
//!
//! It changes nothing and refuses nothing: each layer repairs its own part, by its own evidence. A host counts as replaced
//! when the rosters still have it, and it knows itself of no cluster.

use crate::inventory::HostName;
use crate::module::{Args, Context, Module, Unfit};
use crate::plan::{Advice, Decision};
use crate::playbook::ModuleSpec;
use crate::probe::docker::{Docker, Roster};
use crate::probe::gluster::Gluster;
use crate::probe::{Answers, Need, Seen};
use std::collections::BTreeMap;

/// The hosts of a play.
#[derive(Clone, Debug)]
pub struct ReplacedHosts {
    hosts: Vec<HostName>,
}

/// What a host knows of its clusters, and of the others.
#[derive(Clone, Debug)]
pub struct Told {
    docker: Seen<Docker>,
    roster: Option<Seen<Roster>>,
    gluster: Seen<Gluster>,
}

impl Module for ReplacedHosts {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "replaced_hosts",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[],
    };

    type State = BTreeMap<HostName, Told>;

    fn from_args(_args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        Ok(Self {
            hosts: context.group.to_vec(),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let mut state = BTreeMap::new();
        for host in &self.hosts {
            let docker = seen.docker(host);
            let engine = docker.known().and_then(|docker| docker.engine.as_ref());
            let manages = engine.is_some_and(|engine| engine.swarm.control_available);
            let told = Told {
                roster: manages.then(|| seen.swarm_nodes(host)),
                gluster: seen.gluster(host),
                docker,
            };
            state.insert(host.clone(), told);
        }
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let advice = self.hosts.iter().filter_map(|host| {
            let known = known_as(host, state)?;
            Some(Advice {
                code: "H30".to_owned(),
                host: Some(host.clone()),
                text: format!(
                    "{host} is another machine than it was: {}; itself it knows of no cluster. It is brought back as one: the swarm (drained), the pool and its brick, the database, and tasks at last",
                    known.join("; ")
                ),
            })
        });
        Decision {
            advice: advice.collect(),
            ..Decision::default()
        }
    }
}

/// What the rosters say of a host that knows of none of them; `None` when it is no other machine.
fn known_as(host: &HostName, state: &BTreeMap<HostName, Told>) -> Option<Vec<String>> {
    let own = state.get(host)?;
    let docker = own.docker.known()?;
    let gluster = own.gluster.known()?;
    if !crate::plan::no_swarm(docker) || !gluster.is_blank() {
        return None;
    }
    let rosters = state
        .values()
        .filter_map(|told| told.roster.as_ref()?.known());
    let nodes = rosters.filter_map(|roster| roster.nodes.as_ref()).next();
    let nodes = nodes.into_iter().flatten();
    let mut known: Vec<String> = nodes
        .filter(|node| node.hostname == host.as_str())
        .map(|node| format!("the swarm has it as node {} ({})", node.id, node.state))
        .collect();
    let peers = state.values().filter_map(|told| told.gluster.known());
    let peer = peers
        .flat_map(Gluster::all_peers)
        .find(|peer| peer.is_called(host.as_str()) && peer.uuid != gluster.uuid);
    known.extend(peer.map(|peer| format!("the pool of GlusterFS has it as {}", peer.uuid)));
    // One roster alone may have a host that was only taken out of it by hand.
    (known.len() > 1 || (!known.is_empty() && !docker.installed)).then_some(known)
}

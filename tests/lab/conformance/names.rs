//! Ids differ between two clusters of one history: they get names by order of appearance.

use provision::cluster::swarm::{Here, Observed, State};
use provision::probe::Seen;
use provision::probe::docker::{Node, Trace};
use std::collections::BTreeMap;

/// How a host is silent is for the transport to say, which is not simulated.
const SILENT: &str = "does not answer";

/// What the ids of one side are called. Once given, a name stays.
#[derive(Default)]
pub struct Names {
    /// Node id → `ke2-server2#1`: the first node that this host was.
    nodes: BTreeMap<String, String>,
    swarms: BTreeMap<String, String>,
    roots: BTreeMap<String, String>,
}

impl Names {
    /// The id of a node that has a name.
    #[track_caller]
    pub fn id(&self, name: &str) -> String {
        let found = self.nodes.iter().find(|(_, known)| *known == name);
        let (id, _) = found.unwrap_or_else(|| panic!("no node {name} in {:?}", self.nodes));
        id.clone()
    }

    /// The state with names for ids, and without what moves by itself.
    pub fn state(&mut self, mut state: State) -> State {
        for (host, observed) in &state.hosts {
            if let Some(id) = own_id(&observed.here) {
                self.node(id, host.as_str());
            }
        }
        for observed in state.hosts.values() {
            for node in nodes(observed).into_iter().flatten() {
                self.node(&node.id, &node.hostname);
            }
        }
        for observed in state.hosts.values_mut() {
            self.here(&mut observed.here);
            if let Seen::Unknown(why) = &mut observed.networks {
                SILENT.clone_into(why);
            }
            if let Some(Seen::Is(roster)) = &mut observed.roster {
                self.roster(roster.nodes.as_mut());
            }
        }
        state
    }

    fn node(&mut self, id: &str, hostname: &str) {
        // A node that has just joined has not told its name yet; it will be looked at again.
        if id.is_empty() || hostname.is_empty() || self.nodes.contains_key(id) {
            return;
        }
        let prefix = format!("{hostname}#");
        let known = self.nodes.values().filter(|name| name.starts_with(&prefix));
        let name = format!("{prefix}{}", known.count() + 1);
        self.nodes.insert(id.to_owned(), name);
    }

    fn here(&mut self, here: &mut Here) {
        match here {
            Here::Silent(why) => SILENT.clone_into(why),
            Here::Absent { .. } => {}
            Here::Stopped { trace, .. } => self.trace(trace),
            Here::Pending(place) | Here::Locked(place) | Here::Broken { place, .. } => {
                self.trace(&mut place.trace);
                rename(&self.nodes, &mut place.node_id);
            }
            Here::Active { place, cluster, .. } => {
                self.trace(&mut place.trace);
                rename(&self.nodes, &mut place.node_id);
                if let Some(cluster) = cluster {
                    appear(&mut self.swarms, "swarm", &mut cluster.id);
                }
            }
        }
    }

    fn trace(&mut self, trace: &mut Trace) {
        appear(&mut self.roots, "root", &mut trace.ca_sha256);
    }

    fn roster(&self, nodes: Option<&mut Vec<Node>>) {
        let Some(nodes) = nodes else { return };
        for node in &mut *nodes {
            rename(&self.nodes, &mut node.id);
            // The managers count it up by themselves.
            node.version = 0;
        }
        nodes.sort_by(|a, b| a.id.cmp(&b.id));
        // Which one leads is chance; that one does, and only one, is not.
        let leaders = nodes.iter().filter(|node| node.leader).count();
        for (place, node) in nodes.iter_mut().enumerate() {
            node.leader = place < leaders;
        }
    }
}

fn own_id(here: &Here) -> Option<&str> {
    match here {
        Here::Pending(place)
        | Here::Locked(place)
        | Here::Broken { place, .. }
        | Here::Active { place, .. } => Some(&place.node_id),
        Here::Silent(_) | Here::Absent { .. } | Here::Stopped { .. } => None,
    }
}

fn nodes(observed: &Observed) -> Option<&[Node]> {
    observed.roster.as_ref()?.known()?.nodes.as_deref()
}

fn rename(names: &BTreeMap<String, String>, id: &mut String) {
    if let Some(name) = names.get(id) {
        id.clone_from(name);
    }
}

fn appear(names: &mut BTreeMap<String, String>, kind: &str, id: &mut String) {
    if id.is_empty() {
        return;
    }
    let next = format!("{kind}{}", names.len() + 1);
    *id = names.entry(id.clone()).or_insert(next).clone();
}

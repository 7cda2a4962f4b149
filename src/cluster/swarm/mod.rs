//! `swarm`: exactly one Docker Swarm over its managers and workers.
//!
//! [`state`] says what the hosts told, [`table`] which row of the decision table each host is in,
//! [`steps`] what follows, and [`refuse`] why not. `docs/swarm.md` is the table for people.

mod activate;
mod args;
mod drift;
mod found;
mod health;
mod networks;
mod quorum;
mod refuse;
mod says;
mod state;
mod steps;
mod table;
mod table_silent;
mod view;

pub(super) use quorum::{majority, until_led};
pub use state::{Here, Observed, State};

use crate::inventory::HostName;
use crate::module::{Args, Context, Health, Module, Unfit};
use crate::plan::Decision;
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::{Answers, Need, Seen};
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};

/// TCP port of the managers' API.
pub(crate) const CONTROL_PORT: u16 = 2377;

/// The swarm that should be there.
#[derive(Clone, Debug)]
pub struct Swarm {
    members: Vec<Member>,
    data_path_port: u16,
    default_addr_pool: Vec<Ipv4Net>,
    founding_pool: Vec<Ipv4Net>,
    subnet_size: u8,
    /// Only lets tasks run on the nodes that provision joined drained.
    activate: bool,
}

/// A host's place in the swarm that should be there.
#[derive(Clone, Debug)]
struct Member {
    host: HostName,
    manager: bool,
    addr: String,
    labels: BTreeMap<String, String>,
}

impl Module for Swarm {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "swarm",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            ArgSpec {
                name: "managers",
                kind: ArgKind::List(&ArgKind::Text),
                required: true,
                default: None,
                doc: "Hosts that are managers, in the order of the inventory. Three or five; they run tasks too.",
            },
            ArgSpec {
                name: "workers",
                kind: ArgKind::List(&ArgKind::Text),
                required: false,
                default: None,
                doc: "Hosts that are workers.",
            },
            ArgSpec {
                name: "data_path_port",
                kind: ArgKind::Port,
                required: false,
                default: Some("4789"),
                doc: "UDP port of the overlay networks, 1024 to 49151. Fixed when the swarm is founded.",
            },
            ArgSpec {
                name: "default_addr_pool",
                kind: ArgKind::List(&ArgKind::Text),
                required: false,
                default: None,
                doc: "Networks that overlay networks take their subnets from. Fixed when the swarm is founded: one that has others is refused.",
            },
            ArgSpec {
                name: "founding_pool",
                kind: ArgKind::List(&ArgKind::Text),
                required: false,
                default: None,
                doc: "The same for a new swarm only, when nothing is declared; Docker's own choice is 10.0.0.0/8.",
            },
            ArgSpec {
                name: "subnet_size",
                kind: ArgKind::Int,
                required: false,
                default: Some("24"),
                doc: "Prefix length of those subnets. Fixed when the swarm is founded.",
            },
            ArgSpec {
                name: "activate",
                kind: ArgKind::Bool,
                required: false,
                default: Some("false"),
                doc: "Only lets tasks run on the hosts that provision joined drained: for a last task, after all layers.",
            },
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let managers = args.list("managers");
        let workers = args.list("workers");
        if managers.is_empty() {
            return Err(args.wrong_at("managers", "`swarm` needs at least one manager"));
        }
        let mut seen = BTreeSet::new();
        let mut members = Vec::new();
        let roles = [("managers", &managers), ("workers", &workers)];
        for (role, name) in roles
            .into_iter()
            .flat_map(|(role, names)| names.iter().map(move |name| (role, name)))
        {
            let host = HostName::new(&**name);
            if !context.group.contains(&host) {
                let problem = format!("`{name}` is not one of the hosts of this play");
                return Err(args.wrong_at(role, problem));
            }
            if !seen.insert(host.clone()) {
                let problem = format!("`{name}` is named twice among the managers and workers");
                return Err(args.wrong_at(role, problem));
            }
            members.push(Member {
                addr: args::advertise_address(&host, args, context)?,
                labels: args::node_labels(&host, context)?,
                manager: role == "managers",
                host,
            });
        }
        // Ties are broken by the order of the inventory, however the lists were written.
        members.sort_by_key(|member| {
            let place = context.group.iter().position(|host| *host == member.host);
            (!member.manager, place)
        });
        let subnet_size = args
            .int("subnet_size")
            .and_then(|size| u8::try_from(size).ok())
            .filter(|size| (8..=29).contains(size))
            .ok_or_else(|| {
                args.wrong_at("subnet_size", "`subnet_size` is a prefix length, 8 to 29")
            })?;
        let data_path_port = args
            .int("data_path_port")
            .and_then(|port| u16::try_from(port).ok())
            .filter(|port| (1024..=49151).contains(port))
            .ok_or_else(|| {
                args.wrong_at(
                    "data_path_port",
                    "`data_path_port` is a port from 1024 to 49151",
                )
            })?;
        Ok(Self {
            members,
            data_path_port,
            default_addr_pool: args::pools(args, "default_addr_pool", subnet_size)?,
            founding_pool: args::pools(args, "founding_pool", subnet_size)?,
            subnet_size,
            activate: args.flag("activate"),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let mut state = State::default();
        for member in &self.members {
            let host = &member.host;
            let docker = seen.docker(host);
            let interfaces = seen.interfaces(host);
            let roster = state::may_know_the_roster(&docker).then(|| seen.swarm_nodes(host));
            state
                .hosts
                .insert(host.clone(), Observed::new(&docker, roster, &interfaces));
        }
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        if self.activate {
            activate::decide(self, state)
        } else {
            table::decide(self, state)
        }
    }

    fn health(&self, state: &Self::State) -> Option<Health> {
        (!self.activate).then(|| health::of(self, state))
    }
}

impl Swarm {
    fn observed<'a>(&self, state: &'a State, member: &Member) -> &'a Observed {
        // A state of another module has no such host; nothing is known of it then.
        static NOTHING: Observed = Observed {
            here: Here::Silent(String::new()),
            roster: None,
            marked: false,
            networks: Seen::Unknown(String::new()),
        };
        state.hosts.get(&member.host).unwrap_or(&NOTHING)
    }

    fn managers(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.manager)
    }
}

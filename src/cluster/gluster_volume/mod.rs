//! `gluster_volume`: one replicated volume of `GlusterFS`, with its bricks on the first hosts of the group.
//!
//! [`state`] says what the hosts told, [`table`] which case the volume is in, [`found`] how a new one is made,
//! [`bricks`], [`options`] and [`heal`] what follows for one that is there, [`refuse`] why not.
//! `docs/glusterfs.md` is the table for people.

mod args;
mod bricks;
mod found;
mod heal;
mod health;
mod options;
mod refuse;
mod reset;
mod state;
mod table;

pub use state::State;

use crate::inventory::HostName;
use crate::module::{Args, Context, Health, Module, Unfit};
use crate::plan::Decision;
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::{Answers, Need};
use std::collections::BTreeMap;

/// The volume that should be there.
#[derive(Clone, Debug)]
pub struct GlusterVolume {
    /// All hosts of the pool, in the order of the inventory.
    hosts: Vec<HostName>,
    name: String,
    brick: String,
    /// How many of the hosts have a brick: the first ones, when a new volume is made.
    replica: usize,
    arbiter: bool,
    on_root: bool,
    options: BTreeMap<String, String>,
    /// Only says what speaks against making it.
    only_check: bool,
}

const fn argument(
    name: &'static str,
    kind: ArgKind,
    default: Option<&'static str>,
    doc: &'static str,
) -> ArgSpec {
    ArgSpec {
        name,
        kind,
        required: false,
        default,
        doc,
    }
}

impl Module for GlusterVolume {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "gluster_volume",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            ArgSpec {
                name: "name",
                kind: ArgKind::Text,
                required: true,
                default: None,
                doc: "Name of the volume.",
            },
            ArgSpec {
                name: "brick",
                kind: ArgKind::Path,
                required: true,
                default: None,
                doc: "Folder of the brick on each host; gluster makes it, below a file system that is mounted.",
            },
            argument(
                "replica",
                ArgKind::Int,
                Some("3"),
                "Copies of each file: the first so many hosts have a brick.",
            ),
            argument(
                "arbiter",
                ArgKind::Bool,
                Some("false"),
                "Whether the last of three bricks holds only names and attributes.",
            ),
            argument(
                "on_root",
                ArgKind::Bool,
                Some("false"),
                "Consent to bricks on the root file system.",
            ),
            argument(
                "options",
                ArgKind::Map,
                None,
                "Options of the volume. Timeouts and performance are set at any time, others only on a new volume.",
            ),
            argument(
                "heal_timeout",
                ArgKind::Int,
                None,
                "Seconds, `cluster.heal-timeout`, unless the options have it: a daemon that missed the return of a brick heals only then.",
            ),
            argument(
                "only_check",
                ArgKind::Bool,
                Some("false"),
                "Only refuses folders that no brick can be made in, before anything is changed.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        args::read(args, context)
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let state = State::look(self, seen);
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        table::decide(self, state)
    }

    fn health(&self, state: &Self::State) -> Option<Health> {
        (!self.only_check).then(|| health::of(self, state))
    }
}

impl GlusterVolume {
    /// The hosts that a new volume has its bricks on.
    fn brick_hosts(&self) -> &[HostName] {
        &self.hosts[..self.replica.min(self.hosts.len())]
    }
}

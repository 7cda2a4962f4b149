//! `gluster_pool`: exactly one trusted pool of `GlusterFS` over its hosts, each known to the others by name.
//!
//! [`state`] says what the hosts told, [`table`] what follows, [`refuse`] why not. `docs/glusterfs.md` is the table
//! for people.

mod between;
mod health;
mod refuse;
mod replaced;
mod state;
mod table;

pub use state::{Here, Observed, State};

use crate::inventory::HostName;
use crate::module::argument::defaulted;
use crate::module::{Args, Context, Health, Module, Unfit};
use crate::plan::Decision;
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need};

/// The pool that should be there.
#[derive(Clone, Debug)]
pub struct GlusterPool {
    hosts: Vec<HostName>,
    /// Only says whether names lead to loopback addresses.
    only_check: bool,
    on_root: bool,
}

impl Module for GlusterPool {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "gluster_pool",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            defaulted(
                "only_check",
                ArgKind::Bool,
                "false",
                "Only refuses names that lead to loopback addresses, before anything is changed.",
            ),
            defaulted(
                "on_root",
                ArgKind::Bool,
                "false",
                "Consent to bricks on the root file system, also on a host that is made anew.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        Ok(Self {
            hosts: context.group.to_vec(),
            only_check: args.flag("only_check"),
            on_root: args.flag("on_root"),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let mut state = State::default();
        for host in &self.hosts {
            let names = self
                .hosts
                .iter()
                .map(|name| (name.clone(), seen.resolve(host, name.as_str())))
                .collect();
            state
                .hosts
                .insert(host.clone(), Observed::new(&seen.gluster(host), names));
        }
        state.look_for_bricks(self, seen);
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        table::decide(self, state)
    }

    fn health(&self, state: &Self::State) -> Option<Health> {
        (!self.only_check).then(|| health::of(self, state))
    }
}

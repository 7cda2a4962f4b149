//! `postgres`: one PostgreSQL primary among its hosts, with its settings, roles and database.
//!
//! Who is the primary is what PostgreSQL says, never the inventory's order. Standbys are made by Pgpool-II's
//! online recovery, so a host without data beside a primary (P2) is left to the module `pgpool`.
//! [`state`] says what the hosts told, [`table`] which row they are in, [`steps`] what follows, [`refuse`] why
//! not. `docs/postgresql.md` is the table for people.

mod args;
mod block;
mod deposed;
mod health;
mod leaderless;
mod led;
mod refuse;
mod state;
mod steps;
mod table;
mod two_primaries;

pub use state::{Disk, Here, Observed, State};

use crate::inventory::HostName;
use crate::module::{Args, Context, Health, Module, Unfit};
use crate::plan::{Allow, Decision, RoleSpec};
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::postgres::About;
use crate::probe::{Answers, Need, pgpool};

/// The PostgreSQL cluster that should be there.
#[derive(Clone, Debug)]
pub struct Postgres {
    members: Vec<HostName>,
    version: String,
    about: About,
    unit: String,
    settings: Vec<(String, String)>,
    settings_text: String,
    hba: String,
    roles: Vec<RoleSpec>,
    database: String,
    owner: String,
    extensions: Vec<(String, String)>,
    /// How Pgpool-II is asked, where there is one.
    pgpool: Option<pgpool::About>,
    /// Only says what speaks against making it.
    only_check: bool,
    allowed: Vec<Allow>,
}

const fn arg(name: &'static str, kind: ArgKind, required: bool, doc: &'static str) -> ArgSpec {
    ArgSpec {
        name,
        kind,
        required,
        default: None,
        doc,
    }
}

impl Module for Postgres {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "postgres",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            arg(
                "hosts",
                ArgKind::List(&ArgKind::Text),
                true,
                "The hosts of the database. The first makes the data directory when there is none anywhere.",
            ),
            arg(
                "version",
                ArgKind::Text,
                true,
                "Major version: 16, 17 or 18.",
            ),
            arg(
                "settings",
                ArgKind::Map,
                false,
                "Settings in a block of postgresql.conf.",
            ),
            arg(
                "hba",
                ArgKind::Text,
                true,
                "Lines of a block of pg_hba.conf.",
            ),
            arg(
                "roles",
                ArgKind::Any,
                true,
                "A list of roles: `name`, `password`, and as wanted `superuser`, `createdb`, `replication`, `member_of`.",
            ),
            arg(
                "database",
                ArgKind::Text,
                true,
                "The application's database.",
            ),
            arg("owner", ArgKind::Text, true, "Its owner."),
            arg(
                "extensions",
                ArgKind::List(&ArgKind::Text),
                false,
                "Extensions, each `DATABASE/NAME`.",
            ),
            arg(
                "pgpool",
                ArgKind::Map,
                false,
                "How Pgpool-II on the hosts is asked whom it sends its clients to: `conf_path`, `home`, `pcp_user`. Without it there is none.",
            ),
            arg(
                "only_check",
                ArgKind::Bool,
                false,
                "Only refuses a data directory that no database can be made in, before anything is changed.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        args::build(args, context)
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let mut state = State::default();
        for host in &self.members {
            let mut observed = Observed::new(&seen.postgres(host, self.about.clone()));
            if observed.here.disk().is_some() && !self.only_check {
                for (_, path, _) in self.blocks() {
                    let content = seen.content(host, &*path);
                    observed.keep(path, &content);
                }
            }
            state.hosts.insert(host.clone(), observed);
        }
        if !self.only_check {
            state.look_beyond(self, seen);
        }
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        if self.only_check {
            return table::check(self, state);
        }
        table::decide(self, state)
    }

    fn health(&self, state: &Self::State) -> Option<Health> {
        (!self.only_check).then(|| health::of(self, state))
    }
}

impl Postgres {
    fn here<'a>(&self, state: &'a State, host: &HostName) -> &'a Here {
        // A state of another module has no such host; nothing is known of it then.
        static NOTHING: Here = Here::Silent(String::new());
        state
            .hosts
            .get(host)
            .map_or(&NOTHING, |observed| &observed.here)
    }
}

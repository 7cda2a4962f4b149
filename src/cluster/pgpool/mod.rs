//! `pgpool`: Pgpool-II on every database host, its standbys made by online recovery, its virtual address with its leader.
//!
//! [`state`] says what the hosts told, [`ids`] who is which node, [`table`] what follows, [`steps`] and [`refuse`] how and
//! why not. `docs/pgpool.md` is the table for people. The truth about who is the primary is PostgreSQL's; Pgpool-II's own
//! table is a second opinion.

mod address;
mod follow;
mod health;
mod ids;
mod refuse;
mod repair;
mod slots;
mod state;
mod steps;
mod table;
mod tables;

pub use state::State;

use crate::inventory::HostName;
use crate::module::argument::{defaulted, needed, optional};
use crate::module::attributes::Wanted;
use crate::module::managed_file::ManagedFile;
use crate::module::stamp::Stamp;
use crate::module::{Args, Context, Health, Module, Unfit};
use crate::plan::{Allow, Content, Decision};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need, pgpool, postgres};
use std::net::Ipv4Addr;

/// The unit of its package.
pub(super) const UNIT: &str = "pgpool.service";

/// The unit that attaches a standby after a boot; the play writes it.
pub(super) const ATTACH_UNIT: &str = "provision-pgpool-attach.service";

/// The Pgpool-II cluster that should be there.
#[derive(Clone, Debug)]
pub struct Pgpool {
    members: Vec<HostName>,
    vip: Ipv4Addr,
    interface: Option<String>,
    conf: String,
    watchdog: bool,
    /// Only says what speaks against the virtual address.
    only_check: bool,
    about: pgpool::About,
    server: postgres::About,
    stamps: Vec<Stamp>,
    allowed: Vec<Allow>,
}

impl Module for Pgpool {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "pgpool",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            needed("vip", ArgKind::Text, "The virtual IPv4 address."),
            optional(
                "interface",
                ArgKind::Text,
                "The interface for it; without it the one whose network holds the address.",
            ),
            defaulted(
                "conf_path",
                ArgKind::Path,
                "/etc/pgpool-II",
                "Folder of Pgpool-II's configuration.",
            ),
            defaulted(
                "home",
                ArgKind::Path,
                "/var/lib/pgsql",
                "Home directory of the account postgres.",
            ),
            needed("data", ArgKind::Path, "PostgreSQL's data directory."),
            needed("bin", ArgKind::Path, "Folder of PostgreSQL's programs."),
            needed("database", ArgKind::Text, "The application's database."),
            needed("pcp_user", ArgKind::Text, "The user of PCP."),
            defaulted(
                "watchdog",
                ArgKind::Bool,
                "true",
                "Whether the nodes watch each other and move the address.",
            ),
            defaulted(
                "only_check",
                ArgKind::Bool,
                "false",
                "Only refuses a virtual address that cannot be used, before anything is changed.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let vip = args.required("vip")?;
        let vip: Ipv4Addr = vip
            .parse()
            .map_err(|_| args.wrong_at("vip", format!("`{vip}` is no IPv4 address")))?;
        let members = context.group.to_vec();
        for host in &members {
            for name in ["advertise_address", "ansible_host"] {
                let taken = (context.variable)(host, name)?.and_then(|node| node.scalar());
                if taken.as_deref() == Some(&*vip.to_string()) {
                    let problem = format!(
                        "{vip} is the address of {host}, and the virtual address must be nobody's"
                    );
                    return Err(args.wrong_at("vip", problem));
                }
            }
        }
        let conf = args.required("conf_path")?;
        let home = args.required("home")?;
        let file = |name: &str| format!("{conf}/{name}");
        let restarted = [
            file("pgpool.conf"),
            file("pgpool.ke2-backends.conf"),
            file("pgpool.ke2-secret.conf"),
            file("pgpool_node_id"),
            // Up to 4.6.0 the processes that check keep the old passwords at a reload (release notes of 4.6.1).
            file("pool_passwd"),
            format!("{home}/.pgpoolkey"),
        ];
        let reloaded = [file("pool_hba.conf"), file("pcp.conf")];
        Ok(Self {
            stamps: members
                .iter()
                .map(|host| Stamp::new(host, UNIT, &restarted, &reloaded))
                .collect(),
            about: pgpool::About {
                conf: conf.clone(),
                passfile: format!("{home}/.pcppass"),
                user: args.required("pcp_user")?,
            },
            server: postgres::About {
                bin: args.required("bin")?,
                data: args.required("data")?,
                database: args.required("database")?,
            },
            interface: args.text("interface"),
            allowed: context.allowed.to_vec(),
            watchdog: args.flag("watchdog"),
            only_check: args.flag("only_check"),
            members,
            vip,
            conf,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<State, Need> {
        state::look(self, seen)
    }

    fn plan(&self, state: &State) -> Decision {
        if self.only_check {
            return address::check(self, state);
        }
        table::decide(self, state)
    }

    fn health(&self, state: &State) -> Option<Health> {
        (!self.only_check).then(|| health::of(self, state))
    }
}

impl Pgpool {
    /// A file of Pgpool-II's.
    fn file(&self, host: &HostName, name: &str, text: String) -> ManagedFile {
        ManagedFile {
            module: "pgpool",
            host: host.clone(),
            path: format!("{}/{name}", self.conf),
            content: Content::plain(text),
            wanted: owned(0o644),
        }
    }

    /// The scripts that PostgreSQL looks for in its data directory: they only hand over to those beside the
    /// configuration, so that a base backup brings along what never changes.
    fn hand_over(&self, host: &HostName, name: &str) -> ManagedFile {
        ManagedFile {
            module: "pgpool",
            host: host.clone(),
            path: format!("{}/{name}", self.server.data),
            content: Content::plain(format!("#!/bin/sh\nexec {}/{name} \"$@\"\n", self.conf)),
            wanted: owned(0o755),
        }
    }
}

fn owned(mode: u32) -> Wanted {
    Wanted {
        mode: Some(mode),
        owner: Some("postgres".to_owned()),
        group: Some("postgres".to_owned()),
    }
}

//! Changes of Pgpool-II, and statements about it.

use crate::probe::Answer;
use crate::probe::pgpool::{About, Pgpool, Watchdog};
use crate::probe::shell::{join, quote};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A change of the nodes that Pgpool-II serves, by PCP on the host itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PgpoolAct {
    /// Online recovery: makes a standby of a node whose server does not run. The script `standby.sh` on the
    /// node refuses when it does run, or is ahead of the primary.
    Recover {
        /// Node id.
        node: u32,
        /// Whom to ask, and with which password file.
        about: About,
    },
    /// Attaches a standby that streams.
    Attach {
        /// Node id.
        node: u32,
        /// Whom to ask, and with which password file.
        about: About,
    },
    /// Leads a running standby to the primary: `standby.sh` on its own host keeps its slot there, and gives it settings.
    Follow {
        /// Node id.
        node: u32,
        /// The standby's host.
        host: String,
        /// Its data directory.
        data: String,
        /// Host of the primary.
        primary: String,
        /// Where the script is.
        about: About,
    },
}

/// PostgreSQL's port on every host of ours.
const PORT: &str = "5432";

impl PgpoolAct {
    /// The words of the command, as a reviewer reads them.
    pub fn words(&self) -> Vec<String> {
        let (program, node, about) = match self {
            Self::Recover { node, about } => ("pcp_recovery_node", node, about),
            Self::Attach { node, about } => ("pcp_attach_node", node, about),
            Self::Follow {
                host,
                data,
                primary,
                about,
                ..
            } => {
                let script = format!("{}/standby.sh", about.conf);
                let words = ["runuser", "-u", "postgres", "--", &script, "follow"];
                let words = words
                    .into_iter()
                    .chain([host.as_str(), PORT, data, primary, PORT]);
                return words.map(str::to_owned).collect();
            }
        };
        let node = node.to_string();
        [
            program,
            "-w",
            "-h",
            "localhost",
            "-p",
            "9898",
            "-U",
            &about.user,
            "-n",
            &node,
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// The text for the host's shell.
    pub(super) fn script(&self) -> String {
        match self {
            Self::Recover { node, about } | Self::Follow { node, about, .. } => {
                detached(*node, about, &join(&self.words()))
            }
            Self::Attach { about, .. } => format!(
                "PCPPASSFILE={} LC_ALL=C {}",
                quote(&about.passfile),
                join(&self.words())
            ),
        }
    }

    /// How long it may take, in seconds: a base backup copies the whole cluster.
    pub(super) fn deadline_s(&self) -> u64 {
        match self {
            Self::Recover { .. } | Self::Follow { .. } => 4 * 3600,
            Self::Attach { .. } => 120,
        }
    }
}

/// The name of the unit that a recovery runs in, with the node's id after it.
pub(crate) const RECOVERY_UNIT: &str = "provision-recover-";

/// A copy takes as long as it takes, and a connection that is lost must not end it: it runs in a unit of its own, and
/// the shell only waits for it. One that is under way is seen as that by the next run.
fn detached(node: u32, about: &About, line: &str) -> String {
    format!(
        "u={RECOVERY_UNIT}{node}\n\
         [ \"$(systemctl show -p ActiveState --value \"$u.service\")\" != activating ] || {{ echo \"$u is at work already\" >&2; exit 75; }}\n\
         systemctl reset-failed \"$u.service\" 2>/dev/null\n\
         systemd-run --quiet --no-block --unit=\"$u\" --property=Type=oneshot --setenv=LC_ALL=C --setenv=PCPPASSFILE={} {line} || exit\n\
         i=$(systemctl show -p InvocationID --value \"$u.service\")\n\
         while s=$(systemctl show -p ActiveState --value \"$u.service\"); [ \"$s\" = activating ]; do sleep 1; done\n\
         [ \"$s\" = failed ] || exit 0\n\
         journalctl --no-pager -o cat -n 20 _SYSTEMD_INVOCATION_ID=\"$i\" >&2\n\
         systemctl reset-failed \"$u.service\"\nexit 1",
        quote(&about.passfile),
    )
}

/// What must hold of what a host says of Pgpool-II, of its addresses or of its PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PgpoolExpect {
    /// It answers, and where there is a watchdog this host counts in it.
    Serves(String),
    /// The watchdog has a majority.
    Quorum,
    /// It takes this host for the primary.
    Primary(String),
    /// It does not send queries to this host.
    Detached(String),
    /// It sends queries to this host, a standby.
    Standby(String),
    /// No failover or recovery of ours is under way on the host.
    Idle,
    /// The host has this address.
    HasAddress(String),
    /// No PostgreSQL runs on its data directory.
    Stopped,
}

impl PgpoolExpect {
    /// Whether an answer confirms it.
    pub fn holds(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Pgpool(pgpool) => self.holds_of(pgpool),
            Answer::Interfaces(interfaces) => match self {
                Self::HasAddress(address) => interfaces.iter().any(|interface| {
                    interface
                        .addresses
                        .iter()
                        .any(|own| own.split_once('/').is_some_and(|(own, _)| own == address))
                }),
                _ => false,
            },
            Answer::Postgres(postgres) => *self == Self::Stopped && !postgres.running,
            _ => false,
        }
    }

    fn holds_of(&self, pgpool: &Pgpool) -> bool {
        let node = |host: &str| pgpool.nodes.as_ref()?.iter().find(|node| node.host == host);
        match self {
            Self::Serves(host) => {
                let counts = |state: &str| matches!(state, "LEADER" | "STANDBY");
                pgpool.nodes.is_some()
                    && pgpool
                        .watchdog
                        .as_ref()
                        .is_none_or(|watchdog| watchdog.state(host).is_some_and(counts))
            }
            Self::Quorum => pgpool.watchdog.as_ref().is_some_and(Watchdog::has_quorum),
            Self::Primary(host) => {
                node(host).is_some_and(|node| node.is_attached() && node.role == "primary")
            }
            Self::Detached(host) => node(host).is_some_and(|node| !node.is_attached()),
            Self::Standby(host) => node(host).is_some_and(|node| {
                node.is_attached() && node.role == "standby" && node.pg_role == "standby"
            }),
            Self::Idle => pgpool.busy.is_empty(),
            Self::HasAddress(_) | Self::Stopped => false,
        }
    }
}

impl fmt::Display for PgpoolExpect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serves(_) => f.write_str("Pgpool-II answers, and counts in the watchdog"),
            Self::Quorum => f.write_str("the watchdog has a majority"),
            Self::Primary(host) => write!(f, "Pgpool-II takes {host} for the primary"),
            Self::Detached(host) => write!(f, "Pgpool-II sends no queries to {host}"),
            Self::Standby(host) => write!(f, "Pgpool-II has {host} as a standby"),
            Self::Idle => f.write_str("no failover or recovery is under way"),
            Self::HasAddress(address) => write!(f, "it has the address {address}"),
            Self::Stopped => f.write_str("PostgreSQL does not run"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{About, PgpoolAct};

    #[test]
    fn a_standby_is_led_in_a_unit_of_its_own_as_postgres() {
        let act = PgpoolAct::Follow {
            node: 2,
            host: "db3".to_owned(),
            data: "/var/lib/pgsql/16/data".to_owned(),
            primary: "db1".to_owned(),
            about: About {
                conf: "/etc/pgpool-II".to_owned(),
                passfile: "/var/lib/pgsql/.pcppass".to_owned(),
                user: "pgpool".to_owned(),
            },
        };
        assert_eq!(
            act.words().join(" "),
            "runuser -u postgres -- /etc/pgpool-II/standby.sh follow db3 5432 /var/lib/pgsql/16/data db1 5432"
        );
        let script = act.script();
        assert!(script.starts_with("u=provision-recover-2\n"), "{script}");
        assert!(script.contains(&act.words().join(" ")), "{script}");
    }
}

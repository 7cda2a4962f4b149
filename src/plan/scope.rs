//! What an act may change, and which answers that makes doubtful.

use super::{Act, PgpoolAct, StackAct, UnitVerb};
use crate::probe::Query;

/// What an act may change: answers within it are forgotten after the act, and acts within each other's do not run side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This path, and the directories above it as far as they do not exist yet. Nothing is below what is made
    /// or replaced here: it did not exist, or it is the file or directory that it was.
    Entry(String),
    /// These paths of the host (and what is below them).
    Paths(Vec<String>),
    /// Anything on the host.
    Host,
    /// Anything on the host, and what the other hosts tell of the cluster.
    Cluster,
    /// Anything on every host, their own files and units too: what works on another host in its own ways.
    Everything,
}

impl Act {
    /// What it may change. Narrow only for acts on files.
    pub fn writes(&self) -> Scope {
        match self {
            Self::WriteFile { path, .. } | Self::MakeDirectory { path, .. } => {
                Scope::Entry(path.clone())
            }
            Self::SetAttributes { path, .. } | Self::RemovePath { path } => {
                Scope::Paths(vec![path.clone()])
            }
            Self::Command {
                writes: Some(paths),
                ..
            } => Scope::Paths(paths.clone()),
            // These are seen by the host alone: its account, its name, what it starts at boot.
            Self::Stack(
                StackAct::Pull { .. } | StackAct::Load { .. } | StackAct::Reload { .. },
            )
            | Self::AddToGroup { .. }
            | Self::SetHostname(_)
            | Self::Mount(_)
            | Self::Unit {
                verb: UnitVerb::Enable | UnitVerb::Disable,
                ..
            } => Scope::Host,
            // A daemon that starts or stops is seen by its peers, and so is a port that opens; packages
            // stop and start daemons, and a command or a kernel parameter may do any of it.
            Self::InstallPackages(_)
            | Self::RemovePackages(_)
            | Self::Firewall(_)
            | Self::SetSysctl { .. }
            | Self::Command { writes: None, .. }
            | Self::Unit { .. }
            | Self::Pgpool(PgpoolAct::Attach { .. })
            | Self::Swarm(_)
            | Self::Postgres(_)
            | Self::Stack(
                StackAct::PruneConfigs { .. }
                | StackAct::Remove { .. }
                | StackAct::RemoveService { .. }
                | StackAct::ForgetNode { .. },
            )
            | Self::Gluster(_) => Scope::Cluster,
            // Pgpool-II makes the standby on the other host, by ssh. What is on the share is on every host.
            Self::Pgpool(PgpoolAct::Recover { .. } | PgpoolAct::Follow { .. })
            | Self::Stack(
                StackAct::MakeKey { .. } | StackAct::Certify(_) | StackAct::Deploy { .. },
            ) => Scope::Everything,
        }
    }

    /// Whether it starts, replaces or ends containers on whichever host of the cluster: it is not only for the
    /// subject of its step, and `--limit` must not leave out any of them.
    pub fn reaches_all(&self) -> bool {
        matches!(
            self,
            Self::Stack(
                StackAct::Deploy { .. } | StackAct::Remove { .. } | StackAct::RemoveService { .. },
            )
        )
    }
}

impl Scope {
    /// Whether an answer to `query`, asked of the host itself (`same_host`) or of another, may no longer be true.
    pub fn touches(&self, query: &Query, same_host: bool) -> bool {
        // What is done on the hosts changes nothing of other machines; and the question takes two seconds.
        if matches!(query, Query::AddressTaken(_)) {
            return false;
        }
        match self {
            Self::Everything => true,
            Self::Cluster => same_host || !query.is_local(),
            Self::Host => same_host,
            Self::Entry(path) => {
                same_host
                    && match query {
                        Query::Path(about) | Query::Content(about) => is_below(path, about),
                        _ => Self::Paths(vec![path.clone()]).touches(query, same_host),
                    }
            }
            Self::Paths(paths) => {
                same_host
                    && match query {
                        Query::Path(about) | Query::Content(about) => {
                            paths.iter().any(|path| overlap(path, about))
                        }
                        Query::Filesystem(_) | Query::Clock => true,
                        // A reading of the user's may look at anything.
                        Query::Command(_) => true,
                        // What these tell is kept in files.
                        Query::Unit(_) => paths.iter().any(|path| {
                            path.starts_with("/etc/systemd/")
                                || path.starts_with("/usr/lib/systemd/")
                        }),
                        Query::Resolve(_) | Query::DatabasePort(_) => paths.iter().any(|path| {
                            overlap(path, "/etc/hosts") || overlap(path, "/etc/resolv.conf")
                        }),
                        Query::User(_) => paths.iter().any(|path| {
                            overlap(path, "/etc/passwd") || overlap(path, "/etc/group")
                        }),
                        Query::Machine => paths.iter().any(|path| {
                            overlap(path, "/etc/os-release") || overlap(path, "/etc/machine-id")
                        }),
                        Query::Docker => paths.iter().any(|path| {
                            [
                                "/var/lib/docker",
                                "/var/lib/provision",
                                "/run/docker.sock",
                                "/usr/bin",
                            ]
                            .iter()
                            .any(|place| overlap(path, place))
                        }),
                        // firewalld reads its files again when they change.
                        Query::Firewall => paths.iter().any(|path| {
                            overlap(path, "/etc/firewalld") || overlap(path, "/usr/lib/firewalld")
                        }),
                        Query::Pgpool(about) => paths.iter().any(|path| overlap(path, &about.conf)),
                        Query::Postgres(about) => paths
                            .iter()
                            .any(|path| overlap(path, &about.data) || overlap(path, &about.bin)),
                        Query::PostgresPast(about) => {
                            paths.iter().any(|path| overlap(path, &about.data))
                        }
                        Query::Interfaces
                        | Query::AddressTaken(_)
                        | Query::Package(_)
                        | Query::Sysctl(_)
                        | Query::SwarmNodes
                        | Query::Stack(_)
                        | Query::StackNode(_)
                        | Query::Image(_)
                        | Query::Tables(_)
                        | Query::GlusterVolume(_)
                        | Query::GlusterStatus(_) => false,
                        Query::FirewallService(_) => paths.iter().any(|path| {
                            overlap(path, "/etc/firewalld") || overlap(path, "/usr/lib/firewalld")
                        }),
                        Query::Gluster => paths.iter().any(|path| {
                            overlap(path, "/var/lib/glusterd") || overlap(path, "/usr/sbin")
                        }),
                        Query::GlusterBrick(about) => paths
                            .iter()
                            .any(|path| overlap(path, about) || overlap(path, "/etc/fstab")),
                        Query::Mounted(about) => paths.iter().any(|path| overlap(path, about)),
                        Query::Presented(about) => {
                            paths.iter().any(|path| overlap(path, &about.file))
                        }
                        Query::Certificates(place) => {
                            paths.iter().any(|path| overlap(path, &place.folder))
                        }
                    }
            }
        }
    }

    /// Whether other hosts' answers may no longer be true either.
    pub fn is_wide(&self) -> bool {
        matches!(self, Self::Cluster | Self::Everything)
    }

    /// Whether it is about a path below what changes. An answer to that is only affected when it could not be had:
    /// a directory that nobody but root may enter hides what is in it.
    pub fn is_above(&self, query: &Query) -> bool {
        match (self, query) {
            (Self::Entry(path), Query::Path(about) | Query::Content(about)) => {
                is_below(about, path)
            }
            _ => false,
        }
    }
}

/// Whether one path is the other or lies below it.
fn overlap(a: &str, b: &str) -> bool {
    is_below(a, b) || is_below(b, a)
}

/// Whether a path is `parent` or lies below it.
fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Content;

    #[test]
    fn what_is_made_touches_itself_and_missing_parents_but_nothing_below() {
        let act = Act::MakeDirectory {
            path: "/opt/app".into(),
            mode: None,
            owner: None,
            group: None,
        };
        let touches = |path: &str| act.writes().touches(&Query::Path(path.into()), true);
        assert!(touches("/opt/app") && touches("/opt") && touches("/opt/app/"));
        assert!(!touches("/opt/app/bin") && !touches("/opt/application"));
        assert!(!act.writes().touches(&Query::Path("/opt/app".into()), false));
        let units = Act::WriteFile {
            path: "/etc/systemd/system/a.service".into(),
            content: Content::plain(""),
            before: None,
            mode: None,
            owner: None,
            group: None,
        };
        assert!(
            units
                .writes()
                .touches(&Query::Unit("a.service".into()), true)
        );
        assert!(act.writes().is_above(&Query::Path("/opt/app/bin".into())));
        assert!(!act.writes().is_above(&Query::Path("/opt".into())));
    }

    #[test]
    fn a_removed_path_touches_its_own_answers_and_its_parents() {
        let act = Act::RemovePath {
            path: "/etc/app/a.conf".into(),
        };
        let touches = |query: Query| act.writes().touches(&query, true);
        assert!(touches(Query::Path("/etc/app/a.conf".into())));
        assert!(touches(Query::Path("/etc/app".into())));
        assert!(!touches(Query::Path("/etc/app/a.conf.d".into())));
        assert!(!touches(Query::Package("app".into())));
        assert!(
            !act.writes()
                .touches(&Query::Path("/etc/app/a.conf".into()), false)
        );
    }

    #[test]
    fn a_daemon_that_starts_touches_what_its_peers_see_of_it() {
        let act = Act::Unit {
            unit: "docker.service".into(),
            verb: UnitVerb::Start,
        };
        assert!(act.writes().touches(&Query::SwarmNodes, false));
        assert!(act.writes().touches(&Query::Path("/x".into()), true));
        assert!(!act.writes().touches(&Query::Path("/x".into()), false));
    }

    #[test]
    fn online_recovery_touches_the_files_and_units_of_the_other_hosts() {
        let about = crate::probe::pgpool::About {
            conf: "/etc/pgpool-II".into(),
            user: "pgpool".into(),
            passfile: "/var/lib/pgsql/.pcppass".into(),
        };
        let unit = Query::Unit("postgresql-16.service".into());
        let recover = Act::Pgpool(PgpoolAct::Recover {
            node: 1,
            about: about.clone(),
        });
        assert!(recover.writes().is_wide() && recover.writes().touches(&unit, false));
        let attach = Act::Pgpool(PgpoolAct::Attach { node: 1, about });
        assert!(attach.writes().is_wide() && !attach.writes().touches(&unit, false));
    }
}

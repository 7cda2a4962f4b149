//! What the mistakes of [`super::bugs`] take an answer for, and which acts they do instead.

use super::bugs::Bug;
use super::cluster::Cluster;
use super::gluster::{BRICK, MOUNT};
use super::share::KEY;
use provision::inventory::HostName;
use provision::plan::{Act, SwarmAct};
use provision::probe::docker::{Docker, Trace};
use provision::probe::gluster_volume::Volume;
use provision::probe::postgres::Postgres;
use provision::probe::{Answer, PathState, Query, Seen};

impl Bug {
    /// What the tables take an answer for.
    pub fn answer(
        self,
        cluster: &Cluster,
        host: &HostName,
        query: &Query,
        seen: Seen<Answer>,
    ) -> Seen<Answer> {
        let blank_docker = || {
            Answer::Docker(Docker {
                installed: true,
                ..Docker::default()
            })
        };
        let no_data = || {
            Answer::Postgres(Postgres {
                installed: true,
                ..Postgres::default()
            })
        };
        let silent = seen.unknown().is_some();
        let h = cluster.swarm.host(host);
        let mut seen = match (self, query) {
            (Self::SilentHasNoSwarm, Query::Docker) if silent => Seen::Is(blank_docker()),
            (Self::SilentHasNoData, Query::Postgres(_)) if silent => Seen::Is(no_data()),
            // Only the database is silent here.
            (Self::SilentHasNoData, _) if silent => cluster.tells(h, query),
            (Self::StoppedDataIgnored, Query::Postgres(_)) => Seen::Is(no_data()),
            (Self::RecoversWhatRuns, Query::Postgres(_)) if h == 2 => Seen::Is(no_data()),
            (Self::BrickDataIgnored, Query::GlusterVolume(_)) => {
                Seen::Is(Answer::GlusterVolume(Volume::default()))
            }
            (Self::ShareOverlooked, Query::Filesystem(path)) if path == MOUNT => {
                cluster.tells(0, query)
            }
            (Self::CarefulSkipped, Query::Path(path)) if path == KEY => filled(seen),
            (_, _) => seen,
        };
        if let Seen::Is(answer) = &mut seen {
            self.bend(cluster, h, answer);
        }
        seen
    }

    fn bend(self, cluster: &Cluster, h: usize, answer: &mut Answer) {
        match (self, answer) {
            (Self::SwarmTraceIgnored, Answer::Docker(docker)) => blank(docker),
            (Self::CutOffIsReplaced, Answer::Docker(docker)) if h == 2 => blank(docker),
            (Self::GhostsOverlooked, Answer::SwarmNodes(roster)) => {
                if let Some(nodes) = &mut roster.nodes {
                    nodes.retain(|node| node.state != "down");
                }
            }
            (Self::BrickDataIgnored | Self::BrickLossOverlooked | Self::GateIsBlind, answer) => {
                self.bend_brick(cluster, answer);
            }
            (Self::StoppedVolumeOverlooked, Answer::GlusterVolume(volume)) => {
                if let Some(info) = &mut volume.info {
                    info.status = "Started".into();
                }
            }
            (Self::StoppedVolumeOverlooked, Answer::Mounted(mounted)) => {
                *mounted = mounted.steady();
            }
            (Self::ClientOverlooked, Answer::Mounted(mounted)) => mounted.client = false,
            (Self::MountOverlooked | Self::ShareOverlooked, Answer::Mounted(mounted))
                if mounted.mounts.is_empty() =>
            {
                *mounted = cluster.mount_says(0);
            }
            (
                Self::BrokerGhostOverlooked
                | Self::HandChangeOverlooked
                | Self::OldCertificateOverlooked,
                answer,
            ) => self.bend_stack(cluster, answer),
            (Self::DetachedOverlooked, Answer::Pgpool(pgpool)) => {
                for node in pgpool.nodes.iter_mut().flatten() {
                    node.status = "up".into();
                }
            }
            (Self::ServedOverlooked, Answer::Pgpool(pgpool)) => {
                let newest = |h: &usize| cluster.databases[*h].data.as_ref().map(|it| it.timeline);
                let primary = cluster
                    .hosts()
                    .filter(|h| cluster.databases[*h].is_primary());
                let primary = primary.max_by_key(newest).map(|h| cluster.name(h));
                for node in pgpool.nodes.iter_mut().flatten() {
                    let is = primary == Some(&*node.host);
                    node.role = if is { "primary" } else { "standby" }.into();
                    node.status = "up".into();
                }
            }
            (Self::TablesOverlooked, Answer::Pgpool(pgpool)) => {
                if let Some(leader) = cluster.pgpools[h].leader {
                    pgpool.nodes = cluster.pgpool_says(leader).nodes;
                }
            }
            (Self::RecoversWhatRuns, Answer::Pgpool(pgpool)) => {
                for node in pgpool.nodes.iter_mut().flatten().skip(2) {
                    node.status = "down".into();
                }
            }
            (Self::CommitsNotCounted | Self::ServedOverlooked, Answer::PostgresPast(past)) => {
                past.commits = Some(0);
            }
            (Self::BootOverlooked, Answer::Unit(unit)) if unit.file == "disabled" => {
                unit.file = "enabled".into();
            }
            (_, Answer::Postgres(postgres)) => self.bend_postgres(h, postgres),
            _ => {}
        }
    }

    fn bend_stack(self, cluster: &Cluster, answer: &mut Answer) {
        match (self, answer) {
            (Self::BrokerGhostOverlooked, Answer::StackNode(node)) => {
                let blank = |h: &usize| cluster.containers[*h].broker.is_none();
                let ghosts = cluster.hosts().filter(blank);
                let ghosts: Vec<String> = ghosts.map(|h| cluster.broker_name(h)).collect();
                for members in node.rabbitmq.values_mut() {
                    members.all.retain(|name| !ghosts.contains(name));
                }
            }
            (Self::HandChangeOverlooked, Answer::Stack(stack)) => {
                let kept: Vec<_> = cluster.stacks.values().collect();
                for (name, service) in stack.services.iter_mut().flatten() {
                    let mut own = kept.iter().filter_map(|one| one.services.get(name));
                    if own.any(|own| own.by_hand) {
                        service.spec.clear();
                    }
                }
            }
            (Self::OldCertificateOverlooked, Answer::Presented(presented)) => {
                let Some(file) = &presented.file else { return };
                for shown in presented.listeners.values_mut().flatten() {
                    shown.clone_from(file);
                }
            }
            _ => {}
        }
    }

    fn bend_brick(self, cluster: &Cluster, answer: &mut Answer) {
        match answer {
            Answer::GlusterBrick(folder) if self == Self::BrickDataIgnored => {
                (folder.entries, folder.dot_glusterfs, folder.gfid) = (0, false, false);
                folder.volume_id.clear();
            }
            Answer::GlusterBrick(folder) => {
                folder.kind = "directory".into();
                folder.dot_glusterfs = true;
                let volume = cluster.gluster[0].volume.as_ref();
                folder.volume_id = volume.map(|it| it.id.clone()).unwrap_or_default();
            }
            Answer::GlusterStatus(status) if self != Self::BrickDataIgnored => {
                for one in status.processes.iter_mut().flatten() {
                    one.online |= one.brick == BRICK;
                }
                for one in status.heal.iter_mut().flatten() {
                    one.pending = Some(0);
                }
            }
            _ => {}
        }
    }

    fn bend_postgres(self, h: usize, postgres: &mut Postgres) {
        let stopped_standby = |postgres: &mut Postgres| {
            (postgres.running, postgres.server, postgres.standby_signal) = (false, None, true);
            postgres.history.clear();
            if let Some(control) = &mut postgres.control {
                (control.timeline, control.min_recovery_end_timeline) = (1, 1);
            }
        };
        match self {
            Self::OtherPrimaryOverlooked | Self::TimelinesIgnored if h != 0 => {
                stopped_standby(postgres);
            }
            Self::NotStreamingOverlooked => {
                if let Some(server) = &mut postgres.server {
                    for slot in &mut server.slots {
                        slot.active = true;
                    }
                    let name = |n: usize| format!("ke2-server{n}");
                    let streams = |name: String| provision::probe::postgres::Sender {
                        name,
                        state: "streaming".into(),
                        ..Default::default()
                    };
                    server.senders = (1..=3).map(name).map(streams).collect();
                    if server.in_recovery {
                        let receiver = server.receiver.get_or_insert_default();
                        receiver.status = "streaming".into();
                    }
                }
            }
            _ => {}
        }
    }

    /// Which act is done instead.
    pub fn act(self, cluster: &Cluster, act: &Act) -> Act {
        match (self, act) {
            (Self::DemotesAnother, Act::Swarm(SwarmAct::Demote { id })) => {
                let c = cluster.swarm.clusters.len() - 1;
                let mut others = cluster.swarm.clusters[c].nodes.keys();
                let id = others.find(|other| *other != id).unwrap_or(id).clone();
                Act::Swarm(SwarmAct::Demote { id })
            }
            (
                Self::WritesSomethingElse,
                Act::WriteFile {
                    path,
                    before,
                    mode,
                    owner,
                    group,
                    ..
                },
            ) => Act::WriteFile {
                content: provision::plan::Content::plain("something else\n"),
                path: path.clone(),
                before: before.clone(),
                mode: *mode,
                owner: owner.clone(),
                group: group.clone(),
            },
            (_, act) => act.clone(),
        }
    }
}

/// A key that is there, whatever it holds.
fn filled(mut seen: Seen<Answer>) -> Seen<Answer> {
    if let Seen::Is(Answer::Path(PathState::File { size, .. })) = &mut seen {
        *size = 38;
    }
    seen
}

/// An engine that was never in a swarm.
fn blank(docker: &mut Docker) {
    docker.trace = Trace::default();
    if let Some(engine) = &mut docker.engine {
        engine.swarm = provision::probe::docker::Swarm {
            local_node_state: "inactive".into(),
            ..Default::default()
        };
    }
}

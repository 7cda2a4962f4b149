//! Mistakes that are made on purpose: each is a blind spot of a decision table, or a wrong act. All must be caught.
//!
//! A table decides from answers alone, so that a guard which it lacks is the same as an answer which it misreads. The
//! claims that are asked for again just before an act misread it in the same way.

use super::cluster::Cluster;
use super::events::Event;
use super::gluster::BRICK;
use super::history::Move;
use provision::inventory::HostName;
use provision::plan::{Act, SwarmAct};
use provision::probe::docker::{Docker, Trace};
use provision::probe::gluster_volume::Volume;
use provision::probe::postgres::Postgres;
use provision::probe::{Answer, Query, Seen};

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// S0: a swarm is founded though a host is silent.
    SilentHasNoSwarm,
    /// S0: what a former swarm left on the disks counts for nothing.
    SwarmTraceIgnored,
    /// S2: a member that is only cut off is taken for replaced.
    CutOffIsReplaced,
    /// S2: another node than the lost one is demoted.
    DemotesAnother,
    /// S12: entries of the roster that nobody is are left there.
    GhostsOverlooked,
    /// G0: bricks with data are taken for new.
    BrickDataIgnored,
    /// G6: a brick's folder is not looked at.
    BrickLossOverlooked,
    /// G11: a stopped volume is taken for started.
    StoppedVolumeOverlooked,
    /// G12: a mount that is gone is taken for there.
    MountOverlooked,
    /// P0: a database is made though a host is silent.
    SilentHasNoData,
    /// P0: data whose server does not run counts for nothing.
    StoppedDataIgnored,
    /// P4: the former primary is started beside the present one.
    OtherPrimaryOverlooked,
    /// P10: who was the primary of an older timeline is started.
    TimelinesIgnored,
    /// P4: commits past the fork are not counted, neither by the table nor by `standby.sh`.
    CommitsNotCounted,
    /// P5: a standby that streams is copied anew.
    RecoversWhatRuns,
    /// P6: a standby that follows nobody is taken for streaming.
    NotStreamingOverlooked,
    /// P5: a node that is detached is taken for attached.
    DetachedOverlooked,
    /// The health gate does not see that another host's brick is lost.
    GateIsBlind,
    /// What does not start at boot is taken for what does.
    BootOverlooked,
    /// A file that an act writes holds something else.
    WritesSomethingElse,
}

pub const BUGS: [Bug; 20] = [
    Bug::SilentHasNoSwarm,
    Bug::SwarmTraceIgnored,
    Bug::CutOffIsReplaced,
    Bug::DemotesAnother,
    Bug::GhostsOverlooked,
    Bug::BrickDataIgnored,
    Bug::BrickLossOverlooked,
    Bug::StoppedVolumeOverlooked,
    Bug::MountOverlooked,
    Bug::SilentHasNoData,
    Bug::StoppedDataIgnored,
    Bug::OtherPrimaryOverlooked,
    Bug::TimelinesIgnored,
    Bug::CommitsNotCounted,
    Bug::RecoversWhatRuns,
    Bug::NotStreamingOverlooked,
    Bug::DetachedOverlooked,
    Bug::GateIsBlind,
    Bug::BootOverlooked,
    Bug::WritesSomethingElse,
];

impl Bug {
    /// A history in which it matters. The first host is the primary and holds the address at its beginning.
    pub fn history(self) -> Vec<Move> {
        use Event as E;
        let happens = |events: &[(E, usize)]| -> Vec<Move> {
            let each = events.iter().map(|(event, h)| Move::Happens(*event, *h));
            each.collect()
        };
        let run = Move::Runs(None);
        let with = |events: &[(E, usize)], more: &[Move]| [&happens(events), more].concat();
        match self {
            Self::SilentHasNoSwarm => with(&[(E::Leave, 0), (E::Leave, 1), (E::Mute, 2)], &[run]),
            Self::SwarmTraceIgnored | Self::StoppedDataIgnored => Vec::new(),
            Self::CutOffIsReplaced => with(&[(E::Cut, 2)], &[Move::Passes(10), run]),
            Self::DemotesAnother | Self::GhostsOverlooked => {
                with(&[(E::Leave, 2)], &[Move::Passes(10)])
            }
            Self::BrickDataIgnored => with(
                &[
                    (E::LoseGlusterd, 0),
                    (E::LoseGlusterd, 1),
                    (E::LoseGlusterd, 2),
                ],
                &[],
            ),
            Self::BrickLossOverlooked => with(&[(E::LoseBrickDisk, 1)], &[]),
            Self::StoppedVolumeOverlooked => with(&[(E::StopVolume, 0)], &[]),
            Self::MountOverlooked => with(&[(E::Unmount, 1)], &[]),
            Self::SilentHasNoData => with(
                &[(E::LoseDatabase, 0), (E::LoseDatabase, 1), (E::Mute, 2)],
                &[run],
            ),
            Self::OtherPrimaryOverlooked => with(&[(E::KillDatabase, 0)], &[Move::Passes(40)]),
            Self::TimelinesIgnored => with(
                &[(E::PowerOff, 0)],
                &[
                    Move::Passes(40),
                    Move::Happens(E::KillDatabase, 1),
                    Move::Happens(E::KillDatabase, 2),
                    Move::Happens(E::StopPgpool, 1),
                    Move::Happens(E::StopPgpool, 2),
                ],
            ),
            Self::CommitsNotCounted => with(&[(E::KillDatabase, 0)], &[Move::Passes(20)]),
            Self::RecoversWhatRuns | Self::DetachedOverlooked => with(&[(E::Detach, 2)], &[]),
            Self::NotStreamingOverlooked => with(
                &[(E::PowerOff, 2), (E::StopDatabase, 0)],
                &[Move::Passes(20)],
            ),
            Self::GateIsBlind => with(&[(E::LoseBrickDisk, 2), (E::LoseNotes, 1)], &[]),
            Self::BootOverlooked => with(&[(E::DisableUnits, 1)], &[]),
            Self::WritesSomethingElse => with(&[(E::EditPassword, 1)], &[]),
        }
    }

    /// Whether it needs a cluster whose commits wait for no standby.
    pub fn is_asynchronous(self) -> bool {
        self == Self::CommitsNotCounted
    }

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
            (Self::StoppedVolumeOverlooked, Answer::Mounted(mounted)) => mounted.dead.clear(),
            (Self::MountOverlooked, Answer::Mounted(mounted)) if mounted.mounts.is_empty() => {
                *mounted = cluster.mount_says(0);
            }
            (Self::DetachedOverlooked, Answer::Pgpool(pgpool)) => {
                for node in pgpool.nodes.iter_mut().flatten() {
                    node.status = "up".into();
                }
            }
            (Self::RecoversWhatRuns, Answer::Pgpool(pgpool)) => {
                for node in pgpool.nodes.iter_mut().flatten().skip(2) {
                    node.status = "down".into();
                }
            }
            (Self::CommitsNotCounted, Answer::PostgresPast(past)) => past.commits = Some(0),
            (Self::BootOverlooked, Answer::Unit(unit)) if unit.file == "disabled" => {
                unit.file = "enabled".into();
            }
            (_, Answer::Postgres(postgres)) => self.bend_postgres(h, postgres),
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

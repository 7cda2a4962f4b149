//! Mistakes that are made on purpose: each is a blind spot of a decision table, or a wrong act. All must be caught.
//!
//! A table decides from answers alone, so that a guard which it lacks is the same as an answer which it misreads. The
//! claims that are asked for again just before an act misread it in the same way.

use super::events::Event;
use super::history::Move;

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
    /// G12: a client that reaches too few bricks is taken for dead.
    ClientOverlooked,
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
    /// P7: that Pgpool-II sends its clients to a deposed primary is not seen, nor what they commit there.
    ServedOverlooked,
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
    /// RabbitMQ's node of a replaced host is not forgotten.
    BrokerGhostOverlooked,
    /// While the secret key is empty several tasks are deployed.
    CarefulSkipped,
    /// K14: what was changed of a service by hand is taken back.
    HandChangeOverlooked,
    /// A deployment goes out though a host has not mounted the share.
    ShareOverlooked,
    /// That servers go on with a former certificate is not seen.
    OldCertificateOverlooked,
    /// All daemons are taken to have their leader's table.
    TablesOverlooked,
}

pub const BUGS: [Bug; 28] = [
    Bug::SilentHasNoSwarm,
    Bug::SwarmTraceIgnored,
    Bug::CutOffIsReplaced,
    Bug::DemotesAnother,
    Bug::GhostsOverlooked,
    Bug::BrickDataIgnored,
    Bug::BrickLossOverlooked,
    Bug::StoppedVolumeOverlooked,
    Bug::MountOverlooked,
    Bug::ClientOverlooked,
    Bug::SilentHasNoData,
    Bug::StoppedDataIgnored,
    Bug::OtherPrimaryOverlooked,
    Bug::TimelinesIgnored,
    Bug::CommitsNotCounted,
    Bug::ServedOverlooked,
    Bug::RecoversWhatRuns,
    Bug::NotStreamingOverlooked,
    Bug::DetachedOverlooked,
    Bug::GateIsBlind,
    Bug::BootOverlooked,
    Bug::WritesSomethingElse,
    Bug::BrokerGhostOverlooked,
    Bug::CarefulSkipped,
    Bug::HandChangeOverlooked,
    Bug::ShareOverlooked,
    Bug::OldCertificateOverlooked,
    Bug::TablesOverlooked,
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
            Self::ClientOverlooked => with(
                &[(E::Cut, 2)],
                &[Move::Passes(10), Move::Happens(E::Mend, 2), run],
            ),
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
            // Cut off, it goes on to lead those daemons that come back without the promoted primary's.
            Self::ServedOverlooked => with(
                &[
                    (E::OtherScript, 0),
                    (E::OtherScript, 1),
                    (E::OtherScript, 2),
                    (E::Cut, 0),
                ],
                &[Move::Passes(40), Move::Happens(E::PowerOff, 1)],
            ),
            Self::RecoversWhatRuns | Self::DetachedOverlooked => with(&[(E::Detach, 2)], &[]),
            Self::NotStreamingOverlooked => with(
                &[(E::PowerOff, 2), (E::StopDatabase, 0)],
                &[Move::Passes(20)],
            ),
            Self::GateIsBlind => with(&[(E::LoseBrickDisk, 2), (E::LoseNotes, 1)], &[]),
            Self::BootOverlooked => with(&[(E::DisableUnits, 1)], &[]),
            Self::WritesSomethingElse => with(&[(E::EditPassword, 1)], &[]),
            Self::BrokerGhostOverlooked => with(&[(E::Replace, 2)], &[Move::Passes(10)]),
            Self::CarefulSkipped => Vec::new(),
            Self::HandChangeOverlooked => with(&[(E::ScaleService, 0)], &[]),
            Self::ShareOverlooked => with(&[(E::Unmount, 1), (E::RemoveService, 0)], &[]),
            Self::OldCertificateOverlooked => with(&[(E::OldCertificate, 0)], &[]),
            Self::TablesOverlooked => with(&[(E::OwnTable, 1)], &[Move::Passes(20)]),
        }
    }

    /// Whether it matters while a site is built.
    pub fn is_of_a_build(self) -> bool {
        self == Self::CarefulSkipped
    }

    /// Whether it needs a cluster whose commits wait for no standby.
    pub fn is_asynchronous(self) -> bool {
        self == Self::CommitsNotCounted
    }
}

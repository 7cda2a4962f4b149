//! What the hosts told: the input of the decision table.

use super::{ATTACH_UNIT, Pgpool, UNIT, address, ids};
use crate::cluster::former_primary::{self, Beyond};
use crate::inventory::HostName;
use crate::module::managed_file;
use crate::module::stamp;
use crate::probe::network::Interface;
use crate::probe::pgpool::Pgpool as Daemon;
use crate::probe::postgres::{Data, Postgres};
use crate::probe::unit::Unit;
use crate::probe::{Answers, Need, Seen};
use std::collections::BTreeMap;

/// What is known of every member.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(super) hosts: BTreeMap<HostName, Observed>,
    /// Whether somebody answers at the virtual address; asked only when none of the hosts has it.
    pub(super) taken: Option<(HostName, Seen<bool>)>,
}

/// What is known of one member.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) pgpool: Seen<Daemon>,
    pub(super) postgres: Seen<Postgres>,
    /// Of a stopped former primary beside a present one.
    pub(super) beyond: Option<Beyond>,
    pub(super) interfaces: Seen<Vec<Interface>>,
    pub(super) unit: Seen<Unit>,
    pub(super) attach: Seen<Unit>,
    pub(super) stamp: stamp::Sight,
    /// The backends file and the node id, when it could be settled what they should hold.
    pub(super) files: Vec<managed_file::Sight>,
    /// `recovery_1st_stage` and `pgpool_remote_start`.
    pub(super) hand_over: Vec<managed_file::Sight>,
}

/// The names of the scripts in the data directory.
pub(super) const HAND_OVER: [&str; 2] = ["recovery_1st_stage", "pgpool_remote_start"];

pub(super) fn look(wanted: &Pgpool, seen: &Answers<'_>) -> Result<State, Need> {
    let mut state = State::default();
    // Slow while a member is away, and nothing that a check needs.
    let not_asked = || "a check does not ask for it".to_owned();
    for (host, stamp) in wanted.members.iter().zip(&wanted.stamps) {
        let (pgpool, postgres) = match wanted.only_check {
            true => (Seen::Unknown(not_asked()), Seen::Unknown(not_asked())),
            false => (
                seen.pgpool(host, wanted.about.clone()),
                seen.postgres(host, wanted.server.clone()),
            ),
        };
        let observed = Observed {
            pgpool,
            postgres,
            beyond: None,
            interfaces: seen.interfaces(host),
            unit: seen.unit(host, UNIT),
            attach: seen.unit(host, ATTACH_UNIT),
            stamp: stamp.look(seen),
            files: Vec::new(),
            hand_over: HAND_OVER
                .iter()
                .map(|name| wanted.hand_over(host, name).look(seen))
                .collect(),
        };
        state.hosts.insert(host.clone(), observed);
    }
    let mut state = seen.settle(state)?;
    if let Ok(settled) = settled(wanted, &state) {
        for host in &wanted.members {
            let files = own_files(wanted, host, &settled);
            let sights = files.iter().map(|file| file.look(seen)).collect();
            if let Some(observed) = state.hosts.get_mut(host) {
                observed.files = sights;
            }
        }
    }
    look_beyond(wanted, &mut state, seen);
    state.taken = address::asks(wanted, &state)
        .map(|(host, about)| (host.clone(), seen.address_taken(host, about)));
    seen.settle(state)
}

/// Asks stopped former primaries what they have that the only present one lacks.
fn look_beyond(wanted: &Pgpool, state: &mut State, seen: &Answers<'_>) {
    let known = |host: &HostName| state.hosts.get(host)?.postgres.known();
    let primaries: Vec<_> = wanted
        .members
        .iter()
        .filter_map(known)
        .filter_map(|postgres| Some((postgres.primary()?.timeline, &postgres.history)))
        .collect();
    let [(timeline, history)] = primaries[..] else {
        return;
    };
    let history = history.clone();
    let primary = former_primary::Present {
        timeline,
        history: &history,
    };
    for (host, observed) in &mut state.hosts {
        if let Some(postgres) = observed.postgres.known()
            && postgres.data == Data::Present
            && !postgres.running
            && !postgres.standby_signal
            && let Some(control) = &postgres.control
        {
            let own = (control, &*postgres.history);
            observed.beyond = former_primary::look(seen, host, &wanted.server, own, primary);
        }
    }
}

/// The node ids that follow from the files that exist.
pub(super) fn settled(wanted: &Pgpool, state: &State) -> Result<ids::Ids, Vec<String>> {
    let files: Vec<(&HostName, &ids::Ids)> = wanted
        .members
        .iter()
        .filter_map(|host| {
            let file = state.hosts.get(host)?.pgpool.known()?.backends.as_ref()?;
            (!file.is_empty()).then_some((host, file))
        })
        .collect();
    ids::settle(&wanted.members, &files)
}

/// The backends file and the node id of a host, in the order of [`Observed::files`].
pub(super) fn own_files(
    wanted: &Pgpool,
    host: &HostName,
    settled: &ids::Ids,
) -> Vec<managed_file::ManagedFile> {
    let id = ids::of(settled, host).map_or_else(String::new, |id| format!("{id}\n"));
    let backends = ids::backends_file(settled, &wanted.server.data, wanted.watchdog);
    vec![
        wanted.file(host, "pgpool.ke2-backends.conf", backends),
        wanted.file(host, "pgpool_node_id", id),
    ]
}

impl Observed {
    /// Whether every question about it was answered.
    pub(super) fn answered(&self) -> bool {
        self.pgpool.known().is_some()
            && self.postgres.known().is_some()
            && self.unit.known().is_some()
    }

    pub(super) fn is_active(&self) -> bool {
        self.unit.known().is_some_and(Unit::is_active)
    }

    /// Whether its own unit, some minutes after a boot, is at work to have its standby attached.
    pub(super) fn attaches_itself(&self) -> bool {
        self.attach.known().is_some_and(Unit::is_active)
    }

    /// Why it did not answer.
    pub(super) fn silence(&self) -> &str {
        [
            self.pgpool.unknown(),
            self.postgres.unknown(),
            self.unit.unknown(),
        ]
        .into_iter()
        .flatten()
        .next()
        .unwrap_or_default()
    }

    pub(super) fn has(&self, address: &str) -> bool {
        self.interfaces.known().is_some_and(|interfaces| {
            interfaces.iter().any(|interface| {
                let mut own = interface.addresses.iter();
                own.any(|own| own.split('/').next() == Some(address))
            })
        })
    }
}

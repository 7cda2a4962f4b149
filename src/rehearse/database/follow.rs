//! What PostgreSQL of a host that stays says.

use super::choice::leave;
use super::{Pool, Promoted};
use crate::inventory::HostName;
use crate::probe::postgres::{Control, Lsn, Postgres, Server, Slot};
use crate::rehearse::fate::Fate;

impl Pool {
    /// What PostgreSQL of a host that stays says.
    pub(in crate::rehearse) fn postgres(
        &self,
        fate: &Fate,
        host: &HostName,
        postgres: &mut Postgres,
    ) {
        match &self.promoted {
            Some(promoted) if promoted.host == *host => promoted.promote(fate, postgres),
            Some(promoted) if promoted.followers.contains_key(host) => promoted.lead(postgres),
            _ => cut_off(fate, postgres),
        }
    }
}

/// Lost standbys are gone from their primary, and their slots stay (docs/failover.md); a standby of a lost host has no upstream.
fn cut_off(fate: &Fate, postgres: &mut Postgres) {
    let Some(server) = &mut postgres.server else {
        return;
    };
    server.senders.retain(|sender| !fate.is_lost(&sender.name));
    leave_slots(fate, server);
    let upstream = server.receiver.as_ref();
    if upstream.is_some_and(|receiver| fate.is_lost(&receiver.sender_host)) {
        server.receiver = None;
    }
}

fn leave_slots(fate: &Fate, server: &mut Server) {
    for slot in &mut server.slots {
        if fate.lost.values().any(|known| known.slot == slot.name) {
            slot.active = false;
        }
    }
}

impl Promoted {
    fn promote(&self, fate: &Fate, postgres: &mut Postgres) {
        postgres.standby_signal = false;
        leave(postgres, self.from, self.at);
        if let Some(control) = &mut postgres.control {
            *control = Control {
                state: "in production".to_owned(),
                timeline: self.from + 1,
                checkpoint: self.at,
                redo: self.at,
                min_recovery_end: Lsn(0),
                min_recovery_end_timeline: 0,
                ..std::mem::take(control)
            };
        }
        let Some(server) = &mut postgres.server else {
            return;
        };
        server.in_recovery = false;
        server.current = Some(self.at);
        (server.received, server.replayed, server.receiver) = (None, None, None);
        leave_slots(fate, server);
        server.senders = self.followers.values().cloned().collect();
        for follower in self.followers.keys() {
            let name = follower
                .as_str()
                .to_ascii_lowercase()
                .replace(['-', '.'], "_");
            match server.slots.iter_mut().find(|slot| slot.name == name) {
                Some(slot) => slot.active = true,
                None => server.slots.push(Slot {
                    name,
                    kind: "physical".to_owned(),
                    active: true,
                    wal_status: "reserved".to_owned(),
                    retained_bytes: Some(0),
                }),
            }
        }
        server.slots.sort_by(|one, other| one.name.cmp(&other.name));
    }

    /// `follow_primary.sh`: a running standby streams from the new primary.
    fn lead(&self, postgres: &mut Postgres) {
        leave(postgres, self.from, self.at);
        let Some(server) = &mut postgres.server else {
            return;
        };
        let mut receiver = server.receiver.take().unwrap_or_default();
        "streaming".clone_into(&mut receiver.status);
        self.host.as_str().clone_into(&mut receiver.sender_host);
        receiver.timeline = self.from + 1;
        server.receiver = Some(receiver);
    }
}

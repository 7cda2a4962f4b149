//! P6: a standby that runs and never begins to stream by itself, and whether it may be led to the primary. The modules
//! `postgres` and `pgpool` decide by the same words: the one does not wait for it, the other leads it.

use crate::inventory::HostName;
use crate::probe::postgres::{Fork, Server};

/// A server, with the timelines that its data left.
pub(crate) type Told<'a> = (&'a Server, &'a [Fork]);

/// Why a standby does not stream from the primary and never will, although nothing that it has would be lost by doing so:
/// it waits for another member, or its slot is missing. `None` when it may stream yet, when the cause is another one, and
/// when it may have what the primary lacks: with synchronous commits it can be the only one that kept a commit which was
/// acknowledged, so that a person decides.
pub(crate) fn why(
    members: &[HostName],
    primary_host: &HostName,
    standby: Told<'_>,
    primary: Told<'_>,
) -> Option<String> {
    let (own, of) = (standby.0, primary.0);
    if own
        .receiver
        .as_ref()
        .is_some_and(|it| it.status == "streaming")
    {
        return None;
    }
    let upstream = host_of(own.setting("primary_conninfo")?);
    let other = |member: &&HostName| *member != primary_host && upstream == member.as_str();
    let slot = own.setting("primary_slot_name").unwrap_or_default();
    let why = if let Some(other) = members.iter().find(other) {
        format!("it waits for {other}, and {primary_host} is the primary")
    } else if !slot.is_empty() && of.slots.iter().all(|it| it.name != slot) {
        format!("{primary_host} does not have its slot {slot}")
    } else {
        return None;
    };
    is_behind(standby, primary).then_some(why)
}

/// Whether all that a standby has is part of the primary's history.
fn is_behind((own, left): Told<'_>, (of, history): Told<'_>) -> bool {
    let Some(at) = own.received.max(own.replayed) else {
        return false;
    };
    if left.iter().any(|fork| !history.contains(fork)) {
        return false;
    }
    let end = if own.timeline == of.timeline {
        of.current
    } else {
        let fork = history.iter().find(|fork| fork.timeline == own.timeline);
        fork.map(|fork| fork.at)
    };
    end.is_some_and(|end| at <= end)
}

/// The host of a connection string: `host=ke2-server1 port=5432` or `host='ke2-server1' …`.
fn host_of(conninfo: &str) -> &str {
    let mut rest = conninfo.trim_start();
    while let Some((key, value)) = rest.split_once('=') {
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap_or((quoted, "")),
            None => value.split_once(char::is_whitespace).unwrap_or((value, "")),
        };
        if key.trim() == "host" {
            return value;
        }
        rest = after.trim_start();
    }
    ""
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{host_of, why};
    use crate::inventory::HostName;
    use crate::probe::postgres::{Fork, Lsn, Receiver, Server, Setting, Slot};

    fn fork(timeline: u32, at: u64) -> Fork {
        Fork {
            timeline,
            at: Lsn(at),
        }
    }

    fn standby(upstream: &str, timeline: u32, at: u64) -> Server {
        let setting = |name: &str, value: &str| {
            let value = value.to_owned();
            let setting = Setting {
                value,
                pending_restart: false,
            };
            (name.to_owned(), setting)
        };
        Server {
            in_recovery: true,
            timeline,
            replayed: Some(Lsn(at)),
            settings: [
                setting("primary_conninfo", &format!("host='{upstream}' port=5432")),
                setting("primary_slot_name", "c"),
            ]
            .into(),
            ..Server::default()
        }
    }

    /// The primary is `b` on timeline 2, which began at 100; `c` is the standby.
    fn of(change: impl FnOnce(&mut Server, &mut Vec<Fork>, &mut Server)) -> Option<String> {
        let members = ["a", "b", "c"].map(HostName::new);
        let (mut own, mut left) = (standby("a", 1, 90), Vec::new());
        let mut primary = Server {
            timeline: 2,
            current: Some(Lsn(200)),
            slots: vec![Slot {
                name: "c".to_owned(),
                ..Slot::default()
            }],
            ..Server::default()
        };
        change(&mut own, &mut left, &mut primary);
        why(
            &members,
            &members[1],
            (&own, &left),
            (&primary, &[fork(1, 100)]),
        )
    }

    #[test]
    fn who_waits_for_a_former_primary_or_has_no_slot_is_led() {
        assert!(of(|_, _, _| {}).unwrap().contains("waits for a"));
        let slot = of(|own, _, primary| {
            *own = standby("b", 1, 100);
            primary.slots.clear();
        });
        assert!(slot.unwrap().contains("slot c"));
        let same = of(|own, left, primary| {
            (*own, *left) = (standby("b", 2, 200), vec![fork(1, 100)]);
            primary.slots.clear();
        });
        assert!(same.is_some());
    }

    #[test]
    fn who_may_stream_yet_is_left_alone() {
        assert_eq!(of(|own, _, _| *own = standby("b", 1, 90)), None);
        assert_eq!(of(|own, _, _| *own = standby("elsewhere", 1, 90)), None);
        assert_eq!(of(|own, _, _| own.settings.clear()), None);
        let streams = |own: &mut Server| {
            own.receiver = Some(Receiver {
                status: "streaming".to_owned(),
                ..Receiver::default()
            });
        };
        assert_eq!(of(|own, _, _| streams(own)), None);
    }

    #[test]
    fn who_may_have_more_than_the_primary_is_a_persons() {
        assert_eq!(of(|own, _, _| *own = standby("a", 1, 101)), None);
        assert_eq!(of(|own, _, _| *own = standby("a", 2, 201)), None);
        assert_eq!(of(|own, _, _| *own = standby("a", 3, 90)), None);
        assert_eq!(of(|own, _, _| own.replayed = None), None);
        // Another timeline 2 than the primary's.
        assert_eq!(
            of(|own, left, _| (*own, *left) = (standby("a", 2, 150), vec![fork(1, 80)])),
            None
        );
        assert_eq!(of(|own, _, _| own.received = Some(Lsn(120))), None);
    }

    #[test]
    fn hosts_of_connection_strings() {
        assert_eq!(host_of("host=x port=5432 user=r"), "x");
        assert_eq!(host_of("user='a b' password=… host = 'x' port=1"), "x");
        assert_eq!(host_of("user=r"), "");
        assert_eq!(host_of(""), "");
    }
}

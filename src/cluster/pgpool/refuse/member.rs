//! What speaks against a member beside a primary that works.

use super::{refusal, says};
use crate::cluster::former_primary;
use crate::cluster::pgpool::table::View;
use crate::inventory::HostName;
use crate::plan::{Reach, Refusal};
use crate::probe::postgres::Postgres;

/// P3: a standby that is only stopped.
pub(in crate::cluster::pgpool) fn standby_stopped(
    view: &View<'_>,
    host: &HostName,
    postgres: &Postgres,
) -> Refusal {
    refusal(
        "P3",
        Reach::Here,
        format!("{host} has a standby that does not run; it is started, not copied anew"),
        vec![
            format!("{host}: {}", says(postgres)),
            format!("{}: is the primary", view.primary),
        ],
        "the layer postgresql starts it; when it does not stay up, its log says why (journalctl -u postgresql-…)",
    )
}

/// P4: a former primary that may have what nobody else has.
pub(in crate::cluster::pgpool) fn former_primary(
    view: &View<'_>,
    host: &HostName,
    postgres: &Postgres,
) -> Refusal {
    let mut evidence = vec![format!("{host}: {}", says(postgres))];
    let beyond = view.seen(host).and_then(|seen| seen.beyond.as_ref());
    evidence.extend(beyond.map(|beyond| beyond.says(host)));
    if let Some(primary) = view.postgres(view.primary) {
        evidence.push(format!("{}: {}", view.primary, says(primary)));
        evidence.extend(
            primary
                .history
                .iter()
                .map(|fork| format!("timeline {} was left at {}", fork.timeline, fork.at)),
        );
    }
    refusal(
        "P4",
        Reach::Here,
        format!(
            "{host} was a primary, and whether it has commits that {} lacks cannot be excluded: it is neither started nor replaced",
            view.primary
        ),
        evidence,
        &match &postgres.control {
            Some(control) => format!(
                "when nothing of that is needed, run again with `--allow {}`: its data directory is kept aside, and it is copied anew",
                former_primary::allowance(host, control)
            ),
            None => "see with `pg_waldump` what is past the fork; when nothing of it is needed, move its data directory aside by hand, and run again: it is then copied anew".to_owned(),
        },
    )
}

/// P6: a standby that does not stream.
pub(in crate::cluster::pgpool) fn does_not_stream(
    view: &View<'_>,
    host: &HostName,
    postgres: &Postgres,
) -> Refusal {
    let mut evidence = vec![format!("{host}: {}", says(postgres))];
    if let Some(receiver) = postgres
        .server
        .as_ref()
        .and_then(|server| server.receiver.as_ref())
    {
        evidence.push(format!(
            "{host}: its receiver is {} from {}:{}, slot `{}`",
            receiver.status, receiver.sender_host, receiver.sender_port, receiver.slot
        ));
    }
    if let Some(primary) = view.postgres(view.primary).and_then(Postgres::primary) {
        let senders: Vec<&str> = primary.senders.iter().map(|sender| &*sender.name).collect();
        evidence.push(format!("{}: sends to {}", view.primary, senders.join(", ")));
    }
    refusal(
        "P6",
        Reach::Here,
        format!(
            "{host} runs as a standby and does not stream from {}",
            view.primary
        ),
        evidence,
        "look at primary_conninfo, the slot and the log of that host; a recovery would need it stopped: `systemctl stop postgresql-…` there when its copy is not worth keeping, move its data directory aside, and run again",
    )
}

/// P0: something else is at the place of the data directory.
pub(in crate::cluster::pgpool) fn foreign_data(
    view: &View<'_>,
    host: &HostName,
    postgres: &Postgres,
) -> Refusal {
    refusal(
        "P0",
        Reach::Here,
        format!("the data directory of {host} holds something that is not PostgreSQL's"),
        vec![format!(
            "{host}: {}: {}",
            view.wanted.server.data,
            says(postgres)
        )],
        "look at it, move it away by hand, and run again",
    )
}

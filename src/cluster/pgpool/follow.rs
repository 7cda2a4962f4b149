//! P6: a running standby that never begins to stream by itself is led to the primary.

use super::table::View;
use crate::cluster::astray;
use crate::inventory::HostName;
use crate::plan::{
    Act, Claim, Class, Expect, PgpoolAct, PgpoolExpect, PostgresExpect, Step, StepId,
};
use crate::probe::Query;
use crate::probe::postgres::Postgres;

/// Why it is to be led; `None` when it may stream yet, or is a person's.
pub(super) fn why(view: &View<'_>, standby: &Postgres) -> Option<String> {
    let primary = view.postgres(view.primary)?;
    let own = (standby.standby()?, &*standby.history);
    let of = (primary.primary()?, &*primary.history);
    astray::why(&view.wanted.members, view.primary, own, of)
}

/// That a standby streams.
pub(super) fn streams(view: &View<'_>, host: &HostName) -> Claim {
    server(view, host, PostgresExpect::Streaming)
}

fn server(view: &View<'_>, host: &HostName, expect: PostgresExpect) -> Claim {
    let query = Query::Postgres(view.wanted.server.clone());
    Claim::new(host, query, Expect::Postgres(expect))
}

/// On its own host: the script there keeps its slot on the primary, and gives it new settings.
pub(super) fn step(view: &View<'_>, host: &HostName, node: u32, why: String) -> Step {
    let act = PgpoolAct::Follow {
        node,
        host: host.to_string(),
        data: view.wanted.server.data.clone(),
        primary: view.primary.to_string(),
        about: view.wanted.about.clone(),
    };
    let id = StepId::new(&["pgpool", "follow", host.as_str()]);
    Step::new(id, host, Class::Repair, why, Act::Pgpool(act))
        .need(server(view, view.primary, PostgresExpect::Primary))
        .need(server(view, host, PostgresExpect::Standby))
        .need(view.says(view.speaker(), PgpoolExpect::Idle))
        .done(streams(view, host))
}

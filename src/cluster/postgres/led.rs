//! P6: a standby that runs and never begins to stream by itself.

use super::state::Here;
use super::{Postgres, State};
use crate::cluster::astray;
use crate::inventory::HostName;
use crate::plan::Advice;
use crate::probe::postgres::Server;

/// P6: what stands for it in the plan, also of a playbook without Pgpool-II.
pub(super) fn by_pgpool(
    of: &Postgres,
    state: &State,
    member: &HostName,
    primary: &HostName,
) -> Option<Advice> {
    let told = |host: &HostName| match of.here(state, host) {
        Here::Running(disk, server, _) => Some((&**server, &*disk.history)),
        _ => None,
    };
    let why = astray::why(&of.members, primary, told(member)?, told(primary)?)?;
    Some(Advice {
        code: "P6".to_owned(),
        host: Some(member.clone()),
        text: format!(
            "{why}, and it has nothing that {primary} lacks: Pgpool-II's scripts lead it there"
        ),
    })
}

/// Whether a standby streams.
pub(super) fn is_streaming(server: &Server) -> bool {
    server
        .receiver
        .as_ref()
        .is_some_and(|receiver| receiver.status == "streaming")
}

//! P18: slots that hold WAL back for nobody.

use super::table::View;
use crate::plan::{Advice, Decision};
use crate::probe::postgres::Postgres;

/// Tells of each.
pub(super) fn told(view: &View<'_>, decision: &mut Decision) {
    let Some(server) = view.postgres(view.primary).and_then(Postgres::primary) else {
        return;
    };
    for slot in server.slots.iter().filter(|slot| !slot.active) {
        let owner =
            view.wanted.members.iter().find(|host| {
                host.as_str().to_ascii_lowercase().replace(['-', '.'], "_") == slot.name
            });
        // A standby that is being made, or repaired in this run, takes it up again.
        let awaited = owner.is_some_and(|host| {
            host != view.primary && decision.steps.iter().any(|step| step.subject == *host)
        });
        if !awaited {
            decision.advice.push(Advice {
                code: "P18".to_owned(),
                host: Some(view.primary.clone()),
                text: format!(
                    "the replication slot {} is used by nobody and holds back {} bytes of WAL; max_slot_wal_keep_size bounds it. When its standby is gone for good: select pg_drop_replication_slot('{}')",
                    slot.name,
                    slot.retained_bytes.unwrap_or_default(),
                    slot.name
                ),
            });
        }
    }
}

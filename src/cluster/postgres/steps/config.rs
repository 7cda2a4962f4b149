//! The configuration files: our blocks, what the server has read of them, what only a restart brings.

use super::super::block;
use super::super::table::claim;
use super::super::{Postgres, State, refuse};
use crate::inventory::HostName;
use crate::plan::{
    Act, Advice, Class, Content, Decision, PostgresAct, PostgresExpect, Step, StepId, UnitVerb,
};
use crate::probe::postgres::Server;

/// A standby whose value is below its primary's does not start, or stops replaying.
/// Source: PostgreSQL documentation, chapter 27.4.3.
const AT_LEAST_AS_PRIMARY: &[&str] = &[
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
];

/// Puts the blocks into the files where they are missing or differ.
pub(super) fn blocks(of: &Postgres, state: &State, host: &HostName, decision: &mut Decision) {
    let observed = state.hosts.get(host);
    for (what, path, lines) in of.blocks() {
        let now = observed.and_then(|observed| observed.file(&path));
        let known = observed.is_some_and(|observed| observed.files.contains_key(&path));
        let (act, class, why) = match now {
            Some(now) if Postgres::holds_block(now, lines) => continue,
            Some(now) => (
                Act::WriteFile {
                    content: Content::plain(block::set(now, lines)),
                    before: Some(Content::plain(now)),
                    mode: None,
                    owner: None,
                    group: None,
                    path: path.clone(),
                },
                Class::Repair,
                "our block is missing from it or differs",
            ),
            // The file is there and could not be read: nothing is known of it.
            None if known => continue,
            None => (
                Act::Postgres(PostgresAct::Block {
                    path: path.clone(),
                    lines: lines.to_owned(),
                }),
                Class::Repair,
                "initdb makes the file; the rest of it is not known before",
            ),
        };
        let id = StepId::new(&["postgres", what, host.as_str()]);
        decision.steps.push(Step::new(id, host, class, why, act));
    }
}

/// P1: what a reload brings, and what no reload does.
pub(super) fn load(
    of: &Postgres,
    host: &HostName,
    server: &Server,
    loaded: bool,
    decision: &mut Decision,
) {
    let id = StepId::new(&["postgres", "reload", host.as_str()]);
    let writes = decision
        .steps
        .iter()
        .any(|step| step.subject == *host && step.id != id && is_file(step));
    if !server.file_errors.is_empty() && !writes {
        decision.refusals.push(refuse::bad_files(host, server));
        return;
    }
    if !loaded || writes {
        let step = Step::new(
            id,
            host,
            Class::Repair,
            "its configuration files are newer than what it has read",
            Act::Postgres(PostgresAct::Reload {
                bin: of.about.bin.clone(),
                data: of.about.data.clone(),
            }),
        );
        let step = step.done(claim(of, host, PostgresExpect::Loaded));
        decision.steps.push(step);
        return;
    }
    for (name, wanted) in &of.settings {
        let Some(set) = server.settings.get(name) else {
            continue;
        };
        if !set.pending_restart && !same(&set.value, wanted) {
            decision.advice.push(Advice {
                code: "P1".to_owned(),
                host: Some(host.clone()),
                text: format!(
                    "{name} is {} on {host}, and our block says {wanted}: something after the block overrides it (ALTER SYSTEM, or a later line)",
                    set.value
                ),
            });
        }
    }
}

fn is_file(step: &Step) -> bool {
    matches!(
        step.act,
        Act::WriteFile { .. } | Act::Postgres(PostgresAct::Block { .. })
    )
}

/// Only what `pg_settings` says waits for it: standbys one by one, the primary never by itself (ruling 5).
pub(super) fn restart(
    of: &Postgres,
    state: &State,
    host: &HostName,
    server: &Server,
    loaded: bool,
    decision: &mut Decision,
) {
    let pending: Vec<&str> = server.pending_restart().collect();
    if pending.is_empty() || !loaded {
        return;
    }
    if !server.in_recovery {
        let refusal = refuse::primary_restart(of, state, host, server);
        decision.refusals.push(refusal);
        return;
    }
    let primary = of
        .members
        .iter()
        .find_map(|member| of.here(state, member).primary());
    let lower = |name: &&str| {
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
        let wanted = of.settings.iter().find(|(setting, _)| setting == name);
        let wanted = number(wanted.map(|(_, value)| &**value));
        AT_LEAST_AS_PRIMARY.contains(name)
            && wanted < number(primary.and_then(|primary| primary.setting(name)))
    };
    if let Some(name) = pending.iter().copied().find(lower) {
        decision.refusals.push(refuse::lower_first(host, name));
        return;
    }
    let step = Step::new(
        StepId::new(&["postgres", "restart", host.as_str()]),
        host,
        Class::Restart,
        format!("only a restart brings the new {}", pending.join(", ")),
        Act::Unit {
            unit: of.unit.clone(),
            verb: UnitVerb::Restart,
        },
    )
    .sparing_tasks()
    .need(claim(of, host, PostgresExpect::Standby))
    .done(claim(of, host, PostgresExpect::Streaming));
    decision.steps.push(step);
}

/// Whether a value of `pg_settings` is what was written. An archive command is told only while archiving is on.
fn same(is: &str, wanted: &str) -> bool {
    is.eq_ignore_ascii_case(wanted) || is == "(disabled)"
}

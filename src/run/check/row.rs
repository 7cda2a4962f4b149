//! A row that is written through the virtual address is read on the standbys.

use super::{Checks, Result};
use crate::inventory::HostName;
use crate::probe::shell::quote;
use futures_util::future::join_all;

const NAME: &str = "row";

/// Pgpool-II's port.
const PGPOOL: &str = "9999";

pub(super) async fn check(checks: &Checks<'_>) -> Vec<Result> {
    let hosts = checks.group("database");
    let Some(first) = hosts.first() else {
        return vec![Result::off(NAME, "no host is in the group `database`")];
    };
    if checks.variable(first, "database_url").is_some() {
        return vec![Result::off(
            NAME,
            "the database is an external one (`database_url`)",
        )];
    }
    let Some(address) = checks.variable(first, "cluster_vip") else {
        return vec![Result::off(NAME, "there is no `cluster_vip`")];
    };
    let table = format!("provision_test_{}", checks.nonce);
    let nonce = &checks.nonce;
    let write =
        format!("create table {table} (nonce text); insert into {table} values ('{nonce}')");
    let written = psql(checks, first, &address, PGPOOL, &write).await;
    let mut results = vec![Result::of(
        NAME,
        first,
        written
            .clone()
            .map(|_| format!("wrote through {address}:{PGPOOL}")),
    )];
    if written.is_ok() {
        let read = join_all(hosts.iter().map(|host| read(checks, host, &table))).await;
        let standbys = read.iter().flatten().count();
        results.extend(read.into_iter().flatten());
        if standbys == 0 {
            let none = "no host of the group `database` is a standby".to_owned();
            results.push(Result::of(NAME, first, Err(none)));
        }
    }
    let drop = format!("drop table if exists {table}");
    if let Err(said) = psql(checks, first, &address, PGPOOL, &drop).await
        && written.is_ok()
    {
        let left = format!("the table {table} could not be dropped: {said}");
        results.push(Result::of(NAME, first, Err(left)));
    }
    results
}

/// Nothing for the primary.
async fn read(checks: &Checks<'_>, host: &HostName, table: &str) -> Option<Result> {
    let place = checks.address(host);
    let mut last = Err("no answer".to_owned());
    for _ in 0..10 {
        let role = psql(checks, host, &place, "5432", "select pg_is_in_recovery()").await;
        match role.as_deref() {
            Ok("f") => return None,
            Ok(_) => {}
            Err(said) => return Some(Result::of(NAME, host, Err(said.to_owned()))),
        }
        last = psql(
            checks,
            host,
            &place,
            "5432",
            &format!("select nonce from {table}"),
        )
        .await;
        if last.as_deref() == Ok(&checks.nonce) {
            let says = format!("read on the standby at {place}:5432");
            return Some(Result::of(NAME, host, Ok(says)));
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    Some(Result::of(
        NAME,
        host,
        Err(format!(
            "the row did not come to the standby at {place}: {last:?}"
        )),
    ))
}

/// The password is the first line of standard input, and goes on in the environment of psql alone.
async fn psql(
    checks: &Checks<'_>,
    on: &HostName,
    address: &str,
    port: &str,
    sql: &str,
) -> std::result::Result<String, String> {
    let variable = |name: &str| checks.variable(on, name).unwrap_or_default();
    let script = format!(
        "p=$(command -v psql || echo /usr/pgsql-{}/bin/psql); cd /\n\
         IFS= read -r PGPASSWORD; export PGPASSWORD PGCONNECT_TIMEOUT=10\n\
         exec \"$p\" -XAtq -w -v ON_ERROR_STOP=1 -h {} -p {port} -U {} -d {}",
        variable("postgres_version"),
        quote(address),
        quote(&variable("pg_kompira_user")),
        quote(&variable("pg_kompira_db"))
    );
    let stdin = format!("{}\n{sql};\n", variable("pg_kompira_pass"));
    checks.remote.check(on, script, stdin.into_bytes()).await
}

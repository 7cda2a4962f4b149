//! A file that is written on one host is read on the others.

use super::{Checks, Result};
use crate::inventory::HostName;
use crate::probe::shell::quote;
use futures_util::future::join_all;

const NAME: &str = "file";

pub(super) async fn check(checks: &Checks<'_>) -> Vec<Result> {
    let hosts = checks.group("kompira");
    let Some((writer, readers)) = hosts.split_first() else {
        return vec![Result::off(NAME, "no host is in the group `kompira`")];
    };
    let share = checks.variable(writer, "shared_dir").unwrap_or_default();
    let path = format!("{share}/.provision-test-{}", checks.nonce);
    let write = format!(
        "f={}; set -C; printf %s {} >\"$f\" && sync -- \"$f\"",
        quote(&path),
        quote(&checks.nonce)
    );
    let written = checks.remote.check(writer, write, Vec::new()).await;
    let mut results = match written {
        Err(said) => vec![Result::of(NAME, writer, Err(format!("{path}: {said}")))],
        Ok(_) => {
            let read = join_all(readers.iter().map(|host| read(checks, host, &path))).await;
            let wrote = Ok(format!("wrote {path}"));
            let mut results = vec![Result::of(NAME, writer, wrote)];
            results.extend(read);
            results
        }
    };
    let remove = format!("rm -f -- {}", quote(&path));
    if let Err(said) = checks.remote.check(writer, remove, Vec::new()).await {
        let left = format!("{path} could not be removed: {said}");
        results.push(Result::of(NAME, writer, Err(left)));
    }
    results
}

async fn read(checks: &Checks<'_>, host: &HostName, path: &str) -> Result {
    // What another host knows of a directory may be a second old.
    let script = format!(
        "for n in 1 2 3 4 5 6 7 8 9 10; do\n\
         said=$(cat -- {} 2>&1); [ \"$said\" = {} ] && exit; sleep 1; done\n\
         printf '%s\\n' \"$said\" >&2; exit 1",
        quote(path),
        quote(&checks.nonce)
    );
    let found = checks.remote.check(host, script, Vec::new()).await;
    let found = found
        .map(|_| format!("read {path}"))
        .map_err(|said| format!("{path}: {said}"));
    Result::of(NAME, host, found)
}

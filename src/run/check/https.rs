//! The application answers over HTTPS on every host, and the certificate is one that clients of the
//! cluster's authority accept for that host's name.

use super::{Checks, Result};
use crate::inventory::HostName;
use crate::probe::shell::quote;
use futures_util::future::join_all;

const NAME: &str = "https";

pub(super) async fn check(checks: &Checks<'_>) -> Vec<Result> {
    let hosts = checks.kompira();
    if hosts.is_empty() {
        return vec![Result::off(NAME, super::NO_KOMPIRA)];
    }
    join_all(hosts.iter().map(|host| one(checks, host))).await
}

async fn one(checks: &Checks<'_>, host: &HostName) -> Result {
    let variable = |name: &str| checks.variable(host, name).unwrap_or_default();
    let authority = format!(
        "{}/{}.crt",
        variable("kompira_ssl_dir"),
        variable("ca_name")
    );
    let address = checks.address(host);
    let resolve = format!("{host}:443:{address}");
    // Some patience: after a deployment the application prepares itself while its tasks run already.
    let script = format!(
        "end=$(($(date +%s) + 40))\n\
         while :; do\n\
         said=$(curl --silent --show-error --max-time 10 --output /dev/null --write-out '%{{http_code}}' --cacert {} --resolve {} {} 2>&1)\n\
         [ \"$said\" != 200 ] && [ \"$(date +%s)\" -lt $end ] || break; sleep 1; done\n\
         printf %s \"$said\"; [ \"$said\" = 200 ]",
        quote(&authority),
        quote(&resolve),
        quote(&format!("https://{host}/.login"))
    );
    let found = checks.remote.check(host, script, Vec::new()).await;
    let found = found
        .map(|code| format!("https://{host}/.login at {address} answers {code}"))
        .map_err(|said| format!("https://{host}/.login at {address}: {said}"));
    Result::of(NAME, host, found)
}

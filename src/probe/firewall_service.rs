//! What a service of firewalld stands for, now and after a restart. A definition is replaced by the package of
//! the program that it is about, and firewalld reads it again only when it is told to.

use super::Seen;
use super::shell::quote;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The definition of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    /// The ports that it stands for now, `24007/tcp`, `49152-60999/tcp`.
    pub runtime: BTreeSet<String>,
    /// The ports that it will stand for after a restart.
    pub permanent: BTreeSet<String>,
}

pub(super) fn script(name: &str) -> String {
    format!(
        r#"s={}
b() {{ busctl --json=short call org.fedoraproject.FirewallD1 "$@" 2>&1; }}
p=/org/fedoraproject/FirewallD1; i=org.fedoraproject.FirewallD1
if [ "$(systemctl is-active firewalld)" != active ]; then echo 'firewalld is not running' >&2; exit 0; fi
b $p $i getServiceSettings2 s "$s"
o=$(busctl call $i $p/config $i.config getServiceByName s "$s" 2>&1) || {{ printf '%s\n' "$o"; exit 0; }}
o=${{o#*\"}}; b "${{o%\"}}" $i.config.service getSettings2
exit 0"#,
        quote(name)
    )
}

pub(super) fn parse(stdout: &str, stderr: &str) -> Seen<Option<Service>> {
    let lines: Vec<&str> = stdout.lines().collect();
    let ports = |line: Option<&&str>| -> Option<BTreeSet<String>> {
        let value: serde_json::Value = serde_json::from_str(line?).ok()?;
        let list = value.get("data")?.get(0)?.get("ports").cloned();
        let pairs = list.and_then(|list| list.get("data")?.as_array().cloned());
        let text = |pair: serde_json::Value| {
            Some(format!(
                "{}/{}",
                pair.get(0)?.as_str()?,
                pair.get(1)?.as_str()?
            ))
        };
        Some(pairs.into_iter().flatten().filter_map(text).collect())
    };
    match (ports(lines.first()), ports(lines.get(1))) {
        (None, None) if stdout.contains("INVALID_SERVICE") => Seen::Is(None),
        (None, None) => Seen::Unknown(format!(
            "firewalld did not say what the service is: {} {}",
            stdout.trim(),
            stderr.trim()
        )),
        (runtime, permanent) => Seen::Is(Some(Service {
            runtime: runtime.unwrap_or_default(),
            permanent: permanent.unwrap_or_default(),
        })),
    }
}

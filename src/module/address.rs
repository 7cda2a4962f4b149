//! The address that the other members of a cluster reach a host at.

use super::{Context, Unfit};
use crate::inventory::HostName;
use crate::yaml::Diagnostic;
use std::net::IpAddr;

/// `advertise_address`, else the address that the inventory connects to, else the name when it is an address.
pub fn of(context: &Context<'_>, host: &HostName) -> Result<IpAddr, Unfit> {
    let mut wrong = None;
    for name in ["advertise_address", "ansible_host"] {
        let Some(node) = (context.variable)(host, name)? else {
            continue;
        };
        match node.scalar().and_then(|text| text.parse().ok()) {
            Some(address) => return Ok(address),
            None => wrong = wrong.or(Some((name, node))),
        }
    }
    if let Ok(address) = host.as_str().parse() {
        return Ok(address);
    }
    let hint = format!("set `advertise_address` of {host} to its address in the cluster's network");
    Err(match wrong {
        Some((name, node)) => Diagnostic::new(
            &node.span,
            format!(
                "`{name}` of {host} is `{}`, which is no IP address",
                node.scalar().unwrap_or_default()
            ),
        )
        .hint(hint)
        .into(),
        None => {
            let span = crate::yaml::Span::builtin("inventory");
            Diagnostic::new(&span, format!("the inventory gives no address of {host}"))
                .hint(hint)
                .into()
        }
    })
}

//! What a host is in the swarm, from the inventory's variables and the task's arguments.

use crate::inventory::HostName;
use crate::module::{Args, Context, Unfit};
use crate::yaml::{Diagnostic, Value};
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub(super) fn advertise_address(
    host: &HostName,
    args: &Args<'_>,
    context: &Context<'_>,
) -> Result<String, Unfit> {
    let given = match (context.variable)(host, "advertise_address")? {
        Some(node) => Some(node),
        None => (context.variable)(host, "ansible_host")?,
    };
    let Some(node) = given else {
        return Err(args.wrong(format!(
            "the swarm needs the IPv4 address of {host}: set `advertise_address` (or `ansible_host`) for it"
        )));
    };
    let text = node.scalar().unwrap_or_default();
    // A name could resolve to an address that moves, and Docker keeps what it was given for ever.
    if text.parse::<Ipv4Addr>().is_err() {
        let problem =
            format!("the swarm needs an IPv4 address for {host}, and `{text}` is not one");
        return Err(Diagnostic::new(&node.span, problem)
            .hint("set `advertise_address` for the host")
            .into());
    }
    Ok(text)
}

pub(super) fn node_labels(
    host: &HostName,
    context: &Context<'_>,
) -> Result<BTreeMap<String, String>, Unfit> {
    let Some(node) = (context.variable)(host, "node_labels")? else {
        return Ok(BTreeMap::new());
    };
    if !matches!(node.value, Value::Map(_) | Value::Null) {
        let problem = format!("`node_labels` is a mapping, not {}", node.kind());
        return Err(Diagnostic::new(&node.span, problem).into());
    }
    node.entries()
        .iter()
        .map(|entry| match entry.node.scalar() {
            Some(value) => Ok((entry.key.clone(), value)),
            None => {
                let problem = format!(
                    "the label `{}` is a string, not {}",
                    entry.key,
                    entry.node.kind()
                );
                Err(Diagnostic::new(&entry.node.span, problem).into())
            }
        })
        .collect()
}

pub(super) fn pools(args: &Args<'_>, name: &str, subnet_size: u8) -> Result<Vec<Ipv4Net>, Unfit> {
    let mut pools = Vec::new();
    for text in args.list(name) {
        let problem = match text.parse::<Ipv4Net>() {
            Ok(net) if net.trunc() != net => {
                format!("`{text}` has host bits; the network is {}", net.trunc())
            }
            Ok(net) if net.prefix_len() > subnet_size => {
                format!("`{text}` is smaller than one subnet of /{subnet_size}")
            }
            Ok(net) => {
                pools.push(net);
                continue;
            }
            Err(_) => format!("`{text}` is no IPv4 network, such as 172.30.0.0/16"),
        };
        return Err(args.wrong_at(name, problem));
    }
    Ok(pools)
}

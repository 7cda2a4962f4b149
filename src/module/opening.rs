//! What a firewall lets in: the items of a task, and whether a zone covers them.

use super::{Args, Unfit};
use crate::plan::FirewallItem;
use crate::probe::firewall::Openings;

/// The items that `ports`, `services` and `protocols` name, in this order.
pub fn from_args(args: &Args<'_>) -> Result<Vec<FirewallItem>, Unfit> {
    let mut items = Vec::new();
    for text in args.list("ports") {
        if ports(&text).is_none() {
            return Err(args.wrong_at(
                "ports",
                format!("`{text}` is no port: write `2377/tcp`, `7946/udp` or `49152-60999/tcp`"),
            ));
        }
        items.push(FirewallItem::Port(text));
    }
    let word = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
    };
    for name in ["services", "protocols"] {
        for text in args.list(name) {
            if !word(&text) {
                return Err(
                    args.wrong_at(name, format!("`{text}` is no name that firewalld takes"))
                );
            }
            items.push(match name {
                "services" => FirewallItem::Service(text),
                _ => FirewallItem::Protocol(text),
            });
        }
    }
    Ok(items)
}

/// Whether that is a port, or a range of them, with its protocol.
pub fn is_port(text: &str) -> bool {
    ports(text).is_some()
}

/// First port, last port and protocol of `7946/udp` or `49152-60999/tcp`.
fn ports(text: &str) -> Option<(u16, u16, &str)> {
    let (range, protocol) = text.split_once('/')?;
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    let known = ["tcp", "udp", "sctp", "dccp"].contains(&protocol);
    (known && first > 0 && first <= last).then_some((first, last, protocol))
}

/// Whether it comes in. firewalld joins ranges that overlap, so a port may be inside of another entry.
pub fn lets_in(openings: &Openings, item: &FirewallItem) -> bool {
    match item {
        FirewallItem::Service(name) => openings.services.contains(name),
        FirewallItem::Protocol(name) => openings.protocols.contains(name),
        FirewallItem::Port(text) => {
            let Some((mut next, last, protocol)) = ports(text) else {
                return false;
            };
            let mut ranges: Vec<(u16, u16)> = openings
                .ports
                .iter()
                .filter_map(|entry| ports(entry))
                .filter(|(_, _, other)| *other == protocol)
                .map(|(first, last, _)| (first, last))
                .collect();
            ranges.sort_unstable();
            for (first, end) in ranges {
                if first <= next && next <= end {
                    if end >= last {
                        return true;
                    }
                    next = end + 1;
                }
            }
            false
        }
    }
}

/// The items in a list.
pub fn names(items: &[FirewallItem], separator: &str) -> String {
    items
        .iter()
        .map(|item| item.option().1)
        .collect::<Vec<_>>()
        .join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_within_a_range_comes_in() {
        let openings = Openings {
            ports: ["2377/tcp", "7000-7999/udp", "100-150/tcp", "140-200/tcp"]
                .map(str::to_owned)
                .into(),
            ..Openings::default()
        };
        let open = |text: &str| lets_in(&openings, &FirewallItem::Port(text.to_owned()));
        assert!(open("2377/tcp") && open("7946/udp") && open("100-200/tcp"));
        assert!(!open("2377/udp") && !open("7946/tcp") && !open("100-201/tcp") && !open("99/tcp"));
        let full = Openings {
            ports: ["1-65535/tcp".to_owned()].into(),
            ..Openings::default()
        };
        assert!(lets_in(&full, &FirewallItem::Port("65535/tcp".to_owned())));
    }

    #[test]
    fn only_ports_are_ports() {
        for bad in [
            "2377",
            "0/tcp",
            "70000/tcp",
            "9-8/tcp",
            "1/icmp",
            "a/tcp",
            "/tcp",
        ] {
            assert_eq!(ports(bad), None, "{bad}");
        }
        assert_eq!(ports("49152-60999/tcp"), Some((49152, 60999, "tcp")));
    }
}

//! The zone of firewalld that filters what the other hosts of the cluster send.

use super::refusal::{NO_ZONE, refuse};
use super::{Args, Context, Unfit, address};
use crate::inventory::HostName;
use crate::plan::Refusal;
use crate::probe::firewall::Firewall;
use crate::probe::network::Interface;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// How a task says which zone it means.
#[derive(Clone, Debug)]
pub enum Place {
    /// By its name.
    Zone(String),
    /// The one of an interface.
    Interface(String),
    /// The one that the others of the play come in through.
    Cluster {
        /// The host's own address in the cluster.
        own: IpAddr,
        /// Those of the others.
        others: Vec<IpAddr>,
    },
}

impl Place {
    /// From the arguments `zone` and `interface`.
    pub fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        match (args.text("zone"), args.text("interface")) {
            (Some(zone), None) => Ok(Self::Zone(zone)),
            (None, Some(interface)) => Ok(Self::Interface(interface)),
            (Some(_), Some(_)) => {
                Err(args.wrong_at("interface", "give `zone` or `interface`, not both"))
            }
            (None, None) => Ok(Self::Cluster {
                own: address::of(context, context.host)?,
                // One whose address is not known is no reason not to know the own zone.
                others: context
                    .group
                    .iter()
                    .filter(|host| *host != context.host)
                    .filter_map(|host| address::of(context, host).ok())
                    .collect(),
            }),
        }
    }

    /// The zone.
    ///
    /// # Errors
    /// The refusal when it cannot be told.
    pub fn zone<'a>(
        &'a self,
        host: &HostName,
        firewall: &'a Firewall,
        interfaces: &[Interface],
    ) -> Result<&'a str, Box<Refusal>> {
        let (own, others) = match self {
            Self::Zone(zone) => return Ok(zone),
            Self::Interface(interface) => return Ok(firewall.zone_of(interface)),
            Self::Cluster { own, others } => (own, others),
        };
        let holds = |interface: &&Interface| {
            interface.addresses.iter().any(|address| {
                let bare = address.split('/').next().unwrap_or_default();
                bare.parse() == Ok(*own)
            })
        };
        let Some(interface) = interfaces.iter().find(holds) else {
            return Err(Box::new(nowhere(host, *own, interfaces)));
        };
        let usual = firewall.zone_of(&interface.name);
        let zones: BTreeSet<&str> = others
            .iter()
            .map(|other| firewall.zone_of_source(*other).unwrap_or(usual))
            .collect();
        match zones.len() {
            0 => Ok(usual),
            1 => Ok(zones.into_iter().next().unwrap_or(usual)),
            _ => Err(Box::new(several(host, others, firewall, usual))),
        }
    }
}

fn nowhere(host: &HostName, own: IpAddr, interfaces: &[Interface]) -> Refusal {
    let evidence = interfaces
        .iter()
        .map(|one| format!("{host}: {} has {}", one.name, one.addresses.join(" ")))
        .collect();
    refuse(
        host,
        NO_ZONE,
        format!("no interface of {host} has its cluster address {own}, so its zone cannot be told"),
        evidence,
        "correct `advertise_address` in the inventory, or name the `zone:` of the task",
    )
}

fn several(host: &HostName, others: &[IpAddr], firewall: &Firewall, usual: &str) -> Refusal {
    let evidence = others
        .iter()
        .map(|other| {
            let zone = firewall.zone_of_source(*other).unwrap_or(usual);
            format!("{host}: what comes from {other} is filtered by the zone {zone}")
        })
        .collect();
    refuse(
        host,
        NO_ZONE,
        format!("the other hosts reach {host} through more than one zone of firewalld"),
        evidence,
        "bind their addresses to one zone, or write a task with `zone:` for each",
    )
}

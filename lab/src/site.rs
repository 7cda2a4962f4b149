//! Names and addresses of a lab's hosts, and the network they are in.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// An IPv4 network.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Network {
    /// Its first address.
    base: Ipv4Addr,
    /// Length of the prefix, in bits.
    prefix: u8,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            base: Ipv4Addr::new(10, 20, 0, 0),
            prefix: 24,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}/{}", self.base, self.prefix)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("`{text}` is not a network such as 10.40.0.0/23");
        let (base, prefix) = text.split_once('/').ok_or_else(wanted)?;
        let network = Self {
            base: base.parse().map_err(|_| wanted())?,
            prefix: prefix.parse().map_err(|_| wanted())?,
        };
        if !(16..=29).contains(&network.prefix) {
            return Err(format!("{text}: the prefix must be between 16 and 29"));
        }
        if network.at(0) != network.base {
            let first = network.at(0);
            return Err(format!(
                "{text} has host bits set; do you mean {first}/{prefix}?"
            ));
        }
        Ok(network)
    }
}

impl Network {
    /// Length of the prefix, in bits.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    fn size(self) -> u32 {
        1 << (32 - u32::from(self.prefix))
    }

    /// The address at that place in the network.
    fn at(self, place: u32) -> Ipv4Addr {
        Ipv4Addr::from((u32::from(self.base) & !(self.size() - 1)) | place)
    }

    /// The lab's side of the bridge: name server, mirror, clock and default gateway. The last
    /// address that a host could have.
    pub fn gateway(self) -> Ipv4Addr {
        self.at(self.size() - 2)
    }

    fn can_hold(self, address: Ipv4Addr) -> bool {
        let place = u32::from(address).wrapping_sub(u32::from(self.base));
        place > 0 && place < self.size() - 1 && address != self.gateway()
    }
}

/// A host that was asked for by name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Named {
    name: String,
    address: Option<Ipv4Addr>,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, address) = match text.split_once('=') {
            None => (text, None),
            Some((name, address)) => {
                let parsed = address.parse();
                let parsed = parsed.map_err(|_| format!("`{address}` is not an IPv4 address"))?;
                (name, Some(parsed))
            }
        };
        let label = |label: &str| {
            let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(letters)
        };
        // `lab repo all down` means all hosts, and the lab's services have a control group beside theirs.
        if name.len() > 60 || ["all", "services"].contains(&name) || !name.split('.').all(label) {
            return Err(format!("`{name}` cannot be a host's name"));
        }
        Ok(Self {
            name: name.to_owned(),
            address,
        })
    }
}

/// What a lab's hosts are called, and where they are.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Site {
    /// The network they are in.
    pub network: Network,
    /// Their names; empty means ke2-server1 and so on.
    names: Vec<Named>,
}

impl Site {
    /// A site whose hosts have names and addresses of their own, all of which fit.
    pub fn new(network: Network, names: Vec<Named>, hosts: u8) -> Result<Self> {
        let site = Self { network, names };
        let mut seen = BTreeSet::new();
        for number in 1..=hosts {
            let (name, address) = (site.name(number), site.address(number));
            if !network.can_hold(address) {
                bail!(
                    "{name} cannot have the address {address} in {network}, where the gateway is {}",
                    network.gateway()
                );
            }
            if !seen.insert(name.clone()) || !seen.insert(address.to_string()) {
                bail!("two hosts have the name {name} or the address {address}");
            }
        }
        Ok(site)
    }

    fn named(&self, number: u8) -> Option<&Named> {
        self.names.get(usize::from(number).checked_sub(1)?)
    }

    /// Name of the host of that number, counted from 1.
    pub fn name(&self, number: u8) -> String {
        let named = self.named(number).map(|named| named.name.clone());
        named.unwrap_or_else(|| format!("ke2-server{number}"))
    }

    /// Address of the host of that number: the network's, in order, unless it was given one.
    pub fn address(&self, number: u8) -> Ipv4Addr {
        let given = self.named(number).and_then(|named| named.address);
        given.unwrap_or_else(|| self.network.at(number.into()))
    }
}

/// How many hosts a command line asks for: as many as it names, or `hosts`.
pub fn count(hosts: Option<u8>, names: &[Named]) -> Result<u8> {
    match (hosts, names.len()) {
        (hosts, 0) => Ok(hosts.unwrap_or(3)),
        (_, named) => u8::try_from(named)
            .ok()
            .filter(|count| *count <= 200)
            .context("a lab has at most 200 hosts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_options_it_is_the_documents_site() {
        let site = Site::default();
        assert_eq!(site.name(3), "ke2-server3");
        assert_eq!(site.address(3).to_string(), "10.20.0.3");
        assert_eq!(site.network.gateway().to_string(), "10.20.0.254");
        // Labs made before there was a choice.
        let site: Site = serde_json::from_str::<Option<Site>>("null")
            .unwrap()
            .unwrap_or_default();
        assert_eq!(site, Site::default());
    }

    #[test]
    fn a_site_of_other_names_in_a_wider_network() {
        let names = ["db-a=10.40.1.7", "db-b.example"].map(|name| name.parse().unwrap());
        let site = Site::new("10.40.0.0/23".parse().unwrap(), names.to_vec(), 2).unwrap();
        assert_eq!(site.address(1).to_string(), "10.40.1.7");
        assert_eq!(
            (site.name(2).as_str(), site.address(2).to_string().as_str()),
            ("db-b.example", "10.40.0.2")
        );
        assert_eq!(site.network.gateway().to_string(), "10.40.1.254");
        assert_eq!(site.network.to_string(), "10.40.0.0/23");
    }

    #[test]
    fn what_cannot_be_a_site_is_refused() {
        for network in [
            "10.40.0.0",
            "10.40.0.1/23",
            "10.40.0.0/8",
            "x/24",
            "10.40.0.0/30",
        ] {
            assert!(network.parse::<Network>().is_err(), "{network}");
        }
        for name in ["", "all", "services", "-a", "a b", "A", "a=1", "a..b"] {
            assert!(name.parse::<Named>().is_err(), "{name}");
        }
        let network: Network = "10.40.0.0/29".parse().unwrap();
        for names in [
            "a,a",
            "a=10.40.0.6",
            "a=10.41.0.1",
            "a=10.40.0.2,b",
            "a=10.40.0.7",
        ] {
            let names: Vec<Named> = names.split(',').map(|name| name.parse().unwrap()).collect();
            let hosts = count(None, &names).unwrap();
            assert!(
                Site::new(network, names.clone(), hosts).is_err(),
                "{names:?}"
            );
        }
        assert!(Site::new(network, Vec::new(), 6).is_err());
        assert!(Site::new(network, Vec::new(), 5).is_ok());
    }
}

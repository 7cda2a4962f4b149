//! Faults of the network between the hosts, and between the hosts and the mirror.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::cli::Reach;
use crate::host::Host;
use crate::lab::{Lab, Record};
use crate::network;
use crate::process::{run_with_input, tool};
use crate::site::Site;

/// All faults of the network that are in force.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Faults {
    /// What is lost between hosts.
    pub losses: Vec<Loss>,
    /// Hosts, by number, that cannot reach the mirror.
    pub no_mirror: BTreeMap<u8, Denial>,
}

/// What one host sends to another gets lost.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Loss {
    /// Number of the sender.
    pub from: u8,
    /// Number of the receiver.
    pub to: u8,
    /// Share that is lost, in percent.
    pub percent: u8,
}

/// How an unreachable mirror behaves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Denial {
    /// Connections are refused.
    Refused,
    /// Packets vanish.
    Silent,
}

impl Faults {
    /// The faults in force.
    pub fn load(lab: &Lab) -> Self {
        let text = fs::read_to_string(file(lab)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Loses what `a` sends to `b`, and unless `one_way` what `b` sends to `a`.
    pub fn part(&mut self, a: &Host, b: &Host, one_way: bool, percent: u8) -> Result<()> {
        if a.number == b.number {
            bail!("{} cannot be parted from itself", a.name());
        }
        self.lose(Loss {
            from: a.number,
            to: b.number,
            percent,
        });
        if !one_way {
            self.lose(Loss {
                from: b.number,
                to: a.number,
                percent,
            });
        }
        Ok(())
    }

    /// Takes the mirror away from hosts, or gives it back.
    pub fn set_mirror(&mut self, hosts: &[Host], reach: Reach, silent: bool) {
        let denial = if silent {
            Denial::Silent
        } else {
            Denial::Refused
        };
        for host in hosts {
            match reach {
                Reach::Up => self.no_mirror.remove(&host.number),
                Reach::Down => self.no_mirror.insert(host.number, denial),
            };
        }
    }

    fn lose(&mut self, loss: Loss) {
        self.losses
            .retain(|other| (other.from, other.to) != (loss.from, loss.to));
        self.losses.push(loss);
    }

    /// Puts these faults in force, instead of those that are.
    pub fn apply(&self, lab: &Lab, record: &Record) -> Result<()> {
        let text = self.rules(lab, &record.site);
        let namespace = network::path(&lab.namespace());
        // The machine may have no nft(8); the base image does.
        let mut nft = tool("nsenter");
        nft.arg(format!("--net={}", namespace.display()))
            .arg("chroot")
            .arg(&record.base)
            .args(["nft", "-f", "-"]);
        run_with_input(&mut nft, &text).context("cannot change what the lab's network loses")?;
        fs::write(file(lab), serde_json::to_string(self)?).context("cannot write the faults down")
    }

    /// nft(8) commands that replace the lab's tables in one transaction.
    fn rules(&self, lab: &Lab, site: &Site) -> String {
        let mut text = String::new();
        for table in ["bridge lab_loss", "inet lab_mirror"] {
            // Made first, so that there is one to delete.
            let _ = write!(text, "table {table} {{ }}\ndelete table {table}\n");
        }
        text += "table bridge lab_loss {\n chain between_hosts {\n  type filter hook forward priority 0; policy accept;\n";
        for loss in &self.losses {
            let (from, to) = (
                Host::new(lab, site, loss.from).mac(),
                Host::new(lab, site, loss.to).mac(),
            );
            let chance = match loss.percent {
                100 => String::new(),
                percent => format!("numgen random mod 100 < {percent} "),
            };
            let _ = writeln!(text, "  ether saddr {from} ether daddr {to} {chance}drop;");
        }
        text += " }\n}\ntable inet lab_mirror {\n chain to_mirror {\n  type filter hook input priority 0; policy accept;\n";
        for (number, denial) in &self.no_mirror {
            let verdict = match denial {
                Denial::Refused => "reject with tcp reset",
                Denial::Silent => "drop",
            };
            let address = site.address(*number);
            let _ = writeln!(
                text,
                "  ip saddr {address} tcp dport {{ 80, 443 }} {verdict};"
            );
        }
        text += " }\n}\n";
        text
    }
}

fn file(lab: &Lab) -> PathBuf {
    lab.directory.join("faults.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_goes_both_ways_unless_told() {
        let lab = Lab::named("demo").unwrap();
        let [a, b] = [1, 2].map(|number| Host::new(&lab, &Site::default(), number));
        let mut faults = Faults::default();
        faults.part(&a, &b, false, 100).unwrap();
        faults.part(&a, &b, true, 30).unwrap();
        assert_eq!(
            faults.losses,
            [
                Loss {
                    from: 2,
                    to: 1,
                    percent: 100
                },
                Loss {
                    from: 1,
                    to: 2,
                    percent: 30
                }
            ]
        );
        let rules = faults.rules(&lab, &Site::default());
        let (first, second) = ("02:4b:45:32:00:01", "02:4b:45:32:00:02");
        assert!(
            rules.contains(&format!("ether saddr {second} ether daddr {first} drop;\n")),
            "{rules}"
        );
        let random =
            format!("ether saddr {first} ether daddr {second} numgen random mod 100 < 30 drop;\n");
        assert!(rules.contains(&random), "{rules}");
        assert!(faults.part(&a, &a, false, 100).is_err());
    }

    #[test]
    fn an_unreachable_mirror_refuses_or_is_silent() {
        let lab = Lab::named("demo").unwrap();
        let no_mirror = [(1, Denial::Refused), (2, Denial::Silent)].into();
        let rules = Faults {
            no_mirror,
            ..Faults::default()
        }
        .rules(&lab, &Site::default());
        assert!(
            rules.contains("ip saddr 10.20.0.1 tcp dport { 80, 443 } reject with tcp reset;"),
            "{rules}"
        );
        assert!(
            rules.contains("ip saddr 10.20.0.2 tcp dport { 80, 443 } drop;"),
            "{rules}"
        );
    }
}

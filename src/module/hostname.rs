//! `hostname`: the host is called what the inventory calls it. Swarm nodes, bricks and RabbitMQ's
//! node names are made of it, so it comes before them.

use super::argument::optional;
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Act, Class, Decision, Step, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::machine::Machine;
use crate::probe::{Answers, Need, Seen};

/// The name of a host.
#[derive(Clone, Debug)]
pub struct Hostname {
    host: HostName,
    name: String,
}

impl Module for Hostname {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "hostname",
        cluster: false,
        registers: false,
        free_form: Some("name"),
        args: &[optional(
            "name",
            ArgKind::Text,
            "The name; the inventory's when not given.",
        )],
    };

    type State = Seen<Machine>;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let name = args
            .text("name")
            .unwrap_or_else(|| context.host.as_str().to_owned());
        if !is_host_name(&name) {
            return Err(args.wrong_at(
                "name",
                format!(
                    "`{name}` cannot be the name of a host: labels of letters, digits and `-`, at most 64 characters"
                ),
            ));
        }
        Ok(Self {
            host: context.host.clone(),
            name,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let machine = seen.machine(&self.host);
        seen.settle(machine)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let mut decision = Decision::default();
        if let Seen::Is(machine) = state
            && machine.hostname != self.name
        {
            let why = format!("it is called {}", machine.hostname);
            let act = Act::SetHostname(self.name.clone());
            let id = StepId::new(&["hostname", &self.name]);
            decision
                .steps
                .push(Step::new(id, &self.host, Class::Repair, why, act));
        }
        decision
    }
}

/// RFC 1123, and Linux's limit of 64 characters; an address is no name.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 64 && name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::is_host_name;

    #[test]
    fn names_of_hosts() {
        for good in ["ke2-server1", "a", "ke2.example.com", "1a"] {
            assert!(is_host_name(good), "{good}");
        }
        for bad in ["", "a_b", "-a", "a-", "a..b", "10.20.0.1", "a b"] {
            assert!(!is_host_name(bad), "{bad}");
        }
    }
}

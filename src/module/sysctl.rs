//! `sysctl`: a kernel parameter has a value, now and after a boot.

use super::argument::{defaulted, needed};
use super::attributes::Wanted;
use super::edited_file::{EditedFile, Text};
use super::line::{bare, lines};
use super::refusal::{NO_PARAMETER, refuse};
use super::{Args, Context, Module, Unfit};
use crate::plan::{Act, Class, Decision, Step, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need, Seen};

/// A kernel parameter.
#[derive(Clone, Debug)]
pub struct Sysctl {
    file: EditedFile,
    key: String,
    value: String,
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub struct State {
    text: Text,
    running: Seen<Option<String>>,
}

impl Module for Sysctl {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "sysctl",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed(
                "name",
                ArgKind::Text,
                "The parameter: `net.ipv4.ip_forward`.",
            ),
            needed("value", ArgKind::Text, "Its value."),
            defaulted(
                "file",
                ArgKind::Path,
                "/etc/sysctl.d/90-provision.conf",
                "The file that keeps it.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let key = args.required("name")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        if !key.contains(['.', '/']) || key.starts_with('-') || !key.chars().all(plain) {
            return Err(args.wrong_at("name", format!("`{key}` is no name of a kernel parameter")));
        }
        let value = args.required("value")?;
        if value.contains('\n') {
            return Err(args.wrong_at("value", "`value` is one line"));
        }
        Ok(Self {
            file: EditedFile {
                module: "sysctl",
                host: context.host.clone(),
                path: args.required("file")?,
                create: true,
                wanted: Wanted::default(),
            },
            key,
            // The kernel separates several numbers by tabs.
            value: value.split_whitespace().collect::<Vec<_>>().join(" "),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let state = State {
            text: self.file.look(seen),
            running: seen.sysctl(&self.file.host, &*self.key),
        };
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let host = &self.file.host;
        let running = match &state.running {
            Seen::Unknown(_) => return Decision::default(),
            Seen::Is(Some(running)) => running,
            Seen::Is(None) => {
                return refuse(
                    host,
                    NO_PARAMETER,
                    format!("the kernel of {host} has no parameter {}", self.key),
                    vec![format!("{host}: `sysctl -n {}` failed", self.key)],
                    "correct the name, or load the kernel module that brings it first",
                )
                .into();
            }
        };
        let why = format!("it does not say {} = {}", self.key, self.value);
        let mut decision = self
            .file
            .plan(&state.text, &why, |now| set(now, &self.key, &self.value));
        for step in &mut decision.steps {
            step.id = StepId::new(&["sysctl", "keep", &self.key]);
        }
        if *running != self.value && decision.refusals.is_empty() {
            let act = Act::SetSysctl {
                key: self.key.clone(),
                value: self.value.clone(),
            };
            let id = StepId::new(&["sysctl", "set", &self.key]);
            let why = format!("it is {running}");
            decision
                .steps
                .push(Step::new(id, host, Class::Repair, why, act));
        }
        decision
    }
}

/// The text with one line for the key; systemd-sysctl obeys the last one, so the others go.
fn set(now: &[u8], key: &str, value: &str) -> Vec<u8> {
    let name = |line: &[u8]| -> Option<(String, String)> {
        let text = String::from_utf8_lossy(bare(line)).into_owned();
        let (name, value) = text.split_once('=')?;
        let name = name.trim().trim_start_matches('-').replace('/', ".");
        Some((name, value.split_whitespace().collect::<Vec<_>>().join(" ")))
    };
    let ours: Vec<usize> = lines(now)
        .enumerate()
        .filter(|(_, line)| name(line).is_some_and(|(name, _)| name == key.replace('/', ".")))
        .map(|(n, _)| n)
        .collect();
    let mut new = Vec::new();
    for (n, line) in lines(now).enumerate() {
        if !ours.contains(&n) {
            new.extend_from_slice(line);
        } else if ours.last() == Some(&n) {
            match name(line) {
                Some((_, said)) if said == value => new.extend_from_slice(line),
                _ => new.extend_from_slice(format!("{key} = {value}\n").as_bytes()),
            }
        }
    }
    if ours.is_empty() {
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        new.extend_from_slice(format!("{key} = {value}\n").as_bytes());
    }
    new
}

#[cfg(test)]
mod tests {
    use super::set;

    fn put(now: &str) -> String {
        String::from_utf8(set(now.as_bytes(), "vm.swappiness", "10")).unwrap()
    }

    #[test]
    fn a_parameter_has_one_line() {
        assert_eq!(put(""), "vm.swappiness = 10\n");
        assert_eq!(put("a.b=1"), "a.b=1\nvm.swappiness = 10\n");
        assert_eq!(put("vm.swappiness=10\n# x\n"), "vm.swappiness=10\n# x\n");
        assert_eq!(
            put("vm/swappiness = 60\na.b=1\n-vm.swappiness=10\n"),
            "a.b=1\n-vm.swappiness=10\n"
        );
        assert_eq!(
            put("vm.swappiness=1\nx.y=2\n"),
            "vm.swappiness = 10\nx.y=2\n"
        );
        assert_eq!(
            put("#vm.swappiness=1\n"),
            "#vm.swappiness=1\nvm.swappiness = 10\n"
        );
    }
}

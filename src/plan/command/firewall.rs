//! Acts on firewalld: never a reload (it takes the rules of Docker's swarm away, moby#50443), and
//! confirm-or-revert: what the change cuts off comes back by itself.

use super::Phase;
use crate::plan::{FirewallChange, FirewallItem};
use crate::probe::shell::{join, quote};

/// After how many seconds an unconfirmed change is undone.
const REVERT_SECONDS: u32 = 60;

/// The transient timer that undoes a closing.
const REVERT_UNIT: &str = "provision-firewall-revert";

const KINDS: [&str; 3] = ["port", "service", "protocol"];

/// firewall-cmd obeys one kind of option a call and ignores the others without a word.
fn calls(change: &FirewallChange, open: bool, extra: &[&str]) -> Vec<String> {
    let verb = if open { "add" } else { "remove" };
    KINDS
        .iter()
        .filter_map(|kind| {
            let options: Vec<String> = change
                .items
                .iter()
                .map(FirewallItem::option)
                .filter(|(item, _)| item == kind)
                .map(|(_, value)| format!("--{verb}-{kind}={value}"))
                .collect();
            let mut words = vec!["firewall-cmd".to_owned()];
            words.extend(extra.iter().map(|word| (*word).to_owned()));
            words.push(format!("--zone={}", change.zone));
            (!options.is_empty()).then(|| {
                words.extend(options);
                join(&words)
            })
        })
        .collect()
}

/// As a reviewer reads it.
pub(super) fn show(change: &FirewallChange) -> String {
    let line = |extra: &[&str]| calls(change, change.open, extra).join(" && ");
    match (change.runtime, change.permanent) {
        (true, true) => format!("{}; the same with --permanent", line(&[])),
        (true, false) => line(&[]),
        (false, _) => line(&["--permanent"]),
    }
}

pub(super) fn phases(change: &FirewallChange) -> Vec<Phase> {
    let permanent = calls(change, change.open, &["--permanent"]).join(" && ");
    if !change.runtime {
        return vec![Phase::run(permanent, 60)];
    }
    let (provisional, lasting) = if change.open {
        let timeout = format!("--timeout={REVERT_SECONDS}");
        (
            calls(change, true, &[&timeout]).join(" && "),
            without_timeout(change),
        )
    } else {
        closing(change)
    };
    let confirmed = match change.permanent {
        true => format!("{permanent} &&\n{lasting}"),
        false => lasting,
    };
    vec![
        Phase::run(provisional, 45),
        Phase::FreshLogin,
        Phase::run(confirmed, 45),
    ]
}

/// An entry keeps its timeout when it is added again, so it is taken out and put in. By D-Bus calls
/// of a few milliseconds: firewall-cmd would leave the port closed while it starts Python.
fn without_timeout(change: &FirewallChange) -> String {
    let zone = quote(&change.zone);
    let mut script = String::from(
        "z() { busctl --quiet call org.fedoraproject.FirewallD1 /org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1.zone \"$@\"; }\n",
    );
    let swaps: Vec<String> = change
        .items
        .iter()
        .map(|item| match item {
            FirewallItem::Port(port) => {
                let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
                let (number, protocol) = (quote(number), quote(protocol));
                format!(
                    "z removePort sss {zone} {number} {protocol} && z addPort sssi {zone} {number} {protocol} 0"
                )
            }
            FirewallItem::Service(name) => {
                let name = quote(name);
                format!("z removeService ss {zone} {name} && z addService ssi {zone} {name} 0")
            }
            FirewallItem::Protocol(name) => {
                let name = quote(name);
                format!("z removeProtocol ss {zone} {name} && z addProtocol ssi {zone} {name} 0")
            }
        })
        .collect();
    script.push_str(&swaps.join(" &&\n"));
    format!("{{\n{script}\n}}")
}

/// firewalld has timeouts for openings only; for a closing systemd keeps the time.
fn closing(change: &FirewallChange) -> (String, String) {
    let undo = quote(&calls(change, true, &[]).join(" && "));
    let close = calls(change, false, &[]).join(" && ");
    let provisional = format!(
        "systemctl stop {REVERT_UNIT}.timer 2>/dev/null\n\
         systemd-run --quiet --collect --unit={REVERT_UNIT} --on-active={REVERT_SECONDS} --timer-property=AccuracySec=1s sh -c {undo} || exit\n\
         {close}"
    );
    (provisional, format!("systemctl stop {REVERT_UNIT}.timer"))
}

//! Acts on units, kernel parameters, accounts and the host's name.

use super::Phase;
use crate::plan::UnitVerb;
use crate::probe::shell::quote;

/// How long a command of the user's may take.
pub(super) const COMMAND_SECONDS: u64 = 1800;

/// What the unit said last is the reason of a failure; systemctl's own message only points there.
pub(super) fn unit(unit: &str, verb: UnitVerb) -> Phase {
    let word = verb.word();
    let mut script = format!("u={}\n", quote(unit));
    if !matches!(verb, UnitVerb::Disable | UnitVerb::Stop) {
        script.push_str(
            "[ \"$(systemctl show -p NeedDaemonReload --value -- \"$u\")\" != yes ] || systemctl daemon-reload || exit\n",
        );
    }
    match verb {
        UnitVerb::Enable | UnitVerb::Disable => {
            script.push_str(&format!("systemctl {word} -- \"$u\""));
        }
        UnitVerb::Start | UnitVerb::Stop | UnitVerb::Restart | UnitVerb::Reload => {
            if matches!(verb, UnitVerb::Start | UnitVerb::Restart) {
                // One that failed too often is not even tried again.
                script.push_str("systemctl reset-failed -- \"$u\" 2>/dev/null\n");
            }
            script.push_str(&format!(
                "systemctl {word} -- \"$u\" && exit\n\
                 status=$?\n\
                 journalctl --no-pager -o cat -n 20 -u \"$u\" >&2\n\
                 exit $status"
            ));
        }
    }
    Phase::run(script, 300)
}

pub(super) fn start_script(name: &str) -> String {
    match unit(name, UnitVerb::Start) {
        Phase::Run { script, .. } => script,
        Phase::FreshLogin | Phase::FeedFile { .. } => String::new(),
    }
}

pub(super) fn sysctl_line(key: &str, value: &str) -> String {
    format!("sysctl -w {}", quote(&format!("{key}={value}")))
}

pub(super) fn sysctl(key: &str, value: &str) -> Phase {
    Phase::run(sysctl_line(key, value), 30)
}

pub(super) fn add_to_group_line(user: &str, group: &str) -> String {
    format!("usermod -aG {} {}", quote(group), quote(user))
}

pub(super) fn add_to_group(user: &str, group: &str) -> Phase {
    Phase::run(add_to_group_line(user, group), 30)
}

pub(super) fn hostname_line(name: &str) -> String {
    format!("hostnamectl set-hostname {}", quote(name))
}

pub(super) fn hostname(name: &str) -> Phase {
    Phase::run(hostname_line(name), 30)
}

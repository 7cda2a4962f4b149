//! Acts on what is mounted. systemd does it by the unit it makes of the line in /etc/fstab: the process behind a
//! file system in user space then belongs to that unit, and not to the login session that asked for it.

use super::Phase;
use crate::plan::MountAct;
use crate::probe::shell::quote;

/// What a reviewer reads.
pub(super) fn show(act: &MountAct) -> String {
    match act {
        MountAct::Guard { path } => format!("chattr +i {}", quote(path)),
        MountAct::Mount { path } => format!("mount {}", quote(path)),
        MountAct::Again { path } => {
            format!("umount -l {path} && mount {path}", path = quote(path))
        }
    }
}

pub(super) fn phase(act: &MountAct) -> Phase {
    match act {
        MountAct::Guard { path } => Phase::run(
            format!(
                "p={}\nif mountpoint -q -- \"$p\" || [ -n \"$(ls -A -- \"$p\")\" ]; then echo \"$p changed since this was planned\" >&2; exit 75; fi\n\
                 chattr +i -- \"$p\"",
                quote(path)
            ),
            30,
        ),
        MountAct::Mount { path } => Phase::run(format!("p={}\n{MOUNT}", quote(path)), 300),
        MountAct::Again { path } => Phase::run(
            format!("p={}\numount -l -- \"$p\" || exit\n{MOUNT}", quote(path)),
            300,
        ),
    }
}

/// A volume that has just been started is not there at once.
const MOUNT: &str = "\
systemctl daemon-reload || exit
u=$(systemd-escape --path --suffix=mount -- \"$p\") || exit
n=0
until mountpoint -q -- \"$p\"; do
systemctl reset-failed -- \"$u\" 2>/dev/null
systemctl restart -- \"$u\" && continue
n=$((n + 1))
[ $n -lt 5 ] || { journalctl --no-pager -o cat -n 20 -u \"$u\" >&2; echo \"$p cannot be mounted\" >&2; exit 1; }
sleep 3
done";

//! Acts on `GlusterFS`. `--mode=script` answers every question with yes; what may be done was decided before.

use super::Phase;
use crate::plan::{GlusterAct, Member};
use crate::probe::shell::{join, quote};

/// The words of the gluster command.
pub(super) fn words(act: &GlusterAct) -> Vec<String> {
    let mut words: Vec<String> = vec!["gluster".into(), "--mode=script".into()];
    let mut add = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
    match act {
        GlusterAct::Probe { host } => add(&["peer", "probe", host]),
        GlusterAct::Create {
            volume,
            replica,
            arbiter,
            bricks,
            force,
        } => {
            add(&["volume", "create", volume, "replica", &replica.to_string()]);
            if *arbiter {
                add(&["arbiter", "1"]);
            }
            for brick in bricks {
                add(&[brick]);
            }
            if *force {
                add(&["force"]);
            }
        }
        GlusterAct::Start { volume, force } => {
            add(&["volume", "start", volume]);
            if *force {
                add(&["force"]);
            }
        }
        GlusterAct::Set { volume, key, value } => add(&["volume", "set", volume, key, value]),
        GlusterAct::ResetBrick { volume, brick, .. } => add(&[
            "volume",
            "reset-brick",
            volume,
            brick,
            brick,
            "commit",
            "force",
        ]),
        GlusterAct::BrickFolder { path, .. } => {
            words = ["mkdir", "-m", "755", "--", path]
                .map(str::to_owned)
                .to_vec();
        }
        // Its last command; the files before it are no command of one line.
        GlusterAct::Rejoin { .. } => {
            words = vec!["systemctl".into(), "start".into(), GLUSTERD.into()];
        }
        GlusterAct::Restore { uuid, op_version } => {
            let text = format!("UUID={uuid}\\noperating-version={op_version}\\n");
            words = vec!["printf".to_owned(), text];
        }
    }
    words
}

/// What a reviewer reads.
pub(super) fn show(act: &GlusterAct) -> String {
    let line = join(&words(act));
    match act {
        GlusterAct::Restore { .. } => format!("{line} >{INFO}, and glusterd anew"),
        GlusterAct::Rejoin { members, .. } => {
            let names: Vec<&str> = members.iter().map(first_name).collect();
            format!("glusterd anew, with {} in {PEERS}", names.join(", "))
        }
        GlusterAct::ResetBrick { volume, brick, .. } => {
            format!("gluster volume reset-brick {volume} {brick} start && {line}")
        }
        _ => line,
    }
}

/// Where a daemon keeps its identity.
const INFO: &str = "/var/lib/glusterd/glusterd.info";

/// The unit of the daemon.
const GLUSTERD: &str = "glusterd.service";

/// Where a daemon keeps the other members, a file each.
const PEERS: &str = "/var/lib/glusterd/peers";

/// A member that is in the pool. Source: glusterd-sm.h, `GD_FRIEND_STATE_BEFRIENDED`.
const BEFRIENDED: u8 = 3;

/// Its unit lets it start six times an hour, those by hand counted.
const ANEW: &str = "systemctl reset-failed glusterd.service; systemctl restart glusterd.service";

fn first_name(member: &Member) -> &str {
    member.hostnames.first().map_or(&member.uuid, |name| name)
}

/// Another command may hold the pool's lock for a moment; one that holds it for two minutes is stuck. What
/// was done is for the postcondition to say: several of these end with 0 and have done nothing.
fn patient(line: &str) -> String {
    format!(
        "{}\n[ $status -eq 0 ] || {{ printf '%s\\n' \"$said\" >&2; exit $status; }}",
        tries(line)
    )
}

/// The same, with what it said and its status left to look at.
fn tries(line: &str) -> String {
    format!(
        "waited=0\nwhile :; do\n\
         said=$(timeout -k 5 150 {line} 2>&1 </dev/null); status=$?\n\
         case $said in *'nother transaction is in progress'*|*'ocking failed'*) ;; *) break ;; esac\n\
         [ $waited -lt 120 ] || {{ echo \"gave up after $waited s: another command holds the lock of the pool\" >&2; break; }}\n\
         sleep 5; waited=$((waited + 5))\ndone"
    )
}

pub(super) fn phase(act: &GlusterAct) -> Phase {
    let line = join(&words(act));
    match act {
        GlusterAct::BrickFolder { path, mount_point } => Phase::run(
            format!(
                "p={} m={}\n{ON_ITS_DISK}\n[ ! -e \"$p\" ] || {CHANGED_SINCE}\n{line} && sync -f -- \"$p\"",
                quote(path),
                quote(mount_point)
            ),
            30,
        ),
        GlusterAct::Restore { .. } => Phase::run(restore(&line), 120),
        GlusterAct::Rejoin { members, volumes } => Phase::run(rejoin(members, volumes), 400),
        GlusterAct::ResetBrick {
            volume,
            brick,
            path,
            mount_point,
        } => Phase::run(reset(&line, volume, brick, path, mount_point), 600),
        _ => Phase::run(patient(&line), 600),
    }
}

/// The folder lies where it was seen: on a disk that is not mounted any more gluster itself would not notice.
const ON_ITS_DISK: &str = "[ \"$(df --output=target -- \"$(dirname -- \"$p\")\" | tail -n 1)\" = \"$m\" ] || { echo \"$p is no longer below $m\" >&2; exit 75; }";

const CHANGED_SINCE: &str = "{ echo \"$p changed since this was planned\" >&2; exit 75; }";

/// Only while nothing tells of a pool or a volume: checked with the daemon stopped, which could be writing it just now.
fn restore(line: &str) -> String {
    format!(
        "d=/var/lib/glusterd\nsystemctl reset-failed glusterd.service\nsystemctl stop {GLUSTERD} || exit\n\
         [ -z \"$(ls -A $d/peers $d/vols 2>/dev/null | grep -v ':$')\" ] || {{ systemctl start {GLUSTERD}; echo \"$d knows of a pool or a volume by now\" >&2; exit 75; }}\n\
         mkdir -p $d && {line} >{INFO}.new && chmod 600 {INFO}.new && mv -f {INFO}.new {INFO} && sync -f $d || exit\n\
         systemctl start glusterd.service"
    )
}

/// Complete: with its checksum, which is written last, and as many files of bricks as it has bricks. A daemon that is
/// restarted while it writes them down does not start again.
const TOLD: &str = "told() { for v in \"$@\"; do d=/var/lib/glusterd/vols/$v; [ -s \"$d/cksum\" ] && [ -s \"$d/info\" ] && [ \"$(ls -- \"$d/bricks\" | wc -l)\" -eq \"$(grep -c '^brick-[0-9]' \"$d/info\")\" ] && timeout 20 gluster --mode=script volume info \"$v\" || return 1; done >/dev/null 2>&1; }";

/// The files of the members are given to it, and they then take it for the one that it was: a probe from here ends now and
/// then in `Sent and Received peer request`, in which nobody tells it of the volumes. Their bricks' folders it finds only
/// when it starts with the volumes on its disk: before that `reset-brick` calls the brick new. All seen with 11.1.
fn rejoin(members: &[Member], volumes: &[String]) -> String {
    let names: Vec<String> = volumes.iter().map(|volume| quote(volume)).collect();
    let files: Vec<String> = members.iter().map(file).collect();
    format!(
        "d=/var/lib/glusterd\nrm -rf $d/peers.new\nmkdir -m 0755 $d/peers.new || exit\n{}\nsync -f $d\n\
         systemctl stop {GLUSTERD} || exit\n\
         [ -z \"$(ls -A $d/peers $d/vols 2>/dev/null | grep -v ':$')\" ] || {{ rm -rf $d/peers.new; systemctl start {GLUSTERD}; echo \"$d knows of a pool or a volume by now\" >&2; exit 75; }}\n\
         rm -rf $d/peers && mv $d/peers.new $d/peers && sync -f $d || exit\n{{ {ANEW}; }} || exit\n\
         {TOLD}\nset -- {}\n\
         n=0\nuntil told \"$@\"; do n=$((n + 1)); [ $n -le 60 ] || {{ echo 'the members did not tell it of the volumes within 60 s' >&2; exit 1; }}; sleep 1; done\n\
         sleep 1\n{ANEW}",
        files.join("\n"),
        names.join(" ")
    )
}

/// Writes the file of a member, as glusterd itself does.
fn file(member: &Member) -> String {
    let mut lines = vec![
        format!("uuid={}", member.uuid),
        format!("state={BEFRIENDED}"),
    ];
    for (number, name) in (1..).zip(&member.hostnames) {
        lines.push(format!("hostname{number}={name}"));
    }
    let lines: Vec<String> = lines.iter().map(|line| quote(line)).collect();
    format!(
        "printf '%s\\n' {} >$d/peers.new/{} || exit",
        lines.join(" "),
        quote(&member.uuid)
    )
}

/// Until the first names have come: the other hosts' daemons see the new brick some seconds late, and one that missed it
/// looks again only after `cluster.heal-timeout`, 10 minutes.
const FILL: &str = "n=0\nwhile [ $n -lt 15 ]; do n=$((n + 1)); sleep 2; timeout 60 gluster --mode=script volume heal \"$v\" >/dev/null 2>&1; [ -z \"$(ls -A -- \"$p\" | grep -vx '.glusterfs')\" ] || break; done\n\
     sleep 2; timeout 60 gluster --mode=script volume heal \"$v\" >/dev/null 2>&1 || :";

/// `start` on a brick that is well would stop it, and `commit force` would take a disk that is not mounted: what was
/// seen is looked at once more, here. A second `start` after a crash between the two is of no consequence. A daemon that was
/// told of the volume since it started calls the brick new until it starts again.
fn reset(line: &str, volume: &str, brick: &str, path: &str, mount_point: &str) -> String {
    let start = [
        "gluster",
        "--mode=script",
        "volume",
        "reset-brick",
        volume,
        brick,
        "start",
    ];
    format!(
        "p={} m={} v={}\n{ON_ITS_DISK}\n\
         command -v getfattr >/dev/null || {{ echo 'getfattr is missing: the marks of the brick cannot be read' >&2; exit 1; }}\n\
         if [ -e \"$p\" ]; then\n\
         [ -d \"$p\" ] && [ -z \"$(ls -A -- \"$p\" | grep -vx 'lost+found')\" ] && ! getfattr --absolute-names -n trusted.glusterfs.volume-id -- \"$p\" >/dev/null 2>&1 || {CHANGED_SINCE}\n\
         fi\n\
         logger -t provision -- {} || :\n{}\n{}\n\
         case $said in *'destination brick is new'*)\n\
         {{ {ANEW}; }} || exit\nn=0\n\
         until [ \"$(timeout 15 gluster --mode=script peer status | grep -c '(Connected)')\" = \"$(ls /var/lib/glusterd/peers | wc -l)\" ] || [ $n -ge 30 ]; do n=$((n + 1)); sleep 1; done\n\
         {}\n;; esac\n\
         [ $status -eq 0 ] || {{ printf '%s\\n' \"$said\" >&2; exit $status; }}\n{FILL}",
        quote(path),
        quote(mount_point),
        quote(volume),
        quote(&format!(
            "the brick {brick} of {volume} is lost, and is reset"
        )),
        patient(&join(&start)),
        tries(line),
        tries(line),
    )
}

//! The exact text of acts on `GlusterFS` and on mounts.

use super::golden::text;
use crate::plan::{Act, GlusterAct, MountAct};

fn gluster(act: GlusterAct) -> String {
    Act::Gluster(act).show()
}

#[test]
fn commands_of_gluster() {
    let volume = || "gvol0".to_owned();
    let brick = |n: usize| format!("ke2-server{n}:/data/brick/gvol0");
    let create = |arbiter, force| {
        gluster(GlusterAct::Create {
            volume: volume(),
            replica: 3,
            arbiter,
            bricks: (1..=3).map(brick).collect(),
            force,
        })
    };
    let bricks =
        "ke2-server1:/data/brick/gvol0 ke2-server2:/data/brick/gvol0 ke2-server3:/data/brick/gvol0";
    assert_eq!(
        create(false, false),
        format!("gluster --mode=script volume create gvol0 replica 3 {bricks}")
    );
    assert_eq!(
        create(true, true),
        format!("gluster --mode=script volume create gvol0 replica 3 arbiter 1 {bricks} force")
    );
    let host = "ke2-server2".to_owned();
    assert_eq!(
        gluster(GlusterAct::Probe { host }),
        "gluster --mode=script peer probe ke2-server2"
    );
    let start = |force| {
        gluster(GlusterAct::Start {
            volume: volume(),
            force,
        })
    };
    assert_eq!(start(false), "gluster --mode=script volume start gvol0");
    assert_eq!(
        start(true),
        "gluster --mode=script volume start gvol0 force"
    );
    let set = Act::Gluster(GlusterAct::Set {
        volume: volume(),
        key: "network.ping-timeout".to_owned(),
        value: "20".to_owned(),
    });
    assert_eq!(
        text(&set, None),
        "--- 600 s\nwaited=0\nwhile :; do\n\
         said=$(timeout -k 5 150 gluster --mode=script volume set gvol0 network.ping-timeout 20 2>&1 </dev/null); status=$?\n\
         case $said in *'nother transaction is in progress'*|*'ocking failed'*) ;; *) break ;; esac\n\
         [ $waited -lt 120 ] || { echo \"gave up after $waited s: another command holds the lock of the pool\" >&2; break; }\n\
         sleep 5; waited=$((waited + 5))\ndone\n\
         [ $status -eq 0 ] || { printf '%s\\n' \"$said\" >&2; exit $status; }\n"
    );
}

#[test]
fn mounts() {
    let path = || "/mnt/gluster".to_owned();
    let guard = Act::Mount(MountAct::Guard { path: path() });
    assert_eq!(guard.show(), "chattr +i /mnt/gluster");
    assert_eq!(
        text(&guard, None),
        "--- 30 s\np=/mnt/gluster\n\
         if mountpoint -q -- \"$p\" || [ -n \"$(ls -A -- \"$p\")\" ]; then echo \"$p changed since this was planned\" >&2; exit 75; fi\n\
         chattr +i -- \"$p\"\n"
    );
    let mount = Act::Mount(MountAct::Mount { path: path() });
    assert_eq!(mount.show(), "mount /mnt/gluster");
    assert_eq!(
        text(&mount, None),
        "--- 300 s\np=/mnt/gluster\nsystemctl daemon-reload || exit\n\
         u=$(systemd-escape --path --suffix=mount -- \"$p\") || exit\nn=0\n\
         until mountpoint -q -- \"$p\"; do\n\
         systemctl reset-failed -- \"$u\" 2>/dev/null\n\
         systemctl restart -- \"$u\" && continue\nn=$((n + 1))\n\
         [ $n -lt 5 ] || { journalctl --no-pager -o cat -n 20 -u \"$u\" >&2; echo \"$p cannot be mounted\" >&2; exit 1; }\n\
         sleep 3\ndone\n"
    );
    let again = Act::Mount(MountAct::Again { path: path() });
    assert_eq!(again.show(), "umount -l /mnt/gluster && mount /mnt/gluster");
    assert!(text(&again, None).contains("umount -l -- \"$p\" || exit\n"));
}

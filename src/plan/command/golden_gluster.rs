//! The exact text of acts on `GlusterFS` and on mounts.

use super::golden::text;
use crate::plan::{Act, GlusterAct, Member, MountAct};

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

#[test]
fn a_host_that_was_replaced_and_a_brick_that_was_lost() {
    let path = || "/data/brick/gvol0".to_owned();
    let mount_point = || "/data/brick".to_owned();
    let folder = Act::Gluster(GlusterAct::BrickFolder {
        path: path(),
        mount_point: mount_point(),
    });
    assert_eq!(folder.show(), "mkdir -m 755 -- /data/brick/gvol0");
    let disk = "[ \"$(df --output=target -- \"$(dirname -- \"$p\")\" | tail -n 1)\" = \"$m\" ] || { echo \"$p is no longer below $m\" >&2; exit 75; }";
    assert_eq!(
        text(&folder, None),
        format!(
            "--- 30 s\np=/data/brick/gvol0 m=/data/brick\n{disk}\n\
             [ ! -e \"$p\" ] || {{ echo \"$p changed since this was planned\" >&2; exit 75; }}\n\
             mkdir -m 755 -- /data/brick/gvol0 && sync -f -- \"$p\"\n"
        )
    );
    let restore = Act::Gluster(GlusterAct::Restore {
        uuid: "7e01382b-0000-4000-8000-000000000003".to_owned(),
        op_version: "110000".to_owned(),
    });
    assert_eq!(
        restore.show(),
        r#"printf "UUID=7e01382b-0000-4000-8000-000000000003\\noperating-version=110000\\n" >/var/lib/glusterd/glusterd.info, and glusterd anew"#
    );
    let script = text(&restore, None);
    // Looked at with the daemon stopped, and started again whatever was found.
    let order = [
        "systemctl stop",
        "ls -A $d/peers $d/vols",
        "exit 75",
        "glusterd.info.new && mv -f",
        "systemctl start",
    ];
    let mut rest = &*script;
    for part in order {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part}: {script}"));
        rest = &rest[at..];
    }
    let rejoin = Act::Gluster(GlusterAct::Rejoin {
        members: vec![
            member("0b5e", &["ke2-server1"]),
            member("9c41", &["ke2-server2", "10.20.0.2"]),
        ],
        volumes: vec!["gvol0".to_owned()],
    });
    let script = text(&rejoin, None);
    // The members are there before the daemon starts, and it is told of the volume before it starts again.
    let order = [
        "printf '%s\\n' 'uuid=0b5e' 'state=3' 'hostname1=ke2-server1' >$d/peers.new/0b5e",
        "printf '%s\\n' 'uuid=9c41' 'state=3' 'hostname1=ke2-server2' 'hostname2=10.20.0.2' >$d/peers.new/9c41",
        "systemctl stop",
        "exit 75",
        "mv $d/peers.new $d/peers",
        "systemctl restart",
        "set -- gvol0\nn=0\nuntil told",
        "systemctl restart",
    ];
    let mut rest = &*script;
    for part in order {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part}: {script}"));
        rest = &rest[at + part.len()..];
    }
    assert_eq!(
        rejoin.show(),
        "glusterd anew, with ke2-server1, ke2-server2 in /var/lib/glusterd/peers"
    );
    let reset = Act::Gluster(GlusterAct::ResetBrick {
        volume: "gvol0".to_owned(),
        brick: "ke2-server3:/data/brick/gvol0".to_owned(),
        path: path(),
        mount_point: mount_point(),
    });
    let brick = "ke2-server3:/data/brick/gvol0";
    assert_eq!(
        reset.show(),
        format!(
            "gluster volume reset-brick gvol0 {brick} start && gluster --mode=script volume reset-brick gvol0 {brick} {brick} commit force"
        )
    );
    let script = text(&reset, None);
    assert!(
        script.starts_with(&format!(
            "--- 600 s\np=/data/brick/gvol0 m=/data/brick v=gvol0\n{disk}\n"
        )),
        "{script}"
    );
    assert!(script.contains("getfattr --absolute-names -n trusted.glusterfs.volume-id"));
    let (start, commit) = (
        script.find(&format!("reset-brick gvol0 {brick} start")),
        script.find(&format!("reset-brick gvol0 {brick} {brick} commit force")),
    );
    assert!(start.is_some() && start < commit, "{script}");
}

fn member(uuid: &str, names: &[&str]) -> Member {
    Member {
        uuid: uuid.to_owned(),
        hostnames: names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

//! What is on its disks.

use super::{Told, blank, captured, says};
use crate::probe::brick::Folder;
use crate::probe::machine::Filesystem;
use crate::probe::mounted::{Mounted, Source};
use crate::probe::path::{Attributes, Content};
use crate::probe::{Answer, PathState, Query, Seen};

fn file(text: &str) -> [Answer; 2] {
    let attributes = Attributes {
        mode: 0o644,
        owner: "root".to_owned(),
        group: "root".to_owned(),
    };
    let state = PathState::File {
        sha256: Some("x".to_owned()),
        size: text.len() as u64,
        attributes,
    };
    let content = Content {
        bytes: text.as_bytes().to_vec(),
        size: text.len() as u64,
    };
    [Answer::Path(state), Answer::Content(Some(content))]
}

/// What a file holds on the blank machine; its size and its checksum agree with that.
fn content(path: &str, text: &str) -> Seen<Option<String>> {
    let [state, bytes] = file(text);
    let told = Told::default()
        .says(2, Query::Path(path.to_owned()), state)
        .says(2, Query::Content(path.to_owned()), bytes);
    let state = blank(&told, &Query::Path(path.to_owned()));
    let found = blank(&told, &Query::Content(path.to_owned())).map(|answer| match answer {
        Answer::Content(content) => {
            content.map(|content| String::from_utf8(content.bytes).unwrap())
        }
        other => panic!("{other:?}"),
    });
    match (&state, &found) {
        (Seen::Is(Answer::Path(PathState::File { sha256, .. })), Seen::Is(Some(text))) => {
            let sum = crate::plan::Content::plain(text.as_bytes()).sha256();
            assert_eq!(sha256.as_ref(), Some(&sum));
        }
        (Seen::Is(Answer::Path(PathState::Absent)), Seen::Is(None))
        | (Seen::Unknown(_), Seen::Unknown(_)) => {}
        other => panic!("{other:?}"),
    }
    found
}

#[test]
fn of_its_files_only_those_are_there_that_el9_has() {
    let hosts = "127.0.0.1 localhost\n10.20.0.1 ke2-server1\n";
    let Seen::Is(Some(new)) = content("/etc/hosts", hosts) else {
        panic!("no names");
    };
    assert!(
        new.contains("localhost") && !new.contains("ke2-server1"),
        "{new}"
    );
    let table = "UUID=1 / xfs defaults 0 0\n# mine\nLABEL=b /data/brick xfs defaults 0 0\nlocalhost:/gvol0 /mnt/gluster glusterfs _netdev 0 0\n";
    assert_eq!(
        content("/etc/fstab", table),
        Seen::Is(Some(
            "UUID=1 / xfs defaults 0 0\n# mine\nLABEL=b /data/brick xfs defaults 0 0\n".to_owned()
        ))
    );
    let key = content(
        "/etc/ssh/ssh_host_ed25519_key.pub",
        "ssh-ed25519 AAAA root@x\n",
    );
    assert_eq!(
        key,
        Seen::Is(Some(
            "ssh-ed25519 the-key-that-the-new-ke2-server2-will-have\n".to_owned()
        ))
    );
    assert_eq!(content("/etc/pgpool-II/pgpool.conf", "x"), Seen::Is(None));
    // Nobody here knows what another machine has there.
    assert!(content("/etc/ssh/sshd_config", "x").unknown().is_some());
}

#[test]
fn names_that_only_our_file_knows_are_not_resolved() {
    let [_, hosts] = file("10.20.0.1 ke2-server1\n");
    let address = |ip: &str| Answer::Resolve(vec![ip.to_owned()]);
    let told = Told::default()
        .says(2, Query::Content("/etc/hosts".to_owned()), hosts)
        .says(
            2,
            Query::Resolve("ke2-server1".to_owned()),
            address("10.20.0.1"),
        )
        .says(2, Query::Resolve("mirror".to_owned()), address("10.0.0.9"));
    let resolved = |name: &str| blank(&told, &Query::Resolve(name.to_owned()));
    assert_eq!(
        resolved("ke2-server1"),
        Seen::Is(Answer::Resolve(Vec::new()))
    );
    assert_eq!(resolved("mirror"), Seen::Is(address("10.0.0.9")));
}

#[test]
fn the_disk_of_its_brick_is_there_and_empty_and_nothing_of_the_network_is_mounted() {
    let path = "/data/brick/gvol0";
    let brick = captured("brick.volume", &Query::GlusterBrick(path.to_owned()));
    let Answer::GlusterBrick(truth) = brick.clone() else {
        panic!("no brick");
    };
    let Seen::Is(Answer::GlusterBrick(folder)) = says(&Query::GlusterBrick(path.to_owned()), brick)
    else {
        panic!("no answer");
    };
    assert_eq!(folder.traces(), Vec::<String>::new());
    assert_eq!(
        (&folder.mount_point, &folder.file_system, folder.on_root),
        (&truth.mount_point, &truth.file_system, truth.on_root)
    );
    assert_ne!(folder, Folder::default());
    let mounted = captured("mounted.volume", &Query::Mounted("/mnt/gluster".to_owned()));
    assert_eq!(
        says(&Query::Mounted("/mnt/gluster".to_owned()), mounted),
        Seen::Is(Answer::Mounted(Mounted {
            place: "absent".to_owned(),
            ..Mounted::default()
        }))
    );
    let disk = Answer::Mounted(Mounted {
        mounts: vec![Source {
            source: "/dev/sdb".to_owned(),
            kind: "xfs".to_owned(),
        }],
        ..Mounted::default()
    });
    assert_eq!(
        says(&Query::Mounted("/data/brick".to_owned()), disk.clone()),
        Seen::Is(disk)
    );
    let space = |mount: &str, kind: &str| {
        Answer::Filesystem(Filesystem {
            mount_point: mount.to_owned(),
            kind: kind.to_owned(),
            ..Filesystem::default()
        })
    };
    let told = Told::default()
        .says(
            2,
            Query::Filesystem("/mnt/gluster".to_owned()),
            space("/mnt/gluster", "fuse.glusterfs"),
        )
        .says(2, Query::Filesystem("/".to_owned()), space("/", "xfs"));
    assert_eq!(
        blank(&told, &Query::Filesystem("/mnt/gluster".to_owned())),
        Seen::Is(space("/", "xfs"))
    );
}

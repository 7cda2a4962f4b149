//! The parsers of GlusterFS, mounts and firewall services on output that lab hosts gave to the probe's own scripts,
//! in the states that the names say. `gluster_volume.started` has only some of the options.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use provision::probe::ask::{Reply, lower};
use provision::probe::{Answer, Query, Seen};
use std::path::Path;

fn seen(name: &str, query: Query) -> Seen<Answer> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captured");
    let read =
        |kind: &str| std::fs::read(folder.join(format!("{name}.{kind}"))).unwrap_or_default();
    let reply = Reply {
        stdout: read("stdout"),
        stderr: read("stderr"),
        ..Reply::default()
    };
    assert!(
        !(reply.stdout.is_empty() && reply.stderr.is_empty()),
        "{name}"
    );
    lower(&[query].into())[0].read(&reply).remove(0).1
}

macro_rules! told {
    ($name:expr, $variant:ident $(, $about:expr)?) => {
        match seen($name, Query::$variant $(($about.to_owned()))?) {
            Seen::Is(Answer::$variant(answer)) => answer,
            other => panic!("{other:?}"),
        }
    };
}

#[test]
fn a_pool() {
    let gluster = told!("gluster.pool", Gluster);
    assert!(gluster.installed && gluster.running && !gluster.is_blank());
    assert_eq!(gluster.uuid.len(), 36);
    assert_eq!(
        (&*gluster.op_version, &*gluster.disk_volumes),
        ("110000", &["gvol0".to_owned()][..])
    );
    let peers = gluster.peers.as_ref().unwrap();
    let mut names: Vec<&str> = peers.iter().map(|peer| &*peer.hostnames[0]).collect();
    names.sort_unstable();
    assert_eq!(names, ["ke2-server2", "ke2-server3"]);
    assert!(
        peers
            .iter()
            .all(|peer| peer.is_well() && peer.state_text == "Peer in Cluster")
    );
    let on_disk = |uuid: &str| gluster.disk_peers.iter().any(|peer| peer.uuid == uuid);
    assert!(peers.iter().all(|peer| on_disk(&peer.uuid)));
}

#[test]
fn a_daemon_that_does_not_run_leaves_its_disk() {
    let gluster = told!("gluster.stopped", Gluster);
    assert!(gluster.installed && !gluster.running && gluster.peers.is_none());
    assert_eq!(gluster.all_peers().len(), 2);
    assert!(
        gluster
            .all_peers()
            .iter()
            .any(|peer| peer.is_called("ke2-server1") && peer.state == 3)
    );
    assert!(!gluster.is_blank(), "traces beat a daemon that is silent");
    let volume = told!("gluster_volume.stopped", GlusterVolume, "gvol0");
    assert_eq!(
        (volume.info, &*volume.silent),
        (None, "glusterd does not run")
    );
}

#[test]
fn what_breaks_off_is_not_known() {
    for query in [
        Query::Gluster,
        Query::GlusterBrick("/b".into()),
        Query::Mounted("/m".into()),
    ] {
        let reply = Reply {
            stdout: b"installed yes\nactive active\n".to_vec(),
            ..Reply::default()
        };
        let answers = lower(&[query].into())[0].read(&reply);
        assert!(answers[0].1.unknown().is_some(), "{answers:?}");
    }
}

#[test]
fn a_volume() {
    let volume = told!("gluster_volume.started", GlusterVolume, "gvol0");
    let info = volume.info.unwrap();
    assert_eq!((&*info.status, &*info.kind), ("Started", "Replicate"));
    assert_eq!((info.replica, info.arbiter, info.bricks.len()), (3, 0, 3));
    assert_eq!(info.id.len(), 36);
    let brick = &info.bricks[1];
    assert_eq!(
        (brick.host(), brick.path()),
        ("ke2-server2", "/data/brick/gvol0")
    );
    assert_eq!(brick.host_uuid.len(), 36);
    assert_eq!(info.options["storage.fips-mode-rchecksum"], "on");
    // What is not listed among the options that were set is in effect all the same.
    assert!(!info.options.contains_key("cluster.quorum-type"));
    assert_eq!(volume.effective["cluster.quorum-type"], "auto");
    assert_eq!(volume.effective["network.ping-timeout"], "42");
    // Another volume is not mistaken for it.
    let other = told!("gluster_volume.started", GlusterVolume, "gvol");
    assert_eq!(other.info, None);
}

#[test]
fn processes_and_healing() {
    let status = told!("gluster_status.well", GlusterStatus, "gvol0");
    let processes = status.processes.unwrap();
    assert_eq!(processes.len(), 6, "three bricks, three self-heal daemons");
    assert!(processes.iter().all(|one| one.online));
    let heal = status.heal.unwrap();
    assert!(
        heal.iter()
            .all(|brick| brick.pending == Some(0) && brick.split_brain == 0)
    );

    let status = told!("gluster_status.brick_killed", GlusterStatus, "gvol0");
    let processes = status.processes.unwrap();
    let offline: Vec<&str> = processes
        .iter()
        .filter(|one| !one.online)
        .map(|one| &*one.brick)
        .collect();
    assert_eq!(offline, ["/data/brick/gvol0"]);
    let pending: Vec<Option<u64>> = status
        .heal
        .unwrap()
        .iter()
        .map(|brick| brick.pending)
        .collect();
    assert_eq!(
        pending,
        [Some(2), Some(2), None],
        "not connected is not nothing"
    );

    let status = told!("gluster_status.stopped", GlusterStatus, "gvol0");
    assert_eq!((status.processes, status.busy), (None, false));
    assert_eq!(status.silent, "Volume gvol0 is not started");
}

#[test]
fn a_held_lock_is_busy() {
    let said = "<cliOutput><opRet>-1</opRet><opErrstr>Another transaction is in progress for gvol0. Please try again after some time.</opErrstr></cliOutput>\nend\n\nend\n";
    let reply = Reply {
        stdout: said.into(),
        ..Reply::default()
    };
    let query = Query::GlusterStatus("gvol0".into());
    let answers = lower(&[query].into())[0].read(&reply);
    let Seen::Is(Answer::GlusterStatus(status)) = &answers[0].1 else {
        panic!("{answers:?}")
    };
    assert!(status.busy && status.processes.is_none() && status.heal.is_none());
}

#[test]
fn a_brick() {
    let folder = told!("brick.volume", GlusterBrick, "/data/brick/gvol0");
    assert_eq!(
        (&*folder.kind, &*folder.file_system, &*folder.mount_point),
        ("directory", "xfs", "/data/brick")
    );
    assert!(folder.parent && folder.marks_read && folder.gfid && folder.dot_glusterfs);
    assert!(
        !folder.on_root
            && !folder.is_mount
            && folder.unmounted.is_empty()
            && folder.inside.is_empty()
    );
    let volume = told!("gluster_volume.started", GlusterVolume, "gvol0");
    assert!(
        folder.is_brick_of(&volume.info.unwrap().id),
        "{}",
        folder.volume_id
    );
    assert!(!folder.traces().is_empty());
}

#[test]
fn mounts() {
    let mounted = told!("mounted.volume", Mounted, "/mnt/gluster");
    assert!(mounted.is_alive());
    assert_eq!(
        (&*mounted.mounts[0].source, &*mounted.mounts[0].kind),
        ("localhost:/gvol0", "fuse.glusterfs")
    );
    let mounted = told!("mounted.dead", Mounted, "/mnt/gluster");
    assert!(!mounted.is_alive() && !mounted.client);
    assert!(mounted.dead.contains("Transport endpoint is not connected"));
    let mounted = told!("mounted.not-connected", Mounted, "/mnt/gluster");
    assert!(!mounted.is_alive() && mounted.client);
    let mounted = told!("mounted.guarded", Mounted, "/mnt/gluster");
    assert_eq!(
        (mounted.mounts.len(), &*mounted.place, mounted.immutable),
        (0, "directory", Some(true))
    );
    let hung = Reply {
        stdout: b"mount fuse.glusterfs localhost:/gvol0\nhung\ndead \nend\n".to_vec(),
        ..Reply::default()
    };
    let answers = lower(&[Query::Mounted("/mnt/gluster".into())].into())[0].read(&hung);
    assert!(
        answers[0].1.unknown().unwrap().contains("it hangs"),
        "{answers:?}"
    );
}

#[test]
fn firewall_services() {
    let service = told!("firewall_service.glusterfs", FirewallService, "glusterfs").unwrap();
    for side in [&service.runtime, &service.permanent] {
        assert!(
            side.contains("24007/tcp") && side.contains("49152-60999/tcp"),
            "{side:?}"
        );
    }
    assert_eq!(
        told!("firewall_service.none", FirewallService, "nosuch"),
        None
    );
}

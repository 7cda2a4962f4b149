//! GlusterFS.

use super::{Told, host};
use crate::probe::gluster::{Gluster, Peer};
use crate::probe::gluster_volume::{Brick, Heal, Info, Process, Status, Volume};
use crate::probe::machine::Filesystem;
use crate::probe::mounted::{Mounted, Source};
use crate::probe::{Answer, Query};
use crate::rehearse::Scene;

const VOLUME: &str = "gvol0";

fn status(bricks: usize) -> Status {
    let process = |n: usize, brick: &str| Process {
        host_uuid: format!("u{n}"),
        brick: brick.to_owned(),
        online: true,
    };
    Status {
        processes: Some(
            (1..=bricks)
                .flat_map(|n| [process(n, "/b"), process(n, "")])
                .collect(),
        ),
        heal: Some(
            (1..=bricks)
                .map(|n| Heal {
                    brick: format!("ke2-server{n}:/b"),
                    pending: Some(0),
                    split_brain: 0,
                })
                .collect(),
        ),
        ..Status::default()
    }
}

/// A volume with a brick on each of so many hosts.
fn told(bricks: usize, replica: u32, kind: &str) -> Told {
    let info = Info {
        id: "v".to_owned(),
        status: "Started".to_owned(),
        kind: kind.to_owned(),
        replica,
        bricks: (1..=bricks)
            .map(|n| Brick {
                name: format!("ke2-server{n}:/b"),
                host_uuid: format!("u{n}"),
                arbiter: false,
            })
            .collect(),
        ..Info::default()
    };
    let mounted = Mounted {
        mounts: vec![Source {
            source: format!("localhost:/{VOLUME}"),
            kind: "fuse.glusterfs".to_owned(),
        }],
        ..Mounted::default()
    };
    let mut told = Told::default();
    for n in 1..=bricks {
        let peers = (1..=bricks).filter(|other| *other != n).map(|other| Peer {
            uuid: format!("u{other}"),
            hostnames: vec![host(other).to_string()],
            connected: true,
            state: 3,
            state_text: "Peer in Cluster".to_owned(),
        });
        let gluster = Gluster {
            installed: true,
            running: true,
            uuid: format!("u{n}"),
            peers: Some(peers.collect()),
            ..Gluster::default()
        };
        let volume = Volume {
            info: Some(info.clone()),
            ..Volume::default()
        };
        told = told
            .says(n, Query::Gluster, Answer::Gluster(gluster))
            .says(
                n,
                Query::GlusterVolume(VOLUME.to_owned()),
                Answer::GlusterVolume(volume),
            )
            .says(
                n,
                Query::GlusterStatus(VOLUME.to_owned()),
                Answer::GlusterStatus(status(bricks)),
            )
            .says(
                n,
                Query::Mounted("/m".to_owned()),
                Answer::Mounted(mounted.clone()),
            )
            .says(
                n,
                Query::Filesystem("/m".to_owned()),
                Answer::Filesystem(Filesystem {
                    mount_point: "/m".to_owned(),
                    kind: "fuse.glusterfs".to_owned(),
                    ..Filesystem::default()
                }),
            );
    }
    told
}

#[test]
fn a_lost_peer_stays_a_member_without_a_connection() {
    let told = told(3, 3, "Replicate");
    let seen = told.rehearsed(3, &[2], Scene::Down, 1, &Query::Gluster);
    let Some(Answer::Gluster(gluster)) = seen.known() else {
        panic!("{seen:?}");
    };
    let peers = gluster.peers.as_ref().unwrap();
    let words: Vec<(&str, bool, u8)> = peers
        .iter()
        .map(|peer| (&*peer.uuid, peer.connected, peer.state))
        .collect();
    assert_eq!(words, [("u2", false, 3), ("u3", true, 3)]);
}

#[test]
fn what_runs_on_a_lost_host_is_not_listed_and_its_brick_tells_nothing() {
    let told = told(3, 3, "Replicate");
    let query = Query::GlusterStatus(VOLUME.to_owned());
    let seen = told.rehearsed(3, &[2], Scene::Down, 1, &query);
    let Some(Answer::GlusterStatus(status)) = seen.known() else {
        panic!("{seen:?}");
    };
    let uuids: Vec<&str> = status
        .processes
        .iter()
        .flatten()
        .map(|one| &*one.host_uuid)
        .collect();
    assert_eq!(uuids, ["u1", "u1", "u3", "u3"]);
    let pending: Vec<Option<u64>> = status
        .heal
        .iter()
        .flatten()
        .map(|one| one.pending)
        .collect();
    assert_eq!(pending, [Some(0), None, Some(0)]);
}

#[test]
fn mounts_die_with_the_majority_of_the_bricks() {
    let dead = |bricks, replica, lost: &[usize], of| {
        let told = told(bricks, replica, "Replicate");
        let query = Query::Mounted("/m".to_owned());
        let space = told.rehearsed(
            bricks,
            lost,
            Scene::Down,
            of,
            &Query::Filesystem("/m".to_owned()),
        );
        match told
            .rehearsed(bricks, lost, Scene::Down, of, &query)
            .known()
        {
            Some(Answer::Mounted(mounted)) => {
                assert_eq!(
                    mounted.dead.is_empty(),
                    space.known().is_some(),
                    "{space:?}"
                );
                !mounted.dead.is_empty()
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(!dead(3, 3, &[2], 1));
    assert!(dead(3, 3, &[2, 3], 1));
    // Two copies ask for no majority.
    assert!(!dead(2, 2, &[2], 1));
}

#[test]
fn the_arithmetic_of_copies_is_told() {
    let says = |bricks, replica, kind: &str, lost: &[usize]| {
        let all = told(bricks, replica, kind).aftermath(bricks, lost);
        all.first()
            .map(|(text, decided)| (text.clone(), *decided))
            .unwrap()
    };
    let one = |bricks, replica, kind: &str, lost: &[usize]| says(bricks, replica, kind, lost).0;
    assert_eq!(
        one(3, 3, "Replicate", &[1]),
        "glusterfs gvol0: 2 of 3 bricks left: it goes on being read and written"
    );
    assert!(
        one(3, 3, "Replicate", &[1, 2]).contains("a majority is 2: nothing is read or written")
    );
    assert!(one(2, 2, "Replicate", &[1]).contains("what is written has one copy only"));
    assert_eq!(
        one(2, 1, "Distribute", &[2]),
        "glusterfs gvol0: 1 of 2 bricks left: all copies of some files are on ke2-server2, and are lost with it"
    );
    // Of six bricks with three copies each, two of the same set are a majority of it.
    assert!(one(6, 3, "Distributed-Replicate", &[1, 4]).contains("goes on being read and written"));
    assert!(one(6, 3, "Distributed-Replicate", &[1, 2]).contains("1 of 3 copies of a file"));
    assert!(!says(6, 1, "Disperse", &[1]).1);
}

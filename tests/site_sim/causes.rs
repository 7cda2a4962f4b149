//! Why a person is needed, reasoned from what is really there and not from what the hosts say.

use super::cluster::Cluster;
use super::database::Row;
use super::gluster::Folder;
use super::stack_law;
use super::swarm_sim::drive::End;
use super::swarm_sim::oracle::{Expected, expect};
use super::swarm_sim::starts::at_rest;
use std::collections::BTreeSet;

/// The codes that may be refused in a cluster whose hosts all answer; empty when nobody is needed.
pub fn causes(cluster: &Cluster) -> BTreeSet<&'static str> {
    let mut codes = BTreeSet::new();
    let mut swarm = cluster.swarm.clone();
    swarm.docker_layer();
    match expect(&at_rest(&swarm), cluster.machines.len()) {
        Expected::Exactly(End::Settled) => {}
        Expected::Exactly(End::Refused(of)) => {
            let known = ["S0", "S4", "S5", "S7", "S8", "S10", "S11"];
            codes.extend(
                known
                    .into_iter()
                    .filter(|code| of.iter().any(|it| it == code)),
            );
        }
        Expected::RefusedWith(of) => codes.extend(of),
        Expected::Exactly(_) => {}
    }
    gluster(cluster, &mut codes);
    database(cluster, &mut codes);
    stack_law::causes(cluster, &mut codes);
    codes
}

fn gluster(cluster: &Cluster, codes: &mut BTreeSet<&'static str>) {
    let volume = cluster
        .gluster
        .iter()
        .filter_map(|one| one.volume.as_ref())
        .max_by_key(|volume| volume.version);
    let (mut strangers, mut lost) = (0, 0);
    for h in cluster.hosts() {
        let own = &cluster.gluster[h];
        let name = cluster.name(h);
        // Known as another machine, or as this one, and it knows of nobody: its identity was restored, and no more.
        let stranger = cluster.gluster.iter().any(|other| {
            let mut peers = other.peers.iter();
            peers.any(|(uuid, of)| of == name && (*uuid != own.uuid || own.peers.is_empty()))
        });
        strangers += usize::from(stranger);
        let used = own
            .folder
            .as_ref()
            .is_some_and(|folder| !folder.volume_id.is_empty());
        match volume {
            None if used => drop(codes.insert("G22")),
            None => {}
            Some(volume) => {
                let owns = volume.bricks.iter().any(|(host, _)| host == name);
                let of = |folder: &Folder| folder.volume_id == volume.id;
                lost += usize::from(owns && !own.folder.as_ref().is_some_and(of));
            }
        }
    }
    // One is brought back by itself, as long as all others are there.
    if strangers > 1 {
        codes.insert("G2");
    }
    if lost > 1 {
        codes.extend(["G2", "G6"]);
    }
    let Some(volume) = volume else { return };
    if volume.status == "Stopped" {
        codes.insert("G11");
    }
    let usable = |(host, _): &&(String, String)| {
        let folder = cluster
            .host(host)
            .and_then(|h| cluster.gluster[h].folder.as_ref());
        folder.is_some_and(|folder| folder.volume_id == volume.id)
    };
    if volume.bricks.iter().filter(usable).count() <= volume.bricks.len() / 2 {
        codes.insert("G16");
    }
}

fn database(cluster: &Cluster, codes: &mut BTreeSet<&'static str>) {
    let data = |h: usize| cluster.databases[h].data.as_ref();
    let holders: Vec<usize> = cluster.hosts().filter(|h| data(*h).is_some()).collect();
    if holders.is_empty() {
        return;
    }
    let primaries: Vec<usize> = cluster
        .hosts()
        .filter(|h| cluster.databases[*h].is_primary())
        .collect();
    match primaries[..] {
        [] => without_primary(cluster, &holders, codes),
        [p] => {
            for h in holders.into_iter().filter(|h| *h != p) {
                beside_primary(cluster, h, p, codes);
            }
            for daemon in &cluster.pgpools {
                let named = daemon.primary.and_then(|id| cluster.seat_host(p, id));
                let up = daemon
                    .primary
                    .is_some_and(|id| daemon.seats.get(&id).is_some_and(|it| it.up));
                if daemon.running && up && named != Some(p) {
                    codes.insert("P8");
                }
            }
        }
        [a, b] if deposed(cluster, a, b) && all_serve(cluster, b) => {}
        [a, b] if deposed(cluster, b, a) && all_serve(cluster, a) => {}
        _ => drop(codes.insert("P7")),
    }
}

/// Whether a primary was deposed by another one and has nothing that this one lacks.
pub fn deposed(cluster: &Cluster, former: usize, by: usize) -> bool {
    let data = |h: usize| cluster.databases[h].data.as_ref();
    let (Some(old), Some(new)) = (data(former), data(by)) else {
        return false;
    };
    let left = |(timeline, _): &&(u32, u64)| *timeline == old.timeline;
    let Some((_, fork)) = new.history.iter().find(left) else {
        return false;
    };
    let beyond = |row: &Row| row.timeline == old.timeline && row.at > *fork;
    let follows = |of| cluster.hosts().any(|h| cluster.streams(h) == Some(of));
    old.system == new.system && !old.rows.iter().any(beyond) && follows(by) && !follows(former)
}

/// Whether every Pgpool-II with a majority sends its clients to a primary, or finds it when the other one is stopped.
pub fn all_serve(cluster: &Cluster, primary: usize) -> bool {
    let daemons = cluster.pgpools.iter().enumerate();
    let mut serving = daemons.filter(|(_, it)| it.running && it.quorum);
    serving.all(|(h, daemon)| {
        if cluster.guarded(h) {
            return true;
        }
        let up = |id: &u32| daemon.seats.get(id).is_some_and(|seat| seat.up);
        let named = daemon.primary.filter(up);
        named.and_then(|id| cluster.seat_host(primary, id)) == Some(primary)
    })
}

fn beside_primary(cluster: &Cluster, h: usize, p: usize, codes: &mut BTreeSet<&'static str>) {
    let own = &cluster.databases[h];
    let (Some(data), Some(of)) = (&own.data, &cluster.databases[p].data) else {
        return;
    };
    if !data.standby {
        let fork = of
            .history
            .iter()
            .find(|(timeline, _)| *timeline == data.timeline);
        let past = |at: u64| {
            let mut rows = data.rows.iter();
            rows.any(|row| row.timeline == data.timeline && row.at > at)
        };
        let nothing = fork.is_some_and(|(_, at)| !past(*at));
        if !nothing {
            codes.insert("P4");
        }
    } else if !data.leads_to(of) {
        // It may have what the primary lacks.
        codes.extend(["P3", "P6"]);
    }
}

fn without_primary(cluster: &Cluster, holders: &[usize], codes: &mut BTreeSet<&'static str>) {
    let data = |h: &usize| cluster.databases[*h].data.as_ref().unwrap();
    let former: Vec<usize> = holders
        .iter()
        .copied()
        .filter(|h| !data(h).standby)
        .collect();
    let newest = holders.iter().map(|h| data(h).newest()).max().unwrap_or(0);
    match former[..] {
        [one] if data(&one).newest() >= newest => {}
        [_] | [] => drop(codes.insert("P9")),
        _ => codes.extend(["P9", "P10"]),
    }
}

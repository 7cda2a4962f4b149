//! Refusals about the volume: G0, G8, G9, G10, G11, G15, G16, G19, G20.

use super::refusal;
use crate::cluster::gluster_volume::table::list;
use crate::cluster::gluster_volume::{GlusterVolume, State};
use crate::inventory::HostName;
use crate::plan::{Reach, Refusal};
use crate::probe::gluster_volume::{Heal, Info};
use std::collections::BTreeSet;

/// G0: a host that did not answer may be the one that holds the volume.
pub(in crate::cluster::gluster_volume) fn may_hold_the_volume(
    volume: &GlusterVolume,
    state: &State,
) -> Refusal {
    refusal(
        "G0",
        Reach::Layer,
        format!(
            "no volume {} is seen, but {} did not answer and may hold it: making another would part the hosts from their files",
            volume.name,
            list(state.silent(volume).map(|(host, _)| host))
        ),
        state
            .silent(volume)
            .map(|(host, why)| format!("{host}: did not answer: {why}"))
            .collect(),
        "bring the host back and run again, or take it out of the inventory when it is gone for good; no flag overrides this",
    )
}

/// G15: a daemon runs and does not say whether there is a volume.
pub(in crate::cluster::gluster_volume) fn not_told(
    volume: &GlusterVolume,
    host: &HostName,
    why: &str,
) -> Refusal {
    refusal(
        "G15",
        Reach::Layer,
        format!(
            "glusterd of {host} does not say whether there is a volume {}, so that none is made",
            volume.name
        ),
        vec![format!("{host}: {why}")],
        format!(
            "look at `gluster volume info {}` there, and restart glusterd on it when it hangs",
            volume.name
        ),
    )
}

/// G19: two volumes of one name.
pub(in crate::cluster::gluster_volume) fn twins(
    volume: &GlusterVolume,
    state: &State,
    info: &Info,
) -> Option<Refusal> {
    let told: Vec<(&HostName, &Info)> = volume
        .hosts
        .iter()
        .filter_map(|host| Some((host, state.told(host)?)))
        .collect();
    told.iter().any(|(_, other)| other.id != info.id).then(|| {
        refusal(
            "G19",
            Reach::Layer,
            format!("the hosts know different volumes of the name {}", volume.name),
            told.iter()
                .map(|(host, info)| format!("{host}: {} is {}", volume.name, info.id))
                .collect(),
            "only a person can say which one is wanted: look at what each holds before one of them is deleted by hand",
        )
    })
}

/// G20: the pool is used for something else.
pub(in crate::cluster::gluster_volume) fn other_volumes(
    volume: &GlusterVolume,
    state: &State,
) -> Option<Refusal> {
    let names: BTreeSet<&str> = volume
        .hosts
        .iter()
        .filter_map(|host| state.gluster(host))
        .flat_map(|gluster| gluster.disk_volumes.iter().map(String::as_str))
        .collect();
    let evidence = volume.hosts.iter().filter_map(|host| {
        let volumes = &state.gluster(host)?.disk_volumes;
        (!volumes.is_empty()).then(|| format!("{host}: {}", volumes.join(", ")))
    });
    (!names.is_empty()).then(|| {
        refusal(
            "G20",
            Reach::Layer,
            format!("the pool has no volume {}, but another one", volume.name),
            evidence.collect(),
            format!(
                "when that is the one, set `gluster_volume` to its name; when {} is wanted beside it, make it by hand with `gluster volume create` and run again",
                volume.name
            ),
        )
    })
}

/// G10: the volume has another shape than the inventory.
pub(in crate::cluster::gluster_volume) fn other_shape(
    volume: &GlusterVolume,
    state: &State,
    info: &Info,
) -> Option<Refusal> {
    let arbiter = u32::from(volume.arbiter);
    let owners: Vec<Option<&HostName>> = info
        .bricks
        .iter()
        .map(|brick| state.owner(volume, brick))
        .collect();
    let distinct: BTreeSet<&HostName> = owners.iter().flatten().copied().collect();
    let mut wrong = Vec::new();
    if info.kind != "Replicate" {
        wrong.push(format!("its type is {}, not Replicate", info.kind));
    }
    if u32::try_from(volume.replica) != Ok(info.replica) {
        wrong.push(format!(
            "it keeps {} copies, and {} are declared",
            info.replica, volume.replica
        ));
    }
    if info.arbiter != arbiter {
        wrong.push(format!(
            "it has {} arbiters, and {arbiter} are declared",
            info.arbiter
        ));
    }
    for (brick, owner) in info.bricks.iter().zip(&owners) {
        if owner.is_none() {
            wrong.push(format!(
                "the brick {} is on no host of the group",
                brick.name
            ));
        } else if brick.path() != volume.brick {
            wrong.push(format!(
                "the brick {} is not at {}",
                brick.name, volume.brick
            ));
        }
    }
    if owners.iter().all(Option::is_some) && distinct.len() != info.bricks.len() {
        wrong.push("two of its bricks are on one host".to_owned());
    }
    (!wrong.is_empty()).then(|| {
        let bricks = info.bricks.iter().map(|brick| brick.name.clone());
        refusal(
            "G10",
            Reach::Layer,
            format!(
                "the volume {} is made otherwise than declared: {}",
                volume.name,
                wrong.join("; ")
            ),
            bricks.collect(),
            "write into the inventory what the volume is (`gluster_brick`, `gluster_replica`, `gluster_arbiter`, the group `gluster`); changing a volume's bricks moves its data and is done by hand",
        )
    })
}

/// G11: somebody stopped it.
pub(in crate::cluster::gluster_volume) fn stopped(
    volume: &GlusterVolume,
    speaker: &HostName,
    info: &Info,
) -> Refusal {
    refusal(
        "G11",
        Reach::Layer,
        format!(
            "the volume {} is {}: somebody stopped it, and may have had a reason",
            volume.name,
            info.status.to_lowercase()
        ),
        vec![format!("{speaker}: Status: {}", info.status)],
        format!(
            "when nothing speaks against it, run `gluster volume start {}` on one of the hosts, and run again",
            volume.name
        ),
    )
}

/// G16: too few bricks are left for a majority.
pub(in crate::cluster::gluster_volume) fn no_quorum(
    volume: &GlusterVolume,
    state: &State,
    lost: &[String],
    can_work: usize,
    majority: usize,
) -> Refusal {
    let mut evidence: Vec<String> = lost
        .iter()
        .map(|brick| format!("{brick} does not work"))
        .collect();
    evidence.extend(
        state
            .silent(volume)
            .map(|(host, why)| format!("{host}: did not answer: {why}")),
    );
    refusal(
        "G16",
        Reach::Layer,
        format!(
            "{can_work} of the {} bricks of {} can work, and {majority} are needed: the volume refuses reading and writing by its quorum",
            can_work + lost.len(),
            volume.name
        ),
        evidence,
        "bring back another of the hosts; do not lower cluster.quorum-type, which would let the copies part",
    )
}

/// G9: an option that must not be changed under a volume in use.
pub(in crate::cluster::gluster_volume) fn option(
    volume: &GlusterVolume,
    key: &str,
    value: &str,
    now: &str,
) -> Refusal {
    refusal(
        "G9",
        Reach::Here,
        format!(
            "{key} of the volume {} is {now}, not {value}, and it is none of the options that are safe to change under a volume in use",
            volume.name
        ),
        vec![format!("{}: {key} is {now}", volume.name)],
        format!(
            "when you know what it does to the data, run `gluster volume set {} {key} {value}` by hand; else take it out of `gluster_options`",
            volume.name
        ),
    )
}

/// G8: a person must choose between copies.
pub(in crate::cluster::gluster_volume) fn split_brain(
    volume: &GlusterVolume,
    heal: &[Heal],
    files: &[String],
) -> Refusal {
    let mut evidence: Vec<String> = heal
        .iter()
        .filter(|brick| brick.split_brain > 0)
        .map(|brick| {
            format!(
                "{}: {} entries in split-brain",
                brick.brick, brick.split_brain
            )
        })
        .collect();
    evidence.extend(files.iter().cloned());
    refusal(
        "G8",
        Reach::Here,
        format!(
            "copies of files in the volume {} contradict each other, and which one is right is for you to say",
            volume.name
        ),
        evidence,
        format!(
            "for each file: `gluster volume heal {} split-brain latest-mtime FILE` (or bigger-file, or source-brick HOST:BRICK FILE)",
            volume.name
        ),
    )
}

//! Refusals about one host's brick: G0, G6, G22, G23.

use super::refusal;
use crate::cluster::gluster_volume::GlusterVolume;
use crate::cluster::gluster_volume::reset::Lost;
use crate::inventory::HostName;
use crate::plan::{Reach, Refusal};
use crate::probe::brick::Folder;
use crate::probe::gluster_volume::{Brick, Info};

/// Why no brick can be made in a host's folder: all that speaks against it, at once.
pub(in crate::cluster::gluster_volume) fn unusable(
    volume: &GlusterVolume,
    host: &HostName,
    folder: &Folder,
) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let path = &volume.brick;
    let place = format!(
        "{host}: {path} is on {} ({}), which is mounted at {}",
        if folder.on_root {
            "the root file system"
        } else {
            "a file system of its own"
        },
        folder.file_system,
        folder.mount_point
    );
    let traces = folder.traces();
    if !traces.is_empty() {
        refusals.push(refusal(
            "G22",
            Reach::Layer,
            format!(
                "{path} on {host} is not new: {}; a brick made there would mix its files with the volume's",
                traces.join(", ")
            ),
            vec![place.clone()],
            format!(
                "see whose it is (`ls -la {path}`, `getfattr -d -m . -e hex {path}`); move it away by hand when nobody needs it, or set `gluster_brick` to another folder"
            ),
        ));
    }
    if !folder.unmounted.is_empty() {
        refusals.push(refusal(
            "G23",
            Reach::Layer,
            format!(
                "{} on {host} has a line in /etc/fstab and is not mounted: the brick would be made on the file system below",
                folder.unmounted
            ),
            vec![place],
            format!("mount it (`mount {}`), and run again", folder.unmounted),
        ));
    } else if folder.on_root && !volume.on_root {
        refusals.push(refusal(
            "G23",
            Reach::Layer,
            format!(
                "{path} on {host} is on the root file system, which a brick can fill up, and with it Docker, the database and the logs"
            ),
            vec![place],
            "mount a disk of its own above it (is one missing?) and set `gluster_brick` to a folder in it; or say with `gluster_brick_on_root: true` that the root file system is meant",
        ));
    } else if folder.is_mount {
        refusals.push(refusal(
            "G23",
            Reach::Layer,
            format!(
                "{path} on {host} is where a file system is mounted: when it is not, nothing would tell an empty brick from a missing disk"
            ),
            vec![place],
            format!("set `gluster_brick` to a folder in it, such as {path}/{}", volume.name),
        ));
    } else if !folder.parent {
        refusals.push(refusal(
            "G23",
            Reach::Layer,
            format!("the folder above {path} does not exist on {host}; it is not made, because a missing disk looks the same"),
            vec![place],
            "make it by hand when that is the right place",
        ));
    }
    refusals
}

/// G0: nothing is known of the folder.
pub(in crate::cluster::gluster_volume) fn unseen(
    volume: &GlusterVolume,
    host: &HostName,
    why: &str,
) -> Refusal {
    refusal(
        "G0",
        Reach::Layer,
        format!(
            "what is at {} on {host} could not be seen, so that no brick is made there",
            volume.brick
        ),
        vec![format!("{host}: {why}")],
        "look at the host's disks, and run again",
    )
}

/// G6: the folder of a brick, or its mark, is gone, and it cannot be made again now.
pub(in crate::cluster::gluster_volume) fn brick_lost(
    volume: &GlusterVolume,
    info: &Info,
    lost: &Lost<'_>,
    why: &str,
    online: bool,
) -> Refusal {
    let Lost {
        host,
        brick,
        folder,
    } = lost;
    let path = brick.path();
    let mut evidence = vec![
        format!(
            "{host}: {path} is {}, with {} entries, on {} ({}){}",
            folder.kind,
            folder.entries,
            folder.mount_point,
            folder.file_system,
            if folder.on_root {
                ", the root file system"
            } else {
                ""
            },
        ),
        format!(
            "{host}: its mark is {}, the volume is {}",
            if folder.volume_id.is_empty() {
                "missing"
            } else {
                &folder.volume_id
            },
            info.id
        ),
    ];
    if online {
        evidence.push(format!(
            "the volume still calls {} online: its process runs on without its folder",
            brick.name
        ));
    }
    let hint = if folder.unmounted.is_empty() {
        format!(
            "mend that and run again: with its disk mounted, its folder gone or empty and the other bricks online it is filled again by itself. Never set its mark by hand: an empty brick would count as complete. Into another folder: `gluster volume replace-brick {} {} {host}:/NEW/FOLDER commit force` by hand",
            volume.name, brick.name
        )
    } else {
        format!("`mount {}` on {host}, and run again", folder.unmounted)
    };
    refusal(
        "G6",
        Reach::Here,
        format!(
            "the brick of {} on {host} is lost, and nothing is made in its place: {why}",
            volume.name
        ),
        evidence,
        hint,
    )
}

/// G24: a brick without files that counts as complete.
pub(in crate::cluster::gluster_volume) fn hollow(
    volume: &GlusterVolume,
    host: &HostName,
    brick: &Brick,
    full: &HostName,
) -> Refusal {
    refusal(
        "G24",
        Reach::Here,
        format!(
            "the brick of {} on {host} carries the volume's mark and holds no file, {full} has files, and gluster knows of nothing to heal",
            volume.name
        ),
        vec![
            format!("{host}: {} holds nothing but .glusterfs", brick.path()),
            format!("{full}: its brick holds files"),
        ],
        format!(
            "an empty brick that counts as complete shows an empty directory on {host}: when its files are really gone, empty {} there, with its .glusterfs, take its mark away (`setfattr -x trusted.glusterfs.volume-id`), and run again",
            brick.path()
        ),
    )
}

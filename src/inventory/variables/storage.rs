//! Variables of the shared directory: `GlusterFS`, or a file server.

use super::Layer::Gluster;
use super::{Kind, Variable, row};

pub(super) const TABLE: &[Variable] = &[
    row(
        Gluster,
        "gluster_volume",
        Kind::Text,
        Some("gvol0"),
        "Name of the volume.",
    ),
    row(
        Gluster,
        "gluster_brick",
        Kind::Path,
        Some("/var/glustervol0"),
        "Folder of the brick on each host, below a file system of its own.",
    ),
    row(
        Gluster,
        "gluster_brick_on_root",
        Kind::Bool,
        Some("false"),
        "Consent to a brick on the root file system, which it can fill up.",
    ),
    row(
        Gluster,
        "gluster_mount",
        Kind::Path,
        Some("/mnt/gluster"),
        "Where the volume, or the export of the file server, is mounted.",
    ),
    row(
        Gluster,
        "gluster_replica",
        Kind::Int(2, 16),
        Some("3"),
        "Copies of each file; the first so many hosts of the group have the bricks.",
    ),
    row(
        Gluster,
        "gluster_arbiter",
        Kind::Bool,
        Some("false"),
        "Whether the last of three bricks holds only names and attributes.",
    ),
    row(
        Gluster,
        "gluster_options",
        Kind::Map,
        Some("{}"),
        "Options of the volume, such as {network.ping-timeout: 20}.",
    ),
    row(
        Gluster,
        "gluster_heal_timeout",
        Kind::Int(5, 86_400),
        Some("60"),
        "Seconds until copies that are behind are looked for again: daemons that missed a brick's return wait for that. GlusterFS itself has 600.",
    ),
    row(
        Gluster,
        "gluster_version",
        Kind::Text,
        Some("11"),
        "Release of GlusterFS: 10 as in the source document, or 11, which is maintained.",
    ),
    row(
        Gluster,
        "gluster_repo_url",
        Kind::Url,
        None,
        "Where the packages come from; without it the CentOS Storage SIG.",
    ),
    row(
        Gluster,
        "gluster_repo_key",
        Kind::Url,
        Some("https://www.centos.org/keys/RPM-GPG-KEY-CentOS-SIG-Storage"),
        "The key that signs the packages of gluster_repo_url.",
    ),
    row(
        Gluster,
        "shared_dir_nfs",
        Kind::Text,
        None,
        "A file server's directory, server:/export, instead of GlusterFS.",
    ),
    row(
        Gluster,
        "nfs_mount_options",
        Kind::Text,
        Some("defaults,_netdev,nofail,hard"),
        "How it is mounted.",
    ),
];

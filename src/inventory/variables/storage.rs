//! Variables of the `GlusterFS` layer.

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
        "Folder of the brick on each host.",
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
        "Where the volume is mounted.",
    ),
    row(
        Gluster,
        "gluster_replica",
        Kind::Int(3, 16),
        Some("3"),
        "Copies of each file.",
    ),
    row(
        Gluster,
        "gluster_repo_url",
        Kind::Url,
        None,
        "Where the packages come from; without it the CentOS Storage SIG.",
    ),
];

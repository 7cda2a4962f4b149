//! Why a host module does not act. The codes are stable: people search for them.

use crate::inventory::HostName;
use crate::plan::{Decision, Reach, Refusal};

/// Something else is where a file or a directory should be.
pub const SOMETHING_ELSE: &str = "H1";
/// A file cannot be read.
pub const UNREADABLE: &str = "H2";
/// A file is too large to be configuration.
pub const TOO_LARGE: &str = "H3";
/// A file that should be there is not.
pub const MISSING: &str = "H4";
/// Another version of a package is installed than the one asked for.
pub const OTHER_VERSION: &str = "H5";
/// A package is installed that the new one would conflict with or replace.
pub const CONFLICT: &str = "H6";
/// A command that only reads failed.
pub const READING_FAILED: &str = "H7";
/// /etc/hosts gives a cluster name another address.
pub const FOREIGN_NAME: &str = "H8";
/// firewalld does not run.
pub const NO_FIREWALLD: &str = "H9";
/// There is no such unit, or it is masked.
pub const NO_UNIT: &str = "H10";
/// No zone of firewalld filters the cluster's address.
pub const NO_ZONE: &str = "H11";
/// There is no such account.
pub const NO_ACCOUNT: &str = "H12";
/// Open sessions do not have a new group yet.
pub const NEEDS_LOGIN: &str = "H17";
/// The kernel has no such parameter.
pub const NO_PARAMETER: &str = "H13";
/// Another file system is mounted there.
pub const OTHER_MOUNT: &str = "H14";
/// /etc/fstab mounts another file system there.
pub const OTHER_LINE: &str = "H15";
/// Something else is mounted where the shared directory should be (docs/glusterfs.md).
pub const SHARED_MOUNT: &str = "G13";
/// /etc/fstab mounts something else where the shared directory should be (docs/glusterfs.md).
pub const SHARED_LINE: &str = "G14";
/// firewalld does not know a service.
pub const NO_SERVICE: &str = "H16";

/// A refusal that stops the later tasks of the host.
pub fn refuse(
    host: &HostName,
    code: &str,
    because: impl Into<String>,
    evidence: Vec<String>,
    hint: impl Into<String>,
) -> Refusal {
    Refusal {
        code: code.to_owned(),
        because: because.into(),
        evidence,
        hint: hint.into(),
        reach: Reach::Hosts(vec![host.clone()]),
    }
}

impl From<Refusal> for Decision {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusals: vec![refusal],
            ..Self::default()
        }
    }
}

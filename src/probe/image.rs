//! A container image on a host.

use super::Seen;
use super::docker::SOCKET;
use super::shell::quote;
use serde::{Deserialize, Serialize};

/// An image as an engine has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Image {
    /// Its id: the digest of its configuration.
    pub id: String,
    /// The digests that registries know it by; none when it was loaded from a file.
    pub repo_digests: Option<Vec<String>>,
}

pub(super) fn script(reference: &str) -> String {
    format!(
        "s=$(systemctl is-active docker.service); [ \"$s\" = active ] || {{ echo \"docker.service is $s\" >&2; exit 0; }}\n\
         curl --silent --show-error --max-time 20 --unix-socket {SOCKET} http://docker/images/{}/json\n\
         exit 0",
        quote(reference)
    )
}

/// No engine means no image.
pub(super) fn parse(stdout: &str, stderr: &str) -> Seen<Option<Image>> {
    match serde_json::from_str::<Image>(stdout) {
        Ok(image) if !image.id.is_empty() => Seen::Is(Some(image)),
        _ if stdout.contains("No such image") => Seen::Is(None),
        _ if stderr.contains("docker.service is") => Seen::Is(None),
        _ => Seen::Unknown(format!("{}{}", stdout.trim(), stderr.trim())),
    }
}

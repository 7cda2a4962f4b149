//! Why a file system is not mounted: something else is at its place.

use super::Mount;
use crate::module::refusal::{
    OTHER_LINE, OTHER_MOUNT, SHARED_LINE, SHARED_MOUNT, SOMETHING_ELSE, refuse,
};
use crate::plan::Decision;
use crate::probe::mounted::Source;

impl Mount {
    pub(super) fn other(&self, here: &Source) -> Decision {
        let code = if self.is_shared() {
            SHARED_MOUNT
        } else {
            OTHER_MOUNT
        };
        refuse(
            &self.host,
            code,
            format!(
                "something else than {} is mounted at {} on {}, and is not taken away",
                self.source, self.path, self.host
            ),
            vec![format!(
                "{}: {} is {} ({}), not {}",
                self.host, self.path, here.source, here.kind, self.kind
            )],
            format!(
                "see what it is and who uses it (`findmnt {0}`, `fuser -vm {0}`), unmount it by hand and run again",
                self.path
            ),
        )
        .into()
    }

    pub(super) fn other_line(&self, line: &str) -> Decision {
        let code = if self.is_shared() {
            SHARED_LINE
        } else {
            OTHER_LINE
        };
        refuse(
            &self.host,
            code,
            format!(
                "/etc/fstab on {} mounts something else at {}, and a second line is never added",
                self.host, self.path
            ),
            vec![
                format!("{}: {line}", self.host),
                format!("wanted: {}", self.fields.join(" ")),
            ],
            "when nothing needs that line any more, take it out by hand and run again",
        )
        .into()
    }

    pub(super) fn in_the_way(&self) -> Decision {
        refuse(
            &self.host,
            SOMETHING_ELSE,
            format!("{} on {} is no directory", self.path, self.host),
            vec![format!("{}: {} is something else", self.host, self.path)],
            format!(
                "look at it (`ls -ld {}`), move it away and run again",
                self.path
            ),
        )
        .into()
    }
}

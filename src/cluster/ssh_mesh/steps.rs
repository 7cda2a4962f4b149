//! The folder and the key pair, which each host makes for itself: no private key ever leaves it.

use super::observed::{Observed, Told};
use super::{SshMesh, lines};
use crate::inventory::HostName;
use crate::plan::{Act, Class, Step, StepId};
use crate::probe::PathState;
use crate::probe::shell::CommandLine;

impl SshMesh {
    pub(super) fn folder(&self, host: &HostName, observed: &Observed) -> Option<Step> {
        let wanted = self.wanted(0o700);
        let (class, why) = match observed.folder.known()? {
            PathState::Directory { attributes } => (
                Class::Repair,
                format!("its {}", wanted.difference(attributes)?),
            ),
            _ => (Class::Create, "it does not exist".to_owned()),
        };
        let act = Act::MakeDirectory {
            path: self.folder.clone(),
            mode: wanted.mode,
            owner: wanted.owner,
            group: wanted.group,
        };
        let id = StepId::new(&["ssh_mesh", "folder", host.as_str()]);
        Some(Step::new(id, host, class, why, act))
    }

    /// RSA as the source document's script makes it: every crypto policy of EL9 takes it, FIPS too.
    pub(super) fn make_key(&self, host: &HostName, observed: &Observed) -> Option<Step> {
        let path = self.private();
        let comment = lines::comment(&self.user, host);
        let generate = "ssh-keygen -q -t rsa -b 3072 -N ''";
        let (script, why) = match (observed.private.known()?, observed.key()) {
            (PathState::Absent, _) => (
                format!("rm -f \"$0.pub\" && {generate} -C \"$1\" -f \"$0\""),
                format!("{} has no key on it", self.user),
            ),
            (_, Told::None) => (
                "ssh-keygen -y -f \"$0\" >\"$0.pub\"".to_owned(),
                "the public half of its key is missing".to_owned(),
            ),
            _ => return None,
        };
        let words = [
            "runuser", "-u", &self.user, "--", "sh", "-c", &script, &path, &comment,
        ];
        let act = Act::Command {
            line: CommandLine {
                words: words.iter().map(|word| (*word).to_owned()).collect(),
                shell: false,
                chdir: None,
            },
            writes: Some(vec![path.clone(), format!("{path}.pub")]),
        };
        let id = StepId::new(&["ssh_mesh", "key", host.as_str()]);
        Some(Step::new(id, host, Class::Create, why, act))
    }
}

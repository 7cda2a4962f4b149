//! Whether everybody really gets in everywhere: each host tries all.

use super::SshMesh;
use crate::inventory::HostName;
use crate::plan::{Reach, Refusal};
use crate::probe::Seen;
use crate::probe::shell::{CommandLine, Outcome, join};

/// Tries all hosts side by side, and prints a line for each that does not let in.
pub(super) fn script(mesh: &SshMesh, hosts: &[HostName]) -> CommandLine {
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    let user = &mesh.user;
    let login = join(&[
        "runuser",
        "-u",
        user,
        "--",
        "ssh",
        "-n",
        "-T",
        "-o",
        "BatchMode=yes",
        "-o",
        "ConnectTimeout=5",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        &format!("UserKnownHostsFile={}", mesh.file("known_hosts")),
        "-i",
        &mesh.private(),
    ]);
    let text = format!(
        "for h in {}; do\n\
         ( said=$(timeout 15 {login} \"{user}@$h\" true 2>&1) || printf '%s: %s\\n' \"$h\" \"$(printf '%s' \"$said\" | tail -n 1)\" ) &\n\
         done\nwait",
        join(&names)
    );
    CommandLine {
        words: vec![text],
        shell: true,
        chdir: None,
    }
}

/// P22: the pairs that do not work.
pub(super) fn refusal<'a>(
    user: &str,
    logins: impl Iterator<Item = (&'a HostName, &'a Seen<Outcome>)>,
) -> Option<Refusal> {
    let mut evidence = Vec::new();
    for (host, outcome) in logins {
        match outcome {
            Seen::Is(outcome) => {
                let mut said: Vec<&str> = outcome.stdout.lines().collect();
                said.sort_unstable();
                evidence.extend(said.iter().map(|line| format!("{host} → {line}")));
            }
            Seen::Unknown(why) => evidence.push(format!("{host}: {why}")),
        }
    }
    (!evidence.is_empty()).then(|| Refusal {
        code: "P22".to_owned(),
        because: format!(
            "{user} does not get from every host to every other, so that a failover or a recovery would fail half-way"
        ),
        evidence,
        hint: "look at AllowUsers and the like in sshd_config, at the firewall, and at `journalctl -u sshd` on the host that does not let in".to_owned(),
        reach: Reach::Layer,
    })
}

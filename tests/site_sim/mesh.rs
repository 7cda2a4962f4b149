//! Logins between the hosts, the commands of playbooks and modules, and what units note of their files.

use super::cluster::Cluster;
use super::machine::Entry;
use provision::probe::shell::{CommandLine, Outcome};

const SSH: &str = "/var/lib/pgsql/.ssh";

impl Cluster {
    /// Whether postgres of one host gets in at another by its key.
    pub fn logs_in(&self, from: usize, to: usize) -> bool {
        let key = |text: &str| {
            let mut words = text.split_whitespace();
            Some(format!("{} {}", words.next()?, words.next()?))
        };
        let own = key(self.machines[from].text(&format!("{SSH}/id_rsa_pgpool.pub")));
        let server = key(self.machines[to].text("/etc/ssh/ssh_host_ed25519_key.pub"));
        let (Some(own), Some(server)) = (own, server) else {
            return false;
        };
        let knows = |line: &str| {
            let mut words = line.split_whitespace();
            let names = words.next().unwrap_or_default();
            names.split(',').any(|name| name == self.name(to)) && line.contains(&server)
        };
        self.linked(from, to)
            && self.machines[from]
                .text(&format!("{SSH}/known_hosts"))
                .lines()
                .any(knows)
            && self.machines[to]
                .text(&format!("{SSH}/authorized_keys"))
                .contains(&own)
    }

    /// The outcome of a command that only reads; `None` for one that is not known.
    pub fn reads(&self, h: usize, line: &CommandLine) -> Option<Outcome> {
        let text = line.words.join(" ");
        let status = |status| Outcome {
            status,
            ..Outcome::default()
        };
        if text.contains("codeready-builder") {
            return Some(status(i32::from(!self.machines[h].crb)));
        }
        if text.contains("BatchMode=yes") && text.starts_with("for h in ") {
            let names = text["for h in ".len()..]
                .split(';')
                .next()?
                .split_whitespace();
            let refused =
                names.filter(|name| self.host(name).is_none_or(|to| !self.logs_in(h, to)));
            let said = |name: &str| format!("{name}: Permission denied (publickey).\n");
            return Some(Outcome {
                stdout: refused.map(said).collect(),
                ..Outcome::default()
            });
        }
        None
    }

    /// Does a command that writes.
    ///
    /// # Errors
    /// When it is not known.
    pub fn runs(&mut self, h: usize, line: &CommandLine) -> Result<(), String> {
        let now = self.moment();
        let text = line.words.join(" ");
        if text.contains("codeready-builder") {
            self.machines[h].crb = true;
            return Ok(());
        }
        if text.contains("ssh-keygen -q") {
            let [.., path, comment] = &line.words[..] else {
                return Err("ssh-keygen: usage".into());
            };
            let key = self.swarm.fresh("PUBLIC");
            let public = format!("ssh-rsa {key} {comment}\n");
            let machine = &mut self.machines[h];
            machine.file(path, key.as_bytes(), 0o600, "postgres", now);
            machine.file(
                &format!("{path}.pub"),
                public.as_bytes(),
                0o644,
                "postgres",
                now,
            );
            return Ok(());
        }
        Err(format!("the simulation does not know the command {text}"))
    }

    /// A unit that starts or reloads notes the checksums of its files, when its drop-in says so.
    pub fn stamp(&mut self, h: usize, unit: &str, when: &[&str]) {
        let machine = &self.machines[h];
        let drop_in = format!("/etc/systemd/system/{unit}.d/50-provision-stamp.conf");
        let mut notes = Vec::new();
        for line in machine.text(&drop_in).lines() {
            let Some((_, rest)) = line.split_once("sha256sum ") else {
                continue;
            };
            let Some((files, note)) = rest.split_once(" >") else {
                continue;
            };
            let note = note.trim_end_matches('\'').to_owned();
            if !when.iter().any(|when| note.ends_with(&format!(".{when}"))) {
                continue;
            }
            let sums =
                files
                    .split_whitespace()
                    .filter_map(|path| match machine.paths.get(path)? {
                        Entry::File { sha256, .. } => Some(format!("{sha256}  {path}\n")),
                        Entry::Directory(_) => None,
                    });
            notes.push((note, sums.collect::<String>()));
        }
        let now = self.now;
        for (note, sums) in notes {
            self.machines[h].file(&note, sums.as_bytes(), 0o644, "root", now);
        }
    }
}

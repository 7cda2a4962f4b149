//! What the two files should be.

use super::observed::{Observed, Told, bytes};
use super::{SshMesh, State, lines};

impl SshMesh {
    /// A line for each host, in their order; that of a silent host stays as it is.
    pub(super) fn authorized(&self, state: &State, observed: &Observed) -> Vec<u8> {
        let now = bytes(&observed.authorized);
        let mut new = Vec::new();
        let mut ours = Vec::new();
        for (host, _) in &self.hosts {
            let comment = lines::comment(&self.user, host);
            match state.hosts.get(host).map_or(Told::Silent, Observed::key) {
                Told::Keys(keys) => new.extend(keys.iter().map(|key| format!("{key} {comment}"))),
                Told::None => new.push(format!("# {comment}: its key is not made yet")),
                Told::Silent => new.extend(lines::kept(now, |line| lines::is_of(line, &comment))),
            }
            ours.push(comment);
        }
        let ours = |line: &str| ours.iter().any(|comment| lines::is_of(line, comment));
        lines::replaced(now, ours, &new)
    }

    pub(super) fn known(&self, state: &State, observed: &Observed) -> Vec<u8> {
        let now = bytes(&observed.known);
        let mut new = Vec::new();
        let mut ours: Vec<&str> = Vec::new();
        for (host, address) in &self.hosts {
            let names: Vec<&str> = [Some(host.as_str()), address.as_deref()]
                .into_iter()
                .flatten()
                .collect();
            let label = if address.as_deref() == Some(host.as_str()) {
                host.to_string()
            } else {
                names.join(",")
            };
            match state
                .hosts
                .get(host)
                .map_or(Told::Silent, Observed::server_keys)
            {
                Told::Keys(keys) => new.extend(keys.iter().map(|key| format!("{label} {key}"))),
                Told::None => new.push(format!("# {host}: its ssh server has no key yet")),
                Told::Silent => new.extend(lines::kept(now, |line| lines::names(line, &names))),
            }
            ours.extend(names);
        }
        lines::replaced(now, |line| lines::names(line, &ours), &new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::HostName;
    use crate::probe::{Seen, path};

    fn file(text: Option<String>) -> Seen<Option<path::Content>> {
        text.map_or_else(
            || Seen::Unknown("no route to host".into()),
            |text| {
                Seen::Is(Some(path::Content {
                    bytes: text.into_bytes(),
                    size: 0,
                }))
            },
        )
    }

    /// Three hosts, of which one may be silent.
    fn state(mesh: &SshMesh, silent: Option<usize>, authorized: &str, known: &str) -> State {
        let told = |index: usize, text: String| file((silent != Some(index)).then_some(text));
        let observed = |index: usize| Observed {
            folder: Seen::Unknown(String::new()),
            private: Seen::Unknown(String::new()),
            public: told(index, format!("ssh-ed25519 USER{index} me")),
            server: vec![told(index, format!("ssh-ed25519 HOST{index} root"))],
            authorized: told(index, authorized.to_owned()),
            known: told(index, known.to_owned()),
            authorized_path: Seen::Unknown(String::new()),
            known_path: Seen::Unknown(String::new()),
            logins: None,
        };
        let hosts = mesh.hosts.iter().enumerate();
        State {
            hosts: hosts
                .map(|(index, (host, _))| (host.clone(), observed(index)))
                .collect(),
        }
    }

    #[test]
    fn what_is_well_stays_as_it_is_whoever_is_silent() {
        let hosts = ["db1", "db2", "db3"].map(|name| (HostName::new(name), None));
        let mesh = SshMesh {
            hosts: hosts.to_vec(),
            user: "postgres".into(),
            folder: "/var/lib/pgsql/.ssh".into(),
            key: "id_rsa_pgpool".into(),
        };
        let blank = state(&mesh, None, "ssh-rsa AAA me@laptop\n", "");
        let first = &blank.hosts[&mesh.hosts[0].0];
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let authorized = text(mesh.authorized(&blank, first));
        let known = text(mesh.known(&blank, first));
        assert_eq!(known.lines().count(), 3, "{known}");
        assert_eq!(authorized.lines().count(), 4, "{authorized}");
        for silent in [None, Some(0), Some(1), Some(2)] {
            let state = state(&mesh, silent, &authorized, &known);
            for (index, (host, _)) in mesh.hosts.iter().enumerate() {
                if silent != Some(index) {
                    let observed = &state.hosts[host];
                    assert_eq!(text(mesh.authorized(&state, observed)), authorized);
                    assert_eq!(text(mesh.known(&state, observed)), known);
                }
            }
        }
    }
}

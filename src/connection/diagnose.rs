//! Turns what ssh wrote into its log into a [`ConnectFailure`].
//!
//! The texts are those of OpenSSH 8.7 to 10 (sshconnect.c, sshconnect2.c, misc.c); ssh is run with
//! LC_ALL=C, so the system's own error texts are in English.

use super::ConnectFailure;
use super::error::PINNED_PLACE;

/// A host key that is on record and no longer the right one: what `ssh-keygen -R` needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offending {
    pub(super) name: String,
    pub(super) file: String,
}

/// What went wrong, from the log (written at DEBUG1, so that the key which the host shows is in
/// it) and from what the ProxyCommand wrote.
pub(super) fn diagnose(log: &str, proxy_said: &str, pinned: bool) -> ConnectFailure {
    use ConnectFailure as F;
    let has = |text: &str| log.contains(text);
    if has("REMOTE HOST IDENTIFICATION HAS CHANGED")
        || (pinned && has("Host key verification failed"))
    {
        let (key_type, fingerprint) = server_key(log);
        let known_hosts_line = if pinned {
            PINNED_PLACE.into()
        } else {
            offending_line(log).unwrap_or("known_hosts").to_string()
        };
        return F::ChangedHostKey {
            key_type,
            fingerprint,
            known_hosts_line,
        };
    }
    // refused unasked, or asked about and another key than the one that a person had seen
    if has("Host key verification failed") {
        let (key_type, fingerprint) = server_key(log);
        return F::UnknownHostKey {
            key_type,
            fingerprint,
        };
    }
    let (said, proxy_said) = (human(log), human(proxy_said));
    if has("Permission denied (") || has("Too many authentication failures") {
        return F::KeyRefused { said };
    }
    if has("Could not resolve hostname") {
        return F::Resolve;
    }
    // behind a ProxyCommand ssh only sees its pipe close; the reason is in what that command said
    if has("by UNKNOWN port") || has("Executing proxy command") && !proxy_said.is_empty() {
        let said = if proxy_said.is_empty() {
            said
        } else {
            proxy_said
        };
        return F::ProxyCommand { said };
    }
    if has(": Connection refused") {
        return F::Refused;
    }
    if has("No route to host") || has("Network is unreachable") {
        return F::NoRoute;
    }
    if has("timed out") {
        let waiting_for = if has("banner exchange") {
            "the ssh banner"
        } else {
            "the connection"
        };
        return F::Timeout {
            waiting_for: waiting_for.into(),
        };
    }
    let said = if said.is_empty() {
        last_lines(proxy_said.trim())
    } else {
        said
    };
    F::Other {
        said: if said.is_empty() {
            "ssh ended without a word".into()
        } else {
            said
        },
    }
}

/// The name and file of the key that `ssh-keygen -R` must remove, as the log names them.
pub(super) fn offending(log: &str) -> Option<Offending> {
    let name = log.lines().find_map(|line| {
        line.trim()
            .strip_prefix("Host key for ")?
            .split_once(" has changed")
            .map(|(name, _)| name)
    })?;
    let (file, _line) = offending_line(log)?.rsplit_once(':')?;
    Some(Offending {
        name: name.into(),
        file: file.into(),
    })
}

/// `FILE:LINE` of the key on record.
fn offending_line(log: &str) -> Option<&str> {
    log.lines().find_map(|line| {
        line.trim()
            .strip_prefix("Offending ")?
            .split_once(" key in ")
            .map(|(_type, place)| place)
    })
}

/// Type and fingerprint of the key that the host showed.
fn server_key(log: &str) -> (String, String) {
    log.lines()
        .find_map(|line| {
            line.split_once("Server host key: ")?
                .1
                .trim()
                .split_once(' ')
        })
        .map_or_else(
            || ("a key".into(), "of unknown fingerprint".into()),
            |(key_type, fingerprint)| (key_type.into(), fingerprint.into()),
        )
}

/// What ssh said to a person, in one line, without debugging and without the banner about attacks.
fn human(log: &str) -> String {
    let words: Vec<&str> = log
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("debug") && !line.starts_with('@'))
        .filter(|line| !line.starts_with("OpenSSH_"))
        .filter(|line| !line.contains("Permanently added"))
        .collect();
    last_lines(&words.join("\n"))
}

/// What the log says about how an established connection ended. Its debugging lines quote whole
/// commands, so only the texts that belong to this are picked.
pub(super) fn ended(log: &str) -> String {
    let starts = [
        "Bad packet",
        "Connection ",
        "Corrupted ",
        "Disconnect",
        "Read from remote",
        "Received disconnect",
        "Timeout, server",
        "client_loop",
        "ssh_dispatch",
        "ssh_packet",
    ];
    let line = log
        .lines()
        .rev()
        .find(|line| starts.iter().any(|start| line.starts_with(start)));
    line.unwrap_or_default().trim().into()
}

/// The last three lines, in one.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ConnectFailure as F;

    /// OpenSSH 9.2 against a host whose key is not the one in the file.
    const CHANGED: &str = "\
debug1: Server host key: ssh-ed25519 SHA256:J6d9D3+c1or8qpBxYStLnf1gNsLLCLRsFMDjxhLl/eg\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
Add correct host key in /home/me/.ssh/known_hosts to get rid of this message.\r
Offending ED25519 key in /home/me/.ssh/known_hosts:12\r
Host key for [127.0.0.1]:24222 has changed and you have requested strict checking.\r
Host key verification failed.\r
";

    #[test]
    fn a_changed_key_carries_what_is_needed_to_decide_and_to_replace_it() {
        assert_eq!(
            diagnose(CHANGED, "", false),
            F::ChangedHostKey {
                key_type: "ssh-ed25519".into(),
                fingerprint: "SHA256:J6d9D3+c1or8qpBxYStLnf1gNsLLCLRsFMDjxhLl/eg".into(),
                known_hosts_line: "/home/me/.ssh/known_hosts:12".into(),
            }
        );
        let found = offending(CHANGED).unwrap();
        assert_eq!(found.name, "[127.0.0.1]:24222");
        assert_eq!(found.file, "/home/me/.ssh/known_hosts");
    }

    #[test]
    fn a_key_that_differs_from_the_inventory_is_a_changed_key_even_of_another_type() {
        let log = "debug1: Server host key: ssh-rsa SHA256:abc\n\
            No RSA host key is known for provision-target and you have requested strict checking.\n\
            Host key verification failed.\n";
        let F::ChangedHostKey {
            known_hosts_line, ..
        } = diagnose(log, "", true)
        else {
            panic!("not a changed key")
        };
        assert_eq!(known_hosts_line, PINNED_PLACE);
        assert!(matches!(diagnose(log, "", false), F::UnknownHostKey { .. }));
    }

    #[test]
    fn a_proxy_command_speaks_for_itself() {
        let log = "debug1: Executing proxy command: exec lab connect db1\n\
            kex_exchange_identification: Connection closed by remote host\n\
            Connection closed by UNKNOWN port 65535\n";
        assert_eq!(
            diagnose(log, "lab: no host db1\n", false),
            F::ProxyCommand {
                said: "lab: no host db1".into()
            }
        );
    }

    #[test]
    fn the_common_failures_are_told_apart() {
        for (log, failure) in [
            (
                "ssh: connect to host h port 22: Connection refused\r\n",
                F::Refused,
            ),
            (
                "ssh: connect to host h port 22: No route to host\r\n",
                F::NoRoute,
            ),
            (
                "ssh: connect to host h port 22: Network is unreachable\r\n",
                F::NoRoute,
            ),
            (
                "ssh: connect to host h port 22: Connection timed out\r\n",
                F::Timeout {
                    waiting_for: "the connection".into(),
                },
            ),
            (
                "Connection timed out during banner exchange\r\n",
                F::Timeout {
                    waiting_for: "the ssh banner".into(),
                },
            ),
            (
                "ssh: Could not resolve hostname h: Name or service not known\r\n",
                F::Resolve,
            ),
            (
                "u@h: Permission denied (publickey,gssapi-with-mic).\r\n",
                F::KeyRefused {
                    said: "u@h: Permission denied (publickey,gssapi-with-mic).".into(),
                },
            ),
            (
                "Bad thing\n",
                F::Other {
                    said: "Bad thing".into(),
                },
            ),
        ] {
            assert_eq!(diagnose(log, "", false), failure, "{log}");
        }
    }
}

//! Whether a database server listens at an address, as seen from a host: a connection, and the first byte of its protocol.
//! A blank host has no client of PostgreSQL, but bash.

use super::Seen;
use super::shell::quote;
use serde::{Deserialize, Serialize};

/// A host name or address, and a TCP port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// Name or address, an IPv6 address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What is at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Listens {
    /// A server that speaks PostgreSQL's protocol, Pgpool-II among them.
    Postgresql,
    /// Something takes connections, and does not speak it.
    SomethingElse,
    /// No connection.
    Nothing {
        /// Why, as the host says.
        why: String,
    },
}

/// How long a connection may take, and its answer, in seconds.
const PATIENCE_S: u8 = 4;

// SSLRequest (PostgreSQL's documentation, "Message Formats"): length 8, code 80877103. A server answers with one
// byte, S or N, before any authentication; one that is older than 7.0 with an error, E.
pub(super) fn script(endpoint: &Endpoint) -> String {
    let program = "exec 3<>\"/dev/tcp/$0/$1\" || exit 1; printf \"\\0\\0\\0\\10\\4\\322\\26\\57\" >&3; \
                   LC_ALL=C IFS= read -r -n 1 -t \"$2\" -u 3 said; printf \"said %s\\n\" \"$said\"";
    format!(
        "LC_ALL=C timeout {PATIENCE_S} bash -c {} {} {} 2",
        quote(program),
        quote(&endpoint.host),
        endpoint.port
    )
}

pub(super) fn parse(status: i32, stdout: &str, stderr: &str) -> Seen<Listens> {
    Seen::Is(match (status, stdout.strip_prefix("said ")) {
        (_, Some(said)) if ["S", "N", "E"].contains(&said.trim()) => Listens::Postgresql,
        (_, Some(_)) => Listens::SomethingElse,
        (124, None) => Listens::Nothing {
            why: format!("no answer within {PATIENCE_S} s"),
        },
        (1, None) => Listens::Nothing {
            why: reason(stderr),
        },
        _ => {
            return Seen::Unknown(format!("bash exited {status}: {}", stderr.trim()));
        }
    })
}

/// The end of bash's message, such as `Connection refused`. It says the reason in its first line, and that it could
/// not redirect in the second one.
fn reason(stderr: &str) -> String {
    let first = stderr.lines().next().unwrap_or_default();
    let reason = first.rsplit(": ").next().unwrap_or_default().trim();
    if reason.is_empty() {
        "the connection failed".to_owned()
    } else {
        reason.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn ask(port: u16) -> Listens {
        let endpoint = Endpoint {
            host: "127.0.0.1".to_owned(),
            port,
        };
        let output = std::process::Command::new("sh")
            .args(["-c", &script(&endpoint)])
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let seen = parse(output.status.code().unwrap(), &stdout, &stderr);
        seen.known()
            .cloned()
            .unwrap_or_else(|| panic!("{stdout}{stderr}"))
    }

    /// A server that answers each connection with these bytes.
    fn server(answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut request = [0; 8];
            client.read_exact(&mut request).unwrap();
            assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47]);
            client.write_all(answer).unwrap();
        });
        port
    }

    #[test]
    fn a_database_is_told_from_other_servers_and_from_none() {
        assert_eq!(ask(server(b"N")), Listens::Postgresql);
        assert_eq!(ask(server(b"S")), Listens::Postgresql);
        assert_eq!(
            ask(server(b"HTTP/1.1 400 Bad Request")),
            Listens::SomethingElse
        );
        assert_eq!(ask(server(b"")), Listens::SomethingElse);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let why = "Connection refused".to_owned();
        assert_eq!(ask(port), Listens::Nothing { why });
    }

    #[test]
    fn a_name_that_nobody_knows_and_silence() {
        let said = "bash: db.example: Name or service not known\nbash: line 1: /dev/tcp/db.example/5432: Invalid argument\n";
        let nothing = |why: &str| {
            Seen::Is(Listens::Nothing {
                why: why.to_owned(),
            })
        };
        assert_eq!(parse(1, "", said), nothing("Name or service not known"));
        assert_eq!(parse(124, "", ""), nothing("no answer within 4 s"));
        assert!(parse(127, "", "bash: not found").unknown().is_some());
    }
}

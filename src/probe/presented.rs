//! The certificate that a service presents to clients, against the one in the folder: what was loaded, not
//! what was meant.
//!
//! The containers are asked in their own network namespaces, so that an answer is this node's also where
//! ports go through the routing mesh. The text of a certificate is public.

use super::Seen;
use super::shell::quote;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct About {
    /// The file with the certificate, on the share.
    pub file: String,
    /// Services with the ports that they listen on: `ke2_nginx`, 443.
    pub listeners: Vec<(String, u16)>,
}

/// Fingerprints of certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Presented {
    /// Of the one in the file, as this host sees it.
    pub file: Option<String>,
    /// Of those that containers of each service present here; none while it does not listen yet.
    pub listeners: BTreeMap<String, Vec<String>>,
}

impl Presented {
    /// Whether a container of the service presents another one than the file's.
    pub fn is_stale(&self, service: &str) -> bool {
        let shown = self.listeners.get(service).into_iter().flatten();
        self.file
            .as_ref()
            .is_some_and(|file| shown.into_iter().any(|fingerprint| fingerprint != file))
    }
}

pub(super) fn script(about: &About) -> String {
    let mut script = format!(
        "f={}; [ ! -f \"$f\" ] || {{ printf 'file '; base64 -w0 -- \"$f\"; echo; }}\n\
         s=$(systemctl is-active docker.service); [ \"$s\" = active ] || {{ echo end; exit 0; }}\n\
         if command -v openssl >/dev/null; then shown() {{ nsenter -t \"$1\" -n timeout 5 openssl s_client -connect 127.0.0.1:$2 </dev/null 2>/dev/null | sed -n '/BEGIN CERT/,/END CERT/p'; }}\n\
         else shown() {{ nsenter -t \"$1\" -n timeout 5 /usr/libexec/platform-python -c \"import ssl; print(ssl.get_server_certificate(('127.0.0.1', $2)))\" 2>/dev/null; }}; fi\n",
        quote(&about.file)
    );
    for (service, port) in &about.listeners {
        script.push_str(&format!(
            "for c in $(docker ps -q --filter {}); do\n\
             p=$(docker inspect --format '{{{{.State.Pid}}}}' \"$c\") && [ \"$p\" -gt 0 ] || continue\n\
             printf 'shown %s ' {}; shown \"$p\" {port} | base64 -w0; echo\n\
             done\n",
            quote(&format!("label=com.docker.swarm.service.name={service}")),
            quote(service),
        ));
    }
    script.push_str("echo end");
    script
}

pub(super) fn parse(_: &About, stdout: &str, stderr: &str) -> Seen<Presented> {
    use base64::Engine as _;
    let fingerprint = |text: &str| {
        let pem = base64::engine::general_purpose::STANDARD
            .decode(text)
            .ok()?;
        let facts = super::certificate::facts(&pem, None);
        facts.broken.is_empty().then_some(facts.sha256)
    };
    let mut presented = Presented::default();
    let mut ended = false;
    for line in stdout.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["file", text] => presented.file = fingerprint(text),
            ["shown", service, text] => {
                let shown = presented.listeners.entry(service.to_owned()).or_default();
                shown.extend(fingerprint(text));
            }
            ["end"] => ended = true,
            _ => {}
        }
    }
    if ended {
        Seen::Is(presented)
    } else {
        Seen::Unknown(format!(
            "the look at the certificates in use broke off: {}",
            stderr.trim()
        ))
    }
}

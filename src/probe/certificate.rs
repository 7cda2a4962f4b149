//! Certificates in a folder, read as facts. A private key is only compared: of it the answer has the
//! fingerprint of its public half.

use super::Seen;
use super::shell::quote;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::PublicKeyData as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Where certificates are, and what their files are called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The folder.
    pub folder: String,
    /// Name of the authority's file, without `.crt`.
    pub ca: String,
    /// Name of the server's files, without `.crt` and `.key`.
    pub server: String,
}

/// What is in a [`Place`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pair {
    /// The host's clock, in Unix seconds.
    pub now_s: i64,
    /// The authority's certificate.
    pub ca: Option<Facts>,
    /// The server's certificate.
    pub server: Option<Facts>,
    /// Fingerprint of the public half of the server's key; empty when the file is no key.
    pub key: Option<String>,
    /// Whether the authority's private key lies there too, where every container could read it.
    pub ca_key: bool,
}

impl Pair {
    /// Without the clock.
    #[must_use]
    pub fn steady(&self) -> Self {
        Self {
            now_s: 0,
            ..self.clone()
        }
    }
}

/// What a certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Why the file is no certificate; empty when it is one.
    pub broken: String,
    /// SHA-256 of the certificate.
    pub sha256: String,
    /// SHA-256 of the public key.
    pub public_key: String,
    /// Its subject.
    pub subject: String,
    /// End of its validity, in Unix seconds.
    pub not_after: i64,
    /// Alternative names: `DNS:ke2-server1`, `IP:10.20.0.1`.
    pub names: BTreeSet<String>,
    /// Whether it may sign others.
    pub is_ca: bool,
    /// Whether it identifies its own key and its issuer's, as strict verifiers want.
    pub has_key_ids: bool,
    /// Whether the authority beside it has signed it.
    pub signed: bool,
}

pub(super) fn script(place: &Place) -> String {
    format!(
        "cd {} 2>/dev/null || {{ date +%s; echo; echo; echo; echo; exit 0; }}\n\
         date +%s\n\
         for f in {} {} {}; do [ ! -f \"$f\" ] || base64 -w0 -- \"$f\" || exit; echo; done\n\
         [ ! -e {} ] || echo key\nexit 0",
        quote(&place.folder),
        quote(&format!("./{}.crt", place.ca)),
        quote(&format!("./{}.crt", place.server)),
        quote(&format!("./{}.key", place.server)),
        quote(&format!("./{}.key", place.ca)),
    )
}

pub(super) fn parse(_: &Place, stdout: &str, stderr: &str) -> Seen<Pair> {
    let lines: Vec<&str> = stdout.split('\n').collect();
    let [now, ca, server, key, rest @ ..] = &lines[..] else {
        return Seen::Unknown(format!(
            "the look at the certificates broke off: {}",
            stderr.trim()
        ));
    };
    let file = |text: &str| (!text.is_empty()).then(|| STANDARD.decode(text).unwrap_or_default());
    let ca = file(ca);
    let facts = |pem: &Vec<u8>| facts(pem, ca.as_deref());
    Seen::Is(Pair {
        now_s: now.trim().parse().unwrap_or_default(),
        server: file(server).as_ref().map(facts),
        key: file(key).map(|pem| public_half(&pem).unwrap_or_default()),
        ca_key: rest.contains(&"key"),
        ca: ca.as_ref().map(facts),
    })
}

/// What the certificate in a PEM file says, also whether `ca` has signed it.
pub fn facts(pem: &[u8], ca: Option<&[u8]>) -> Facts {
    read(pem, ca).unwrap_or_else(|broken| Facts {
        broken,
        ..Facts::default()
    })
}

fn read(pem: &[u8], ca: Option<&[u8]>) -> Result<Facts, String> {
    let der = der(pem)?;
    let (_, certificate) =
        X509Certificate::from_der(&der).map_err(|error| format!("no certificate: {error}"))?;
    let mut names = BTreeSet::new();
    let (mut own, mut issuer) = (false, false);
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(list) => {
                names.extend(list.general_names.iter().filter_map(name));
            }
            ParsedExtension::SubjectKeyIdentifier(_) => own = true,
            ParsedExtension::AuthorityKeyIdentifier(_) => issuer = true,
            _ => {}
        }
    }
    let signed = ca.is_some_and(|ca| der_signs(ca, &certificate).unwrap_or(false));
    Ok(Facts {
        broken: String::new(),
        sha256: hash(&der),
        public_key: hash(certificate.public_key().raw),
        subject: certificate.subject().to_string(),
        not_after: certificate.validity().not_after.timestamp(),
        names,
        is_ca: certificate.is_ca(),
        has_key_ids: own && issuer,
        signed,
    })
}

fn der_signs(ca: &[u8], certificate: &X509Certificate<'_>) -> Result<bool, String> {
    let der = der(ca)?;
    let (_, ca) = X509Certificate::from_der(&der).map_err(|error| error.to_string())?;
    Ok(certificate.verify_signature(Some(ca.public_key())).is_ok())
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(format!("DNS:{name}")),
        GeneralName::IPAddress(bytes) => {
            let address: std::net::IpAddr = match bytes.len() {
                4 => <[u8; 4]>::try_from(*bytes).ok()?.into(),
                16 => <[u8; 16]>::try_from(*bytes).ok()?.into(),
                _ => return None,
            };
            Some(format!("IP:{address}"))
        }
        _ => None,
    }
}

fn der(pem: &[u8]) -> Result<Vec<u8>, String> {
    let (_, pem) =
        x509_parser::pem::parse_x509_pem(pem).map_err(|error| format!("no PEM: {error}"))?;
    Ok(pem.contents)
}

/// Fingerprint of the public half of a private key in a PEM file.
pub fn public_half(pem: &[u8]) -> Option<String> {
    let pem = std::str::from_utf8(pem).ok()?;
    let key = rcgen::KeyPair::from_pem(pem).ok()?;
    Some(hash(&key.subject_public_key_info()))
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

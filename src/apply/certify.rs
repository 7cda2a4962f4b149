//! Making certificates, here on the controller: this needs randomness and a clock, which no plan has.

use crate::plan::{Request, Subject};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, RsaKeySize, SanType,
};
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// The authority's certificate, the server's, and the server's key, one line of base64 each.
///
/// # Errors
/// What was attempted and why it did not work.
pub(super) fn make(request: &Request) -> Result<String, String> {
    let folder = Path::new(&request.ca_folder);
    let files = [
        folder.join(format!("{}.crt", request.ca.file)),
        folder.join(format!("{}.key", request.ca.file)),
    ];
    let (ca, key) = if request.new_ca {
        found(request, folder, &files)?
    } else {
        (read(&files[0])?, read(&files[1])?)
    };
    let signer = KeyPair::from_pem(&key)
        .map_err(|error| format!("{} is no private key: {error}", files[1].display()))?;
    let issuer = Issuer::from_ca_cert_pem(&ca, signer)
        .map_err(|error| format!("{} is no certificate: {error}", files[0].display()))?;
    let server_key = new_key(&request.server.key)?;
    let mut params = params(&request.server)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    for name in &request.names {
        params.subject_alt_names.push(alternative(name)?);
    }
    let server = params
        .signed_by(&server_key, &issuer)
        .map_err(|error| format!("the server's certificate could not be signed: {error}"))?;
    let parts = [ca, server.pem(), server_key.serialize_pem()];
    Ok(parts.map(|part| STANDARD.encode(part)).join("\n"))
}

/// Makes the authority. Its files must not be there: the whole cluster trusts them, and others may, too.
fn found(
    request: &Request,
    folder: &Path,
    files: &[PathBuf; 2],
) -> Result<(String, String), String> {
    let key = new_key(&request.ca.key)?;
    let mut params = params(&request.ca)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca = params
        .self_signed(&key)
        .map_err(|error| format!("the authority's certificate could not be made: {error}"))?;
    let attempt = |what: &Path, error: std::io::Error| {
        format!("{} could not be written: {error}", what.display())
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| attempt(folder, error))?;
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        write(&ignore, "*\n").map_err(|error| attempt(&ignore, error))?;
    }
    let (ca, key) = (ca.pem(), key.serialize_pem());
    // The key first: a certificate without its key would look like an authority that is kept elsewhere.
    write(&files[1], &key).map_err(|error| attempt(&files[1], error))?;
    write(&files[0], &ca).map_err(|error| attempt(&files[0], error))?;
    Ok((ca, key))
}

/// Writes a new file that only its owner can read.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("{} could not be read: {error}", path.display()))
}

/// Whether a key of this kind can be made.
fn new_key(kind: &str) -> Result<KeyPair, String> {
    let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
    let key = match kind {
        "rsa:2048" => rsa(RsaKeySize::_2048),
        "rsa:3072" => rsa(RsaKeySize::_3072),
        "rsa:4096" => rsa(RsaKeySize::_4096),
        "ec:prime256v1" => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        "ec:secp384r1" => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
        "ed25519" => KeyPair::generate_for(&rcgen::PKCS_ED25519),
        other => return Err(format!("no key of the kind `{other}` can be made")),
    };
    key.map_err(|error| format!("no key of the kind {kind} could be made: {error}"))
}

fn params(subject: &Subject) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (attribute, value) in &subject.subject {
        let kind = match &*attribute.to_ascii_uppercase() {
            "CN" => DnType::CommonName,
            "O" => DnType::OrganizationName,
            "OU" => DnType::OrganizationalUnitName,
            "C" => DnType::CountryName,
            "ST" => DnType::StateOrProvinceName,
            "L" => DnType::LocalityName,
            other => return Err(format!("a subject has no attribute `{other}`")),
        };
        params.distinguished_name.push(kind, value.clone());
    }
    // The clock of a host may be a little behind.
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(i64::from(subject.days));
    Ok(params)
}

fn alternative(name: &str) -> Result<SanType, String> {
    let wrong = |why: String| format!("`{name}` is no alternative name: {why}");
    match name.split_once(':') {
        Some(("DNS", dns)) => {
            let dns = dns.try_into().map_err(|error| wrong(format!("{error}")))?;
            Ok(SanType::DnsName(dns))
        }
        Some(("IP", address)) => {
            let address = address.parse().map_err(|error| wrong(format!("{error}")))?;
            Ok(SanType::IpAddress(address))
        }
        _ => Err(wrong("it begins with DNS: or IP:".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::certificate::{facts, public_half};
    use std::os::unix::fs::PermissionsExt as _;

    fn request(folder: &Path, new_ca: bool, kind: &str) -> Request {
        let subject = |file: &str, name: &str| Subject {
            file: file.to_owned(),
            subject: vec![("CN".to_owned(), name.to_owned())],
            days: 3650,
            key: kind.to_owned(),
        };
        Request {
            folder: "/mnt/gluster/ssl".to_owned(),
            ca_folder: folder.display().to_string(),
            new_ca,
            ca: subject("local-ca", "Kompira local CA (ke2)"),
            server: subject("server", "ke2-server1"),
            names: ["DNS:ke2-server1", "IP:10.20.0.100"]
                .map(str::to_owned)
                .into(),
        }
    }

    fn parts(made: &str) -> Vec<Vec<u8>> {
        made.lines()
            .map(|line| STANDARD.decode(line).unwrap())
            .collect()
    }

    #[test]
    fn an_authority_is_made_once_and_signs_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("ca");
        for kind in ["rsa:2048", "ec:prime256v1"] {
            let folder = folder.join(kind.replace(':', "-"));
            let first = parts(&make(&request(&folder, true, kind)).unwrap());
            let ca = facts(&first[0], Some(&first[0]));
            assert!(ca.is_ca && ca.signed, "{ca:?}");
            let server = facts(&first[1], Some(&first[0]));
            assert!(
                server.signed && server.has_key_ids && !server.is_ca,
                "{server:?}"
            );
            assert!(server.names.contains("IP:10.20.0.100"));
            assert!(server.names.contains("DNS:ke2-server1"));
            assert_eq!(public_half(&first[2]), Some(server.public_key.clone()));
            let mode = |name: &str| {
                let path = folder.join(name);
                path.metadata().unwrap().permissions().mode() & 0o777
            };
            assert_eq!((mode("local-ca.key"), mode(".gitignore")), (0o600, 0o600));
            let again = parts(&make(&request(&folder, false, kind)).unwrap());
            assert_eq!(again[0], first[0]);
            assert_ne!(again[2], first[2]);
            assert!(facts(&again[1], Some(&first[0])).signed);
            // A second authority is never made over the first one.
            assert!(make(&request(&folder, true, kind)).is_err());
        }
    }
}

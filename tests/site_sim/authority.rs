//! Certificates as provision makes them on its own machine, where it keeps the authority: real ones, which it reads.

use provision::plan::{Request, Subject};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, SanType,
};
use std::path::Path;

/// The authority's certificate, the server's, and the server's key.
///
/// # Errors
/// When the authority is not there, or is there already.
pub fn make(request: &Request) -> Result<[String; 3], String> {
    let folder = Path::new(&request.ca_folder);
    let place = |kind: &str| folder.join(format!("{}.{kind}", request.ca.file));
    let new_key = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    if request.new_ca {
        if place("key").exists() {
            return Err("could not be written: File exists".into());
        }
        let key = new_key();
        let mut params = params(&request.ca);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&key).unwrap();
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(place("key"), key.serialize_pem()).unwrap();
        std::fs::write(place("crt"), ca.pem()).unwrap();
    }
    let read = |kind: &str| {
        std::fs::read_to_string(place(kind)).map_err(|error| format!("could not be read: {error}"))
    };
    let (ca, key) = (read("crt")?, read("key")?);
    let issuer = Issuer::from_ca_cert_pem(&ca, KeyPair::from_pem(&key).unwrap()).unwrap();
    let key = new_key();
    let mut params = params(&request.server);
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    for name in &request.names {
        params.subject_alt_names.push(match name.split_once(':') {
            Some(("DNS", dns)) => SanType::DnsName(dns.try_into().unwrap()),
            Some((_, address)) => SanType::IpAddress(address.parse().unwrap()),
            None => return Err(format!("`{name}` is no alternative name")),
        });
    }
    let server = params.signed_by(&key, &issuer).unwrap();
    Ok([ca, server.pem(), key.serialize_pem()])
}

fn params(subject: &Subject) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let common = subject.subject.iter().find(|(kind, _)| kind == "CN");
    if let Some((_, name)) = common {
        params
            .distinguished_name
            .push(DnType::CommonName, name.clone());
    }
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2036, 1, 1);
    params
}

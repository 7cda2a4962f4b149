//! Variables of the certificates: those of the source's create-cert.sh in lower case, with their defaults.

use super::Layer::Kompira;
use super::{Kind, Variable, row};

pub(super) const TABLE: &[Variable] = &[
    row(
        Kompira,
        "ca_name",
        Kind::Text,
        Some("local-ca"),
        "File name of the certificate authority.",
    ),
    row(
        Kompira,
        "ca_subject",
        Kind::Text,
        None,
        "Subject of the certificate authority.",
    ),
    row(
        Kompira,
        "ca_days",
        Kind::Int(1, 36_500),
        Some("3650"),
        "Days that the certificate authority is valid.",
    ),
    row(
        Kompira,
        "ca_keytype",
        Kind::Text,
        Some("rsa:2048"),
        "Key of the certificate authority.",
    ),
    row(
        Kompira,
        "cert_name",
        Kind::Text,
        Some("server"),
        "File name of the server's certificate.",
    ),
    row(
        Kompira,
        "cert_cn",
        Kind::Text,
        None,
        "Common name of the server's certificate; without it the host's name.",
    ),
    row(
        Kompira,
        "cert_san_altnames",
        Kind::Text,
        None,
        "Its alternative names; without it all hosts, addresses and the virtual one.",
    ),
    row(
        Kompira,
        "cert_subject",
        Kind::Text,
        None,
        "Subject of the server's certificate.",
    ),
    row(
        Kompira,
        "cert_days",
        Kind::Int(1, 36_500),
        Some("3650"),
        "Days that the server's certificate is valid.",
    ),
    row(
        Kompira,
        "cert_keytype",
        Kind::Text,
        Some("rsa:2048"),
        "Key of the server's certificate.",
    ),
    row(
        Kompira,
        "ca_dir",
        Kind::LocalPath,
        Some("kompira-ca"),
        "Folder on this machine that keeps the certificate authority and its key.",
    ),
    row(
        Kompira,
        "ca_file",
        Kind::LocalPath,
        None,
        "An authority of your own, with cert_file and cert_key_file.",
    ),
    row(
        Kompira,
        "cert_file",
        Kind::LocalPath,
        None,
        "A server's certificate of your own.",
    ),
    row(
        Kompira,
        "cert_key_file",
        Kind::LocalPath,
        None,
        "Its private key.",
    ),
];

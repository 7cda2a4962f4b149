//! Variables of what the services of Kompira log; `kengine_`, `kompira_` and `jobmngrd_` before a name override one service's.

use super::Layer::Kompira;
use super::{Kind, Variable, row};

pub(super) const TABLE: &[Variable] = &[
    row(
        Kompira,
        "logging_stream",
        Kind::Bool,
        Some("true"),
        "Log to the container's output too.",
    ),
    row(
        Kompira,
        "logging_level",
        Kind::Choice(&["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
        Some("INFO"),
        "What is logged.",
    ),
    row(
        Kompira,
        "logging_dir",
        Kind::Path,
        Some("/var/log/kompira"),
        "Folder of logs in the containers.",
    ),
    row(
        Kompira,
        "logging_backup",
        Kind::Int(0, 100_000),
        Some("7"),
        "Old log files that are kept.",
    ),
    row(
        Kompira,
        "logging_when",
        Kind::Text,
        Some("MIDNIGHT"),
        "When logs are rotated.",
    ),
    row(
        Kompira,
        "logging_interval",
        Kind::Int(1, 100_000),
        Some("1"),
        "Every how many of logging_when.",
    ),
    row(
        Kompira,
        "audit_logging_level",
        Kind::Int(0, 10),
        Some("2"),
        "What the audit log has.",
    ),
    row(
        Kompira,
        "audit_logging_dir",
        Kind::Path,
        Some("{{ logging_dir }}"),
        "Folder of the audit log in the containers.",
    ),
    row(
        Kompira,
        "audit_logging_backup",
        Kind::Int(0, 100_000),
        Some("365"),
        "Old audit logs that are kept.",
    ),
    row(
        Kompira,
        "audit_logging_when",
        Kind::Text,
        Some("MIDNIGHT"),
        "When audit logs are rotated.",
    ),
    row(
        Kompira,
        "audit_logging_interval",
        Kind::Int(1, 100_000),
        Some("1"),
        "Every how many of audit_logging_when.",
    ),
];

//! The name of a host, as the inventory gives it.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The name of a host. Cheap to clone; never starts with `-`, so that it cannot be taken for an option.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostName(Arc<str>);

impl HostName {
    /// A name that has been checked before, such as one of a loaded inventory or of a test.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Checks what any inventory must keep to; the error says what is wrong, as in "is empty".
    pub fn parse(name: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("is empty".into());
        }
        if name.len() > 253 {
            return Err("is longer than 253 characters".into());
        }
        let odd = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
        if let Some(odd) = name.chars().find(odd) {
            return Err(format!("has the character `{}`", odd.escape_debug()));
        }
        if name.contains(':') && name.parse::<IpAddr>().is_err() {
            return Err("has a colon, but is no IPv6 address".into());
        }
        if name.starts_with(['-', '.']) {
            return Err("starts with neither a letter nor a digit".into());
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What keeps the name from being set as the host's own (RFC 1123): `None` when nothing does.
    pub fn unfit_as_hostname(&self) -> Option<&'static str> {
        if self.0.parse::<IpAddr>().is_ok() {
            return Some("is an address, not a name");
        }
        if self.0.contains('_') {
            return Some("has an underscore");
        }
        let bad_label = |label: &str| {
            label.is_empty() || label.len() > 63 || label.starts_with('-') || label.ends_with('-')
        };
        if self.0.split('.').any(bad_label) {
            return Some(
                "has a part that is empty, longer than 63 or begins or ends with a hyphen",
            );
        }
        if self.0.len() > 64 {
            return Some("is longer than the 64 characters that Linux allows");
        }
        None
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for HostName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for HostName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for HostName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in [
            "ke2-server1",
            "a.example.org",
            "10.20.0.1",
            "db_1",
            "fe80::1",
            "A",
        ] {
            assert!(HostName::parse(good).is_ok(), "{good}");
        }
        let table = [
            ("", "is empty"),
            ("a b", "has the character ` `"),
            ("a/b", "has the character `/`"),
            ("a;b", "has the character `;`"),
            ("日本", "has the character `日`"),
            ("-oProxyCommand", "starts with neither a letter nor a digit"),
            ("..", "starts with neither a letter nor a digit"),
            ("a:b", "has a colon, but is no IPv6 address"),
        ];
        for (bad, reason) in table {
            assert_eq!(HostName::parse(bad).unwrap_err(), reason, "{bad}");
        }
        assert!(HostName::parse(&"a".repeat(254)).is_err());
    }

    #[test]
    fn some_names_cannot_be_the_hosts_own() {
        let unfit = |name: &str| HostName::parse(name).unwrap().unfit_as_hostname().is_some();
        for bad in ["10.20.0.1", "db_1", "a..b", "a-", "fe80::1"] {
            assert!(unfit(bad), "{bad}");
        }
        assert!(unfit(&"a".repeat(64)));
        assert!(!unfit(&"a".repeat(63)));
        assert!(!unfit("ke2-server1.example.org"));
    }
}

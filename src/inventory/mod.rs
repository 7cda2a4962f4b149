//! Hosts, groups, variables and connection settings, merged and validated.

mod name;

pub use name::HostName;

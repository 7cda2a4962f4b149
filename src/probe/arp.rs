//! Whether a machine of the network has an address that none of ours has: duplicate address detection (RFC 5227) by
//! `arping` of iputils, which every host has.

use super::Seen;
use super::shell::quote;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// What is asked for, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct About {
    /// The interface whose network is asked.
    pub interface: String,
    /// The address.
    pub address: Ipv4Addr,
}

// Two probes: one may be lost. Each is waited for one second, since silence is what says that nobody has it.
pub(super) fn script(about: &About) -> String {
    format!(
        "arping -q -D -c 2 -w 3 -I {} {}",
        quote(&about.interface),
        about.address
    )
}

pub(super) fn parse(status: i32, stderr: &str) -> Seen<bool> {
    match status {
        0 => Seen::Is(false),
        1 => Seen::Is(true),
        _ => Seen::Unknown(format!("arping exited {status}: {}", stderr.trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_or_silence_says_something() {
        assert_eq!(parse(0, ""), Seen::Is(false));
        assert_eq!(parse(1, ""), Seen::Is(true));
        let missing = "sh: line 1: arping: command not found";
        assert!(parse(127, missing).unknown().is_some());
        assert!(
            parse(2, "arping: Device eth9 not available.")
                .unknown()
                .is_some()
        );
    }
}

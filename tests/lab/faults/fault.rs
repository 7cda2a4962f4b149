//! What befalls the cluster, and whom.

use std::fmt;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Power loss; power comes back after a run that found it down.
    Power,
    /// A blank machine of the same name and address.
    Replaced,
    /// Its cable is pulled for longer than any layer waits, and put back.
    Cut,
    /// The disk of its brick is another one, blank and formatted.
    Brick,
    /// PostgreSQL's data directory is gone.
    Data,
    /// Power loss of all hosts at once; all start together.
    Total,
    /// Power loss of two hosts of three.
    Two,
}

/// Whom it befalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The host with the primary.
    Primary,
    /// The swarm's leader.
    Leader,
    /// The holder of the virtual address.
    Address,
}

/// How the three roles lie before it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// As they happen to be.
    Found,
    /// All on one host.
    Together,
    /// Each on a host of its own.
    Apart,
}

/// One trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub fault: Fault,
    pub victim: Victim,
    pub roles: Roles,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.fault {
            Fault::Power => "power loss",
            Fault::Replaced => "replaced by a blank machine",
            Fault::Cut => "cut off, and back",
            Fault::Brick => "brick disk lost",
            Fault::Data => "PostgreSQL's data lost",
            Fault::Total => return f.write_str("total power loss"),
            Fault::Two => return f.write_str("two hosts down"),
        };
        let whom = match (self.roles, self.victim) {
            (Roles::Together, _) => "the host with all three roles",
            (_, Victim::Primary) => "the primary's host",
            (_, Victim::Leader) => "the swarm's leader",
            (_, Victim::Address) => "the holder of the address",
        };
        let roles = match self.roles {
            Roles::Found | Roles::Together => "",
            Roles::Apart => ", roles apart",
        };
        write!(f, "{what}: {whom}{roles}")
    }
}

const fn case(fault: Fault, victim: Victim, roles: Roles) -> Case {
    Case {
        fault,
        victim,
        roles,
    }
}

/// So that each fault and each victim occurs.
pub const SOME: [Case; 6] = [
    case(Fault::Power, Victim::Address, Roles::Found),
    case(Fault::Replaced, Victim::Primary, Roles::Found),
    case(Fault::Cut, Victim::Primary, Roles::Found),
    case(Fault::Data, Victim::Primary, Roles::Found),
    case(Fault::Brick, Victim::Leader, Roles::Found),
    case(Fault::Total, Victim::Primary, Roles::Found),
];

/// Each fault on the host with all roles, and on each role's host when they are apart: then each host is hit.
pub fn every() -> Vec<Case> {
    let faults = [
        Fault::Power,
        Fault::Replaced,
        Fault::Cut,
        Fault::Brick,
        Fault::Data,
    ];
    let mut cases = Vec::new();
    for fault in faults {
        cases.push(case(fault, Victim::Primary, Roles::Together));
        for victim in [Victim::Primary, Victim::Leader, Victim::Address] {
            cases.push(case(fault, victim, Roles::Apart));
        }
    }
    for fault in [Fault::Total, Fault::Two] {
        cases.push(case(fault, Victim::Primary, Roles::Found));
    }
    cases
}

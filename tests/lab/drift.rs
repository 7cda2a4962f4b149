//! What somebody changed by hand is shown as exactly that, repaired by the next run, and nothing else is touched.

use super::apply::three_managers;
use super::fingerprint::{self, Fingerprint};
use super::lab::Lab;
use super::plan::{Step, step, steps};
use super::scenario::scenario;
use std::collections::BTreeSet;

/// One change by hand.
struct Change {
    what: &'static str,
    host: usize,
    script: &'static str,
    /// The steps that undo it: id and class.
    steps: &'static [(&'static str, &'static str)],
    /// Words of the lines of the host's fingerprint that are different after the repair, and why that is right.
    leaves: &'static [&'static str],
}

/// A file that was rewritten has another time of change, and so has its folder.
const CHANGES: &[Change] = &[
    Change {
        what: "port closed now",
        host: 1,
        script: "firewall-cmd --zone=public --remove-port=7946/udp",
        steps: &[("firewall/open-now/7946/udp", "repair")],
        leaves: &[],
    },
    Change {
        what: "port closed after a restart",
        host: 2,
        script: "firewall-cmd --permanent --zone=public --remove-port=2377/tcp",
        steps: &[("firewall/open-permanently/2377/tcp", "repair")],
        leaves: &["/etc/firewalld/zones", "firewall --permanent ports: "],
    },
    Change {
        what: "port closed for good",
        host: 3,
        script: "firewall-cmd --permanent --zone=public --remove-port=4789/udp && firewall-cmd --zone=public --remove-port=4789/udp",
        steps: &[("firewall/open/4789/udp", "repair")],
        leaves: &["/etc/firewalld/zones", " ports: "],
    },
    Change {
        what: "docker stopped",
        host: 2,
        script: "systemctl stop docker.service docker.socket",
        steps: &[("service/start/docker.service", "repair")],
        leaves: &["/var/lib/docker d ", "nft "],
    },
    Change {
        what: "docker disabled",
        host: 3,
        script: "systemctl disable docker.service",
        steps: &[("service/enable/docker.service", "repair")],
        leaves: &["/etc/systemd/system/multi-user.target.wants"],
    },
    Change {
        what: "a package removed",
        host: 1,
        script: "dnf -q -y remove docker-compose-plugin",
        steps: &[("package/install/docker-compose-plugin", "create")],
        leaves: &[
            "/usr/libexec/docker",
            "/var/lib/rpm",
            "/var/lib/dnf",
            "/var/cache/dnf",
        ],
    },
    Change {
        what: "the block in /etc/hosts edited",
        host: 3,
        script: "sed -i s/10.20.0.2/10.20.0.9/ /etc/hosts",
        steps: &[("hosts_entries", "repair")],
        leaves: &["/etc/hosts", "file /etc d "],
    },
    Change {
        what: "the repository's file edited",
        host: 2,
        script: "sed -i s/^gpgcheck=1/gpgcheck=0/ /etc/yum.repos.d/docker-ce.repo",
        steps: &[("repository/docker-ce-stable", "repair")],
        leaves: &["/etc/yum.repos.d"],
    },
    Change {
        what: "the repository switched off below",
        host: 1,
        script: "echo enabled=0 >>/etc/yum.repos.d/docker-ce.repo",
        steps: &[("repository/docker-ce-stable", "repair")],
        leaves: &["/etc/yum.repos.d"],
    },
];

/// What a host that left and joined again has otherwise than before, beside its node id: nothing.
pub const LEFT: &[(&str, &str)] = &[
    ("swarm/mark/HOST", "repair"),
    ("swarm/demote-lost/HOST", "repair"),
    ("swarm/forget/HOST", "repair"),
    ("swarm/join/HOST", "create"),
    ("swarm/activate/HOST", "repair"),
    ("swarm/unmark/HOST", "repair"),
];

/// What a working swarm changes by itself on any host while others come and go.
const ALIVE: &[&str] = &["/var/lib/containerd"];

/// Every change alone, then in pairs on different hosts, then a manager that left.
pub fn all(lab: &Lab) {
    let mut now = fingerprint::quick(lab);
    for change in CHANGES {
        now = scenario(&format!("  {}", change.what), || {
            repaired(lab, &[change], &now)
        });
    }
    for pair in [[0, 5], [3, 8], [6, 1]] {
        let changes = pair.map(|index| &CHANGES[index]);
        now = scenario(
            &format!("  {} and {}", changes[0].what, changes[1].what),
            || repaired(lab, &changes, &now),
        );
    }
    scenario("  a manager left the swarm", || left(lab, &now));
}

/// Makes the changes, and what the hosts are after their repair.
fn repaired(lab: &Lab, changes: &[&Change], before: &[Fingerprint]) -> Vec<Fingerprint> {
    for change in changes {
        lab.sh(change.host, change.script);
    }
    let wanted: BTreeSet<Step> = changes
        .iter()
        .flat_map(|change| {
            change
                .steps
                .iter()
                .map(|(id, class)| step(id, change.host, class))
        })
        .collect();
    shown_and_done(lab, &wanted);
    let after = fingerprint::quick(lab);
    let untouched = |host: usize| {
        let mut allowed = ALIVE.to_vec();
        for change in changes.iter().filter(|change| change.host == host) {
            allowed.extend(change.leaves);
        }
        allowed
    };
    compare(before, &after, untouched);
    after
}

/// The dry run shows exactly these steps, the next run does them, and the one after it finds nothing.
fn shown_and_done(lab: &Lab, wanted: &BTreeSet<Step>) {
    let dry = lab.provision(&["--dry-run", "--output", "json"]).expect(0);
    assert_eq!(&steps(&dry.plan()), wanted);
    assert_eq!(dry.summary()["outcome"], "pending");
    let run = lab.provision(&["--paranoid", "--output", "json"]).expect(0);
    assert_eq!(&run.done(), wanted, "{}", run.out);
    assert_eq!(run.summary()["outcome"], "changed");
    let again = lab.provision(&["--output", "json"]).expect(0);
    assert_eq!(again.summary()["outcome"], "converged", "{}", again.out);
    three_managers(lab);
}

fn compare(
    before: &[Fingerprint],
    after: &[Fingerprint],
    allowed: impl Fn(usize) -> Vec<&'static str>,
) {
    for (index, (before, after)) in before.iter().zip(after).enumerate() {
        let changes = before.changes(after, &allowed(index + 1));
        assert_eq!(changes, [""; 0], "host {}", index + 1);
    }
}

/// A manager that is not the leader, told to leave by force.
fn left(lab: &Lab, before: &[Fingerprint]) {
    let leader = lab.sh(
        1,
        "docker node ls --format '{{.Hostname}} {{.ManagerStatus}}' | grep Leader",
    );
    let host = lab
        .hosts()
        .rev()
        .find(|host| !leader.starts_with(&super::lab::name_of(*host)))
        .unwrap();
    let name = super::lab::name_of(host);
    lab.sh(host, "docker swarm leave --force");
    let wanted = LEFT
        .iter()
        .map(|(id, class)| step(&id.replace("HOST", &name), host, class))
        .collect();
    shown_and_done(lab, &wanted);
    let after = fingerprint::quick(lab);
    compare(before, &after, |touched| {
        let mut allowed = ALIVE.to_vec();
        if touched == host {
            // Its networks are made again, and the note that it joins drained was below /var/lib for a while.
            allowed.extend([
                "nft ",
                "address docker_gwbridge",
                "route ",
                "file /var/lib d",
            ]);
        }
        allowed
    });
}

//! Blank hosts: the whole plan, and no trace of having asked for it.

use super::fingerprint;
use super::lab::{Lab, address_of, name_of};
use super::plan::{Step, step, steps};
use std::collections::BTreeSet;

/// The disks beside the root file system on a blank host.
const DISKS: &str = "/data/brick /var/lib/docker";

/// What is done to each blank host before it joins.
pub const ON_EACH: [(&str, &str); 6] = [
    ("hosts_entries", "repair"),
    ("repository/docker-ce-stable", "create"),
    (
        "package/install/docker-ce+docker-ce-cli+containerd.io+docker-buildx-plugin+docker-compose-plugin",
        "create",
    ),
    ("service/enable/docker.service", "repair"),
    ("service/start/docker.service", "repair"),
    (
        "firewall/open/2377/tcp+7946/tcp+7946/udp+4789/udp",
        "repair",
    ),
];

/// A dry run, twice: the same bytes, and nothing on the hosts is different after it.
pub fn dry_run(lab: &Lab) {
    // Until then there is advice about it.
    lab.sh_all("chronyc waitsync 120 0 0 1 >/dev/null");
    // Once to warm what the reading itself leaves behind (compiled Python modules).
    fingerprint::whole(lab, DISKS);
    let before = fingerprint::whole(lab, DISKS);
    let first = lab.provision(&["--dry-run"]).expect(0);
    let second = lab.provision(&["--check"]).expect(0);
    assert_eq!(first.out, second.out, "asked twice, the plan is the same");
    assert_eq!(first.err + &second.err, "");
    let after = fingerprint::whole(lab, DISKS);
    for (host, (before, after)) in before.iter().zip(&after).enumerate() {
        let changes = before.changes(after, &[]);
        assert_eq!(changes, [""; 0], "host {}", host + 1);
    }
    let text = first.out;
    assert!(
        !text.contains('\x1b'),
        "piped output has no control characters: {text}"
    );
    for words in [
        "+10.20.0.3 ke2-server3",
        "+baseurl=https://download.docker.com/linux/centos/$releasever/$basearch/stable",
        "dnf -y --best install docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin",
        "assuming newest at apply: no version is pinned for docker-ce",
        "systemctl start docker.service",
        "closed in zone public: 2377/tcp, 7946/tcp, 7946/udp, 4789/udp",
        "docker swarm init --advertise-addr 10.20.0.1",
        "docker swarm join --token <join token of a manager>",
        "assuming ke2-server1 is in no swarm",
        "Plan for 3 hosts: 21 to do (8 create, 1 found, 12 repair)",
    ] {
        assert!(text.contains(words), "{words:?} is missing in\n{text}");
    }
    lab.provision(&["--dry-run", "--detailed-exitcode"])
        .expect(2);
}

/// The plan as a document: exactly the steps that make a swarm of blank hosts.
pub fn plan(lab: &Lab) -> BTreeSet<Step> {
    let first = lab.verb("plan", &["--format", "json"]).expect(0);
    let second = lab.verb("plan", &["--format", "json"]).expect(0);
    assert_eq!(first.out, second.out);
    let plan: serde_json::Value = serde_json::from_str(&first.out).unwrap();
    assert_eq!(plan["schema"], 1);
    for empty in ["waits", "refusals", "unknown"] {
        assert_eq!(plan[empty], serde_json::json!([]), "{empty}");
    }
    let mut wanted: BTreeSet<Step> = lab
        .hosts()
        .flat_map(|host| ON_EACH.map(|(id, class)| step(id, host, class)))
        .collect();
    wanted.insert(step("swarm/init", 1, "found"));
    for host in [2, 3] {
        wanted.insert(step(
            &format!("swarm/join/{}", name_of(host)),
            host,
            "create",
        ));
    }
    assert_eq!(steps(&plan), wanted);
    for step in plan["steps"].as_array().unwrap() {
        let id = step["id"].as_str().unwrap();
        let assumes = !step["assumes"].as_array().unwrap().is_empty();
        let supposes = ["package/install", "service/", "swarm/"];
        assert_eq!(
            assumes,
            supposes.iter().any(|kind| id.starts_with(kind)),
            "what is taken for granted is marked: {step:#}"
        );
        assert_eq!(
            id.starts_with("swarm/join"),
            step["command"].as_str().is_some_and(
                |shown| shown.contains("docker swarm join --token <join token of a manager>")
            ),
        );
    }
    // Neither question has installed or joined anything.
    for host in lab.hosts() {
        let seen = lab.sh(
            host,
            "rpm -q docker-ce; ls /etc/yum.repos.d; cat /etc/hosts",
        );
        assert!(
            seen.contains("package docker-ce is not installed"),
            "{seen}"
        );
        assert!(!seen.contains("docker-ce.repo"), "{seen}");
        assert!(!seen.contains(&address_of(2)), "{seen}");
    }
    wanted
}

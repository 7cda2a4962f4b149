//! The first run does what was planned and nothing else; the second finds nothing to do.

use super::lab::{Lab, name_of};
use super::plan::{Step, steps};
use super::watch::Watch;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What every join token begins with (swarmkit, `ca/config.go`).
const TOKEN: &str = "SWMTKN-1-";

/// Applies, and compares with the plan.
pub fn first_run(lab: &Lab, planned: &BTreeSet<Step>) {
    let log = lab.files.path().join("first.log");
    let watch = Watch::start(&["http://docker/swarm/join", TOKEN]);
    let words = ["--paranoid", "--output", "json", "--log-file"];
    let run = lab.provision(&[&words[..], &[log.to_str().unwrap()]].concat());
    let seen = watch.stop();
    let run = run.expect(0);
    assert_eq!(&steps(&run.plan()), planned);
    assert_eq!(&run.done(), planned, "done is what was planned");
    let events = run.events();
    let verified: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "verified")
        .collect();
    assert_eq!(verified.len(), 1);
    assert_eq!(verified[0]["left"], 0);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "changed");
    assert_eq!(summary["changes"], planned.len());
    assert_eq!(summary["refusals"], serde_json::json!([]));
    assert!(summary["duration_s"].as_f64().unwrap() > 1.0);
    for host in lab.hosts() {
        let counts = &summary["hosts"][name_of(host)];
        assert_eq!(counts["changed"], 7, "{counts}");
        assert_eq!(counts["failed"], 0, "{counts}");
        assert_eq!(counts["unreachable"], false, "{counts}");
    }
    three_managers(lab);
    no_token(lab, &log, &run.out, &run.err);
    // The watch would have seen a token in an argument or in the environment of the process that joins.
    assert!(
        seen.iter().any(|line| line.contains("/swarm/join")),
        "{seen:#?}"
    );
    assert!(!seen.iter().any(|line| line.contains(TOKEN)), "{seen:#?}");
    let mode = log.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the log is its owner's");
}

/// Every host says, by its own roster, that three managers are ready and reachable.
pub fn three_managers(lab: &Lab) {
    let rosters = lab.sh_all(
        "docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}' | sort",
    );
    for roster in rosters {
        assert_eq!(roster.matches(" Leader\n").count(), 1, "{roster}");
        let wanted: String = (1..=3)
            .map(|host| format!("{} Ready Active Reachable\n", name_of(host)))
            .collect();
        assert_eq!(roster.replace(" Leader\n", " Reachable\n"), wanted);
    }
}

/// The tokens are nowhere but in the swarm itself.
fn no_token(lab: &Lab, log: &Path, out: &str, err: &str) {
    for role in ["manager", "worker"] {
        let token = lab.sh(1, &format!("docker swarm join-token -q {role}"));
        assert!(token.starts_with(TOKEN), "{token}");
    }
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("swarm/join/ke2-server3"), "{log}");
    let plan = lab.verb("plan", &["--format", "json"]).out;
    for (what, text) in [
        ("log", &*log),
        ("output", out),
        ("errors", err),
        ("plan", &plan),
    ] {
        assert!(!text.contains(TOKEN), "a token is in the {what}");
    }
    let found = lab.sh_all(&format!(
        "{{ journalctl --no-pager -o export; cat /var/log/audit/* 2>/dev/null; }} | grep -a -o '{TOKEN}' | sed 's/^/journal /'; \
         grep -rlaF -D skip '{TOKEN}' /var/log /tmp /var/tmp /run /etc /home /root 2>/dev/null | sed 's/^/file /'; \
         journalctl --no-pager -t sudo | grep -c COMMAND="
    ));
    for seen in found {
        let mut lines = seen.lines();
        let commands: usize = lines.next_back().unwrap().parse().unwrap();
        assert!(commands > 0, "sudo does log what it runs");
        assert_eq!(lines.collect::<Vec<_>>(), [""; 0]);
    }
}

/// A converged cluster: nothing is planned or done, and the status is well.
pub fn second_run(lab: &Lab) {
    let run = lab.provision(&["--output", "json"]).expect(0);
    assert!(steps(&run.plan()).is_empty() && run.done().is_empty());
    let summary = run.summary();
    assert_eq!(summary["outcome"], "converged");
    assert_eq!(summary["changes"], 0);
    lab.provision(&[]).expect(0).says(&[
        "Plan for 3 hosts: nothing to do",
        "nothing to do: 0 changes in ",
    ]);
    lab.provision(&["--detailed-exitcode"]).expect(0);
    lab.provision(&["--dry-run", "--detailed-exitcode"])
        .expect(0);
    let status = lab.verb("status", &[]).expect(0);
    assert_eq!(
        status.out.matches("Ready Reachable").count(),
        3,
        "{}",
        status.out
    );
    let status = status.says(&[
        "ke2-server1  ok ",
        "can lose 1 more host: yes, because 3 managers, 3 healthy, quorum 2",
    ]);
    assert!(!status.out.contains('\x1b'));
    let status = lab.verb("status", &["--output", "json"]).expect(0);
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["healthy"], true);
    let layers = status["layers"].as_array().unwrap();
    let swarm = layers.iter().find(|layer| layer["layer"] == "swarm");
    let swarm = swarm.unwrap_or_else(|| panic!("{status:#}"));
    let members = swarm["members"].as_array().unwrap();
    assert_eq!(members.len(), 3);
    assert!(members.iter().all(|member| member["light"] == "green"));
    assert_eq!(swarm["margin"]["can_lose"], 1);
}

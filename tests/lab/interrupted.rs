//! Runs that are broken off: by a lost connection, by Ctrl-C.

use super::access::untouched;
use super::lab::Lab;

const PACKAGE: &str = "package/install/docker-compose-plugin";

/// The connection to a host breaks while a package is being installed there.
pub fn connection_lost(lab: &Lab) {
    lab.sh(3, "dnf -q -y remove docker-compose-plugin");
    lab.sh(1, "firewall-cmd -q --zone=public --remove-port=7946/udp");
    let mut run = lab.start(&[]);
    run.step(PACKAGE, "ke2-server3");
    // The login's own sshd, not the listener.
    lab.sh(3, "pkill -KILL -f '^sshd(-session)?: rocky'");
    let ended = run.end().expect(4);
    assert_eq!(ended.summary()["outcome"], "unreachable", "{}", ended.out);
    let events = ended.events();
    let lost: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "unreachable")
        .collect();
    assert_eq!(lost.len(), 1, "{}", ended.out);
    assert_eq!(lost[0]["host"], "ke2-server3");
    let why = lost[0]["why"].as_str().unwrap();
    assert!(
        why.contains("the connection was lost")
            && why.contains("whether the command ran is unknown"),
        "{why}"
    );
    // The other host was repaired all the same.
    let open = lab.sh(1, "firewall-cmd --zone=public --query-port=7946/udp");
    assert_eq!(open, "yes\n");
    lab.provision(&[]).expect(0);
    untouched(lab);
}

/// Ctrl-C while packages are installed: the running steps end, no other begins, and a re-run goes on.
pub fn control_c(lab: &Lab) {
    for host in lab.hosts() {
        lab.sh(
            host,
            "dnf -q -y remove docker-compose-plugin; systemctl -q disable docker.service",
        );
    }
    let mut run = lab.start(&[]);
    run.step(PACKAGE, "ke2-server2");
    run.signal("-INT");
    let ended = run.end().expect(130);
    let summary = ended.summary();
    assert_eq!(summary["outcome"], "interrupted");
    assert!(
        ended.err.contains("stopping after the running steps"),
        "{}",
        ended.err
    );
    let events = ended.events();
    let count = |kind: &str, id: &str| {
        let of = |event: &&serde_json::Value| {
            event["event"] == kind
                && event["id"]
                    .as_str()
                    .is_some_and(|text| text.starts_with(id))
        };
        events.iter().filter(of).count()
    };
    let begun = count("step_started", PACKAGE);
    assert!(begun > 0);
    assert_eq!(
        count("step_done", PACKAGE),
        begun,
        "what has begun has ended: {}",
        ended.out
    );
    assert_eq!(summary["changes"], begun + count("step_done", "service/"));
    for host in lab.hosts() {
        let output = lab.try_sh(
            host,
            "rpm -q docker-compose-plugin; systemctl is-enabled docker",
        );
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            text.contains("disabled"),
            "nothing more was begun on host {host}: {text}"
        );
    }
    let again = lab.provision(&["--output", "json"]).expect(0);
    assert_eq!(again.summary()["outcome"], "changed");
    untouched(lab);
}

//! A host's cable is pulled in the middle of a run.

use super::access::untouched;
use super::apply::three_managers;
use super::lab::{Lab, name_of};
use super::provision::Ended;
use std::time::{Duration, Instant};

/// How long a silent host may hold up the others: ssh gives it up after some 15 s, and a busy machine is slow.
const BOUND: Duration = Duration::from_secs(150);

/// Host 3 falls silent while its packages are installed.
fn cut_during_packages(lab: &Lab, code: i32) -> Ended {
    let mut run = lab.start(&[]);
    run.step("package/install/", "ke2-server3");
    std::thread::sleep(Duration::from_millis(700));
    lab.run("cut", &[&name_of(3)]);
    let cut = Instant::now();
    let ended = run.end().expect(code);
    assert!(cut.elapsed() < BOUND, "{:?}", cut.elapsed());
    let events = ended.events();
    let silent: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "unreachable")
        .map(|event| event["host"].clone())
        .collect();
    assert_eq!(silent, ["ke2-server3"], "{}", ended.out);
    let summary = ended.summary();
    for host in lab.hosts() {
        assert_eq!(summary["hosts"][name_of(host)]["unreachable"], host == 3);
        assert_eq!(summary["hosts"][name_of(host)]["failed"], 0);
    }
    ended
}

/// While a cluster is being built: the others get ready, and nothing is founded without the third.
pub fn cut_while_building(lab: &Lab) {
    let ended = cut_during_packages(lab, 3);
    assert_eq!(ended.summary()["refusals"][0]["code"], "S0");
    for host in [1, 2] {
        let seen = lab.sh(
            host,
            "systemctl is-active docker; firewall-cmd --zone=public --query-port=2377/tcp; docker info --format '{{.Swarm.LocalNodeState}}'",
        );
        assert_eq!(seen, "active\nyes\ninactive\n");
    }
    lab.run("mend", &[&name_of(3)]);
    // The host that was cut off keeps the lock of the run before for up to 30 s.
    let words = ["--output", "json", "--lock-timeout", "120"];
    let run = lab.provision(&words).expect(0);
    assert_eq!(run.summary()["outcome"], "changed");
    three_managers(lab);
    untouched(lab);
}

/// Of a working cluster: what is wrong on the others is repaired, and the swarm goes on with two of three.
pub fn cut_while_repairing(lab: &Lab) {
    lab.sh(
        3,
        "dnf -q -y remove docker-compose-plugin; dnf -q clean all",
    );
    lab.sh(
        1,
        "firewall-cmd -q --zone=public --remove-port=7946/udp; systemctl -q disable docker.service",
    );
    let ended = cut_during_packages(lab, 4);
    assert_eq!(ended.summary()["outcome"], "unreachable");
    let seen = lab.sh(
        1,
        "firewall-cmd --zone=public --query-port=7946/udp; systemctl is-enabled docker.service",
    );
    assert_eq!(seen, "yes\nenabled\n");
    lab.run("mend", &[&name_of(3)]);
    lab.provision(&["--lock-timeout", "120"]).expect(0);
    three_managers(lab);
    untouched(lab);
}

//! Swarms of other shapes than three managers.

use super::inventory::Inventory;
use super::lab::Lab;
use super::plan::{step, steps};
use std::collections::BTreeSet;

/// One manager and two workers, over another port of the overlay networks.
pub fn one_and_two(lab: &Lab) {
    let inventory = Inventory::of(lab)
        .workers(&[2, 3])
        .var("data_path_port", "7789")
        .write(lab, "one-and-two");
    lab.provision_with(&inventory, &["--paranoid"]).expect(0);
    let roster = lab.sh(
        1,
        "docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}' | sort",
    );
    assert_eq!(
        roster,
        "ke2-server1 Ready Leader\nke2-server2 Ready \nke2-server3 Ready \n"
    );
    let port = lab.sh(1, "docker info --format '{{.Swarm.Cluster.DataPathPort}}'");
    assert_eq!(port.trim(), "7789");
    for host in lab.hosts() {
        let open = lab.sh(
            host,
            "firewall-cmd --list-ports; firewall-cmd --permanent --list-ports",
        );
        assert_eq!(open.matches("7789/udp").count(), 2, "{open}");
        assert!(!open.contains("4789/udp"), "{open}");
    }
    lab.provision_with(&inventory, &["--detailed-exitcode", "--dry-run"])
        .expect(0);
    // A third voter: the worker becomes a manager, by itself, and nothing else changes.
    let three = Inventory::of(lab)
        .var("data_path_port", "7789")
        .write(lab, "three");
    lab.provision_with(&three, &["--paranoid"]).expect(0);
    super::apply::three_managers(lab);
    lab.provision_with(&three, &["--detailed-exitcode", "--dry-run"])
        .expect(0);
    // What is fixed at founding is refused when the inventory says otherwise.
    let other = Inventory::of(lab).write(lab, "other-port");
    let fixed = [
        "S14",
        "the swarm was founded with data_path_port 7789, and 4789 is declared",
    ];
    // The port of the firewall is opened first, and might change what is seen of the swarm.
    lab.provision_with(&other, &["--dry-run"]).says(&fixed);
    lab.provision_with(&other, &[]).expect(3).says(&fixed);
    lab.provision_with(&other, &["--dry-run"])
        .expect(3)
        .says(&fixed);
    super::apply::three_managers(lab);
    lab.provision_with(&three, &[]).expect(0);
}

/// Three managers and a worker; the worker leaves, as an operator may tell it to, and comes back.
pub fn three_and_one(lab: &Lab) {
    let inventory = Inventory::of(lab).workers(&[4]).write(lab, "three-and-one");
    let run = |words: &[&str]| {
        let words = [&["--output", "json"], words].concat();
        lab.provision_with(&inventory, &words).expect(0)
    };
    let roster = || {
        lab.sh(
            1,
            "docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}' | sed 's/Leader/Reachable/' | sort",
        )
    };
    let wanted = "ke2-server1 Ready Reachable\nke2-server2 Ready Reachable\nke2-server3 Ready Reachable\nke2-server4 Ready \n";
    let built = run(&["--paranoid"]);
    assert!(
        built
            .done()
            .contains(&step("swarm/join/ke2-server4", 4, "create"))
    );
    assert_eq!(roster(), wanted);
    lab.sh(4, "docker swarm leave");
    let steps_wanted: BTreeSet<_> = [
        step("swarm/forget/ke2-server4", 4, "repair"),
        step("swarm/mark/ke2-server4", 4, "repair"),
        step("swarm/join/ke2-server4", 4, "create"),
        step("swarm/activate/ke2-server4", 4, "repair"),
        step("swarm/unmark/ke2-server4", 4, "repair"),
    ]
    .into();
    assert_eq!(steps(&run(&["--dry-run"]).plan()), steps_wanted);
    assert_eq!(run(&["--paranoid"]).done(), steps_wanted);
    assert_eq!(roster(), wanted);
    assert_eq!(run(&[]).summary()["outcome"], "converged");
}

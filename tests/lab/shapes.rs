//! Swarms of other shapes than three managers.

use super::inventory::Inventory;
use super::lab::Lab;

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
    lab.provision_with(&other, &["--dry-run"])
        .expect(3)
        .says(&["S14", "7789"]);
}

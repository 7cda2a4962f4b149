//! Input that cannot work, refused before anything is changed.

use super::lab::Lab;
use super::provision::Ended;
use super::site::Site;

/// What no refused run may change.
const STATE: &str =
    "rpm -qa | sort; cat /etc/hosts /etc/fstab; hostname; ls -A /etc/yum.repos.d /data/brick";

fn site(lab: &Lab) -> Site<'_> {
    Site::of(lab)
        .stack()
        .only(&[1, 2, 3])
        .var("cluster_vip", "10.20.0.100")
        .var("gluster_brick", "/data/brick/gvol0")
}

/// Refused with this code in every layer that follows, and nothing done on any host.
fn refused(lab: &Lab, site: &Site<'_>, code: &str, words: &[&str]) {
    let before = lab.sh_all(STATE);
    let ended = site.run(&["--output", "json"]).expect(3);
    assert!(ended.done().is_empty(), "{}", ended.out);
    let refusals = ended.plan()["refusals"].to_string();
    assert!(refusals.contains(&format!("\"{code}\"")), "{refusals}");
    for word in words {
        assert!(refusals.contains(word), "{word} is missing in {refusals}");
    }
    assert_eq!(lab.sh_all(STATE), before);
}

/// The inventory itself is wrong: told with its place, before anything is connected to.
fn wrong(ended: Ended, words: &[&str]) {
    let ended = ended.expect(64).says(words);
    assert!(!ended.err.contains("zq7"), "{}", ended.err);
}

/// What is wrong with the hosts and the network.
pub fn of_hosts(lab: &Lab) {
    lab.sh(4, "ip addr add 10.20.0.100/24 dev eth0");
    refused(
        lab,
        &site(lab),
        "P26",
        &["10.20.0.100", "in use by another machine"],
    );
    lab.sh(4, "ip addr del 10.20.0.100/24 dev eth0");
    let outside = site(lab).var("cluster_vip", "10.99.0.100");
    refused(lab, &outside, "P27", &["10.99.0.100", "ke2-server2: "]);
    let on_root = site(lab).var("gluster_brick", "/var/glustervol0");
    refused(lab, &on_root, "G23", &["/var/glustervol0"]);
    lab.sh(
        2,
        "mkdir -p /data/brick/gvol0; echo old >/data/brick/gvol0/file",
    );
    refused(lab, &site(lab), "G22", &["ke2-server2"]);
    lab.sh(2, "rm -r /data/brick/gvol0");
    lab.sh(
        3,
        "mkdir -p /var/lib/pgsql/16/data; echo mine >/var/lib/pgsql/16/data/notes",
    );
    refused(lab, &site(lab), "P27", &["ke2-server3", "notes"]);
    lab.sh(3, "rm -r /var/lib/pgsql");
    lab.sh(
        1,
        "cp /etc/hosts /root/hosts; echo 127.0.1.1 ke2-server1 >>/etc/hosts",
    );
    // The other hosts can be begun with, but nothing is founded.
    let reported = site(lab).run(&["--dry-run", "--output", "json"]).expect(3);
    let plan = reported.says(&["H8", "127.0.1.1 ke2-server1"]).plan();
    let founds = |step: &serde_json::Value| step["class"] == "found" && step["blocked"].is_null();
    let steps = plan["steps"].as_array().unwrap();
    assert!(!steps.iter().any(founds), "{plan:#}");
    let unmanaged = site(lab).var("manage_hosts", "false");
    refused(lab, &unmanaged, "G18", &["127.0.1.1"]);
    lab.sh(1, "cp /root/hosts /etc/hosts");
}

/// What is wrong with the inventory.
pub fn of_inventory(lab: &Lab) {
    for name in [
        "pg_pass",
        "pg_repl_pass",
        "pg_pool_pass",
        "pg_kompira_pass",
        "pg_pool_key",
        "database_url",
        "secret_key",
    ] {
        let site = site(lab).group("managers", &[1, 2, 3]);
        let path = site.write("newline.yml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("  vars:\n", &format!("  vars:\n    {name}: \"zq7\\nx\"\n"));
        std::fs::write(&path, text).unwrap();
        wrong(
            lab.provision_with(&path, &[]),
            &[name, "a secret is one line"],
        );
    }
    let pem = |name: &str, text: &str| {
        let path = lab.files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let [one, other] = [(); 2].map(|()| {
        let names = vec!["ke2-server1".to_owned()];
        rcgen::generate_simple_self_signed(names).unwrap()
    });
    let unpaired = site(lab)
        .var("cert_file", &pem("own.crt", &one.cert.pem()))
        .var("ca_file", &pem("ca.crt", &one.cert.pem()))
        .var(
            "cert_key_file",
            &pem("own.key", &other.signing_key.serialize_pem()),
        );
    wrong(
        unpaired.run(&[]),
        &["`cert_file`", "`cert_key_file` do not match"],
    );
    wrong(
        site(lab).var("cluster_vip", "10.20.0.2").run(&[]),
        &["is the address of the host `ke2-server2`"],
    );
}

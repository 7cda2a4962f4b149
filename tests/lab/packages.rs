//! What can go wrong while packages are installed.

use super::access::untouched;
use super::lab::Lab;

const REMOVE: &str = "dnf -q -y remove docker-compose-plugin && dnf -q clean all";

/// The mirror refuses one host: its last words are shown, the other hosts go on.
pub fn no_mirror(lab: &Lab) {
    lab.run("repo", &["ke2-server2", "down"]);
    lab.sh(2, REMOVE);
    lab.sh(3, "firewall-cmd -q --zone=public --remove-port=7946/udp");
    let run = lab.provision(&[]).expect(1).says(&[
        "ke2-server2: package/install/docker-compose-plugin: failed",
        "    | exited 1",
        "Could not connect to server for https://download.docker.com/",
        "ke2-server2: stopped: package/install/docker-compose-plugin failed",
        "ke2-server3: firewall/open-now/7946/udp: done",
        "failed; running the same command again continues safely: 1 changes",
    ]);
    let quoted = run.out.lines().filter(|line| line.starts_with("    | "));
    assert!(quoted.count() <= 20, "the last 20 lines: {}", run.out);
    lab.run("repo", &["ke2-server2", "up"]);
    lab.provision(&[])
        .expect(0)
        .says(&["done and verified: 1 changes"]);
    untouched(lab);
}

/// Another dnf holds its lock, by dnf's own means, for a while.
pub fn locked(lab: &Lab) {
    lab.sh(2, REMOVE);
    lab.sh(
        2,
        r#"cat >/root/hold.py <<'END'
import dnf.lock, time
with dnf.lock.build_rpmdb_lock("/var/lib/dnf", True):
    open("/run/held", "w").close()
    time.sleep(15)
END
        setsid python3 /root/hold.py >/dev/null 2>&1 </dev/null &
        while [ ! -e /run/held ]; do sleep 0.1; done"#,
    );
    let run = lab.provision(&[]).expect(0);
    assert!(run.took.as_secs() >= 8, "it waited: {:?}", run.took);
    run.says(&["done and verified: 1 changes"]);
    untouched(lab);
}

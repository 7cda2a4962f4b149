//! Builds a cluster by hand, with the scripts of `by_hand/`.

use super::lab::{Lab, name_of};
use std::time::{Duration, Instant};

/// The virtual address.
pub const VIP: &str = "10.20.0.100";

macro_rules! script {
    ($name:literal) => {
        include_str!(concat!("by_hand/", $name, ".sh"))
    };
}

/// Builds it.
pub fn build(lab: &Lab) {
    let names: Vec<String> = lab.hosts().map(name_of).collect();
    let with = |script: &str| {
        let hosts = names.join(" ");
        format!("export HOSTS='{hosts}' VIP={VIP}\n{script}")
    };
    let addresses: String = lab
        .hosts()
        .map(|host| format!("10.20.0.{host} {}\n", name_of(host)))
        .collect();
    lab.sh_all(&format!("printf '{addresses}' >>/etc/hosts"));
    lab.sh_all(script!("engine"));
    lab.sh(1, "docker swarm init");
    let token = lab.sh(1, "docker swarm join-token -q manager");
    for host in lab.hosts().skip(1) {
        lab.sh(
            host,
            &format!("docker swarm join --token {} 10.20.0.1:2377", token.trim()),
        );
    }
    lab.sh_all(script!("files"));
    lab.sh(1, &with(script!("volume")));
    lab.sh_all(script!("mount"));
    lab.sh_all(&with(script!("database")));
    let keys = lab.sh_all(&format!("set -- make\n{}", script!("keys")));
    let keys = keys.concat();
    lab.sh_all(&format!(
        "install -m 644 -o postgres -g postgres /dev/stdin /var/lib/pgsql/.ssh/authorized_keys <<'X'\n{keys}X"
    ));
    for host in lab.hosts() {
        lab.sh(host, "systemctl start pgpool");
        leads(lab, host);
    }
    for node in [1, 2] {
        // As in the document, which looks at them first: a node that is not counted as down yet is refused.
        counted(lab, node, "down");
        // It is refused with exit code 0.
        let told = lab.sh(1, &format!(
            "cd /; runuser -u postgres -- env PCPPASSFILE=/var/lib/pgsql/.pcppass pcp_recovery_node -h localhost -p 9898 -U pgpool -n {node} -w 2>&1"
        ));
        assert!(told.contains("Command Successful"), "node {node}: {told}");
        counted(lab, node, "up");
    }
    lab.sh(1, "echo kept >/mnt/gluster/file");
    let images = lab.files.path().join("images");
    lab.run_bare("images", &["--to", images.to_str().unwrap()]);
    for host in lab.hosts() {
        lab.send(host, &images, "/root/images");
    }
    lab.sh_all("for image in /root/images/*.tar; do docker load -q -i $image >/dev/null; done");
    lab.sh(1, &with(script!("stack")));
    // Not before: with tables in the database the application makes no key.
    sql(lab, "create table proof (n int)");
}

/// Waits until Pgpool-II of a host answers, and says who leads.
fn leads(lab: &Lab, host: usize) {
    let ask = "cd /; for n in $(seq 60); do runuser -u postgres -- env PCPPASSFILE=/var/lib/pgsql/.pcppass pcp_watchdog_info -h localhost -p 9898 -U pgpool -w | grep -q LEADER && exit; sleep 1; done; exit 1";
    lab.sh(host, ask);
}

/// Waits until Pgpool-II and PostgreSQL both say this of a standby: it is taken in some seconds after its recovery.
fn counted(lab: &Lab, node: usize, word: &str) {
    let began = Instant::now();
    loop {
        let rows = sql(lab, "show pool_nodes");
        let row = rows.lines().nth(node).unwrap_or_default();
        let fields: Vec<&str> = row.split('|').collect();
        if fields[3] == word && fields[4] == word && fields[6] == "standby" {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{rows}");
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Pgpool-II takes nobody while it takes a node in.
pub fn sql(lab: &Lab, statement: &str) -> String {
    let out = lab.sh(1, &format!(
        "for n in $(seq 60); do PGPASSWORD=kompira psql -XAtqw -h {VIP} -p 9999 -U kompira -d kompira -c \"{statement}\" && exit; sleep 1; done; exit 1"
    ));
    out.trim().to_owned()
}

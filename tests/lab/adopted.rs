//! A cluster that somebody built by hand, following the source document (`by_hand/`), is taken over: only what differs is
//! changed, and clients hardly notice.

use super::lab::{Lab, name_of};
use super::plan::steps;
use super::provision::Ended;
use super::scenario::note;
use super::site::Site;
use std::time::{Duration, Instant};

const VIP: &str = "10.20.0.100";

/// What a client may have to wait for once: the watchdog's vote and the virtual address on its way.
const FAILOVER_S: f64 = 60.0;

/// One row after the other through the virtual address, each with the time at which it was acknowledged.
const WRITER: &str = r#"
n=0
while sleep 0.1; do
  n=$((n + 1))
  PGPASSWORD=kompira PGCONNECT_TIMEOUT=2 timeout 10 psql -XAtqw -h 10.20.0.100 -p 9999 -U kompira -d kompira \
    -c "insert into proof values ($n)" 2>/dev/null && date +%s.%N >>/root/acked
done
"#;

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
        lab.sh(1, &format!(
            "cd /; runuser -u postgres -- env PCPPASSFILE=/var/lib/pgsql/.pcppass pcp_recovery_node -h localhost -p 9898 -U pgpool -n {node} -w"
        ));
        taken_in(lab, node);
    }
    lab.sh(1, "echo kept >/mnt/gluster/file");
    sql(lab, "create table proof (n int)");
    let images = lab.files.path().join("images");
    lab.run_bare("images", &["--to", images.to_str().unwrap()]);
    for host in lab.hosts() {
        lab.send(host, &images, "/root/images");
    }
    lab.sh_all("for image in /root/images/*.tar; do docker load -q -i $image >/dev/null; done");
    lab.sh(1, &with(script!("stack")));
}

/// Waits until Pgpool-II of a host answers, and says who leads.
fn leads(lab: &Lab, host: usize) {
    let ask = "cd /; for n in $(seq 60); do runuser -u postgres -- env PCPPASSFILE=/var/lib/pgsql/.pcppass pcp_watchdog_info -h localhost -p 9898 -U pgpool -w | grep -q LEADER && exit; sleep 1; done; exit 1";
    lab.sh(host, ask);
}

/// Waits until Pgpool-II counts a node as a standby that is up: it takes it in some seconds after its recovery.
fn taken_in(lab: &Lab, node: usize) {
    let up = || {
        let rows = sql(lab, "show pool_nodes");
        let row = rows.lines().nth(node).unwrap_or_default().to_owned();
        let fields: Vec<&str> = row.split('|').collect();
        (
            fields[3] == "up" && fields[4] == "up" && fields[6] == "standby",
            rows,
        )
    };
    let began = Instant::now();
    loop {
        let (is_up, rows) = up();
        if is_up {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{rows}");
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Pgpool-II takes nobody while it takes a node in.
fn sql(lab: &Lab, statement: &str) -> String {
    let out = lab.sh(1, &format!(
        "for n in $(seq 60); do PGPASSWORD=kompira psql -XAtqw -h {VIP} -p 9999 -U kompira -d kompira -c \"{statement}\" && exit; sleep 1; done; exit 1"
    ));
    out.trim().to_owned()
}

fn site(lab: &Lab) -> Site<'_> {
    Site::of(lab)
        .stack()
        .var("cluster_vip", VIP)
        .var("gluster_brick", "/var/glustervol0")
        .var("gluster_brick_on_root", "true")
}

fn run(lab: &Lab, words: &[&str]) -> Ended {
    site(lab).run(&[&["--output", "json"], words].concat())
}

/// Takes it over, with a client at work.
pub fn taken_over(lab: &Lab) {
    let dry = run(lab, &["--dry-run"]).expect(0);
    let plan = dry.plan();
    assert_eq!(plan["refusals"], serde_json::json!([]), "{}", dry.out);
    let planned = steps(&plan);
    let forbidden = [
        "swarm/",
        "gluster_",
        "postgres/initdb",
        "postgres/start",
        "postgres/restart",
        "pgpool/recover/",
    ];
    for step in &planned {
        let id = step.0.as_str();
        assert!(
            !forbidden.iter().any(|part| id.starts_with(part)),
            "{id} is planned for a cluster that works"
        );
        assert!(!id.starts_with("package/install/centos-release"), "{id}");
    }
    let before = identity(lab);
    let writer = shlex::try_quote(WRITER).unwrap().into_owned();
    lab.sh(
        3,
        &format!("systemd-run -q --unit=writer bash -c {writer}; sleep 2"),
    );
    let done = run(lab, &[]).expect(0);
    assert_eq!(done.done(), planned, "done is what was planned");
    lab.sh(3, "sleep 2; systemctl stop writer");
    note(&format!(
        "{} steps in {:.0} s",
        planned.len(),
        done.took.as_secs_f64()
    ));
    assert_eq!(
        identity(lab),
        before,
        "the same swarm, volume, database and stack"
    );
    site(lab).verb("test", &[]).expect(0);
    assert_eq!(lab.sh(2, "cat /mnt/gluster/file"), "kept\n");
    let acked = lab.sh(3, "cat /root/acked");
    let times: Vec<f64> = acked.lines().map(|line| line.parse().unwrap()).collect();
    assert!(times.len() > 20, "the writer hardly wrote: {acked}");
    let longest = times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .fold(0.0, f64::max);
    note(&format!("the writer stopped for {longest:.1} s at most"));
    assert!(longest < FAILOVER_S, "the writer stopped for {longest} s");
    let kept: usize = sql(lab, "select count(*) from proof").parse().unwrap();
    assert!(kept >= times.len(), "{kept} rows of {}", times.len());
    let again = run(lab, &[]).expect(0);
    assert_eq!(again.summary()["outcome"], "converged", "{}", again.out);
}

/// Who the swarm, the volume, the database and the stack are.
fn identity(lab: &Lab) -> String {
    lab.sh(
        1,
        "docker info --format '{{.Swarm.Cluster.ID}} {{.Swarm.Nodes}}'; gluster volume info gvol0 | grep 'Volume ID'; \
         LC_ALL=C /usr/pgsql-16/bin/pg_controldata /var/lib/pgsql/16/data | grep -E 'system identifier|TimeLineID:'; \
         cat /mnt/gluster/var/.secret_key; docker volume ls -q --filter name=swarm_; docker network inspect swarm_default --format '{{.Id}}'",
    )
}

/// Everything comes back by itself afterwards, which it did not before.
pub fn booted(lab: &Lab) {
    lab.run("reboot", &["--all"]);
    let came = |host: usize| {
        let up = "mountpoint -q /mnt/gluster && systemctl is-active -q postgresql-16 pgpool docker";
        lab.sh(
            host,
            &format!(
                "for n in $(seq 240); do {up} && exit; sleep 1; done; systemctl --failed; exit 1"
            ),
        );
    };
    lab.hosts().for_each(came);
    lab.sh(1, &format!(
        "for n in $(seq 120); do PGPASSWORD=kompira psql -XAtqw -h {VIP} -p 9999 -U kompira -d kompira -c 'insert into proof values (0)' && exit; sleep 1; done; exit 1"
    ));
}

//! A cluster that somebody built by hand, following the source document (`by_hand/`), is taken over: only what differs is
//! changed, and clients hardly notice.

use super::by_hand::{VIP, sql};
use super::lab::{Lab, name_of};
use super::plan::{Step, step, steps};
use super::provision::Ended;
use super::scenario::note;
use super::site::Site;
use std::collections::BTreeSet;
use std::time::Duration;

/// What a client may have to wait for once: the watchdog's vote and the virtual address on its way.
const FAILOVER_S: f64 = 60.0;

/// One row after the other through the virtual address: its number, and the time at which it was acknowledged.
const WRITER: &str = r#"
n=0
while sleep 0.1; do
  n=$((n + 1))
  PGPASSWORD=kompira PGCONNECT_TIMEOUT=2 timeout 10 psql -XAtqw -h 10.20.0.100 -p 9999 -U kompira -d kompira \
    -c "insert into proof values ($n)" 2>/dev/null && echo "$n $(date +%s.%N)" >>/root/acked
done
"#;

/// What a user sees: when some host answered, one line a round.
const READER: &str = r#"
while sleep 0.2; do
  for host in ke2-server1 ke2-server2 ke2-server3; do
    code=$(curl -s -m 3 -o /dev/null -w '%{http_code}' --cacert /mnt/gluster/ssl/local-ca.crt "https://$host/.login")
    [ "$code" != 200 ] || { date +%s.%N >>/root/answered; break; }
  done
done
"#;

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

/// The first dry run: what it finds is told, and nothing is planned that would disturb what works.
fn planned(lab: &Lab) -> BTreeSet<Step> {
    let dry = run(lab, &["--dry-run"]).expect(0);
    let plan = dry.plan();
    for empty in ["refusals", "unknown", "waits"] {
        assert_eq!(plan[empty], serde_json::json!([]), "{}", dry.out);
    }
    // The document founds the swarm with Docker's own pool; its certificate has no addresses, and its authority's key
    // lies on the share.
    let advice = plan["advice"].as_array().unwrap();
    let codes: Vec<_> = advice.iter().map(|it| it["code"].as_str()).collect();
    assert_eq!(codes, [Some("S18"), Some("K8"), Some("K10")], "{advice:#?}");
    let mut list = plan["steps"].as_array().unwrap().iter();
    let deploy = list.find(|step| step["id"] == "stack/deploy/ke2").unwrap();
    let told = deploy["why"].as_str().unwrap();
    let begins = "deployed by another tool: ke2_jobmngrd (now another environment), ke2_kengine";
    assert!(told.starts_with(begins), "{told}");
    let planned = steps(&plan);
    let forbidden = [
        "swarm/",
        "gluster_",
        "certificates/",
        "postgres/initdb",
        "postgres/start",
        "postgres/restart",
        "pgpool/recover/",
    ];
    // A timeout that the volume takes as it runs.
    let heals = step("gluster_volume/set/cluster.heal-timeout", 1, "repair");
    assert!(planned.contains(&heals), "{planned:#?}");
    for step in planned.iter().filter(|step| **step != heals) {
        let id = step.0.as_str();
        assert!(
            !forbidden.iter().any(|part| id.starts_with(part)),
            "{id} is planned for a cluster that works"
        );
        assert!(!id.starts_with("package/install/centos-release"), "{id}");
    }
    // One after the other, behind the health gate.
    let restarts: BTreeSet<Step> = planned
        .iter()
        .filter(|step| !["create", "repair"].contains(&&*step.2))
        .cloned()
        .collect();
    let pgpool = |host| {
        step(
            &format!("pgpool/restart/{}", name_of(host)),
            host,
            "restart",
        )
    };
    let deploy = step("stack/deploy/ke2", 1, "restart");
    let wanted: BTreeSet<Step> = lab.hosts().map(pgpool).chain([deploy]).collect();
    assert_eq!(restarts, wanted);
    planned
}

/// Takes it over, with clients at work.
pub fn taken_over(lab: &Lab) {
    let before = (identity(lab), processes(lab));
    let planned = planned(lab);
    assert_eq!(
        (identity(lab), processes(lab)),
        before,
        "a dry run changes nothing"
    );
    for (unit, script) in [("writer", WRITER), ("reader", READER)] {
        let script = shlex::try_quote(script).unwrap();
        let start = format!("systemd-run -q --unit={unit} bash -c {script}");
        lab.sh(3, &start);
    }
    std::thread::sleep(Duration::from_secs(2));
    let done = run(lab, &[]).expect(0);
    assert_eq!(done.done(), planned, "done is what was planned");
    let ended = lab.sh(3, "sleep 2; systemctl stop writer reader; date +%s.%N");
    let ended: f64 = ended.trim().parse().unwrap();
    note(&format!(
        "{} steps in {:.0} s",
        planned.len(),
        done.took.as_secs_f64()
    ));
    let after = (identity(lab), processes(lab));
    assert_eq!(after.0, before.0, "the same swarm, volume, database, stack");
    assert_eq!(after.1, before.1, "nothing else was restarted");
    site(lab).verb("test", &[]).expect(0);
    site(lab).verb("status", &[]).expect(0);
    assert_eq!(lab.sh(2, "cat /mnt/gluster/file"), "kept\n");
    written(lab, ended);
    let answered = lab.sh(3, "cat /root/answered");
    let times: Vec<f64> = answered.lines().map(|line| line.parse().unwrap()).collect();
    let longest = longest(&times, ended);
    note(&format!("no host answered for {longest:.1} s at most"));
    let again = run(lab, &[]).expect(0);
    assert_eq!(again.summary()["outcome"], "converged", "{}", again.out);
}

/// No row that was acknowledged is lost, and none was waited for longer than a failover takes.
fn written(lab: &Lab, ended: f64) {
    let acked = lab.sh(3, "cat /root/acked");
    let (rows, times): (Vec<&str>, Vec<f64>) = acked
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(row, time)| (row, time.parse::<f64>().unwrap()))
        .unzip();
    assert!(times.len() > 20, "the writer hardly wrote: {acked}");
    let longest = longest(&times, ended);
    note(&format!(
        "{} rows; the writer stopped for {longest:.1} s at most",
        rows.len()
    ));
    assert!(longest < FAILOVER_S, "the writer stopped for {longest} s");
    let table = sql(lab, "select n from proof");
    let kept: BTreeSet<&str> = table.lines().collect();
    let lost: Vec<_> = rows.iter().filter(|row| !kept.contains(*row)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
}

/// The longest time between two of these, the end included: it may never have come back.
fn longest(times: &[f64], ended: f64) -> f64 {
    let next = times.iter().skip(1).chain([&ended]);
    let gaps = times.iter().zip(next).map(|(one, other)| other - one);
    gaps.fold(0.0, f64::max)
}

/// The processes that nothing plans to restart: of each host the engine, the file system and PostgreSQL.
fn processes(lab: &Lab) -> Vec<String> {
    lab.sh_all(
        "ps -ww -C dockerd,containerd,glusterd,glusterfsd,glusterfs -o pid=,comm= | sort -n; head -n 1 /var/lib/pgsql/16/data/postmaster.pid",
    )
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
    let answers = "curl -s -o /dev/null -w '%{http_code}' --cacert /mnt/gluster/ssl/local-ca.crt https://$(hostname)/.login";
    lab.sh_all(&format!(
        "for n in $(seq 240); do [ \"$({answers})\" != 200 ] || exit 0; sleep 1; done; exit 1"
    ));
    site(lab).verb("test", &[]).expect(0);
    let again = run(lab, &[]).expect(0);
    assert_eq!(again.summary()["outcome"], "converged", "{}", again.out);
}

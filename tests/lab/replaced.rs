//! A host that is replaced by a blank machine, a brick's disk that is lost, a data directory that is lost: each repaired by
//! the same command, while a writer goes on through the virtual address and another one on the shared directory.

use super::inventory::Inventory;
use super::lab::{Lab, name_of};
use super::plan::{Step, steps};
use super::provision::Ended;
use super::scenario::note;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The layers below the stack.
const LAYERS: &str = "\
- import_playbook: hosts.yml
- import_playbook: packages.yml
- import_playbook: postgresql-packages.yml
- import_playbook: docker.yml
- import_playbook: firewall.yml
- import_playbook: swarm.yml
- import_playbook: glusterfs.yml
- import_playbook: postgresql.yml
- import_playbook: pgpool.yml
- import_playbook: activate.yml
";

/// Files that every mount must list at any time.
const SEEDS: usize = 40;

/// Where the writers and the watcher run: a host that nothing happens to.
const WITNESS: usize = 3;

/// Acknowledged is what has reached the disks (`fsync`), or was committed on a standby too (`any1`).
const WRITERS: &str = r#"
share() { n=0; while sleep 0.05; do n=$((n + 1))
  echo "line-$n" | dd of=/mnt/gluster/lines oflag=append conv=notrunc,fsync status=none && echo "line-$n" >>/root/acked-lines; done; }
rows() { n=0; while sleep 0.1; do n=$((n + 1))
  PGPASSWORD=kompira PGCONNECT_TIMEOUT=3 timeout 20 psql -XAtqw -h 10.20.0.100 -p 9999 -U kompira -d kompira -c "insert into proof values ($n)" && echo "$n" >>/root/acked-rows; done; }
lists() { while sleep 0.3; do n=$(ls /mnt/gluster/seeds | wc -l); [ "$n" = SEEDS ] || echo "$(date) $n" >>/root/missing; done; }
"$1"
"#;

/// The cluster under test.
pub struct Site<'a> {
    lab: &'a Lab,
    inventory: PathBuf,
    playbook: String,
}

impl<'a> Site<'a> {
    /// Converges it, and starts the writers.
    pub fn build(lab: &'a Lab) -> Self {
        let inventory = Inventory::of(lab)
            .shared()
            .var("cluster_vip", "10.20.0.100")
            .var("postgres_synchronous", "any1")
            .write(lab, "replaced.yml");
        let mut text = std::fs::read_to_string(&inventory).unwrap();
        text.push_str("    database:\n      hosts:\n");
        for host in lab.hosts() {
            text.push_str(&format!("        {}:\n", name_of(host)));
        }
        std::fs::write(&inventory, text).unwrap();
        let playbook = lab.files.path().join("layers.yml");
        std::fs::write(&playbook, LAYERS).unwrap();
        let site = Self {
            lab,
            inventory,
            playbook: playbook.display().to_string(),
        };
        site.run(&[]).expect(0);
        site.settled();
        let witness = |script: &str| lab.sh(WITNESS, script);
        site.sql("create table proof (n int primary key)");
        witness(&format!(
            "mkdir /mnt/gluster/seeds; for n in $(seq {SEEDS}); do head -c 20000 /dev/urandom >/mnt/gluster/seeds/$n; done; : >/mnt/gluster/lines"
        ));
        let script = WRITERS.replace("SEEDS", &SEEDS.to_string());
        let script = shlex::try_quote(&script).unwrap().into_owned();
        for job in ["share", "rows", "lists"] {
            witness(&format!(
                "systemd-run -q --unit=writer-{job} bash -c {script} - {job}"
            ));
        }
        site
    }

    fn run(&self, words: &[&str]) -> Ended {
        let mut all = vec!["--playbook", &*self.playbook, "--output", "json"];
        all.extend(words);
        self.lab.provision_with(&self.inventory, &all)
    }

    /// SQL through the virtual address, as the application.
    fn sql(&self, sql: &str) -> String {
        let began = Instant::now();
        loop {
            let output = self.lab.try_sh(
                WITNESS,
                &format!("PGPASSWORD=kompira PGCONNECT_TIMEOUT=3 psql -XAtqw -h 10.20.0.100 -p 9999 -U kompira -d kompira -c {}", shlex::try_quote(sql).unwrap()),
            );
            if output.status.success() {
                return String::from_utf8(output.stdout).unwrap().trim().to_owned();
            }
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(began.elapsed() < Duration::from_secs(120), "{said}");
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// The host whose PostgreSQL takes writes.
    fn primary(&self) -> usize {
        let is = |host: &usize| {
            let sql = "cd /; runuser -u postgres -- psql -XAtqc 'select pg_is_in_recovery()'";
            self.lab.try_sh(*host, sql).stdout == b"f\n"
        };
        self.lab.hosts().find(is).unwrap()
    }

    /// The next run finds nothing.
    fn settled(&self) {
        let again = self.run(&[]).expect(0);
        assert_eq!(again.summary()["outcome"], "converged", "{}", again.out);
        assert!(again.done().is_empty(), "{}", again.out);
    }

    fn planned(&self, words: &[&str]) -> BTreeSet<Step> {
        let dry = self.run(&[&["--dry-run"], words].concat());
        assert!(matches!(dry.code, Some(0)), "{}\n{}", dry.out, dry.err);
        steps(&dry.plan())
    }

    /// One run repairs it, in the steps of its dry run, and these are among them, in this order.
    fn repaired(&self, words: &[&str], in_order: &[String]) {
        let planned = self.planned(words);
        let began = Instant::now();
        let ended = self.run(words).expect(0);
        note(&format!(
            "repaired in {:.0} s",
            began.elapsed().as_secs_f64()
        ));
        let done: Vec<String> = ended
            .events()
            .iter()
            .filter(|event| event["event"] == "step_done")
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect();
        let mut rest = done.iter();
        for id in in_order {
            assert!(
                rest.any(|done| done == id),
                "{id} is not done, or not there in the order: {done:#?}"
            );
        }
        let ids: BTreeSet<&String> = done.iter().collect();
        let missing: Vec<&Step> = planned
            .iter()
            .filter(|step| !ids.iter().any(|id| format!("{step:?}").contains(&***id)))
            .collect();
        assert!(missing.is_empty(), "planned, and not done: {missing:?}");
        self.settled();
        self.nothing_lost();
    }

    /// Every acknowledged line and row is there, and no mount ever listed less than all files.
    fn nothing_lost(&self) {
        // A command line is too short for all lines, and not for those that were not acknowledged.
        let number = |line: &str| line.strip_prefix("line-")?.parse::<usize>().ok();
        let acked = self.lab.sh(WITNESS, "cat /root/acked-lines");
        let acked: BTreeSet<usize> = acked.lines().filter_map(number).collect();
        let last = acked.last().copied().unwrap();
        let not: Vec<String> = (1..=last)
            .filter(|n| !acked.contains(n))
            .map(|n| format!("line-{n}"))
            .collect();
        note(&format!("{} lines acknowledged", acked.len()));
        for host in self.lab.hosts() {
            let gone = self.lab.sh(
                host,
                &format!(
                    "seq -f 'line-%.0f' 1 {last} | sort >/root/all; printf '%s\\n' {} | sort >/root/not\n\
                     sort -u /mnt/gluster/lines >/root/have; comm -23 /root/all /root/not | comm -23 - /root/have",
                    not.join(" ")
                ),
            );
            assert_eq!(gone, "", "lost on the mount of host {host}");
            let seeds = self.lab.sh(
                host,
                "ls /mnt/gluster/seeds | wc -l; cat /mnt/gluster/seeds/* | wc -c",
            );
            assert_eq!(seeds, format!("{SEEDS}\n{}\n", SEEDS * 20000));
        }
        let acked: BTreeSet<String> = self
            .lab
            .sh(WITNESS, "cat /root/acked-rows")
            .lines()
            .map(str::to_owned)
            .collect();
        let rows = self.sql("select n from proof");
        let rows: BTreeSet<&str> = rows.lines().collect();
        let lost: Vec<&String> = acked.iter().filter(|n| !rows.contains(&***n)).collect();
        assert!(lost.is_empty(), "rows lost: {lost:?}");
        assert_eq!(self.lab.sh(WITNESS, "cat /root/missing 2>/dev/null; :"), "");
        note(&format!("{} rows acknowledged, none lost", acked.len()));
    }

    /// A blank machine of the same name and address.
    pub fn host_replaced(&self) {
        let host = self.primary();
        let name = name_of(host);
        assert_ne!(host, WITNESS);
        note(&format!("{name}, which has the primary, is replaced"));
        self.lab.run("replace", &[&name]);
        self.failed_over();
        // Its key is another one: without a word of the admin nobody logs in there, and the rest is well.
        self.run(&[]).expect(4).says(&[&name, "--accept-new-key"]);
        let accept = ["--accept-new-key", &name];
        let order = [
            "swarm/mark/",
            "swarm/demote-lost/",
            "swarm/forget/",
            "swarm/join/",
            "gluster_pool/restore-identity/",
            "gluster_pool/rejoin/",
            "gluster_volume/reset-brick/",
            "pgpool/recover/",
            "swarm/activate/",
            "swarm/unmark/",
        ];
        self.repaired(&accept, &order.map(|verb| format!("{verb}{name}")));
        let nodes = self.lab.sh(
            WITNESS,
            "docker node ls --format '{{.Status}} {{.Availability}}'",
        );
        assert_eq!(nodes, "Ready Active\n".repeat(self.lab.hosts().count()));
        assert_ne!(self.primary(), host, "no primary moves by itself");
    }

    /// A new disk, mounted where the old one was.
    pub fn brick_lost(&self) {
        let host = self.lab.hosts().find(|host| *host != WITNESS).unwrap();
        note(&format!("the brick's disk of {} is lost", name_of(host)));
        self.lab.sh(
            host,
            "set -e; d=$(findmnt -no SOURCE /data/brick); for p in $(pidof glusterfsd); do kill -9 $p; done; sleep 1\n\
             umount /data/brick; mkfs.xfs -q -f -i size=512 $d; mount $d /data/brick",
        );
        let reset = format!("gluster_volume/reset-brick/{}", name_of(host));
        self.repaired(&[], &[reset]);
    }

    /// The data directory of a standby, and then that of the primary.
    pub fn data_lost(&self) {
        let lose = "systemctl stop postgresql-16; rm -rf /var/lib/pgsql/16/data";
        let primary = self.primary();
        let standby = self.lab.hosts().find(|host| *host != primary).unwrap();
        for host in [standby, primary] {
            let name = name_of(host);
            note(&format!("the data directory of {name} is lost"));
            self.lab.sh(host, lose);
            self.sql("select 1");
            self.failed_over();
            self.repaired(&[], &[format!("pgpool/recover/{name}")]);
        }
    }

    /// Until there is one primary that takes rows.
    fn failed_over(&self) {
        let began = Instant::now();
        let row = || self.lab.sh(WITNESS, "tail -n 1 /root/acked-rows");
        let before = row();
        while row() == before {
            assert!(
                began.elapsed() < Duration::from_secs(120),
                "no row is taken"
            );
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

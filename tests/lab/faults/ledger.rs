//! Two writers on a machine outside the cluster, and what they were promised: a row through the virtual address is
//! acknowledged when it was committed, a line on the shared directory when it is on the bricks' disks.

use crate::lab::{Lab, address_of};
use crate::pgpool::password_of;
use crate::scenario::note;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Files that every mount must list at any time.
const SEEDS: usize = 40;

/// Where the witness mounts the volume, and the hosts do.
const SHARE: &str = "/mnt/gluster";

const WRITERS: &str = r#"
lines() { n=0; while sleep 0.1; do n=$((n + 1))
  echo "line-$n" | dd of=/mnt/gluster/proof/lines oflag=append conv=notrunc,fsync status=none && echo "line-$n" >>/root/acked-lines; done; }
rows() { n=0; while sleep 0.1; do n=$((n + 1))
  PGPASSWORD=PASSWORD PGCONNECT_TIMEOUT=3 timeout 20 psql -XAtqw -h 10.20.0.100 -p 9999 -U kompira -d kompira -c "insert into proof values ($n)" && echo "$n" >>/root/acked-rows; done; }
writable() { PGPASSWORD=PASSWORD PGCONNECT_TIMEOUT=2 timeout 3 psql -XAtqw -h $1 -p 5432 -U kompira -d kompira -c 'select pg_is_in_recovery()' 2>/dev/null | sed -n "s/^f$/$1/p"; }
primaries() { while sleep 0.5; do
  n=$(for h in HOSTS; do writable $h & done; wait); [ "$(echo "$n" | wc -w)" -le 1 ] || echo "$(date -Is)" $n >>/root/two-primaries; done; }
seeds() { while sleep 0.3; do l=$(ls /mnt/gluster/proof/seeds) || continue
  n=$(echo "$l" | wc -l); [ "$n" = SEEDS ] || echo "$(date -Is) $n" >>/root/missing; done; }
"$1"
"#;

/// The writers, and the machine that they run on.
pub struct Ledger<'a> {
    lab: &'a Lab,
    witness: usize,
    hosts: Vec<usize>,
}

/// What was acknowledged so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub rows: usize,
    pub lines: usize,
}

impl<'a> Ledger<'a> {
    /// Makes the last host of the lab a client of the cluster on the others, and begins to write.
    pub fn open(lab: &'a Lab, hosts: &[usize]) -> Self {
        let witness = *lab.hosts().end();
        let ledger = Self {
            lab,
            witness,
            hosts: hosts.to_vec(),
        };
        ledger.prepare();
        let addresses: Vec<String> = hosts.iter().map(|host| address_of(*host)).collect();
        let script = WRITERS
            .replace(
                "PGPASSWORD=PASSWORD",
                &format!("PGPASSWORD={}", password_of("kompira")),
            )
            .replace("SEEDS", &SEEDS.to_string())
            .replace("HOSTS", &addresses.join(" "));
        let script = shlex::try_quote(&script).unwrap().into_owned();
        for job in ["lines", "rows", "seeds", "primaries"] {
            ledger.sh(&format!(
                "systemd-run -q --unit=writer-{job} bash -c {script} - {job}"
            ));
        }
        ledger.goes_on();
        ledger
    }

    fn prepare(&self) {
        let names: String = self
            .hosts
            .iter()
            .map(|host| format!("10.20.0.{host} {}\\n", self.lab.host(*host)))
            .collect();
        self.sh(&format!(
            "set -e\nprintf '{names}' >>/etc/hosts\n\
             dnf -y -q install https://download.postgresql.org/pub/repos/yum/reporpms/EL-9-x86_64/pgdg-redhat-repo-latest.noarch.rpm centos-release-gluster11 >/dev/null\n\
             dnf -qy module disable postgresql >/dev/null; dnf -y -q install postgresql16 glusterfs-fuse >/dev/null\n\
             mkdir -p {SHARE}; mount -t glusterfs -o backup-volfile-servers={} {}:/gvol0 {SHARE}\n\
             mkdir -p {SHARE}/proof/seeds; : >{SHARE}/proof/lines\n\
             for n in $(seq {SEEDS}); do head -c 20000 /dev/urandom >{SHARE}/proof/seeds/$n; done",
            self.lab.host(self.hosts[1]),
            self.lab.host(self.hosts[0]),
        ));
        self.sql("create table proof (n int primary key)");
    }

    fn sh(&self, script: &str) -> String {
        self.lab.sh(self.witness, script)
    }

    /// SQL through the virtual address, as the application; tried again while nobody takes it.
    pub fn sql(&self, sql: &str) -> String {
        let sql = shlex::try_quote(sql).unwrap();
        let line = format!(
            "PGPASSWORD={} PGCONNECT_TIMEOUT=3 timeout 20 psql -XAtqw -h 10.20.0.100 -p 9999 -U kompira -d kompira -c {sql}",
            password_of("kompira")
        );
        let began = Instant::now();
        loop {
            let output = self.lab.try_sh(self.witness, &line);
            if output.status.success() {
                return String::from_utf8(output.stdout).unwrap().trim().to_owned();
            }
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(began.elapsed() < Duration::from_secs(180), "{said}");
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Waits until another row and another line are acknowledged; how long that took.
    pub fn goes_on(&self) -> Duration {
        let began = Instant::now();
        let before = self.acknowledged();
        loop {
            let now = self.acknowledged();
            if now.rows > before.rows && now.lines > before.lines {
                return began.elapsed();
            }
            assert!(
                began.elapsed() < Duration::from_secs(300),
                "nobody takes {}",
                if now.rows > before.rows {
                    "lines"
                } else {
                    "rows"
                }
            );
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Forgets that there were two primaries, which somebody has made on purpose.
    pub fn forget_two_primaries(&self) {
        self.sh("rm -f /root/two-primaries");
    }

    /// How much was acknowledged.
    pub fn acknowledged(&self) -> Acknowledged {
        let count = self.sh("touch /root/acked-rows /root/acked-lines; wc -l </root/acked-rows; wc -l </root/acked-lines");
        let mut counts = count.lines().map(|count| count.trim().parse().unwrap());
        let mut next = || counts.next().unwrap();
        Acknowledged {
            rows: next(),
            lines: next(),
        }
    }

    /// Every acknowledged row and line is there, on every host, and no listing was ever short.
    pub fn nothing_lost(&self) {
        let acked = self.sh("cat /root/acked-lines");
        let rows_acked = self.sh("cat /root/acked-rows");
        for host in &self.hosts {
            let have = self.lab.sh(*host, &format!("cat {SHARE}/proof/lines"));
            let have: BTreeSet<&str> = have.lines().collect();
            let lost: Vec<&str> = acked.lines().filter(|line| !have.contains(line)).collect();
            assert!(
                lost.is_empty(),
                "lost on the mount of host {host}: {lost:?}"
            );
            let seeds = self.lab.sh(
                *host,
                &format!("ls {SHARE}/proof/seeds | wc -l; cat {SHARE}/proof/seeds/* | wc -c"),
            );
            assert_eq!(
                seeds,
                format!("{SEEDS}\n{}\n", SEEDS * 20000),
                "host {host}"
            );
        }
        let rows = self.sql("select n from proof");
        let rows: BTreeSet<&str> = rows.lines().collect();
        let lost: Vec<&str> = rows_acked.lines().filter(|n| !rows.contains(n)).collect();
        assert!(lost.is_empty(), "rows lost: {lost:?}");
        assert_eq!(
            self.sh("cat /root/missing 2>/dev/null; :"),
            "",
            "short listings"
        );
        let two = self.sh("cat /root/two-primaries 2>/dev/null; :");
        assert_eq!(two, "", "two primaries at once");
        note(&format!(
            "                     {} rows and {} lines were acknowledged, none is lost",
            rows_acked.lines().count(),
            acked.lines().count()
        ));
    }
}

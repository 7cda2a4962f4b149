//! What somebody did by hand, or what died: shown by a dry run as exactly that, and repaired by the next run without
//! anything else, or refused or told by its code.

use super::cluster::{Cluster, HOSTS, VIP};
use super::ledger::Ledger;
use crate::plan::steps;

/// All of them, one after the other.
pub fn all(cluster: &Cluster<'_>, ledger: &Ledger<'_>) {
    let of = Damaged { cluster, ledger };
    of.swarm();
    of.shared_directory();
    of.firewall();
    of.pgpool();
    of.postgres();
    of.two_primaries();
}

/// One of them, when it is wanted.
fn scenario(what: &str, run: impl FnOnce()) {
    if super::is_wanted(what) {
        crate::scenario::scenario(&format!("  {what}"), run);
    }
}

struct Damaged<'a> {
    cluster: &'a Cluster<'a>,
    ledger: &'a Ledger<'a>,
}

impl Damaged<'_> {
    fn standby(&self) -> usize {
        let [primary, ..] = self.cluster.roles();
        HOSTS.into_iter().find(|host| *host != primary).unwrap()
    }

    /// Repaired by steps for this host alone, these among them; what else was well stays as it was. Pgpool-II may have
    /// taken a standby for down meanwhile, whose ports were closed: that it is attached again is seen by the run, and
    /// was not there for the dry run.
    fn mended(&self, what: &str, host: usize, script: &str, wanted: &[&str]) {
        scenario(what, || {
            let name = self.cluster.name(host);
            self.cluster.lab.sh(host, script);
            let dry = self.cluster.run(&["--dry-run"]).expect(0);
            let planned = steps(&dry.plan());
            for id in wanted {
                let found = planned.iter().any(|(planned, ..)| planned.starts_with(id));
                assert!(found, "{id} is not planned: {planned:#?}");
            }
            for (id, subject, class) in &planned {
                let restores =
                    ["repair", "restart"].contains(&&**class) || id.starts_with("pgpool/start/");
                let fits = subject == name && restores;
                assert!(fits, "{id} for {subject} ({class}) is planned");
            }
            let done = self.cluster.run(&["--paranoid"]).expect(0);
            let done = done.done();
            let missing: Vec<_> = planned.difference(&done).collect();
            assert!(missing.is_empty(), "not done: {missing:?}");
            for (id, ..) in done.difference(&planned) {
                let fits = *id == format!("pgpool/attach/{name}");
                assert!(fits, "{id} is done, and was not planned");
            }
            self.well();
        });
    }

    /// Nothing is done; the plan says it by its code; and the next run finds nothing once a person has decided.
    fn said(
        &self,
        what: &str,
        (exit, code): (i32, &str),
        (host, script): (usize, &str),
        undo: &str,
    ) {
        scenario(what, || {
            self.cluster.lab.sh(host, script);
            let ended = self.cluster.run(&[]).expect(exit);
            assert!(ended.done().is_empty(), "{}", ended.out);
            let ended = ended.says(&[&format!("\"{code}\"")]);
            drop(ended);
            self.cluster.lab.sh(host, undo);
            self.well();
        });
    }

    fn well(&self) {
        self.cluster.settled();
        self.ledger.goes_on();
        self.ledger.nothing_lost();
    }

    fn swarm(&self) {
        let [_, leader, _] = self.cluster.roles();
        let host = HOSTS.into_iter().find(|host| *host != leader).unwrap();
        let name = self.cluster.name(host);
        let availability =
            |word: &str| format!("docker node update --availability {word} {name} >/dev/null");
        self.said(
            "a node drained",
            (0, "S15"),
            (host, &availability("drain")),
            &availability("active"),
        );
        scenario("`docker swarm leave --force`", || {
            self.cluster.lab.sh(host, "docker swarm leave --force");
            let mended = self.cluster.mend(&[]);
            for verb in ["forget", "join", "activate"] {
                let id = format!("swarm/{verb}/{name}");
                assert!(mended.steps.contains(&id), "{:#?}", mended.steps);
            }
            self.well();
        });
    }

    fn shared_directory(&self) {
        let host = HOSTS[1];
        let name = self.cluster.name(host);
        self.mended(
            "a brick's process killed",
            host,
            "for p in $(pidof glusterfsd); do kill -9 $p; done; sleep 1",
            &[&format!("gluster_volume/start-missing/{name}")],
        );
        self.mended(
            "the pool and its volumes forgotten by one host",
            host,
            "systemctl stop glusterd; rm -rf /var/lib/glusterd/{peers,vols}; systemctl start glusterd; sleep 3",
            &[&format!("gluster_pool/rejoin/{name}")],
        );
    }

    fn firewall(&self) {
        self.mended(
            "firewalld set back to its defaults",
            HOSTS[2],
            "rm -f /etc/firewalld/zones/*.xml; firewall-cmd -q --reload",
            &["firewall/open/"],
        );
    }

    fn pgpool(&self) {
        let [_, _, address] = self.cluster.roles();
        let other = HOSTS.into_iter().find(|host| *host != address).unwrap();
        self.mended(
            "Pgpool-II stopped on one host",
            other,
            "systemctl stop pgpool; sleep 3",
            &[&format!("pgpool/start/{}", self.cluster.name(other))],
        );
        self.mended(
            "pool_passwd differs",
            other,
            "sed -i 's/^kompira:.*/kompira:AESAAAAAAAAAAAAAAAAAAAAAA==/' /etc/pgpool-II/pool_passwd",
            &["template/write/etc/pgpool-II/pool_passwd"],
        );
        self.mended(
            "known_hosts of `postgres` is stale",
            other,
            "cd ~postgres/.ssh; awk '{ $NF = \"AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\" } 1' known_hosts >k; cat k >known_hosts; rm k",
            &["ssh_mesh/known_hosts/"],
        );
        self.said(
            "the address is on nobody",
            (3, "P12"),
            (address, &format!("d=$(ip -o -4 addr show to {VIP}/32 | awk '{{ print $2, $4 }}'); ip addr del ${{d#* }} dev ${{d% *}}; echo \"$d\" >/root/address")),
            "read -r i a </root/address; ip addr add $a dev $i; arping -c 1 -U -I $i ${a%/*} >/dev/null || true; rm /root/address",
        );
    }

    fn postgres(&self) {
        let [primary, ..] = self.cluster.roles();
        let psql =
            |sql: &str| format!("cd /; runuser -u postgres -- psql -XAtqc \"{sql}\" >/dev/null");
        self.said(
            "a stale slot",
            (0, "P18"),
            (
                primary,
                &psql("select pg_create_physical_replication_slot('somebody', true)"),
            ),
            &psql("select pg_drop_replication_slot('somebody')"),
        );
        let standby = self.standby();
        let name = self.cluster.name(standby);
        scenario("a standby stopped", || {
            self.cluster.lab.sh(standby, "systemctl stop postgresql-16");
            self.ledger.goes_on();
            let mended = self.cluster.mend(&[]);
            let recovered = format!("pgpool/recover/{name}");
            assert!(!mended.steps.contains(&recovered), "its data is good");
            self.well();
        });
    }

    /// Refused as long as both write; then the one that the person has stopped is a former primary.
    fn two_primaries(&self) {
        let standby = self.standby();
        scenario("a standby promoted by hand", || {
            self.cluster.lab.sh(
                standby,
                "cd /; runuser -u postgres -- /usr/pgsql-16/bin/pg_ctl promote -w -D /var/lib/pgsql/16/data >/dev/null",
            );
            let ended = self.cluster.run(&[]).expect(3).says(&["\"P7\""]);
            assert!(ended.done().is_empty(), "{}", ended.out);
            self.cluster.lab.sh(standby, "systemctl stop postgresql-16");
            self.cluster.mend(&[]);
            self.ledger.forget_two_primaries();
            self.well();
        });
    }
}

//! What Pgpool-II remembers of the nodes is older than the last failovers: the present primary is down in all its files.

use super::lab::{Lab, address_of, name_of};
use super::pgpool::{Site, until};
use super::scenario::note;
use std::time::{Duration, Instant};

/// Longer than any daemon waits after its start: 240 s for a primary at all, then 300 s for one that it remembers as up.
const LONG: Duration = Duration::from_secs(900);
/// Where systemd finds a way past `status.sh`, until the next boot.
const PAST: &str = "/run/systemd/system/pgpool.service.d/45-past.conf";

impl Site<'_> {
    fn primary(&self) -> usize {
        let primaries = self.primaries(1);
        assert_eq!(primaries.len(), 1, "{primaries:?}");
        primaries[0]
    }

    /// The timeline of the primary: nobody may be promoted.
    fn timeline(&self, primary: usize) -> String {
        let asks = "select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";
        self.sql(1, &address_of(primary), 5432, "postgres", "postgres", asks)
    }

    /// A host's file says of a primary that it is down, and of the others that they are up. In this cluster the node ids
    /// are in the order of the hosts.
    fn forgets(&self, host: usize, primary: usize) {
        let words = self.lab.hosts().map(|node| match node == primary {
            true => "down\\n",
            false => "up\\n",
        });
        let text: String = words.collect();
        let file = "/var/log/pgpool_log/pgpool_status";
        self.lab
            .sh(host, &format!("printf '{text}' >{file} && sync {file}"));
    }

    /// Rows are taken through the address, by the same primary in the same timeline, and a run finds nothing to do.
    fn is_back(&self, primary: usize, timeline: &str) {
        let began = Instant::now();
        until("rows are taken through the address", LONG, || {
            let sql = "create table if not exists back (n int); insert into back values (1); select 'taken'";
            (self.through_the_address(1, sql).contains("taken")).then_some(())
        });
        note(&format!(
            "taken again after {} s",
            began.elapsed().as_secs()
        ));
        assert_eq!(self.primaries(1), [primary]);
        assert_eq!(self.timeline(primary), timeline, "somebody was promoted");
    }

    /// All daemons start anew past `status.sh`, and none of them answers.
    fn starts_past(&self, primary: usize) {
        for host in self.lab.hosts() {
            self.lab.sh(host, "systemctl stop pgpool");
        }
        for host in self.lab.hosts() {
            self.forgets(host, primary);
            self.lab.sh(
                host,
                &format!(
                    "mkdir -p $(dirname {PAST}) && printf '[Service]\\nExecStartPre=\\n' >{PAST} && systemctl daemon-reload"
                ),
            );
        }
        for host in self.lab.hosts() {
            self.lab.sh(host, "systemctl start pgpool");
        }
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            let asks = "PCPPASSFILE=/var/lib/pgsql/.pcppass timeout 10 pcp_node_count -w -h localhost -p 9898 -U pgpool";
            for host in self.lab.hosts() {
                let output = self
                    .lab
                    .try_sh(host, &format!("runuser -u postgres -- env {asks}"));
                assert!(!output.status.success(), "it found a primary");
            }
            std::thread::sleep(Duration::from_secs(2));
        }
    }

    fn past_no_more(&self) {
        for host in self.lab.hosts() {
            self.lab
                .sh(host, &format!("rm {PAST} && systemctl daemon-reload"));
        }
    }
}

/// All hosts lose their power at once, and are back by themselves.
pub fn after_a_loss_of_all_power(lab: &Lab) {
    let site = Site::of(lab);
    let primary = site.primary();
    let timeline = site.timeline(primary);
    for host in lab.hosts() {
        site.forgets(host, primary);
    }
    let names: Vec<String> = lab.hosts().map(name_of).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    lab.run("kill", &names);
    lab.run("start", &names);
    site.is_back(primary, &timeline);
    for host in lab.hosts() {
        let said = lab.sh(host, "journalctl -b --no-pager -u pgpool");
        assert!(said.contains("it was remembered as down"), "{said}");
    }
    until("nothing is planned", LONG, || {
        (site.planned() == [""; 0]).then_some(())
    });
}

/// The daemons look for a primary in vain for 5 minutes: a run waits for them, and attaches the one that there is.
pub fn waited_for_by_a_run(lab: &Lab) {
    let site = Site::of(lab);
    let primary = site.primary();
    let timeline = site.timeline(primary);
    site.starts_past(primary);
    let attach = format!("pgpool/attach/{}", name_of(primary));
    let ended = site.run(&["--output", "json"]).expect(0);
    let done: Vec<String> = ended.done().into_iter().map(|(id, ..)| id).collect();
    assert!(done.contains(&attach), "{done:?}");
    site.is_back(primary, &timeline);
    site.past_no_more();
    assert_eq!(site.planned(), [""; 0]);
}

/// The same without a run, when the primary came too late for `status.sh`: the unit of its own host attaches it.
pub fn attached_by_its_own_host(lab: &Lab) {
    let site = Site::of(lab);
    let primary = site.primary();
    let timeline = site.timeline(primary);
    site.starts_past(primary);
    for host in lab.hosts() {
        lab.sh(host, "systemctl restart provision-pgpool-attach");
    }
    site.is_back(primary, &timeline);
    let said = lab.sh(
        primary,
        "journalctl -b --no-pager -u provision-pgpool-attach",
    );
    assert!(said.contains("a majority follows it"), "{said}");
    site.past_no_more();
    until("nothing is planned", LONG, || {
        (site.planned() == [""; 0]).then_some(())
    });
}

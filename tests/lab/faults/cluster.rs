//! The cluster that things happen to: who has which role, how roles are moved, and what a re-run must do.

use super::fault::{Roles, Victim};
use crate::lab::{Lab, address_of};
use crate::pgpool::PASSWORDS;
use crate::plan::{Step, steps};
use crate::provision::{Ended, command};
use crate::scenario::note;
use crate::site::Site;
use crate::started::Started;
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The virtual address.
pub const VIP: &str = "10.20.0.100";

/// Its hosts; the lab has one more, from which it is used.
pub const HOSTS: [usize; 3] = [1, 2, 3];

/// The cluster under test.
pub struct Cluster<'a> {
    pub lab: &'a Lab,
    site: Site<'a>,
}

/// What a re-run came to.
pub struct Mended {
    /// Steps planned by the dry run before it.
    pub planned: BTreeSet<Step>,
    /// Whether the dry run said that the pool's lock was held.
    pub locked: bool,
    /// Steps done, in order.
    pub steps: Vec<String>,
    /// The permission that a refusal asked for, when it did.
    pub allowed: Option<String>,
    /// How long the runs took.
    pub took: Duration,
}

/// What a dry run tells.
struct Planned {
    steps: BTreeSet<Step>,
    /// Ids of steps that a host may do by itself before, as the plan says.
    by_itself: BTreeSet<String>,
    /// Whether the pool's lock was held.
    locked: bool,
}

impl<'a> Cluster<'a> {
    /// Builds it: with the stack, or only what is below.
    pub fn build(lab: &'a Lab, stack: bool) -> Self {
        let site = Site::of(lab)
            .only(&HOSTS)
            .secrets(&PASSWORDS, &[])
            .var("cluster_vip", VIP)
            .var("gluster_brick", "/data/brick/gvol0")
            .var("postgres_synchronous", "any1");
        let site = if stack {
            site.stack()
        } else {
            ["managers", "gluster", "database"]
                .into_iter()
                .fold(site, |site, group| site.group(group, &HOSTS))
        };
        let cluster = Self { lab, site };
        cluster.run(&[]).expect(0);
        cluster.settled();
        cluster
    }

    pub fn run(&self, words: &[&str]) -> Ended {
        self.site.run(&[&["--output", "json"], words].concat())
    }

    /// Starts a run.
    pub fn start_run(&self, words: &[&str]) -> Started {
        let mut command = command(self.lab);
        command.arg(self.site.write("site.yml"));
        Started::spawn(command.args(["--output", "json"]).args(words))
    }

    /// The steps that a rehearsal of its loss plans for the blank machine in its place.
    pub fn rehearsed(&self, name: &str) -> BTreeSet<Step> {
        let words = ["--assume-lost", name, "--format", "json"];
        let told = self.site.verb("plan", &words).expect(0);
        let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        steps(&told["plan"])
    }

    /// The next run finds nothing.
    pub fn settled(&self) {
        let again = self.run(&[]).expect(0);
        assert_eq!(again.summary()["outcome"], "converged", "{}", again.out);
        assert!(again.done().is_empty(), "{}", again.out);
    }

    pub fn name(&self, host: usize) -> &str {
        self.lab.host(host)
    }

    /// Switches hosts on, and waits until they have done what they do by themselves: a run before that would plan the
    /// starts of services that are about to start.
    pub fn start(&self, hosts: &[usize]) {
        let names: Vec<&str> = hosts.iter().map(|host| self.name(*host)).collect();
        self.lab.run("start", &names);
        for host in hosts {
            let booted = "timeout 600 systemctl is-system-running --wait || true";
            self.lab.sh(*host, booted);
        }
    }

    /// The servers have let go of what a host had open before it was lost without a word: such sessions leave no
    /// connection for others.
    pub fn holds_no_session_of(&self, lost: usize, at: SystemTime) {
        let at = at.duration_since(UNIX_EPOCH).unwrap().as_secs();
        let count = format!(
            "cd /; runuser -u postgres -- psql -XAtqc \"select count(*) from pg_stat_activity \
             where client_addr = '{}' and backend_start < to_timestamp({at})\"",
            address_of(lost)
        );
        let began = Instant::now();
        for host in HOSTS.into_iter().filter(|host| *host != lost) {
            loop {
                let left = self.lab.sh(host, &count);
                if left.trim() == "0" {
                    break;
                }
                assert!(
                    began.elapsed() < Duration::from_secs(180),
                    "{} still has {} sessions of {}, which was lost",
                    self.name(host),
                    left.trim(),
                    self.name(lost)
                );
                std::thread::sleep(Duration::from_secs(2));
            }
        }
    }

    fn whose(&self, script: &str, wanted: &str) -> Vec<usize> {
        let says = |host: &usize| {
            let output = self.lab.try_sh(*host, script);
            String::from_utf8_lossy(&output.stdout).contains(wanted)
        };
        HOSTS.into_iter().filter(says).collect()
    }

    /// The only host with this role, once there is one.
    fn only(&self, role: Victim) -> usize {
        let began = Instant::now();
        loop {
            let have = match role {
                Victim::Primary => self.whose(
                    "cd /; runuser -u postgres -- psql -XAtqc 'select pg_is_in_recovery()'",
                    "f",
                ),
                Victim::Leader => self.whose(
                    "docker node inspect self --format '{{.ManagerStatus.Leader}}'",
                    "true",
                ),
                Victim::Address => self.whose(&format!("ip -o -4 addr show to {VIP}/32"), VIP),
            };
            if let [host] = have[..] {
                return host;
            }
            assert!(
                began.elapsed() < Duration::from_secs(120),
                "{role:?}: {have:?}"
            );
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// The hosts of the primary, the leader and the address.
    pub fn roles(&self) -> [usize; 3] {
        [Victim::Primary, Victim::Leader, Victim::Address].map(|role| self.only(role))
    }

    /// Whom it befalls.
    pub fn victim(&self, victim: Victim) -> usize {
        self.only(victim)
    }

    /// Moves the leader and the address, by their own means, until the roles lie so. The primary stays.
    pub fn arrange(&self, wanted: Roles) {
        if wanted == Roles::Found {
            return;
        }
        let began = Instant::now();
        loop {
            let [primary, leader, address] = self.roles();
            let (leader_is_right, address_is_right) = match wanted {
                Roles::Together => (leader == primary, address == primary),
                _ => (leader != primary, address != primary && address != leader),
            };
            if leader_is_right && address_is_right {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(600), "{wanted:?}");
            if leader_is_right {
                self.lab.sh(address, "systemctl restart pgpool");
                // The others take it over, and the one that has restarted joins them.
                std::thread::sleep(Duration::from_secs(15));
            } else {
                let name = self.name(leader);
                let other = HOSTS.into_iter().find(|host| *host != leader).unwrap();
                self.lab.sh(
                    other,
                    &format!("docker node demote {name} && sleep 3 && docker node promote {name} && sleep 5"),
                );
            }
        }
        let began = Instant::now();
        loop {
            let dry = self.run(&["--dry-run", "--detailed-exitcode"]);
            if dry.code == Some(0) {
                break;
            }
            assert!(
                began.elapsed() < Duration::from_secs(120),
                "after moving roles, still to do:\n{}\n{}",
                dry.out,
                dry.err
            );
        }
    }

    /// What a dry run tells.
    fn planned(&self, words: &[&str]) -> Planned {
        let dry = self.run(&[&["--dry-run"], words].concat());
        assert!(matches!(dry.code, Some(0 | 3)), "{}\n{}", dry.out, dry.err);
        let plan = dry.plan();
        for wait in plan["waits"].as_array().unwrap() {
            note(&format!(
                "                     planned to wait: {}",
                wait["what"]
            ));
        }
        for unknown in plan["unknown"].as_array().unwrap() {
            note(&format!(
                "                     not known when planned: {unknown}"
            ));
        }
        let mut waits = plan["waits"].as_array().unwrap().iter();
        let by_itself = plan["steps"].as_array().unwrap().iter().filter(|step| {
            let assumes = step["assumes"].to_string();
            assumes.contains("provision-pgpool-attach.service")
        });
        let ids = by_itself.map(|step| step["id"].as_str().unwrap().to_owned());
        Planned {
            by_itself: ids.collect(),
            locked: waits.any(|wait| wait["what"].to_string().contains("lock of the pool")),
            steps: steps(&plan),
        }
    }

    /// Runs it until all is green: at once, or after one refusal that names the commits at stake and what gives them up.
    pub fn mend(&self, words: &[&str]) -> Mended {
        let began = Instant::now();
        let Planned {
            steps: planned,
            by_itself,
            locked,
        } = self.planned(words);
        let ended = self.run(words);
        let mut done = in_order(&ended);
        let allowed = if ended.code == Some(3) {
            let allow = allowance(&ended);
            let again = self.run(&[words, &["--allow", &allow]].concat()).expect(0);
            done.extend(in_order(&again));
            Some(allow)
        } else {
            ended.expect(0);
            None
        };
        let took = began.elapsed();
        let missing: Vec<&Step> = planned
            .iter()
            .filter(|(id, ..)| !done.contains(id) && !by_itself.contains(id))
            .collect();
        assert!(
            missing.is_empty(),
            "planned, and not done: {missing:?}\ndone: {done:#?}"
        );
        self.settled();
        Mended {
            planned,
            locked,
            steps: done,
            allowed,
            took,
        }
    }
}

/// Ids of the steps that were done.
fn in_order(ended: &Ended) -> Vec<String> {
    ended
        .events()
        .iter()
        .filter(|event| event["event"] == "step_done")
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The only refusal that a person may have to answer here: P4, or P7 of a primary that still runs, with the commits past
/// the fork.
fn allowance(ended: &Ended) -> String {
    let all = format!("{}\n{}", ended.out, ended.err);
    let code = all.contains("\"P4\"") || all.contains("\"P7\"");
    assert!(code && all.contains(" past "), "{all}");
    let at = all
        .find("discard-primary=")
        .unwrap_or_else(|| panic!("{all}"));
    let end = all[at..].find(['`', ' ', '"']).unwrap();
    all[at..at + end].to_owned()
}

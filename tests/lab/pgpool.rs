//! The database behind its virtual address: built from nothing, used through Pgpool-II, and each host rebooted.

use super::inventory::Inventory;
use super::lab::{Lab, address_of, name_of};
use super::plan::steps;
use super::scenario::note;
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const VIP: &str = "10.20.0.100";

/// Passwords that a shell, YAML, SQL, a URL and a password file each read in their own way.
pub const PASSWORDS: [(&str, &str); 5] = [
    ("pg_pass", "p'a:s\\s \"w$`#é"),
    ("pg_repl_pass", "r:e\\p'l \"x&?/"),
    ("pg_pool_pass", "po:ol\\'p\" $x;"),
    ("pg_kompira_pass", "k'o:m\\p@%20"),
    ("pg_pool_key", "k'e:y\\ \"z"),
];

/// The password of a user of the database, as a word of a shell.
pub fn password_of(user: &str) -> String {
    let password = match user {
        "kompira" => PASSWORDS[3].1,
        _ => PASSWORDS[0].1,
    };
    shlex::try_quote(password).unwrap().into_owned()
}

const LAYERS: &str = "\
- import_playbook: hosts.yml
- import_playbook: postgresql-packages.yml
- import_playbook: postgresql.yml
- import_playbook: pgpool.yml
";

pub struct Site<'a> {
    pub lab: &'a Lab,
    inventory: PathBuf,
    playbook: String,
}

impl<'a> Site<'a> {
    pub fn of(lab: &'a Lab) -> Self {
        let mut inventory = Inventory::of(lab).only_database().var("cluster_vip", VIP);
        for (name, password) in PASSWORDS {
            inventory = inventory.var(name, password);
        }
        let playbook = lab.files.path().join("database.yml");
        std::fs::write(&playbook, LAYERS).unwrap();
        Self {
            inventory: inventory.write(lab, "database-inventory.yml"),
            playbook: playbook.display().to_string(),
            lab,
        }
    }

    pub fn run(&self, words: &[&str]) -> super::provision::Ended {
        let mut all = vec!["--playbook", &self.playbook];
        all.extend(words);
        self.lab.provision_with(&self.inventory, &all)
    }

    /// Ids of the steps that are planned, with their hosts.
    pub fn planned(&self) -> Vec<String> {
        let ended = self.run(&["--dry-run", "--output", "json"]);
        if ended.code != Some(0) {
            return vec![format!("exit {:?}: {}", ended.code, ended.out)];
        }
        let events = ended
            .out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let plan = events
            .into_iter()
            .find(|event| event["event"] == "plan")
            .unwrap();
        let steps = plan["plan"]["steps"].as_array().unwrap().clone();
        let name = |step: &Value| format!("{} {}", step["id"], step["subject"]);
        steps.iter().map(name).collect()
    }

    /// Runs SQL through the virtual address as the application, or straight on a host as the superuser.
    pub fn sql(
        &self,
        from: usize,
        at: &str,
        port: u16,
        user: &str,
        database: &str,
        sql: &str,
    ) -> String {
        let password = password_of(user);
        let sql = shlex::try_quote(sql).unwrap();
        let script = format!(
            "PGPASSWORD={password} PGCONNECT_TIMEOUT=3 psql -XAtqw -h {at} -p {port} -U {user} -d {database} -c {sql}"
        );
        let output = self.lab.try_sh(from, &script);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub fn through_the_address(&self, from: usize, sql: &str) -> String {
        self.sql(from, VIP, 9999, "kompira", "kompira", sql)
    }

    /// Which hosts take writes.
    pub fn primaries(&self, from: usize) -> Vec<usize> {
        let writable = |host: &usize| {
            let sql = "select not pg_is_in_recovery()";
            self.sql(from, &address_of(*host), 5432, "postgres", "postgres", sql) == "t"
        };
        self.lab.hosts().filter(writable).collect()
    }

    /// `status` by Pgpool-II, role by PostgreSQL, for each node.
    fn nodes(&self, from: usize) -> Vec<String> {
        let rows = self.through_the_address(from, "show pool_nodes");
        rows.lines()
            .map(|row| {
                let fields: Vec<&str> = row.split('|').collect();
                format!("{} {} {}", fields[3], fields[6], fields[7])
            })
            .collect()
    }

    fn holders(&self) -> Vec<usize> {
        let has = |host: &usize| {
            let out = self
                .lab
                .try_sh(*host, &format!("ip -o -4 addr show to {VIP}/32"));
            !out.stdout.is_empty()
        };
        self.lab.hosts().filter(has).collect()
    }
}

pub fn until<T>(what: &str, limit: Duration, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Blank hosts to a primary, two standbys and an address; the second run finds nothing.
pub fn build(lab: &Lab) {
    let site = Site::of(lab);
    let dry = site.run(&["--dry-run", "--output", "json"]).expect(0);
    let planned = steps(&dry.plan());
    let ended = site.run(&["--output", "json"]).expect(0);
    assert_eq!(steps(&ended.plan()), planned);
    assert_eq!(ended.done(), planned, "done is what was planned");
    assert_eq!(site.planned(), [""; 0]);
    site.run(&["--detailed-exitcode"]).expect(0);
    for password in PASSWORDS {
        let logs = lab.sh(1, "cat /var/log/pgpool_log/*.log; ps -ef");
        assert!(!logs.contains(password.1), "{} is told", password.0);
        assert!(!ended.out.contains(password.1), "{} is told", password.0);
    }
}

/// What an application does, and what the document looks at.
pub fn used(lab: &Lab) {
    let site = Site::of(lab);
    let made = site.through_the_address(
        2,
        "create table if not exists tried (n int); truncate tried; insert into tried values (1); select count(*) from tried",
    );
    assert_eq!(made, "1");
    for host in [2, 3] {
        until("the row on a standby", Duration::from_secs(60), || {
            let sql = "select count(*) from tried";
            let seen = site.sql(1, &address_of(host), 5432, "postgres", "kompira", sql);
            (seen == "1").then_some(())
        });
    }
    // After a failover another node is the primary.
    let mut nodes = site.nodes(3);
    nodes.sort();
    assert_eq!(
        nodes,
        [
            "up primary primary",
            "up standby standby",
            "up standby standby"
        ]
    );
    assert_eq!(site.holders().len(), 1);
    let wrong = lab.try_sh(
        1,
        "PGPASSWORD=wrong psql -XAtqw -h 127.0.0.1 -p 9999 -U postgres -d postgres -c 'select 1'",
    );
    assert!(!wrong.status.success(), "a wrong password is let in");
}

/// A host that is back so soon that its standby is taken for down only after the unit that attaches it has begun.
pub fn down_after_the_boot(lab: &Lab) {
    let site = Site::of(lab);
    let standby = if site.primaries(1) == [3] { 2 } else { 3 };
    // Without a session, which would end at the stopped server and tell Pgpool-II of it.
    let up = || {
        let asks = "PCPPASSFILE=/var/lib/pgsql/.pcppass pcp_node_info -w -h localhost -p 9898 -U pgpool -a";
        let rows = lab.sh(1, &format!("runuser -u postgres -- env {asks}"));
        let is_up = |row: &&str| ["up", "waiting"].contains(&row.split(' ').nth(4).unwrap());
        rows.lines().filter(is_up).count()
    };
    assert_eq!(up(), 3);
    // The unit looks after two seconds for the first time, and must look on then; a server may take long to stop.
    let begun = "systemctl start postgresql-16 && systemctl restart provision-pgpool-attach && sleep 4 \
                 && systemctl stop postgresql-16 && systemctl is-active provision-pgpool-attach";
    let looks_on = (0..5).any(|_| lab.try_sh(standby, begun).status.success());
    assert!(looks_on, "it gives up while the standby is taken for up");
    let long = Duration::from_secs(300);
    until("the standby is taken for down", long, || {
        (up() == 2).then_some(())
    });
    lab.sh(standby, "systemctl start postgresql-16");
    until("its own unit attaches it", long, || {
        (up() == 3).then_some(())
    });
    assert_eq!(site.planned(), [""; 0]);
}

/// Each host is off for longer than all health checks, the primary's among them; never are there two primaries.
pub fn rebooted(lab: &Lab) {
    let site = Site::of(lab);
    for host in lab.hosts() {
        let watcher = if host == 1 { 2 } else { 1 };
        let former = site.primaries(watcher);
        note(&format!(
            "{} goes off; the primary is {former:?}",
            name_of(host)
        ));
        lab.run("stop", &[&name_of(host)]);
        let off = Instant::now();
        let mut sampled = 0;
        let mut sample = |limit: u64, also: &mut dyn FnMut(&[usize]) -> bool| {
            let began = Instant::now();
            loop {
                let primaries = site.primaries(watcher);
                sampled += 1;
                assert!(primaries.len() <= 1, "two primaries: {primaries:?}");
                if also(&primaries) {
                    return;
                }
                assert!(
                    began.elapsed() < Duration::from_secs(limit),
                    "primaries {primaries:?}, nodes {:?}, the address on {:?}",
                    site.nodes(watcher),
                    site.holders()
                );
                std::thread::sleep(Duration::from_millis(100));
            }
        };
        sample(300, &mut |primaries| {
            off.elapsed() > Duration::from_secs(30) && primaries.len() == 1
        });
        lab.run("start", &[&name_of(host)]);
        let fell = former == [host];
        let up = if fell { 2 } else { 3 };
        sample(300, &mut |primaries| {
            let nodes = site.nodes(watcher);
            primaries.len() == 1
                && nodes.iter().filter(|node| node.starts_with("up ")).count() == up
                && site.holders().len() == 1
        });
        note(&format!(
            "back after {:.0} s, {sampled} samples",
            off.elapsed().as_secs_f64()
        ));
        let rejoin = format!("\"pgpool/recover/{0}\" \"{0}\"", name_of(host));
        let expected = if fell { vec![rejoin] } else { Vec::new() };
        until("the plan after a reboot", Duration::from_secs(300), || {
            (site.planned() == expected).then_some(())
        });
        site.run(&[]).expect(0);
        assert_eq!(site.planned(), [""; 0]);
        used(lab);
    }
}

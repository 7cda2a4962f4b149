//! A whole site of any shape: its inventory, and what must be true of every one on the way from blank hosts to green.

use super::fingerprint;
use super::lab::Lab;
use super::plan::{Step, steps};
use super::provision::Ended;
use super::scenario::scenario;
use super::watch::Watch;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

/// The disks beside the root file system on a blank host.
const DISKS: &str = "/data/brick /var/lib/docker";

/// What the containers of the lab cannot do (its README).
const OVERLAY: &str =
    "services:\n  jobmngrd: { ulimits: !reset {} }\n  kengine: { ulimits: !reset {} }\n";

/// A site to be built.
pub struct Site<'a> {
    pub lab: &'a Lab,
    /// Variables of all hosts, and their values as they are, without any template.
    vars: Vec<(String, String)>,
    /// Groups and their hosts; without any, every host has every part.
    groups: Vec<(&'static str, Vec<usize>)>,
    /// The hosts of the inventory.
    hosts: Vec<usize>,
    /// Parts of its passwords that occur nowhere else and look the same however they are written.
    telltales: &'static [&'static str],
}

impl<'a> Site<'a> {
    /// All hosts of a lab.
    pub fn of(lab: &'a Lab) -> Self {
        let state = lab.state();
        let proxy = format!(
            "-o ProxyCommand=\"{} connect --name {} %h %p\"",
            Lab::program().display(),
            lab.name()
        );
        std::fs::write(lab.files.path().join("overlay.yml"), OVERLAY).unwrap();
        let path = |name: &str| state.join(name).display().to_string();
        Self {
            lab,
            vars: Vec::new(),
            groups: Vec::new(),
            hosts: lab.hosts().collect(),
            telltales: &[],
        }
        .var("ansible_user", "rocky")
        .var("ansible_ssh_private_key_file", &path("id_ed25519"))
        .var("known_hosts_file", &path("known_hosts"))
        .var("ansible_ssh_common_args", &proxy)
    }

    /// What the lab needs for Kompira: its kernel has no IPVS, its images come from files.
    pub fn stack(self) -> Self {
        let images = self.lab.files.path().join("images");
        if !images.exists() {
            let to = images.display().to_string();
            self.lab.run_bare("images", &["--to", &to]);
        }
        self.var("nginx_port_mode", "host")
            .var("rabbitmq_port_mode", "host")
            .var("stack_endpoint_mode", "dnsrr")
            .var("stack_overlay", "overlay.yml")
            .var("image_archives", &images.display().to_string())
    }

    /// Sets a variable of all hosts.
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.retain(|(known, _)| known != name);
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Names the hosts of a group.
    pub fn group(mut self, name: &'static str, hosts: &[usize]) -> Self {
        self.groups.push((name, hosts.to_vec()));
        self
    }

    /// Leaves hosts of the lab out.
    pub fn only(mut self, hosts: &[usize]) -> Self {
        self.hosts = hosts.to_vec();
        self
    }

    /// Sets passwords, and what they are told by.
    pub fn secrets(mut self, passwords: &[(&str, &str)], telltales: &'static [&str]) -> Self {
        for (name, password) in passwords {
            self = self.var(name, password);
        }
        self.telltales = telltales;
        self
    }

    /// Writes the inventory.
    pub fn write(&self, name: &str) -> PathBuf {
        let mut text = String::from("all:\n  vars:\n");
        for (name, value) in &self.vars {
            let _ = writeln!(text, "    {name}: {}", scalar(value));
        }
        text += "  hosts:\n";
        for host in &self.hosts {
            let name = self.lab.host(*host);
            let address = self.lab.run("address", &[name]);
            let _ = writeln!(text, "    {name}: {{ ansible_host: {} }}", address.trim());
        }
        if !self.groups.is_empty() {
            text += "  children:\n";
        }
        for (group, hosts) in &self.groups {
            let _ = writeln!(text, "    {group}:\n      hosts:");
            for host in hosts {
                let _ = writeln!(text, "        {}:", self.lab.host(*host));
            }
        }
        let path = self.lab.files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs the program with this site's inventory.
    pub fn run(&self, words: &[&str]) -> Ended {
        self.lab.provision_with(&self.write("site.yml"), words)
    }

    /// Runs a verb with this site's inventory.
    pub fn verb(&self, verb: &str, words: &[&str]) -> Ended {
        self.lab.verb_with(verb, &self.write("site.yml"), words)
    }

    /// Blank hosts to green: the plan is complete, the same when asked twice and leaves no trace; what is done is what
    /// was planned; nothing is left to do; every check passes; and no secret is in any of it.
    pub fn converge(&self) {
        let planned = scenario("  the plan leaves no trace", || self.plan());
        scenario("  blank hosts to the whole site", || self.build(&planned));
        scenario("  nothing is left to do, all is well", || self.settled());
    }

    fn plan(&self) -> BTreeSet<Step> {
        // Until then there is advice about it.
        self.lab.sh_all("chronyc waitsync 120 0 0 1 >/dev/null");
        // Once to warm what the reading itself leaves behind (compiled Python modules).
        fingerprint::whole(self.lab, DISKS);
        let before = fingerprint::whole(self.lab, DISKS);
        let text = self.run(&["--dry-run"]).expect(0);
        let again = self.run(&["--dry-run"]).expect(0);
        assert_eq!(text.out, again.out, "asked twice, the plan is the same");
        let json = self.verb("plan", &["--format", "json"]).expect(0);
        let again = self.verb("plan", &["--format", "json"]).expect(0);
        assert_eq!(json.out, again.out);
        let after = fingerprint::whole(self.lab, DISKS);
        // A host of the lab that is not the inventory's lives its own life.
        for host in &self.hosts {
            let changes = before[host - 1].changes(&after[host - 1], &[]);
            assert_eq!(changes, [""; 0], "{}", self.lab.host(*host));
        }
        for ended in [&text, &json] {
            self.no_secret(&ended.out);
            self.no_secret(&ended.err);
        }
        let plan: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        for empty in ["refusals", "unknown"] {
            assert_eq!(plan[empty], serde_json::json!([]), "{empty}");
        }
        steps(&plan)
    }

    fn build(&self, planned: &BTreeSet<Step>) {
        let log = self.lab.files.path().join("build.log");
        let watch = Watch::start(self.telltales);
        let words = ["--paranoid", "--output", "json", "--log-file"];
        let ended = self.run(&[&words[..], &[log.to_str().unwrap()]].concat());
        let seen = watch.stop();
        let ended = ended.expect(0);
        assert_eq!(&ended.done(), planned, "done is what was planned");
        // The application is told its database so (docs/kompira.md).
        let told: Vec<&String> = seen
            .iter()
            .filter(|line| !(line.starts_with("environ: ") && line.contains("DATABASE_URL=")))
            .collect();
        assert!(told.is_empty(), "{told:#?}");
        self.no_secret(&ended.out);
        self.no_secret(&ended.err);
        self.no_secret(&std::fs::read_to_string(log).unwrap());
    }

    fn settled(&self) {
        let again = self.run(&["--output", "json"]).expect(0);
        assert_eq!(again.summary()["outcome"], "converged", "{}", again.out);
        self.run(&["--dry-run", "--detailed-exitcode"]).expect(0);
        let told = self.verb("status", &["--output", "json"]).expect(0);
        let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        assert_eq!(told["healthy"], true, "{told:#}");
        let tested = self.verb("test", &[]).expect(0);
        self.no_secret(&tested.out);
        self.no_secret(&told.to_string());
    }

    fn no_secret(&self, text: &str) {
        for telltale in self.telltales {
            assert!(!text.contains(telltale), "{telltale} is told in\n{text}");
        }
    }
}

/// A YAML scalar that is the value itself: a number, or a single-quoted string in which `{{` is no template.
fn scalar(value: &str) -> String {
    if value.parse::<u64>().is_ok() || ["true", "false"].contains(&value) {
        return value.to_owned();
    }
    format!(
        "'{}'",
        value.replace("{{", "{{ '{{' }}").replace('\'', "''")
    )
}

//! The lab's side: the product's own questions, acts and parsers, past ssh.

use crate::inventory::Inventory;
use crate::lab::{Lab, name_of};
use crate::provision::{command, run};
use provision::inventory::HostName;
use provision::plan::{Act, Phase, SwarmAct};
use provision::probe::ask::{Reply, lower};
use provision::probe::{Answer, Query, Seen};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Everything below the swarm.
const BELOW: &str = "- import_playbook: hosts.yml\n- import_playbook: packages.yml\n- import_playbook: docker.yml\n- import_playbook: firewall.yml\n";

/// How long a host may take to boot.
const BOOT: Duration = Duration::from_secs(180);

/// The lab's hosts.
pub struct Daemons<'l> {
    pub lab: &'l Lab,
    inventory: PathBuf,
    playbook: PathBuf,
}

impl<'l> Daemons<'l> {
    pub fn new(lab: &'l Lab) -> Self {
        run(command(lab).arg("init"), b"").expect(0);
        let playbook = lab.files.path().join("playbooks/below.yml");
        std::fs::write(&playbook, BELOW).unwrap();
        // Named roles: without them every host would have every layer.
        let inventory = Inventory::of(lab)
            .workers(&[3])
            .var("data_path_port", "7789");
        Self {
            lab,
            inventory: inventory.write(lab, "conformance.yml"),
            playbook,
        }
    }

    /// Brings up what is below the swarm.
    pub fn layers(&self) {
        let playbook = self.playbook.to_str().unwrap();
        let mut words = vec!["--playbook", playbook];
        // A replaced host has another key.
        let names: Vec<String> = self.lab.hosts().map(name_of).collect();
        for name in &names {
            words.extend(["--accept-new-key", name]);
        }
        // A host that has just been switched on takes some seconds to let anybody in.
        let began = Instant::now();
        loop {
            let run = self.lab.provision_with(&self.inventory, &words);
            if run.code != Some(4) || began.elapsed() > BOOT {
                run.expect(0);
                return;
            }
        }
    }

    /// What a host answers.
    pub fn answer(&self, host: &HostName, query: &Query) -> Seen<Answer> {
        let ask = lower(&BTreeSet::from([query.clone()])).remove(0);
        let output = self.exec(host.as_str(), &ask.script, b"");
        let output = match output {
            // The lab's own word, before anything has run: the host is off.
            Err(said) => return Seen::Unknown(said),
            Ok(output) => output,
        };
        let reply = Reply {
            status: output.code.unwrap_or(-1),
            stdout: output.out.into_bytes(),
            stderr: output.err.into_bytes(),
            ..Reply::default()
        };
        ask.read(&reply).remove(0).1
    }

    /// Does an act as the program does.
    ///
    /// # Errors
    /// What the host said.
    pub fn act(&self, host: usize, act: SwarmAct) -> Result<(), String> {
        let act = Act::Swarm(act);
        let late = act.late().map(|late| {
            let provision::plan::Late::JoinToken { from, .. } = &late else {
                panic!("another secret than a token is asked for");
            };
            self.exec(from[0].as_str(), &late.script(), b"")
                .unwrap()
                .out
        });
        for phase in act.phases(late.as_deref()) {
            let Phase::Run { script, stdin, .. } = phase else {
                continue;
            };
            let ended = self.exec(&name_of(host), &script, &stdin.unwrap_or_default())?;
            if ended.code != Some(0) {
                return Err(ended.err.trim().to_owned());
            }
        }
        Ok(())
    }

    fn exec(
        &self,
        host: &str,
        script: &str,
        input: &[u8],
    ) -> Result<crate::provision::Ended, String> {
        let mut command = Command::new(Lab::program());
        command.args(["exec", "--name", self.lab.name(), host]);
        let ended = run(command.args(["--", "bash", "-c", script]), input);
        if ended.code != Some(0) && ended.err.contains("is off; start it") {
            return Err("it is off".to_owned());
        }
        Ok(ended)
    }
}

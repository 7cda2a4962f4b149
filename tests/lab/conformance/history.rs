//! The history, and how each event happens on either side.

use super::daemons::Daemons;
use super::names::Names;
use super::sim::world::{Phase, World};
use crate::lab::{address_of, name_of};
use Event::{
    Cut, Do, Drain, EngineStarts, EngineStops, Layers, Lock, Mend, Pause, PowerLost, PowerOn,
    Replaced,
};
use What::{Demote, Forget, Init, Join, Label, Leave, Promote};
use provision::inventory::HostName;
use provision::plan::SwarmAct;
use std::time::Duration;

/// Something that happens. Hosts are numbered from 1.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// What is below the swarm is brought up by the program itself: packages, engine, ports.
    Layers,
    /// A typed act, done through this host.
    Do(usize, What),
    EngineStops(usize),
    EngineStarts(usize),
    PowerLost(usize),
    PowerOn(usize),
    /// A blank machine of the same name and address.
    Replaced(usize),
    /// The cable is pulled.
    Cut(usize),
    Mend(usize),
    /// Nothing, for some seconds.
    Pause(u64),
    /// `docker node update --availability drain`, by hand.
    Drain(usize, &'static str),
    /// `docker swarm update --autolock`, and the engine starts anew.
    Lock(usize),
}

/// Acts, with nodes by their names.
#[derive(Clone, Copy, Debug)]
pub enum What {
    Init,
    /// As a manager or not, with the token of this host.
    Join(bool, usize),
    Leave,
    Promote(&'static str),
    Demote(&'static str),
    Forget(&'static str),
    Label(&'static str),
}

/// Each line is followed by a comparison.
pub const HISTORY: &[Event] = &[
    Layers,
    Do(1, Init),
    // Twice is refused.
    Do(1, Init),
    Do(2, Join(true, 1)),
    Do(3, Join(false, 2)),
    Do(2, Label("ke2-server3#1")),
    Do(1, Promote("ke2-server3#1")),
    // Two of three managers: nothing is lost.
    EngineStops(3),
    // One of three: no leader.
    EngineStops(2),
    Do(1, Label("ke2-server1#1")),
    EngineStarts(2),
    EngineStarts(3),
    // Nobody takes off a manager that works.
    Do(1, Forget("ke2-server3#1")),
    Do(1, Demote("ke2-server3#1")),
    // Nor a worker.
    Do(1, Forget("ke2-server3#1")),
    Pause(15),
    PowerLost(3),
    PowerOn(3),
    Do(3, Leave),
    Do(2, Forget("ke2-server3#1")),
    Do(3, Join(true, 1)),
    Drain(1, "ke2-server3#2"),
    Replaced(3),
    Layers,
    Do(1, Demote("ke2-server3#2")),
    Do(1, Forget("ke2-server3#2")),
    Do(3, Join(true, 2)),
];

/// What takes long, for `PROVISION_CONFORMANCE=all`: an engine without a leader answers after 20 s and more.
pub const MORE: &[Event] = &[Cut(3), Mend(3), Lock(3)];

impl Event {
    /// Lets it happen in the simulation.
    pub fn happen_in(self, world: &mut World, names: &Names) -> Result<(), String> {
        match self {
            Layers => world.docker_layer(),
            Do(host, what) => return world.swarm(host - 1, &what.act(host, names)),
            EngineStops(host) => world.stop(host - 1),
            EngineStarts(host) => world.start(host - 1),
            PowerLost(host) => world.power_off(host - 1),
            PowerOn(host) => world.power_on(host - 1),
            Replaced(host) => world.replace(host - 1),
            // Both sides are looked at past the network.
            Cut(host) => world.hosts[host - 1].link = false,
            Mend(host) => world.hosts[host - 1].link = true,
            Pause(_) => {}
            Drain(_, name) => {
                let id = names.id(name);
                let nodes = world
                    .clusters
                    .iter_mut()
                    .flat_map(|cluster| &mut cluster.nodes);
                nodes
                    .filter(|(node, _)| **node == id)
                    .for_each(|(_, node)| node.drained = true);
            }
            Lock(host) => world.hosts[host - 1].disk.as_mut().unwrap().phase = Phase::Locked,
        }
        Ok(())
    }

    /// Lets it happen in the lab.
    pub fn happen_on(self, daemons: &mut Daemons<'_>, names: &Names) -> Result<(), String> {
        let lab = daemons.lab;
        match self {
            Layers => daemons.layers(),
            Do(host, what) => return daemons.act(host, what.act(host, names)),
            EngineStops(host) => _ = lab.sh(host, "systemctl stop docker.service docker.socket"),
            EngineStarts(host) => _ = lab.sh(host, "systemctl start docker.service"),
            PowerLost(host) => _ = lab.run("kill", &[&name_of(host)]),
            PowerOn(host) => _ = lab.run("start", &[&name_of(host)]),
            Replaced(host) => _ = lab.run("replace", &[&name_of(host)]),
            Cut(host) => _ = lab.run("cut", &[&name_of(host)]),
            Mend(host) => _ = lab.run("mend", &[&name_of(host)]),
            Pause(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
            Drain(host, name) => {
                let id = names.id(name);
                lab.sh(
                    host,
                    &format!("docker node update --availability drain {id}"),
                );
            }
            Lock(host) => {
                let script = "docker swarm update --autolock=true >/dev/null && systemctl restart docker.service";
                lab.sh(host, script);
            }
        }
        Ok(())
    }
}

impl What {
    fn act(self, host: usize, names: &Names) -> SwarmAct {
        match self {
            Init => SwarmAct::Init {
                advertise_addr: address_of(host),
                data_path_port: 7789,
                default_addr_pool: vec!["172.30.0.0/16".to_owned()],
                subnet_size: 25,
            },
            Join(manager, from) => SwarmAct::Join {
                manager,
                advertise_addr: address_of(host),
                remote_addrs: vec![format!("{}:2377", address_of(from))],
                token_from: vec![HostName::new(name_of(from))],
                drained: false,
            },
            Leave => SwarmAct::Leave,
            Promote(name) => SwarmAct::Promote { id: names.id(name) },
            Demote(name) => SwarmAct::Demote { id: names.id(name) },
            Forget(name) => SwarmAct::Forget { id: names.id(name) },
            Label(name) => SwarmAct::Label {
                id: names.id(name),
                labels: [("role".to_owned(), "db".to_owned())].into(),
            },
        }
    }
}

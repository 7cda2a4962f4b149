//! Acts happen to the simulated hosts, or half; what must never be done is caught here.

use super::fleet::{Kind, Sim};
use super::machine::Engine;
use super::world::World;
use provision::apply::Done;
use provision::inventory::HostName;
use provision::plan::{Act, SwarmAct};
use provision::probe::{Answer, Query, Seen};

impl Sim {
    /// Every answer that any host could give now.
    fn everything(&self) -> Vec<(usize, Query, Seen<Answer>)> {
        let hosts = self.machines.borrow().len();
        let asked = self.asked.borrow();
        (0..hosts)
            .flat_map(|h| asked.iter().map(move |query| (h, query.clone())))
            .map(|(h, query)| {
                let answer = self.answer(h, &query);
                (h, query, answer)
            })
            .collect()
    }

    fn obey(&self, h: usize, act: &Act) -> Done {
        let before = self.everything();
        let ended = self.change(h, act);
        for (was, is) in before.iter().zip(self.everything()) {
            let (peer, query, answer) = is;
            assert!(
                was.2 == answer || act.writes().touches(&query, peer == h),
                "{act:?} on host {h} changes the answer of host {peer} to {query:?}, and does not say so:\n{:?}\n{answer:?}",
                was.2
            );
        }
        match ended {
            Ok(()) => Done::Ok,
            Err(said) => Done::Failed { status: 1, said },
        }
    }

    fn change(&self, h: usize, act: &Act) -> Result<(), String> {
        let mut world = self.world.borrow_mut();
        let Act::Swarm(act) = act else {
            let engine = self.machines.borrow_mut()[h].obey(act)?;
            match engine {
                Some(Engine::Installed) => world.hosts[h].installed = true,
                Some(Engine::Started) => world.start(h),
                None => {}
            }
            return Ok(());
        };
        self.check(&world, h, act);
        if !world.hosts[h].running {
            return Err("Cannot connect to the Docker daemon".into());
        }
        world.swarm(h, act)
    }

    /// What must never be done to a swarm.
    fn check(&self, world: &World, h: usize, act: &SwarmAct) {
        let open = |h: usize| self.machines.borrow()[h].runtime.contains("2377/tcp");
        match act {
            SwarmAct::Init { .. } => {
                for (peer, host) in world.hosts.iter().enumerate() {
                    assert!(host.disk.is_none(), "founded beside {}", host.name);
                    // What goes dark between the last evidence and the act cannot be known.
                    let now = self.acts.borrow().len();
                    let silent = !world.reachable(peer) && self.dark.get() != Some((now - 1, peer));
                    assert!(!silent, "founded without {}", host.name);
                    assert!(
                        host.running && open(peer),
                        "founded before {} is ready",
                        host.name
                    );
                }
            }
            SwarmAct::Join { .. } => assert!(
                open(h),
                "{} joins behind a closed port",
                world.hosts[h].name
            ),
            SwarmAct::Forget { id } => {
                for c in 0..world.clusters.len() {
                    let held = world.holder(c, id).is_some();
                    assert!(
                        !held,
                        "{id} is taken off the roster, and a host still is this node"
                    );
                }
            }
            SwarmAct::Leave => {
                let disk = world.hosts[h].disk.as_ref().expect("a membership to leave");
                let listed = world.clusters[disk.cluster].nodes.contains_key(&disk.node);
                assert!(
                    !listed,
                    "{} leaves a swarm that lists it",
                    world.hosts[h].name
                );
            }
            SwarmAct::Activate { .. } => {
                assert!(world.hosts[h].running, "activated through a dead manager");
            }
            SwarmAct::Mark
            | SwarmAct::Unmark
            | SwarmAct::Promote { .. }
            | SwarmAct::Demote { .. }
            | SwarmAct::Label { .. } => {}
        }
    }

    fn cut(&self, host: &HostName, h: usize) {
        self.world.borrow_mut().hosts[h].ssh = false;
        let why = "the connection was lost".to_owned();
        self.down.borrow_mut().insert(host.clone(), why);
    }

    /// One act, with the fault that is due.
    pub async fn one(&self, host: &HostName, act: &Act) -> Done {
        self.pass().await;
        let at = self.acts.borrow().len();
        if let Some((when, dark)) = self.dark.get()
            && when == at
        {
            self.world.borrow_mut().hosts[dark].ssh = false;
        }
        let h = match self.reach(host) {
            Ok(h) => h,
            Err(why) => return Done::Lost(why),
        };
        self.acts.borrow_mut().push((host.clone(), act.clone()));
        let Some(fault) = self.fault.get().filter(|fault| fault.at == at) else {
            let done = self.obey(h, act);
            self.pass().await;
            return done;
        };
        let done = match fault.happens {
            true => self.obey(h, act),
            false => Done::Ok,
        };
        match fault.kind {
            Kind::Kill => {
                self.killed.notify_one();
                std::future::pending().await
            }
            Kind::Lose => {
                self.cut(host, h);
                Done::Lost("the connection was lost".into())
            }
            Kind::Hang => Done::Lost("no answer within 600 s".into()),
            Kind::Fail => Done::Failed {
                status: 1,
                said: "No space left on device".into(),
            },
            Kind::Interrupt => {
                self.interrupt.set(true);
                match fault.happens {
                    true => done,
                    false => self.obey(h, act),
                }
            }
        }
    }
}

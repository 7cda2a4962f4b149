//! The simulated cluster as the engine's fleet: it takes its time, answers late, and breaks where it is told to.

use super::machine::{Engine, Machine};
use super::rng::Rng;
use super::starts;
use super::world::World;
use provision::apply::{Done, Fleet};
use provision::inventory::HostName;
use provision::plan::{Act, SwarmAct};
use provision::probe::{Answer, Query, Seen};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How often the swarms' managers look around.
const TICK: Duration = Duration::from_secs(2);

/// What goes wrong with an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// provision is killed.
    Kill,
    /// The connection is lost, and the host with it.
    Lose,
    /// The answer does not come in time, though the host is there.
    Hang,
    /// The host says no.
    Fail,
    /// A person presses Ctrl-C.
    Interrupt,
}

/// A fault at the n-th act of a run (0 is the first), before or after the act has happened.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub at: usize,
    pub kind: Kind,
    pub happens: bool,
}

/// The hosts.
pub struct Sim {
    pub world: RefCell<World>,
    pub machines: RefCell<Vec<Machine>>,
    rng: RefCell<Rng>,
    tick_at: Cell<Option<Instant>>,
    // Of one run:
    pub fault: Cell<Option<Fault>>,
    /// Another host goes dark when so many acts have begun.
    pub dark: Cell<Option<(usize, usize)>>,
    /// The acts that have begun, with their host.
    pub acts: RefCell<Vec<(HostName, Act)>>,
    down: RefCell<BTreeMap<HostName, String>>,
    pub interrupt: Cell<bool>,
    /// When a person presses Ctrl-C, in simulated time since the run began.
    pub impatience: Cell<Option<Duration>>,
    began: Cell<Option<Instant>>,
    pub killed: Notify,
    asked: RefCell<BTreeSet<Query>>,
}

impl Sim {
    /// Blank hosts; the seed decides what takes how long.
    pub fn blank(hosts: usize, seed: u64) -> Self {
        Self {
            world: RefCell::new(starts::blank(hosts)),
            machines: RefCell::new(
                (0..hosts)
                    .map(|h| Machine::blank(format!("m{h}")))
                    .collect(),
            ),
            rng: RefCell::new(Rng::new(seed ^ 0x5eed)),
            tick_at: Cell::new(None),
            fault: Cell::new(None),
            dark: Cell::new(None),
            acts: RefCell::default(),
            down: RefCell::default(),
            interrupt: Cell::new(false),
            impatience: Cell::new(None),
            began: Cell::new(None),
            killed: Notify::new(),
            asked: RefCell::default(),
        }
    }

    /// A new run of provision begins.
    pub fn begin(&self) {
        self.acts.borrow_mut().clear();
        self.down.borrow_mut().clear();
        self.interrupt.set(false);
        self.tick_at.set(None);
        self.began.set(None);
    }

    /// How long the run has taken so far, in simulated time.
    pub fn took(&self) -> Duration {
        self.began
            .get()
            .map_or(Duration::ZERO, |began| began.elapsed())
    }

    /// A blank machine of the same name and address.
    pub fn replace(&self, h: usize) {
        let mut world = self.world.borrow_mut();
        world.replace(h);
        let id = world.fresh("machine");
        self.machines.borrow_mut()[h] = Machine::blank(id);
    }

    /// All that the hosts are, apart from what moves by itself.
    pub fn fingerprint(&self) -> String {
        format!(
            "{:?}{:?}",
            self.machines.borrow(),
            self.world.borrow().hosts
        )
    }

    async fn pass(&self) {
        let millis = 1 + self.rng.borrow_mut().below(700);
        tokio::time::sleep(Duration::from_millis(millis as u64)).await;
        let now = Instant::now();
        self.began.set(Some(self.began.get().unwrap_or(now)));
        if self
            .impatience
            .get()
            .is_some_and(|patience| self.took() >= patience)
        {
            self.interrupt.set(true);
        }
        let mut next = self.tick_at.get().unwrap_or(now + TICK);
        while next <= now {
            self.world.borrow_mut().tick();
            next += TICK;
        }
        self.tick_at.set(Some(next));
    }

    /// Whether a host can be reached; once not, never again in this run.
    fn reach(&self, host: &HostName) -> Result<usize, String> {
        let world = self.world.borrow();
        let h = world.host(host);
        let mut down = self.down.borrow_mut();
        if !world.reachable(h) {
            down.entry(host.clone())
                .or_insert_with(|| "no route to host".to_owned());
        }
        down.get(host).cloned().map_or(Ok(h), Err)
    }

    fn answer(&self, h: usize, query: &Query) -> Seen<Answer> {
        let world = self.world.borrow();
        match query {
            Query::Docker | Query::SwarmNodes | Query::Interfaces => {
                world.answer(&world.hosts[h].name, query)
            }
            other => {
                let running = world.hosts[h].running;
                Seen::Is(self.machines.borrow()[h].answer(other, running))
            }
        }
    }

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
            SwarmAct::Promote { .. } | SwarmAct::Demote { .. } | SwarmAct::Label { .. } => {}
        }
    }

    fn cut(&self, host: &HostName, h: usize) {
        self.world.borrow_mut().hosts[h].ssh = false;
        let why = "the connection was lost".to_owned();
        self.down.borrow_mut().insert(host.clone(), why);
    }

    async fn one(&self, host: &HostName, act: &Act) -> Done {
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

impl Fleet for Sim {
    async fn ask(&self, host: &HostName, queries: BTreeSet<Query>) -> Vec<(Query, Seen<Answer>)> {
        self.pass().await;
        self.asked.borrow_mut().extend(queries.iter().cloned());
        let answers = match self.reach(host) {
            Ok(h) => queries
                .into_iter()
                .map(|query| {
                    let answer = self.answer(h, &query);
                    (query, answer)
                })
                .collect(),
            Err(why) => queries
                .into_iter()
                .map(|query| (query, Seen::Unknown(why.clone())))
                .collect(),
        };
        // The answer is on its way while other things happen.
        self.pass().await;
        answers
    }

    async fn act(&self, host: &HostName, acts: Vec<Act>) -> Vec<Done> {
        let mut results: Vec<Done> = Vec::new();
        for act in &acts {
            let done = match results.last() {
                None | Some(Done::Ok) => self.one(host, act).await,
                Some(lost @ Done::Lost(_)) => lost.clone(),
                Some(_) => Done::Skipped,
            };
            results.push(done);
        }
        results
    }

    fn unreachable(&self, host: &HostName) -> Option<String> {
        self.down.borrow().get(host).cloned()
    }
}

//! The simulated cluster as the engine's fleet: it takes its time, answers late, and breaks where it is told to.

use super::machine::Machine;
use super::rng::Rng;
use super::starts;
use super::world::World;
use provision::apply::{Done, Fleet};
use provision::inventory::HostName;
use provision::plan::Act;
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

/// Host, question, answer, and how long the run has taken.
pub type Tamper = Box<dyn Fn(usize, &Query, Seen<Answer>, Duration) -> Seen<Answer>>;

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
    pub(super) down: RefCell<BTreeMap<HostName, String>>,
    pub interrupt: Cell<bool>,
    /// When a person presses Ctrl-C, in simulated time since the run began.
    pub impatience: Cell<Option<Duration>>,
    began: Cell<Option<Instant>>,
    pub killed: Notify,
    /// What becomes of an answer on its way.
    pub tamper: RefCell<Option<Tamper>>,
    pub(super) asked: RefCell<BTreeSet<Query>>,
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
            tamper: RefCell::default(),
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

    pub(super) async fn pass(&self) {
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
    pub(super) fn reach(&self, host: &HostName) -> Result<usize, String> {
        let world = self.world.borrow();
        let h = world.host(host);
        let mut down = self.down.borrow_mut();
        if !world.reachable(h) {
            down.entry(host.clone())
                .or_insert_with(|| "no route to host".to_owned());
        }
        down.get(host).cloned().map_or(Ok(h), Err)
    }

    pub(super) fn answer(&self, h: usize, query: &Query) -> Seen<Answer> {
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
}

impl Fleet for Sim {
    async fn ask(&self, host: &HostName, queries: BTreeSet<Query>) -> Vec<(Query, Seen<Answer>)> {
        self.pass().await;
        self.asked.borrow_mut().extend(queries.iter().cloned());
        let answers = match self.reach(host) {
            Ok(h) => queries
                .into_iter()
                .map(|query| {
                    let mut answer = self.answer(h, &query);
                    if let Some(tamper) = &*self.tamper.borrow() {
                        answer = tamper(h, &query, answer, self.took());
                    }
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

    async fn act(&self, host: &HostName, acts: Vec<Act>, mut each: impl FnMut(Done)) {
        let mut last = Done::Ok;
        for act in &acts {
            last = match last {
                Done::Ok => self.one(host, act).await,
                lost @ Done::Lost(_) => lost,
                Done::Failed { .. } | Done::Skipped => Done::Skipped,
            };
            each(last.clone());
        }
    }

    fn unreachable(&self, host: &HostName) -> Option<String> {
        self.down.borrow().get(host).cloned()
    }
}

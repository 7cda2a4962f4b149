//! The cluster as the engine's fleet: it takes its time, answers late, and breaks where it is told to.

use super::bugs::Bug;
use super::cluster::Cluster;
use super::law::{self, Before};
use super::sent::Sent;
use super::share::is_shared;
use provision::apply::{Done, Fleet};
use provision::inventory::HostName;
use provision::plan::Act;
use provision::probe::{Answer, Query, Seen};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How often the daemons look around.
const TICK: Duration = Duration::from_secs(2);

/// How often hosts are asked in one run at most: most runs ask some hundred times, the longest a thousand.
const ASKS: usize = 5_000;

/// What goes wrong with an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// provision is killed.
    Kill,
    /// The connection is lost for the rest of the run.
    Lose,
    /// The answer does not come in time, though the host is there.
    Hang,
    /// The host loses its power.
    Power,
    /// The act breaks off in its middle, where it has one, and provision is killed.
    Half,
}

pub const KINDS: [Kind; 5] = [Kind::Kill, Kind::Lose, Kind::Hang, Kind::Power, Kind::Half];

/// A fault at the n-th act of a run (0 is the first), before or after the act has happened.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub at: usize,
    pub kind: Kind,
    pub happens: bool,
}

/// The hosts, and what happens during a run.
pub struct Sim {
    pub cluster: RefCell<Cluster>,
    /// Whether every answer is compared around every act with what the act says that it writes.
    pub strict: bool,
    pub bug: Option<Bug>,
    tick_at: Cell<Option<Instant>>,
    pub fault: Cell<Option<Fault>>,
    pub acts: Cell<usize>,
    down: RefCell<BTreeMap<HostName, String>>,
    pub interrupt: Cell<bool>,
    began: Cell<Option<Instant>>,
    pub killed: Notify,
    asked: RefCell<BTreeSet<Query>>,
    /// How often hosts were asked in this run, and which are being asked.
    asks: Cell<usize>,
    asking: RefCell<BTreeSet<HostName>>,
    /// How long GlusterFS takes to tell how its copies are, and how often it was asked.
    pub slow: Cell<(Duration, usize)>,
    pub trace: RefCell<Vec<String>>,
}

impl Sim {
    pub fn of(cluster: Cluster) -> Self {
        Self {
            cluster: RefCell::new(cluster),
            strict: false,
            bug: None,
            tick_at: Cell::new(None),
            fault: Cell::new(None),
            acts: Cell::new(0),
            down: RefCell::default(),
            interrupt: Cell::new(false),
            began: Cell::new(None),
            killed: Notify::new(),
            asked: RefCell::default(),
            asks: Cell::new(0),
            asking: RefCell::default(),
            slow: Cell::default(),
            trace: RefCell::default(),
        }
    }

    /// A new run of provision begins.
    pub fn begin(&self) {
        self.acts.set(0);
        self.asks.set(0);
        self.asking.borrow_mut().clear();
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

    async fn pass(&self) {
        let millis = 1 + self.cluster.borrow_mut().rng.below(400);
        tokio::time::sleep(Duration::from_millis(millis as u64)).await;
        let now = Instant::now();
        self.began.set(Some(self.began.get().unwrap_or(now)));
        let mut next = self.tick_at.get().unwrap_or(now + TICK);
        while next <= now {
            let mut cluster = self.cluster.borrow_mut();
            cluster.tick();
            cluster.write();
            next += TICK;
        }
        self.tick_at.set(Some(next));
    }

    /// Whether a host can be reached; once not, never again in this run.
    fn reach(&self, host: &HostName) -> Result<usize, String> {
        let cluster = self.cluster.borrow();
        let h = cluster.swarm.host(host);
        let mut down = self.down.borrow_mut();
        if !cluster.swarm.reachable(h) {
            down.entry(host.clone())
                .or_insert_with(|| "no route to host".to_owned());
        }
        down.get(host).cloned().map_or(Ok(h), Err)
    }

    fn everything(&self) -> Vec<(usize, Query, Seen<Answer>)> {
        let cluster = self.cluster.borrow();
        let asked = self.asked.borrow();
        cluster
            .hosts()
            .flat_map(|h| asked.iter().map(move |query| (h, query.clone())))
            .map(|(h, query)| {
                let mut says = cluster.says(h, &query);
                if let Seen::Is(Answer::Pgpool(pgpool)) = &mut says {
                    // That time passes is no act's doing.
                    pgpool.settled = false;
                }
                (h, query, says)
            })
            .collect()
    }

    fn obey(&self, h: usize, act: &Act, half: bool, sent: &Sent) -> Done {
        let before = if self.strict {
            self.everything()
        } else {
            Vec::new()
        };
        let dark = self.fault.get().and(Some(h));
        let ended = {
            let mut cluster = self.cluster.borrow_mut();
            law::permit(&cluster, h, act, (sent, dark));
            let law = Before::new(&cluster, act, sent);
            let ended = cluster.obey(h, act, half);
            law.check(&cluster, h, act);
            ended
        };
        if self.strict {
            for (was, (peer, query, answer)) in before.iter().zip(self.everything()) {
                // It is asked for other machines than these, and these have the address only after that.
                if matches!(query, Query::AddressTaken(_)) {
                    continue;
                }
                // A folder of the share is on all hosts at once; the tables ask one of them about it.
                if matches!((&query, act), (Query::Path(path), Act::MakeDirectory { .. }) if is_shared(path))
                {
                    continue;
                }
                assert!(
                    was.2 == answer || act.writes().touches(&query, peer == h),
                    "{act:?} on host {h} changes the answer of host {peer} to {query:?}, and does not say so:\n{:?}\n{answer:?}",
                    was.2
                );
            }
        }
        let said = format!("{h}: {act:?}")
            .chars()
            .take(160)
            .collect::<String>();
        self.trace.borrow_mut().push(match &ended {
            Ok(()) => format!("    act {said}"),
            Err(why) => format!("    act {said} FAILED {why}"),
        });
        match ended {
            Ok(()) => Done::Ok,
            Err(said) => Done::Failed { status: 1, said },
        }
    }

    /// One act, with the fault that is due.
    async fn one(&self, host: &HostName, act: &Act) -> Done {
        let sent = {
            let cluster = self.cluster.borrow();
            Sent::new(&cluster, cluster.swarm.host(host))
        };
        self.pass().await;
        let h = match self.reach(host) {
            Ok(h) => h,
            Err(why) => return Done::Lost(why),
        };
        let at = self.acts.get();
        self.acts.set(at + 1);
        let act = &match &self.bug {
            Some(bug) => bug.act(&self.cluster.borrow(), act),
            None => act.clone(),
        };
        let Some(fault) = self.fault.get().filter(|fault| fault.at == at) else {
            let done = self.obey(h, act, false, &sent);
            self.pass().await;
            return done;
        };
        self.trace.borrow_mut().push(format!("    fault {fault:?}"));
        if fault.happens {
            self.obey(h, act, fault.kind == Kind::Half, &sent);
        }
        match fault.kind {
            Kind::Kill | Kind::Half => {
                self.killed.notify_one();
                std::future::pending().await
            }
            Kind::Lose | Kind::Power => {
                if fault.kind == Kind::Power {
                    self.cluster.borrow_mut().power_off(h);
                }
                let why = "the connection was lost".to_owned();
                self.down.borrow_mut().insert(host.clone(), why.clone());
                Done::Lost(why)
            }
            Kind::Hang => Done::Lost("no answer within 600 s".into()),
        }
    }
}

impl Fleet for Sim {
    async fn ask(&self, host: &HostName, queries: BTreeSet<Query>) -> Vec<(Query, Seen<Answer>)> {
        self.asks.set(self.asks.get() + 1);
        assert!(
            self.asks.get() <= ASKS,
            "the run does not end: it asks {host} for {queries:?} again"
        );
        assert!(
            self.asking.borrow_mut().insert(host.clone()),
            "{host} is asked for {queries:?} while it is being asked"
        );
        self.pass().await;
        if queries
            .iter()
            .any(|query| matches!(query, Query::GlusterStatus(_)))
        {
            let (takes, times) = self.slow.get();
            self.slow.set((takes, times + 1));
            tokio::time::sleep(takes).await;
        }
        if self.strict {
            self.asked.borrow_mut().extend(queries.iter().cloned());
        }
        self.asking.borrow_mut().remove(host);
        let reach = self.reach(host);
        let cluster = self.cluster.borrow();
        let answer = |query: Query| {
            let mut seen = match &reach {
                Ok(h) => cluster.says(*h, &query),
                Err(why) => Seen::Unknown(why.clone()),
            };
            if let Some(bug) = &self.bug {
                seen = bug.answer(&cluster, host, &query, seen);
            }
            (query, seen)
        };
        queries.into_iter().map(answer).collect()
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

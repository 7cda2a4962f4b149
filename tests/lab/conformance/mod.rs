//! The same history in the lab and in the simulated cluster: after each event the module sees the same
//! `State` from either side's answers, apart from what must differ (ids) and from who leads.

mod daemons;
mod history;
mod names;
// The simulation's own tests use more of these.
#[allow(dead_code)]
#[path = "../../sim"]
pub mod sim {
    mod answer;
    pub mod desired;
    mod obey;
    mod time;
    pub mod world;
}

use super::lab::Lab;
use super::scenario::{note, scenario};
use daemons::Daemons;
use history::{Event, HISTORY, MORE};
use names::Names;
use provision::cluster::swarm::{State, Swarm};
use provision::inventory::HostName;
use provision::module::Module;
use provision::probe::{Answer, Answers, Memory, Query, Seen};
use sim::world::{Host, World};
use std::time::{Duration, Instant};

/// How long the daemons may take to come to rest where the simulation does.
const SETTLE: Duration = Duration::from_secs(60);

/// Rounds without a change after which the simulation is at rest.
const REST: usize = 6;

/// Drives both through the whole history.
pub fn whole_history(lab: &Lab) {
    let mut both = Both::new(lab);
    let mut wrong = Vec::new();
    let all = std::env::var_os("PROVISION_CONFORMANCE").is_some_and(|parts| parts == "all");
    let more = MORE.iter().filter(|_| all);
    for (number, event) in HISTORY.iter().chain(more).enumerate() {
        let what = format!("  {number:2} {event:?}");
        if let Some(difference) = scenario(&what, || both.step(event)) {
            note(&difference);
            wrong.push(difference);
        }
    }
    assert!(
        wrong.is_empty(),
        "the simulation differs from the daemons {} times:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

struct Both<'l> {
    world: World,
    daemons: Daemons<'l>,
    module: Swarm,
    simulated: Names,
    real: Names,
}

impl<'l> Both<'l> {
    fn new(lab: &'l Lab) -> Self {
        let host = |n| Host {
            name: HostName::new(super::lab::name_of(n)),
            addr: super::lab::address_of(n),
            power: true,
            ssh: true,
            link: true,
            installed: false,
            running: false,
            marked: false,
            disk: None,
        };
        let world = World {
            hosts: lab.hosts().map(host).collect(),
            ..World::default()
        };
        Self {
            module: sim::desired::module(&world, world.hosts.len(), false),
            world,
            daemons: Daemons::new(lab),
            simulated: Names::default(),
            real: Names::default(),
        }
    }

    /// Lets an event happen on both sides; what differs afterwards.
    fn step(&mut self, event: &Event) -> Option<String> {
        let simulated = event.happen_in(&mut self.world, &self.simulated);
        let real = event.happen_on(&mut self.daemons, &self.real);
        if simulated.is_ok() != real.is_ok() {
            return Some(format!(
                "{event:?}: simulated {simulated:?}, but the daemons {real:?}"
            ));
        }
        if let (Err(simulated), Err(real)) = (&simulated, &real) {
            note(&format!("      refused: {simulated:?}; in truth {real:?}"));
        }
        self.rest();
        let wanted = self.simulated.state(self.look_at_world());
        let began = Instant::now();
        let mut equal = 0;
        loop {
            let found = look(&self.module, |host, query| self.daemons.answer(host, query));
            let found = self.real.state(found);
            equal = if found == wanted { equal + 1 } else { 0 };
            // A state that is only passed through is not where they come to rest.
            if equal == 2 {
                return None;
            }
            if began.elapsed() > SETTLE {
                return Some(format!("{event:?}:\n{}", difference(&wanted, &found)));
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Lets time pass in the simulation until nothing changes any more.
    fn rest(&mut self) {
        let mut same = 0;
        let mut last = self.look_at_world();
        for _ in 0..100 {
            self.world.tick();
            let now = self.look_at_world();
            same = if now == last { same + 1 } else { 0 };
            if same == REST {
                return;
            }
            last = now;
        }
        panic!("the simulation never comes to rest");
    }

    fn look_at_world(&self) -> State {
        look(&self.module, |host, query| self.world.answer(host, query))
    }
}

/// What the module sees, from these answers.
fn look(module: &Swarm, mut answer: impl FnMut(&HostName, &Query) -> Seen<Answer>) -> State {
    let mut memory = Memory::default();
    for _ in 0..4 {
        match module.look(&Answers::new(&memory)) {
            Ok(state) => return state,
            Err(need) => {
                for (host, query) in need.0 {
                    let seen = answer(&host, &query);
                    memory.insert(&host, query, seen);
                }
            }
        }
    }
    panic!("the look never settles")
}

/// The lines that differ; `-` as simulated, `+` in truth.
fn difference(simulated: &State, real: &State) -> String {
    let text = |state| serde_json::to_string_pretty(state).unwrap();
    let (simulated, real) = (text(simulated), text(real));
    similar::TextDiff::from_lines(&*simulated, &*real)
        .unified_diff()
        .context_radius(12)
        .header("simulated", "daemons")
        .to_string()
}

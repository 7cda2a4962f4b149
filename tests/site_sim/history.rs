//! One history: what happens, which runs of provision break where, and what must be true at the end.

use super::bugs::Bug;
use super::causes::causes;
use super::cluster::Cluster;
use super::events::{EVENTS, Event};
use super::fleet::{Fault, KINDS, Sim};
use super::histories::number;
use super::law;
use super::rng::Rng;
use super::run::{Ended, Site};
use super::site::{check_well, why, wrong};
use super::stack_law;
use provision::report::Outcome;
use std::any::Any;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A moment of a history.
#[derive(Clone, Copy, Debug)]
pub enum Move {
    Happens(Event, usize),
    Passes(usize),
    Runs(Option<Fault>),
    Limited(usize),
}

/// How a history ended that broke no law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Well,
    /// Well, but only by a second run: the health gate held up a restart on one host beside another that provision itself
    /// had drained when it joined, and that the last task of the first run activates, or beside a stack that lacked it.
    Second,
    /// Refused, for causes that are real.
    Refused(BTreeSet<String>),
}

pub fn moves(rng: &mut Rng, hosts: usize) -> Vec<Move> {
    let fault = |rng: &mut Rng| Fault {
        at: rng.below(12),
        kind: KINDS[rng.below(KINDS.len())],
        happens: rng.once_in(2),
    };
    (0..2 + rng.below(5))
        .map(|_| match rng.below(10) {
            0..=5 => Move::Happens(EVENTS[rng.below(EVENTS.len())], rng.below(hosts)),
            6 | 7 => Move::Passes([1, 3, 10, 40][rng.below(4)]),
            8 => Move::Runs(rng.once_in(2).then(|| fault(rng))),
            _ if rng.once_in(3) => Move::Limited(rng.below(hosts)),
            _ => Move::Runs(Some(fault(rng))),
        })
        .collect()
}

pub fn pass(cluster: &mut Cluster, ticks: usize) {
    for _ in 0..ticks {
        cluster.tick();
        cluster.write();
    }
}

fn run(site: &Site, sim: &Sim, fault: Option<Fault>, limit: Option<usize>) {
    sim.fault.set(fault);
    let ended = site.apply_to(sim, limit);
    sim.fault.set(None);
    law::check_plan(&sim.cluster.borrow(), &ended.shown);
    let said = format!(
        "  run {fault:?} {limit:?} → {:?} {:?}",
        ended.outcome,
        ended.codes()
    );
    sim.trace.borrow_mut().push(said);
}

/// Runs a history.
///
/// # Panics
/// Where a law does not hold.
pub fn play(
    site: &Site,
    start: &Cluster,
    moves: &[Move],
    bug: Option<Bug>,
    sim: &mut Option<Sim>,
) -> Ending {
    let sim = sim.insert(Sim::of(start.clone()));
    sim.bug = bug;
    sim.cluster.borrow_mut().careless = bug == Some(Bug::CommitsNotCounted);
    for it in moves {
        sim.trace.borrow_mut().push(format!("{it:?}"));
        match *it {
            Move::Happens(event, h) => {
                let mut cluster = sim.cluster.borrow_mut();
                cluster.happen(event, h);
                pass(&mut cluster, 1);
            }
            Move::Passes(ticks) => pass(&mut sim.cluster.borrow_mut(), ticks),
            Move::Runs(fault) => run(site, sim, fault, None),
            Move::Limited(h) => run(site, sim, None, Some(h)),
        }
    }
    finish(site, sim)
}

/// All is mended and switched on: then provision converges, or refuses for the true cause.
fn finish(site: &Site, sim: &Sim) -> Ending {
    sim.cluster.borrow_mut().mend();
    sim.trace.borrow_mut().push("all is mended".into());
    let ended = site.apply(sim);
    law::check_plan(&sim.cluster.borrow(), &ended.shown);
    judge(site, sim, &ended)
}

fn judge(site: &Site, sim: &Sim, ended: &Ended) -> Ending {
    let causes = causes(&sim.cluster.borrow());
    stack_law::check_key(&sim.cluster.borrow());
    // However it ends: also a cluster that waits for a person has what was acknowledged.
    let (rows, lines) = sim.cluster.borrow().lost();
    assert!(
        rows.is_empty() && lines.is_empty(),
        "rows {rows:?} and lines {lines:?} were acknowledged, and are nowhere"
    );
    match ended.outcome {
        Some(Outcome::Changed | Outcome::Converged) => {
            check_well(site, sim, ended);
            Ending::Well
        }
        Some(Outcome::Failed) if causes.is_empty() && is_held(ended) => {
            let rejoined = ended.story.contains(ACTIVATED);
            if is_drained(&sim.cluster.borrow()) && !rejoined {
                return Ending::Refused(["a node that a person drained".to_owned()].into());
            }
            let lines = ended.story.lines();
            let held =
                lines.filter(|line| line.contains("held up") || line.contains("is not done"));
            sim.trace.borrow_mut().extend(held.map(str::to_owned));
            let second = site.apply(sim);
            check_well(site, sim, &second);
            Ending::Second
        }
        Some(Outcome::Refused | Outcome::Failed) => {
            let codes = ended.codes();
            let untrue: Vec<&String> = codes
                .iter()
                .filter(|code| !causes.contains(code.as_str()))
                .collect();
            let found = wrong(&sim.cluster.borrow());
            assert!(
                untrue.is_empty() && !causes.is_empty(),
                "ended {:?} with {codes:?}, and the causes are {causes:?}; {found:?}\n{}",
                ended.outcome,
                why(ended)
            );
            let mut all: BTreeSet<String> = codes;
            if all.is_empty() {
                all.extend(causes.iter().map(|code| (*code).to_owned()));
            }
            Ending::Refused(all)
        }
        other => panic!("ended {other:?}: {}", why(ended)),
    }
}

/// What a run does last with a node that it had drained when it joined.
const ACTIVATED: &str = "id: swarm/activate/";

/// Whether the health gate held up steps until their time was over, and for nothing else than drained nodes, or a stack
/// that lacks a node which the run itself had drained.
fn is_held(ended: &Ended) -> bool {
    let rejoined = ended.story.contains(ACTIVATED);
    let lines = ended.story.lines();
    let mut held = lines
        .filter(|line| line.contains("is not done, because for"))
        .peekable();
    let drained = |line: &str| {
        let stack = rejoined && line.contains(" s stack ");
        stack || line.contains("Ready Drain Reachable")
    };
    held.peek().is_some() && held.all(drained)
}

/// Whether a person drained a node: it is left alone, and nothing is disrupted beside it.
fn is_drained(cluster: &Cluster) -> bool {
    let swarms = cluster.swarm.clusters.iter();
    let mut nodes = swarms.flat_map(|swarm| swarm.nodes.values());
    nodes.any(|node| node.drained)
}

pub fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("?")
}

/// The ending, or what is wrong with the history.
pub fn attempt(
    site: &Site,
    start: &Cluster,
    moves: &[Move],
    bug: Option<Bug>,
) -> Result<Ending, String> {
    let mut sim = None;
    let ended = catch_unwind(AssertUnwindSafe(|| play(site, start, moves, bug, &mut sim)));
    if let (Ok(_), Some(sim), true) = (&ended, &sim, number("PROVISION_SIM_SEED").is_some()) {
        println!("trace:\n{}", sim.trace.borrow().join("\n"));
    }
    ended.map_err(|why| {
        let mut text = message(&*why).to_owned();
        let trace = sim.map(|sim| sim.trace.into_inner()).unwrap_or_default();
        let _ = write!(text, "\ntrace:\n{}", trace.join("\n"));
        text
    })
}

/// A shorter history that goes wrong too, with what is wrong with it.
pub fn shorten(
    site: &Site,
    start: &Cluster,
    moves: &[Move],
    bug: Option<Bug>,
) -> (Vec<Move>, String) {
    let mut kept = moves.to_vec();
    let mut text = String::new();
    let mut at = 0;
    while at < kept.len() {
        let mut shorter = kept.clone();
        shorter.remove(at);
        match attempt(site, start, &shorter, bug) {
            Err(why) => (kept, text) = (shorter, why),
            Ok(_) => at += 1,
        }
    }
    if text.is_empty() {
        text = attempt(site, start, &kept, bug).err().unwrap_or_default();
    }
    (kept, text)
}

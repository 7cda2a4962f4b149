//! Drives the real module against the simulated cluster, and checks the laws of DESIGN §3 at every step.

pub use super::desired::module;
use super::laws::{act, check_decision, forget, until_done};
use super::obey::Fault;
use super::world::World;
use provision::cluster::swarm::Swarm;
use provision::inventory::HostName;
use provision::module::Module;
use provision::plan::{Claim, Class, Decision, Reach};
use provision::probe::{Answers, Memory};

/// What a reviewer approves of a step.
pub type Approval = (String, HostName, Class);

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing is left to do for the hosts that answer.
    Settled,
    /// Refused, with these codes in order, without repetition.
    Refused(Vec<String>),
    /// Something that was waited for did not come true.
    Waiting,
    /// What is left is for the host that was left out.
    LeftOut,
    /// The controller died.
    Died,
    /// The engine refused an act, in these words.
    Failed(String),
}

/// Longest plan or wait, in rounds: far more than any case needs.
const ROUNDS: usize = 120;

/// Asks until nothing is missing, and decides.
pub fn decide(world: &World, module: &Swarm, memory: &mut Memory) -> Decision {
    for _ in 0..4 {
        match module.look(&Answers::new(memory)) {
            Ok(state) => {
                let _ = module.health(&state);
                return module.plan(&state);
            }
            Err(need) => {
                for (host, query) in need.0 {
                    let answer = world.answer(&host, &query);
                    memory.insert(&host, query, answer);
                }
            }
        }
    }
    panic!("the look never settles")
}

pub fn approvals(decision: &Decision) -> Vec<Approval> {
    decision
        .steps
        .iter()
        .map(|step| {
            (
                step.id.to_string(),
                step.subject.clone(),
                step.class.clone(),
            )
        })
        .collect()
}

/// Whether `part` is `whole` with some steps left out.
pub fn is_part(part: &[Approval], whole: &[Approval]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|step| rest.any(|other| other == step))
}

pub fn holds(world: &World, claim: &Claim) -> bool {
    claim.holds(&world.answer(&claim.host, &claim.query))
}

/// One run of provision.
pub struct Run {
    pub end: End,
    pub done: Vec<Approval>,
}

/// Converges; at step `fault.0` the fault happens.
pub fn run(world: &mut World, module: &Swarm, fault: Option<(usize, Fault)>) -> Run {
    limited(world, module, fault, None)
}

/// Converges, but leaves out the steps for one host, as under `--limit`.
pub fn limited(
    world: &mut World,
    module: &Swarm,
    fault: Option<(usize, Fault)>,
    left_out: Option<&HostName>,
) -> Run {
    let mut done = Vec::new();
    let mut before: Option<Vec<Approval>> = None;
    let mut memory = Memory::default();
    let end = (|| {
        for _ in 0..ROUNDS {
            let decision = decide(world, module, &mut memory);
            let plan = approvals(&decision);
            check_decision(world, &decision);
            if let Some(tail) = before.take() {
                assert!(
                    is_part(&plan, &tail),
                    "after a step the plan is\n{plan:#?}\nand not a part of\n{tail:#?}"
                );
            }
            if decision
                .refusals
                .iter()
                .any(|refusal| refusal.reach == Reach::Layer)
            {
                return codes(&decision);
            }
            let founds = decision.steps.iter().any(|step| step.class == Class::Found);
            let first = decision
                .steps
                .iter()
                .position(|step| Some(&step.subject) != left_out);
            let Some((at, step)) = first
                .filter(|_| !founds || left_out.is_none())
                .map(|at| (at, &decision.steps[at]))
            else {
                if left_out.is_some() && !decision.steps.is_empty() {
                    return End::LeftOut;
                }
                if decision.waits.is_empty() {
                    return if decision.refusals.is_empty() {
                        End::Settled
                    } else {
                        codes(&decision)
                    };
                }
                world.tick();
                memory = Memory::default();
                continue;
            };
            if !step.needs.iter().all(|claim| holds(world, claim)) {
                let waited: Vec<&Claim> = decision.waits.iter().map(|wait| &wait.until).collect();
                if waited.is_empty() && left_out.is_some() {
                    return End::LeftOut;
                }
                assert!(
                    step.needs.iter().any(|claim| waited.contains(&claim)),
                    "{} cannot run, and nothing is waited for: {:?}",
                    step.id,
                    step.needs
                );
                world.tick();
                memory = Memory::default();
                continue;
            }
            let now = fault
                .filter(|(at, _)| *at == done.len())
                .map(|(_, fault)| fault);
            if now == Some(Fault::Before) {
                return End::Died;
            }
            done.push((
                step.id.to_string(),
                step.subject.clone(),
                step.class.clone(),
            ));
            if let Err(words) = act(world, step, now) {
                return End::Failed(words);
            }
            if now.is_some() {
                return End::Died;
            }
            until_done(world, step);
            forget(world, step, &mut memory);
            let mut rest = plan;
            rest.remove(at);
            before = Some(rest);
        }
        End::Waiting
    })();
    Run { end, done }
}

fn codes(decision: &Decision) -> End {
    let mut codes: Vec<String> = decision
        .refusals
        .iter()
        .map(|refusal| refusal.code.clone())
        .collect();
    codes.sort();
    codes.dedup();
    End::Refused(codes)
}

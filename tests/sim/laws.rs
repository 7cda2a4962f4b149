//! The laws and invariants around each decision and each step.

use super::drive::holds;
use super::obey::Fault;
use super::world::World;
use provision::plan::{Act, Class, Decision, Step, SwarmAct};
use provision::probe::Memory;

/// What holds of every decision, whatever the world is.
pub fn check_decision(world: &World, decision: &Decision) {
    for step in &decision.steps {
        assert!(
            world.reachable(world.host(&step.subject)),
            "{} is planned for a host that does not answer",
            step.id
        );
    }
    let mut ids: Vec<&str> = decision.steps.iter().map(|step| step.id.as_str()).collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "two steps have one id: {ids:?}");
    if decision.steps.iter().any(|step| step.class == Class::Found) {
        for (h, host) in world.hosts.iter().enumerate() {
            assert!(
                world.reachable(h),
                "a swarm is founded though {} does not answer",
                host.name
            );
            assert!(
                host.disk.is_none(),
                "a swarm is founded though {} has a trace",
                host.name
            );
        }
    }
}

/// Runs a step under the invariants.
pub fn act(world: &mut World, step: &Step, fault: Option<Fault>) -> Result<(), String> {
    let Act::Swarm(act) = &step.act else {
        panic!("{:?}", step.act)
    };
    let h = world.host(&step.subject);
    for c in 0..world.clusters.len() {
        let held = |id: &str| world.holder(c, id).is_some();
        let listed = |id: &str| world.clusters[c].nodes.contains_key(id);
        match act {
            SwarmAct::Forget { id } if listed(id) => {
                assert!(
                    !held(id),
                    "{id} is taken off the roster, but a host still is this node"
                );
            }
            SwarmAct::Demote { id } if listed(id) && step.id.as_str().contains("demote-lost") => {
                assert!(
                    !held(id),
                    "{id} is called lost, but a host still is this node"
                );
            }
            SwarmAct::Leave => {
                let disk = world.hosts[h].disk.as_ref().unwrap();
                assert!(
                    disk.cluster != c || !listed(&disk.node),
                    "{} leaves a swarm that lists it",
                    step.subject
                );
            }
            _ => {}
        }
    }
    let quorum: Vec<(bool, usize)> = (0..world.clusters.len())
        .map(|c| (world.quorum(c), world.voters(c)))
        .collect();
    let before = world.hosts[h].disk.clone();
    world.obey(step)?;
    let halved = fault == Some(Fault::Half)
        && world.hosts[h].disk != before
        && world.hosts[h].disk.is_some();
    if halved {
        world.power_off(h);
    }
    for (c, (had, voters)) in quorum.into_iter().enumerate() {
        // From one manager to two, the second is needed at once; and who founds is alone.
        let bearable = !(halved && voters <= 1);
        assert!(
            !had || !bearable || world.quorum(c),
            "{} cost the quorum of a swarm of {voters}",
            step.id
        );
    }
    Ok(())
}

/// The postcondition comes true within a while.
pub fn until_done(world: &mut World, step: &Step) {
    let done = step
        .done
        .as_ref()
        .unwrap_or_else(|| panic!("{} has no postcondition", step.id));
    for _ in 0..8 {
        if holds(world, done) {
            return;
        }
        world.tick();
    }
    panic!("{}: never seen that {done}", step.id);
}

/// Forgets what the act may have changed; what is kept must still be true.
pub fn forget(world: &World, step: &Step, memory: &mut Memory) {
    let scope = step.act.writes();
    for host in &world.hosts {
        let own = host.name == step.subject;
        memory.forget(&host.name, |query, _| scope.touches(query, own));
        for (query, kept) in memory.of(&host.name) {
            assert_eq!(
                *kept,
                world.answer(&host.name, query),
                "{}: {query:?} was kept",
                host.name
            );
        }
    }
}

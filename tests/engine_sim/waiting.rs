//! What needs only time is waited for, and nothing is waited for without end.

use super::fleet::Sim;
use super::run::Site;
use super::shapes::{built, check_well};
use super::world::Phase;
use provision::probe::{Answer, Query, Seen};
use provision::report::Outcome;
use std::cell::Cell;
use std::time::Duration;

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// The roster with another leader, when there is a roster.
fn led_by_another(answer: Seen<Answer>) -> Seen<Answer> {
    let Seen::Is(Answer::SwarmNodes(mut roster)) = answer else {
        return answer;
    };
    for nodes in roster.nodes.iter_mut() {
        let leader = nodes.iter().position(|node| node.leader).unwrap_or(0);
        let next = (leader + 1) % nodes.len();
        for (place, node) in nodes.iter_mut().enumerate() {
            node.leader = place == next;
        }
    }
    Seen::Is(Answer::SwarmNodes(roster))
}

#[test]
fn a_restart_waits_until_another_host_is_well_again() {
    let sim = built(&Site::new(3, 1), 3);
    // Some 40 s of starting, and the managers see it as unknown meanwhile.
    let joining = Phase::Joining(20);
    sim.world.borrow_mut().hosts[3].disk.as_mut().unwrap().phase = joining;
    let site = Site::new(2, 2);
    let ended = site.apply(&sim);
    assert!(
        ended
            .story
            .contains("is held up, because swarm is not well on ke2-server4")
    );
    check_well(&site, &sim, &ended);
    assert!(ended.took < minutes(3), "{:?}", ended.took);
}

#[test]
fn a_restart_does_not_wait_for_ever_for_another_host() {
    let sim = built(&Site::new(3, 1), 3);
    sim.world.borrow_mut().hosts[3].disk.as_mut().unwrap().phase = Phase::Joining(100_000);
    let ended = Site::new(2, 2).apply(&sim);
    assert_eq!(ended.outcome, Some(Outcome::Failed), "{}", ended.story);
    assert!(ended.took < minutes(12), "{:?}", ended.took);
}

#[test]
fn a_restart_does_not_wait_for_what_is_only_advised() {
    let sim = built(&Site::new(3, 0), 3);
    *sim.tamper.borrow_mut() = Some(Box::new(|h, _, answer, _| match answer {
        Seen::Is(Answer::Filesystem(mut disk)) if h == 0 => {
            disk.free_bytes = 1 << 30;
            Seen::Is(Answer::Filesystem(disk))
        }
        other => other,
    }));
    let site = Site::new(2, 1);
    let ended = site.apply(&sim);
    assert!(ended.last.advice.iter().any(|told| told.code == "H27"));
    assert!(!ended.story.contains("is held up"), "{}", ended.story);
    check_well(&site, &sim, &ended);
}

#[test]
fn engines_that_are_all_stopped_are_steps_of_a_dry_run_and_what_follows_is_announced() {
    let site = Site::new(3, 0);
    let sim = built(&site, 8);
    (0..3).for_each(|h| sim.world.borrow_mut().stop(h));
    let (plan, outcome) = site.look(&sim, None);
    assert_eq!(outcome, Outcome::Pending);
    let steps: Vec<String> = plan
        .open()
        .map(|planned| planned.step.id.to_string())
        .collect();
    assert_eq!(steps, ["service/start/docker.service"; 3]);
    let [unknown] = &plan.unknown[..] else {
        panic!("{:?}", plan.unknown)
    };
    let words = "what follows can be told when service/start/docker.service on ke2-server1 has run";
    assert_eq!((&*unknown.layer, &*unknown.why), ("swarm", words));
    check_well(&site, &sim, &site.apply(&sim));
}

#[test]
fn managers_become_workers_one_after_the_other() {
    let sim = built(&Site::new(3, 0), 5);
    let site = Site::new(1, 2);
    let ended = site.apply(&sim);
    check_well(&site, &sim, &ended);
}

/// The third host is now and then no member that works.
fn away(sim: &Sim, when: impl Fn(Duration) -> bool + 'static) {
    *sim.tamper.borrow_mut() = Some(Box::new(move |h, query, answer, took| match answer {
        Seen::Is(Answer::Docker(mut docker)) if h == 2 && *query == Query::Docker => {
            if when(took)
                && let Some(engine) = &mut docker.engine
            {
                engine.swarm.local_node_state = "pending".into();
                engine.swarm.control_available = false;
            }
            Seen::Is(Answer::Docker(docker))
        }
        other => other,
    }));
}

/// Whenever a member goes away for a while, also just before the run looks at everything once more, it is waited for.
#[test]
fn a_member_that_goes_away_for_a_while_is_waited_for() {
    let site = Site::new(3, 0).trusting();
    let run = |from: Option<u64>| {
        let sim = built(&site, 6);
        sim.machines.borrow_mut()[1].runtime.remove("7946/udp");
        if let Some(from) = from {
            away(&sim, move |took| (from..from + 8).contains(&took.as_secs()));
        }
        let ended = site.apply(&sim);
        check_well(&site, &sim, &ended);
        ended.took.as_secs()
    };
    let usual = run(None);
    let longer = (0..=usual).filter(|from| run(Some(*from)) > usual + 2);
    assert!(longer.count() > 1, "a run takes {usual} s");
}

/// A member that comes and goes renews its wait each time.
#[test]
fn a_member_that_comes_and_goes_is_not_waited_for_without_end() {
    let site = Site::new(3, 1).trusting();
    let sim = built(&site, 11);
    sim.replace(3);
    (0..4).for_each(|_| sim.world.borrow_mut().tick());
    // Most of a minute away, some seconds back: never long enough for the worker's steps.
    away(&sim, |took| took.as_secs() % 40 < 37);
    let ended = site.apply(&sim);
    assert!(ended.took < minutes(25), "{:?}", ended.took);
    assert_ne!(ended.outcome, Some(Outcome::Converged), "{}", ended.story);
}

/// The evidence for a step is asked for just before; when it is silent then, the step does not begin.
#[test]
fn what_never_began_does_not_count_as_done() {
    let site = Site::new(3, 0).trusting();
    let mut most = 0;
    for seed in 0..20 {
        let sim = built(&site, seed);
        sim.world.borrow_mut().hosts[2].disk = None;
        (0..4).for_each(|_| sim.world.borrow_mut().tick());
        let asked = Cell::new(0);
        *sim.tamper.borrow_mut() = Some(Box::new(move |h, query, answer, took| {
            if h == 0 && *query == Query::SwarmNodes && took > Duration::from_secs(4) {
                asked.set(asked.get() + 1);
                if asked.get() % 2 == 0 && asked.get() < 10 {
                    return Seen::Unknown("it took too long".into());
                }
            }
            answer
        }));
        let ended = site.apply(&sim);
        check_well(&site, &sim, &ended);
        most = most.max(ended.story.matches("did not begin").count());
    }
    assert!(most > 2, "no step was held up more than {most} times");
}

#[test]
fn leaders_that_differ_for_a_moment_are_waited_for() {
    let site = Site::new(3, 0).trusting();
    for late in 0..3 {
        let sim = built(&site, 4);
        sim.machines.borrow_mut()[1].runtime.remove("7946/udp");
        *sim.tamper.borrow_mut() = Some(Box::new(move |h, _, answer, took| {
            match h == late && took < Duration::from_secs(20) {
                true => led_by_another(answer),
                false => answer,
            }
        }));
        let ended = site.apply(&sim);
        assert!(
            ended.story.contains("follow different leaders"),
            "{}",
            ended.story
        );
        check_well(&site, &sim, &ended);
    }
}

#[test]
fn leaders_that_go_on_to_differ_are_refused_after_the_wait() {
    let site = Site::new(3, 0).trusting();
    let sim = built(&site, 4);
    sim.machines.borrow_mut()[1].runtime.remove("7946/udp");
    *sim.tamper.borrow_mut() = Some(Box::new(|h, _, answer, _| match h {
        1 => led_by_another(answer),
        _ => answer,
    }));
    let (plan, _) = site.look(&sim, None);
    assert!(plan.refusals.is_empty() && !plan.waits.is_empty());
    let ended = site.apply(&sim);
    assert_eq!(ended.outcome, Some(Outcome::Refused), "{}", ended.story);
    assert!(ended.codes().contains("S5"));
    assert!(ended.took < minutes(3), "{:?}", ended.took);
}

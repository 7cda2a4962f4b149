//! The health gate beside a stack that is not whole: what only the stack's own layer repairs, which needs Pgpool-II's, must
//! not hold up a restart of Pgpool-II until its time is over.

use super::events::Event;
use super::fleet::Sim;
use super::histories::grounds;
use super::run::Ended;
use super::site::check_well;
use super::stack::{NGINX, RABBITMQ};
use provision::report::Outcome;
use std::time::Duration;

/// What it took to bring all back in one run.
fn well_at_once(ended: &Ended, sim: &Sim, site: &super::run::Site) {
    let restarted = ended
        .done()
        .iter()
        .any(|(id, ..)| id.contains("pgpool/restart"));
    assert!(restarted, "{:?}", ended.done());
    assert_eq!(ended.outcome, Some(Outcome::Changed));
    assert!(ended.took < Duration::from_secs(180), "{:?}", ended.took);
    check_well(site, sim, ended);
}

#[test]
fn a_service_that_is_deployed_later_holds_up_no_restart_of_pgpool() {
    let ground = &grounds()[0];
    for (service, h) in [(NGINX, 1), (RABBITMQ, 2), (RABBITMQ, 0)] {
        let sim = Sim::of(ground.start.clone());
        {
            let mut cluster = sim.cluster.borrow_mut();
            for stack in cluster.stacks.values_mut() {
                stack.services.remove(service);
            }
            cluster.happen(Event::LoseNotes, h);
            cluster.ticks(2);
        }
        let ended = ground.site.apply(&sim);
        assert!(!ended.story.contains("because stack ke2 is not well"));
        well_at_once(&ended, &sim, &ground.site);
    }
}

/// A task that has died comes back by itself: nothing is planned for it, and it is waited for.
#[test]
fn what_passes_by_itself_holds_up_a_restart_of_pgpool() {
    let ground = &grounds()[0];
    let sim = Sim::of(ground.start.clone());
    {
        let mut cluster = sim.cluster.borrow_mut();
        cluster.happen(Event::LoseNotes, 1);
        cluster.ticks(2);
        let own = &mut cluster.containers[2];
        own.running.retain(|one| one.service != NGINX);
        cluster.ticks(1);
    }
    let ended = ground.site.apply(&sim);
    let held = "pgpool/restart/ke2-server2 is held up, because stack ke2 is not well";
    assert!(ended.story.contains(held), "{}", ended.story);
    well_at_once(&ended, &sim, &ground.site);
}

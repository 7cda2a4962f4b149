//! What follows from a file that a run writes is part of its plan, and nothing else is.

use super::cluster::Cluster;
use super::events::Event;
use super::fleet::Sim;
use super::run::{Approval, Ended, Site};
use super::site::{bare_of, bare_with, built_of};
use provision::report::Outcome;
use std::collections::BTreeSet;

fn built(site: &Site) -> Sim {
    Sim::of(built_of(site, Cluster::blank(3, 7, true)))
}

fn restarts(steps: &BTreeSet<Approval>) -> usize {
    let is = |(id, ..): &&Approval| id.starts_with("pgpool/restart/");
    steps.iter().filter(is).count()
}

/// What was planned is done, and then nothing is left to do.
fn as_planned(site: &Site, sim: &Sim) -> Ended {
    let ended = site.apply(sim);
    assert_eq!(ended.done(), ended.planned, "{}", ended.story);
    assert_eq!(site.look(sim, None).1, Outcome::Converged);
    ended
}

#[test]
fn a_file_that_is_put_back_to_what_was_loaded_brings_no_restart() {
    let site = bare_of(3, 3, true);
    let sim = built(&site);
    sim.cluster.borrow_mut().happen(Event::EditPassword, 1);
    let ended = as_planned(&site, &sim);
    assert_eq!(ended.planned.len(), 1, "{:?}", ended.planned);
}

#[test]
fn a_declaration_that_is_changed_brings_its_restarts() {
    let sim = built(&bare_of(3, 3, true));
    let site = bare_with("pgpool_num_init_children: 40");
    let ended = as_planned(&site, &sim);
    assert_eq!(restarts(&ended.planned), 3, "{:?}", ended.planned);
}

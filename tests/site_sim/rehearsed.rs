//! A rehearsed loss, against the loss itself: the hosts are really lost and replaced, and the plan is the one that was foretold.

use super::cluster::Cluster;
use super::events::Event;
use super::fleet::Sim;
use super::run::Site;
use super::says::VIP;
use super::site::{built_of, site, site_of, why};

use provision::apply::{Engine, Mode};
use provision::inventory::HostName;
use provision::module::{Health, Light};
use provision::plan::{Class, Plan, Refusal};
use provision::rehearse::{
    Cast, Foretold, Parts, Premise, Refused, refusals as refusals_of, rehearse,
};
use provision::report::{Outcome, Redactor, Reporter, rehearsal};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// Long enough for Pgpool-II to give a node up and to promote another one, and for the managers to see it down.
const TICKS: usize = 20;

fn rehearsed(site: &Site, sim: &Sim, lost: &[usize]) -> Result<Foretold, Refused> {
    sim.begin();
    let premise = Premise {
        hosts: (0..site.hosts).map(|h| site.name(h)).collect(),
        lost: lost.iter().map(|h| site.name(*h)).collect(),
        vip: VIP.parse().ok(),
    };
    let cast = Cast {
        facts: site.parts(None),
        health: tell_health(site),
        down: site.parts(None),
        plan: site.parts(None),
    };
    let report = Reporter::new(Vec::new(), Redactor::default());
    site.block(async { rehearse(sim, &premise, cast, &report).await })
}

/// What is compared of a step.
fn steps(plan: &Plan) -> Vec<(String, HostName, Class, Option<String>)> {
    let steps = plan.steps.iter().map(|planned| {
        let step = &planned.step;
        (
            step.id.to_string(),
            step.subject.clone(),
            step.class.clone(),
            planned.blocked.clone(),
        )
    });
    steps.collect()
}

fn codes(plan: &Plan) -> Vec<(String, String)> {
    let refusals = plan.refusals.iter();
    refusals
        .map(|(layer, refusal)| (layer.clone(), refusal.code.clone()))
        .collect()
}

fn same<T: PartialEq + Debug>(what: &str, foretold: &[T], came: &[T]) -> Vec<String> {
    let mut wrong = Vec::new();
    for one in foretold.iter().filter(|one| !came.contains(one)) {
        wrong.push(format!("{what} only foretold: {one:?}"));
    }
    for one in came.iter().filter(|one| !foretold.contains(one)) {
        wrong.push(format!("{what} not foretold: {one:?}"));
    }
    if wrong.is_empty() && foretold != came {
        wrong.push(format!("{what} in another order: {foretold:?}\n{came:?}"));
    }
    wrong
}

/// What `provision status` shows of the layers, without why a host is silent, and without what the rehearsal does not claim:
/// who of the managers is elected.
fn lights(layers: &[Health]) -> Vec<String> {
    let member = |layer: &Health| {
        let told = layer.members.iter().map(|member| {
            let says = match member.light {
                Light::Unknown => String::new(),
                _ => member.says.replace(" Leader", ""),
            };
            format!("{} {:?} {says}", member.host, member.light)
        });
        told.collect::<Vec<_>>().join("; ")
    };
    let line = |layer: &Health| {
        let margin = layer.margin.as_ref();
        let margin = margin.map(|margin| format!("{} {}", margin.can_lose, margin.because));
        format!("{} {margin:?} {}", layer.layer, member(layer))
    };
    layers.iter().map(line).collect()
}

/// What the hosts as they are make of a task.
fn looked<T>(sim: &Sim, parts: Parts, told: impl FnOnce(&Engine<'_, Sim>) -> T, site: &Site) -> T {
    sim.begin();
    site.block(async {
        let report = Reporter::new(Vec::new(), Redactor::default());
        let Parts {
            layers,
            works,
            registers,
            options,
        } = parts;
        let mut engine = Engine::new(sim, layers, works, registers, options);
        engine.drive(Mode::Look, &report, &sim.interrupt).await;
        told(&engine)
    })
}

fn health(engine: &Engine<'_, Sim>) -> Vec<Health> {
    engine.health()
}

fn tell_health(site: &Site) -> Parts {
    let mut parts = site.parts(None);
    parts.works.retain(|work| work.tells_health);
    parts
}

/// Who is the primary and who has the address after a loss, against what was said of it.
fn offices(cluster: &Cluster, lost: &[usize], foretold: &Foretold) -> Vec<String> {
    if !lost.iter().any(|h| cluster.members().contains(h)) {
        return Vec::new();
    }
    let said = |about: &str, words: &str| {
        let mut all = foretold.aftermath.iter();
        all.find(|one| one.about == about && one.says.contains(words))
            .map_or("", |one| &one.says)
    };
    let mut wrong = Vec::new();
    let mut hosts = cluster.hosts();
    let primary = hosts.find(|h| cluster.databases[*h].is_primary());
    let begins = primary.map_or("nobody".to_owned(), |h| cluster.name(h).to_owned());
    let told = said("postgresql", "the primary");
    if !told.starts_with(&format!("{begins} ")) {
        wrong.push(format!("{begins} is the primary, and foretold was: {told}"));
    }
    let holder = cluster.hosts().find(|h| cluster.pgpools[*h].vip);
    let told = said("virtual address", "the holder");
    let right = match holder {
        Some(h) => told.contains(cluster.name(h)),
        None => told.is_empty() && !said("pgpool", "nobody has the virtual address").is_empty(),
    };
    if !right {
        wrong.push(format!(
            "the address is on {holder:?}, and foretold was: {told}"
        ));
    }
    wrong
}

/// Rehearses the loss of these hosts and then brings it about; what came otherwise.
fn compare(site: &Site, start: &Cluster, lost: &[usize]) -> (Foretold, Vec<String>) {
    let sim = Sim::of(start.clone());
    let foretold = rehearsed(site, &sim, lost).unwrap();
    assert_eq!(sim.acts.get(), 0, "a rehearsal does nothing");
    let mut cluster = start.clone();
    for h in lost {
        cluster.power_off(*h);
    }
    cluster.ticks(TICKS);
    let sim = Sim::of(cluster);
    let mut wrong = same(
        "while down:",
        &lights(&foretold.down),
        &lights(&looked(&sim, tell_health(site), health, site)),
    );
    let down = looked(&sim, site.parts(None), refusals_of, site);
    let refused = |refusals: &[(String, Refusal)]| -> Vec<String> {
        let told = refusals.iter();
        told.map(|(layer, it)| format!("{layer} {} {}", it.code, it.because))
            .collect()
    };
    wrong.extend(same(
        "refused while down:",
        &refused(&foretold.refusals),
        &refused(&down),
    ));
    let mut cluster = sim.cluster.into_inner();
    wrong.extend(offices(&cluster, lost, &foretold));
    for h in lost {
        cluster.replace(*h);
        // As `lab replace`, and as an administrator who installs a machine for this place.
        cluster.machines[*h].hostname = site.name(*h).to_string();
    }
    cluster.ticks(TICKS);
    let (plan, _) = site.look(&Sim::of(cluster), None);
    wrong.extend(same("step", &steps(&foretold.plan), &steps(&plan)));
    wrong.extend(same("refusal", &codes(&foretold.plan), &codes(&plan)));
    let waits = |plan: &Plan| -> Vec<String> {
        let waits = plan.waits.iter();
        waits
            .map(|(layer, wait)| format!("{layer}: {}", wait.what))
            .collect()
    };
    wrong.extend(same("wait", &waits(&foretold.plan), &waits(&plan)));
    let unknown = |plan: &Plan| -> Vec<(String, String)> {
        let unknown = plan.unknown.iter();
        unknown
            .map(|one| (one.task.clone(), one.why.clone()))
            .collect()
    };
    wrong.extend(same("unknown", &unknown(&foretold.plan), &unknown(&plan)));
    let advice = |plan: &Plan| -> Vec<(String, Option<HostName>)> {
        let advice = plan.advice.iter();
        advice
            .map(|one| (one.code.clone(), one.host.clone()))
            .collect()
    };
    wrong.extend(same("advice", &advice(&foretold.plan), &advice(&plan)));
    (foretold, wrong)
}

/// What comes otherwise in the simulation than on real hosts, by how it reads, and why. All of it is about lost majorities.
const COARSER: [(&str, &str); 3] = [
    (
        "while down: mount",
        "without a majority of its bricks a volume answers \"Transport endpoint is not connected\" (DOMAIN, G16); the simulated mount answers as long as any brick does",
    ),
    ("step only foretold: (\"mount/again", "as above"),
    (
        "wait not foretold: \"pgpool: Pgpool-II has not noticed yet",
        "without a majority Pgpool-II puts a dead node in quarantine (its manual, `failover_when_quorum_exists`), and sends it nothing; the simulated one goes on calling it up",
    ),
];

fn check(site: &Site, start: &Cluster, lost: &[usize]) -> Foretold {
    let (foretold, wrong) = compare(site, start, lost);
    assert!(
        wrong.is_empty(),
        "the loss of {lost:?}:\n{}",
        wrong.join("\n")
    );
    foretold
}

/// The same of a loss that takes majorities away.
fn check_but(site: &Site, start: &Cluster, lost: &[usize]) -> Foretold {
    let (foretold, mut wrong) = compare(site, start, lost);
    wrong.retain(|line| {
        let mount = line.starts_with("while down: ") && line.contains("foretold: \"mount ");
        let line = if mount { "while down: mount" } else { line };
        !COARSER.iter().any(|(words, _)| line.starts_with(words))
    });
    assert!(
        wrong.is_empty(),
        "the loss of {lost:?}:\n{}",
        wrong.join("\n")
    );
    foretold
}

fn refusals(foretold: &Foretold) -> BTreeSet<String> {
    let codes = codes(&foretold.plan);
    codes.into_iter().map(|(_, code)| code).collect()
}

/// A converged site whose standbys have caught up.
fn converged(site: &Site, seed: u64, any1: bool, databases: usize) -> Cluster {
    let mut blank = Cluster::blank(site.hosts, seed, any1);
    blank.databases_on = databases;
    let mut start = built_of(site, blank);
    start.ticks(TICKS);
    start
}

fn primary(cluster: &Cluster) -> usize {
    let mut hosts = cluster.hosts();
    hosts.find(|h| cluster.databases[*h].is_primary()).unwrap()
}

#[test]
fn the_loss_of_each_of_three_hosts_comes_as_foretold() {
    for any1 in [false, true] {
        let site = site(3, any1);
        let start = converged(&site, 7, any1, 3);
        for h in 0..3 {
            let foretold = check(&site, &start, &[h]);
            assert!(foretold.plan.open().count() > 20, "{foretold:?}");
            assert_eq!(refusals(&foretold), BTreeSet::new());
        }
    }
}

/// Then the primary, the leader of the watchdog and that of the swarm are on other hosts than at first.
#[test]
fn the_loss_of_each_of_three_hosts_comes_as_foretold_after_an_earlier_one() {
    let site = site(3, false);
    let mut cluster = converged(&site, 8, false, 3);
    let first = primary(&cluster);
    cluster.replace(first);
    cluster.ticks(TICKS);
    let sim = Sim::of(cluster);
    let ended = site.apply(&sim);
    assert_eq!(ended.outcome, Some(Outcome::Changed), "{}", why(&ended));
    let mut start = sim.cluster.into_inner();
    start.ticks(TICKS);
    assert_ne!(primary(&start), first);
    for h in 0..3 {
        check(&site, &start, &[h]);
    }
}

#[test]
fn the_loss_of_two_of_three_hosts_comes_as_foretold() {
    let site = site(3, false);
    let start = converged(&site, 9, false, 3);
    for lost in [[0, 1], [0, 2], [1, 2]] {
        let foretold = check_but(&site, &start, &lost);
        let refused: BTreeSet<&str> = foretold
            .refusals
            .iter()
            .map(|(_, refusal)| &*refusal.code)
            .collect();
        let wanted: &[&str] = match lost.contains(&primary(&start)) {
            true => &["S10", "G16", "P9"],
            false => &["S10", "G16"],
        };
        assert!(
            wanted.iter().all(|code| refused.contains(code)),
            "{lost:?}: {refused:?}"
        );
        // What comes before it, blank machines can be given; what is refused then is said with its arithmetic.
        let told = |words: &str| {
            let mut unknown = foretold.plan.unknown.iter();
            unknown.any(|one| one.why.contains(words))
        };
        assert!(told("as seen now it would be refused (S10"), "{foretold:?}");
        assert!(told(
            "1 of the 3 bricks of gvol0 can work, and 2 are needed"
        ));
        for layer in foretold.down.iter().filter_map(|one| one.margin.as_ref()) {
            assert_eq!(layer.can_lose, 0, "{}", layer.because);
        }
    }
}

#[test]
fn the_loss_of_one_and_of_two_of_five_hosts_comes_as_foretold() {
    for databases in [3, 5] {
        let site = site_of(5, databases, false);
        let start = converged(&site, 10, false, databases);
        for h in 0..5 {
            check(&site, &start, &[h]);
        }
        for lost in [[0, 1], [0, 4], [1, 3], [3, 4]] {
            check_but(&site, &start, &lost);
        }
    }
}

/// With two nodes of Pgpool-II one is no majority.
#[test]
fn the_loss_of_one_of_two_databases_comes_as_foretold() {
    let site = site_of(3, 2, false);
    let start = converged(&site, 11, false, 2);
    for h in 0..3 {
        let foretold = check_but(&site, &start, &[h]);
        let mut refused = foretold.refusals.iter();
        let nobody = refused.any(|(_, refusal)| refusal.code == "P9");
        assert_eq!(nobody, h == primary(&start), "{:?}", foretold.refusals);
    }
}

/// What is to be done already is done as well after a loss, and said to be.
#[test]
fn a_loss_beside_other_damage_comes_as_foretold() {
    let site = site(3, false);
    let mut start = converged(&site, 12, false, 3);
    start.happen(Event::EditPassword, 2);
    let foretold = check(&site, &start, &[1]);
    let told = |words: &str| foretold.assumptions.iter().any(|one| one.contains(words));
    assert!(
        told("not as they should be now"),
        "{:?}",
        foretold.assumptions
    );
}

#[test]
fn a_host_that_is_silent_is_lost_already_and_the_document_names_what_it_assumes() {
    let site = site(3, false);
    let start = converged(&site, 13, false, 3);
    let mut broken = start.clone();
    broken.power_off(1);
    match rehearsed(&site, &Sim::of(broken), &[1]) {
        Err(Refused::Silent(host, _)) => assert_eq!(host, site.name(1)),
        other => panic!("{other:?}"),
    }
    let document = || {
        let foretold = rehearsed(&site, &Sim::of(start.clone()), &[1]).unwrap();
        (
            rehearsal::json(&foretold),
            rehearsal::text(&foretold, 3, false),
        )
    };
    let (json, text) = document();
    assert_eq!((json.clone(), text.clone()), document(), "asked twice");
    let assumed = "assumes that ke2-server2 is lost and replaced by a blank machine";
    assert!(text.contains(assumed), "{text}");
    assert_eq!(json["assumes"], assumed);
    assert_eq!(json["plan"]["assumes_lost"][0], "ke2-server2");
    // Nothing that reads plans finds steps in it.
    assert!(json.get("schema").is_none() && json.get("steps").is_none());
    assert!(text.contains("can lose 1 more host: no, because 3 managers, 2 healthy, quorum 2"));
}

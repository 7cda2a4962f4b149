//! What was foretold of a loss, beside what comes of it.

use super::super::cluster::Cluster;
use super::super::fleet::Sim;
use super::super::run::Site;
use super::super::says::VIP;
use provision::apply::{Engine, Mode};
use provision::inventory::HostName;
use provision::module::{Health, Light};
use provision::plan::{Class, Plan, Refusal};
use provision::rehearse::{
    Cast, Foretold, Parts, Premise, Refused, refusals as refusals_of, rehearse,
};
use provision::report::{Redactor, Reporter};
use std::fmt::Debug;

/// Long enough for Pgpool-II to give a node up and to promote another one, and for the managers to see it down.
pub const TICKS: usize = 20;

pub fn rehearsed(site: &Site, sim: &Sim, lost: &[usize]) -> Result<Foretold, Refused> {
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

pub fn codes(plan: &Plan) -> Vec<(String, String)> {
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
/// who of the managers is elected, and which node gets the task of redis, that may run on any.
fn lights(layers: &[Health]) -> Vec<String> {
    let member = |layer: &Health| {
        let told = layer.members.iter().map(|member| {
            let says = match member.light {
                Light::Unknown => String::new(),
                _ => member.says.replace(" Leader", "").replace(", redis;", ";"),
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
const COARSER: [(&str, &str); 5] = [
    (
        "while down: mount",
        "without a majority of its bricks a volume answers \"Transport endpoint is not connected\" (DOMAIN, G16); the simulated mount answers as long as any brick does",
    ),
    ("step only foretold: (\"mount/again", "as above"),
    (
        "while down: shared directory",
        "as above: it is on that volume",
    ),
    (
        "while down: certificates",
        "as above: they are on that volume",
    ),
    (
        "wait not foretold: \"pgpool: Pgpool-II has not noticed yet",
        "without a majority Pgpool-II puts a dead node in quarantine (its manual, `failover_when_quorum_exists`), and sends it nothing; the simulated one goes on calling it up",
    ),
];

pub fn check(site: &Site, start: &Cluster, lost: &[usize]) -> Foretold {
    let (foretold, wrong) = compare(site, start, lost);
    assert!(
        wrong.is_empty(),
        "the loss of {lost:?}:\n{}",
        wrong.join("\n")
    );
    foretold
}

/// The same of a loss that takes majorities away.
pub fn check_but(site: &Site, start: &Cluster, lost: &[usize]) -> Foretold {
    let (foretold, mut wrong) = compare(site, start, lost);
    wrong.retain(|line| {
        let layer = ["mount", "shared directory", "certificates"]
            .into_iter()
            .find(|layer| line.contains(&format!("foretold: \"{layer} ")))
            .filter(|_| line.starts_with("while down: "))
            .map(|layer| format!("while down: {layer}"));
        let line = layer.as_deref().unwrap_or(line);
        !COARSER.iter().any(|(words, _)| line.starts_with(words))
    });
    assert!(
        wrong.is_empty(),
        "the loss of {lost:?}:\n{}",
        wrong.join("\n")
    );
    foretold
}

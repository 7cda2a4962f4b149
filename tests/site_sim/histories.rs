//! Random histories. A printed seed repeats one; what goes wrong is printed with a shortened trace.

use super::cluster::Cluster;
use super::history::{Ending, attempt, moves, shorten};
use super::rng::Rng;
use super::run::Site;
use super::site::{built_of, site_of};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// After so many failures the rest tells nothing new.
const ENOUGH: usize = 3;

/// Fresh histories of a test run.
const FRESH: u64 = 2_000;

/// Seeds of histories that went wrong once, and what was wrong.
const ONCE: [(u64, &str); 9] = [
    (
        1_795_352_351_000_053,
        "a node of RabbitMQ began anew beside those that count it in, and nothing was refused",
    ),
    (
        1_795_354_077_001_656,
        "a node of RabbitMQ came up on another host while a run waited, and it was not seen",
    ),
    (
        1_795_354_077_000_380,
        "under a limit, a stack was deployed beside the share that a host left out had lost",
    ),
    (
        1_795_358_006_009_838,
        "a former primary was stopped that had committed something since it was looked at",
    ),
    (
        1_795_358_006_004_129,
        "while a swarm elected a leader, its layer counted as one that does not exist",
    ),
    (
        1_795_361_228_001_377,
        "a restart was held up for a stack that lacked a node which the run itself had drained",
    ),
    (
        1_795_362_475_000_793,
        "two bricks that had something to heal for a dead one counted as a layer in which nobody is well",
    ),
    (
        1_795_360_418_001_704,
        "a former primary got clients while the act that stops it was on its way, and the law blamed the act",
    ),
    (
        1_795_449_804_003_825,
        "what a stopped host was to do was waited for by ever more looks at once, and the run did not end",
    ),
];

pub struct Ground {
    pub site: Site,
    pub start: Cluster,
}

/// Converged clusters to begin from.
pub fn grounds() -> Vec<Ground> {
    [(3, 3, true), (3, 3, false), (5, 3, true)]
        .into_iter()
        .map(|(hosts, databases, any1)| {
            let site = site_of(hosts, databases, any1);
            let mut blank = Cluster::blank(hosts, 7, any1);
            blank.databases_on = databases;
            let start = built_of(&site, blank);
            Ground { site, start }
        })
        .collect()
}

/// Plays the history of a seed.
pub fn of_seed(grounds: &[Ground], seed: u64) -> Result<Ending, String> {
    let mut rng = Rng::new(seed);
    let ground = &grounds[rng.below(grounds.len())];
    let moves = moves(&mut rng, ground.site.hosts);
    let mut start = ground.start.clone();
    start.rng = Rng::new(seed ^ 0x5eed);
    attempt(&ground.site, &start, &moves, None).map_err(|why| {
        let short = shorten(&ground.site, &start, &moves, None);
        let first = why.lines().next().unwrap_or_default();
        format!(
            "PROVISION_SIM_SEED={seed}: {first}\nshortened to {:?}\n{}",
            short.0, short.1
        )
    })
}

/// Every `step`th of the seeds from `first` on.
fn part(first: u64, step: u64, count: u64) -> (Vec<String>, BTreeMap<String, usize>) {
    let grounds = grounds();
    let mut wrong = Vec::new();
    let mut endings = BTreeMap::new();
    for n in (0..count).step_by(usize::try_from(step).unwrap()) {
        let seed = first.wrapping_add(n);
        match of_seed(&grounds, seed) {
            Ok(Ending::Second) => {
                println!("PROVISION_SIM_SEED={seed}: well by a second run");
                *endings
                    .entry("well by a second run".to_owned())
                    .or_default() += 1;
            }
            Ok(Ending::Well) => *endings.entry("well".to_owned()).or_default() += 1,
            Ok(ending) => *endings.entry(format!("{ending:?}")).or_default() += 1,
            Err(why) => wrong.push(why),
        }
        if wrong.len() == ENOUGH {
            break;
        }
    }
    (wrong, endings)
}

fn play(first: u64, count: u64) {
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let mut wrong = Vec::new();
    let mut endings: BTreeMap<String, usize> = BTreeMap::new();
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|at| scope.spawn(move || part(first.wrapping_add(at), threads, count - at)))
            .collect();
        for part in parts {
            let (failures, ends) = part.join().unwrap();
            wrong.extend(failures);
            for (end, count) in ends {
                *endings.entry(end).or_default() += count;
            }
        }
    });
    assert!(
        wrong.is_empty(),
        "at least {} histories go wrong:\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    let took = began.elapsed();
    println!("{count} histories from seed {first} in {took:?}: {endings:#?}");
    assert!(took < Duration::from_secs(24 * 3600));
}

pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The same in each run: what once went right goes on doing so.
#[test]
fn histories_that_are_always_played() {
    if number("PROVISION_SIM_SEED").is_none() {
        play(0, number("PROVISION_SIM_HISTORIES").unwrap_or(60));
    }
}

#[test]
fn histories_that_went_wrong_once() {
    let grounds = grounds();
    for (seed, what) in ONCE {
        of_seed(&grounds, seed).unwrap_or_else(|why| panic!("{what}: {why}"));
    }
}

/// Others in each run; `PROVISION_SIM_SEED=n` repeats one.
#[test]
fn fresh_histories() {
    if let Some(seed) = number("PROVISION_SIM_SEED") {
        let ended = of_seed(&grounds(), seed);
        println!("{ended:?}");
        ended.unwrap_or_else(|why| panic!("{why}"));
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let first = now.as_secs() * 1_000_000;
    println!("seeds from {first}");
    play(first, number("PROVISION_SIM_FRESH").unwrap_or(FRESH));
}

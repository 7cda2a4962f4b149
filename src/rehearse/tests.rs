//! Each transformed answer by itself: what the hosts say now, and what they would say.

mod blank;
mod database;
mod gluster;
mod stack;
mod swarm;

use super::{Fate, Premise, Recorder, Rehearsed, Scene};
use crate::apply::{Done, Fleet};
use crate::inventory::HostName;
use crate::plan::Act;
use crate::probe::docker::{Docker, Engine, Swarm};
use crate::probe::{Answer, Query, Seen};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Hosts that say what they were given, and note what they were asked.
#[derive(Default)]
struct Told {
    says: BTreeMap<(HostName, Query), Answer>,
    asked: RefCell<Vec<(HostName, Query)>>,
}

impl Fleet for Told {
    async fn ask(&self, host: &HostName, queries: BTreeSet<Query>) -> Vec<(Query, Seen<Answer>)> {
        let answer = |query: Query| {
            let key = (host.clone(), query);
            let found = self.says.get(&key).cloned();
            let seen = found.map_or(Seen::Unknown("silent".to_owned()), Seen::Is);
            self.asked.borrow_mut().push(key.clone());
            (key.1, seen)
        };
        queries.into_iter().map(answer).collect()
    }

    async fn act(&self, host: &HostName, acts: Vec<Act>, _: impl FnMut(Done)) {
        panic!("{host} was told to act: {acts:?}");
    }

    fn unreachable(&self, _: &HostName) -> Option<String> {
        None
    }
}

fn host(n: usize) -> HostName {
    HostName::new(format!("ke2-server{n}"))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    { runtime }.build().unwrap().block_on(future)
}

fn premise(all: usize, lost: &[usize]) -> Premise {
    Premise {
        hosts: (1..=all).map(host).collect(),
        lost: lost.iter().map(|n| host(*n)).collect(),
        vip: "10.20.0.100".parse().ok(),
    }
}

impl Told {
    fn says(mut self, n: usize, query: Query, answer: Answer) -> Self {
        self.says.insert((host(n), query), answer);
        self
    }

    /// All that the hosts say now.
    fn told(&self, all: usize) -> Recorder<'_, Self> {
        let recorder = Recorder::new(self);
        run(async {
            for n in 1..=all {
                let known = self.says.keys().filter(|(of, _)| *of == host(n));
                let queries = known.map(|(_, query)| query.clone()).collect();
                recorder.ask(&host(n), queries).await;
            }
        });
        recorder
    }

    /// What host `of` of `all` answers, when `lost` are.
    fn rehearsed(
        &self,
        all: usize,
        lost: &[usize],
        scene: Scene,
        of: usize,
        query: &Query,
    ) -> Seen<Answer> {
        let recorder = self.told(all);
        let fate = recorder.read(|memory| Fate::new(&premise(all, lost), memory));
        run(async {
            let fleet = Rehearsed::new(&recorder, &fate, scene);
            let told = fleet.ask(&host(of), BTreeSet::from([query.clone()])).await;
            told.into_iter().next().unwrap().1
        })
    }

    /// What is said about a loss.
    fn aftermath(&self, all: usize, lost: &[usize]) -> Vec<(String, bool)> {
        self.told(all).read(|memory| {
            let told = Fate::new(&premise(all, lost), memory).aftermath(memory);
            told.into_iter()
                .map(|one| (format!("{}: {}", one.about, one.says), one.decided))
                .collect()
        })
    }
}

/// An engine that is an active manager of a swarm, or nearly.
fn engine(n: usize, manager: bool) -> Answer {
    Answer::Docker(Docker {
        installed: true,
        engine: Some(Engine {
            server_version: "26.1.5".to_owned(),
            swarm: Swarm {
                node_id: format!("n{n}"),
                local_node_state: "active".to_owned(),
                control_available: manager,
                ..Swarm::default()
            },
            ..Engine::default()
        }),
        ..Docker::default()
    })
}

#[test]
fn nothing_is_done_and_nothing_is_asked_twice() {
    let told = Told::default().says(1, Query::Docker, engine(1, true));
    let premise = Premise {
        hosts: vec![host(1), host(2)],
        lost: BTreeSet::from([host(2)]),
        vip: None,
    };
    let recorder = Recorder::new(&told);
    let fate = recorder.read(|memory| Fate::new(&premise, memory));
    run(async {
        for scene in [Scene::Down, Scene::Replaced] {
            let fleet = Rehearsed::new(&recorder, &fate, scene);
            let mut ended = Vec::new();
            let acts = vec![Act::RemovePath { path: "/x".into() }; 2];
            for n in [1, 2] {
                fleet
                    .act(&host(n), acts.clone(), |done| ended.push(done))
                    .await;
                fleet.ask(&host(n), BTreeSet::from([Query::Docker])).await;
            }
            assert_eq!(ended.len(), 4);
            assert!(ended.iter().all(|done| matches!(done, Done::Failed { .. })));
        }
        recorder
            .act(
                &host(1),
                vec![Act::RemovePath { path: "/x".into() }],
                |done| {
                    assert!(matches!(done, Done::Failed { .. }));
                },
            )
            .await;
    });
    let asked = told.asked.borrow();
    let first = asked.iter().filter(|(of, _)| *of == host(1)).count();
    assert_eq!(first, 1, "{asked:?}");
}

#[test]
fn a_lost_host_is_silent_until_it_is_replaced() {
    let told = Told::default().says(2, Query::Docker, engine(2, true));
    let down = told.rehearsed(2, &[2], Scene::Down, 2, &Query::Docker);
    assert!(
        down.unknown()
            .is_some_and(|why| why.contains("--assume-lost")),
        "{down:?}"
    );
    let replaced = told.rehearsed(2, &[2], Scene::Replaced, 2, &Query::Docker);
    assert!(replaced.known().is_some(), "{replaced:?}");
}

//! What no act of provision may ever do, whatever the hosts are like: checked around each act.

use super::cluster::Cluster;
use super::database::{Data, Instance};
use super::sent::{Sent, stops_database};
use super::stack_law;
use provision::plan::{Act, Class, GlusterAct, PgpoolAct, PostgresAct, SwarmAct, UnitVerb};
use std::collections::BTreeSet;

/// What an act can only make better.
pub struct Before {
    quorums: Vec<(bool, usize)>,
    writable: bool,
    watched: bool,
    served: bool,
    primaries: usize,
    rows: BTreeSet<u32>,
    lines: BTreeSet<u32>,
    data: Vec<Instance>,
    stack: stack_law::Before,
}

/// Hosts that have lost nothing: a disruption of one of them must find all others well. A swarm without a quorum has
/// nobody who is well: as for the health gate, nothing of it is left to protect until a person has decided (S10).
fn is_well(cluster: &Cluster, h: usize) -> bool {
    let mut swarms = 0..cluster.swarm.clusters.len();
    let decides = swarms.clone().any(|c| cluster.swarm.quorum(c));
    let heard = swarms.any(|c| {
        let disk = cluster.swarm.hosts[h].disk.as_ref();
        disk.is_some_and(|disk| disk.cluster == c && cluster.swarm.heard(c, &disk.node))
    });
    let swarm = heard || !decides;
    let volume = cluster.gluster[h].volume.as_ref();
    let owns = volume.is_some_and(|it| it.bricks.iter().any(|(host, _)| host == cluster.name(h)));
    let brick = cluster.gluster[h].brick || !owns;
    let database = cluster.databases[h].is_primary() || cluster.streams(h).is_some();
    let without = cluster.databases.iter().all(|one| one.data.is_none());
    let pgpool = cluster.pgpools[h].quorum || without;
    let member = cluster.members().contains(&h);
    swarm && brick && (!member || ((database || without) && pgpool))
}

impl Before {
    pub fn new(cluster: &Cluster, act: &Act, sent: &Sent) -> Self {
        let swarm = &cluster.swarm;
        let quorum = |c| (swarm.quorum(c), swarm.voters(c));
        Self {
            quorums: (0..swarm.clusters.len()).map(quorum).collect(),
            writable: writable(cluster),
            watched: cluster.pgpools.iter().any(|one| one.quorum),
            served: sent.served && cluster.served().is_some() && !sent.fences(act),
            primaries: primaries(cluster),
            rows: cluster.kept_rows(),
            lines: cluster.kept_lines(),
            data: cluster.databases.clone(),
            stack: stack_law::Before::new(cluster),
        }
    }

    /// After the act.
    pub fn check(&self, cluster: &Cluster, h: usize, act: &Act) {
        let what = format!("{act:?} on {}", cluster.name(h));
        for (c, (had, voters)) in self.quorums.iter().enumerate() {
            // Who is alone founds, and from one manager to two the second is needed at once.
            let lost = *had && *voters > 1 && !cluster.swarm.quorum(c);
            assert!(!lost, "{what} cost the quorum of a swarm of {voters}");
        }
        assert!(
            !self.writable || writable(cluster),
            "{what} cost the majority of the volume's bricks"
        );
        let restart = matches!(
            act,
            Act::Unit {
                verb: UnitVerb::Restart,
                ..
            }
        );
        assert!(
            !self.watched || restart || cluster.pgpools.iter().any(|one| one.quorum),
            "{what} cost the watchdog's majority"
        );
        assert!(
            !self.served || restart || cluster.served().is_some(),
            "{what} took the database away from its clients"
        );
        let now = primaries(cluster);
        assert!(
            now <= 1 || now <= self.primaries,
            "{what} made a second primary"
        );
        let rows = cluster.kept_rows();
        let lost: Vec<u32> = self.rows.difference(&rows).copied().collect();
        assert!(
            lost.is_empty(),
            "{what} destroyed the last copy of rows {lost:?}"
        );
        let lines = cluster.kept_lines();
        let lost: Vec<u32> = self.lines.difference(&lines).copied().collect();
        assert!(
            lost.is_empty(),
            "{what} destroyed the last copy of lines {lost:?}"
        );
        self.copies(cluster, &what);
        self.stack.check(cluster, &what);
    }

    /// A copy only ever takes the place of data that it holds all of.
    fn copies(&self, cluster: &Cluster, what: &str) {
        for (h, was) in self.data.iter().enumerate() {
            let is = &cluster.databases[h];
            if is.aside.len() == was.aside.len() {
                continue;
            }
            let (Some(old), Some(new)) = (&was.data, &is.data) else {
                continue;
            };
            let name = cluster.name(h);
            assert_eq!(
                old.system, new.system,
                "{what} replaced another cluster's data on {name}"
            );
            let ids =
                |data: &Data| -> BTreeSet<u32> { data.rows.iter().map(|row| row.id).collect() };
            let (had, has) = (ids(old), ids(new));
            let lost: Vec<u32> = had.difference(&has).copied().collect();
            assert!(
                lost.is_empty(),
                "{what} replaced a good copy on {name} by one that lacks rows {lost:?}"
            );
            assert!(
                !was.running,
                "{what} replaced the data of a server that runs on {name}"
            );
        }
    }
}

/// What must be so before an act is begun.
pub fn permit(cluster: &Cluster, h: usize, act: &Act, (sent, dark): (&Sent, Option<usize>)) {
    let name = cluster.name(h);
    let founds = |what: &str, trace: &dyn Fn(usize) -> bool| {
        for p in cluster.hosts() {
            let other = cluster.name(p);
            assert!(
                !trace(p),
                "{what} is founded though {other} has a trace of one"
            );
            let silent = (!cluster.swarm.reachable(p) || cluster.mute[p]) && dark != Some(p);
            assert!(!silent, "{what} is founded though {other} does not answer");
        }
    };
    match act {
        Act::Swarm(SwarmAct::Init { .. }) => {
            founds("a swarm", &|p| cluster.swarm.hosts[p].disk.is_some());
            let ready = cluster
                .hosts()
                .all(|p| cluster.machines[p].opens("2377/tcp"));
            assert!(ready, "a swarm is founded behind closed ports");
        }
        Act::Swarm(SwarmAct::Leave) => {
            let disk = cluster.swarm.hosts[h].disk.as_ref().unwrap();
            let nodes = &cluster.swarm.clusters[disk.cluster].nodes;
            assert!(
                !nodes.contains_key(&disk.node),
                "{name} leaves a swarm that lists it"
            );
        }
        Act::Swarm(SwarmAct::Forget { id }) => {
            let held = (0..cluster.swarm.clusters.len()).find_map(|c| cluster.swarm.holder(c, id));
            assert!(
                held.is_none(),
                "a node that {held:?} still is, is taken off the roster"
            );
        }
        Act::Swarm(SwarmAct::Demote { id }) => {
            let quorum = |c: usize| cluster.swarm.clusters[c].nodes.contains_key(id);
            for c in (0..cluster.swarm.clusters.len()).filter(|c| quorum(*c)) {
                let (voters, heard) = (cluster.swarm.voters(c), cluster.swarm.voters_heard(c));
                let own = usize::from(cluster.swarm.heard(c, id));
                assert!(
                    heard - own > (voters - 1) / 2,
                    "a manager is demoted though that costs the quorum"
                );
            }
        }
        Act::Gluster(GlusterAct::Create { .. }) => {
            founds("a volume", &|p| {
                cluster.gluster[p].volume.is_some() || cluster.gluster[p].folder.is_some()
            });
        }
        Act::Gluster(GlusterAct::ResetBrick { brick, .. }) => {
            let b = brick.split(':').next().and_then(|host| cluster.host(host));
            let others = cluster
                .hosts()
                .filter(|p| Some(*p) != b && cluster.gluster[*p].brick)
                .count();
            assert!(
                others + 1 >= cluster.brick_count(),
                "{brick} is made again while only {others} others work"
            );
        }
        Act::Postgres(PostgresAct::Initdb { .. }) => {
            founds("a database", &|p| cluster.databases[p].data.is_some());
        }
        Act::Postgres(PostgresAct::Start { .. }) => start(cluster, h),
        Act::Stack(act) => stack_law::permit(cluster, h, act, dark),
        Act::Pgpool(PgpoolAct::Recover { node, .. }) => {
            let target = cluster.seat_host(h, *node).unwrap();
            let runs = cluster.databases[target].running;
            assert!(
                !runs,
                "a recovery is begun towards {target}, whose server runs"
            );
            let primary = cluster.hosts().find(|p| cluster.databases[*p].is_primary());
            assert!(primary.is_some(), "a recovery is begun without a primary");
        }
        Act::Unit {
            verb: UnitVerb::Restart | UnitVerb::Stop,
            unit,
        } => {
            if stops_database(act) {
                assert!(
                    sent.deposed || Sent::new(cluster, h).deposed,
                    "{name}'s server is stopped, and has what nobody else has, or is in use"
                );
            }
            for p in cluster.hosts().filter(|p| *p != h) {
                assert!(
                    is_well(cluster, p) || !is_well(cluster, h),
                    "{unit} of {name} is stopped while {} is not well",
                    cluster.name(p)
                );
            }
        }
        _ => {}
    }
}

/// A primary is only started when nobody else is one, or knows more.
fn start(cluster: &Cluster, h: usize) {
    let Some(own) = &cluster.databases[h].data else {
        return;
    };
    for p in cluster.hosts().filter(|p| *p != h) {
        let Some(other) = &cluster.databases[p].data else {
            continue;
        };
        let both = !own.standby && cluster.databases[p].is_primary();
        assert!(
            !both,
            "a second primary is started beside {}",
            cluster.name(p)
        );
        assert!(
            own.standby || other.newest() <= own.newest(),
            "the primary of an older timeline is started than that of {}",
            cluster.name(p)
        );
    }
}

fn writable(cluster: &Cluster) -> bool {
    let mut hosts = cluster.hosts();
    hosts.any(|h| cluster.power(h) && cluster.mount_answers(h))
}

fn primaries(cluster: &Cluster) -> usize {
    cluster
        .hosts()
        .filter(|h| cluster.databases[*h].is_primary())
        .count()
}

/// What holds of every plan.
pub fn check_plan(cluster: &Cluster, plan: &provision::plan::Plan) {
    for planned in plan.open() {
        let step = &planned.step;
        let h = cluster.host(step.subject.as_str()).unwrap();
        assert!(
            cluster.swarm.reachable(h) || step.class != Class::Found,
            "{} is planned for a host that does not answer",
            step.id
        );
        assert!(
            !matches!(step.class, Class::Destroy(_)),
            "{} destroys, and nobody allowed it",
            step.id
        );
    }
}

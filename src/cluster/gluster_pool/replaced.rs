//! G2: the pool knows a host, and the host knows of no pool: it was installed anew, or lost `/var/lib/glusterd`. It gets
//! its identity back, and its volumes from the pool; before that the empty folders of its bricks, which the volumes need
//! to find when they come (EXPERIMENTS, T5 and T5d). Each step is seen on the host, so that a run that broke off goes on.

use super::refuse;
use super::state::{FormerBrick, Here, Place};
use super::table::{Whole, assumed, gluster};
use crate::inventory::HostName;
use crate::plan::{
    Act, Claim, Class, Decision, Expect, GlusterAct, GlusterExpect, Member, Step, StepId, Wait,
};
use crate::probe::gluster::Peer;
use crate::probe::{Query, Seen};

/// How long the members may take to notice that the former machine is gone, in seconds.
const NOTICE_S: u64 = 120;

impl<'a> Whole<'a> {
    /// What brings the host back, or why nothing is done for it.
    pub(super) fn replaced(
        &self,
        host: &'a HostName,
        uuid: &str,
        former: &Peer,
        decision: &mut Decision,
    ) {
        if let Some(why) = self.not_now(host) {
            decision
                .refusals
                .push(refuse::replaced(self, host, former, &why));
            return;
        }
        let none = Vec::new();
        let bricks = self.state.bricks.get(host).unwrap_or(&none);
        let mut steps = Vec::new();
        let mut there = Vec::new();
        for brick in bricks {
            let folder = match &brick.folder {
                Seen::Is(folder) => folder,
                Seen::Unknown(why) => {
                    let why = format!("what is at {} could not be seen: {why}", brick.path);
                    decision
                        .refusals
                        .push(refuse::replaced(self, host, former, &why));
                    return;
                }
            };
            // A brick that is whole comes back with its files: the disk was kept.
            if !folder.is_brick_of(&brick.id) {
                if let Some(why) = obstacle(brick, folder, self.pool.on_root) {
                    decision
                        .refusals
                        .push(refuse::replaced(self, host, former, &why));
                    return;
                }
                if folder.kind == "absent" {
                    steps.push(make_folder(
                        host,
                        brick,
                        &folder.mount_point,
                        self.pool.on_root,
                    ));
                }
            }
            let query = Query::GlusterBrick(brick.path.clone());
            let expect = Expect::Gluster(GlusterExpect::IsFolder);
            there.push(Claim::new(host, query, expect));
        }
        if *uuid != former.uuid {
            let mut step = self.restore(host, former, &there);
            step.assumes.extend(assumed(self.pool, self.state, host));
            for (by, place) in &self.speakers {
                let gone = gluster(by, GlusterExpect::NotSeen(former.uuid.clone()));
                let seen = |peer: &&Peer| peer.uuid == former.uuid && peer.is_well();
                if place.peers.iter().any(|peer| seen(&peer)) {
                    decision.waits.push(Wait {
                        what: format!(
                            "{by} still takes {} for the machine that {host} was; when that stays, another machine uses its identity",
                            former.uuid
                        ),
                        until: gone.clone(),
                        deadline_s: NOTICE_S,
                    });
                }
                step = step.need(gone);
            }
            steps.push(step);
        }
        steps.extend(self.rejoin(host, former, &there));
        decision.steps.extend(steps);
    }

    /// Why the host cannot be brought back now: the others must all be there, and see each other.
    fn not_now(&self, host: &HostName) -> Option<String> {
        for other in self.pool.hosts.iter().filter(|other| *other != host) {
            let here = self.pool.here(self.state, other);
            if let Here::Blank { uuid, .. } = here
                && !self
                    .members
                    .iter()
                    .any(|(_, place)| place.knows(other, uuid).is_some())
            {
                // It was never in the pool, and is taken into it by itself.
                continue;
            }
            let Here::Member(place) = here else {
                return Some(format!(
                    "the other members must all be there, and {other} is not ({})",
                    here.says()
                ));
            };
            let unseen = self.speakers.iter().find(|(third, _)| {
                third != &other && !self.entry(place, third).is_some_and(Peer::is_well)
            });
            if let Some((third, _)) = unseen {
                return Some(format!(
                    "the other members must see each other, and {other} does not see {third}"
                ));
            }
        }
        None
    }

    /// The names of the members but some.
    fn others(&self, but: &[&HostName]) -> Vec<String> {
        let members = self.members.iter().map(|(host, _)| *host);
        let others = members.filter(|host| !but.contains(host));
        others.map(ToString::to_string).collect()
    }

    fn restore(&self, host: &HostName, former: &Peer, there: &[Claim]) -> Step {
        let op_version = self
            .speakers
            .first()
            .map(|(_, place)| place.op_version.clone());
        let mut step = Step::new(
            StepId::new(&["gluster_pool", "restore-identity", host.as_str()]),
            host,
            Class::Repair,
            format!(
                "the pool knows it as {}, and it knows of no pool: it was installed anew, or lost /var/lib/glusterd",
                former.uuid
            ),
            Act::Gluster(GlusterAct::Restore {
                uuid: former.uuid.clone(),
                op_version: op_version.unwrap_or_default(),
            }),
        )
        .need(gluster(host, GlusterExpect::Blank));
        step.needs.extend(there.iter().cloned());
        for (by, _) in &self.speakers {
            step = step.need(gluster(by, GlusterExpect::Peers(self.others(&[host, by]))));
        }
        step.done(gluster(host, GlusterExpect::Identity(former.uuid.clone())))
    }

    fn rejoin(&self, host: &HostName, former: &Peer, there: &[Claim]) -> Option<Step> {
        let (speaker, told) = self.speakers.first()?;
        let mut step = Step::new(
            StepId::new(&["gluster_pool", "rejoin", host.as_str()]),
            host,
            Class::Repair,
            "it has its identity, and not its pool: it is given the other members, and they tell it of the volumes",
            Act::Gluster(GlusterAct::Rejoin {
                members: members(speaker, told, former),
                volumes: told.volumes.clone(),
            }),
        )
        .need(gluster(host, GlusterExpect::Identity(former.uuid.clone())))
        .need(gluster(host, GlusterExpect::Blank));
        step.needs.extend(there.iter().cloned());
        Some(step.done(gluster(host, GlusterExpect::Peers(self.others(&[host])))))
    }
}

/// The pool as a member tells of it, without a host.
fn members(speaker: &HostName, told: &Place, but: &Peer) -> Vec<Member> {
    let own = Member {
        uuid: told.uuid.clone(),
        hostnames: vec![speaker.to_string()],
    };
    let others = told.peers.iter().filter(|peer| peer.uuid != but.uuid);
    let others = others.map(|peer| Member {
        uuid: peer.uuid.clone(),
        hostnames: peer.hostnames.clone(),
    });
    std::iter::once(own).chain(others).collect()
}

fn make_folder(host: &HostName, brick: &FormerBrick, mount_point: &str, on_root: bool) -> Step {
    let query = Query::GlusterBrick(brick.path.clone());
    let claim = |expect| Claim::new(host, query.clone(), Expect::Gluster(expect));
    Step::new(
        StepId::new(&["gluster_pool", "brick-folder", host.as_str(), &brick.volume]),
        host,
        Class::Create,
        format!(
            "the volume {} must find the folder when it comes",
            brick.volume
        ),
        Act::Gluster(GlusterAct::BrickFolder {
            path: brick.path.clone(),
            mount_point: mount_point.to_owned(),
        }),
    )
    .need(claim(GlusterExpect::Untouched { on_root }))
    .done(claim(GlusterExpect::IsFolder))
}

/// Why no empty folder can stand where the brick was.
fn obstacle(
    brick: &FormerBrick,
    folder: &crate::probe::brick::Folder,
    on_root: bool,
) -> Option<String> {
    let path = &brick.path;
    if !folder.unmounted.is_empty() {
        Some(format!(
            "{} is to be mounted there by /etc/fstab, and is not",
            folder.unmounted
        ))
    } else if folder.on_root && !on_root {
        Some(format!(
            "{path} would be on the root file system: the disk of the brick is not mounted"
        ))
    } else if !folder.parent || folder.is_mount {
        Some(format!(
            "the disk of the brick {path} is not mounted above it"
        ))
    } else if folder.traces().is_empty() {
        None
    } else {
        Some(format!(
            "{path} is neither empty nor the brick of {}: {}",
            brick.volume,
            folder.traces().join(", ")
        ))
    }
}

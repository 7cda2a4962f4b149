//! G0: no trace of a volume is seen anywhere. A new one is made only when every host answered and every brick's
//! folder was never used: with `force` gluster itself would adopt another volume's.

use super::table::{about_status, about_volume};
use super::{GlusterVolume, State, options, refuse};
use crate::inventory::HostName;
use crate::plan::{
    Act, Claim, Class, Decision, Expect, GlusterAct, GlusterExpect, Refusal, Step, StepId, Via,
};
use crate::probe::{Query, Seen};

/// Makes the volume, sets its options and starts it; or says why not.
pub(super) fn decide(volume: &GlusterVolume, state: &State) -> Decision {
    let mut decision = Decision {
        refusals: obstacles(volume, state),
        ..Decision::default()
    };
    let Some(founder) = volume.hosts.first() else {
        return decision;
    };
    if !decision.refusals.is_empty() {
        return decision;
    }
    decision.steps.push(create(volume, state, founder));
    for (key, value) in &volume.options {
        decision.steps.push(options::set(
            volume,
            founder,
            key,
            value,
            "it is declared".to_owned(),
        ));
    }
    decision.steps.push(start(volume, founder, volume.replica));
    decision
}

/// What speaks against making it, on each host that answered.
pub(super) fn obstacles(volume: &GlusterVolume, state: &State) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = refuse::other_volumes(volume, state).into_iter().collect();
    for host in volume.brick_hosts() {
        match state.folder(host) {
            Some(Seen::Is(folder)) => refusals.extend(refuse::unusable(volume, host, folder)),
            // A host that does not answer at all is said to be unreachable already.
            Some(Seen::Unknown(why)) if state.gluster(host).is_some() => {
                refusals.push(refuse::unseen(volume, host, why));
            }
            _ => {}
        }
    }
    refusals
}

fn create(volume: &GlusterVolume, state: &State, founder: &HostName) -> Step {
    let on_root = volume.brick_hosts().iter().any(|host| {
        let folder = state.folder(host).and_then(Seen::known);
        folder.is_some_and(|folder| folder.on_root)
    });
    let act = Act::Gluster(GlusterAct::Create {
        volume: volume.name.clone(),
        replica: volume.replica,
        arbiter: volume.arbiter,
        bricks: volume
            .brick_hosts()
            .iter()
            .map(|host| format!("{host}:{}", volume.brick))
            .collect(),
        force: on_root,
    });
    let why = format!(
        "all {} hosts answered, none has a volume or a trace of one, and nothing has ever been in the bricks' folders",
        volume.hosts.len()
    );
    let id = StepId::new(&["gluster_volume", "create", &volume.name]);
    let others: Vec<String> = volume.hosts[1..].iter().map(ToString::to_string).collect();
    let mut step = Step::new(id, founder, Class::Found, why, act)
        .via(Via::Host(founder.clone()))
        .need(Claim::new(
            founder,
            Query::Gluster,
            Expect::Gluster(GlusterExpect::Peers(others)),
        ));
    for host in &volume.hosts {
        step = step.need(about_volume(host, volume, GlusterExpect::NoVolume));
    }
    for host in volume.brick_hosts() {
        let expect = GlusterExpect::Untouched {
            on_root: volume.on_root,
        };
        let query = Query::GlusterBrick(volume.brick.clone());
        step = step.need(Claim::new(host, query, Expect::Gluster(expect)));
        let folder = state.folder(host).and_then(Seen::known);
        if let Some(folder) =
            folder.filter(|folder| folder.kind == "directory" && !folder.marks_read)
        {
            step = step.assume(format!(
                "{} on {host} ({}) has no marks of a volume: they can be read once the package attr is there",
                volume.brick, folder.file_system
            ));
        }
    }
    for host in &volume.hosts {
        if state.gluster(host).is_none_or(|gluster| !gluster.running) {
            step = step.assume(format!(
                "{host} has no volume: glusterd does not run there yet, and its disk shows no trace of one"
            ));
        }
    }
    step.done(about_volume(
        founder,
        volume,
        GlusterExpect::VolumeIs("Created".to_owned()),
    ))
}

/// Starts a volume that was never started.
pub(super) fn start(volume: &GlusterVolume, via: &HostName, bricks: usize) -> Step {
    let act = Act::Gluster(GlusterAct::Start {
        volume: volume.name.clone(),
        force: false,
    });
    let id = StepId::new(&["gluster_volume", "start", &volume.name]);
    let founder = &volume.hosts[0];
    Step::new(id, founder, Class::Create, "it was never started", act)
        .via(Via::Host(via.clone()))
        .need(about_volume(
            via,
            volume,
            GlusterExpect::VolumeIs("Created".to_owned()),
        ))
        .done(about_status(via, volume, GlusterExpect::Online(bricks)))
}

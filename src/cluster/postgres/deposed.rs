//! P7 and ruling 3: a primary that was cut off, and comes back beside the one that was promoted meanwhile. Nobody follows
//! it, it still writes, and clients that know its address would be heard. When it certainly has no commit that the present
//! primary lacks, it is stopped: then it is the former primary of row P4. Pgpool-II may have gone back to it, and finds
//! the present one when it is stopped, provided that its `failover.sh` promotes nobody beside a primary that lives.

use super::led::is_streaming;
use super::state::Here;
use super::table::claim;
use super::{Postgres, State, steps};
use crate::inventory::HostName;
use crate::plan::{
    Act, Claim, Class, Expect, PgpoolExpect, PostgresExpect, Step, StepId, UnitVerb, Wait,
};
use crate::probe::pgpool::Watchdog;
use crate::probe::postgres::Server;
use crate::probe::{Answer, Query};

/// How long the daemons of Pgpool-II may take to find each other and agree, in seconds.
const NOTICE_S: u64 = 120;

/// Of two primaries, who was deposed by whom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Deposed<'a> {
    /// The one that nobody follows any more.
    pub former: &'a HostName,
    /// The one on the newer timeline, which began on the former one's.
    pub primary: &'a HostName,
    /// What it tells.
    pub server: &'a Server,
    /// One that follows it.
    pub follower: &'a HostName,
}

/// Only what is beyond doubt: two primaries, everybody else answers, the newer timeline has left the older one, somebody
/// streams from it, and nobody from the older one. A standby that was promoted by hand beside a primary that works is
/// followed by nobody, so this is not about it.
pub(super) fn find<'a>(of: &'a Postgres, state: &'a State) -> Option<Deposed<'a>> {
    let here = |host: &HostName| of.here(state, host);
    let mut primaries: Vec<(&HostName, &Server)> = of
        .members
        .iter()
        .filter_map(|host| Some((host, here(host).primary()?)))
        .collect();
    primaries.sort_by_key(|(_, server)| server.timeline);
    let [(former, old), (primary, server)] = primaries[..] else {
        return None;
    };
    let silent = |host: &HostName| matches!(here(host), Here::Silent(_));
    if of.members.iter().any(silent) || !old.senders.is_empty() {
        return None;
    }
    let history = &here(primary).disk()?.history;
    let left = |timeline| history.iter().any(|fork| fork.timeline == timeline);
    if !left(old.timeline) || old.timeline >= server.timeline {
        return None;
    }
    let follower = of.members.iter().find(|host| {
        let standby = here(host).standby();
        standby.is_some_and(|standby| is_streaming(standby) && standby.timeline == server.timeline)
    })?;
    Some(Deposed {
        former,
        primary,
        server,
        follower,
    })
}

/// What is to become of it.
pub(super) enum Verdict {
    /// It is stopped: nothing is lost by that, or a person gave it up.
    Stop(Box<Step>),
    /// Pgpool-II does not send its clients to the present primary, and would promote a third one.
    Served(Vec<Wait>),
    /// A person decides.
    Open,
}

pub(super) fn judge(of: &Postgres, state: &State, deposed: Deposed<'_>) -> Verdict {
    let Deposed {
        former,
        primary,
        follower,
        ..
    } = deposed;
    let Some(disk) = of.here(state, former).disk() else {
        return Verdict::Open;
    };
    let (why, still_nothing) = match state.beyond(former) {
        Some(beyond) if beyond.is_nothing() => (
            beyond.says(former),
            Some(beyond.is_still_nothing(former, &of.about)),
        ),
        _ if steps::is_given_up(of, former, disk) => {
            ("what it has beyond it is given up".to_owned(), None)
        }
        _ => return Verdict::Open,
    };
    let mut step = Step::new(
        StepId::new(&["postgres", "fence", former.as_str()]),
        former,
        Class::Repair,
        format!("{primary} was promoted in its place and {follower} follows that one; {why}"),
        Act::Unit {
            unit: of.unit.clone(),
            verb: UnitVerb::Stop,
        },
    )
    .need(claim(of, primary, PostgresExpect::Primary))
    .need(claim(of, follower, PostgresExpect::Streaming))
    .done(claim(of, former, PostgresExpect::Stopped));
    let mut waits = Vec::new();
    for (host, tells) in &state.pgpools {
        // Without a majority it has no clients, and what does not run has none either.
        let serves = tells.known().is_none_or(|pgpool| {
            let majority = pgpool.watchdog.as_ref().is_none_or(Watchdog::has_quorum);
            pgpool.nodes.is_some() && majority
        });
        let Some(about) = of.pgpool.as_ref().filter(|_| serves) else {
            continue;
        };
        let expect = PgpoolExpect::Primary(primary.to_string());
        let guarded = tells.known().is_some_and(|pgpool| pgpool.guarded);
        let holds = tells
            .known()
            .is_some_and(|pgpool| expect.holds(&Answer::Pgpool(pgpool.clone())));
        let until = Claim::new(host, Query::Pgpool(about.clone()), Expect::Pgpool(expect));
        if holds {
            step = step.need(until);
        } else if !guarded {
            waits.push(Wait {
                what: format!(
                    "Pgpool-II on {host} does not send its clients to {primary}, which was promoted in place of {former}"
                ),
                until,
                deadline_s: NOTICE_S,
            });
        }
    }
    // The last that is asked: a client that knows its address may write until it is stopped.
    step.needs.extend(still_nothing);
    if waits.is_empty() {
        Verdict::Stop(Box::new(step))
    } else {
        Verdict::Served(waits)
    }
}

//! P4 and ruling 3: what a former primary has that the present one lacks, and what may follow. The modules `postgres` and
//! `pgpool` decide by the same words: the one moves aside what a person gave up, the other makes the standby.

use crate::inventory::HostName;
use crate::plan::{Allow, Claim, Expect};
use crate::probe::postgres::past::{About, Past};
use crate::probe::postgres::{self, Control, Fork};
use crate::probe::{Answers, Query, Seen};

/// What a former primary is asked, and what it says.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Beyond {
    /// Where the two parted, on the last timeline that they share.
    pub fork: Fork,
    /// The timeline on which the former primary went on: that one, or its own when it was promoted beside the present one.
    pub timeline: u32,
    /// What it committed after that.
    pub past: Seen<Past>,
}

/// The present primary's timeline, and those that it has left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Present<'a> {
    pub timeline: u32,
    pub history: &'a [Fork],
}

/// Asks a stopped former primary. `None` when the histories of the two do not say where they parted.
pub(crate) fn look(
    seen: &Answers<'_>,
    host: &HostName,
    about: &postgres::About,
    (control, own): (&Control, &[Fork]),
    primary: Present<'_>,
) -> Option<Beyond> {
    let fork = parted(control, own, primary)?;
    Some(Beyond {
        fork: fork.clone(),
        timeline: control.timeline,
        past: seen.postgres_past(host, past(about, control.timeline, fork)),
    })
}

fn past(about: &postgres::About, timeline: u32, fork: &Fork) -> About {
    About {
        bin: about.bin.clone(),
        data: about.data.clone(),
        timeline,
        at: fork.at,
    }
}

/// Where the present primary left the former one's timeline, or where the former one, promoted by hand, left the present
/// one's.
fn parted<'a>(control: &Control, own: &'a [Fork], primary: Present<'a>) -> Option<&'a Fork> {
    // It was promoted once more and has not told its control file yet.
    if own.iter().any(|fork| fork.timeline >= control.timeline) {
        return None;
    }
    let left = |fork: &&Fork| fork.timeline == control.timeline;
    primary.history.iter().find(left).or_else(|| {
        let (last, before) = own.split_last()?;
        (last.timeline == primary.timeline && before == primary.history).then_some(last)
    })
}

impl Beyond {
    /// How many commits; `None` when that cannot be told.
    pub(crate) fn commits(&self) -> Option<u64> {
        self.past.known()?.commits
    }

    /// Whether it certainly has nothing that the present primary lacks, and the present one is the newer: that a standby was
    /// promoted beside a primary was somebody's will, and a person decides.
    pub(crate) fn is_nothing(&self) -> bool {
        self.commits() == Some(0) && self.timeline == self.fork.timeline
    }

    /// Evidence that it has committed nothing: a server that still runs may do so at any time.
    pub(crate) fn is_still_nothing(&self, host: &HostName, about: &postgres::About) -> Claim {
        let query = Query::PostgresPast(past(about, self.timeline, &self.fork));
        Claim::new(host, query, Expect::NothingPast)
    }

    /// One line of evidence.
    pub(crate) fn says(&self, host: &HostName) -> String {
        let Fork { timeline, at } = &self.fork;
        let place = if self.timeline == *timeline {
            format!("past {at}, where timeline {timeline} was left")
        } else {
            let own = self.timeline;
            format!("past {at}, where it left timeline {timeline} for its own timeline {own}")
        };
        match &self.past {
            Seen::Is(past) => match past.commits {
                Some(0) => format!("{host}: no commit {place}"),
                Some(count) => {
                    format!("{host}: {count} commits {place}, the last at {}", past.last)
                }
                None => format!(
                    "{host}: what was committed {place} cannot be read: {}",
                    past.silent
                ),
            },
            Seen::Unknown(why) => format!("{host}: what was committed {place} is not known: {why}"),
        }
    }
}

/// The permission that gives up what a former primary has: `discard-primary=ke2-server1@tli1`. The timeline must be
/// named, so that an old command line gives up nothing of a later one.
pub(crate) fn allowance(host: &HostName, control: &Control) -> Allow {
    Allow {
        verb: "discard-primary".to_owned(),
        object: host.to_string(),
        evidence: Some(format!("tli{}", control.timeline)),
    }
}

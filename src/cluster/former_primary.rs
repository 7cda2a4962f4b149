//! P4 and ruling 3: what a former primary has that the present one lacks, and what may follow. The modules `postgres` and
//! `pgpool` decide by the same words: the one moves aside what a person gave up, the other makes the standby.

use crate::inventory::HostName;
use crate::plan::Allow;
use crate::probe::postgres::past::{About, Past};
use crate::probe::postgres::{self, Control, Fork};
use crate::probe::{Answers, Seen};

/// What a former primary is asked, and what it says.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Beyond {
    /// Its timeline, and where the present primary left it.
    pub fork: Fork,
    /// What it committed after that.
    pub past: Seen<Past>,
}

/// Asks a stopped former primary. `None` when the present primary's history does not say where they parted, or when the
/// former one knows of a timeline after its own.
pub(crate) fn look(
    seen: &Answers<'_>,
    host: &HostName,
    about: &postgres::About,
    (control, own): (&Control, &[Fork]),
    primary: &[Fork],
) -> Option<Beyond> {
    let knows_newer = own.iter().any(|fork| fork.timeline >= control.timeline);
    let fork = primary
        .iter()
        .find(|fork| fork.timeline == control.timeline && !knows_newer)?;
    let past = About {
        bin: about.bin.clone(),
        data: about.data.clone(),
        timeline: fork.timeline,
        at: fork.at,
    };
    Some(Beyond {
        fork: fork.clone(),
        past: seen.postgres_past(host, past),
    })
}

impl Beyond {
    /// How many commits; `None` when that cannot be told.
    pub(crate) fn commits(&self) -> Option<u64> {
        self.past.known()?.commits
    }

    /// One line of evidence.
    pub(crate) fn says(&self, host: &HostName) -> String {
        let Fork { timeline, at } = &self.fork;
        let place = format!("past {at}, where timeline {timeline} was left");
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

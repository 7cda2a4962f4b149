//! P7: why two primaries are a person's matter.

use super::deposed::Deposed;
use super::refuse::{all_say, refusal};
use super::{Postgres, State};
use crate::cluster::former_primary;
use crate::plan::{Reach, Refusal};

/// P7: split brain. Of a primary that was certainly deposed it is known what it has that the other one lacks.
pub(super) fn refused(of: &Postgres, state: &State, deposed: Option<Deposed<'_>>) -> Refusal {
    if let Some(Deposed {
        former, primary, ..
    }) = deposed
        && let Some(disk) = of.here(state, former).disk()
    {
        let mut evidence = all_say(of, state);
        evidence.extend(state.beyond(former).map(|beyond| beyond.says(former)));
        return refusal(
            "P7",
            Reach::Layer,
            format!(
                "{former} is still a primary, and {primary} was promoted in its place: what {former} has committed beyond it would be lost"
            ),
            evidence,
            format!(
                "copy out what is needed of it. Then run again with `--allow {}`: it is stopped, its data directory is kept aside, and it becomes a standby",
                former_primary::allowance(former, &disk.control),
            ),
        );
    }
    refusal(
        "P7",
        Reach::Layer,
        "more than one host runs a primary: commits may be lost on either side".to_owned(),
        all_say(of, state),
        "decide which one to keep (the newer timeline is the one that was promoted); stop the other (`systemctl stop postgresql-*`), keep its data directory aside, and run again".to_owned(),
    )
}

/// P7: a primary was deposed, and Pgpool-II may send its clients there all the same.
pub(super) fn served(of: &Postgres, state: &State, deposed: Deposed<'_>) -> Refusal {
    let Deposed {
        former, primary, ..
    } = deposed;
    let mut evidence = all_say(of, state);
    for (host, tells) in &state.pgpools {
        let nodes = tells.known().and_then(|pgpool| pgpool.nodes.as_ref());
        let named = nodes.map(|nodes| {
            let mut nodes = nodes.iter();
            nodes.find(|node| node.is_attached() && node.role == "primary")
        });
        evidence.push(match named {
            Some(Some(node)) => format!("{host}: Pgpool-II takes {} for the primary", node.host),
            Some(None) => format!("{host}: Pgpool-II has no primary"),
            None => format!("{host}: Pgpool-II does not answer"),
        });
    }
    refusal(
        "P7",
        Reach::LayerAfterWaits,
        format!(
            "{former} is still a primary though {primary} was promoted in its place, and Pgpool-II does not send its clients to {primary}: {former} is not stopped under them"
        ),
        evidence,
        "stop Pgpool-II on all hosts of the database (`systemctl stop pgpool`), so that nobody writes there any more, and run again".to_owned(),
    )
}

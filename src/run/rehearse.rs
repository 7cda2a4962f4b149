//! `provision plan --assume-lost HOST`: the loss of hosts, rehearsed.

use super::apply::planned_code;
use super::console::Console;
use super::setup::{self, Setup};
use crate::cli::{InputArgs, PlanArgs, PlanFormat};
use crate::failure::Failure;
use crate::inventory::{HostName, Inventory};
use crate::rehearse::{Cast, Parts, Premise, Refused, rehearse};
use crate::report::{Outcome, Reporter, rehearsal};
use crate::yaml::suggest;
use std::collections::BTreeSet;
use std::io::Write;

/// `provision plan --assume-lost HOST`
pub async fn rehearsed(args: &PlanArgs) -> Result<u8, Failure> {
    let console = Console::new(&args.output);
    let setup = setup::load(&args.input)?;
    let premise = Premise {
        hosts: names(&setup.inventory),
        lost: lost(&setup.inventory, &args.assume_lost)?,
        vip: setup
            .variable("cluster_vip")
            .and_then(|vip| vip.parse().ok()),
    };
    let redactor = setup.redactor();
    let hosts = premise.hosts.len();
    let remote = setup.remote(&args.connection)?;
    let cast = cast(setup, &args.input)?;
    let report = Reporter::new(Vec::new(), redactor.clone());
    let foretold = rehearse(&remote, &premise, cast, &report).await;
    remote.close().await;
    let foretold = foretold.map_err(refused)?;
    let document = format!("{:#}\n", rehearsal::json(&foretold));
    if let Some(path) = &args.out {
        std::fs::write(path, redactor.text(&document)).map_err(|error| {
            Failure::internal(format!(
                "the rehearsal cannot be written to {}: {error}",
                path.display()
            ))
        })?;
    }
    let shown = match args.format {
        PlanFormat::Text => rehearsal::text(&foretold, hosts, console.styled),
        PlanFormat::Json => document,
    };
    let _ = write!(std::io::stdout(), "{}", redactor.text(&shown));
    Ok(planned_code(&foretold.plan, args.detailed_exitcode))
}

fn names(inventory: &Inventory) -> Vec<HostName> {
    let hosts = inventory.hosts().iter();
    hosts.map(|host| host.name.clone()).collect()
}

/// The hosts that are meant, each once.
fn lost(inventory: &Inventory, given: &[String]) -> Result<BTreeSet<HostName>, Failure> {
    let mut lost = BTreeSet::new();
    for name in given {
        let Some(host) = inventory.host(name) else {
            let message = format!("--assume-lost: no host is called `{name}`");
            let known = inventory.hosts().iter().map(|host| host.name.as_str());
            let hint = match (
                suggest(name, known),
                inventory.groups().any(|group| group.name == *name),
            ) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, true) => "it is a group: name its hosts, each with --assume-lost".to_owned(),
                (None, false) => {
                    "`provision inventory FILE --graph` shows what there is".to_owned()
                }
            };
            return Err(Failure::usage(message).hint(hint));
        };
        lost.insert(host.name.clone());
    }
    if lost.len() == inventory.hosts().len() {
        let message = "--assume-lost names every host: nothing is left that could tell anything";
        return Err(Failure::usage(message)
            .hint("blank hosts are what a first run is for: `provision plan` shows its plan"));
    }
    Ok(lost)
}

/// The facts are those of the whole playbook, whatever is to be planned: a failover is seen by one layer and done by another.
fn cast(plan: Setup, input: &InputArgs) -> Result<Cast, Failure> {
    let whole = InputArgs {
        tags: Vec::new(),
        skip_tags: Vec::new(),
        ..input.clone()
    };
    let mut health = setup::load(&whole)?;
    health.compiled.works.retain(|work| work.tells_health);
    Ok(Cast {
        facts: parts(setup::load(&whole)?),
        health: parts(health),
        down: parts(setup::load(input)?),
        plan: parts(plan),
    })
}

fn parts(setup: Setup) -> Parts {
    let options = setup.options(false);
    Parts {
        layers: setup.compiled.layers,
        works: setup.compiled.works,
        registers: setup.registers,
        options,
    }
}

fn refused(refused: Refused) -> Failure {
    match refused {
        Refused::Wrong(wrong) => wrong.into(),
        Refused::Silent(host, why) => Failure {
            code: Outcome::Unreachable.exit_code(),
            message: format!(
                "--assume-lost {host}: it does not answer now, so that it is lost already: {why}"
            ),
            hint: Some(
                "`provision plan INVENTORY` without --assume-lost shows what is true".to_owned(),
            ),
        },
    }
}

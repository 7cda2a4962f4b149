//! `provision test`: what was deployed is used, from every host, and the results are told one a line.

mod file;
mod https;
mod rabbitmq;
mod row;

use super::setup::{self, Setup};
use crate::apply::Remote;
use crate::cli::{OutputFormat, TestArgs};
use crate::failure::Failure;
use crate::inventory::{HostName, Inventory};
use crate::playbook::{Scope, Val};
use crate::report::{Outcome, Redactor};
use console::Style;
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Passed,
    Failed,
    /// Its layer is not part of this cluster.
    Off,
}

/// The result of one check.
#[derive(Clone, Debug, Serialize)]
struct Result {
    check: &'static str,
    host: Option<HostName>,
    outcome: Ended,
    says: String,
}

impl Result {
    fn of(
        check: &'static str,
        host: &HostName,
        found: std::result::Result<String, String>,
    ) -> Self {
        let (outcome, says) = match found {
            Ok(says) => (Ended::Passed, says),
            Err(says) => (Ended::Failed, says),
        };
        Self {
            check,
            host: Some(host.clone()),
            outcome,
            says,
        }
    }

    fn off(check: &'static str, why: &str) -> Self {
        Self {
            check,
            host: None,
            outcome: Ended::Off,
            says: why.to_owned(),
        }
    }
}

/// What checks need to know.
struct Checks<'a> {
    inventory: Arc<Inventory>,
    remote: &'a Remote,
    /// Tells this run's traces from those of another one.
    nonce: String,
    /// Whether the playbook has the layer of Kompira.
    has_kompira: bool,
}

/// Why the checks of Kompira are off.
const NO_KOMPIRA: &str =
    "the playbook has no layer `kompira` (--playbook kompira.yml has it), or its group no host";

impl Checks<'_> {
    fn variable(&self, host: &HostName, name: &str) -> Option<String> {
        let variable = self.inventory.host(host.as_str())?.var(name)?;
        let scope = Scope::new(&self.inventory, host);
        match scope.render(&variable.node) {
            Ok(Val::Known(node)) => node.scalar(),
            _ => None,
        }
    }

    fn group(&self, name: &str) -> Vec<HostName> {
        let span = crate::yaml::Span::builtin(name);
        self.inventory.select(name, &span).unwrap_or_default()
    }

    /// The hosts of Kompira; none when the playbook does not deploy it.
    fn kompira(&self) -> Vec<HostName> {
        if self.has_kompira {
            self.group("kompira")
        } else {
            Vec::new()
        }
    }

    fn address(&self, host: &HostName) -> String {
        self.variable(host, "advertise_address")
            .or_else(|| Some(self.inventory.host(host.as_str())?.address.clone()))
            .unwrap_or_default()
    }
}

/// `provision test`
pub async fn test(args: TestArgs) -> std::result::Result<u8, Failure> {
    let setup: Setup = setup::load(&args.input)?;
    let redactor = setup.redactor();
    let remote = setup.remote(&args.connection)?;
    let mut bytes = [0_u8; 6];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::internal(format!("no random number could be had: {error}")))?;
    let checks = Checks {
        inventory: setup.inventory.clone(),
        remote: &remote,
        has_kompira: setup
            .compiled
            .layers
            .iter()
            .any(|layer| layer.name == "kompira"),
        nonce: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let (https, row, file, rabbitmq) = tokio::join!(
        https::check(&checks),
        row::check(&checks),
        file::check(&checks),
        rabbitmq::check(&checks)
    );
    let results: Vec<Result> = [https, row, file, rabbitmq].concat();
    let json = args.output.output == Some(OutputFormat::Json);
    show(&results, json, &redactor);
    remote.close().await;
    let failed = results.iter().any(|one| one.outcome == Ended::Failed);
    Ok(if failed {
        Outcome::Refused.exit_code()
    } else {
        0
    })
}

fn show(results: &[Result], json: bool, redactor: &Redactor) {
    let mut out = String::new();
    let count = |ended: Ended| results.iter().filter(|one| one.outcome == ended).count();
    let (passed, failed, off) = (
        count(Ended::Passed),
        count(Ended::Failed),
        count(Ended::Off),
    );
    if json {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let time = now.unwrap_or_default().as_secs_f64();
        for one in results {
            let line = serde_json::json!({
                "event": "check", "time": time, "check": one.check, "host": one.host,
                "outcome": one.outcome, "says": one.says,
            });
            out.push_str(&format!("{line}\n"));
        }
        let outcome = if failed == 0 { "passed" } else { "failed" };
        let line = serde_json::json!({
            "event": "summary", "time": time, "outcome": outcome,
            "passed": passed, "failed": failed, "off": off,
        });
        out.push_str(&format!("{line}\n"));
    } else {
        let styled = std::io::stdout().is_terminal();
        let width = results
            .iter()
            .filter_map(|one| one.host.as_ref())
            .map(|host| host.as_str().len())
            .max()
            .unwrap_or_default();
        for one in results {
            let (word, style) = match one.outcome {
                Ended::Passed => ("passed", Style::new().green()),
                Ended::Failed => ("FAILED", Style::new().red().bold()),
                Ended::Off => ("off", Style::new().dim()),
            };
            let word = style.force_styling(styled).apply_to(format!("{word:<6}"));
            let host = one.host.as_ref().map_or("-", HostName::as_str);
            let says = one.says.replace('\n', " | ");
            out.push_str(&format!(
                "{word}  {:<8}  {host:<width$}  {says}\n",
                one.check
            ));
        }
        out.push_str(&format!("{passed} passed, {failed} failed, {off} off\n"));
    }
    let _ = write!(std::io::stdout(), "{}", redactor.text(&out));
}

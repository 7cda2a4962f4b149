//! Reading what the script printed.

use super::{Control, Data, Fork, Postgres, Receiver, Server, timeline_of_wal_file};
use crate::probe::Seen;
use serde::Deserialize;
use std::collections::BTreeMap;

pub fn parse(status: i32, stdout: &str, stderr: &str) -> Seen<Postgres> {
    let mut found = Postgres::default();
    let mut told = false;
    let mut foreign = Vec::new();
    let mut control: BTreeMap<&str, &str> = BTreeMap::new();
    let mut json = Vec::new();
    for line in stdout.lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "installed" => found.installed = true,
            "data" => {
                told = true;
                found.data = match value {
                    "absent" => Data::Absent,
                    "empty" => Data::Empty,
                    "present" => Data::Present,
                    _ => Data::Foreign(Vec::new()),
                };
            }
            "entry" => foreign.push(value.to_owned()),
            "mount" => found.mount_point = true,
            "version" => value.clone_into(&mut found.version),
            "identifier" => value.clone_into(&mut found.identifier),
            "standby" => found.standby_signal = true,
            "recovery" => found.recovery_signal = true,
            "other" => found.others.push(value.to_owned()),
            "changed" => {
                let at = value.parse::<f64>().ok();
                found.files_changed_s = match (found.files_changed_s, at) {
                    (Some(one), Some(two)) => Some(one.max(two)),
                    (one, two) => one.or(two),
                };
            }
            "fork" => found.history.extend(fork(value)),
            "control" => control.extend(
                value
                    .split_once(':')
                    .map(|(key, value)| (key, value.trim())),
            ),
            "running" => found.running = true,
            "json" => json.push(value),
            _ => {}
        }
    }
    if !told {
        return Seen::Unknown(format!(
            "the look at PostgreSQL broke off (status {status}): {}",
            stderr.trim()
        ));
    }
    if let Data::Foreign(names) = &mut found.data {
        *names = foreign;
    }
    found.control = (!control.is_empty()).then(|| read_control(&control));
    if found.running {
        match server(&json) {
            Ok(server) if !stderr.contains("FATAL") => found.server = Some(Box::new(server)),
            // Half of the answers would be read as "there is none of it".
            Ok(_) => found.silent = stderr.trim().to_owned(),
            Err(problem) => {
                let said = stderr.trim();
                found.silent = if said.is_empty() {
                    problem
                } else {
                    said.to_owned()
                };
            }
        }
    }
    Seen::Is(found)
}

fn fork(text: &str) -> Option<Fork> {
    let (timeline, at) = text.split_once(' ')?;
    Some(Fork {
        timeline: timeline.parse().ok()?,
        at: at.parse().ok()?,
    })
}

fn read_control(control: &BTreeMap<&str, &str>) -> Control {
    let text = |key: &str| control.get(key).copied().unwrap_or_default();
    let lsn = |key: &str| text(key).parse().unwrap_or_default();
    let number = |key: &str| text(key).parse().unwrap_or_default();
    Control {
        identifier: text("Database system identifier").to_owned(),
        state: text("Database cluster state").to_owned(),
        timeline: number("Latest checkpoint's TimeLineID"),
        checkpoint: lsn("Latest checkpoint location"),
        redo: lsn("Latest checkpoint's REDO location"),
        min_recovery_end: lsn("Minimum recovery ending location"),
        min_recovery_end_timeline: number("Min recovery ending loc's timeline"),
        checksums: !matches!(text("Data page checksum version"), "" | "0"),
    }
}

/// What the first object tells besides the fields of [`Server`].
#[derive(Deserialize)]
struct Told {
    wal_file: Option<String>,
    checkpoint_timeline: u32,
    receiver: Option<Receiver>,
}

#[derive(Deserialize)]
struct ToldOfDatabase {
    database: String,
    extensions: Option<BTreeMap<String, String>>,
    has_tables: bool,
}

/// The first object is the server's; one follows for each database that was asked.
fn server(json: &[&str]) -> Result<Server, String> {
    let lines = json.join("\n");
    let mut objects = serde_json::Deserializer::from_str(&lines).into_iter::<serde_json::Value>();
    let wrong = |error: serde_json::Error| format!("its answer cannot be read: {error}");
    let first = objects.next().ok_or("it gave no answer")?.map_err(wrong)?;
    let told = Told::deserialize(&first).map_err(wrong)?;
    let mut server = Server::deserialize(&first).map_err(wrong)?;
    server.timeline = told
        .wal_file
        .as_deref()
        .and_then(timeline_of_wal_file)
        .or_else(|| Some(told.receiver?.timeline).filter(|timeline| *timeline > 0))
        .unwrap_or(told.checkpoint_timeline);
    let mut asked = 0;
    for object in objects {
        let told: ToldOfDatabase = serde_json::from_value(object.map_err(wrong)?).map_err(wrong)?;
        asked += 1;
        let database = server
            .databases
            .iter_mut()
            .find(|database| database.name == told.database);
        if let Some(database) = database {
            database.extensions = told.extensions.unwrap_or_default();
        }
        // `postgres` and `template1` come first, then the application's, when it is there.
        server.has_tables = (asked == 3).then_some(told.has_tables);
    }
    if asked < 2 {
        return Err("it broke off in the middle of its answer".to_owned());
    }
    Ok(server)
}

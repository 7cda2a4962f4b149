//! What the trials came to: kept line by line, so that an attempt that is broken off can be taken up, and told on a page.

use super::fault::{self, Case};
use crate::scenario::note;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;

/// A trial that was passed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    pub case: String,
    /// Whom it befell.
    pub host: String,
    /// Who had the primary, the leader and the address then.
    pub roles: [String; 3],
    pub steps: Vec<String>,
    pub allowed: Option<String>,
    pub mended_s: u64,
    pub in_all_s: u64,
    pub rows: usize,
    pub lines: usize,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} steps, mended in {} s, {} s in all",
            self.host,
            self.steps.len(),
            self.mended_s,
            self.in_all_s
        )?;
        match &self.allowed {
            Some(allow) => write!(f, ", with --allow {allow}"),
            None => Ok(()),
        }
    }
}

/// Where it is kept: the folder that `PROVISION_FAULTS` names. Without it nothing is taken up later: a test that is started
/// by hand must not pass because another tree did.
fn folder() -> PathBuf {
    let own = || format!("provision-faults-{}", std::process::id());
    let folder = std::env::var_os("PROVISION_FAULTS")
        .map_or_else(|| std::env::temp_dir().join(own()), PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Tries what is passed as a whole, unless an earlier attempt has passed it.
pub fn once(what: &str, run: impl FnOnce()) {
    let passed = folder().join(format!("{what}.passed"));
    if passed.exists() {
        note(&format!("{what} was passed before"));
        return;
    }
    run();
    File::create(passed).unwrap();
}

/// The record.
pub struct Report {
    folder: PathBuf,
    passed: Vec<Trial>,
}

impl Report {
    /// Takes up what is there.
    pub fn open() -> Self {
        let folder = folder();
        let passed = match File::open(folder.join("passed.jsonl")) {
            Ok(file) => BufReader::new(file)
                .lines()
                .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
                .collect(),
            Err(_) => Vec::new(),
        };
        Self { folder, passed }
    }

    /// Whether it was passed before.
    pub fn has(&self, case: &Case) -> bool {
        let name = case.to_string();
        self.passed.iter().any(|trial| trial.case == name)
    }

    /// Keeps it.
    pub fn add(&self, trial: &Trial) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("passed.jsonl"))
            .unwrap();
        writeln!(file, "{}", serde_json::to_string(trial).unwrap()).unwrap();
        file.sync_all().unwrap();
    }

    /// Writes the page, once all were passed.
    pub fn page(&self) {
        let all = Self::open();
        if !fault::every().iter().all(|case| all.has(case)) {
            return;
        }
        let mut page = String::from(PREFACE);
        for case in fault::every() {
            let name = case.to_string();
            let trial = all.passed.iter().find(|trial| trial.case == name);
            let trial = trial.unwrap_or_else(|| panic!("{name} was not passed"));
            let counts = trial.steps.len();
            let how = match &trial.allowed {
                Some(allow) => format!("refused (P4), then `--allow {allow}`"),
                None => "one run".to_owned(),
            };
            let _ = writeln!(
                page,
                "| {name} | {} | {how} | {counts} | {} s | {} s | {} | {} |",
                trial.host, trial.mended_s, trial.in_all_s, trial.rows, trial.lines
            );
        }
        std::fs::write(self.folder.join("faults.md"), page).unwrap();
    }
}

const PREFACE: &str = "\
# Faults that were tried

Written by `make test-faults`: the whole site on three hosts of the lab, with `postgres_synchronous: any1`, a client outside
that writes rows through the virtual address and lines on the shared directory all the time, and what befell it. After each
trial every acknowledged row and line was there, on every host, no listing was ever short, and the next run was empty.

| What happened | Host | Mended by | Steps | Runs took | In all | Rows meanwhile | Lines |
|---|---|---|---|---|---|---|---|
";

//! Things that take long to make, kept by a digest of what they were made of.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

use crate::lab;

/// Versions that nothing used for so long are removed.
const UNUSED: Duration = Duration::from_secs(14 * 24 * 3600);

/// The cache, held for one builder at a time.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
    _lock: Flock<File>,
}

impl Cache {
    /// Opens it; waits while another `lab` builds.
    pub fn open() -> Result<Self> {
        let directory = directory();
        fs::create_dir_all(&directory)?;
        let file = File::create(directory.join("lock"))?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock)
            .or_else(|(file, _)| {
                eprintln!(
                    "waiting for another `lab` that uses {}",
                    directory.display()
                );
                Flock::lock(file, FlockArg::LockExclusive)
            })
            .map_err(|(_, error)| error)?;
        let cache = Self {
            directory,
            _lock: lock,
        };
        cache.prune();
        Ok(cache)
    }

    /// The thing `kind` made of `inputs`: from the cache, or made now by `build` in a directory
    /// that takes its place only when complete.
    pub fn get(
        &self,
        kind: &str,
        inputs: &[&str],
        build: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let place = self.directory.join(format!("{kind}-{}", digest(inputs)));
        if !place.exists() {
            let started = Instant::now();
            eprintln!("making {} (once)", place.display());
            let scratch = self
                .directory
                .join(format!("{SCRATCH}{}.{kind}", std::process::id()));
            build(&scratch).with_context(|| format!("cannot make {}", place.display()))?;
            fs::rename(&scratch, &place)?;
            eprintln!(
                "made {} in {:.1} s",
                place.display(),
                started.elapsed().as_secs_f64()
            );
        }
        // Says when it was last used; `prune` asks.
        let _ = File::open(&place).and_then(|file| file.set_modified(SystemTime::now()));
        Ok(place)
    }

    /// Removes what a broken build left, and old versions that no lab uses.
    fn prune(&self) {
        let used = in_use();
        for entry in fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten()
        {
            let (path, name) = (
                entry.path(),
                entry.file_name().to_string_lossy().into_owned(),
            );
            let age = entry
                .metadata()
                .and_then(|data| data.modified())
                .ok()
                .and_then(|time| time.elapsed().ok());
            let old = path.is_dir() && age.is_some_and(|age| age > UNUSED) && !used.contains(&path);
            if name.starts_with(SCRATCH) || old {
                let _ = if path.is_dir() {
                    fs::remove_dir_all(path)
                } else {
                    fs::remove_file(path)
                };
            }
        }
    }
}

/// Prefix of directories in the making.
const SCRATCH: &str = "making.";

/// Where the cache is.
fn directory() -> PathBuf {
    std::env::var_os("LAB_CACHE")
        .map_or_else(|| PathBuf::from("/var/cache/provision-lab"), PathBuf::from)
}

/// Versions that existing labs stand on.
fn in_use() -> Vec<PathBuf> {
    let labs = fs::read_dir(lab::home()).into_iter().flatten().flatten();
    let names = labs.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let records = names.filter_map(|name| lab::Lab::named(&name).ok()?.record().ok());
    records
        .flat_map(|record| [record.base, record.identity, record.web])
        .collect()
}

/// Twelve hexadecimal digits that stand for the inputs.
pub fn digest(inputs: &[&str]) -> String {
    let mut hash = Sha256::new();
    for input in inputs {
        // With their lengths, so that text moved from one input to the next is a change.
        hash.update(input.len().to_le_bytes());
        hash.update(input);
    }
    hash.finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_depends_on_every_input_and_its_place() {
        let first = digest(&["ab", "c"]);
        assert_eq!(first, digest(&["ab", "c"]));
        assert_ne!(first, digest(&["a", "bc"]));
        assert_ne!(first, digest(&["c", "ab"]));
        assert_eq!(first.len(), 12);
    }
}

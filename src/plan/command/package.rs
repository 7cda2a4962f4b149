//! Acts on packages.

use super::{CHANGED, Phase};
use crate::plan::Package;
use crate::probe::shell::join;

/// How long another package manager may hold the lock, in seconds.
const LOCK_SECONDS: u32 = 600;

/// The words of the install command, as a reviewer reads them.
pub(super) fn install_words(packages: &[Package]) -> Vec<String> {
    let mut words: Vec<String> = ["dnf", "-y", "--best", "install"].map(str::to_owned).into();
    words.extend(packages.iter().map(|package| match &package.version {
        // dnf reads `name-version`, `name-version-release` and `name-epoch:version-release`.
        Some(version) => format!("{}-{version}", package.name),
        None => package.name.clone(),
    }));
    words
}

/// One transaction. Without `--allowerasing`: a conflict is an error, nothing is removed for it.
/// dnf would upgrade what is installed already, so what was installed meanwhile ends it.
/// dnf waits for its lock silently and for ever, so it is told not to wait (it exits 200 then).
pub(super) fn install(packages: &[Package]) -> Phase {
    let mut words = install_words(packages);
    words.insert(3, "--setopt=exit_on_lock=True".to_owned());
    let names: Vec<&str> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let names = join(&names);
    Phase::run(
        format!(
            "there=$(rpm -q {names} | grep -v ' is not installed$')\n\
             [ -z \"$there\" ] || {{ printf '%s\\n' 'installed since this was planned (nothing is upgraded as a side effect):' \"$there\" >&2; exit {CHANGED}; }}\n\
             waited=0\n\
             while :; do\n\
             {{ said=$({} 2>&1 >&3 3>&-); status=$?; }} 3>&1\n\
             [ $status -ne 200 ] && break\n\
             [ $waited -gt 0 ] || printf '%s\\n' \"$said\" 'waiting for this program to release the lock of dnf' >&2\n\
             [ $waited -lt {LOCK_SECONDS} ] || {{ printf '%s\\n' \"$said\" \"gave up after $waited s: this program holds the lock of dnf\" >&2; exit {CHANGED}; }}\n\
             sleep 5; waited=$((waited + 5))\n\
             done\n\
             [ -z \"$said\" ] || printf '%s\\n' \"$said\" >&2\n\
             [ $status -eq 0 ] || exit $status\n\
             rpm -q {names} >/dev/null || {{ echo 'dnf said that it was done, but rpm does not know all of the packages' >&2; exit 1; }}",
            join(&words)
        ),
        1800,
    )
}

/// The words of the remove command. Not `dnf remove`, which takes along all that needs the package
/// and all that came with it; rpm refuses instead.
pub(super) fn remove_words(names: &[String]) -> Vec<String> {
    let mut words = vec!["rpm".to_owned(), "-e".to_owned()];
    words.extend(names.iter().cloned());
    words
}

pub(super) fn remove(names: &[String]) -> Phase {
    Phase::run(join(&remove_words(names)), 600)
}

//! Archives of the container images that the Kompira stack runs, as `docker load` reads them. The
//! machine reaches no registry, so a lab's hosts are given them from files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cache::Cache;
use crate::host::Host;
use crate::images::{Recipe, bash};
use crate::lab::{Lab, Record};
use crate::machine;
use crate::process::this_program;

/// File name of each archive, and the reference of the one image in it.
pub const ARCHIVES: [(&str, &str); 4] = [
    (
        "redis-7.2-alpine.tar",
        "registry.hub.docker.com/library/redis:7.2-alpine",
    ),
    (
        "rabbitmq-3.13-alpine.tar",
        "registry.hub.docker.com/library/rabbitmq:3.13-alpine",
    ),
    (
        "nginx-1.27-alpine.tar",
        "registry.hub.docker.com/library/nginx:1.27-alpine",
    ),
    (
        "kompira-enterprise-2.0.5-latest.tar",
        "kompira.azurecr.io/kompira-enterprise:2.0.5-latest",
    ),
];

/// Where a lab keeps its archives, for the inventory's `image_archives`.
pub fn directory(lab: &Lab) -> PathBuf {
    lab.directory.join("images")
}

macro_rules! recipes {
    ($first:literal $second:literal $($name:literal)*) => {
        &[
            ($first, include_str!(concat!("../recipes/", $first))),
            ($second, include_str!(concat!("../recipes/", $second))),
            $(($name, include_str!(concat!("../recipes/containers/", $name)))),*
        ]
    };
}

/// The recipe, and what goes into the images.
const RECIPES: &[Recipe] = recipes! {
    "containers.sh" "apt.sh"
    "redis-entrypoint.sh" "rabbitmq-entrypoint.sh" "nginx-entrypoint.sh" "nginx.conf"
    "kompirad" "jobmngrd" "uwsgi"
    "checks.py" "daemon.py" "database.py" "log.py" "pulse.py" "settings.py" "web.py"
};

/// The archives in the cache; makes them if there are none.
pub fn make() -> Result<PathBuf> {
    machine::install_programs()?;
    let inputs: Vec<&str> = RECIPES
        .iter()
        .flat_map(|(name, text)| [*name, *text])
        .collect();
    Cache::open()?.get("containers", &inputs, |to| {
        bash(to, RECIPES, &[&machine::debian_mirror()?])
    })
}

/// Puts the archives into `to`; makes them if the cache has none.
pub fn put(to: &Path) -> Result<()> {
    let made = make()?;
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for (name, _) in ARCHIVES {
        let (from, target) = (made.join(name), to.join(name));
        let _ = fs::remove_file(&target);
        // A link costs nothing, and lasts when the cache forgets this version.
        fs::hard_link(&from, &target)
            .or_else(|_| fs::copy(&from, &target).map(drop))
            .with_context(|| format!("cannot put {} into {}", from.display(), to.display()))?;
    }
    Ok(())
}

/// Gives the images to the Docker of a host.
pub fn load(host: &Host, _record: &Record) -> Result<()> {
    for (name, reference) in ARCHIVES {
        let archive = fs::File::open(directory(&host.lab).join(name))?;
        let output = this_program()
            .args(["exec", "--name", &host.lab.name, &host.name(), "--"])
            .args(["docker", "load", "--quiet"])
            .stdin(archive)
            .output()?;
        if !output.status.success() {
            bail!(
                "cannot load {name}: {}; is Docker installed and running there?",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let said = String::from_utf8_lossy(&output.stdout);
        if !said.contains(reference) {
            bail!(
                "{name} should bring {reference}, but docker said: {}",
                said.trim()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recipe makes exactly the archives that are promised, under the same names.
    #[test]
    fn the_recipe_makes_the_archives_that_are_promised() {
        let (_, recipe) = RECIPES[0];
        let made: Vec<_> = recipe
            .lines()
            .filter_map(|line| line.strip_prefix("archive ")?.split_once(" <<"))
            .map(|(words, _)| words.split(' ').skip(1).collect::<Vec<_>>())
            .map(|words| (format!("{}.tar", words[0]), words[1].to_owned()))
            .collect();
        let promised = ARCHIVES.map(|(file, reference)| (file.to_owned(), reference.to_owned()));
        assert_eq!(made, promised);
    }

    /// Every file beside the recipe is handed to it: a forgotten one would be missing in the image.
    #[test]
    fn no_file_of_the_images_is_forgotten() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/containers");
        let mut there: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        let mut handed: Vec<_> = RECIPES[2..]
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        handed.sort();
        assert_eq!(there, handed);
    }
}

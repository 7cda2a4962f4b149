//! Where playbooks, templates and files come from: the working folder first, else those built into the program.

use crate::failure::Failure;
use crate::yaml::{self, Diagnostic, Node, Source};
use std::path::{Path, PathBuf};
use std::sync::Arc;

macro_rules! pgpool {
    ($($name:literal),+ $(,)?) => {
        &[$((
            concat!("templates/pgpool/", $name),
            include_str!(concat!("../../templates/pgpool/", $name)),
        )),+]
    };
}

/// Pgpool-II's templates, built into the program as the rest is.
const PGPOOL: &[(&str, &str)] = pgpool!(
    "attach.service.j2",
    "attach.sh.j2",
    "escalation.sh.j2",
    "failover.sh.j2",
    "follow_primary.sh.j2",
    "pcp.conf.j2",
    "pcppass.j2",
    "pgpass_pgpool.j2",
    "pgpool.conf.j2",
    "pgpool.ke2-secret.conf.j2",
    "pgpool_remote_start.j2",
    "pool_hba.conf.j2",
    "pool_passwd.j2",
    "recovery_1st_stage.j2",
    "standby.sh.j2",
    "status.sh.j2",
    "sudoers.j2",
    "unit.conf.j2",
    "vip.sh.j2",
);

/// The rest of what is built in.
const PROJECT: &[(&str, &str)] = &[
    (
        "playbooks/site.yml",
        include_str!("../../playbooks/site.yml"),
    ),
    (
        "playbooks/hosts.yml",
        include_str!("../../playbooks/hosts.yml"),
    ),
    (
        "playbooks/packages.yml",
        include_str!("../../playbooks/packages.yml"),
    ),
    (
        "playbooks/docker.yml",
        include_str!("../../playbooks/docker.yml"),
    ),
    (
        "playbooks/firewall.yml",
        include_str!("../../playbooks/firewall.yml"),
    ),
    (
        "playbooks/swarm.yml",
        include_str!("../../playbooks/swarm.yml"),
    ),
    (
        "playbooks/pgpool.yml",
        include_str!("../../playbooks/pgpool.yml"),
    ),
    (
        "playbooks/activate.yml",
        include_str!("../../playbooks/activate.yml"),
    ),
    (
        "playbooks/postgresql-packages.yml",
        include_str!("../../playbooks/postgresql-packages.yml"),
    ),
    (
        "playbooks/postgresql.yml",
        include_str!("../../playbooks/postgresql.yml"),
    ),
    (
        "files/postgres-guard",
        include_str!("../../files/postgres-guard"),
    ),
    (
        "playbooks/glusterfs.yml",
        include_str!("../../playbooks/glusterfs.yml"),
    ),
    (
        "playbooks/kompira.yml",
        include_str!("../../playbooks/kompira.yml"),
    ),
    (
        "templates/kompira/bootstrap-rabbitmq.sh",
        include_str!("../../templates/kompira/bootstrap-rabbitmq.sh"),
    ),
    (
        "templates/kompira/kompira.conf",
        include_str!("../../templates/kompira/kompira.conf"),
    ),
    (
        "templates/kompira/kompira_audit.yaml",
        include_str!("../../templates/kompira/kompira_audit.yaml"),
    ),
    (
        "templates/kompira/nginx.conf",
        include_str!("../../templates/kompira/nginx.conf"),
    ),
    (
        "templates/kompira/rabbitmq-auth.conf",
        include_str!("../../templates/kompira/rabbitmq-auth.conf"),
    ),
    (
        "templates/kompira/rabbitmq-ssl.conf",
        include_str!("../../templates/kompira/rabbitmq-ssl.conf"),
    ),
    (
        "inventory/example.yml",
        include_str!("../../inventory/example.yml"),
    ),
];

/// What is built into the program: path and content.
pub fn built_in_files() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    PROJECT.iter().chain(PGPOOL)
}

/// The playbook that is meant when none is named.
pub const SITE: &str = "playbooks/site.yml";

/// A folder with a playbook in it.
#[derive(Clone, Debug)]
pub struct Project {
    /// Folders that are searched for templates and files, first to last.
    folders: Vec<PathBuf>,
}

impl Project {
    /// Reads the playbook that is named, or `playbooks/site.yml` of the working folder, or the built-in one.
    /// A built-in one can be named too, as `kompira.yml` or `playbooks/kompira.yml`; a file wins.
    ///
    /// # Errors
    /// When the named file cannot be read.
    pub fn open(playbook: Option<&Path>) -> Result<(Self, Arc<Source>), Failure> {
        let mut folders = vec![PathBuf::from(".")];
        let site = Path::new(SITE);
        let source = match playbook {
            Some(path) => {
                // A playbook in `playbooks/` has its templates beside that folder; another one beside itself.
                if let Some(parent) = path.parent() {
                    folders.insert(0, parent.to_owned());
                    if let Some(above) = parent.parent().filter(|_| parent.ends_with("playbooks")) {
                        folders.insert(1, above.to_owned());
                    }
                }
                match named_built_in(path) {
                    Some(source) if !path.exists() => source,
                    _ => yaml::read(path)
                        .map_err(|wrong| Failure::from(yaml::Diagnostics::from(wrong)))?,
                }
            }
            None if site.exists() => {
                yaml::read(site).map_err(|wrong| Failure::from(yaml::Diagnostics::from(wrong)))?
            }
            None => built_in(SITE).ok_or_else(|| Failure::internal("no playbook is built in"))?,
        };
        Ok((Self { folders }, source))
    }

    /// A playbook that another one imports, by its name relative to the importing one's folder.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn import(&self, name: &str) -> Result<Arc<Source>, String> {
        let beside = self
            .folders
            .iter()
            .flat_map(|folder| [folder.join(name), folder.join("playbooks").join(name)]);
        for path in beside {
            if path.is_file() {
                return yaml::read(&path).map_err(|wrong| wrong.message);
            }
        }
        built_in(&format!("playbooks/{name}")).ok_or_else(|| "there is no such file".to_owned())
    }

    /// The bytes of a file that a task names.
    ///
    /// # Errors
    /// With the task's place, when there is no such file.
    pub fn file(&self, node: &Node, folder: &str) -> Result<(PathBuf, Vec<u8>), Diagnostic> {
        let name = node.scalar().unwrap_or_default();
        let mut tried = Vec::new();
        let candidates = self
            .folders
            .iter()
            .flat_map(|base| [base.join(&name), base.join(folder).join(&name)]);
        for path in candidates {
            match std::fs::read(&path) {
                Ok(bytes) => return Ok((path, bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    tried.push(path.display().to_string());
                }
                Err(error) => {
                    return Err(Diagnostic::new(
                        &node.span,
                        format!("{} cannot be read: {error}", path.display()),
                    ));
                }
            }
        }
        let found =
            built_in_files().find(|(path, _)| *path == name || *path == format!("{folder}/{name}"));
        match found {
            Some((path, text)) => Ok((PathBuf::from(path), text.as_bytes().to_vec())),
            None => Err(
                Diagnostic::new(&node.span, format!("there is no file `{name}`"))
                    .hint(format!("looked for {}", tried.join(", "))),
            ),
        }
    }
}

/// The built-in playbook that somebody names, with its folder or without.
fn named_built_in(path: &Path) -> Option<Arc<Source>> {
    let name = path.to_str()?;
    built_in(name).or_else(|| built_in(&format!("playbooks/{name}")))
}

fn built_in(path: &str) -> Option<Arc<Source>> {
    let (name, text) = built_in_files().find(|(name, _)| *name == path)?;
    Some(Arc::new(Source {
        name: format!("{name} (built in)"),
        text: (*text).to_owned(),
    }))
}

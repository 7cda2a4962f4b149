//! Desired state of one host. A module is two pure functions; there is no `apply`.
//!
//! Adding one is two places: its file here (or in [`crate::cluster`]) and its line in [`modules!`] below.

pub(crate) mod address;
mod args;
pub(crate) mod argument;
pub(crate) mod attributes;
mod covered;
mod edited_file;
mod guard;
mod health;
pub(crate) mod managed_file;
mod opening;
mod origin;
mod peers;
mod refusal;
pub(crate) mod stamp;
mod zone;

pub use args::{Args, Context, Local, Unfit};
pub use health::{Health, Light, Margin, MemberHealth};

use crate::inventory::HostName;
use crate::plan::Decision;
use crate::playbook::ModuleSpec;
use crate::probe::{Answers, Need, Query};

/// Desired state of one host, or of a group.
pub trait Module: Sized {
    /// Its name, arguments and their documentation.
    const SPEC: ModuleSpec;

    /// What it sees.
    type State;

    /// Builds it from a task's arguments, which have been checked against [`Module::SPEC`].
    ///
    /// # Errors
    /// [`Unfit::Wrong`] for arguments that make no sense together, [`Unfit::Unknown`] when one depends on a value that is not known yet.
    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit>;

    /// Takes the task's name, unique on its host, for modules whose steps have no better one.
    #[must_use]
    fn called(self, _task: &str) -> Self {
        self
    }

    /// The questions that it asks whatever those of its arguments turn out to be that are not known yet
    /// (and missing here). They go along with others, so that no round trip is spent on them later.
    fn foresee(_args: &Args<'_>, _host: &HostName) -> Vec<Query> {
        Vec::new()
    }

    /// Looks. All questions at once, as far as they do not depend on each other's answers.
    ///
    /// # Errors
    /// The questions that must be asked first.
    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need>;

    /// Decides. No I/O, no clock, no randomness: the same state gives the same decision.
    fn plan(&self, state: &Self::State) -> Decision;

    /// What `register` keeps, for modules that read.
    fn registered(&self, _state: &Self::State) -> Option<serde_json::Value> {
        None
    }

    /// How well the layer is that this module is responsible for.
    fn health(&self, _state: &Self::State) -> Option<Health> {
        None
    }
}

/// All that a module says about what it sees.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What follows.
    pub decision: Decision,
    /// What `register` keeps.
    pub registered: Option<serde_json::Value>,
    /// How well its layer is.
    pub health: Option<Health>,
}

fn verdict<M: Module>(module: &M, seen: &Answers<'_>) -> Result<Verdict, Need> {
    let state = module.look(seen)?;
    Ok(Verdict {
        decision: module.plan(&state),
        registered: module.registered(&state),
        health: module.health(&state),
    })
}

/// Declares every module once: the variant, the table of names, the dispatch.
macro_rules! modules {
    ($($variant:ident($type:ty)),+ $(,)?) => {
        /// A module of a playbook, with its arguments.
        #[derive(Clone, Debug)]
        pub enum AnyModule { $(#[allow(missing_docs)] $variant($type)),+ }

        /// All modules, in the order of the documentation.
        pub const SPECS: &[ModuleSpec] = &[$(<$type as Module>::SPEC),+];

        impl AnyModule {
            /// Builds the module called `args.spec.name`.
            ///
            /// # Errors
            /// As [`Module::from_args`].
            pub fn build(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
                $(if args.spec.name == <$type as Module>::SPEC.name {
                    return <$type as Module>::from_args(args, context).map(Self::$variant);
                })+
                Err(args.wrong(format!("there is no module `{}`", args.spec.name)))
            }

            /// Takes the task's name, as [`Module::called`].
            #[must_use]
            pub fn called(self, task: &str) -> Self {
                match self { $(Self::$variant(module) => Self::$variant(module.called(task))),+ }
            }

            /// The questions that the module called `args.spec.name` asks whatever its unknown arguments are.
            pub fn foresee(args: &Args<'_>, host: &HostName) -> Vec<Query> {
                $(if args.spec.name == <$type as Module>::SPEC.name {
                    return <$type as Module>::foresee(args, host);
                })+
                Vec::new()
            }

            /// Looks and plans.
            ///
            /// # Errors
            /// The questions that must be asked first.
            pub fn verdict(&self, seen: &Answers<'_>) -> Result<Verdict, Need> {
                match self { $(Self::$variant(module) => verdict(module, seen)),+ }
            }
        }
    };
}

mod block;
mod command;
mod directory;
mod file;
mod firewall;
mod hostname;
mod hosts_entries;
mod line;
mod mount;
mod package;
mod repository;
mod service;
mod shell;
mod slurp;
mod stat;
mod sysctl;
mod template;
mod user_group;

modules! {
    File(file::File),
    Template(template::Template),
    Directory(directory::Directory),
    Line(line::Line),
    Block(block::Block),
    Package(package::Package),
    Repository(repository::Repository),
    Service(service::Service),
    Firewall(firewall::Firewall),
    Hostname(hostname::Hostname),
    HostsEntries(hosts_entries::HostsEntries),
    Sysctl(sysctl::Sysctl),
    Mount(mount::Mount),
    UserGroup(user_group::UserGroup),
    Command(command::Command),
    Shell(shell::Shell),
    Stat(stat::Stat),
    Slurp(slurp::Slurp),
    Preflight(crate::cluster::preflight::Preflight),
    ReplacedHosts(crate::cluster::replaced_hosts::ReplacedHosts),
    Swarm(crate::cluster::swarm::Swarm),
    SshMesh(crate::cluster::ssh_mesh::SshMesh),
    Pgpool(crate::cluster::pgpool::Pgpool),
    Postgres(crate::cluster::postgres::Postgres),
    GlusterPool(crate::cluster::gluster_pool::GlusterPool),
    GlusterVolume(crate::cluster::gluster_volume::GlusterVolume),
    SharedDir(crate::cluster::shared_dir::SharedDir),
    SecretKey(crate::cluster::secret_key::SecretKey),
    Certificates(crate::cluster::certificates::Certificates),
    StackImages(crate::cluster::stack::StackImages),
    Stack(crate::cluster::stack::Stack),
    ExternalDatabase(crate::cluster::external_database::ExternalDatabase),
}

//! The command line. The doc comments are the help.

use crate::plan::Allow;
use crate::yaml::suggest;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Converge EL9 hosts to a working cluster
///
/// `provision INVENTORY` brings every host of the inventory to what the playbook says, and does nothing
/// where nothing is to be done. `--dry-run` shows the same plan and touches nothing.
///
/// Exit codes: 0 done or nothing to do, 1 failed, 2 changes pending (--detailed-exitcode), 3 refused,
/// 4 some host unreachable and the rest done, 5 drift from the saved plan, 6 not converged after apply,
/// 64 bad usage or input, 130 interrupted.
#[derive(Debug, Parser)]
#[command(
    name = "provision",
    version,
    arg_required_else_help = true,
    override_usage = "provision INVENTORY [OPTIONS]\n       provision COMMAND …"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The arguments of the program, with the command that is meant when none is named: `provision INVENTORY` converges.
pub fn arguments(given: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = given.into_iter().collect();
    let names_command = match words.get(1).and_then(|word| word.to_str()) {
        None | Some("help" | "-h" | "--help" | "-V" | "--version") => true,
        Some(word) => Cli::command()
            .get_subcommands()
            .any(|known| known.get_name() == word),
    };
    if !names_command && words.len() > 1 {
        words.insert(1, "apply".into());
    }
    words
}

/// The command that was probably meant by a first word that is none, and no file either.
pub fn misspelt_command(given: impl IntoIterator<Item = OsString>) -> Option<(String, String)> {
    let word = given.into_iter().nth(1)?.into_string().ok()?;
    if word.starts_with('-') || word.contains(['.', '/']) || std::path::Path::new(&word).exists() {
        return None;
    }
    let command = Cli::command();
    let known = command.get_subcommands().map(clap::Command::get_name);
    let near = suggest(&word, known.filter(|name| *name != word))?.to_owned();
    Some((word, near))
}

#[allow(missing_docs)]
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Converge (the same as `provision INVENTORY`)
    Apply(ApplyArgs),
    /// Show what would be done; change nothing
    Plan(PlanArgs),
    /// Show how well each layer is, on one screen
    Status(StatusArgs),
    /// Use what was deployed, from every host, and tell what works
    Test(TestArgs),
    /// Render the stack's docker-swarm.yml, without a connection
    Stack(StackArgs),
    /// Check everything that can be checked without a connection
    Validate(InputArgs),
    /// Show the inventory as it was understood
    Inventory(InventoryArgs),
    /// Write the built-in playbooks and an example inventory into this folder
    Init(InitArgs),
    /// Print the arguments of a module, or the list of modules
    Docs {
        /// The module
        module: Option<String>,
    },
    /// Explain a refusal or advice by its code: what was seen, why, where to look, what to do
    Explain {
        /// Such as P7; without one, the list of all
        code: Option<String>,
    },
    /// Print a completion script
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// Where the input is, and what of it is meant.
#[derive(Clone, Debug, Args)]
pub struct InputArgs {
    /// The inventory file
    pub inventory: PathBuf,
    /// The playbook; playbooks/site.yml of this folder, else the built-in one
    #[arg(long, value_name = "FILE", env = "PROVISION_PLAYBOOK")]
    pub playbook: Option<PathBuf>,
    /// Only change hosts that match (everything is still looked at)
    #[arg(long, short, value_name = "PATTERN", env = "PROVISION_LIMIT")]
    pub limit: Option<String>,
    /// Only tasks with one of these tags
    #[arg(
        long,
        short,
        value_name = "TAG",
        value_delimiter = ',',
        env = "PROVISION_TAGS"
    )]
    pub tags: Vec<String>,
    /// No tasks with one of these tags
    #[arg(
        long,
        value_name = "TAG",
        value_delimiter = ',',
        env = "PROVISION_SKIP_TAGS"
    )]
    pub skip_tags: Vec<String>,
    /// Allow what convergence never does by itself, for one object (can be repeated)
    #[arg(long, value_name = "VERB=OBJECT[@EVIDENCE]")]
    pub allow: Vec<Allow>,
    /// Set a variable (can be repeated)
    #[arg(long = "extra-vars", short = 'e', value_name = "KEY=VALUE")]
    pub extra_vars: Vec<String>,
}

/// How to reach the hosts.
#[derive(Clone, Debug, Args)]
pub struct ConnectionArgs {
    /// How many connections are opened at the same time
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        env = "PROVISION_FORKS",
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub forks: u16,
    /// Seconds that opening a connection may take
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 15,
        env = "PROVISION_CONNECT_TIMEOUT"
    )]
    pub connect_timeout: u64,
    /// Ask for the sudo password
    #[arg(long, short = 'K', env = "PROVISION_ASK_BECOME_PASS")]
    pub ask_become_pass: bool,
    /// Accept the new SSH host key of this host (can be repeated)
    ///
    /// The key that the host shows, unknown or changed, is printed, and that one key is recorded and believed from then on.
    #[arg(long, value_name = "HOST")]
    pub accept_new_key: Vec<String>,
}

/// What is printed.
#[derive(Clone, Debug, Args)]
pub struct OutputArgs {
    /// How events are printed; human on a terminal, plain otherwise
    #[arg(long, value_enum, env = "PROVISION_OUTPUT")]
    pub output: Option<OutputFormat>,
    /// Where the log goes
    #[arg(long, value_name = "FILE", env = "PROVISION_LOG_FILE")]
    pub log_file: Option<PathBuf>,
    /// Tell more
    #[arg(long, short, env = "PROVISION_VERBOSE")]
    pub verbose: bool,
    /// Tell only the result
    #[arg(long, short, conflicts_with = "verbose", env = "PROVISION_QUIET")]
    pub quiet: bool,
    /// Colours
    #[arg(long, value_enum, default_value = "auto", env = "PROVISION_COLOR")]
    pub color: Color,
}

#[allow(missing_docs)]
#[derive(Clone, Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Show the plan and change nothing
    #[arg(long, short = 'C', visible_alias = "check", env = "PROVISION_DRY_RUN")]
    pub dry_run: bool,
    /// Exit with 2 when changes are pending
    #[arg(long, env = "PROVISION_DETAILED_EXITCODE")]
    pub detailed_exitcode: bool,
    /// Seconds to wait for another run to end
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0,
        env = "PROVISION_LOCK_TIMEOUT"
    )]
    pub lock_timeout: u64,
    /// Ask everything again after each step, and fail when an answer that was kept has moved
    #[arg(long, env = "PROVISION_PARANOID")]
    pub paranoid: bool,
}

#[allow(missing_docs)]
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Format of the plan
    #[arg(long, value_enum, default_value = "text", env = "PROVISION_FORMAT")]
    pub format: PlanFormat,
    /// Write the plan to a file as well, as JSON
    #[arg(long, value_name = "FILE", env = "PROVISION_OUT")]
    pub out: Option<PathBuf>,
    /// Rehearse the loss of this host: what would be left, and what would bring it back (can be repeated)
    ///
    /// Nothing is changed. First how well the layers are while the host is down, then the plan of the run after it was
    /// replaced by a blank machine of the same name and address. What is written with `--out` is no plan that can be applied.
    #[arg(long, value_name = "HOST")]
    pub assume_lost: Vec<String>,
    /// Exit with 2 when changes are pending
    #[arg(long, env = "PROVISION_DETAILED_EXITCODE")]
    pub detailed_exitcode: bool,
}

#[allow(missing_docs)]
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Look again every two seconds
    #[arg(long, env = "PROVISION_WATCH")]
    pub watch: bool,
}

#[allow(missing_docs)]
#[derive(Clone, Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[allow(missing_docs)]
#[derive(Clone, Debug, Args)]
pub struct StackArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Write the document, with its secrets, and the files beside it into this folder
    #[arg(long, value_name = "FOLDER", env = "PROVISION_OUT")]
    pub out: Option<PathBuf>,
}

#[allow(missing_docs)]
#[derive(Clone, Debug, Args)]
pub struct InventoryArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// As JSON, like `ansible-inventory --list`
    #[arg(long, conflicts_with = "graph", env = "PROVISION_LIST")]
    pub list: bool,
    /// As a tree of groups
    #[arg(long, env = "PROVISION_GRAPH")]
    pub graph: bool,
}

#[allow(missing_docs)]
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// Write over files that are there and differ
    #[arg(long)]
    pub overwrite: bool,
}

#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Bars and colours
    Human,
    /// Lines
    Plain,
    /// One JSON object a line
    Json,
}

#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

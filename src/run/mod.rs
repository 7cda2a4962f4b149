//! The whole story: load → look → plan → show → lock → act → verify → report.

mod apply;
mod check;
pub mod compile;
mod console;
mod ending;
mod explain;
mod lock;
pub mod outcome;
pub mod project;
mod rehearse;
mod setup;
mod show;
mod stack_file;
mod status;
mod targets;
mod write;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use clap::CommandFactory;

/// Does what the command line says; the exit code comes back.
///
/// # Errors
/// Everything that ends a run early, with its message and exit code.
pub fn run(cli: Cli) -> Result<u8, Failure> {
    match cli.command {
        Command::Apply(args) => block_on(apply::apply(args)),
        Command::Plan(args) => block_on(apply::plan(args)),
        Command::Status(args) => block_on(status::status(args)),
        Command::Test(args) => block_on(check::test(args)),
        Command::Stack(args) => stack_file::stack(&args),
        Command::Validate(input) => show::validate(&input),
        Command::Inventory(args) => show::inventory(&args),
        Command::Init(args) => write::init(&args),
        Command::Explain { code } => explain::explain(code.as_deref()),
        Command::Docs { module } => show::docs(module.as_deref()),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "provision",
                &mut std::io::stdout(),
            );
            Ok(0)
        }
    }
}

/// One thread: the work is on the hosts, and the answers are small.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::internal(format!(
                "the asynchronous runtime cannot be started: {error}"
            ))
        })?;
    runtime.block_on(future)
}

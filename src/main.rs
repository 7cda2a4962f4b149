//! The `provision` program.

use clap::Parser;
use provision::cli::{Cli, arguments, misspelt_command};
use provision::failure::{Failure, USAGE};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(arguments(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error)
            if error.use_stderr()
                && let Some((word, near)) = misspelt_command(std::env::args_os()) =>
        {
            let failure = Failure::usage(format!("there is no command and no file `{word}`"))
                .hint(format!("did you mean `provision {near}`?"));
            return fail(&failure);
        }
        Err(error) => {
            // Help and version are no errors; clap's own code for bad usage is 2, which means "changes pending" here.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match provision::run::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{failure}\n"));
    ExitCode::from(failure.code)
}

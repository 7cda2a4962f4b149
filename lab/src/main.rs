//! `lab`: EL9-like hosts on one Linux machine.

mod access;
mod cache;
mod cgroup;
mod cli;
mod connect;
mod down;
mod fence;
mod host;
mod images;
mod lab;
mod launcher;
mod machine;
mod network;
mod power;
mod process;
mod services;
mod supervise;
mod up;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;

use cli::{Cli, Command};
use lab::Lab;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    if !nix::unistd::geteuid().is_root() {
        bail!("the lab needs root, for namespaces, mounts and control groups; run it as root");
    }
    match command {
        Command::Build => drop(images::make()?),
        Command::Up {
            which,
            hosts,
            cgroup,
        } => up::up(&Lab::named(&which.name)?, hosts, cgroup)?,
        Command::Down { which } => down::down(&Lab::named(&which.name)?)?,
        Command::Ssh {
            which,
            host,
            command,
        } => {
            let lab = Lab::named(&which.name)?;
            access::ssh(&lab, &lab.host(&lab.record()?, &host)?, &command)?;
        }
        Command::Connect { which, host, port } => {
            connect::connect(&Lab::named(&which.name)?, &host, port)?
        }
        Command::Exec {
            which,
            host,
            command,
        } => {
            let lab = Lab::named(&which.name)?;
            let record = lab.record()?;
            access::exec(&lab.host(&record, &host)?, &record, &command)?;
        }
        Command::Address { which, host } => {
            let lab = Lab::named(&which.name)?;
            println!("{}", lab.host(&lab.record()?, &host)?.address());
        }
        Command::Supervise { which, host } => {
            let lab = Lab::named(&which.name)?;
            let record = lab.record()?;
            supervise::supervise(&lab.host(&record, &host)?, &record)?;
        }
        Command::Boot { which, host } => {
            let lab = Lab::named(&which.name)?;
            let record = lab.record()?;
            let end = launcher::boot(&lab.host(&record, &host)?, &record)?;
            return Ok(ExitCode::from(end.code()));
        }
        Command::Init { which, host } => {
            let lab = Lab::named(&which.name)?;
            let record = lab.record()?;
            launcher::init(&lab.host(&record, &host)?, &record)?;
        }
        Command::Serve { which, service } => services::serve(&Lab::named(&which.name)?, service)?,
        _ => bail!("later"),
    }
    Ok(ExitCode::SUCCESS)
}

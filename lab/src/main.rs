//! `lab`: EL9-like hosts on one Linux machine.

mod access;
mod cache;
mod cgroup;
mod cli;
mod connect;
mod containers;
mod down;
mod fault;
mod fence;
mod host;
mod hosts;
mod images;
mod init;
mod lab;
mod launcher;
mod machine;
mod network;
mod nfs;
mod power;
mod process;
mod services;
mod site;
mod snapshot;
mod status;
mod supervise;
mod up;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;

use cli::{Cli, Command, Hosts, Which};
use fault::Faults;
use host::Host;
use lab::{Lab, Record};

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
            network,
            names,
            cgroup,
            images,
        } => {
            let lab = Lab::named(&which.name)?;
            let hosts = site::count(hosts, &names)?;
            let site = site::Site::new(network, names, hosts)?;
            up::up(&lab, hosts, site, cgroup)?;
            if images {
                containers::put(&containers::directory(&lab))?;
            }
        }
        Command::Images { to } => {
            let made = containers::make()?;
            if let Some(to) = &to {
                containers::put(to)?;
            }
            println!("{}", to.unwrap_or(made).display());
        }
        Command::LoadImages { which, hosts } => {
            containers::put(&containers::directory(&which.lab()?.0))?;
            change(&which, &hosts, |hosts, record| {
                hosts::each(hosts, record, containers::load)
            })?;
        }
        Command::Down { which } => down::down(&Lab::named(&which.name)?)?,
        Command::Status { which, format } => status::show(&Lab::named(&which.name)?, format)?,
        Command::MirrorLog { which } => services::print_mirror_log(&Lab::named(&which.name)?)?,
        Command::Connect { which, host, port } => {
            connect::connect(&Lab::named(&which.name)?, &host, port)?;
        }
        Command::Ssh {
            which,
            host,
            command,
        } => {
            let (lab, record) = which.lab()?;
            access::ssh(&lab, &lab.host(&record, &host)?, &command)?;
        }
        Command::Exec {
            which,
            host,
            command,
        } => {
            let (lab, record) = which.lab()?;
            access::exec(&lab.host(&record, &host)?, &record, &command)?;
        }
        Command::Address { which, host } => {
            let (lab, record) = which.lab()?;
            println!("{}", lab.host(&record, &host)?.address());
        }
        Command::Kill { which, hosts } => change(&which, &hosts, hosts::kill)?,
        Command::Stop { which, hosts } => change(&which, &hosts, hosts::stop)?,
        Command::Start { which, hosts } => change(&which, &hosts, hosts::start)?,
        Command::Reboot { which, hosts } => change(&which, &hosts, hosts::reboot)?,
        Command::Cut { which, hosts } => change(&which, &hosts, |hosts, record| {
            hosts::set_cables(hosts, record, false)
        })?,
        Command::Mend { which, hosts } => change(&which, &hosts, |hosts, record| {
            hosts::set_cables(hosts, record, true)
        })?,
        Command::Replace {
            which,
            hosts,
            refresh_known_hosts,
        } => {
            change(&which, &hosts, |hosts, record| {
                hosts::replace(hosts, record, refresh_known_hosts)
            })?;
        }
        Command::ReplaceDisk { which, hosts } => change(&which, &hosts, hosts::replace_disks)?,
        Command::Partition {
            which,
            a,
            b,
            one_way,
            loss,
        } => {
            let (lab, record) = which.lab()?;
            let (a, b) = (lab.host(&record, &a)?, lab.host(&record, &b)?);
            change_faults(&lab, &record, |faults| {
                faults.part(&a, &b, one_way, loss.unwrap_or(100))
            })?;
        }
        Command::Heal { which } => {
            let (lab, record) = which.lab()?;
            change_faults(&lab, &record, |faults| {
                faults.losses.clear();
                Ok(())
            })?;
        }
        Command::Repo {
            which,
            host,
            reach,
            silent,
        } => {
            let (lab, record) = which.lab()?;
            let hosts = if host == "all" {
                lab.hosts(&record)
            } else {
                vec![lab.host(&record, &host)?]
            };
            change_faults(&lab, &record, |faults| {
                faults.set_mirror(&hosts, reach, silent);
                Ok(())
            })?;
        }
        Command::Snapshot { which, label } => {
            let (lab, record) = which.lab()?;
            let _lock = lab.lock()?;
            snapshot::snapshot(&lab, &record, &label)?;
        }
        Command::Restore { which, label } => {
            let (lab, record) = which.lab()?;
            let _lock = lab.lock()?;
            snapshot::restore(&lab, &record, &label)?;
        }
        Command::Supervise { which, host } => {
            process::close_inherited()?;
            let (lab, record) = which.lab()?;
            supervise::supervise(&lab.host(&record, &host)?, &record)?;
        }
        Command::Boot { which, host } => {
            let (lab, record) = which.lab()?;
            let end = launcher::boot(&lab.host(&record, &host)?, &record)?;
            return Ok(ExitCode::from(end.code()));
        }
        Command::Init { which, host } => {
            let (lab, record) = which.lab()?;
            init::init(&lab.host(&record, &host)?, &record)?;
        }
        Command::NfsServer { which } => {
            let (lab, record) = which.lab()?;
            let _lock = lab.lock()?;
            println!("{}", nfs::start(&lab, &record)?);
        }
        Command::Serve { which, service } => {
            process::close_inherited()?;
            services::serve(&Lab::named(&which.name)?, service)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Acts on hosts while no other command changes the lab.
fn change(
    which: &Which,
    hosts: &Hosts,
    act: impl FnOnce(&[Host], &Record) -> Result<()>,
) -> Result<()> {
    let (lab, record) = which.lab()?;
    let hosts = hosts::select(&lab, &record, hosts)?;
    let _lock = lab.lock()?;
    act(&hosts, &record)
}

/// Changes the faults in force while no other command changes the lab.
fn change_faults(
    lab: &Lab,
    record: &Record,
    change: impl FnOnce(&mut Faults) -> Result<()>,
) -> Result<()> {
    let _lock = lab.lock()?;
    let mut faults = Faults::load(lab);
    change(&mut faults)?;
    faults.apply(lab, record)
}

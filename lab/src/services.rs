//! The lab's fake internet at the gateway's address: names, the package mirror, the time.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, chroot, setsid};

use crate::cgroup;
use crate::lab::{Lab, Record};
use crate::network;
use crate::nfs;
use crate::process::{PATH, this_program, tool, wait_until};

/// Host names the lab's name server knows. Anything else is refused at once.
pub const NAMES: [&str; 6] = [
    "download.docker.com",
    "dl.rockylinux.org",
    "dl.fedoraproject.org",
    "download.postgresql.org",
    "www.pgpool.net",
    "mirror.stream.centos.org",
];

/// Where the hosts' chronyd asks for the time.
const TIME_SERVERS: &str = "rocky.pool.ntp.org";

const MIRROR: &str = include_str!("../recipes/mirror.py");

/// One service.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Service {
    /// Name server
    Dns,
    /// Web server of the package repositories
    Web,
    /// Time server
    Ntp,
    /// File server
    Nfs,
}

/// Starts all services that do not run, and waits until they answer.
pub fn start(lab: &Lab, record: &Record) -> Result<()> {
    let group = record.unified.join("services");
    if !cgroup::populated(&group) {
        for (service, log) in [
            ("dns", "dns.log"),
            ("web", "mirror.log"),
            ("ntp", "ntp.log"),
        ] {
            spawn(lab, service, log)?;
        }
    }
    wait_for(lab, record, &[53, 80, 443])
}

/// Starts one service in the background.
pub fn spawn(lab: &Lab, service: &str, log: &str) -> Result<()> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(lab.directory.join(log))?;
    this_program()
        .args(["serve", "--name", &lab.name, service])
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .map(drop)
        .with_context(|| format!("cannot start the service {service}"))
}

/// Waits until something answers at all of these ports of the gateway.
pub fn wait_for(lab: &Lab, record: &Record, ports: &[u16]) -> Result<()> {
    let ports = ports.to_vec();
    let namespace = lab.namespace();
    let gateway = record.site.network.gateway();
    let answer = thread::spawn(move || -> Result<Option<u16>> {
        network::enter(&namespace)?;
        let silent = ports.into_iter().find(|port| {
            let address = SocketAddr::from((gateway, *port));
            !wait_until(Duration::from_secs(60), || {
                TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
            })
        });
        Ok(silent)
    });
    match answer
        .join()
        .map_err(|_| anyhow::anyhow!("the wait for the services broke"))??
    {
        None => Ok(()),
        Some(port) => {
            bail!(
                "nothing answers at {gateway} port {port} in the lab; see the logs in {}",
                lab.directory.display()
            )
        }
    }
}

/// Whether something answers at the port of the gateway.
pub fn answers(lab: &Lab, record: &Record, port: u16) -> bool {
    let (namespace, gateway) = (lab.namespace(), record.site.network.gateway());
    let look = thread::spawn(move || {
        network::enter(&namespace).is_ok()
            && TcpStream::connect_timeout(
                &SocketAddr::from((gateway, port)),
                Duration::from_secs(1),
            )
            .is_ok()
    });
    look.join().unwrap_or(false)
}

/// Prints what the mirror was asked for.
pub fn print_mirror_log(lab: &Lab) -> Result<()> {
    lab.record()?;
    let log = lab.directory.join("mirror.log");
    let mut file = File::open(&log).with_context(|| format!("cannot open {}", log.display()))?;
    io::copy(&mut file, &mut io::stdout().lock())
        .map(drop)
        .context("cannot print the log")
}

/// Becomes one service.
pub fn serve(lab: &Lab, service: Service) -> Result<()> {
    let record = lab.record()?;
    let _ = setsid();
    cgroup::join(&record.unified.join("services"))?;
    network::enter(&lab.namespace())?;
    let error = match service {
        Service::Dns => dns(&record).exec(),
        Service::Web => web(&record)?.exec(),
        Service::Ntp => ntp(&record)?.exec(),
        Service::Nfs => nfs::server(lab, &record)?.exec(),
    };
    Err(error).with_context(|| format!("cannot become the service {service:?}"))
}

fn dns(record: &Record) -> Command {
    let gateway = record.site.network.gateway();
    let mut command = tool("dnsmasq");
    command.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        "--pid-file=",
        "--user=root",
        "--log-facility=-",
    ]);
    command.arg(format!("--listen-address={gateway}"));
    for name in NAMES.into_iter().chain([TIME_SERVERS]) {
        command.arg(format!("--address=/{name}/{gateway}"));
    }
    command
}

fn web(record: &Record) -> Result<Command> {
    let root = private_base(record)?;
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(
        Some(&record.web),
        &root.join("srv/mirror"),
        None::<&str>,
        bind,
        None::<&str>,
    )?;
    for file in ["server.crt", "server.key"] {
        fs::copy(record.identity.join(file), root.join("srv/lab").join(file))?;
    }
    fs::write(root.join("srv/lab/mirror.py"), MIRROR)?;
    inside(
        root,
        &[
            "python3",
            "/srv/lab/mirror.py",
            &record.site.network.gateway().to_string(),
            "/srv/mirror",
            "/srv/lab/server.crt",
            "/srv/lab/server.key",
        ],
    )
}

fn ntp(record: &Record) -> Result<Command> {
    let root = private_base(record)?;
    let config = format!(
        "local stratum 3\nallow {}\nbindaddress {}\ncmdport 0\nbindcmdaddress /\npidfile /srv/lab/chronyd.pid\n",
        record.site.network,
        record.site.network.gateway()
    );
    fs::write(root.join("srv/lab/chrony.conf"), config)?;
    inside(
        root,
        &[
            "chronyd",
            "-x",
            "-d",
            "-u",
            "root",
            "-f",
            "/srv/lab/chrony.conf",
        ],
    )
}

/// The base image in a mount namespace of the calling process, with scratch space at /srv/lab.
fn private_base(record: &Record) -> Result<&Path> {
    private(&record.base)?;
    Ok(&record.base)
}

/// A tree of the cache in a mount namespace of the calling process, with scratch space at /srv/lab.
pub fn private(root: &Path) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )?;
    mount(
        Some("tmpfs"),
        &root.join("srv/lab"),
        Some("tmpfs"),
        MsFlags::empty(),
        Some("mode=755,size=1m"),
    )?;
    mount(
        Some("/dev"),
        &root.join("dev"),
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )?;
    Ok(())
}

/// A program of a tree, for the calling process to become.
pub fn inside(root: &Path, words: &[&str]) -> Result<Command> {
    chroot(root)?;
    chdir("/")?;
    let mut command = Command::new(words.first().context("no program")?);
    command
        .args(&words[1..])
        .env_clear()
        .env("PATH", PATH)
        .stdin(File::open("/dev/null")?);
    Ok(command)
}

//! Switching hosts on and off.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cgroup;
use crate::host::Host;
use crate::lab::Record;
use crate::network;
use crate::process::{run, this_program, tool, wait_until};

/// How long a host may take from power-on to its sshd's greeting. A busy machine needs 10 s.
const BOOT: Duration = Duration::from_secs(120);

/// How long a clean shutdown may take. Units that do not stop are killed by systemd after 90 s.
const SHUTDOWN: Duration = Duration::from_secs(120);

/// Whether the host is switched on.
pub fn is_on(host: &Host, record: &Record) -> bool {
    cgroup::populated(&host.unified(record))
}

/// Switches the host on; it boots in the background.
pub fn start(host: &Host, record: &Record) -> Result<()> {
    if is_on(host, record) {
        return Ok(());
    }
    host.make_disks()?;
    cgroup::make_host(host, record)?;
    let console = OpenOptions::new()
        .create(true)
        .append(true)
        .open(host.console())?;
    this_program()
        .args(["supervise", "--name", &host.lab.name, &host.name()])
        .stdout(console.try_clone()?)
        .stderr(console)
        .spawn()
        .with_context(|| format!("cannot start {}", host.name()))?;
    if !wait_until(Duration::from_secs(60), || is_on(host, record)) {
        bail!("{} does not start; {}", host.name(), last_words(host));
    }
    Ok(())
}

/// Waits until the sshd of every host greets; one line a host, with the time since `since`.
pub fn wait_for_sshd(hosts: &[Host], record: &Record, since: Instant) -> Result<()> {
    let waits: Vec<_> = hosts
        .iter()
        .map(|host| {
            let (host, record) = (host.clone(), record.clone());
            thread::spawn(move || -> Result<()> {
                network::enter(&host.lab.namespace())?;
                let deadline = since + BOOT;
                while !greets(&host, Duration::from_millis(300)) {
                    if !is_on(&host, &record) {
                        bail!(
                            "{} switched itself off while booting; {}",
                            host.name(),
                            last_words(&host)
                        );
                    }
                    if Instant::now() > deadline {
                        bail!(
                            "no sshd on {} ({}) after {} s; {}",
                            host.name(),
                            host.address(),
                            BOOT.as_secs(),
                            last_words(&host)
                        );
                    }
                    thread::sleep(Duration::from_millis(20));
                }
                println!(
                    "{} {} sshd after {:.1} s",
                    host.name(),
                    host.address(),
                    since.elapsed().as_secs_f64()
                );
                Ok(())
            })
        })
        .collect();
    let mut problems = Vec::new();
    for wait in waits {
        match wait.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => problems.push(format!("{error:#}")),
            Err(_) => problems.push("a wait for sshd broke".to_owned()),
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        bail!("{}", problems.join("\n"))
    }
}

/// Whether the host's sshd greets. The calling thread must be in the lab's network namespace.
pub fn greets(host: &Host, limit: Duration) -> bool {
    let Ok(address) = format!("{}:22", host.address()).parse::<SocketAddr>() else {
        return false;
    };
    let Ok(mut stream) = TcpStream::connect_timeout(&address, limit) else {
        return false;
    };
    let mut greeting = [0; 4];
    stream.set_read_timeout(Some(limit)).is_ok()
        && stream.read_exact(&mut greeting).is_ok()
        && &greeting == b"SSH-"
}

/// Power loss. Silence comes first: peers must not see connections being closed.
pub fn kill(host: &Host, record: &Record) -> Result<()> {
    network::silence(host);
    cgroup::kill(&host.unified(record))?;
    clear(host, record)
}

/// Clean shutdown.
pub fn stop(host: &Host, record: &Record) -> Result<()> {
    if let Some(init) = host.init() {
        // SIGRTMIN+4 asks systemd for a power-off (systemd(1)).
        run(tool("kill").args(["-s", "RTMIN+4", &init.pid.to_string()]))?;
    }
    if !wait_until(SHUTDOWN, || !is_on(host, record)) {
        bail!(
            "it did not shut down within {} s; cut its power with `lab kill`",
            SHUTDOWN.as_secs()
        );
    }
    clear(host, record)
}

/// Clean restart; returns when the next boot has begun.
pub fn reboot(host: &Host) -> Result<()> {
    let Some(init) = host.init() else {
        bail!("it is off; start it with `lab start {}`", host.name());
    };
    // SIGRTMIN+5 asks systemd for a reboot (systemd(1)).
    run(tool("kill").args(["-s", "RTMIN+5", &init.pid.to_string()]))?;
    if !wait_until(SHUTDOWN, || host.init().is_some_and(|next| next != init)) {
        bail!(
            "it did not restart within {} s; cut its power with `lab kill`",
            SHUTDOWN.as_secs()
        );
    }
    Ok(())
}

/// Removes what is left of a host that is off: its namespace and its control groups.
pub fn clear(host: &Host, record: &Record) -> Result<()> {
    network::unplug(host)?;
    for file in [host.supervisor_file(), host.init_file()] {
        let _ = fs::remove_file(file);
    }
    for (_, path) in host.v1(record) {
        cgroup::remove(&path)?;
    }
    cgroup::remove(&host.unified(record))
}

/// The end of the host's console, for errors.
fn last_words(host: &Host) -> String {
    let file = host.console();
    let text = fs::read(&file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    let last = lines
        .iter()
        .skip(lines.len().saturating_sub(8))
        .map(|line| format!("\n    {line}"));
    format!("the end of {}:{}", file.display(), last.collect::<String>())
}

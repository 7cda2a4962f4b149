//! A real sshd on a loopback port, with its own configuration, keys and login shell's `sh`.
//!
//! Needs `/usr/sbin/sshd` (Debian: openssh-server). It runs as whoever runs the tests and lets
//! only that user in.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use provision::connection::{Connector, Request, Session, Settings, Target};
use tempfile::TempDir;

pub struct Sshd {
    directory: TempDir,
    pub port: u16,
    child: Child,
}

/// What `sh` is on the host.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sh {
    /// As on EL9.
    Bash,
    /// As on Debian.
    Dash,
}

impl Sshd {
    pub fn start() -> Self {
        Self::start_with(Sh::Bash)
    }

    pub fn start_with(sh: Sh) -> Self {
        let directory = TempDir::new().unwrap();
        let path = |name: &str| directory.path().join(name);
        for key in ["host", "host2", "login", "stranger"] {
            keygen(&path(key));
        }
        fs::copy(path("login.pub"), path("authorized_keys")).unwrap();
        // what a login shell's startup files may do; none of it may reach an answer
        fs::write(
            path("noise"),
            "echo Welcome; printf 'no newline'; echo warning >&2\n",
        )
        .unwrap();
        fs::create_dir(path("bin")).unwrap();
        let shell = if sh == Sh::Bash {
            "/bin/bash"
        } else {
            "/bin/dash"
        };
        symlink(shell, path("bin/sh")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // sshd refuses to run as root without its privilege separation directory
        let _there_already = fs::create_dir("/run/sshd");
        let child = Self::spawn(directory.path(), port, "host");
        Self {
            directory,
            port,
            child,
        }
    }

    fn spawn(directory: &Path, port: u16, host_key: &str) -> Child {
        let path = |name: &str| directory.join(name).display().to_string();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             SetEnv BASH_ENV={} PATH={}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin\n",
            path(host_key),
            path("authorized_keys"),
            path("noise"),
            path("bin"),
        );
        fs::write(directory.join("sshd_config"), config).unwrap();
        let log = fs::File::create(directory.join("sshd.log")).unwrap();
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &path("sshd_config")])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sshd is missing: apt-get install openssh-server");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < MINUTE, "sshd did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    /// As after a reinstallation: the same address, another host key.
    pub fn change_host_key(&mut self) {
        self.stop();
        self.child = Self::spawn(self.directory.path(), self.port, "host2");
    }

    /// No new connections; those that are open go on.
    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The fingerprint of a key pair in the host's directory.
    pub fn fingerprint(&self, key: &str) -> String {
        let out = Command::new("ssh-keygen")
            .arg("-lf")
            .arg(self.path(key))
            .output()
            .unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        text.split_whitespace().nth(1).unwrap().to_string()
    }

    pub fn target(&self, name: &str) -> Target {
        let mut target = Target::new(name, "127.0.0.1");
        target.port = Some(self.port);
        target.key_file = Some(self.path("login"));
        target
    }

    /// Settings that read nothing of the developer's own configuration.
    pub fn settings(&self) -> Settings {
        Settings {
            known_hosts: Some(self.path("known_hosts")),
            ssh_config: Vec::new(),
            connect_timeout: MINUTE,
            ..Settings::default()
        }
    }

    /// With the host's key on record, also under a name behind a proxy.
    pub fn trusting_settings(&self) -> Settings {
        if self.read("known_hosts").is_empty() {
            let key = self.read("host.pub");
            let line = format!("[127.0.0.1]:{},db1.behind-the-proxy {key}", self.port);
            fs::write(self.path("known_hosts"), line).unwrap();
        }
        self.settings()
    }

    pub async fn connect(&self) -> Session {
        self.connect_with(self.trusting_settings()).await
    }

    pub async fn connect_with(&self, settings: Settings) -> Session {
        let connector = Connector::new([self.target("db1")], settings).unwrap();
        connector
            .connect("db1")
            .await
            .unwrap_or_else(|e| panic!("{e}"))
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn keygen(path: &Path) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success());
}

/// Runs a script and gives back its standard output, which must be text.
pub async fn ask(session: &Session, script: &str) -> String {
    let output = session
        .send(Request::new(script))
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    String::from_utf8(output.stdout).unwrap()
}

/// Longer than anything that ends by itself takes on a busy machine.
pub const MINUTE: Duration = Duration::from_secs(60);

/// The process that serves this connection on the host.
pub async fn serving_process(session: &Session) -> u32 {
    ask(session, "echo $PPID").await.trim().parse().unwrap()
}

pub fn signal(signal: &str, pid: u32) {
    let status = Command::new("kill")
        .args([signal, &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success(), "kill {signal} {pid}");
}

pub fn is_running(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Waits until something holds, at most `limit`; gives back how long it took.
pub async fn eventually(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}

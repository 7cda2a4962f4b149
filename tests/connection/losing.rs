//! Hanging commands, dying shells, cut links, and leaving nothing behind.

use std::time::{Duration, Instant};

use provision::connection::{Connector, Lost, Request, Settings, Target};

use crate::sshd::{MINUTE, Sh, Sshd, ask, eventually, is_running, serving_process, signal};

fn hanging(script: &str) -> Request {
    Request {
        deadline: Duration::from_secs(2),
        ..Request::new(script)
    }
}

#[tokio::test]
async fn a_hanging_request_costs_its_shell_and_not_the_host() {
    for sh in [Sh::Bash, Sh::Dash] {
        let host = Sshd::start_with(sh);
        let session = host.connect().await;
        let pid_file = host.path("pid");
        let shell: u32 = ask(&session, "echo $$").await.trim().parse().unwrap();
        let start = Instant::now();
        let script = format!(
            "sh -c 'echo $$ >{}; exec sleep 1000'; echo done",
            pid_file.display()
        );
        let hung = session.send(hanging(&script));
        let read = session.send(Request::new("echo read"));
        let after = session.send(Request {
            fail_stop: true,
            ..Request::new("touch /never")
        });
        session.begin();
        let other_chain = session.send(Request {
            fail_stop: true,
            ..Request::new("touch /never")
        });
        let sleeper = || host.read("pid").trim().parse::<u32>().unwrap();
        assert_eq!(hung.await, Err(Lost::Deadline(Duration::from_secs(2))));
        assert_eq!(read.await.unwrap().stdout, b"read\n");
        assert!(after.await.unwrap().skipped);
        assert!(other_chain.await.unwrap().skipped);
        assert!(start.elapsed() < MINUTE, "{:?}", start.elapsed());
        assert!(!is_running(sleeper()) && !is_running(shell));
        assert_ne!(ask(&session, "echo $$").await.trim(), shell.to_string());
        // the chain that lost a link stays broken, a new one is whole
        let same = session
            .send(Request {
                fail_stop: true,
                ..Request::new("echo x")
            })
            .await;
        assert!(same.unwrap().skipped);
        session.begin();
        let new = session
            .send(Request {
                fail_stop: true,
                ..Request::new("echo x")
            })
            .await;
        assert_eq!(new.unwrap().stdout, b"x\n");
    }
}

#[tokio::test]
async fn time_spent_behind_others_does_not_count() {
    let host = Sshd::start();
    let session = host.connect().await;
    let slow: Vec<_> = (0..4).map(|_| session.send(hanging("sleep 0.7"))).collect();
    for answer in slow {
        assert_eq!(answer.await.unwrap().status, 0);
    }
}

#[tokio::test]
async fn a_script_that_kills_the_shell_costs_only_itself() {
    let host = Sshd::start();
    let session = host.connect().await;
    let killing = session.send(Request::new("kill -KILL $$"));
    let reading = session.send(Request::new("echo read"));
    assert!(matches!(killing.await, Err(Lost::Shell(_))));
    assert_eq!(reading.await.unwrap().stdout, b"read\n");
}

#[tokio::test]
async fn a_dead_connection_answers_everything_and_at_once() {
    let host = Sshd::start();
    let session = host.connect().await;
    let serving = serving_process(&session).await;
    let pending: Vec<_> = (0..3)
        .map(|_| session.send(Request::new("sleep 60")))
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let start = Instant::now();
    signal("-KILL", serving);
    for answer in pending {
        assert!(matches!(answer.await, Err(Lost::Gone(_))));
    }
    assert!(matches!(
        session.send(Request::new("true")).await,
        Err(Lost::Gone(_))
    ));
    assert!(matches!(
        session.upload("/never", 0o600, vec![1], MINUTE).await,
        Err(Lost::Gone(_))
    ));
    assert!(start.elapsed() < MINUTE / 2, "{:?}", start.elapsed());
    session.close().await;
}

#[tokio::test]
async fn a_silent_link_is_given_up_in_bounded_time() {
    let host = Sshd::start();
    let mut settings = host.trusting_settings();
    settings.keepalive_interval = Duration::from_secs(1);
    settings.keepalive_count = 2;
    let session = host.connect_with(settings).await;
    let serving = serving_process(&session).await;
    signal("-STOP", serving);
    let start = Instant::now();
    let waiting = session.send(Request::new("echo x")).await;
    let Err(Lost::Gone(why)) = waiting else {
        panic!("{waiting:?}")
    };
    assert!(why.contains("not responding"), "{why}");
    assert!(start.elapsed() < MINUTE, "{:?}", start.elapsed());
    signal("-KILL", serving);
}

#[tokio::test]
async fn a_deadline_on_a_silent_link_ends_as_a_lost_connection() {
    let host = Sshd::start();
    let mut settings = host.trusting_settings();
    settings.keepalive_interval = Duration::from_secs(1);
    settings.keepalive_count = 3;
    let session = host.connect_with(settings).await;
    let serving = serving_process(&session).await;
    signal("-STOP", serving);
    let start = Instant::now();
    let hung = session.send(hanging("echo x")).await;
    assert!(matches!(hung, Err(Lost::Gone(_))), "{hung:?}");
    assert!(start.elapsed() < MINUTE, "{:?}", start.elapsed());
    signal("-KILL", serving);
}

#[tokio::test]
async fn closing_ends_the_connection_whatever_still_runs() {
    let host = Sshd::start();
    let session = host.connect().await;
    let serving = serving_process(&session).await;
    let pending = session.send(Request::new("sleep 60"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    session.close().await;
    assert!(matches!(pending.await, Err(Lost::Gone(_))));
    eventually("the host sees the end", MINUTE / 2, || !is_running(serving)).await;
}

#[tokio::test]
async fn dropping_everything_leaves_no_process_and_no_file() {
    let host = Sshd::start();
    let before = leftovers();
    let connector = Connector::new([host.target("db1")], host.trusting_settings()).unwrap();
    let session = connector
        .connect("db1")
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let serving = serving_process(&session).await;
    let held = session
        .hold_lock(
            &host.path("lock").display().to_string(),
            "me",
            Duration::from_secs(10),
        )
        .await;
    assert!(held.is_ok_and(|held| held.is_held()));
    let mine: Vec<_> = leftovers()
        .into_iter()
        .filter(|path| !before.contains(path))
        .collect();
    assert!(!mine.is_empty());
    drop((connector, session));
    eventually("the host sees the end", MINUTE, || !is_running(serving)).await;
    eventually("the directory is gone", MINUTE, || {
        mine.iter().any(|p| !p.exists())
    })
    .await;
}

/// The connectors' directories of all tests that run at the moment.
fn leftovers() -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(std::env::temp_dir()).unwrap();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| path.to_string_lossy().contains("/provision-"))
        .collect()
}

const VICTIM: &str = "PROVISION_TEST_VICTIM";

/// Not a test: the process that the next one kills.
#[tokio::test]
#[ignore = "is run by killing_the_program_ends_its_connection"]
async fn victim() {
    let Some(words) = std::env::var_os(VICTIM) else {
        return;
    };
    let words = words.into_string().unwrap();
    let (port, directory) = words.split_once(' ').unwrap();
    let path = |name: &str| std::path::PathBuf::from(directory).join(name);
    let mut target = Target::new("db1", "127.0.0.1");
    (target.port, target.key_file) = (Some(port.parse().unwrap()), Some(path("login")));
    let settings = Settings {
        known_hosts: Some(path("known_hosts")),
        ssh_config: Vec::new(),
        ..Settings::default()
    };
    let connector = Connector::new([target], settings).unwrap();
    let session = connector
        .connect("db1")
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let started = path("started").display().to_string();
    let queued = path("queued").display().to_string();
    let _first = session.send(Request::new(format!("echo $PPID >{started}; sleep 1")));
    session
        .send(Request::new(format!("touch {queued}")))
        .await
        .unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn killing_the_program_ends_its_connection() {
    let host = Sshd::start();
    host.connect().await.close().await;
    let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "losing::victim", "--ignored"])
        // where what it leaves behind is removed with the host
        .env("TMPDIR", host.path(""))
        .env(VICTIM, format!("{} {}", host.port, host.path("").display()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    eventually("the victim works", MINUTE, || host.path("queued").exists()).await;
    let serving = host.read("started").trim().parse().unwrap();
    victim.kill().unwrap();
    victim.wait().unwrap();
    eventually("ssh leaves", MINUTE, || !is_running(serving)).await;
}

//! Host keys, login keys, and the other ways not to get in.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use provision::connection::{ConnectError, ConnectFailure, Connector, Settings, Target};

use crate::sshd::{MINUTE, Sshd, ask};

async fn failure(target: Target, settings: Settings) -> ConnectError {
    let name = target.name.clone();
    let connector = Connector::new([target], settings).unwrap();
    match connector.connect(&name).await {
        Ok(_) => panic!("it connected"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn an_unknown_host_is_refused_with_its_fingerprint_and_recorded_nowhere() {
    let host = Sshd::start();
    let error = failure(host.target("db1"), host.settings()).await;
    let fingerprint = host.fingerprint("host.pub");
    let key_type = "ssh-ed25519".to_string();
    let expected = ConnectFailure::UnknownHostKey {
        key_type,
        fingerprint: fingerprint.clone(),
    };
    assert_eq!(error.failure, expected);
    let text = error.to_string();
    assert!(
        text.starts_with("db1: ") && text.contains(&fingerprint),
        "{text}"
    );
    assert!(text.contains("--accept-new-key db1"), "{text}");
    assert_eq!(host.read("known_hosts"), "");
}

#[tokio::test]
async fn a_key_that_a_person_accepted_is_recorded_and_believed_from_then_on() {
    let host = Sshd::start();
    let connector = Connector::new([host.target("db1")], host.settings()).unwrap();
    assert!(connector.connect("db1").await.is_err());
    connector.accept_new_key("db1", &host.fingerprint("host.pub"));
    let session = connector
        .connect("db1")
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(ask(&session, "echo in").await, "in\n");
    assert_eq!(host.read("known_hosts").lines().count(), 1);
    host.connect_with(host.settings()).await;
}

/// Between the question and the answer another machine may have taken the address.
#[tokio::test]
async fn a_key_that_shows_up_after_the_question_is_not_the_one_that_was_accepted() {
    let mut host = Sshd::start();
    let connector = Connector::new([host.target("db1")], host.settings()).unwrap();
    assert!(connector.connect("db1").await.is_err());
    connector.accept_new_key("db1", &host.fingerprint("host.pub"));
    host.change_host_key();
    let Err(error) = connector.connect("db1").await else {
        panic!("another key than the accepted one was believed")
    };
    let ConnectFailure::UnknownHostKey { fingerprint, .. } = &error.failure else {
        panic!("{error}")
    };
    assert_eq!(*fingerprint, host.fingerprint("host2.pub"));
    assert_eq!(host.read("known_hosts"), "");

    // and of a changed key, too
    host.trusting_settings();
    let old = host.read("known_hosts");
    assert!(connector.connect("db1").await.is_err());
    assert_eq!(host.read("known_hosts"), old);
}

#[tokio::test]
async fn a_changed_key_is_its_own_error_and_replaced_only_on_request() {
    let mut host = Sshd::start();
    host.connect().await.close().await;
    let old = host.read("known_hosts");
    host.change_host_key();
    let error = failure(host.target("db1"), host.settings()).await;
    let ConnectFailure::ChangedHostKey {
        fingerprint,
        known_hosts_line,
        ..
    } = &error.failure
    else {
        panic!("{error}")
    };
    assert_eq!(*fingerprint, host.fingerprint("host2.pub"));
    assert_eq!(
        *known_hosts_line,
        format!("{}:1", host.path("known_hosts").display())
    );
    assert_eq!(host.read("known_hosts"), old);

    // accepted for another host only
    let connector = Connector::new([host.target("db1")], host.settings()).unwrap();
    connector.accept_new_key("db2", fingerprint);
    assert!(matches!(
        connector
            .connect("db1")
            .await
            .map(drop)
            .unwrap_err()
            .failure,
        ConnectFailure::ChangedHostKey { .. }
    ));

    connector.accept_new_key("db1", fingerprint);
    let session = connector.connect("db1").await;
    session.unwrap_or_else(|e| panic!("{e}")).close().await;
    let new = host.read("known_hosts");
    assert_eq!(new.lines().count(), 1);
    assert_ne!(new, old);
    assert_eq!(host.read("known_hosts.old"), old);
    host.connect_with(host.settings()).await;
}

#[tokio::test]
async fn a_key_in_the_inventory_is_believed_and_nothing_else_is() {
    let mut host = Sshd::start();
    let mut target = host.target("db 1/with an odd name");
    target.host_key = Some(host.read("host.pub"));
    let name = target.name.clone();
    let connector = Connector::new([target.clone()], host.settings()).unwrap();
    let session = connector
        .connect(&name)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    session.check_fresh_login().await.unwrap();
    assert_eq!(
        host.read("known_hosts"),
        "",
        "a pinned key is written to no file of the user"
    );

    host.change_host_key();
    let connector = Connector::new([target], host.settings()).unwrap();
    connector.accept_new_key(&name, &host.fingerprint("host2.pub"));
    let error = connector.connect(&name).await.map(drop).unwrap_err();
    let ConnectFailure::ChangedHostKey { fingerprint, .. } = &error.failure else {
        panic!("{error}")
    };
    assert_eq!(*fingerprint, host.fingerprint("host2.pub"));
    assert!(
        error.to_string().contains("host_key in the inventory"),
        "{error}"
    );
}

#[tokio::test]
async fn a_login_key_that_the_host_does_not_know_is_its_own_error() {
    let host = Sshd::start();
    let mut target = host.target("db1");
    target.key_file = Some(host.path("stranger"));
    let error = failure(target, host.trusting_settings()).await;
    assert!(
        matches!(error.failure, ConnectFailure::KeyRefused { .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("Permission denied (publickey"),
        "{error}"
    );
}

#[tokio::test]
async fn nobody_listening_is_reported_at_once_and_retried_if_wanted() {
    let mut host = Sshd::start();
    host.stop();
    let start = Instant::now();
    let error = failure(host.target("db1"), host.settings()).await;
    assert_eq!(error.failure, ConnectFailure::Refused);
    assert!(start.elapsed() < MINUTE / 2, "{:?}", start.elapsed());
    let mut settings = host.settings();
    settings.retries = 1;
    failure(host.target("db1"), settings).await;
    assert!(start.elapsed() > Duration::from_secs(1));
}

#[tokio::test]
async fn a_host_that_accepts_and_says_nothing_times_out() {
    let host = Sshd::start();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut target = host.target("db1");
    target.port = Some(silent.local_addr().unwrap().port());
    let mut settings = host.settings();
    settings.connect_timeout = Duration::from_secs(1);
    let start = Instant::now();
    let error = failure(target, settings).await;
    assert!(
        matches!(error.failure, ConnectFailure::Timeout { .. }),
        "{error}"
    );
    assert!(start.elapsed() < MINUTE / 2, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_name_nobody_knows_is_its_own_error() {
    let host = Sshd::start();
    let mut target = host.target("db1");
    target.address = "no-such-host.invalid".into();
    assert_eq!(
        failure(target, host.settings()).await.failure,
        ConnectFailure::Resolve
    );
}

#[tokio::test]
async fn a_proxy_command_is_used_and_its_own_words_are_reported() {
    let host = Sshd::start();
    let mut target = host.target("db1");
    target.address = "db1.behind-the-proxy".into();
    target.port = None;
    let relay = format!(
        "ProxyCommand bash -c 'exec 3<>/dev/tcp/127.0.0.1/{}; cat <&0 >&3 & exec cat <&3'",
        host.port
    );
    target.options = vec![relay];
    let connector = Connector::new([target.clone()], host.trusting_settings()).unwrap();
    let session = connector
        .connect("db1")
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(ask(&session, "echo in").await, "in\n");
    session
        .check_fresh_login()
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    target.options = vec!["ProxyCommand sh -c 'echo the lab is down >&2; exit 1'".into()];
    let error = failure(target, host.trusting_settings()).await;
    assert_eq!(
        error.failure,
        ConnectFailure::ProxyCommand {
            said: "the lab is down".into()
        }
    );
}

#[tokio::test]
async fn many_hosts_connect_at_once_though_few_handshakes_do() {
    let host = Sshd::start();
    host.connect().await;
    let settings = Settings {
        forks: 2,
        ..host.settings()
    };
    let names: Vec<String> = (0..8).map(|n| format!("host{n}")).collect();
    let connector = Connector::new(names.iter().map(|n| host.target(n)), settings).unwrap();
    let connector = std::sync::Arc::new(connector);
    let tasks: Vec<_> = names
        .into_iter()
        .map(|name| {
            let connector = std::sync::Arc::clone(&connector);
            tokio::spawn(async move { connector.connect(&name).await.map_err(|e| e.to_string()) })
        })
        .collect();
    let mut sessions = Vec::new();
    for task in tasks {
        sessions.push(task.await.unwrap().unwrap());
    }
    for session in sessions {
        assert_eq!(ask(&session, "echo in").await, "in\n");
    }
}

#[tokio::test]
async fn a_fresh_login_is_proof_of_a_fresh_login_only() {
    let mut host = Sshd::start();
    let session = host.connect().await;
    session
        .check_fresh_login()
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    host.stop();
    let error = session.check_fresh_login().await.unwrap_err();
    assert_eq!(error.failure, ConnectFailure::Refused);
    assert_eq!(ask(&session, "echo still in").await, "still in\n");
}

#[tokio::test]
async fn aliases_and_jump_hosts_of_the_own_configuration_apply() {
    let host = Sshd::start();
    host.connect().await;
    let bastion = Sshd::start();
    bastion.connect().await;
    let both = host.read("known_hosts") + &bastion.read("known_hosts");
    std::fs::write(host.path("known_hosts"), both).unwrap();
    let own = format!(
        "Host my-alias\n  HostName 127.0.0.1\n  Port {}\n  IdentityFile {}\n  ProxyJump bastion\n\
         Host bastion\n  HostName 127.0.0.1\n  Port {}\n  IdentityFile {}\n\
         Host *\n  RemoteCommand echo no\n  RequestTTY force\n  LogLevel QUIET\n  ControlPath none\n",
        host.port,
        host.path("login").display(),
        bastion.port,
        bastion.path("login").display(),
    );
    std::fs::write(host.path("own_config"), own).unwrap();
    let settings = Settings {
        ssh_config: vec![host.path("own_config")],
        ..host.settings()
    };
    let connector = Connector::new([Target::new("db1", "my-alias")], settings.clone()).unwrap();
    let session = connector
        .connect("db1")
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(ask(&session, "echo in").await, "in\n");
    session
        .check_fresh_login()
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(
        bastion
            .read("sshd.log")
            .matches("Accepted publickey")
            .count()
            >= 3
    );

    // a jump host that nobody knows is refused as well, and named
    std::fs::write(
        host.path("known_hosts"),
        host.read("known_hosts").lines().next().unwrap(),
    )
    .unwrap();
    let error = failure(Target::new("db1", "my-alias"), settings).await;
    let ConnectFailure::ProxyCommand { said } = &error.failure else {
        panic!("{error}")
    };
    assert!(
        said.contains(&format!("[127.0.0.1]:{}", bastion.port)),
        "{said}"
    );
}

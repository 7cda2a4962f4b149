//! Becoming root by a real sudo, on a lab host. `PROVISION_LAB` names the lab program,
//! `PROVISION_LAB_NAME` a lab that is up; its first host is used.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use provision::connection::{
    Become, ConnectError, ConnectFailure, Connector, Lost, Request, Secret, Session, Settings,
    Target,
};

use crate::sshd::ask;

/// The password of the lab's user `admin`, no secret.
const PASSWORD: &str = "lab-admin-password";

async fn login(user: &str, password: Option<&str>) -> Result<Session, ConnectError> {
    let lab = std::env::var("PROVISION_LAB").expect("PROVISION_LAB names the lab program");
    let name = std::env::var("PROVISION_LAB_NAME").unwrap_or_else(|_| "dev".into());
    let state = PathBuf::from("/var/lib/provision-lab").join(&name);
    let mut target = Target::new("db1", "ke2-server1");
    target.user = Some(user.into());
    target.key_file = Some(state.join("id_ed25519"));
    target.options = vec![format!("ProxyCommand {lab} connect --name {name} %h %p")];
    let password = password.map(Secret::new);
    target.privilege = Become {
        enabled: true,
        user: None,
        password,
    };
    let known_hosts = Some(state.join("known_hosts"));
    let settings = Settings {
        known_hosts,
        ssh_config: Vec::new(),
        ..Settings::default()
    };
    Connector::new([target], settings)
        .unwrap()
        .connect("db1")
        .await
}

async fn check_everything_runs_as_root(session: &Session) {
    assert_eq!(ask(session, "id -u; cat").await, "0\n");
    let path = "/root/provision-test-upload";
    let content = vec![0xff; 300_000];
    let stored = session.upload(path, 0o600, content).await.unwrap();
    assert_eq!((stored.status, stored.stderr), (0, vec![]));
    assert_eq!(
        ask(session, &format!("stat -c '%U %s' {path}; rm {path}")).await,
        "root 300000\n"
    );
    let beat = Duration::from_secs(1);
    let held = session
        .hold_lock("/run/provision-test.lock", "me", beat)
        .await
        .unwrap();
    assert_eq!(
        ask(session, "stat -c %U /run/provision-test.lock").await,
        "root\n"
    );
    held.release().await;
    let hang = Request {
        deadline: Duration::from_millis(300),
        ..Request::new("sleep 100")
    };
    assert_eq!(
        session.send(hang).await,
        Err(Lost::Deadline(Duration::from_millis(300)))
    );
    assert_eq!(
        ask(
            session,
            "id -u; pgrep -c sleep; rm /run/provision-test.lock"
        )
        .await,
        "0\n0\n"
    );
    let processes = ask(session, "ps -eo args").await;
    assert!(
        !processes.contains(PASSWORD),
        "the password is in an argument list"
    );
}

#[tokio::test]
#[ignore = "needs a lab"]
async fn sudo_that_asks_for_nothing() {
    for password in [None, Some("sent to nobody")] {
        let session = login("rocky", password)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        check_everything_runs_as_root(&session).await;
        session.close().await;
    }
}

#[tokio::test]
#[ignore = "needs a lab"]
async fn sudo_that_asks_for_a_password() {
    // twice: what sudo remembers of the first time must not matter
    for _ in 0..2 {
        let session = login("admin", Some(PASSWORD))
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        check_everything_runs_as_root(&session).await;
        session.close().await;
    }
}

#[tokio::test]
#[ignore = "needs a lab"]
async fn sudo_that_refuses_says_which_way() {
    let failure = async |user, password| {
        let start = Instant::now();
        let Err(error) = login(user, password).await else {
            panic!("{user} became root")
        };
        assert!(
            start.elapsed() < Duration::from_secs(8),
            "{:?}",
            start.elapsed()
        );
        assert!(!error.to_string().contains(PASSWORD));
        (error.to_string(), error.failure)
    };
    let (text, wanted) = failure("admin", None).await;
    assert_eq!(wanted, ConnectFailure::SudoPasswordWanted);
    assert!(text.contains("--ask-become-pass"), "{text}");
    let (_, wrong) = failure("admin", Some("wrong")).await;
    assert_eq!(wrong, ConnectFailure::SudoPasswordWrong);
    let (text, refused) = failure("nosudo", Some(PASSWORD)).await;
    assert!(
        matches!(refused, ConnectFailure::SudoRefused { .. }),
        "{text}"
    );
    println!("{text}");
    let (text, refused) = failure("nosudo", None).await;
    println!("{text} {refused:?}");
}

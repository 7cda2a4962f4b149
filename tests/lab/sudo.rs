//! Becoming root by a real sudo.

use std::time::{Duration, Instant};

use provision::connection::{
    Become, ConnectError, ConnectFailure, Connector, Lost, Request, Secret, Session, Settings,
    Target,
};

use super::lab::{Lab, name_of};

const MINUTE: Duration = Duration::from_secs(60);

/// The password of the lab's user `admin`, no secret.
const PASSWORD: &str = "lab-admin-password";

async fn login(lab: &Lab, user: &str, password: Option<&str>) -> Result<Session, ConnectError> {
    let state = lab.state();
    let mut target = Target::new("db1", name_of(1));
    target.user = Some(user.into());
    target.key_file = Some(state.join("id_ed25519"));
    target.options = vec![format!(
        "ProxyCommand {} connect --name {} %h %p",
        Lab::program().display(),
        lab.name()
    )];
    target.privilege = Become {
        enabled: true,
        user: None,
        password: password.map(Secret::new),
    };
    let known_hosts = Some(state.join("known_hosts"));
    let settings = Settings {
        known_hosts,
        ssh_config: Vec::new(),
        connect_timeout: MINUTE,
        ..Settings::default()
    };
    // asked at once: it must neither be taken for the password nor be lost
    let first = vec![Request::new("id -u; cat")];
    let (session, mut answers) = Connector::new([target], settings)
        .unwrap()
        .connect_asking("db1", first)
        .await?;
    let output = answers.remove(0).await.unwrap();
    assert_eq!((output.status, output.stdout), (0, b"0\n".to_vec()));
    Ok(session)
}

async fn check_all_is_done_as_root(session: &Session, user: &str) {
    assert_eq!(ask(session, "id -u; cat").await, "0\n");
    let path = format!("/root/test-upload-{user}");
    let stored = session
        .upload(&path, 0o600, vec![0xff; 300_000], MINUTE)
        .await
        .unwrap();
    assert_eq!((stored.status, stored.stderr), (0, vec![]));
    let about = ask(session, &format!("stat -c '%U %s' {path}; rm {path}")).await;
    assert_eq!(about, "root 300000\n");

    let lock = format!("/run/test-lock-{user}");
    let held = session
        .hold_lock(&lock, "me", Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(
        ask(session, &format!("stat -c %U {lock}; rm {lock}")).await,
        "root\n"
    );
    held.release().await;

    // nobody else's sleep looks like this one
    let hanging = format!(
        "sleep 1000.{}",
        std::process::id() + u32::from(user == "admin")
    );
    let hang = Request {
        deadline: Duration::from_millis(300),
        ..Request::new(&hanging)
    };
    assert_eq!(
        session.send(hang).await,
        Err(Lost::Deadline(Duration::from_millis(300)))
    );
    assert_eq!(ask(session, "id -u").await, "0\n");
    let processes = ask(session, "ps -eo args").await;
    assert!(!processes.contains(&hanging), "{processes}");
    assert!(
        !processes.contains(PASSWORD),
        "the password is in an argument list"
    );
}

pub async fn asks_for_nothing(lab: &Lab) {
    for password in [None, Some("sent to nobody")] {
        let session = login(lab, "rocky", password)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        check_all_is_done_as_root(&session, "rocky").await;
        session.close().await;
    }
}

pub async fn asks_for_a_password(lab: &Lab) {
    // twice: what sudo remembers of the first time must not matter
    for _ in 0..2 {
        let session = login(lab, "admin", Some(PASSWORD))
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        check_all_is_done_as_root(&session, "admin").await;
        session.close().await;
    }
}

pub async fn refuses_and_says_why(lab: &Lab) {
    let failure = async |user, password| {
        let start = Instant::now();
        let Err(error) = login(lab, user, password).await else {
            panic!("{user} became root")
        };
        assert!(start.elapsed() < MINUTE / 2, "{:?}", start.elapsed());
        assert!(!error.to_string().contains(PASSWORD));
        (error.to_string(), error.failure)
    };
    let (text, wanted) = failure("admin", None).await;
    assert_eq!(wanted, ConnectFailure::SudoPasswordWanted);
    assert!(text.contains("--ask-become-pass"), "{text}");
    let (_, wrong) = failure("admin", Some("wrong")).await;
    assert_eq!(wrong, ConnectFailure::SudoPasswordWrong);
    // sudo asks before it refuses
    assert_eq!(
        failure("nosudo", None).await.1,
        ConnectFailure::SudoPasswordWanted
    );
    lab.sh(1, &format!("echo nosudo:{PASSWORD} | chpasswd"));
    let (text, refused) = failure("nosudo", Some(PASSWORD)).await;
    let ConnectFailure::SudoRefused { said } = refused else {
        panic!("{text}")
    };
    assert!(said.contains("not in the sudoers file"), "{said}");
}

async fn ask(session: &Session, script: &str) -> String {
    let output = session.send(Request::new(script)).await;
    String::from_utf8(output.unwrap_or_else(|e| panic!("{e}")).stdout).unwrap()
}

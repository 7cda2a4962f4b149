//! Large and binary content.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use std::time::{Duration, Instant};

use provision::connection::{Connector, Lost};

use crate::sshd::{MINUTE, Sh, Sshd, ask};

#[tokio::test]
async fn five_megabytes_of_any_bytes_arrive_with_their_mode() {
    for sh in [Sh::Bash, Sh::Dash] {
        let host = Sshd::start_with(sh);
        let session = host.connect().await;
        let path = host.path("it's new");
        let content: Vec<u8> = (0..=255).cycle().take(5 << 20).collect();
        let running = session.send(provision::connection::Request::new("sleep 1; echo slept"));
        let name = path.display().to_string();
        let output = session
            .upload(&name, 0o640, content.clone(), MINUTE)
            .await
            .unwrap();
        assert_eq!((output.status, output.stderr), (0, vec![]));
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o640
        );
        assert_eq!(running.await.unwrap().stdout, b"slept\n");
        session
            .upload(&name, 0o600, Vec::new(), MINUTE)
            .await
            .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}

#[tokio::test]
async fn a_link_in_the_way_is_replaced_and_not_followed() {
    let host = Sshd::start();
    let session = host.connect().await;
    fs::write(host.path("precious"), "precious").unwrap();
    symlink(host.path("precious"), host.path("new")).unwrap();
    let path = host.path("new").display().to_string();
    session
        .upload(&path, 0o600, b"content".to_vec(), MINUTE)
        .await
        .unwrap();
    assert_eq!(host.read("precious"), "precious");
    assert_eq!(host.read("new"), "content");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_says_why() {
    let host = Sshd::start();
    let session = host.connect().await;
    let output = session
        .upload("/no/such/directory/file", 0o600, vec![7; 3 << 20], MINUTE)
        .await
        .unwrap();
    assert_eq!(output.status, 1);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("/no/such/directory/file"), "{said}");
    assert_eq!(ask(&session, "echo on").await, "on\n");
}

#[tokio::test]
async fn more_uploads_than_channels_take_turns() {
    let host = Sshd::start();
    let session = host.connect().await;
    let paths: Vec<String> = (0..20)
        .map(|n| host.path(&format!("f{n}")).display().to_string())
        .collect();
    let session = std::sync::Arc::new(session);
    let tasks: Vec<_> = paths
        .iter()
        .cloned()
        .map(|path| {
            let session = std::sync::Arc::clone(&session);
            tokio::spawn(async move {
                session
                    .upload(&path, 0o600, path.clone().into(), MINUTE)
                    .await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().status, 0);
    }
    for path in paths {
        assert_eq!(fs::read_to_string(&path).unwrap(), path);
    }
}

/// A line that lets a few kilobytes through a second never stalls, and would never end either.
#[tokio::test]
async fn an_upload_that_crawls_ends_at_its_deadline() {
    let host = Sshd::start();
    let mut target = host.target("db1");
    target.address = "db1.behind-the-proxy".into();
    target.port = None;
    let crawl = format!(
        "ProxyCommand bash -c 'exec 3<>/dev/tcp/127.0.0.1/{}; cat <&3 & \
         while ! dd bs=2048 count=1 2>&1 >&3 | grep -q \"^0+0 records in\"; do sleep 0.1; done; kill $!'",
        host.port
    );
    target.options = vec![crawl];
    let connector = Connector::new([target], host.trusting_settings()).unwrap();
    let session = connector.connect("db1").await;
    let session = session.unwrap_or_else(|error| panic!("{error}"));
    let path = host.path("never whole").display().to_string();
    let began = Instant::now();
    let limit = Duration::from_secs(3);
    let ended = session.upload(&path, 0o600, vec![7; 4 << 20], limit).await;
    assert!(matches!(ended, Err(Lost::Deadline(_))), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

//! One run at a time on a host, and none when nobody is known to be alive.

use std::time::{Duration, Instant};

use provision::connection::{Held, LockError, Request, Session};

use crate::sshd::{MINUTE, Sshd, ask, eventually, is_running, serving_process, signal};

// late after 3 s: a machine that is busy with other tests must not be taken for one that is gone
const BEAT: Duration = Duration::from_secs(1);

async fn take(host: &Sshd, session: &Session, who: &str) -> Result<Held, LockError> {
    session
        .hold_lock(&host.path("lock").display().to_string(), who, BEAT)
        .await
}

fn refused(result: Result<Held, LockError>) -> LockError {
    match result {
        Ok(_) => panic!("the lock was taken twice"),
        Err(error) => error,
    }
}

/// Takes the lock as soon as it falls; says after how long.
async fn take_when_free(host: &Sshd, session: &Session, limit: Duration) -> (Held, Duration) {
    let start = Instant::now();
    loop {
        match take(host, session, "bob").await {
            Ok(held) => return (held, start.elapsed()),
            Err(LockError::Held { .. }) if start.elapsed() < limit => {}
            Err(error) => panic!("after {:?}: {error}", start.elapsed()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_second_is_told_who_the_first_is_and_gets_it_afterwards() {
    let host = Sshd::start();
    let (a, b) = (host.connect().await, host.connect().await);
    let held = take(&host, &a, "alice, it's 10:00, pid 7").await.unwrap();
    // longer than the heartbeat may be late
    tokio::time::sleep(BEAT * 5).await;
    assert!(held.is_held());
    let error = refused(take(&host, &b, "bob").await);
    assert_eq!(
        error,
        LockError::Held {
            holder_text: "alice, it's 10:00, pid 7".into()
        }
    );
    assert!(error.to_string().contains("alice"));
    held.release().await;
    let held = take(&host, &b, "bob").await.unwrap();
    assert_eq!(
        refused(take(&host, &a, "alice").await),
        LockError::Held {
            holder_text: "bob".into()
        }
    );
    drop(held);
    take_when_free(&host, &a, MINUTE).await;
    assert_eq!(
        ask(&a, "echo the shells live on").await,
        "the shells live on\n"
    );
    assert_eq!(
        ask(&b, "echo the shells live on").await,
        "the shells live on\n"
    );
}

#[tokio::test]
async fn without_a_heartbeat_no_step_begins_and_the_lock_falls() {
    let host = Sshd::start();
    let (a, b) = (host.connect().await, host.connect().await);
    let held = take(&host, &a, "alice").await.unwrap();
    let shell: u32 = ask(&a, "echo $$").await.trim().parse().unwrap();
    let (first, second) = (host.path("first"), host.path("second"));
    let _running = a.send(Request::new(format!("sleep 6; touch {}", first.display())));
    let _queued = a.send(Request::new(format!("touch {}", second.display())));
    let serving = serving_process_of(shell);
    tokio::time::sleep(Duration::from_millis(200)).await;
    signal("-STOP", serving);
    let (theirs, after) = take_when_free(&host, &b, MINUTE).await;
    assert!(after > BEAT * 2, "{after:?}: before the heartbeat was late");
    assert!(!is_running(shell));
    assert!(!second.exists(), "a step began without the lock");
    signal("-KILL", serving);
    held.fallen().await;
    assert!(!held.is_held() && theirs.is_held());
}

/// The step that is under way may end before somebody else starts.
#[tokio::test]
async fn the_lock_waits_a_little_for_the_step_under_way() {
    let host = Sshd::start();
    let (a, b) = (host.connect().await, host.connect().await);
    let _held = take(&host, &a, "alice").await.unwrap();
    let serving = serving_process(&a).await;
    let done = host.path("done");
    // late after 3 s, then the step has another 3 s
    let _running = a.send(Request::new(format!("sleep 4; touch {}", done.display())));
    tokio::time::sleep(Duration::from_millis(100)).await;
    signal("-STOP", serving);
    take_when_free(&host, &b, MINUTE).await;
    assert!(done.exists());
    signal("-KILL", serving);
}

fn serving_process_of(shell: u32) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{shell}/stat")).unwrap();
    stat.rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn a_dead_connection_frees_the_lock_and_says_so() {
    let host = Sshd::start();
    let (a, b) = (host.connect().await, host.connect().await);
    let held = take(&host, &a, "alice").await.unwrap();
    signal("-KILL", serving_process(&a).await);
    held.fallen().await;
    take_when_free(&host, &b, MINUTE).await;
}

#[tokio::test]
async fn a_new_step_shell_is_the_one_that_the_lock_guards() {
    let host = Sshd::start();
    let (a, b) = (host.connect().await, host.connect().await);
    let _held = take(&host, &a, "alice").await.unwrap();
    let hang = Request {
        deadline: Duration::from_millis(200),
        ..Request::new("sleep 100")
    };
    assert!(a.send(hang).await.is_err());
    let shell: u32 = ask(&a, "echo $$").await.trim().parse().unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let serving = serving_process_of(shell);
    signal("-STOP", serving);
    eventually("the new shell is killed", MINUTE, || !is_running(shell)).await;
    take_when_free(&host, &b, MINUTE).await;
    signal("-KILL", serving);
}

#[tokio::test]
async fn daemons_that_a_step_starts_do_not_inherit_the_lock() {
    let host = Sshd::start();
    let (a, b) = (host.connect().await, host.connect().await);
    let held = take(&host, &a, "alice").await.unwrap();
    let daemon = ask(&a, "setsid sleep 30 >/dev/null 2>&1 & echo $!").await;
    a.close().await;
    drop(held);
    take_when_free(&host, &b, MINUTE).await;
    signal("-KILL", daemon.trim().parse().unwrap());
}

#[tokio::test]
async fn a_lock_that_cannot_be_made_says_why() {
    let host = Sshd::start();
    let session = host.connect().await;
    let result = session
        .hold_lock("/no/such/directory/lock", "me", BEAT)
        .await;
    let LockError::Failed { said } = refused(result) else {
        panic!("another error")
    };
    assert!(said.contains("/no/such/directory/lock"), "{said}");
}

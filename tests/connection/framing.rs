//! What goes in comes out: bytes, streams, statuses, order.

use std::time::Duration;

use futures_util::future::join_all;
use provision::connection::{Connector, Lost, Output, Request, Session};

use crate::sshd::{Sh, Sshd, ask};

async fn with_every_shell(check: impl AsyncFn(Session)) {
    for sh in [Sh::Bash, Sh::Dash] {
        let host = Sshd::start_with(sh);
        check(host.connect().await).await;
    }
}

async fn run(session: &Session, script: &str) -> Output {
    session.send(Request::new(script)).await.unwrap()
}

fn fail_stop(script: &str) -> Request {
    Request {
        fail_stop: true,
        ..Request::new(script)
    }
}

#[tokio::test]
async fn the_two_test_shells_are_what_they_say() {
    for (sh, expected) in [(Sh::Bash, "bash\n"), (Sh::Dash, "dash\n")] {
        let host = Sshd::start_with(sh);
        let session = host.connect().await;
        let script = "readlink -f /proc/$$/exe | xargs basename";
        assert_eq!(ask(&session, script).await, expected);
    }
}

#[tokio::test]
async fn what_is_asked_at_once_goes_ahead_of_the_shell_and_is_answered_in_order() {
    for sh in [Sh::Bash, Sh::Dash] {
        let host = Sshd::start_with(sh);
        let connector = Connector::new([host.target("db1")], host.trusting_settings()).unwrap();
        let long = format!("printf %s {} | wc -c", "x".repeat(200_000));
        let hangs = Request {
            deadline: Duration::from_millis(300),
            ..Request::new("sleep 1000")
        };
        let fed = Request {
            stdin: Some(b"a\0b".to_vec()),
            ..Request::new("wc -c")
        };
        let first = vec![
            Request::new("echo one; echo two >&2; exit 3"),
            Request::new("head -c 300000 /dev/zero"),
            Request::new(long),
            fed,
            hangs,
            Request::new("echo last"),
        ];
        let (session, answers) = connector
            .connect_asking("db1", first)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(ask(&session, "echo later").await, "later\n");
        let answers = join_all(answers).await;
        let one = answers[0].as_ref().unwrap();
        assert_eq!(
            (one.status, &*one.stdout, &*one.stderr),
            (3, &b"one\n"[..], &b"two\n"[..])
        );
        assert_eq!(answers[1].as_ref().unwrap().stdout, vec![0; 300_000]);
        assert_eq!(answers[2].as_ref().unwrap().stdout, b"200000\n");
        assert_eq!(answers[3].as_ref().unwrap().stdout, b"3\n");
        assert_eq!(answers[4], Err(Lost::Deadline(Duration::from_millis(300))));
        assert_eq!(answers[5].as_ref().unwrap().stdout, b"last\n");
    }
}

#[tokio::test]
async fn what_cannot_go_ahead_is_sent_later() {
    let host = Sshd::start_with(Sh::Bash);
    let connector = Connector::new([host.target("db1")], host.trusting_settings()).unwrap();
    let first = vec![
        Request::new("echo one"),
        Request::new("echo a\0b"),
        fail_stop("false"),
        fail_stop("echo no"),
    ];
    let (session, answers) = connector
        .connect_asking("db1", first)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let answers: Vec<Output> = join_all(answers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(answers[0].stdout, b"one\n");
    assert_eq!(answers[1].status, 2, "a NUL byte is not sent");
    assert_eq!((answers[2].status, answers[3].skipped), (1, true));
    assert_eq!(ask(&session, "echo later").await, "later\n");
}

#[tokio::test]
async fn output_comes_back_byte_for_byte_and_apart() {
    with_every_shell(async |session| {
        let output = run(
            &session,
            r"printf 'a\0b\377\nno newline'; printf 'oops' >&2",
        )
        .await;
        assert_eq!(output.stdout, b"a\0b\xff\nno newline");
        assert_eq!(output.stderr, b"oops");
        assert_eq!(
            (output.status, output.truncated, output.skipped),
            (0, false, false)
        );
        let random = run(
            &session,
            "head -c 300000 /dev/urandom | tee /dev/stderr | cksum",
        )
        .await;
        assert_eq!(random.status, 0);
        assert!(
            random.truncated,
            "300 kB of standard error is more than is kept"
        );
    })
    .await;
}

#[tokio::test]
async fn a_script_cannot_hurt_the_shell() {
    with_every_shell(async |session| {
        for (script, status) in [
            ("exit 3", 3),
            ("set -e; false; echo not reached", 1),
            ("kill -TERM $(exec sh -c 'echo $PPID')", 143),
            (
                "cd /tmp; umask 0; PATH=; LC_ALL=x; set --; unset HOSTNAME; exec 2>&-",
                0,
            ),
            ("cat", 0),
            ("read -r line; echo \"$line\"", 0),
            ("exec true", 0),
            ("set -o nonsense", 2),
            ("it's \"quoted\"'", 127),
        ] {
            let output = run(&session, script).await;
            assert_eq!(output.status, status, "{script}: {output:?}");
        }
        for broken in ["if true", "echo )", "'", "for", "}", "$(", "<<"] {
            let output = run(&session, broken).await;
            assert_ne!(output.status, 0, "{broken}");
        }
        assert_eq!(
            ask(&session, "pwd; umask; echo $LC_ALL $#").await,
            "/\n0022\nC 0\n"
        );
        let host = ask(&session, "env | grep ^HOSTNAME=").await;
        assert_eq!(
            host,
            format!("HOSTNAME={}", ask(&session, "uname -n").await)
        );
    })
    .await;
}

#[tokio::test]
async fn a_hundred_pipelined_requests_are_answered_in_order() {
    with_every_shell(async |session| {
        let answers: Vec<_> = (0..100)
            .map(|n| {
                let script = format!("printf {n}; printf e{n} >&2; exit {}", n % 7);
                session.send(Request::new(script))
            })
            .collect();
        for (n, answer) in answers.into_iter().enumerate() {
            let output = answer.await.unwrap();
            assert_eq!(output.stdout, n.to_string().as_bytes());
            assert_eq!(output.stderr, format!("e{n}").as_bytes());
            assert_eq!(output.status, i32::try_from(n % 7).unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn large_scripts_and_inputs_arrive_whole_between_small_ones() {
    with_every_shell(async |session| {
        let mut answers = Vec::new();
        for size in [10, 4095, 4096, 4097, 100_000, 1_000_000] {
            let text: String = "it's 'x\n\\".chars().cycle().take(size).collect();
            let script = format!("printf %s '{}' | cksum", text.replace('\'', r"'\''"));
            answers.push((
                text.clone().into_bytes(),
                session.send(Request::new(script)),
            ));
            let stdin: Vec<u8> = (0..=255).cycle().take(size).collect();
            let request = Request {
                stdin: Some(stdin.clone()),
                ..Request::new("cksum")
            };
            answers.push((stdin, session.send(request)));
        }
        for (sent, answer) in answers {
            let output = answer.await.unwrap();
            let local = cksum(&sent);
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                local,
                "{} bytes",
                sent.len()
            );
        }
    })
    .await;
}

fn cksum(bytes: &[u8]) -> String {
    use std::io::Write;
    let mut child = std::process::Command::new("cksum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test]
async fn input_that_is_not_read_does_no_harm() {
    with_every_shell(async |session| {
        let stdin = Some(vec![b'x'; 200_000]);
        let output = session
            .send(Request {
                stdin,
                ..Request::new("exit 4")
            })
            .await
            .unwrap();
        assert_eq!(output.status, 4);
        assert_eq!(ask(&session, "echo on").await, "on\n");
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_output_is_counted_out_and_cut() {
    with_every_shell(async |session| {
        let request = Request {
            stdout_limit: 1000,
            ..Request::new("head -c 50000000 /dev/zero; echo end")
        };
        let output = session.send(request).await.unwrap();
        assert_eq!(output.stdout, vec![0; 1000]);
        assert!(output.truncated);
        let errors = run(
            &session,
            "head -c 1000000 /dev/zero >&2; echo last words >&2",
        )
        .await;
        assert!(errors.truncated && errors.stderr.len() < 140_000);
        assert!(errors.stderr.ends_with(b"last words\n"));
        assert!(!run(&session, "echo x").await.truncated);
    })
    .await;
}

#[tokio::test]
async fn after_a_failure_the_rest_of_its_chain_does_nothing() {
    with_every_shell(async |session| {
        let first = session.send(fail_stop("echo 1"));
        let failing = session.send(fail_stop("echo 2; exit 9"));
        let behind = session.send(fail_stop("echo 3"));
        let reading = session.send(Request::new("echo read"));
        session.begin();
        let next = session.send(fail_stop("echo 4"));
        assert_eq!(first.await.unwrap().stdout, b"1\n");
        assert_eq!(failing.await.unwrap().status, 9);
        let behind = behind.await.unwrap();
        assert_eq!((behind.skipped, behind.stdout), (true, vec![]));
        assert_eq!(reading.await.unwrap().stdout, b"read\n");
        let next = next.await.unwrap();
        assert_eq!((next.skipped, next.stdout), (false, b"4\n".to_vec()));
        // also when the failure was already known here
        let failed = session.send(fail_stop("false")).await.unwrap();
        assert_eq!(failed.status, 1);
        assert!(session.send(fail_stop("echo 5")).await.unwrap().skipped);
        // a failing read breaks no chain
        session.begin();
        run(&session, "false").await;
        assert!(!session.send(fail_stop("echo 6")).await.unwrap().skipped);
    })
    .await;
}

#[tokio::test]
async fn stopping_lets_the_running_step_end_and_no_other_begin() {
    with_every_shell(async |session| {
        let folder = tempfile::tempdir().unwrap();
        let (begun, on) = (folder.path().join("begun"), folder.path().join("on"));
        let script = format!(
            "touch {}; while [ ! -e {} ]; do sleep 0.1; done; echo done",
            begun.display(),
            on.display()
        );
        let running = session.send(fail_stop(&script));
        let sent = session.send(fail_stop("echo 2"));
        let reading = session.send(Request::new("echo read"));
        session.begin();
        let other_chain = session.send(fail_stop("echo 3"));
        while !begun.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        session.stop().await.unwrap();
        std::fs::write(&on, "").unwrap();
        assert_eq!(running.await.unwrap().stdout, b"done\n");
        assert!(sent.await.unwrap().skipped && other_chain.await.unwrap().skipped);
        assert_eq!(reading.await.unwrap().stdout, b"read\n");
        session.begin();
        assert!(session.send(fail_stop("echo 4")).await.unwrap().skipped);
        assert_eq!(ask(&session, "echo read").await, "read\n");
        // an idle shell survives it too
        session.stop().await.unwrap();
        assert_eq!(ask(&session, "echo read").await, "read\n");
    })
    .await;
}

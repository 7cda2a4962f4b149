//! The exact text of the acts on a stack; none has a secret in its script.

use super::golden::text;
use crate::plan::{Act, Content, Reload, Request, StackAct, Subject};
use std::collections::{BTreeMap, BTreeSet};

fn secret(text: &str) -> Content {
    Content {
        bytes: text.into(),
        secret: true,
    }
}

#[test]
fn a_document_goes_by_standard_input() {
    let act = Act::Stack(StackAct::Deploy {
        stack: "ke2".into(),
        folder: "/etc/kompira/ke2".into(),
        document: secret("services: {} # s3cret\n"),
        shown: "services: {}\n".into(),
        files: BTreeMap::from([("nginx.conf".into(), "it's $host\n".into())]),
    });
    assert_eq!(
        act.show(),
        "docker stack deploy -c - --with-registry-auth --resolve-image changed ke2 <docker-swarm.yml"
    );
    assert_eq!(
        text(&act, None),
        "--- 300 s\n\
         umask 077; d=/etc/kompira/ke2; mkdir -p -- \"$d\" && cd -- \"$d\" || exit\n\
         printf %s \"it's \"'$host\n' >.new && mv -f .new nginx.conf || exit\n\
         cat >.new && [ \"$(sha256sum <.new | cut -d' ' -f1)\" = 7ef1bbf2 ] || { echo 'the document arrived incomplete' >&2; exit 74; }\n\
         mv -f .new docker-swarm.yml || exit\n\
         docker stack deploy -c - --with-registry-auth --resolve-image changed ke2 <docker-swarm.yml\n\
         <<< services: {} # s3cret\n\n"
            .replace("7ef1bbf2", &secret("services: {} # s3cret\n").sha256())
    );
}

#[test]
fn a_key_is_made_only_where_none_is() {
    let act = Act::Stack(StackAct::MakeKey {
        path: "/mnt/gluster/var/.secret_key".into(),
        content: secret("0123"),
    });
    assert_eq!(
        act.show(),
        "make /mnt/gluster/var/.secret_key (secret, 4 bytes, 0600, only when it does not exist)"
    );
    assert_eq!(
        text(&act, None),
        "--- 30 s\n\
         f=/mnt/gluster/var/.secret_key; umask 077; set -C\n\
         cat >\"$f\" || { echo \"$f exists already, and is left as it is\" >&2; exit 75; }\n\
         sync -- \"$f\"\n\
         <<< 0123\n"
    );
    // The real shell: exact bytes, 0600, and a second time nothing is touched.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("key");
    let run = |bytes: &str| {
        let act = Act::Stack(StackAct::MakeKey {
            path: path.display().to_string(),
            content: secret(bytes),
        });
        let phase = act.phases(None).remove(0);
        let super::Phase::Run { script, stdin, .. } = phase else {
            panic!("no script");
        };
        use std::io::Write as _;
        let mut child = std::process::Command::new("sh")
            .args(["-c", &script])
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(&stdin.unwrap());
        child.wait().unwrap().code()
    };
    assert_eq!(run("first"), Some(0));
    assert_eq!(run("second"), Some(75));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
}

#[test]
fn other_acts_on_stacks() {
    let names = BTreeSet::from(["swarm_nginx-config_0a1b2c3d".to_owned()]);
    let cases = [
        (
            StackAct::PruneConfigs { names },
            "docker config rm swarm_nginx-config_0a1b2c3d",
            "--- 60 s\ndocker config rm swarm_nginx-config_0a1b2c3d\n",
        ),
        (
            StackAct::Remove {
                stack: "ke2".into(),
            },
            "docker stack rm ke2",
            "--- 120 s\ndocker stack rm ke2\n",
        ),
        (
            StackAct::RemoveService {
                name: "ke2_old".into(),
            },
            "docker service rm ke2_old",
            "--- 60 s\ndocker service rm ke2_old\n",
        ),
        (
            StackAct::ForgetNode {
                service: "ke2_rabbitmq".into(),
                node: "rabbit@mq-ke2-server3".into(),
            },
            "rabbitmqctl forget_cluster_node rabbit@mq-ke2-server3 in a container of ke2_rabbitmq",
            "--- 120 s\nc=$(docker ps -q --filter 'label=com.docker.swarm.service.name=ke2_rabbitmq' | head -n 1); [ -n \"$c\" ] || { echo 'no container of it runs here' >&2; exit 75; }\ndocker exec \"$c\" rabbitmqctl forget_cluster_node rabbit@mq-ke2-server3\n",
        ),
        (
            StackAct::Reload {
                service: "ke2_nginx".into(),
                how: Reload::Nginx,
            },
            "nginx -s reload in the container of ke2_nginx",
            "--- 120 s\nfor c in $(docker ps -q --filter 'label=com.docker.swarm.service.name=ke2_nginx'); do docker exec \"$c\" nginx -s reload || exit; done\n",
        ),
        (
            StackAct::Pull {
                image: "redis:7.2-alpine".into(),
            },
            "docker pull redis:7.2-alpine",
            "--- 3600 s\ndocker pull --quiet redis:7.2-alpine\n",
        ),
        (
            StackAct::Load {
                image: "redis:7.2-alpine".into(),
                archive: "/images/redis.tar".into(),
            },
            "docker load </images/redis.tar",
            "--- 1800 s\ndocker load --quiet && docker image inspect --format '{{.Id}}' redis:7.2-alpine || { echo 'there is no image redis:7.2-alpine in the file' >&2; exit 65; }\n<<< /images/redis.tar\n",
        ),
    ];
    for (act, shown, run) in cases {
        let act = Act::Stack(act);
        assert_eq!(act.show(), shown);
        assert_eq!(text(&act, None), run);
    }
}

#[test]
fn certificates_go_by_standard_input_and_the_authoritys_key_stays() {
    let subject = |file: &str| Subject {
        file: file.into(),
        subject: vec![("CN".into(), file.into())],
        days: 10,
        key: "rsa:2048".into(),
    };
    let act = Act::Stack(StackAct::Certify(Request {
        folder: "/mnt/gluster/ssl".into(),
        ca_folder: "/home/admin/kompira-ca".into(),
        new_ca: true,
        ca: subject("local-ca"),
        server: subject("server"),
        names: BTreeSet::from(["DNS:ke2-server1".to_owned()]),
    }));
    assert_eq!(
        act.show(),
        "make the authority local-ca (rsa:2048, 10 days), its key here in /home/admin/kompira-ca; make server.crt and server.key (rsa:2048, 10 days, DNS:ke2-server1) in /mnt/gluster/ssl"
    );
    let run = text(&act, Some("Y2E=\nc2VydmVy\na2V5"));
    assert!(run.ends_with("<<< Y2E=\nc2VydmVy\na2V5\n\n"), "{run}");
    assert!(!run.contains("local-ca.key"), "{run}");
    assert!(run.contains("mv -f .key.new server.key"), "{run}");
}

#[test]
fn rabbitmq_gets_copies_of_its_own_before_it_reads_them_again() {
    let files = ["local-ca.crt", "server.crt", "server.key"];
    let act = Act::Stack(StackAct::Reload {
        service: "ke2_rabbitmq".into(),
        how: Reload::Rabbitmq(files.map(str::to_owned).into()),
    });
    assert_eq!(
        act.show(),
        "copy the certificates, rabbitmqctl eval 'ssl:clear_pem_cache().' in the container of ke2_rabbitmq"
    );
    let inside = "set -e; for n in local-ca.crt server.crt server.key; do install -m 0400 -o rabbitmq -g rabbitmq \"/run/.kompira_ssl/$n\" \"/etc/rabbitmq/ssl/$n\"; done; rabbitmqctl -q eval 'ssl:clear_pem_cache().' >/dev/null";
    let run = format!(
        "--- 120 s\nfor c in $(docker ps -q --filter 'label=com.docker.swarm.service.name=ke2_rabbitmq'); do docker exec \"$c\" sh -c {} || exit; done\n",
        crate::probe::shell::quote(inside)
    );
    assert_eq!(text(&act, None), run);
}

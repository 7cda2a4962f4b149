//! The exact text of every act: what is shown, and what is run.

use super::{Late, Phase};
use crate::plan::{Act, SwarmAct, UnitVerb};
use crate::probe::shell::CommandLine;

/// The phases as text: `--- seconds`, the script, `<<< stdin`.
pub(super) fn text(act: &Act, late: Option<&str>) -> String {
    act.phases(late)
        .iter()
        .map(|phase| match phase {
            Phase::FreshLogin => "--- fresh login\n".to_owned(),
            Phase::FeedFile {
                script,
                file,
                deadline,
            } => format!("--- {} s\n{script}\n<<< {file}\n", deadline.as_secs()),
            Phase::Run {
                script,
                stdin,
                deadline,
            } => {
                let stdin = stdin
                    .as_ref()
                    .map(|bytes| format!("<<< {}\n", String::from_utf8_lossy(bytes)))
                    .unwrap_or_default();
                format!("--- {} s\n{script}\n{stdin}", deadline.as_secs())
            }
        })
        .collect()
}

fn swarm(act: SwarmAct) -> Act {
    Act::Swarm(act)
}

#[test]
fn short_acts() {
    let cases = [
        (
            Act::RemovePackages(vec!["podman-docker".into()]),
            "rpm -e podman-docker",
            "--- 600 s\nrpm -e podman-docker\n",
        ),
        (
            Act::SetSysctl {
                key: "net.ipv4.ip_forward".into(),
                value: "1".into(),
            },
            "sysctl -w 'net.ipv4.ip_forward=1'",
            "--- 30 s\nsysctl -w 'net.ipv4.ip_forward=1'\n",
        ),
        (
            Act::AddToGroup {
                user: "kompira".into(),
                group: "docker".into(),
            },
            "usermod -aG docker kompira",
            "--- 30 s\nusermod -aG docker kompira\n",
        ),
        (
            Act::SetHostname("ke2-server1".into()),
            "hostnamectl set-hostname ke2-server1",
            "--- 30 s\nhostnamectl set-hostname ke2-server1\n",
        ),
        (
            Act::Command {
                line: CommandLine {
                    words: vec!["mkfs.xfs".into(), "/dev/my disk".into()],
                    shell: false,
                    chdir: Some("/srv".into()),
                },
                writes: None,
            },
            "cd /srv && mkfs.xfs '/dev/my disk'",
            "--- 1800 s\ncd /srv && mkfs.xfs '/dev/my disk'\n",
        ),
        (
            Act::Unit {
                unit: "docker.service".into(),
                verb: UnitVerb::Enable,
            },
            "systemctl enable docker.service",
            "--- 300 s\nu=docker.service\n\
             [ \"$(systemctl show -p NeedDaemonReload --value -- \"$u\")\" != yes ] || systemctl daemon-reload || exit\n\
             systemctl enable -- \"$u\"\n",
        ),
        (
            Act::Unit {
                unit: "docker.service".into(),
                verb: UnitVerb::Restart,
            },
            "systemctl restart docker.service",
            "--- 300 s\nu=docker.service\n\
             [ \"$(systemctl show -p NeedDaemonReload --value -- \"$u\")\" != yes ] || systemctl daemon-reload || exit\n\
             systemctl reset-failed -- \"$u\" 2>/dev/null\n\
             systemctl restart -- \"$u\" && exit\n\
             status=$?\njournalctl --no-pager -o cat -n 20 -u \"$u\" >&2\nexit $status\n",
        ),
        (
            Act::Unit {
                unit: "cups.service".into(),
                verb: UnitVerb::Disable,
            },
            "systemctl disable cups.service",
            "--- 300 s\nu=cups.service\nsystemctl disable -- \"$u\"\n",
        ),
        (
            Act::RemovePath {
                path: "/etc/a b".into(),
            },
            "rm '/etc/a b'",
            "--- 30 s\nf='/etc/a b'\n\
             if [ -d \"$f\" ] && [ ! -L \"$f\" ]; then rmdir -- \"$f\"; else rm -f -- \"$f\"; fi\n",
        ),
        (
            Act::SetAttributes {
                path: "/etc/a".into(),
                mode: Some(0o640),
                owner: None,
                group: Some("docker".into()),
            },
            "set 0640 group docker of /etc/a",
            "--- 30 s\nf=/etc/a\n\
             if [ -L \"$f\" ] || [ ! -e \"$f\" ]; then echo \"$f changed since it was planned\" >&2; exit 75; fi\n\
             chown :docker -- \"$f\" || exit\nchmod 0640 -- \"$f\" || exit\n:\n",
        ),
        (
            Act::MakeDirectory {
                path: "/srv/a".into(),
                mode: Some(0o750),
                owner: Some("root".into()),
                group: Some("docker".into()),
            },
            "mkdir -p /srv/a (0750 root:docker)",
            "--- 30 s\nf=/srv/a\n\
             if [ ! -d \"$f\" ]; then mkdir -p -m 0750 -- \"$f\" || exit\n\
             [ ! -e /sys/fs/selinux/enforce ] || restorecon -- \"$f\" || exit\n\
             else :\nchmod 0750 -- \"$f\" || exit\nfi\nchown root:docker -- \"$f\" || exit\n:\n",
        ),
    ];
    for (act, shown, run) in cases {
        assert_eq!(act.show(), shown);
        assert_eq!(text(&act, None), run);
        assert_eq!(act.late(), None);
    }
}

#[test]
fn swarm_acts() {
    let cases = [
        (
            SwarmAct::Init {
                advertise_addr: "10.20.0.1".into(),
                data_path_port: 4789,
                default_addr_pool: vec!["10.128.0.0/16".into()],
                subnet_size: 24,
            },
            "docker swarm init --advertise-addr 10.20.0.1 --data-path-port 4789 --default-addr-pool 10.128.0.0/16 --default-addr-pool-mask-length 24",
            "--- 90 s\ndocker swarm init --advertise-addr 10.20.0.1 --data-path-port 4789 --default-addr-pool 10.128.0.0/16 --default-addr-pool-mask-length 24 >/dev/null\n",
        ),
        (
            SwarmAct::Leave,
            "docker swarm leave --force",
            "--- 60 s\ndocker swarm leave --force\n",
        ),
        (
            SwarmAct::Promote { id: "n1".into() },
            "docker node promote n1",
            "--- 60 s\ndocker node promote n1\n",
        ),
        (
            SwarmAct::Demote { id: "n1".into() },
            "docker node demote n1",
            "--- 60 s\ndocker node demote n1\n",
        ),
        (
            SwarmAct::Forget { id: "n1".into() },
            "docker node rm n1",
            "--- 60 s\ndocker node rm n1\n",
        ),
        (
            SwarmAct::Label {
                id: "n1".into(),
                labels: [("rack".into(), "a 1".into()), ("zone".into(), "z".into())].into(),
            },
            "docker node update --label-add rack=a 1 --label-add zone=z n1",
            "--- 60 s\ndocker node update --label-add 'rack=a 1' --label-add 'zone=z' n1\n",
        ),
    ];
    for (act, shown, run) in cases {
        let act = swarm(act);
        assert_eq!(act.show(), shown);
        assert_eq!(text(&act, None), run);
        assert_eq!(act.late(), None);
    }
}

#[test]
fn a_host_that_comes_back_to_the_swarm() {
    let act = swarm(SwarmAct::Join {
        manager: false,
        advertise_addr: "10.20.0.2".into(),
        remote_addrs: vec!["10.20.0.1:2377".into()],
        token_from: vec!["ke2-server1".into()],
        drained: true,
    });
    assert!(
        act.show().starts_with(
            "docker swarm join --token <join token of a worker> --availability drain "
        ),
        "{}",
        act.show()
    );
    assert_eq!(
        text(&swarm(SwarmAct::Mark), None),
        "--- 30 s\nmkdir -p \"$(dirname /var/lib/provision/swarm-drained)\" && touch /var/lib/provision/swarm-drained && sync -f /var/lib/provision/swarm-drained\n"
    );
    assert_eq!(
        swarm(SwarmAct::Unmark).show(),
        "rm -f /var/lib/provision/swarm-drained"
    );
    assert_eq!(
        swarm(SwarmAct::Activate { id: "n1".into() }).show(),
        "docker node update --availability active n1"
    );
}

#[test]
fn a_join_takes_its_token_on_standard_input_only() {
    let act = swarm(SwarmAct::Join {
        manager: true,
        advertise_addr: "10.20.0.2".into(),
        remote_addrs: vec!["10.20.0.1:2377".into(), "10.20.0.3:2377".into()],
        token_from: vec!["ke2-server1".into()],
        drained: false,
    });
    assert_eq!(
        act.show(),
        "docker swarm join --token <join token of a manager> --advertise-addr 10.20.0.2 10.20.0.1:2377,10.20.0.3:2377"
    );
    let late = act.late().unwrap();
    assert_eq!(
        late,
        Late::JoinToken {
            manager: true,
            from: vec!["ke2-server1".into()]
        }
    );
    assert_eq!(late.script(), "docker swarm join-token -q manager");
    assert_eq!(
        text(&act, Some("SWMTKN-1-abc\n")),
        "--- 90 s\n\
         said=$(curl --silent --show-error --fail-with-body --max-time 60 --unix-socket /run/docker.sock \
         -H 'Content-Type: application/json' --data-binary @- http://docker/swarm/join 2>&1) && exit\n\
         status=$?\nprintf '%s\\n' \"$said\" >&2\n\
         case $said in *'continue in the background'*) exit 0 ;; esac\n\
         exit $status\n\
         <<< {\"ListenAddr\":\"0.0.0.0:2377\",\"AdvertiseAddr\":\"10.20.0.2\",\"RemoteAddrs\":[\"10.20.0.1:2377\",\"10.20.0.3:2377\"],\"JoinToken\":\"SWMTKN-1-abc\",\"Availability\":\"active\"}\n"
    );
    let debug = format!("{:?}", act.phases(Some("SWMTKN-1-abc")));
    assert!(!debug.contains("SWMTKN"), "{debug}");
    assert!(text(&act, None).contains("exit 1"));
}

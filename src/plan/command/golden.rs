//! The exact text of every act: what is shown, and what is run.

use super::{Late, Phase};
use crate::plan::{Act, Content, FirewallChange, FirewallItem, Package, SwarmAct, UnitVerb};
use crate::probe::shell::CommandLine;

/// The phases as text: `--- seconds`, the script, `<<< stdin`.
fn text(act: &Act, late: Option<&str>) -> String {
    act.phases(late)
        .iter()
        .map(|phase| match phase {
            Phase::FreshLogin => "--- fresh login\n".to_owned(),
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
fn a_join_takes_its_token_on_standard_input_only() {
    let act = swarm(SwarmAct::Join {
        manager: true,
        advertise_addr: "10.20.0.2".into(),
        remote_addrs: vec!["10.20.0.1:2377".into(), "10.20.0.3:2377".into()],
        token_from: vec!["ke2-server1".into()],
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

#[test]
fn packages_are_installed_in_one_transaction() {
    let package = |name: &str, version: Option<&str>| Package {
        name: name.into(),
        version: version.map(str::to_owned),
    };
    let act = Act::InstallPackages(vec![
        package("docker-ce", Some("3:26.1.5-1.el9")),
        package("docker-ce-cli", Some("26.1.5")),
        package("containerd.io", None),
    ]);
    assert_eq!(
        act.show(),
        "dnf -y --best install docker-ce-3:26.1.5-1.el9 docker-ce-cli-26.1.5 containerd.io"
    );
    assert_eq!(
        text(&act, None),
        "--- 1800 s\nwaited=0\nwhile :; do\n\
         { said=$(dnf -y --best --setopt=exit_on_lock=True install docker-ce-3:26.1.5-1.el9 docker-ce-cli-26.1.5 containerd.io 2>&1 >&3 3>&-); status=$?; } 3>&1\n\
         [ $status -ne 200 ] && break\n\
         [ $waited -gt 0 ] || printf '%s\\n' \"$said\" 'waiting for this program to release the lock of dnf' >&2\n\
         [ $waited -lt 600 ] || { printf '%s\\n' \"$said\" \"gave up after $waited s: this program holds the lock of dnf\" >&2; exit 75; }\n\
         sleep 5; waited=$((waited + 5))\n\
         done\n\
         [ -z \"$said\" ] || printf '%s\\n' \"$said\" >&2\n\
         [ $status -eq 0 ] || exit $status\n\
         rpm -q docker-ce docker-ce-cli containerd.io >/dev/null || { echo 'dnf said that it was done, but rpm does not know all of the packages' >&2; exit 1; }\n"
    );
}

fn change(open: bool, runtime: bool, permanent: bool) -> Act {
    Act::Firewall(FirewallChange {
        zone: "public".into(),
        items: vec![
            FirewallItem::Port("2377/tcp".into()),
            FirewallItem::Port("7946/udp".into()),
            FirewallItem::Service("glusterfs".into()),
            FirewallItem::Protocol("esp".into()),
        ],
        open,
        runtime,
        permanent,
    })
}

#[test]
fn an_opening_is_confirmed_by_a_fresh_login() {
    let act = change(true, true, true);
    assert_eq!(
        act.show(),
        "firewall-cmd --zone=public --add-port=2377/tcp --add-port=7946/udp && \
         firewall-cmd --zone=public --add-service=glusterfs && \
         firewall-cmd --zone=public --add-protocol=esp; the same with --permanent"
    );
    assert_eq!(
        text(&act, None),
        "--- 45 s\n\
         firewall-cmd --timeout=60 --zone=public --add-port=2377/tcp --add-port=7946/udp && \
         firewall-cmd --timeout=60 --zone=public --add-service=glusterfs && \
         firewall-cmd --timeout=60 --zone=public --add-protocol=esp\n\
         --- fresh login\n\
         --- 45 s\n\
         firewall-cmd --permanent --zone=public --add-port=2377/tcp --add-port=7946/udp && \
         firewall-cmd --permanent --zone=public --add-service=glusterfs && \
         firewall-cmd --permanent --zone=public --add-protocol=esp &&\n\
         {\n\
         z() { busctl --quiet call org.fedoraproject.FirewallD1 /org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1.zone \"$@\"; }\n\
         z removePort sss public 2377 tcp && z addPort sssi public 2377 tcp 0 &&\n\
         z removePort sss public 7946 udp && z addPort sssi public 7946 udp 0 &&\n\
         z removeService ss public glusterfs && z addService ssi public glusterfs 0 &&\n\
         z removeProtocol ss public esp && z addProtocol ssi public esp 0\n\
         }\n"
    );
}

#[test]
fn a_closing_is_undone_by_a_timer_unless_it_is_confirmed() {
    let Act::Firewall(mut one) = change(false, true, true) else {
        unreachable!()
    };
    one.items.truncate(1);
    let act = Act::Firewall(one);
    assert_eq!(
        text(&act, None),
        "--- 45 s\n\
         systemctl stop provision-firewall-revert.timer 2>/dev/null\n\
         systemd-run --quiet --collect --unit=provision-firewall-revert --on-active=60 --timer-property=AccuracySec=1s sh -c 'firewall-cmd --zone=public --add-port=2377/tcp' || exit\n\
         firewall-cmd --zone=public --remove-port=2377/tcp\n\
         --- fresh login\n\
         --- 45 s\n\
         firewall-cmd --permanent --zone=public --remove-port=2377/tcp &&\n\
         systemctl stop provision-firewall-revert.timer\n"
    );
}

#[test]
fn only_the_side_that_differs_is_changed() {
    let act = change(true, false, true);
    assert!(
        act.show()
            .starts_with("firewall-cmd --permanent --zone=public --add-port")
    );
    assert!(matches!(&act.phases(None)[..], [Phase::Run { .. }]));
    let act = change(true, true, false);
    assert!(!act.show().contains("permanent"));
    assert!(!text(&act, None).contains("permanent"));
    assert_eq!(act.phases(None).len(), 3);
}

fn hosts(before: Option<Content>, secret: bool) -> Act {
    Act::WriteFile {
        path: "/etc/hosts".into(),
        content: Content {
            bytes: b"127.0.0.1 localhost\n".to_vec(),
            secret,
        },
        before,
        mode: None,
        owner: None,
        group: None,
    }
}

#[test]
fn a_file_is_written_beside_its_place() {
    let act = hosts(Some(Content::plain("old")), false);
    assert_eq!(
        act.show(),
        "write /etc/hosts (20 bytes, mode and owner kept)"
    );
    assert_eq!(
        text(&act, None),
        r#"--- 120 s
f=/etc/hosts d=/etc t=/etc/.hosts.provision
die() { printf '%s\n' "$2" >&2; exit "$1"; }
[ -d "$d" ] || die 66 "there is no directory $d to write $f into"
[ -f "$f" ] && [ ! -L "$f" ] || die 75 "$f changed since it was planned: it is no regular file now"
set -- $(stat -c '%a %u %g' -- "$f") || exit
trap 'rm -f -- "$t"' EXIT
install -m "$1" -o "$2" -g "$3" -T -- /dev/stdin "$t" && sync -- "$t" || die 73 "$f was not written, and is as it was"
sums=$(sha256sum -- "$t" "$f") || exit
new=${sums%% *}
[ "${new#\\}" = 081ef9d5367595d16e30b4b4549d9f43537320508b4ce0788963e10e4f808857 ] || die 74 "the content arrived incomplete: $f was not written, and is as it was"
old=${sums##*"
"} old=${old%% *}
[ "${old#\\}" = cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4 ] || die 75 "$f changed since it was planned: its content is another one"
mv -fT -- "$t" "$f" || exit
trap - EXIT
[ ! -e /sys/fs/selinux/enforce ] || restorecon -- "$f"
<<< 127.0.0.1 localhost

"#
    );
    assert_eq!(
        hosts(None, false).show(),
        "write /etc/hosts (20 bytes, 0644)"
    );
    assert_eq!(
        hosts(None, true).show(),
        "write /etc/hosts (secret, 20 bytes, 0644)"
    );
    let new = text(&hosts(None, false), None);
    assert!(new.contains("install -m 0644 -T -- /dev/stdin \"$t\""));
    assert!(!new.contains("stat -c") && !new.contains("old="));
}

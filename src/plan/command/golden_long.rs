//! The exact text of the acts that take more than a line: packages, firewall, files.

use super::golden::text;
use crate::plan::Phase;
use crate::plan::{Act, Content, FirewallChange, FirewallItem, Package};

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
        "--- 1800 s\n\
         there=$(rpm -q docker-ce docker-ce-cli containerd.io | grep -v ' is not installed$')\n\
         [ -z \"$there\" ] || { printf '%s\\n' 'installed since this was planned (nothing is upgraded as a side effect):' \"$there\" >&2; exit 75; }\n\
         waited=0\nwhile :; do\n\
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

//! What a minimal installation of EL9 has by itself.

/// Packages. Source: the groups `core` and `base` of EL9's comps.
const PACKAGES: &[&str] = &[
    "NetworkManager",
    "audit",
    "bash",
    "ca-certificates",
    "chrony",
    "coreutils",
    "cronie",
    "curl",
    "dnf",
    "e2fsprogs",
    "firewalld",
    "gnupg2",
    "grep",
    "iproute",
    "kernel",
    "openssh-clients",
    "openssh-server",
    "openssl",
    "policycoreutils",
    "python3",
    "rpm",
    "rsyslog",
    "sed",
    "selinux-policy-targeted",
    "sudo",
    "systemd",
    "tar",
    "util-linux",
    "xfsprogs",
];

/// Units of those.
const UNITS: &[&str] = &[
    "NetworkManager",
    "auditd",
    "chronyd",
    "crond",
    "firewalld",
    "rsyslog",
    "sshd",
];

/// Folders of the package `filesystem`, and of those above.
const FOLDERS: &[&str] = &[
    "/",
    "/etc",
    "/etc/NetworkManager",
    "/etc/cron.d",
    "/etc/dnf",
    "/etc/dnf/modules.d",
    "/etc/firewalld",
    "/etc/logrotate.d",
    "/etc/modules-load.d",
    "/etc/pki",
    "/etc/profile.d",
    "/etc/rsyslog.d",
    "/etc/security",
    "/etc/ssh",
    "/etc/ssh/sshd_config.d",
    "/etc/sudoers.d",
    "/etc/sysconfig",
    "/etc/sysctl.d",
    "/etc/systemd",
    "/etc/systemd/system",
    "/etc/tmpfiles.d",
    "/etc/yum.repos.d",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/root",
    "/srv",
    "/tmp",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/etc",
    "/usr/local/lib",
    "/usr/local/libexec",
    "/usr/local/sbin",
    "/usr/local/share",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/opt",
    "/var/tmp",
];

/// Files that are always there, and whose content on another machine nobody here knows.
const FILES: &[&str] = &[
    "/etc/bashrc",
    "/etc/chrony.conf",
    "/etc/crontab",
    "/etc/dnf/dnf.conf",
    "/etc/environment",
    "/etc/group",
    "/etc/hostname",
    "/etc/locale.conf",
    "/etc/login.defs",
    "/etc/passwd",
    "/etc/profile",
    "/etc/resolv.conf",
    "/etc/rsyslog.conf",
    "/etc/security/limits.conf",
    "/etc/selinux/config",
    "/etc/shadow",
    "/etc/shells",
    "/etc/ssh/ssh_config",
    "/etc/ssh/sshd_config",
    "/etc/sudoers",
    "/etc/sysctl.conf",
    "/etc/yum.conf",
];

pub(super) fn is_package(name: &str) -> bool {
    PACKAGES.contains(&name)
}

pub(super) fn is_unit(name: &str) -> bool {
    UNITS.contains(&name.strip_suffix(".service").unwrap_or(name))
}

pub(super) fn is_folder(path: &str) -> bool {
    FOLDERS.contains(&path)
}

pub(super) fn is_file(path: &str) -> bool {
    FILES.contains(&path)
}

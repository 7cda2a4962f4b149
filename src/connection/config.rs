//! The ssh_config file that is generated for one host.

use std::path::Path;

use super::{Settings, Target};

/// The name under which a key given in the inventory is stored in the host's own known_hosts
/// file. It need not be the inventory name, which may contain what a pattern may not.
pub(super) const PINNED_NAME: &str = "provision-target";

/// One file a host rather than one file with a block a host: the destination given to ssh is then
/// the plain address, so the `Host` blocks of the user's own configuration match it, and two hosts
/// may share an address (and differ in port or ProxyCommand).
///
/// What belongs to the host stands in a `Host` block of its own, because ssh hands the same file
/// to the jump hosts of a `ProxyJump`.
pub(super) fn render(
    target: &Target,
    settings: &Settings,
    pinned: Option<&Path>,
) -> Result<String, String> {
    let address = &target.address;
    let odd = |c: char| c.is_whitespace() || c.is_control() || "*?!,\"'\\".contains(c);
    if address.is_empty() || address.starts_with('-') || address.contains(odd) {
        return Err(format!("{address:?} cannot be the address of a host"));
    }
    let mut lines = vec![format!("Host {address}")];
    if let Some(port) = target.port {
        lines.push(format!("  Port {port}"));
    }
    if let Some(user) = &target.user {
        if user.is_empty() || user.starts_with('-') || user.contains(odd) {
            return Err(format!("{user:?} cannot be the name of a login user"));
        }
        lines.push(format!("  User {user}"));
    }
    if let Some(key) = &target.key_file {
        lines.push(format!("  IdentityFile {}", path_value(key)?));
        lines.push("  IdentitiesOnly yes".into());
    }
    for option in &target.options {
        if option.contains(['\n', '\r', '\0']) {
            return Err(format!("the ssh option {option:?} is more than one line"));
        }
        lines.push(format!("  {}", option.trim()));
    }
    if let Some(file) = pinned {
        lines.push(format!("  HostKeyAlias {PINNED_NAME}"));
        lines.push(format!("  UserKnownHostsFile {}", path_value(file)?));
        lines.push("  GlobalKnownHostsFile /dev/null".into());
        lines.push("  KnownHostsCommand none".into());
        lines.push("  UpdateHostKeys no".into());
    }
    lines.push("Host *".into());
    if let Some(file) = &settings.known_hosts {
        lines.push(format!("  UserKnownHostsFile {}", path_value(file)?));
        lines.push("  GlobalKnownHostsFile /dev/null".into());
    }
    let seconds = settings.keepalive_interval.as_secs().max(1);
    let patience = settings.connect_timeout.as_secs().max(1);
    lines.push(format!("  ServerAliveInterval {seconds}"));
    lines.push(format!(
        "  ServerAliveCountMax {}",
        settings.keepalive_count.max(1)
    ));
    lines.push(format!("  ConnectTimeout {patience}"));
    // What a person's own configuration may hold for interactive logins, and we must not inherit.
    for line in [
        "BatchMode yes",
        "ClearAllForwardings yes",
        "ForwardAgent no",
        "ForwardX11 no",
        "PermitLocalCommand no",
        "RemoteCommand none",
        "RequestTTY no",
        "SessionType default",
        // for jump hosts; the command line says it for the host itself
        "StrictHostKeyChecking yes",
        "VisualHostKey no",
    ] {
        lines.push(format!("  {line}"));
    }
    for file in &settings.ssh_config {
        // a path with `~` must not be taken as text of its own, so no escaping of `%` here
        lines.push(format!("Include \"{}\"", file.display()));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

/// A path as a quoted value; `%` starts a token in these options.
fn path_value(path: &Path) -> Result<String, String> {
    let text = path
        .to_str()
        .ok_or_else(|| format!("{path:?} is not UTF-8"))?;
    if text.contains(['"', '\n', '\r', '\0']) || text.contains("${") {
        return Err(format!("ssh_config cannot express the path {text:?}"));
    }
    Ok(format!("\"{}\"", text.replace('%', "%%")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(target: &Target) -> Result<String, String> {
        render(target, &Settings::default(), None)
    }

    #[test]
    fn what_belongs_to_the_host_is_not_inherited_by_its_jump_host() {
        let mut target = Target::new("db1", "10.0.0.5");
        target.port = Some(2222);
        target.options = vec!["ProxyJump bastion".into()];
        let text = rendered(&target).unwrap();
        let (own, general) = text.split_once("Host *").unwrap();
        assert!(
            own.contains("Port 2222") && own.contains("ProxyJump bastion"),
            "{text}"
        );
        assert!(!general.contains("2222"), "{text}");
        assert!(general.contains("Include \"~/.ssh/config\""), "{text}");
    }

    #[test]
    fn an_address_or_option_cannot_smuggle_in_other_options() {
        for address in ["", "-oProxyCommand=x", "a b", "a\nProxyCommand x", "*"] {
            assert!(rendered(&Target::new("n", address)).is_err(), "{address:?}");
        }
        let mut target = Target::new("n", "a");
        target.options = vec!["Port 1\nProxyCommand x".into()];
        assert!(rendered(&target).is_err());
    }

    #[test]
    fn percent_signs_in_a_key_path_are_not_tokens() {
        let mut target = Target::new("n", "a");
        target.key_file = Some("/keys/50% off/id".into());
        assert!(
            rendered(&target)
                .unwrap()
                .contains("IdentityFile \"/keys/50%% off/id\"")
        );
    }
}

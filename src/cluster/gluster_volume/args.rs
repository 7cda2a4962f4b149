//! The arguments of the task, and what of them makes no sense together.

use super::GlusterVolume;
use crate::module::{Args, Context, Unfit};
use std::collections::BTreeMap;

pub(super) fn read(args: &Args<'_>, context: &Context<'_>) -> Result<GlusterVolume, Unfit> {
    let name = args.required("name")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) {
        let problem = format!("`{name}` is no name of a volume: letters, digits, `_` and `-`");
        return Err(args.wrong_at("name", problem));
    }
    let brick = args.required("brick")?;
    let brick = brick.trim_end_matches('/');
    let odd = |c: char| c.is_whitespace() || c.is_control() || ":,\\".contains(c);
    if brick.is_empty() || brick.contains(odd) || brick.split('/').any(|part| part == "..") {
        let problem = format!("`{brick}` is no folder that a brick can be in");
        return Err(args.wrong_at("brick", problem));
    }
    let replica = args.int("replica").and_then(|n| usize::try_from(n).ok());
    let Some(replica) = replica.filter(|n| (2..=16).contains(n)) else {
        return Err(args.wrong_at("replica", "`replica` is from 2 to 16"));
    };
    let hosts = context.group.to_vec();
    if hosts.len() < replica {
        let problem = format!(
            "{replica} copies need {replica} hosts, and the group has {}",
            hosts.len()
        );
        return Err(args.wrong_at("replica", problem));
    }
    let arbiter = args.flag("arbiter");
    if arbiter && replica != 3 {
        let problem =
            format!("an arbiter is the third of three bricks, and `replica` is {replica}");
        return Err(args.wrong_at("arbiter", problem));
    }
    Ok(GlusterVolume {
        hosts,
        name,
        brick: brick.to_owned(),
        replica,
        arbiter,
        on_root: args.flag("on_root"),
        options: options(args)?,
        only_check: args.flag("only_check"),
    })
}

fn options(args: &Args<'_>) -> Result<BTreeMap<String, String>, Unfit> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let mut options = BTreeMap::new();
    for entry in args.node("options").iter().flat_map(|node| node.entries()) {
        let value = entry.node.scalar().filter(|value| !value.is_empty());
        let (Some(value), true) = (
            value,
            entry.key.contains('.') && entry.key.chars().all(plain),
        ) else {
            let problem = format!(
                "`{}` is no option of a volume with its value, such as network.ping-timeout: 20",
                entry.key
            );
            return Err(args.wrong_at("options", problem));
        };
        // gluster prints its booleans as on and off.
        let value = match &*value {
            "true" => "on".to_owned(),
            "false" => "off".to_owned(),
            _ => value,
        };
        options.insert(entry.key.clone(), value);
    }
    if let Some(seconds) = args.int("heal_timeout") {
        let heal = options.entry("cluster.heal-timeout".to_owned());
        heal.or_insert_with(|| seconds.to_string());
    }
    Ok(options)
}

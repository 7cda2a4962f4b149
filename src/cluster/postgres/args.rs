//! The task's arguments, and what is refused in them.

use super::{Postgres, block};
use crate::inventory::HostName;
use crate::module::{Args, Context, Unfit};
use crate::plan::{Password, RoleSpec};
use crate::probe::pgpool;
use crate::probe::postgres::About;
use crate::yaml::{Diagnostic, Node, Value};
use std::collections::BTreeSet;

/// Words that mean something else than a name in pg_hba.conf.
const HBA_WORDS: &[&str] = &["all", "replication", "sameuser", "samerole", "samegroup"];

pub(super) fn build(args: &Args<'_>, context: &Context<'_>) -> Result<Postgres, Unfit> {
    let mut members: Vec<HostName> = Vec::new();
    for name in args.list("hosts") {
        let host = HostName::new(&*name);
        if !context.group.contains(&host) {
            let problem = format!("`{name}` is not one of the hosts of this play");
            return Err(args.wrong_at("hosts", problem));
        }
        if !members.contains(&host) {
            members.push(host);
        }
    }
    if members.is_empty() {
        return Err(args.wrong_at("hosts", "`postgres` needs at least one host"));
    }
    members.sort_by_key(|member| context.group.iter().position(|host| host == member));
    let version = args.required("version")?;
    if !matches!(&*version, "16" | "17" | "18") {
        return Err(args.wrong_at("version", "`version` is 16, 17 or 18"));
    }
    let Some(Value::List(roles)) = args.node("roles").map(|node| &node.value) else {
        return Err(args.wrong_at("roles", "`roles` is a list of roles"));
    };
    let roles = roles.iter().map(role).collect::<Result<Vec<_>, _>>()?;
    let mut names = BTreeSet::new();
    if let Some(twice) = roles.iter().find(|role| !names.insert(&role.name)) {
        let problem = format!(
            "two roles are called `{}`: give each its own name",
            twice.name
        );
        return Err(args.wrong_at("roles", problem));
    }
    let database = args.required("database")?;
    let owner = args.required("owner")?;
    for (arg, text) in [("database", &database), ("owner", &owner)] {
        name(text).map_err(|problem| args.wrong_at(arg, problem))?;
    }
    let mut settings = Vec::new();
    for entry in args.node("settings").map(Node::entries).unwrap_or_default() {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
        let value = entry.node.scalar().filter(|value| !value.contains('\n'));
        let (true, Some(value)) = (entry.key.chars().all(plain), value) else {
            let problem = format!("the setting `{}` is one line of text", entry.key);
            return Err(Diagnostic::new(&entry.node.span, problem).into());
        };
        let value = match entry.node.value {
            Value::Bool(true) => "on".to_owned(),
            Value::Bool(false) => "off".to_owned(),
            _ => value,
        };
        settings.push((entry.key.clone(), value));
    }
    let mut extensions = Vec::new();
    for text in args.list("extensions") {
        let Some((database, extension)) = text.split_once('/') else {
            return Err(args.wrong_at("extensions", "an extension is written DATABASE/NAME"));
        };
        extensions.push((database.to_owned(), extension.to_owned()));
    }
    let pgpool = args.node("pgpool").map(|node| {
        let text = |key: &str| {
            let text = node.get(key).and_then(Node::scalar);
            text.ok_or_else(|| {
                let problem = format!("`pgpool` needs `{key}`");
                Unfit::from(Diagnostic::new(&node.span, problem))
            })
        };
        Ok::<_, Unfit>(pgpool::About {
            conf: text("conf_path")?,
            passfile: format!("{}/.pcppass", text("home")?),
            user: text("pcp_user")?,
        })
    });
    Ok(Postgres {
        pgpool: pgpool.transpose()?,
        about: About {
            bin: format!("/usr/pgsql-{version}/bin"),
            data: format!("/var/lib/pgsql/{version}/data"),
            database: database.clone(),
        },
        unit: format!("postgresql-{version}.service"),
        settings_text: settings
            .iter()
            .map(|(name, value)| block::setting(name, value))
            .collect(),
        hba: args.required("hba")?,
        members,
        version,
        settings,
        roles,
        database,
        owner,
        extensions,
        only_check: args.flag("only_check"),
        allowed: context.allowed.to_vec(),
    })
}

fn role(node: &Node) -> Result<RoleSpec, Unfit> {
    let wrong = |problem: String| Unfit::from(Diagnostic::new(&node.span, problem));
    let text = |key: &str| node.get(key).and_then(Node::scalar);
    let flag = |key: &str| text(key).is_some_and(|text| text == "true");
    let role = text("name").unwrap_or_default();
    name(&role).map_err(wrong)?;
    let Some(password) = text("password").filter(|password| !password.is_empty()) else {
        return Err(wrong(format!("the role `{role}` needs a password")));
    };
    if password.contains(['\n', '\r', '\0']) {
        return Err(wrong(format!(
            "the password of `{role}` has a line break, which .pgpass and Pgpool-II's files cannot hold"
        )));
    }
    Ok(RoleSpec {
        name: role,
        superuser: flag("superuser"),
        createdb: flag("createdb"),
        replication: flag("replication"),
        member_of: text("member_of").into_iter().collect(),
        password: Password::new(&password),
    })
}

/// Names stand in files whose quoting differs (pg_hba.conf, .pgpass, pool_passwd), so they are plain.
fn name(text: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let good = text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.chars().all(plain)
        && !text.starts_with("pg_")
        && !HBA_WORDS.contains(&text);
    good.then_some(()).ok_or_else(|| {
        format!("`{text}` is no name for a role or a database here: lower-case letters, digits, `_` and `-`, not beginning with `pg_`, none of {}", HBA_WORDS.join(", "))
    })
}

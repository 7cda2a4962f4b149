//! What certificates there should be, from the inventory: the variables of the source's create-cert.sh.

use crate::inventory::HostName;
use crate::module::{Args, Context, Unfit};
use crate::plan::{Request, Subject};
use crate::probe::certificate::{Facts, facts, public_half};
use crate::yaml::Diagnostic;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The keys that can be made.
const KEYS: [&str; 6] = [
    "rsa:2048",
    "rsa:3072",
    "rsa:4096",
    "ec:prime256v1",
    "ec:secp384r1",
    "ed25519",
];

/// The admin's own certificate, instead of one that is made.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub ca: Vec<u8>,
    pub server: Vec<u8>,
    pub key: Vec<u8>,
}

/// The authority that is kept beside the inventory.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub facts: Facts,
    /// Whether its key is there, too, and fits.
    pub has_key: bool,
}

struct Reader<'a, 'b> {
    args: &'a Args<'b>,
    context: &'a Context<'b>,
}

impl Reader<'_, '_> {
    fn optional(&self, name: &str) -> Result<Option<String>, Unfit> {
        let node = (self.context.variable)(self.context.host, name)?;
        Ok(node
            .and_then(|node| node.scalar())
            .filter(|text| !text.is_empty()))
    }

    fn text(&self, name: &str) -> Result<String, Unfit> {
        self.optional(name)?
            .ok_or_else(|| self.args.wrong(format!("`certificates` needs `{name}`")))
    }

    fn wrong(&self, name: &str, problem: String) -> Unfit {
        match (self.context.variable)(self.context.host, name) {
            Ok(Some(node)) => Diagnostic::new(&node.span, problem).into(),
            _ => self.args.wrong(problem),
        }
    }

    fn days(&self, name: &str) -> Result<u32, Unfit> {
        let days = self.text(name)?;
        days.parse()
            .map_err(|_| self.wrong(name, format!("`{name}` is a number of days")))
    }

    fn key(&self, name: &str) -> Result<String, Unfit> {
        let kind = self.text(name)?;
        if KEYS.contains(&&*kind) {
            return Ok(kind);
        }
        let problem = format!("`{name}` is one of {}, not {kind}", KEYS.join(", "));
        Err(self.wrong(name, problem))
    }

    /// `/C=JP/O=Example/CN=name`, as openssl takes it, or `CN=name,O=Example`.
    fn subject(&self, name: &str, common: &str) -> Result<Vec<(String, String)>, Unfit> {
        let Some(text) = self.optional(name)? else {
            return Ok(vec![("CN".to_owned(), common.to_owned())]);
        };
        let parts: Vec<&str> = match text.strip_prefix('/') {
            Some(rest) => rest.split('/').collect(),
            None => text.split(',').map(str::trim).collect(),
        };
        let known = ["CN", "O", "OU", "C", "ST", "L"];
        parts
            .into_iter()
            .map(|part| match part.split_once('=') {
                Some((key, value)) if known.contains(&&*key.to_ascii_uppercase()) => {
                    Ok((key.to_ascii_uppercase(), value.to_owned()))
                }
                _ => {
                    let problem = format!(
                        "`{name}` is a subject such as /C=JP/O=Example/CN={common}, and `{part}` is no part of one"
                    );
                    Err(self.wrong(name, problem))
                }
            })
            .collect()
    }

    fn local(&self, name: &str) -> Result<Option<Vec<u8>>, Unfit> {
        let Some(path) = self.optional(name)? else {
            return Ok(None);
        };
        let local = (self.context.local)(&path);
        match local.bytes {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            Ok(None) => Err(self.wrong(name, format!("there is no file {}", local.path))),
            Err(why) => Err(self.wrong(name, why)),
        }
    }
}

/// What is to be made, as far as it does not depend on what is there.
pub(super) fn request(args: &Args<'_>, context: &Context<'_>) -> Result<Request, Unfit> {
    let reader = Reader { args, context };
    let first = context.host.as_str();
    let cn = reader
        .optional("cert_cn")?
        .unwrap_or_else(|| first.to_owned());
    let folder = reader.text("ca_dir")?;
    Ok(Request {
        folder: args.required("folder")?,
        ca_folder: (context.local)(&folder).path,
        new_ca: false,
        ca: Subject {
            file: args.required("ca_name")?,
            subject: reader.subject("ca_subject", &format!("Kompira local CA ({first})"))?,
            days: reader.days("ca_days")?,
            key: reader.key("ca_keytype")?,
        },
        names: names(&reader, context, &cn)?,
        server: Subject {
            file: args.required("server_name")?,
            subject: reader.subject("cert_subject", &cn)?,
            days: reader.days("cert_days")?,
            key: reader.key("cert_keytype")?,
        },
    })
}

/// Every name and address that a client may use: those of all hosts, and the virtual one. The source's
/// default has only the host that the script ran on.
fn names(
    reader: &Reader<'_, '_>,
    context: &Context<'_>,
    cn: &str,
) -> Result<BTreeSet<String>, Unfit> {
    if let Some(given) = reader.optional("cert_san_altnames")? {
        let names: BTreeSet<String> = given
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect();
        let bad = names.iter().find(|name| match name.split_once(':') {
            Some(("DNS", name)) => name.is_empty() || !name.is_ascii(),
            Some(("IP", address)) => address.parse::<IpAddr>().is_err(),
            _ => true,
        });
        return match bad {
            None => Ok(names),
            Some(bad) => Err(reader.wrong(
                "cert_san_altnames",
                format!("`cert_san_altnames` is a list such as DNS:ke2-server1,IP:10.20.0.1, and `{bad}` is no part of one"),
            )),
        };
    }
    let mut names = BTreeSet::from([entry(cn)]);
    let addresses = ["ansible_host", "advertise_address"];
    for host in context.group {
        names.insert(entry(host.as_str()));
        for variable in addresses {
            names.extend(address(context, host, variable)?);
        }
    }
    names.extend(address(context, context.host, "cluster_vip")?);
    Ok(names)
}

fn address(
    context: &Context<'_>,
    host: &HostName,
    variable: &str,
) -> Result<Option<String>, Unfit> {
    let node = (context.variable)(host, variable)?;
    Ok(node
        .and_then(|node| node.scalar())
        .filter(|text| !text.is_empty())
        .map(|text| entry(&text)))
}

fn entry(name: &str) -> String {
    match name.parse::<IpAddr>() {
        Ok(address) => format!("IP:{address}"),
        Err(_) => format!("DNS:{name}"),
    }
}

/// The authority beside the inventory, when there is one.
pub(super) fn kept(
    args: &Args<'_>,
    context: &Context<'_>,
    request: &Request,
) -> Result<Option<Kept>, Unfit> {
    let read = |suffix: &str| {
        let path = format!("{}/{}.{suffix}", request.ca_folder, request.ca.file);
        (context.local)(&path).bytes.map_err(|why| args.wrong(why))
    };
    let Some(certificate) = read("crt")? else {
        // A key without its certificate is what a run leaves that was killed between the two.
        return match read("key")? {
            None => Ok(None),
            Some(_) => Err(args.wrong(format!(
                "{}/{}.key is there without its certificate: remove it when no {}.crt was ever given to anybody",
                request.ca_folder, request.ca.file, request.ca.file
            ))),
        };
    };
    let facts = facts(&certificate, Some(&certificate));
    if !facts.broken.is_empty() {
        return Err(args.wrong(format!(
            "{}/{}.crt: {}",
            request.ca_folder, request.ca.file, facts.broken
        )));
    }
    let key = read("key")?.and_then(|key| public_half(&key));
    if key.as_ref().is_some_and(|key| *key != facts.public_key) {
        return Err(args.wrong(format!(
            "{0}/{1}.crt and {0}/{1}.key do not match",
            request.ca_folder, request.ca.file
        )));
    }
    Ok(Some(Kept {
        has_key: key.is_some(),
        facts,
    }))
}

/// The admin's own files. All three or none.
pub(super) fn own(args: &Args<'_>, context: &Context<'_>) -> Result<Option<Own>, Unfit> {
    let reader = Reader { args, context };
    let files = ["cert_file", "cert_key_file", "ca_file"].map(|name| reader.local(name));
    let [server, key, ca] = files;
    match (server?, key?, ca?) {
        (None, None, None) => Ok(None),
        (Some(server), Some(key), Some(ca)) => {
            let seen = facts(&server, Some(&ca));
            if !seen.broken.is_empty() {
                return Err(reader.wrong("cert_file", format!("`cert_file`: {}", seen.broken)));
            }
            if public_half(&key) != Some(seen.public_key.clone()) {
                let problem =
                    "the certificate of `cert_file` and the key of `cert_key_file` do not match"
                        .to_owned();
                return Err(reader.wrong("cert_key_file", problem));
            }
            Ok(Some(Own { ca, server, key }))
        }
        _ => {
            let problem =
                "own certificates are three files: `cert_file`, `cert_key_file` and `ca_file`";
            Err(args.wrong(problem))
        }
    }
}

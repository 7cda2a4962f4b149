//! The file server of a lab: nfs-ganesha, NFS version 4, at the gateway's address.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};

use crate::cache::Cache;
use crate::images;
use crate::lab::{Lab, Record};
use crate::services;

/// TCP port of the protocol.
const PORT: u16 = 2049;

/// What is exported, by the name clients mount it under.
const EXPORT: &str = "/export";

/// Starts the server, unless it runs; what clients mount.
pub fn start(lab: &Lab, record: &Record) -> Result<String> {
    // Made here, because the service itself starts in the background.
    images::nfs(&Cache::open()?)?;
    let export = lab.directory.join("export");
    fs::create_dir_all(&export).with_context(|| format!("cannot make {}", export.display()))?;
    if !services::answers(lab, record, PORT) {
        services::spawn(lab, "nfs", "nfs.log")?;
        services::wait_for(lab, record, &[PORT])?;
    }
    Ok(format!("{}:{EXPORT}", record.site.network.gateway()))
}

/// The command that becomes the server.
pub fn server(lab: &Lab, record: &Record) -> Result<Command> {
    let root = images::nfs(&Cache::open()?)?.join("server");
    services::private(&root)?;
    let none = None::<&str>;
    mount(
        Some(&lab.directory.join("export")),
        &root.join("srv/export"),
        none,
        MsFlags::MS_BIND,
        none,
    )?;
    mount(
        Some("proc"),
        &root.join("proc"),
        Some("proc"),
        MsFlags::empty(),
        none,
    )?;
    fs::create_dir(root.join("srv/lab/recovery"))?;
    fs::write(root.join("srv/lab/ganesha.conf"), config(record))?;
    services::inside(
        &root,
        &[
            "ganesha.nfsd",
            "-F",
            "-L",
            "/dev/stdout",
            "-f",
            "/srv/lab/ganesha.conf",
            "-p",
            "/srv/lab/ganesha.pid",
        ],
    )
}

/// Graceless, because no client has anything to reclaim when a lab starts; owners as numbers,
/// because the server knows none of the hosts' users.
fn config(record: &Record) -> String {
    format!(
        "NFS_CORE_PARAM {{ Protocols = 4; NFS_Port = {PORT}; Bind_addr = {gateway}; Enable_NLM = false;\n\
         \x20 Enable_RQUOTA = false; Enable_UDP = false; allow_set_io_flusher_fail = true; }}\n\
         NFSV4 {{ Graceless = true; Only_Numeric_Owners = true; RecoveryBackend = fs; RecoveryRoot = /srv/lab/recovery; }}\n\
         EXPORT {{ Export_Id = 1; Path = /srv/export; Pseudo = {EXPORT}; Access_Type = RW; Squash = No_Root_Squash;\n\
         \x20 SecType = sys; Protocols = 4; Transports = TCP; FSAL {{ Name = VFS; }} }}\n",
        gateway = record.site.network.gateway()
    )
}

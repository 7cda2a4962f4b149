//! One host: what it is called, and where its parts are.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::lab::{Lab, Record};
use crate::process::{ProcessId, run, tool};
use crate::site::{Network, Site};

/// Size of the brick disk, a sparse file, in bytes.
const BRICK_SIZE: u64 = 4 << 30;

/// A host of a lab.
#[derive(Clone, Debug)]
pub struct Host {
    /// The lab it belongs to.
    pub lab: Lab,
    /// Its number, from 1.
    pub number: u8,
    name: String,
    address: String,
    network: Network,
}

impl Host {
    /// Host `number` of `lab`.
    pub fn new(lab: &Lab, site: &Site, number: u8) -> Self {
        Self {
            lab: lab.clone(),
            number,
            name: site.name(number),
            address: site.address(number).to_string(),
            network: site.network,
        }
    }

    /// Host name.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// IPv4 address.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// The network it is in.
    pub fn network(&self) -> Network {
        self.network
    }

    /// MAC address. Fixed, because with a new one a replaced host would be out of reach until
    /// its peers' ARP entries expire (up to 25 s).
    pub fn mac(&self) -> String {
        format!("02:4b:45:32:00:{:02x}", self.number)
    }

    /// Network namespace. By number, whatever the host's name: a name could make it look like
    /// one of another lab's.
    pub fn namespace(&self) -> String {
        format!("{}-ke2-server{}", self.lab.namespace(), self.number)
    }

    /// The lab's end of the network cable.
    pub fn link(&self) -> String {
        format!("v-ke2-server{}", self.number)
    }

    /// Everything of the host on the machine's disk.
    pub fn directory(&self) -> PathBuf {
        self.lab.directory.join("hosts").join(self.name())
    }

    /// Exists while the network cable is pulled.
    pub fn cut_marker(&self) -> PathBuf {
        self.lab.directory.join(format!("{}.cut", self.name()))
    }

    /// What the supervisor and the host's boot print.
    pub fn console(&self) -> PathBuf {
        self.directory().join("console.log")
    }

    /// Names the supervisor's process.
    pub fn supervisor_file(&self) -> PathBuf {
        self.directory().join("supervisor.json")
    }

    /// Names the host's first process.
    pub fn init_file(&self) -> PathBuf {
        self.directory().join("init.json")
    }

    /// The host's first process, if it runs.
    pub fn init(&self) -> Option<ProcessId> {
        ProcessId::load(&self.init_file())
    }

    /// Control group of the host in the cgroup2 tree; `supervisor` and `system` are below it.
    pub fn unified(&self, record: &Record) -> PathBuf {
        record.unified.join(self.name())
    }

    /// Version 1 control groups of the host: the fence, then the others.
    pub fn v1(&self, record: &Record) -> Vec<(String, PathBuf)> {
        std::iter::once(("devices".to_owned(), record.devices.clone()))
            .chain(record.v1.iter().cloned())
            .map(|(controller, path)| (controller, path.join(self.name())))
            .collect()
    }

    /// Makes a blank disk for the brick, in the place of the one that may be there.
    pub fn make_brick_disk(&self) -> Result<()> {
        let directory = self.directory();
        let blank = directory.join("brick.img.making");
        fs::File::create(&blank)?.set_len(BRICK_SIZE)?;
        run(tool("mkfs.xfs")
            .args(["-q", "-f", "-i", "size=512"])
            .arg(&blank))?;
        fs::rename(blank, directory.join("brick.img"))
            .with_context(|| format!("cannot change the disk of {}", self.name()))
    }

    /// Makes the disks of a machine that was never switched on, unless they are there.
    pub fn make_disks(&self) -> Result<()> {
        let directory = self.directory();
        if directory.join("upper/etc/machine-id").exists() {
            return Ok(());
        }
        for part in ["upper/etc", "work", "root", "docker", "sysctl"] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(directory.join(part))?;
        }
        // The modes of the merged directories are those of the upper ones.
        for part in ["upper", "upper/etc", "docker"] {
            let mode = if part == "docker" { 0o710 } else { 0o755 };
            fs::set_permissions(directory.join(part), fs::Permissions::from_mode(mode))?;
        }
        self.make_brick_disk()?;
        fs::write(
            directory.join("upper/etc/hostname"),
            format!("{}\n", self.name()),
        )?;
        fs::write(
            directory.join("upper/etc/resolv.conf"),
            format!("nameserver {}\n", self.network.gateway()),
        )?;
        // Last, because its presence says that the rest is there.
        let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
        let machine_id = uuid.trim().replace('-', "");
        fs::write(directory.join("upper/etc/machine-id"), machine_id + "\n")
            .with_context(|| format!("cannot make the disks of {}", self.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_the_kernel() {
        let host = Host::new(&Lab::named("demo").unwrap(), &Site::default(), 200);
        assert_eq!(host.mac(), "02:4b:45:32:00:c8");
        assert_eq!(host.address(), "10.20.0.200");
        assert_eq!(host.namespace(), "lab-demo-ke2-server200");
        // IFNAMSIZ is 16 with the final zero.
        assert!(host.link().len() <= 15);
    }
}

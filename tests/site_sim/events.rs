//! What happens to hosts between runs: failures, replacements, hands.

use super::cluster::Cluster;
use super::gluster::Glusterd;
use super::machine::Entry;
use super::packages::{CONF, PGDATA};
use provision::probe::pgpool::GUARD;

/// Something that happens to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    PowerOff,
    PowerOn,
    /// Cut off from the other hosts.
    Cut,
    Mend,
    /// Cut off from provision only.
    Deaf,
    Heard,
    /// A blank machine of the same name and address.
    Replace,
    /// `docker swarm leave --force`
    Leave,
    Drain,
    StopDocker,
    StopGlusterd,
    KillBrick,
    StopVolume,
    LoseBrickDisk,
    LoseGlusterd,
    Unmount,
    /// The process behind the mount is killed.
    KillClient,
    EditFstab,
    ResetFirewall,
    StopPgpool,
    StopDatabase,
    KillDatabase,
    Promote,
    LoseDatabase,
    EditPassword,
    ForgetKeys,
    StaleSlot,
    /// `pcp_detach_node`
    Detach,
    /// A daemon goes on with a table of the nodes that is not its leader's.
    OwnTable,
    /// `failover.sh` as others have it, which looks for no other primary.
    OtherScript,
    Rename,
    DisableUnits,
    /// Its daemons do not answer, though it does.
    Mute,
    /// What a service was started with is known no more.
    LoseNotes,
    /// All hosts lose their power, and come back.
    Blackout,
    /// `docker service scale`
    ScaleService,
    /// `docker service rm`
    RemoveService,
    /// `docker service update --config-rm`
    EditService,
    /// `docker kill` of a container of a stack.
    KillContainer,
    /// The volume of RabbitMQ goes with its disk.
    LoseBroker,
    /// Another certificate is put into the shared directory by hand, to which the key does not fit.
    EditCertificate,
    /// Servers go on with a former certificate.
    OldCertificate,
}

pub const EVENTS: [Event; 42] = [
    Event::PowerOff,
    Event::PowerOn,
    Event::Cut,
    Event::Mend,
    Event::Deaf,
    Event::Heard,
    Event::Replace,
    Event::Leave,
    Event::Drain,
    Event::StopDocker,
    Event::StopGlusterd,
    Event::KillBrick,
    Event::StopVolume,
    Event::LoseBrickDisk,
    Event::LoseGlusterd,
    Event::Unmount,
    Event::KillClient,
    Event::EditFstab,
    Event::ResetFirewall,
    Event::StopPgpool,
    Event::StopDatabase,
    Event::KillDatabase,
    Event::Promote,
    Event::LoseDatabase,
    Event::EditPassword,
    Event::ForgetKeys,
    Event::StaleSlot,
    Event::Detach,
    Event::OwnTable,
    Event::OtherScript,
    Event::Rename,
    Event::DisableUnits,
    Event::Mute,
    Event::LoseNotes,
    Event::Blackout,
    Event::ScaleService,
    Event::RemoveService,
    Event::EditService,
    Event::KillContainer,
    Event::LoseBroker,
    Event::EditCertificate,
    Event::OldCertificate,
];

impl Cluster {
    pub fn happen(&mut self, event: Event, h: usize) {
        match event {
            Event::PowerOff => self.power_off(h),
            Event::PowerOn => self.power_on(h),
            Event::Cut => self.swarm.hosts[h].link = false,
            Event::Mend => self.swarm.hosts[h].link = true,
            Event::Deaf => self.swarm.hosts[h].ssh = false,
            Event::Heard => self.swarm.hosts[h].ssh = true,
            Event::Replace => self.replace(h),
            Event::Leave => self.swarm.hosts[h].disk = None,
            Event::Drain => self.drain(h),
            Event::StopDocker => self.swarm.stop(h),
            Event::StopGlusterd => self.gluster[h].running = false,
            Event::KillBrick => self.gluster[h].brick = false,
            Event::StopVolume => self.stop_volume(h),
            Event::LoseBrickDisk => {
                (self.gluster[h].folder, self.gluster[h].brick) = (None, false);
            }
            Event::LoseGlusterd => self.lose_glusterd(h),
            Event::Unmount => {
                let own = &mut self.gluster[h];
                (own.mounted, own.client_killed) = (false, false);
            }
            Event::KillClient => self.gluster[h].client_killed = self.gluster[h].mounted,
            Event::EditFstab => {
                self.edit(h, "/etc/fstab", "defaults,_netdev", "defaults,ro,_netdev");
            }
            Event::ResetFirewall => {
                let permanent = self.machines[h].permanent.clone();
                self.machines[h].runtime.clear();
                if self.rng.once_in(2) {
                    self.machines[h].runtime = permanent;
                    self.machines[h].permanent.clear();
                }
            }
            Event::StopPgpool => self.pgpool_stop(h),
            Event::StopDatabase => self.database_stop(h),
            Event::KillDatabase => self.database_crash(h),
            Event::Promote => {
                if self.databases[h].running && !self.databases[h].is_primary() {
                    self.promote(h);
                }
            }
            Event::LoseDatabase => {
                self.database_crash(h);
                self.databases[h].data = None;
                self.machines[h].clear(PGDATA);
            }
            Event::EditPassword => self.edit(h, &format!("{CONF}/pool_passwd"), ":", "::"),
            Event::ForgetKeys => self.edit(h, "/var/lib/pgsql/.ssh/known_hosts", "ssh-", "old-"),
            Event::StaleSlot => {
                if let Some(data) = &mut self.databases[h].data {
                    data.slots.insert("ke2_server9".into());
                }
            }
            Event::Detach => self.detach(h),
            Event::OwnTable => self.keep_own_table(h),
            Event::OtherScript => self.edit(h, &format!("{CONF}/failover.sh"), GUARD, ""),
            Event::Rename => self.machines[h].hostname = "renamed".into(),
            Event::DisableUnits => self.machines[h].enabled.clear(),
            Event::Mute => self.mute[h] = true,
            Event::LoseNotes => self.machines[h].clear("/run/provision"),
            Event::Blackout => {
                self.hosts().for_each(|p| self.power_off(p));
                self.hosts().for_each(|p| self.power_on(p));
            }
            other => self.happen_to_stack(other, h),
        }
        self.settle_losses();
    }

    fn edit(&mut self, h: usize, path: &str, from: &str, to: &str) {
        let text = self.machines[h].text(path).replace(from, to);
        let now = self.moment();
        if let Some(Entry::File { attributes, .. }) = self.machines[h].paths.get(path).cloned() {
            let (mode, owner) = (attributes.mode, attributes.owner);
            self.machines[h].file(path, text.as_bytes(), mode, &owner, now);
        }
    }

    fn drain(&mut self, h: usize) {
        if let Some(disk) = self.swarm.hosts[h].disk.clone()
            && let Some(node) = self.swarm.clusters[disk.cluster].nodes.get_mut(&disk.node)
        {
            node.drained = true;
        }
    }

    fn stop_volume(&mut self, h: usize) {
        let stopped = self.gluster[h].running
            && self
                .change(h, |volume| {
                    volume.status = "Stopped".into();
                    Ok(())
                })
                .is_ok();
        for p in self.hosts() {
            if stopped && self.pooled(h, p) {
                (self.gluster[p].brick, self.gluster[p].heals) = (false, false);
            }
        }
    }

    fn lose_glusterd(&mut self, h: usize) {
        let own = std::mem::take(&mut self.gluster[h]);
        self.gluster[h] = Glusterd {
            folder: own.folder,
            mounted: own.mounted,
            client_killed: own.client_killed,
            ..Glusterd::default()
        };
    }

    fn detach(&mut self, h: usize) {
        let id = self.machines[h]
            .text(&format!("{CONF}/pgpool_node_id"))
            .trim()
            .parse();
        let leader = self.hosts().find(|p| self.pgpools[*p].vip);
        if let (Ok(id), Some(leader)) = (id, leader)
            && self.pgpools[leader].primary != Some(id)
            && let Some(seat) = self.pgpools[leader].seats.get_mut(&id)
        {
            seat.up = false;
            self.watchdog();
        }
    }

    /// Everything is mended and switched on, and has time to come up.
    pub fn mend(&mut self) {
        for h in self.hosts() {
            (self.swarm.hosts[h].ssh, self.swarm.hosts[h].link) = (true, true);
            self.mute[h] = false;
            self.power_on(h);
        }
        self.ticks(160);
    }
}

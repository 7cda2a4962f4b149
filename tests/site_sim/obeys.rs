//! The hosts obey typed acts, with the refusals of the real programs.

use super::cluster::Cluster;
use super::database::Data;
use super::packages::{self, PGDATA};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use provision::plan::{Act, PgpoolAct, PostgresAct, RoleSpec, UnitVerb};
use provision::probe::postgres::{BLOCK_BEGIN, BLOCK_END, Database, Role, Verifier};
use sha2::{Digest, Sha256};

impl Cluster {
    /// Does an act on a host; with `half` one that has a middle breaks off there.
    ///
    /// # Errors
    /// In the words of the host.
    pub fn obey(&mut self, h: usize, act: &Act, half: bool) -> Result<(), String> {
        let now = self.moment();
        if let Some(ended) = self.share_obey(h, act) {
            return ended;
        }
        if let Some(ended) = self.machines[h].obey(act, now) {
            return ended;
        }
        match act {
            Act::InstallPackages(wanted) => {
                packages::install(&mut self.machines[h], wanted, now)?;
                self.swarm.hosts[h].installed |= self.machines[h].has("docker-ce");
                Ok(())
            }
            Act::Unit { unit, verb } => self.obey_unit(h, unit, *verb),
            Act::Swarm(act) => {
                if !self.swarm.hosts[h].running {
                    return Err("Cannot connect to the Docker daemon".into());
                }
                self.swarm.swarm(h, act)
            }
            Act::Gluster(act) => self.gluster_obey(h, act),
            Act::Mount(act) => self.mount_obey(h, act),
            Act::Postgres(act) => self.obey_postgres(h, act),
            Act::Stack(act) => self.stack_obey(h, act, half),
            Act::Pgpool(PgpoolAct::Recover { node, .. }) => self.recover(h, *node, half),
            Act::Pgpool(PgpoolAct::Attach { node, .. }) => self.attach(h, *node),
            Act::Pgpool(PgpoolAct::Follow { primary, .. }) => self.led(h, primary),
            Act::Command { line, .. } => self.runs(h, line),
            other => Err(format!("the simulation does not know {other:?}")),
        }
    }

    fn obey_unit(&mut self, h: usize, unit: &str, verb: UnitVerb) -> Result<(), String> {
        let file = format!("/etc/systemd/system/{unit}");
        let machine = &mut self.machines[h];
        let there = packages::of_unit(unit).is_some_and(|package| machine.has(package))
            || machine.paths.contains_key(&file);
        if !there {
            return Err(format!("Unit {unit} not found."));
        }
        match verb {
            UnitVerb::Enable => {
                machine.enabled.insert(unit.to_owned());
                return Ok(());
            }
            UnitVerb::Disable => {
                machine.enabled.remove(unit);
                return Ok(());
            }
            _ => {}
        }
        if matches!(verb, UnitVerb::Stop | UnitVerb::Restart) {
            match unit {
                "docker.service" => self.swarm.stop(h),
                "glusterd.service" => self.gluster[h].running = false,
                "postgresql-16.service" => self.database_stop(h),
                "pgpool.service" => self.pgpool_stop(h),
                other => drop(self.machines[h].active.remove(other)),
            }
        }
        match (unit, verb) {
            (_, UnitVerb::Stop) => {}
            ("pgpool.service", UnitVerb::Reload) => self.stamp(h, unit, &["reload"]),
            (_, UnitVerb::Reload) => {}
            ("docker.service", _) => self.swarm.start(h),
            ("glusterd.service", _) => self.glusterd_start(h),
            ("postgresql-16.service", _) => {
                if self.databases[h].data.is_none() {
                    return Err("is not a database cluster directory".into());
                }
                match self.guard(h) {
                    Some(true) => self.database_start(h),
                    // ExecCondition: the unit is skipped, and systemctl says nothing.
                    _ => self.databases[h].guarding = None,
                }
            }
            ("pgpool.service", _) => self.pgpool_start(h)?,
            ("shared-directory.service", _) => {
                if !self.gluster[h].mounted && !self.mountable(h) {
                    return Err("shared-directory.service: start operation timed out".into());
                }
                if !self.gluster[h].mounted {
                    self.mount(h);
                }
                self.machines[h].active.insert(unit.to_owned());
            }
            (other, _) => drop(self.machines[h].active.insert(other.to_owned())),
        }
        Ok(())
    }

    fn obey_postgres(&mut self, h: usize, act: &PostgresAct) -> Result<(), String> {
        let now = self.now;
        match act {
            PostgresAct::Initdb { .. } => {
                if !self.machines[h].has("postgresql16-server") {
                    return Err("initdb: command not found".into());
                }
                if self.databases[h].data.is_some() {
                    return Err("the data directory is not empty".into());
                }
                let system = self.swarm.fresh("7");
                self.databases[h].data = Some(Data::new(system));
                self.machines[h].folder(PGDATA, 0o700, "postgres");
                for name in ["postgresql.conf", "pg_hba.conf"] {
                    let path = format!("{PGDATA}/{name}");
                    self.machines[h].file(&path, b"# initdb\n", 0o600, "postgres", now);
                }
                Ok(())
            }
            PostgresAct::Block { path, lines } => {
                let text = self.machines[h].text(path).to_owned();
                if text.contains(BLOCK_BEGIN) {
                    return Err(format!("{path} has a block already"));
                }
                let lines = lines.trim_end_matches('\n');
                let new = format!("{text}{BLOCK_BEGIN}\n{lines}\n{BLOCK_END}\n");
                self.machines[h].file(path, new.as_bytes(), 0o600, "postgres", now);
                Ok(())
            }
            PostgresAct::Start { .. } => {
                if self.databases[h].data.is_none() {
                    return Err("is not a database cluster directory".into());
                }
                if !self.databases[h].running {
                    self.database_start(h);
                }
                Ok(())
            }
            PostgresAct::Reload { .. } => {
                if !self.databases[h].running {
                    return Err("PID file does not exist".into());
                }
                self.databases[h].loaded = now;
                Ok(())
            }
            PostgresAct::Role { role, .. } => {
                let made = role_of(role);
                self.in_database(h, |data| drop(data.roles.insert(made.name.clone(), made)))
            }
            PostgresAct::Database { name, owner, .. } => self.in_database(h, |data| {
                let database = data.databases.entry(name.clone()).or_insert(Database {
                    name: name.clone(),
                    encoding: "UTF8".into(),
                    collate: "C.UTF-8".into(),
                    ..Database::default()
                });
                database.owner.clone_from(owner);
            }),
            PostgresAct::Extension { database, name, .. } => {
                if !self.machines[h].has("pgpool-II-pg16-extensions") {
                    return Err("could not open extension control file".into());
                }
                self.in_database(h, |data| {
                    if let Some(database) = data.databases.get_mut(database) {
                        database.extensions.insert(name.clone(), "1.4".into());
                    }
                })
            }
            PostgresAct::SetAside { timeline, .. } => {
                let own = &mut self.databases[h];
                let of = own.data.as_ref().map(|data| (data.timeline, data.standby));
                if own.running || of != Some((*timeline, false)) {
                    return Err("changed since this was planned".into());
                }
                own.aside.extend(own.data.take());
                self.machines[h].clear(PGDATA);
                Ok(())
            }
        }
    }

    fn in_database(&mut self, h: usize, with: impl FnOnce(&mut Data)) -> Result<(), String> {
        if !self.databases[h].is_primary() {
            return Err("cannot execute in a read-only transaction".into());
        }
        if let Some(data) = &mut self.databases[h].data {
            with(data);
            data.end += 0x40;
        }
        Ok(())
    }
}

fn role_of(spec: &RoleSpec) -> Role {
    Role {
        name: spec.name.clone(),
        superuser: spec.superuser,
        createdb: spec.createdb || spec.superuser,
        createrole: spec.superuser,
        replication: spec.replication || spec.superuser,
        login: true,
        member_of: spec.member_of.clone(),
        verifier: Some(verifier(spec.password.expose())),
    }
}

/// A verifier of one iteration: a simulated server has no time to lose.
fn verifier(password: &str) -> Verifier {
    let salted = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), b"salt", 1);
    let key = |word: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&salted).unwrap();
        mac.update(word);
        mac.finalize().into_bytes()
    };
    let stored = STANDARD.encode(Sha256::digest(key(b"Client Key")));
    let server = STANDARD.encode(key(b"Server Key"));
    let salt = STANDARD.encode(b"salt");
    Verifier::new(format!("SCRAM-SHA-256$1:{salt}${stored}:{server}"))
}

//! Roles, database and extensions on the primary: made where they are missing, corrected where they differ,
//! never removed.

use super::super::Postgres;
use super::super::table::claim;
use crate::inventory::HostName;
use crate::plan::{Act, Class, Decision, PostgresAct, PostgresExpect, Step, StepId};
use crate::probe::postgres::{Role, Server};

/// All of them; without a server nothing is there yet.
pub(super) fn all(
    of: &Postgres,
    host: &HostName,
    server: Option<&Server>,
    decision: &mut Decision,
) {
    let bin = || of.about.bin.clone();
    let mut push = |parts: &[&str], class, why: String, act, expect| {
        let step = Step::new(StepId::new(parts), host, class, why, Act::Postgres(act))
            .need(claim(of, host, PostgresExpect::Primary))
            .done(claim(of, host, expect));
        decision.steps.push(step);
    };
    for spec in &of.roles {
        let initial = Role {
            name: spec.name.clone(),
            superuser: true,
            login: true,
            createdb: true,
            replication: true,
            ..Role::default()
        };
        let role = match server {
            Some(server) => server.role(&spec.name),
            // The only one that initdb makes.
            None if spec.name == crate::probe::postgres::ACCOUNT => Some(&initial),
            None => None,
        };
        let lacks = role.map(|role| spec.lacks(role));
        let (class, why) = match lacks {
            None => (Class::Create, "there is no such role".to_owned()),
            Some(lacks) if lacks.is_empty() => continue,
            Some(lacks) => (Class::Repair, format!("it lacks {}", lacks.join(", "))),
        };
        let act = PostgresAct::Role {
            bin: bin(),
            role: spec.clone(),
        };
        let expect = PostgresExpect::Role(spec.clone());
        push(&["postgres", "role", &spec.name], class, why, act, expect);
    }
    let database = server.and_then(|server| server.database(&of.database));
    let why = match database {
        None => Some((Class::Create, "there is no such database".to_owned())),
        Some(database) if database.owner != of.owner => {
            Some((Class::Repair, format!("it belongs to {}", database.owner)))
        }
        Some(_) => None,
    };
    if let Some((class, why)) = why {
        let (name, owner) = (of.database.clone(), of.owner.clone());
        let act = PostgresAct::Database {
            bin: bin(),
            name: name.clone(),
            owner: owner.clone(),
        };
        let expect = PostgresExpect::Database { name, owner };
        push(
            &["postgres", "database", &of.database],
            class,
            why,
            act,
            expect,
        );
    }
    for (database, name) in &of.extensions {
        let there = server
            .and_then(|server| server.database(database))
            .is_some_and(|database| database.extensions.contains_key(name));
        if there {
            continue;
        }
        let act = PostgresAct::Extension {
            bin: bin(),
            database: database.clone(),
            name: name.clone(),
        };
        let expect = PostgresExpect::Extension {
            database: database.clone(),
            name: name.clone(),
        };
        let why = format!("database {database} does not have it");
        push(
            &["postgres", "extension", database, name],
            Class::Create,
            why,
            act,
            expect,
        );
    }
}

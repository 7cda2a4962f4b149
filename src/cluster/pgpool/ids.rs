//! Node ids: those of a backends file that exists win, the order of the inventory counts only when there is none
//! (ruling 10). A new host gets the next free id; nobody's id ever changes, since recovery goes by it.

use crate::inventory::HostName;
use std::collections::BTreeMap;

/// Host name by node id.
pub(super) type Ids = BTreeMap<u32, String>;

/// The ids that all hosts should know.
///
/// # Errors
/// The pairs of hosts and files that contradict each other, one line each.
pub(super) fn settle(
    members: &[HostName],
    files: &[(&HostName, &Ids)],
) -> Result<Ids, Vec<String>> {
    let mut ids = Ids::new();
    let mut against = Vec::new();
    for (host, file) in files {
        for (id, name) in *file {
            let other_name = ids.get(id).filter(|known| *known != name);
            let other_id = ids.iter().find(|(known, own)| *own == name && *known != id);
            if other_name.is_some() || other_id.is_some() {
                against.push(host.to_string());
            } else {
                ids.insert(*id, name.clone());
            }
        }
    }
    if !against.is_empty() {
        return Err(files
            .iter()
            .map(|(host, file)| {
                let nodes: Vec<String> = file
                    .iter()
                    .map(|(id, name)| format!("{id} {name}"))
                    .collect();
                format!("{host}: {}", nodes.join(", "))
            })
            .collect());
    }
    for host in members {
        if !ids.values().any(|name| name == host.as_str()) {
            let next = ids.last_key_value().map_or(0, |(last, _)| last + 1);
            ids.insert(next, host.to_string());
        }
    }
    Ok(ids)
}

/// The id of a host.
pub(super) fn of(ids: &Ids, host: &HostName) -> Option<u32> {
    ids.iter()
        .find(|(_, name)| *name == host.as_str())
        .map(|(id, _)| *id)
}

/// The backends file: equal on all hosts.
pub(super) fn backends_file(ids: &Ids, data: &str, watchdog: bool) -> String {
    let mut text =
        String::from("# Written by provision. Node ids are for ever: lines are only added.\n");
    for (id, host) in ids {
        text.push_str(&format!(
            "\nbackend_hostname{id} = '{host}'\n\
             backend_port{id} = 5432\n\
             backend_weight{id} = 1\n\
             backend_data_directory{id} = '{data}'\n\
             backend_flag{id} = 'ALLOW_TO_FAILOVER'\n\
             backend_application_name{id} = '{host}'\n"
        ));
        if watchdog {
            text.push_str(&format!(
                "hostname{id} = '{host}'\n\
                 wd_port{id} = 9000\n\
                 pgpool_port{id} = 9999\n\
                 heartbeat_hostname{id} = '{host}'\n\
                 heartbeat_port{id} = 9694\n\
                 heartbeat_device{id} = ''\n"
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(pairs: &[(u32, &str)]) -> Ids {
        pairs
            .iter()
            .map(|(id, name)| (*id, (*name).to_owned()))
            .collect()
    }

    #[test]
    fn a_file_that_exists_wins_over_the_inventory_and_new_hosts_come_last() {
        let members: Vec<HostName> = ["a", "b", "c"].map(HostName::new).to_vec();
        assert_eq!(
            settle(&members, &[]).unwrap(),
            ids(&[(0, "a"), (1, "b"), (2, "c")])
        );
        let old = ids(&[(0, "b"), (1, "a")]);
        let older = ids(&[(0, "b")]);
        assert_eq!(
            settle(&members, &[(&members[0], &older), (&members[1], &old)]).unwrap(),
            ids(&[(0, "b"), (1, "a"), (2, "c")])
        );
        // The id of a host that is gone is not given to another one.
        assert_eq!(
            settle(
                &members,
                &[(&members[0], &ids(&[(0, "a"), (1, "x"), (2, "b")]))]
            )
            .unwrap(),
            ids(&[(0, "a"), (1, "x"), (2, "b"), (3, "c")])
        );
    }

    #[test]
    fn files_that_contradict_each_other_settle_nothing() {
        let members: Vec<HostName> = ["a", "b"].map(HostName::new).to_vec();
        let (one, two) = (ids(&[(0, "a"), (1, "b")]), ids(&[(0, "b"), (1, "a")]));
        assert!(settle(&members, &[(&members[0], &one), (&members[1], &two)]).is_err());
    }
}

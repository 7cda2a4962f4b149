use provision::inventory::{Inventory, variables};
use std::path::Path;

const EXAMPLE: &str = "inventory/example.yml";

fn load(path: &Path) -> Inventory {
    Inventory::load(path, &[]).unwrap_or_else(|found| panic!("{found}"))
}

#[test]
fn the_example_has_the_hosts_of_the_source_document() {
    let inventory = load(Path::new(EXAMPLE));
    let hosts: Vec<_> = inventory
        .hosts()
        .iter()
        .map(|host| format!("{} {}", host.name, host.address))
        .collect();
    assert_eq!(
        hosts,
        [
            "ke2-server1 10.20.0.1",
            "ke2-server2 10.20.0.2",
            "ke2-server3 10.20.0.3"
        ]
    );
    assert_eq!(inventory.group("managers").len(), 3);
    assert!(inventory.advice.is_empty(), "{:?}", inventory.advice);
}

/// The value written behind `# name:`, without the remark.
fn commented(text: &str, name: &str) -> Option<String> {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(&format!("# {name}: ")))?;
    let value = line.split("  #").next().unwrap_or(line);
    let value = value.split(" # ").next().unwrap_or(value);
    Some(value.trim().trim_matches('"').to_owned())
}

#[test]
fn the_example_is_the_whole_reference() {
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    for known in variables::all() {
        let active = format!("{}:", known.name);
        let is_active = text
            .lines()
            .any(|line| line.trim_start().starts_with(&active));
        let commented = commented(&text, known.name);
        let shown = is_active || commented.is_some();
        assert_eq!(shown, known.layer.takes_effect(), "{}", known.name);
        // A default in the file is the default in the table.
        if let (Some(written), Some(default)) = (commented, known.default) {
            assert_eq!(written, default, "{}", known.name);
        }
    }
}

#[test]
fn every_line_of_the_example_is_valid_when_its_comment_sign_is_removed() {
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    let uncommented: Vec<String> = text
        .lines()
        .map(|line| {
            let indent = line.len() - line.trim_start().len();
            let body = line
                .trim_start()
                .strip_prefix("# ")
                .unwrap_or(line.trim_start());
            let name = body.split(':').next().unwrap_or_default();
            if variables::known(name).is_some() {
                format!("{}{body}", &line[..indent])
            } else {
                line.to_owned()
            }
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.yml");
    std::fs::write(&path, uncommented.join("\n")).unwrap();
    let inventory = load(&path);
    let host = inventory.host("ke2-server1").unwrap();
    assert!(host.vars.len() > 20, "{:?}", host.vars.keys());
    assert_eq!(host.connection.port, Some(22));
}

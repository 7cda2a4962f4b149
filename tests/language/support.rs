use provision::inventory::Inventory;
use std::path::Path;

/// Writes a file into a folder of its own and loads it as an inventory.
pub fn try_inventory(text: &str, extra: &[&str]) -> Result<Inventory, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inventory.yml");
    std::fs::write(&path, text).unwrap();
    load(&path, extra)
}

/// Loads an inventory; messages name files relative to its folder.
pub fn load(path: &Path, extra: &[&str]) -> Result<Inventory, String> {
    let extra: Vec<String> = extra.iter().map(|&text| text.to_owned()).collect();
    Inventory::load(path, &extra).map_err(|found| {
        let folder = format!("{}/", path.parent().unwrap().display());
        found.to_string().replace(&folder, "")
    })
}

pub fn inventory(text: &str) -> Inventory {
    try_inventory(text, &[]).unwrap_or_else(|found| panic!("{found}"))
}

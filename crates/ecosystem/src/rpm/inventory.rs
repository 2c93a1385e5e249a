//! What Bottlerocket, which has no package manager, says it is made of: a list in JSON, written when it was built.

use serde::Deserialize;

use super::installed::{Installed, Listed};

pub(super) const PATHS: [&str; 2] = [
    "usr/share/bottlerocket/application-inventory.json",
    // Where the root of the system lies inside of an image that holds the whole disk.
    "x86_64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
];

pub(super) fn is(path: &str) -> bool {
    PATHS.contains(&path)
}

#[derive(Deserialize)]
struct Inventory {
    #[serde(rename = "Content")]
    content: Vec<Application>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Application {
    name: String,
    version: String,
    #[serde(default)]
    release: String,
    #[serde(default)]
    epoch: String,
    #[serde(default)]
    architecture: String,
}

pub(super) fn read(content: &[u8]) -> Listed {
    let inventory: Inventory = match serde_json::from_slice(content) {
        Ok(inventory) => inventory,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let (mut packages, mut problem) = (Vec::new(), None);
    for one in inventory.content {
        let installed = Installed {
            name: one.name,
            epoch: one.epoch.parse().unwrap_or_default(),
            version: one.version,
            release: one.release,
            architecture: one.architecture,
            ..Installed::default()
        };
        match installed.checked() {
            Ok(installed) => packages.push(installed),
            Err(why) => _ = problem.get_or_insert_with(|| why.to_owned()),
        }
    }
    (packages, problem)
}

//! Which packages of `bun.lock` a project needs to run.

use std::collections::HashSet;

use serde_json::Value;

use crate::lock::members;

/// Groups of a manifest that are installed where the product runs.
const GROUPS: [&str; 3] = ["dependencies", "optionalDependencies", "peerDependencies"];

/// Keys of the packages that the workspaces reach without their development groups; `None` where no workspace names
/// anything, so that nothing can be told.
pub(super) fn needed(file: &Value) -> Option<HashSet<&str>> {
    let packages = file.get("packages")?.as_object()?;
    let names = |value: &'_ Value| -> Vec<String> {
        GROUPS.iter().flat_map(|group| members(value, group)).map(|(name, _)| name.to_owned()).collect()
    };
    let mut needed: HashSet<&str> = HashSet::new();
    // A package is looked up beside the one that needs it, then further up.
    let find = |from: &str, name: &str| -> Option<&str> {
        let mut at = from;
        loop {
            let key = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            if let Some((key, _)) = packages.get_key_value(&key) {
                return Some(key);
            }
            if at.is_empty() {
                return None;
            }
            at = at.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    };
    let mut todo: Vec<&str> = Vec::new();
    let mut any = false;
    for (_, workspace) in members(file, "workspaces") {
        any |= members(workspace, "devDependencies").next().is_some();
        todo.extend(names(workspace).iter().filter_map(|name| find("", name)));
    }
    while let Some(key) = todo.pop() {
        if !needed.insert(key) {
            continue;
        }
        let details =
            packages.get(key).and_then(Value::as_array).into_iter().flatten().filter(|part| part.is_object());
        for name in details.flat_map(names) {
            todo.extend(find(key, &name).filter(|next| !needed.contains(next)));
        }
    }
    any.then_some(needed)
}

//! `conan.lock`: references `name/version@user/channel#revision`.

use serde_json::Value;

use crate::lock::{Lock, Pin, Reader, file_name, list, members, text};

pub(super) fn reader(path: &str) -> Option<Reader> {
    (file_name(path) == "conan.lock").then_some(read)
}

fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.json()?;
    if let Some(graph) = file.get("graph_lock") {
        // A node with a path is the project itself.
        let nodes = members(graph, "nodes").filter(|(_, node)| node.get("path").is_none());
        out.extend(nodes.filter_map(|(_, node)| {
            let reference =
                [text(node, "ref"), text(node, "pref")].into_iter().find(|text| !text.is_empty())?;
            Some(pin(reference)?.only_for(text(node, "context") == "build"))
        }));
        return Ok(());
    }
    for (group, development) in [("requires", false), ("build_requires", true), ("python_requires", true)] {
        let pins = list(&file, group).filter_map(Value::as_str).filter_map(pin);
        out.extend(pins.map(|pin| pin.only_for(development)));
    }
    Ok(())
}

/// `None` for what has no name: a recipe that was never given one.
fn pin(reference: &str) -> Option<Pin> {
    let (name, rest) = reference.split_once('/')?;
    let version = rest.split(['@', '#', ':', '%']).next().unwrap_or(rest);
    Some(Pin::new(name, version))
}

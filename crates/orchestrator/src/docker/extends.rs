//! What a service of Compose takes over from another one (`extends`), as the specification merges them: mappings key by key,
//! lists one behind the other, and of everything else what the service says itself.
//!
//! What is in another file is not read: whatever the service does not say itself is unknown then.

use std::collections::HashMap;

use crate::document::{At, Entry, Node, Value};

/// Services of one file that extend others: each is merged anew, and may be as large as the file.
pub(super) const MAX_EXTENDED: usize = 1_000;

/// Services that extend each other in a row; real files have two or three.
const MAX_CHAIN: usize = 16;
/// Lists that are taken as a whole.
const WHOLE: [&str; 3] = ["command", "entrypoint", "test"];
/// What a check asks about, and another file may say.
const ASKED: [&str; 22] = [
    "cap_add",
    "cap_drop",
    "cpus",
    "devices",
    "environment",
    "healthcheck",
    "image",
    "ipc",
    "logging",
    "mem_limit",
    "network_mode",
    "pid",
    "ports",
    "privileged",
    "read_only",
    "restart",
    "security_opt",
    "use_api_socket",
    "user",
    "userns_mode",
    "uts",
    "volumes",
];

/// The service with what it takes over; nothing where it extends none.
pub(super) fn whole(services: &At<'_>, own: &At<'_>) -> Option<Node> {
    let mut chain = vec![own.node()?];
    let mut at = own.clone();
    while at.get("extends").is_set() {
        let extends = at.get("extends");
        if extends.get("file").is_set() {
            break;
        }
        let name = extends.word().or_else(|| extends.get("service").word())?;
        at = services.get(name);
        let node = at.node()?;
        if chain.len() >= MAX_CHAIN || chain.iter().any(|one| std::ptr::eq(*one, node)) {
            break;
        }
        chain.push(node);
    }
    let elsewhere = at.down(&["extends", "file"]).is_set();
    let mut below = chain.into_iter().rev();
    let mut whole = below.next()?.clone();
    for over in below {
        merge(&mut whole, over, "");
    }
    if let (true, Value::Map(entries)) = (elsewhere, &mut whole.value) {
        let why = || Value::Unknown("a service of another file may say it".to_owned());
        let missing = ASKED.iter().filter(|key| !entries.iter().any(|entry| entry.key == **key));
        let missing: Vec<Entry> =
            missing.map(|key| Entry { key: (*key).to_owned(), node: Node::new(whole.line, why()) }).collect();
        entries.extend(missing);
    }
    own.get("extends").is_set().then_some(whole)
}

fn merge(under: &mut Node, over: &Node, key: &str) {
    match (&mut under.value, &over.value) {
        (Value::Map(entries), Value::Map(more)) => {
            let places: HashMap<String, usize> =
                entries.iter().enumerate().map(|(at, one)| (one.key.clone(), at)).collect();
            for entry in more {
                match places.get(&entry.key).and_then(|at| entries.get_mut(*at)) {
                    Some(one) => merge(&mut one.node, &entry.node, &entry.key),
                    None => entries.push(entry.clone()),
                }
            }
        }
        (Value::List(items), Value::List(more)) if !WHOLE.contains(&key) => items.extend_from_slice(more),
        (value, other) => {
            other.clone_into(value);
            under.line = over.line;
        }
    }
}

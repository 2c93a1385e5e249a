//! Kubernetes, and what speaks its language: manifests, output of Helm and Kustomize, lists of an API server.
//!
//! Kinds that run pods are known by name ([`template`]); of any other kind, custom resources included, whatever has the
//! form of a pod template is read too. Default values are those of the API: `privileged` unset means off.

mod pod;
mod template;

use std::sync::Arc;

use crate::{
    document::{At, Entry, Node, Value},
    read::{Object, Read, Reader},
};

/// `kubernetes`
pub(crate) const READER: Reader = Reader {
    name: "kubernetes",
    title: "Kubernetes and OpenShift manifests, and lists of them",
    recognises: |at| at.get("apiVersion").word().is_some() && at.get("kind").word().is_some(),
    read,
};

/// Said of an object of which only a part is looked at.
pub(crate) const MANY: &str = "more than 1,000 templates of pods, of which the rest is not looked at";
/// Lists within lists: a template of `OpenShift` may hold a list.
const MAX_NESTED: usize = 4;

/// Reads an object, or a list of them.
pub(crate) fn read(file: &Arc<str>, node: &Node, out: &mut Read) {
    objects(file, node, 0, out);
}

/// The objects of a document: itself, or those of the list that it is, in their order.
pub(crate) fn objects_of(node: &Node) -> Vec<&Node> {
    let mut found = vec![node];
    for _ in 0..MAX_NESTED {
        let below = |node| match listed(&At::top(node)) {
            Some(items) => items.items().iter().filter_map(At::node).collect(),
            None => vec![node],
        };
        found = found.into_iter().flat_map(below).collect();
    }
    found
}

/// The list in an object that is nothing but a list of others.
fn listed<'a>(at: &At<'a>) -> Option<At<'a>> {
    let kind = at.get("kind").word().unwrap_or_default();
    let items = if kind == "Template" { at.get("objects") } else { at.get("items") };
    ((kind.ends_with("List") || kind == "Template") && items.is_list()).then_some(items)
}

fn objects(file: &Arc<str>, node: &Node, depth: usize, out: &mut Read) {
    let at = At::top(node);
    let kind = at.get("kind").word().unwrap_or_default();
    if let Some(items) = listed(&at) {
        if depth >= MAX_NESTED {
            out.gap(file, node.line, "lists within lists are not read this deep");
            return;
        }
        for item in items.items() {
            if let Some(node) = item.node() {
                objects(file, &complete(node, &at), depth + 1, out);
            }
        }
        return;
    }
    let node = Arc::new(node.clone());
    let object = Object::new(READER.name, file, &node);
    let places = template::places(&At::top(&node), kind);
    if places.len() > template::MAX_PLACES {
        out.gap(file, node.line, MANY);
    }
    for place in places.into_iter().take(template::MAX_PLACES) {
        let containers = place.spec.get("containers");
        if containers.unknown().is_none() && containers.items().is_empty() {
            out.gap(file, place.spec.place().line, "a pod without containers: no API server takes it");
        }
        out.workloads.push(pod::read(&object, &place));
    }
    out.objects.push(object);
}

/// An API server that lists pods as a `PodList` says once what they are.
fn complete(item: &Node, list: &At<'_>) -> Node {
    let mut item = item.clone();
    let kind = list.get("kind").word().and_then(|kind| kind.strip_suffix("List")).unwrap_or_default();
    let own = [("kind", kind), ("apiVersion", list.get("apiVersion").word().unwrap_or_default())];
    if let Value::Map(entries) = &mut item.value
        && !kind.is_empty()
    {
        for (key, text) in own {
            if !entries.iter().any(|entry| entry.key == key) {
                let node = Node::new(item.line, Value::Text(text.to_owned()));
                entries.push(Entry { key: key.to_owned(), node });
            }
        }
    }
    item
}

//! Azure Container Instances: container groups in ARM and Bicep output, `az` YAML, REST bodies, `az container show`.
//!
//! Schema: REST API `Microsoft.ContainerInstance` 2018-10-01 to 2025-09-01. Keys are matched whatever their case, as Azure
//! does (`memoryInGb`, `memoryInGB`). A GET of Azure leaves secrets out: checks of secrets see files only.

mod group;
mod managed;
mod needs;
mod tags;

pub(crate) use group::inner;
pub use managed::{Assigned, Managed};
pub use needs::{Needs, Probe, Probes, Registry, Secret, Tries, Variable, needs};
pub use tags::{Reason, Renewal};

use std::sync::Arc;

use crate::{
    arm::Template,
    document::{At, Node, Value},
    leaf::Leaf,
    read::{Object, Read, Reader},
};

/// `aci`
pub(crate) const READER: Reader = Reader {
    name: "aci",
    title: "Azure container groups: ARM templates, `az` YAML, REST bodies, `az container show`",
    recognises: |at| {
        // `subscriptionDeploymentTemplate.json` and others are templates, too.
        let schema = at.get("$schema").word().unwrap_or_default().to_ascii_lowercase();
        schema.contains("deploymenttemplate.json")
            || schema.contains("deploymentparameters.json")
            || is_group(&at.clone().folding())
    },
    read,
};

/// The type of a container group, in lower case.
const GROUP: &str = "microsoft.containerinstance/containergroups";
/// The type of a group that others are made from, in lower case.
const PROFILE: &str = "microsoft.containerinstance/containergroupprofiles";
/// The type of a deployment within a deployment, in lower case.
const NESTED: &str = "microsoft.resources/deployments";
/// Templates within templates; Bicep modules of modules come to about four.
const MAX_NESTED: usize = 8;

fn is_group(at: &At<'_>) -> bool {
    match at.get("type").word() {
        Some(kind) => matches!(kind.to_ascii_lowercase().as_str(), GROUP | PROFILE),
        // A body of the REST API does not say what it is.
        None => {
            at.get("apiVersion").word().is_none_or(|version| version.starts_with("20"))
                && !at.get("kind").is_set()
                && at.down(&["properties", "osType"]).is_set()
                && at.down(&["properties", "containers"]).is_set()
        }
    }
}

fn read(file: &Arc<str>, node: &Node, out: &mut Read) {
    let top = At::top(node);
    if is_group(&top.clone().folding()) {
        add(file, node, "", out);
    } else {
        template(file, &top, 0, out);
    }
}

fn add(file: &Arc<str>, node: &Node, path: &str, out: &mut Read) {
    let node = Arc::new(node.clone());
    let at = At::under(&node, path).folding();
    let name = match at.get("name").text() {
        Leaf::Set(name, _) => name,
        _ => "*".to_owned(),
    };
    let object = Object {
        orchestrator: READER.name,
        file: file.clone(),
        line: node.line,
        api: at.get("apiVersion").word().unwrap_or_default().to_owned(),
        kind: "containerGroup".to_owned(),
        name,
        namespace: at.get("resourceGroup").text(),
        node: node.clone(),
    };
    for (place, why) in group::untold(&at) {
        out.gap(
            file,
            place.line,
            format!("{}: {why}; what is in it cannot be told from the file", place.path),
        );
    }
    out.workloads.push(group::read(&object, &at, path));
    out.objects.push(object);
}

fn template(file: &Arc<str>, top: &At<'_>, depth: usize, out: &mut Read) {
    let top = top.clone().folding();
    let template = Template::new(&top);
    let resources = top.get("resources");
    let listed = resources.items();
    // Since language version 2.0, resources have names rather than places.
    let named = resources.entries().into_iter().map(|(_, at)| at);
    for resource in listed.into_iter().chain(named) {
        let kind = resource.get("type").word().unwrap_or_default().to_ascii_lowercase();
        match kind.as_str() {
            GROUP | PROFILE => {
                if let Some(node) = resource.node() {
                    add(file, &template.resolved(node), &resource.place().path, out);
                }
            }
            NESTED => nested(file, &template, &resource, depth, out),
            _ => {}
        }
    }
}

/// A deployment within a deployment is a template of its own, with values for its parameters from outside.
fn nested(file: &Arc<str>, outer: &Template<'_>, resource: &At<'_>, depth: usize, out: &mut Read) {
    let inner = resource.down(&["properties", "template"]);
    let Some(node) = inner.node() else {
        if resource.down(&["properties", "templateLink"]).is_set() || inner.is_set() {
            out.gap(file, resource.place().line, "the template is somewhere else: check that file too");
        }
        return;
    };
    if depth >= MAX_NESTED {
        out.gap(file, node.line, "templates within templates are not read this deep");
        return;
    }
    let mut node = node.clone();
    let given = resource.down(&["properties", "parameters"]).node().map(|given| outer.resolved(given));
    if let (Some(given), Value::Map(entries)) = (given, &mut node.value) {
        let parameters = entries.iter_mut().find(|entry| entry.key.eq_ignore_ascii_case("parameters"));
        if let Some(parameters) = parameters {
            give(&mut parameters.node, &given);
        }
    }
    template(file, &At::under(&node, &inner.place().path), depth + 1, out);
}

/// Puts the values of `given` beside the defaults of `parameters`.
fn give(parameters: &mut Node, given: &Node) {
    let Value::Map(entries) = &mut parameters.value else { return };
    let given = At::top(given).folding();
    for entry in entries {
        if let (Some(given), Value::Map(definition)) = (given.get(&entry.key).node(), &mut entry.node.value)
            && let Value::Map(values) = &given.value
        {
            definition.extend(values.iter().filter(|value| value.key == "value").cloned());
        }
    }
}

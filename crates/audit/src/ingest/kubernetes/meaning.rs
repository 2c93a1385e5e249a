//! What a request to an API server means.

use super::event::{Event, ObjectReference};
use crate::record::{Activity, Severity, beginning};

/// A request's verb, resource and subresource, in our words.
pub(super) struct Meaning {
    pub(super) activity: Activity,
    pub(super) severity: Severity,
    pub(super) action: String,
    pub(super) words: String,
}

/// Bytes of a command's name; it is a path.
const MAX_COMMAND: usize = 128;

/// Whoever changes one of these changes what others may do.
const GUARDED: [&str; 6] = [
    "roles",
    "clusterroles",
    "rolebindings",
    "clusterrolebindings",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
];

pub(super) fn of(event: &Event) -> Meaning {
    let verb = event.verb.as_str();
    let Some(object) = &event.object_ref else {
        return Meaning {
            activity: plain(verb),
            severity: Severity::Informational,
            action: format!("Kubernetes/nonresource/{verb}"),
            words: format!("{verb} {}", event.request_uri.split('?').next().unwrap_or_default()),
        };
    };
    let group = if object.api_group.is_empty() { "core" } else { &object.api_group };
    let mut action = format!("Kubernetes/{group}/{}", object.resource);
    if !object.subresource.is_empty() {
        action.extend(["/", &object.subresource]);
    }
    action.extend(["/", verb]);
    let (activity, severity) = kind(verb, object);
    let severity = if event.impersonated_user.is_some() { severity.max(Severity::Medium) } else { severity };
    Meaning { activity, severity, action, words: words(event, object) }
}

/// Ways into a container first, then access, then secrets, then everything else.
fn kind(verb: &str, object: &ObjectReference) -> (Activity, Severity) {
    let changes = !matches!(plain(verb), Activity::Read);
    match (object.resource.as_str(), object.subresource.as_str()) {
        (_, "exec" | "attach") | ("pods", "ephemeralcontainers") if is_way_in(verb, object) => {
            (Activity::Connect, Severity::High)
        }
        (_, "portforward" | "proxy") => (Activity::Connect, Severity::Medium),
        ("serviceaccounts", "token") => (Activity::Issue, Severity::Low),
        ("rolebindings" | "clusterrolebindings", _) if verb == "create" => {
            (Activity::Grant, Severity::Medium)
        }
        ("rolebindings" | "clusterrolebindings", _) if plain(verb) == Activity::Delete => {
            (Activity::Revoke, Severity::Medium)
        }
        (resource, _) if changes && GUARDED.contains(&resource) => (plain(verb), Severity::Medium),
        ("secrets", _) => (plain(verb), Severity::Low),
        _ => (plain(verb), Severity::Informational),
    }
}

/// Reading the list of a pod's debug containers opens nothing; `get` of exec does, over a WebSocket.
fn is_way_in(verb: &str, object: &ObjectReference) -> bool {
    object.subresource != "ephemeralcontainers" || plain(verb) != Activity::Read
}

fn plain(verb: &str) -> Activity {
    match verb {
        "get" | "list" | "watch" | "head" | "options" => Activity::Read,
        "create" | "post" => Activity::Create,
        "update" | "patch" | "put" => Activity::Update,
        "delete" | "deletecollection" => Activity::Delete,
        _ => Activity::Other,
    }
}

fn words(event: &Event, object: &ObjectReference) -> String {
    let what = name(object);
    match object.subresource.as_str() {
        "exec" => command(&event.request_uri)
            .map_or_else(|| format!("exec into {what}"), |command| format!("exec into {what}: {command}")),
        "attach" => format!("attach to {what}"),
        "portforward" => format!("port forward to {what}"),
        "proxy" => format!("proxy to {what}"),
        "" => format!("{} {what}", event.verb),
        other => format!("{} {other} of {what}", event.verb),
    }
}

/// `pod shop/web`, `pods in shop`, `namespace shop`.
fn name(object: &ObjectReference) -> String {
    let resource = object.resource.as_str();
    let one = match resource {
        "networkpolicies" => "networkpolicy",
        _ if resource.ends_with("sses") || resource.ends_with("xes") => {
            resource.strip_suffix("es").unwrap_or(resource)
        }
        _ => resource.strip_suffix('s').unwrap_or(resource),
    };
    match (object.namespace.as_str(), object.name.as_str()) {
        ("", "") => resource.to_owned(),
        (namespace, "") => format!("{resource} in {namespace}"),
        ("", name) => format!("{one} {name}"),
        (_, name) if resource == "namespaces" => format!("{one} {name}"),
        (namespace, name) => format!("{one} {namespace}/{name}"),
    }
}

/// The program of an exec. Its arguments stay out: people type secrets there.
fn command(uri: &str) -> Option<String> {
    let (_, query) = uri.split_once('?')?;
    let first = query.split('&').find_map(|pair| pair.strip_prefix("command="))?;
    let program = first.split(['+', ' ']).next().unwrap_or_default().replace("%2F", "/").replace("%2f", "/");
    let word = program.split('%').next().unwrap_or_default();
    // `NAME=value` in front of a program is not its name.
    (!word.is_empty() && !word.contains('=')).then(|| beginning(word, MAX_COMMAND).to_owned())
}

/// Binding and role in the RBAC authorizer's reason:
/// `RBAC: allowed by ClusterRoleBinding "a" of ClusterRole "b" to User "c"`.
pub(super) fn binding(reason: &str) -> Option<(String, String)> {
    let (binding, rest) = reason.strip_prefix("RBAC: allowed by ")?.split_once(" of ")?;
    let (role, _) = rest.split_once(" to ")?;
    Some((binding.replace('"', ""), role.replace('"', "")))
}

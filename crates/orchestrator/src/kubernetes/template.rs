//! Where in an object pods are described.

use crate::document::At;

/// Templates of one object: operators describe about a dozen roles. Of more, it is said that not all were looked at.
pub(super) const MAX_PLACES: usize = 1_000;
/// Groups of the API whose kinds have their template where [`places`] knows it; other groups have kinds of the same name, such
/// as the `Job` of Volcano.
const GROUPS: [&str; 5] = ["", "apps", "apps.openshift.io", "batch", "extensions"];

/// Where a pod is described.
pub(super) struct Template<'a> {
    /// What stands beside the specification: labels and annotations.
    pub metadata: At<'a>,
    /// The specification of the pod.
    pub spec: At<'a>,
}

/// Every place in an object of this kind that describes a pod; one more than [`MAX_PLACES`] where there are more.
pub(super) fn places<'a>(object: &At<'a>, kind: &str) -> Vec<Template<'a>> {
    let template = |at: At<'a>| Template { metadata: at.get("metadata"), spec: at.get("spec") };
    let api = object.get("apiVersion").word().unwrap_or_default();
    let group = api.split_once('/').map_or("", |(group, _)| group);
    match kind {
        _ if !GROUPS.contains(&group) => found(object),
        "Pod" => vec![template(object.clone())],
        "PodTemplate" => vec![template(object.get("template"))],
        "CronJob" => vec![template(object.down(&["spec", "jobTemplate", "spec", "template"]))],
        "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "DaemonSet"
        | "Job"
        | "ReplicationController"
        | "DeploymentConfig" => vec![template(object.down(&["spec", "template"]))],
        _ => found(object),
    }
}

fn found<'a>(object: &At<'a>) -> Vec<Template<'a>> {
    let mut found = Vec::new();
    search(&object.get("spec"), &mut found);
    found
}

/// A mapping with a list of containers that name images is the specification of a pod, wherever it stands.
fn search<'a>(at: &At<'a>, found: &mut Vec<Template<'a>>) {
    if found.len() > MAX_PLACES {
        return;
    }
    let spec = at.get("spec");
    if is_pod(&spec) {
        found.push(Template { metadata: at.get("metadata"), spec });
        return;
    }
    if is_pod(at) {
        found.push(Template { metadata: at.get("metadata"), spec: at.clone() });
        return;
    }
    for (_, below) in at.entries() {
        search(&below, found);
    }
    for below in at.items() {
        search(&below, found);
    }
}

fn is_pod(at: &At<'_>) -> bool {
    let containers = at.get("containers").items();
    !containers.is_empty()
        && containers.iter().all(|one| one.get("image").is_set() || one.get("name").is_set())
        && containers.iter().any(|one| one.get("image").is_set())
}

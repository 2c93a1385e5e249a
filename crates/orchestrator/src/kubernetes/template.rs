//! Where in an object pods are described.

use crate::document::At;

/// Levels below the top at which templates of custom resources are looked for.
const MAX_LEVELS: usize = 8;
/// Templates of one object: operators describe about a dozen roles.
const MAX_PLACES: usize = 100;

/// Where a pod is described.
pub(super) struct Template<'a> {
    /// What stands beside the specification: labels and annotations.
    pub metadata: At<'a>,
    /// The specification of the pod.
    pub spec: At<'a>,
}

/// Every place in an object of this kind that describes a pod.
pub(super) fn places<'a>(object: &At<'a>, kind: &str) -> Vec<Template<'a>> {
    let template = |at: At<'a>| Template { metadata: at.get("metadata"), spec: at.get("spec") };
    match kind {
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
        _ => {
            let mut found = Vec::new();
            search(&object.get("spec"), 0, &mut found);
            found
        }
    }
}

/// A mapping with a list of containers that name images is the specification of a pod, wherever it stands.
fn search<'a>(at: &At<'a>, level: usize, found: &mut Vec<Template<'a>>) {
    if level > MAX_LEVELS || found.len() >= MAX_PLACES {
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
        search(&below, level + 1, found);
    }
    for below in at.items() {
        search(&below, level + 1, found);
    }
}

fn is_pod(at: &At<'_>) -> bool {
    let containers = at.get("containers").items();
    !containers.is_empty()
        && containers.iter().all(|one| one.get("image").is_set() || one.get("name").is_set())
        && containers.iter().any(|one| one.get("image").is_set())
}

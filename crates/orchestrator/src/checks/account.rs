//! As whom a workload talks to its platform.

use boltseal_model::Severity;

use super::{Check, Look};
use crate::{document::At, hit::Hits, leaf::Leaf, read::Object, workload::Workload};

pub(super) const TOKEN: Check = Check {
    id: "mounted-token",
    severity: Severity::Low,
    title: "has a token of the cluster",
    why: "Whoever takes over the process can use the token; most programs never need it.",
    fix: "set `automountServiceAccountToken: false` on the pod",
    sources: &["CIS Kubernetes 5.1.6", "NSA pods"],
    standard: None,
    only: &["kubernetes"],
    look: Look::Workload(token),
};

fn token(workload: &Workload, hits: &mut Hits) {
    match &workload.identity.automount {
        Leaf::Set(false, _) => {}
        Leaf::Unknown(why, place) => hits.doubt(place, why.clone()),
        leaf => {
            let account = workload.identity.account.known().map_or("default", String::as_str);
            hits.say(leaf.place(), format!("the token of the service account \"{account}\" is mounted"));
        }
    }
}

pub(super) const OLD_FIELD: Check = Check {
    id: "old-account-field",
    severity: Severity::Low,
    title: "names its service account in the old field",
    why: "The field is kept for old clients only; where both are set, the other one counts.",
    fix: "use `serviceAccountName`",
    sources: &["Kubernetes API: PodSpec.serviceAccount"],
    standard: None,
    only: &["kubernetes"],
    look: Look::Object(old_field),
};

fn old_field(object: &Object, hits: &mut Hits) {
    let top = object.at();
    let spec = match object.kind.as_str() {
        "Pod" => top.get("spec"),
        "CronJob" => top.down(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => top.down(&["spec", "template", "spec"]),
    };
    let old: At<'_> = spec.get("serviceAccount");
    if old.is_set() && !spec.get("serviceAccountName").is_set() {
        hits.say(&old.place(), "`serviceAccount` is set, `serviceAccountName` is not");
    }
}

//! What the platform does for a container group.

use boltseal_model::Severity;

use super::{Check, GROUP, Look};
use crate::{document::At, leaf::Leaf, pss::named};

pub(in crate::checks) const NO_LOGS: Check = Check {
    id: "aci-no-logs",
    title: "logs are not kept",
    why: "When the group ends, its output is gone, and with it what happened.",
    fix: "set `diagnostics.logAnalytics` with a workspace",
    sources: &["MCSB LT-4", "Azure Policy 21c469fa", "Azure Policy 41ebf9df"],
    look: Look::Workload(|workload, hits| {
        if let Leaf::Unset(place) = &workload.logging {
            hits.say(place, "the group sends its logs nowhere");
        }
    }),
    ..GROUP
};

pub(in crate::checks) const NO_ZONE: Check = Check {
    id: "aci-no-zone",
    severity: Severity::Low,
    title: "in no zone",
    why: "Nobody can tell whether two groups fail together.",
    fix: "set `zones: ['1']`, and spread groups over zones",
    sources: &["Azure Policy f58e8c0a", "MCSB AM-2"],
    look: Look::Workload(|workload, hits| {
        let Some(node) = workload.source.node.as_deref() else { return };
        let zones = At::under(node, &workload.source.path).folding().get("zones");
        if zones.unknown().is_none() && zones.items().is_empty() {
            hits.say(&zones.place(), "the group names no zone");
        }
    }),
    ..GROUP
};

pub(in crate::checks) const NO_PROFILE: Check = Check {
    id: "aci-no-security-context",
    severity: Severity::Low,
    title: "nothing is said about privileges",
    why: "Without a security context, a container runs as the image says, with the platform's capabilities.",
    fix: "set `securityContext` with `runAsUser`, `allowPrivilegeEscalation: false` and `capabilities: {drop: [ALL]}`",
    sources: &["MCSB PA-7"],
    look: Look::Workload(|workload, hits| {
        if workload.is_windows() {
            return;
        }
        for container in &workload.containers {
            if let Leaf::Unset(place) = &container.security.drop {
                let who = named(container.role, &container.name);
                hits.say(place, format!("{who} drops no capabilities"));
            }
        }
    }),
    ..GROUP
};

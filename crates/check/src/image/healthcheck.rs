//! `no-healthcheck`

use boltseal_model::Severity;

use super::{Check, Facts, Found};

pub(super) const CHECK: Check = Check {
    id: "no-healthcheck",
    severity: Severity::Low,
    title: "no health check",
    why: "An engine cannot tell a process that hangs from one that works. Kubernetes has probes of its own and ignores this.",
    fix: "add `HEALTHCHECK CMD …`, or probes where it runs",
    source: "CIS Docker Benchmark 4.6",
    look,
};

/// An image that listens on nothing is a tool, and needs none.
fn look(facts: &Facts<'_>) -> Vec<Found> {
    let config = facts.config;
    let needed = !config.ports.is_empty() && !config.healthcheck;
    let what = || Found::new(format!("it listens on {} and has no HEALTHCHECK", config.ports.join(", ")));
    needed.then(what).into_iter().collect()
}

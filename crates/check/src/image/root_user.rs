//! `root-user`

use boltseal_model::Severity;

use super::{Check, Facts, Found};

pub(super) const CHECK: Check = Check {
    id: "root-user",
    severity: Severity::Medium,
    title: "runs as root",
    why: "Whoever takes over the process is root in the container, and only the kernel stands between that and the host.",
    fix: "end the Dockerfile with `USER 10001`, or any name that is not root",
    source: "CIS Docker Benchmark 4.1",
    look,
};

fn look(facts: &Facts<'_>) -> Vec<Found> {
    let user = facts.config.user.split(':').next().unwrap_or_default();
    match user {
        "" => vec![Found::new("no user is set, so it runs as root")],
        "0" | "root" => vec![Found::new(format!("the user is {user}"))],
        _ => Vec::new(),
    }
}

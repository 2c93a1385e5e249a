//! `add-url`

use boltseal_model::Severity;

use super::{Check, Facts, Found};

pub(super) const CHECK: Check = Check {
    id: "add-url",
    severity: Severity::Medium,
    title: "ADD from a URL",
    why: "What the URL serves may be another thing tomorrow, and nothing checks it.",
    fix: "add `--checksum=sha256:…`, or fetch and verify it in a `RUN` step",
    source: "CIS Docker Benchmark 4.9",
    look,
};

fn look(facts: &Facts<'_>) -> Vec<Found> {
    let from_url = |step: &&&str| {
        let at = step.find("ADD ").map(|at| step.get(at + 4..).unwrap_or_default());
        at.is_some_and(|rest| {
            !rest.contains("--checksum=")
                && rest
                    .split_whitespace()
                    .take(6)
                    .any(|word| word.starts_with("http://") || word.starts_with("https://"))
        })
    };
    let steps = facts.steps.iter().filter(from_url);
    steps.map(|step| Found::new(step.chars().take(200).collect::<String>())).collect()
}

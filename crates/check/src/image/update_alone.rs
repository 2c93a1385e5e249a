//! `update-alone`

use boltseal_model::Severity;

use super::{Check, Facts, Found};

pub(super) const CHECK: Check = Check {
    id: "update-alone",
    severity: Severity::Low,
    title: "package lists updated in a step of their own",
    why: "The step is cached by itself: later builds install old versions from old lists.",
    fix: "write `apt-get update && apt-get install …` in one step",
    source: "CIS Docker Benchmark 4.7",
    look,
};

fn look(facts: &Facts<'_>) -> Vec<Found> {
    let updates = ["apt-get update", "apt update", "apk update", "yum makecache", "dnf makecache"];
    let uses = [" install", " add ", "upgrade"];
    let alone = |step: &&&str| {
        updates.iter().any(|update| step.contains(update)) && !uses.iter().any(|word| step.contains(word))
    };
    let steps = facts.steps.iter().filter(alone);
    steps.map(|step| Found::new(step.chars().take(200).collect::<String>())).collect()
}

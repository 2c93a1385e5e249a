//! `setuid-files`

use boltseal_model::Severity;

use super::{Check, Facts, Found, listed};

pub(super) const CHECK: Check = Check {
    id: "setuid-files",
    severity: Severity::Low,
    title: "setuid or setgid files",
    why: "They run with their owner's rights whoever starts them: each is a way to root if it has a flaw.",
    fix: "remove the bit in the build: `RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} +`",
    source: "CIS Docker Benchmark 4.8",
    look,
};

fn look(facts: &Facts<'_>) -> Vec<Found> {
    let paths: Vec<&str> =
        facts.files.iter().filter(|file| file.mode & 0o6000 != 0).map(|file| file.path).collect();
    if paths.is_empty() { Vec::new() } else { vec![Found::new(listed(&paths))] }
}

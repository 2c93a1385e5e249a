//! `world-writable`

use boltseal_model::Severity;

use super::{Check, Facts, Found, listed};

pub(super) const CHECK: Check = Check {
    id: "world-writable",
    severity: Severity::Medium,
    title: "files that everybody may change",
    why: "Any process in the container can replace what the others run or read.",
    fix: "copy with `COPY --chmod=755`, and never `chmod 777`",
    source: "CIS Distribution Independent Linux Benchmark 6.1.10",
    look,
};

/// Folders for everybody's files, where the sticky bit of the folder protects them.
const SHARED: [&str; 3] = ["tmp/", "var/tmp/", "dev/"];

fn look(facts: &Facts<'_>) -> Vec<Found> {
    let shared = |path: &str| SHARED.iter().any(|folder| path.starts_with(folder));
    let writable = facts.files.iter().filter(|file| file.mode & 0o002 != 0 && !shared(file.path));
    let paths: Vec<&str> = writable.map(|file| file.path).collect();
    if paths.is_empty() { Vec::new() } else { vec![Found::new(listed(&paths))] }
}

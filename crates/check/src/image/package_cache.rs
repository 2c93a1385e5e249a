//! `package-cache`

use boltseal_model::Severity;

use super::{Check, Facts, Found};

pub(super) const CHECK: Check = Check {
    id: "package-cache",
    severity: Severity::Low,
    title: "leftovers of package managers",
    why: "They make every pull longer, and a later layer that deletes them does not change that.",
    fix: "remove them in the step that makes them (`rm -rf /var/lib/apt/lists/*`, `apk add --no-cache`, `pip install \
          --no-cache-dir`), or mount a cache: `RUN --mount=type=cache,target=…`",
    source: "Docker documentation, best practices for building images",
    look,
};

/// Less is not worth a word.
const LEAST: u64 = 1 << 20;

const CACHES: [(&str, &str); 12] = [
    ("var/lib/apt/lists/", "apt's lists"),
    ("var/cache/apt/", "apt's cache"),
    ("var/cache/apk/", "apk's cache"),
    ("var/cache/dnf/", "dnf's cache"),
    ("var/cache/yum/", "yum's cache"),
    ("var/cache/zypp/", "zypper's cache"),
    ("var/cache/pacman/pkg/", "pacman's cache"),
    ("root/.cache/pip/", "pip's cache"),
    ("root/.npm/_cacache/", "npm's cache"),
    ("root/.cache/go-build/", "Go's build cache"),
    ("root/.m2/repository/", "Maven's repository"),
    ("root/.gradle/caches/", "Gradle's cache"),
];

pub(super) fn of(path: &str) -> Option<&'static str> {
    CACHES.iter().find(|(folder, _)| path.starts_with(folder)).map(|(_, name)| *name)
}

fn look(facts: &Facts<'_>) -> Vec<Found> {
    let large = facts.caches.iter().filter(|(_, bytes)| *bytes >= LEAST);
    large.map(|(name, bytes)| Found::new(format!("{name}, {} MB", bytes.div_ceil(1_000_000)))).collect()
}

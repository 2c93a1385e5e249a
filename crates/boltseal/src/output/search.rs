//! What was found, for people.

use std::fmt::Write as _;

use boltseal_api::search::Found;

use super::paint::{Paint, clean};

/// Characters of a digest that tell it from others.
const SHORT: usize = 19;

/// By kind; kinds of which there is nothing are left out.
pub fn found(found: &Found, paint: Paint) -> String {
    let image = |repository: &str, digest: &str| {
        let short: String = digest.chars().take(SHORT).collect();
        format!("{repository}@{short}")
    };
    let kinds: [(&str, Vec<String>); 6] = [
        ("repositories", found.repositories.clone()),
        ("tags", found.tags.iter().map(|one| format!("{}:{}", one.repository, one.tag)).collect()),
        ("digests", found.digests.iter().map(|one| format!("{}@{}", one.repository, one.digest)).collect()),
        (
            "labels",
            found
                .labels
                .iter()
                .map(|one| format!("{}={}  {}", one.name, one.value, image(&one.repository, &one.digest)))
                .collect(),
        ),
        (
            "packages",
            found
                .packages
                .iter()
                .map(|one| format!("{} {}  {}", one.name, one.version, image(&one.repository, &one.digest)))
                .collect(),
        ),
        (
            "vulnerabilities",
            found
                .vulnerabilities
                .iter()
                .map(|one| format!("{} in {}  {}", one.id, one.package, image(&one.repository, &one.digest)))
                .collect(),
        ),
    ];
    let mut out = String::new();
    for (kind, lines) in kinds.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        let more = if found.more.iter().any(|name| name == kind) { " (there is more)" } else { "" };
        let _ = writeln!(out, "{}{more}", paint.bold(kind));
        for line in lines {
            let _ = writeln!(out, "  {}", clean(&line));
        }
    }
    if out.is_empty() {
        out.push_str("nothing found\n");
    }
    out
}

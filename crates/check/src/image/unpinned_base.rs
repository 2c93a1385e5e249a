//! `unpinned-base`

use boltseal_model::Severity;

use super::{Check, Facts, Found};

pub(super) const CHECK: Check = Check {
    id: "unpinned-base",
    severity: Severity::Low,
    title: "built on a moving tag",
    why: "Two builds of the same source may be built on different images, and nobody can tell which.",
    fix: "name the base by version and digest: `FROM debian:12.9@sha256:…`",
    source: "Docker documentation, best practices for building images",
    look,
};

/// The annotation of OCI image specification, "Pre-Defined Annotation Keys"; builders also write it as a label.
const BASE: &str = "org.opencontainers.image.base.name";

fn look(facts: &Facts<'_>) -> Vec<Found> {
    let Some(base) = facts.config.labels.get(BASE).filter(|base| !base.is_empty()) else { return Vec::new() };
    let tag = base.rsplit('/').next().unwrap_or_default().split_once(':').map(|(_, tag)| tag);
    let moving = !base.contains('@') && matches!(tag, None | Some("latest" | "stable" | "edge" | "nightly"));
    moving.then(|| Found::new(format!("the base is {base}"))).into_iter().collect()
}

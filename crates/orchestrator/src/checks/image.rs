//! Which image, and whether it stays that image.

use boltseal_model::{Reference, Severity};

use super::{Check, Look, privilege::who};
use crate::{hit::Hits, leaf::Leaf, workload::Workload};

pub(super) const LATEST: Check = Check {
    id: "image-tag",
    severity: Severity::Medium,
    title: "image without a version",
    why: "`latest` is another image tomorrow, and nobody can tell which one ran yesterday.",
    fix: "name a version, or better the digest: `registry.example.com/app@sha256:…`",
    sources: &["CIS Kubernetes 5.1", "NSA images"],
    standard: None,
    only: &[],
    look: Look::Workload(latest),
};

fn latest(workload: &Workload, hits: &mut Hits) {
    each(workload, hits, |who, image| {
        let reference: Reference = image.parse().ok()?;
        let floating = reference.digest().is_none() && reference.tag().is_none_or(|tag| tag == "latest");
        floating.then(|| format!("{who} runs {image}, which is another image tomorrow"))
    });
}

pub(super) const UNPINNED: Check = Check {
    id: "image-digest",
    severity: Severity::Low,
    title: "image by tag",
    why: "Whoever can push can move a tag; a digest is the image that was looked at.",
    fix: "name the digest: `registry.example.com/app:1.2@sha256:…`, or let the webhook pin it",
    sources: &["CIS Docker 4.2", "MCSB DS-6"],
    standard: None,
    only: &[],
    look: Look::Workload(unpinned),
};

fn unpinned(workload: &Workload, hits: &mut Hits) {
    each(workload, hits, |who, image| {
        let Ok(reference) = image.parse::<Reference>() else {
            return Some(format!("{who} runs \"{image}\", which is no reference of an image"));
        };
        let tagged = reference.digest().is_none() && reference.tag().is_some_and(|tag| tag != "latest");
        tagged.then(|| format!("{who} runs {image}, which can be moved"))
    });
}

pub(super) const RETIRED: Check = Check {
    id: "retired-registry",
    severity: Severity::Medium,
    title: "image of a registry that is gone",
    why: "Nothing new arrives there, fixes neither, and one day the image cannot be pulled.",
    fix: "use registry.k8s.io instead of k8s.gcr.io, and mcr.microsoft.com instead of microsoft/ on Docker Hub",
    sources: &["Kubernetes: k8s.gcr.io is frozen, 2023"],
    standard: None,
    only: &[],
    look: Look::Workload(retired),
};

fn retired(workload: &Workload, hits: &mut Hits) {
    each(workload, hits, |who, image| {
        let reference: Reference = image.parse().ok()?;
        let gone = reference.registry() == "k8s.gcr.io"
            || (reference.registry() == "docker.io" && reference.repository().starts_with("microsoft/"));
        gone.then(|| format!("{who} runs {image}"))
    });
}

/// What cannot be told is said once, by the check for tags.
fn each(workload: &Workload, hits: &mut Hits, bad: impl Fn(&str, &str) -> Option<String>) {
    for container in &workload.containers {
        let who = who(container);
        match &container.image {
            Leaf::Set(image, place) => {
                if let Some(found) = bad(&who, image) {
                    hits.say(place, found);
                }
            }
            Leaf::Unknown(why, place) => hits.doubt(place, format!("{who}: its image: {why}")),
            Leaf::Unset(_) => {}
        }
    }
}

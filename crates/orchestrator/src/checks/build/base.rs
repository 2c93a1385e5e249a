//! What an image is built on.

use boltseal_model::{Reference, Severity};

use crate::{
    checks::{Check, Look},
    dockerfile::Dockerfile,
    hit::Hits,
    leaf::{Leaf, Place},
};

/// Has nothing in it, and so no version.
const EMPTY: &str = "scratch";

pub const TAG: Check = Check {
    id: "build-base-tag",
    severity: Severity::Medium,
    title: "built on an image without a version",
    why: "`latest` is another image tomorrow: the same Dockerfile builds something else, and nobody can tell what was built.",
    fix: "name a version, or better the digest: `FROM debian:12@sha256:…`",
    sources: &["CIS Docker 4.2", "NSA images"],
    standard: None,
    only: &[],
    look: Look::Build(tag),
};

fn tag(file: &Dockerfile, hits: &mut Hits) {
    each(file, hits, true, |image| {
        let reference: Reference = image.parse().ok()?;
        let floats = reference.digest().is_none() && reference.tag().is_none_or(|tag| tag == "latest");
        floats.then_some("which is another image tomorrow")
    });
}

pub const DIGEST: Check = Check {
    id: "build-base-digest",
    severity: Severity::Low,
    title: "built on an image by tag",
    why: "Whoever can push can move a tag; a digest is the image that was looked at.",
    fix: "name the digest: `boltseal image inspect` prints it, `boltseal image base` says when there is a newer one",
    sources: &["CIS Docker 4.2", "MCSB DS-6"],
    standard: None,
    only: &[],
    look: Look::Build(digest),
};

fn digest(file: &Dockerfile, hits: &mut Hits) {
    each(file, hits, false, |image| {
        let Ok(reference) = image.parse::<Reference>() else {
            return Some("which is no reference of an image");
        };
        let tagged = reference.digest().is_none() && reference.tag().is_some_and(|tag| tag != "latest");
        tagged.then_some("which can be moved")
    });
}

/// Every image from outside that a stage is built on or copies from; what cannot be told is said once.
fn each(file: &Dockerfile, hits: &mut Hits, doubts: bool, bad: impl Fn(&str) -> Option<&'static str>) {
    for (place, image) in sources(file) {
        if let Some(why) = bad(image) {
            hits.say(&place, format!("it takes files from {image}, {why}"));
        }
    }
    for stage in file.stages.iter().filter(|stage| stage.on.is_none()) {
        match &stage.image {
            Leaf::Set(image, place) if image != EMPTY => {
                if let Some(why) = bad(image) {
                    hits.say(place, format!("it is built on {image}, {why}"));
                }
            }
            Leaf::Unknown(why, place) if doubts => hits.doubt(place, why.clone()),
            Leaf::Unset(place) if doubts => hits.say(place, "FROM names no image"),
            _ => {}
        }
    }
}

/// Images in `COPY --from=` and `RUN --mount=from=` that are no stages.
fn sources(file: &Dockerfile) -> impl Iterator<Item = (Place, &str)> {
    let from = |flag: &'_ str| -> Option<std::ops::Range<usize>> {
        let start = if flag.starts_with("--from=") {
            "--from=".len()
        } else {
            flag.strip_prefix("--mount=")?;
            flag.find("from=")
                .filter(|at| flag.get(..*at).is_some_and(|before| before.ends_with([',', '='])))?
                + "from=".len()
        };
        let length = flag.get(start..)?.find(',').unwrap_or(flag.len() - start);
        Some(start..start + length)
    };
    let is_stage = |name: &str| {
        let index = name.parse().is_ok_and(|index: usize| index < file.stages.len());
        index
            || file
                .stages
                .iter()
                .any(|stage| stage.name.as_deref() == Some(name.to_ascii_lowercase().as_str()))
    };
    file.instructions.iter().filter(|one| matches!(one.word.as_str(), "COPY" | "RUN")).flat_map(move |one| {
        let names = one.flags.iter().filter_map(move |flag| flag.get(from(flag)?));
        let images = names.filter(move |name| !name.contains('$') && *name != EMPTY && !is_stage(name));
        images.map(|name| (Place { line: one.line, path: one.word.clone() }, name))
    })
}

pub const ALIAS: Check = Check {
    id: "build-stage-name",
    severity: Severity::Low,
    title: "two stages of one name",
    why: "Only the later one can be named; what was meant of the earlier one is taken from it.",
    fix: "give each stage a name of its own",
    sources: &["Dockerfile reference: FROM"],
    standard: None,
    only: &[],
    look: Look::Build(alias),
};

fn alias(file: &Dockerfile, hits: &mut Hits) {
    for (index, stage) in file.stages.iter().enumerate() {
        let Some(name) = &stage.name else { continue };
        if file.stages.iter().take(index).any(|before| before.name.as_ref() == Some(name)) {
            let place = Place { line: stage.line, path: "FROM".to_owned() };
            hits.say(&place, format!("a stage before it is called \"{name}\", too"));
        }
    }
}

//! Images in registries, for people.

use std::fmt::Write as _;

use boltseal_model::Digest;
use indicatif::DecimalBytes;

use super::{Attached, Attachment, Copied, Discovered, Inspected, Repositories, Tag, Tags};
use crate::output::{
    access::line,
    packages::{grid, grid_without_gaps},
    paint::{Paint, clean, count, cut},
};

/// Characters of a digest that tell it from others: `sha256:` and twelve.
const SHORT: usize = 19;
/// Characters of a refusal in a table; the whole of it stands in the JSON.
const MAX_WHY: usize = 60;
/// Columns of a table of layers before the build step.
const BEFORE_STEP: usize = 38;

/// One a line.
pub fn repositories(list: &Repositories, _: Paint) -> String {
    names(list.repositories.iter().map(String::as_str))
}

/// One a line.
pub fn tags(list: &Tags, paint: Paint) -> String {
    if list.tags.iter().all(|tag| tag.digest.is_none() && tag.refused.is_none()) {
        return names(list.tags.iter().map(|tag| tag.name.as_str()));
    }
    let rows = list.tags.iter().map(|tag| {
        [
            tag.name.clone(),
            tag.size.map(bytes).unwrap_or_default(),
            tag.created.as_deref().map(day).unwrap_or_default(),
            what_for(tag),
            tag.digest.as_ref().map(short).unwrap_or_default(),
        ]
    });
    grid_without_gaps(&["tag", "size", "created", "for", "digest"], rows, paint)
}

/// An image in full.
pub fn inspected(image: &Inspected, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", paint.bold(&clean(&image.reference)));
    line(&mut out, "digest", &image.digest.to_string());
    line(&mut out, "type", &image.media_type);
    line(&mut out, "artifact", image.artifact_type.as_deref().unwrap_or_default());
    line(&mut out, "about", &image.subject.as_ref().map(ToString::to_string).unwrap_or_default());
    line(&mut out, "size", &image.size.map(bytes).unwrap_or_default());
    line(&mut out, "platform", image.platform.as_deref().unwrap_or_default());
    if let Some(config) = &image.config {
        line(&mut out, "created", config.created.as_deref().unwrap_or_default());
        line(&mut out, "user", if config.user.is_empty() { "root" } else { &config.user });
        line(&mut out, "entrypoint", &config.entrypoint.join(" "));
        line(&mut out, "command", &config.command.join(" "));
        texts(&mut out, "environment", config.env.iter().cloned(), paint);
        texts(&mut out, "labels", config.labels.iter().map(|(key, value)| format!("{key}={value}")), paint);
    }
    let annotations = image.annotations.iter().map(|(key, value)| format!("{key}={value}"));
    texts(&mut out, "annotations", annotations, paint);
    parts(image, paint, &mut out);
    if !image.referrers.is_empty() {
        let _ = writeln!(out, "\n{}", paint.bold("attached"));
        tree(&image.referrers, "", paint, &mut out);
    }
    out
}

fn parts(image: &Inspected, paint: Paint, out: &mut String) {
    if !image.images.is_empty() {
        let rows = image.images.iter().map(|part| {
            let what = if part.attestation { "attestation" } else { "" };
            let platform = part.platform.clone().unwrap_or_else(|| what.to_owned());
            [platform, part.size.map(bytes).unwrap_or_default(), part.digest.to_string()]
        });
        let _ = write!(out, "\n{}", grid_without_gaps(&["platform", "size", "digest"], rows, paint));
    }
    if !image.layers.is_empty() {
        let width = paint.width.saturating_sub(BEFORE_STEP).max(20);
        let rows = image.layers.iter().map(|layer| {
            let step = layer.step.as_deref().or(layer.title.as_deref()).unwrap_or_default();
            [short(&layer.digest), bytes(layer.size), cut(step, width)]
        });
        let what = if image.config.is_some() { "build step" } else { "file" };
        let _ = write!(out, "\n{}", grid(&["layer", "size", what], rows, paint));
    }
}

/// The tree below an image.
pub fn discovered(found: &Discovered, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", paint.bold(&clean(&found.reference)));
    let _ = writeln!(out, "{}", paint.dim(&found.digest.to_string()));
    if found.referrers.is_empty() {
        let _ = writeln!(out, "nothing is attached");
    }
    tree(&found.referrers, "", paint, &mut out);
    out
}

/// What was attached.
pub fn attached(done: &Attached, _: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "attached", &done.reference);
    line(&mut out, "to", &done.subject.to_string());
    if !done.listed {
        line(&mut out, "listed", "by a tag, since this registry lists no referrers itself");
    }
    out
}

/// What a copy did.
pub fn copied(done: &Copied, _: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "copied", &done.destination);
    line(&mut out, "digest", &done.digest.to_string());
    let sent = both(done.manifests, done.blobs).map(|both| format!("{both}, {}", bytes(done.bytes)));
    line(&mut out, "sent", sent.as_deref().unwrap_or("nothing"));
    line(&mut out, "was there", &both(done.manifests_there, done.blobs_there).unwrap_or_default());
    let mounted = format!("{} from another repository", plural(done.blobs_mounted, "blob"));
    line(&mut out, "mounted", if done.blobs_mounted > 0 { &mounted } else { "" });
    let attached = plural(done.referrers, "referrer");
    line(&mut out, "with", if done.referrers > 0 { &attached } else { "" });
    line(&mut out, "not copied", &done.failed.join(" "));
    out
}

/// `3 manifests and 1 blob`, without what there is none of.
fn both(manifests: u64, blobs: u64) -> Option<String> {
    let each = [(manifests, "manifest"), (blobs, "blob")].into_iter().filter(|(number, _)| *number > 0);
    let words: Vec<String> = each.map(|(number, noun)| plural(number, noun)).collect();
    (!words.is_empty()).then(|| words.join(" and "))
}

fn tree(all: &[Attachment], indent: &str, paint: Paint, out: &mut String) {
    for (at, one) in all.iter().enumerate() {
        let last = at + 1 == all.len();
        let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let kind = clean(one.artifact_type.as_deref().unwrap_or("unknown type"));
        let facts = format!("{} · {}", one.digest, bytes(one.size));
        let _ = writeln!(out, "{indent}{branch}{kind}");
        let indent = format!("{indent}{below}");
        let _ = writeln!(out, "{indent}{}", paint.dim(&facts));
        tree(&one.referrers, &indent, paint, out);
    }
}

fn texts(out: &mut String, title: &str, all: impl Iterator<Item = String>, paint: Paint) {
    let mut all = all.peekable();
    if all.peek().is_some() {
        let _ = writeln!(out, "{}", paint.bold(title));
    }
    for text in all {
        let _ = writeln!(out, "  {}", cut(&text, paint.width.saturating_sub(2)));
    }
}

/// What people choose a tag by, or why they cannot.
fn what_for(tag: &Tag) -> String {
    match (&tag.refused, &tag.artifact_type) {
        (Some(why), _) => format!("refused: {}", cut(why, MAX_WHY)),
        (None, Some(kind)) => kind.clone(),
        (None, None) => platforms(&tag.platforms),
    }
}

/// For people and for `xargs`.
fn names<'n>(all: impl Iterator<Item = &'n str>) -> String {
    all.fold(String::new(), |mut out, name| {
        let _ = writeln!(out, "{}", clean(name));
        out
    })
}

/// The first platforms, and how many more there are.
fn platforms(all: &[String]) -> String {
    const SHOWN: usize = 4;
    let mut text = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if let Some(more) = all.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// The day of an RFC 3339 moment.
pub(super) fn day(created: &str) -> String {
    created.chars().take(10).collect()
}

pub(super) fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(SHORT).collect()
}

pub fn bytes(number: u64) -> String {
    DecimalBytes(number).to_string()
}

fn plural(number: u64, noun: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

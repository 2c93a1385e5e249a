//! Images in registries, for people and as JSON.

use std::{collections::BTreeMap, fmt::Write as _};

use boltseal_image::{
    manifest::{DOCKER_CONFIG, Manifest, OCI_CONFIG},
    remote::{Referrer, copy},
};
use boltseal_model::{Config, Digest};
use indicatif::HumanBytes;
use serde::Serialize;

use super::{
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

/// The repositories of a registry.
#[derive(Serialize)]
pub struct Repositories {
    pub registry: String,
    pub repositories: Vec<String>,
}

/// The tags of a repository.
#[derive(Serialize)]
pub struct Tags {
    pub repository: String,
    pub tags: Vec<Tag>,
}

/// One tag. What is absent was not asked for, or the registry did not say.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    #[serde(rename = "tag")]
    pub name: String,
    pub digest: Option<Digest>,
    pub media_type: String,
    pub artifact_type: Option<String>,
    /// Bytes of configuration and layers; of an index, those of its first image.
    pub size: Option<u64>,
    pub platforms: Vec<String>,
    pub created: Option<String>,
    /// Why the registry does not show it to us.
    pub refused: Option<String>,
}

impl Tag {
    /// Only its name.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            digest: None,
            media_type: String::new(),
            artifact_type: None,
            size: None,
            platforms: Vec::new(),
            created: None,
            refused: None,
        }
    }
}

/// An image in full.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspected {
    pub reference: String,
    pub digest: Digest,
    pub media_type: String,
    pub artifact_type: Option<String>,
    pub subject: Option<Digest>,
    pub size: Option<u64>,
    pub platform: Option<String>,
    /// Of an index.
    pub images: Vec<Part>,
    pub config: Option<Config>,
    /// Bottom first.
    pub layers: Vec<Layer>,
    pub annotations: BTreeMap<String, String>,
    pub referrers: Vec<Attachment>,
}

/// An image of an index.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    pub platform: Option<String>,
    pub digest: Digest,
    pub media_type: String,
    pub size: Option<u64>,
    pub attestation: bool,
}

/// A layer, or a file of an artifact.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    pub digest: Digest,
    pub media_type: String,
    pub size: u64,
    /// The build step that made it.
    pub step: Option<String>,
    /// The name of the file.
    pub title: Option<String>,
}

/// What refers to an image.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    pub digest: Digest,
    pub artifact_type: Option<String>,
    pub size: u64,
    pub annotations: BTreeMap<String, String>,
    pub referrers: Vec<Attachment>,
}

/// The tree below an image.
#[derive(Serialize)]
pub struct Discovered {
    pub reference: String,
    pub digest: Digest,
    pub referrers: Vec<Attachment>,
}

/// What was attached.
#[derive(Serialize)]
pub struct Attached {
    pub reference: String,
    pub digest: Digest,
    pub subject: Digest,
    /// Whether the registry lists referrers itself.
    pub listed: bool,
}

/// What a copy did.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Copied {
    pub destination: String,
    pub digest: Digest,
    pub manifests: u64,
    pub manifests_there: u64,
    pub referrers: u64,
    pub blobs: u64,
    pub blobs_mounted: u64,
    pub blobs_there: u64,
    pub bytes: u64,
    pub failed: Vec<String>,
}

impl Copied {
    /// What is told of `done`.
    pub fn of(destination: &str, done: &copy::Copied) -> Self {
        Self {
            destination: destination.to_owned(),
            digest: done.digest.clone(),
            manifests: done.manifests,
            manifests_there: done.manifests_there,
            referrers: done.referrers,
            blobs: done.blobs,
            blobs_mounted: done.mounted,
            blobs_there: done.blobs_there,
            bytes: done.bytes,
            failed: done.failed.iter().map(|(digest, _)| digest.to_string()).collect(),
        }
    }
}

/// Bytes of configuration and layers.
pub fn size_of(manifest: &Manifest) -> u64 {
    manifest.layers.iter().map(|layer| layer.size).fold(manifest.config.size, u64::saturating_add)
}

/// Whether it is an image, and no artifact in an image's clothes.
pub fn is_image(manifest: &Manifest) -> bool {
    matches!(manifest.config.media_type.as_str(), OCI_CONFIG | DOCKER_CONFIG)
}

/// Whether a tag is where clients keep referrers for registries that do not.
pub fn is_list_of_referrers(tag: &str) -> bool {
    let hex = tag.strip_prefix("sha256-").or_else(|| tag.strip_prefix("sha512-"));
    hex.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A tree of referrers, as it is told.
pub fn referrers(all: &[Referrer]) -> Vec<Attachment> {
    let one = |one: &Referrer| Attachment {
        digest: one.descriptor.digest.clone(),
        artifact_type: one.descriptor.artifact_type.clone(),
        size: one.descriptor.size,
        annotations: one.descriptor.annotations.clone(),
        referrers: referrers(&one.referrers),
    };
    all.iter().map(one).collect()
}

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
fn day(created: &str) -> String {
    created.chars().take(10).collect()
}

fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(SHORT).collect()
}

fn bytes(number: u64) -> String {
    HumanBytes(number).to_string()
}

fn plural(number: u64, noun: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

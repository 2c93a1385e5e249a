//! Images in registries: as JSON, and in `people` for people.

mod based;
mod difference;
mod history;
mod people;

use std::collections::BTreeMap;

use boltseal_image::{
    manifest::{DOCKER_CONFIG, Manifest, OCI_CONFIG},
    remote::{Referrer, copy},
};
use boltseal_model::{Config, Digest};
use serde::Serialize;

pub use based::{Based, based};
pub use difference::{Compared, compared};
pub use history::{History, history};
pub use people::{attached, bytes, copied, discovered, inspected, repositories, tags};

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

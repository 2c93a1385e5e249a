//! Manifests and indexes: OCI image specification 1.1 ("Image Manifest", "Image Index") and Docker's image manifest
//! version 2, schema 2, which have the same shape under other media types.
//!
//! ```
//! use boltseal_image::manifest::{Document, parse};
//! let text = br#"{"schemaVersion": 2, "manifests": []}"#;
//! assert!(matches!(parse(text, None), Ok(Document::Index(_))));
//! ```

use std::collections::BTreeMap;

use boltseal_model::{Digest, Platform};
use serde::{Deserialize, Deserializer};

use crate::{Error, MAX_INDEX, error::shown};

/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Docker image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker image configuration.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Layers and blobs of one manifest. Far above any image; a bound for whoever walks them.
const MAX_LAYERS: usize = 10_000;

/// What a manifest's bytes turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// One image, or an artifact in an image's clothes.
    Manifest(Box<Manifest>),
    /// A choice of images.
    Index(Box<Index>),
}

/// An image manifest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// As written in the document.
    pub media_type: Option<String>,
    /// Set for artifacts that are not images.
    pub artifact_type: Option<String>,
    /// The image configuration.
    pub config: Descriptor,
    /// Bottom first.
    #[serde(deserialize_with = "null_is_empty")]
    pub layers: Vec<Descriptor>,
    /// The manifest this one says something about (a signature, an SBOM).
    pub subject: Option<Descriptor>,
    /// Free text by key.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// An image index or manifest list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// As written in the document.
    pub media_type: Option<String>,
    /// Set for artifacts that are not images.
    pub artifact_type: Option<String>,
    /// The choice, in order of preference.
    #[serde(deserialize_with = "null_is_empty")]
    pub manifests: Vec<Descriptor>,
    /// The manifest this one says something about.
    pub subject: Option<Descriptor>,
    /// Free text by key.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A pointer to a blob.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    #[serde(default)]
    pub media_type: String,
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Of artifacts in an index.
    pub artifact_type: Option<String>,
    /// Which machine an index entry is for.
    #[serde(default, deserialize_with = "platform")]
    pub platform: Option<Platform>,
    /// Where else the bytes are (foreign layers).
    #[serde(default, deserialize_with = "null_is_empty")]
    pub urls: Vec<String>,
    /// Free text by key.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Whether it points to an index or a manifest list.
    pub fn is_index(&self) -> bool {
        matches!(self.media_type.as_str(), OCI_INDEX | DOCKER_LIST)
    }

    /// Whether it is one of `BuildKit`'s attestation manifests, which are no images.
    pub fn is_attestation(&self) -> bool {
        self.annotations.contains_key("vnd.docker.reference.type")
            || self.platform.as_ref().is_some_and(|p| p.os == "unknown" && p.architecture == "unknown")
    }
}

/// Reads a manifest or an index.
///
/// `media_type` is what the source says it is. It decides only where the document is silent, and a document that
/// contradicts it is refused: such a file would be an image to one tool and an index to another.
pub fn parse(bytes: &[u8], media_type: Option<&str>) -> Result<Document, Error> {
    let fail = |why: String| Error::malformed("manifest", why);
    // serde would take a list for the fields in order; nobody else would.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(fail("is not a JSON object".to_owned()));
    }
    let shape: Shape = serde_json::from_slice(bytes).map_err(|error| fail(error.to_string()))?;
    let said = media_type.map(|text| text.split(';').next().unwrap_or(text).trim());
    if shape.schema_version == 1 {
        return Err(fail(
            "schema version 1 is obsolete: pull and push the image again with a current tool".to_owned(),
        ));
    }
    if shape.schema_version != 2 {
        return Err(fail(format!("schemaVersion is {}, expected 2", shape.schema_version)));
    }
    let index = match (shape.manifests.is_some(), shape.layers.is_some() || shape.config.is_some()) {
        (true, true) => {
            return Err(fail("has `manifests` and `layers`: neither an image nor an index".to_owned()));
        }
        (true, false) => true,
        (false, true) => false,
        (false, false) => return Err(fail("has neither `layers` nor `manifests`".to_owned())),
    };
    for claim in [shape.media_type.as_deref(), said].into_iter().flatten() {
        let contradicts = match claim {
            OCI_INDEX | DOCKER_LIST => !index,
            OCI_MANIFEST | DOCKER_MANIFEST => index,
            _ => false,
        };
        if contradicts {
            return Err(fail(format!("content is {}, media type is {}", kind(index), shown(claim))));
        }
    }
    if index {
        let index: Index = serde_json::from_slice(bytes).map_err(|error| fail(error.to_string()))?;
        if index.manifests.len() > MAX_INDEX {
            return Err(fail(format!("index of more than {MAX_INDEX} manifests")));
        }
        Ok(Document::Index(Box::new(index)))
    } else {
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| fail(error.to_string()))?;
        if manifest.layers.len() > MAX_LAYERS {
            return Err(fail(format!("more than {MAX_LAYERS} layers")));
        }
        Ok(Document::Manifest(Box::new(manifest)))
    }
}

const fn kind(index: bool) -> &'static str {
    if index { "an index" } else { "an image manifest" }
}

/// Just enough of a document to see which one it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    #[serde(default)]
    schema_version: u32,
    media_type: Option<String>,
    manifests: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    config: Option<serde::de::IgnoredAny>,
}

/// Go writes `null` for empty lists and maps.
fn null_is_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// A platform as indexes write it: all of it optional, empty strings for absent.
fn platform<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Platform>, D::Error> {
    #[derive(Deserialize)]
    struct Written {
        #[serde(default)]
        os: String,
        #[serde(default)]
        architecture: String,
        #[serde(default)]
        variant: Option<String>,
    }
    let written = Option::<Written>::deserialize(from)?;
    Ok(written.filter(|w| !w.os.is_empty() || !w.architecture.is_empty()).map(|w| Platform {
        os: w.os,
        architecture: w.architecture,
        variant: w.variant.filter(|variant| !variant.is_empty()),
    }))
}

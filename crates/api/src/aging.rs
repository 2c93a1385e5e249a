//! Images that have grown old: `GET /api/v1/aging?older_than_days=&in_use_days=&after=`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A part of the list. Images are gone through by digest; a part may be empty and still have a next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aging {
    /// As of then.
    pub at: Timestamp,
    /// Images that were built long ago, or whose base has a newer one.
    pub images: Vec<Aged>,
    /// Images looked at for this part.
    pub looked_at: u64,
    /// `after` of the next part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An image that should be built again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aged {
    /// Of the manifest.
    pub digest: String,
    /// Where it is, and under which tags: its own, or those of an index that has it.
    pub names: Vec<String>,
    /// When it was built; when it was pushed, where its configuration does not say.
    pub built: Timestamp,
    /// Whole days since.
    pub days: u64,
    /// When it was pulled last, by any name, from any repository here; absent if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_pull: Option<Timestamp>,
    /// What it was built on, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
}

/// What an image was built on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Its name: as the image says, or repository and tag here.
    pub name: String,
    /// Its digest when the image was built.
    pub digest: String,
    /// How that is known.
    pub known_by: KnownBy,
    /// How many of the image's lowest layers are its; absent where it is not stored here, so that nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<u64>,
    /// What stands there now, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<Newer>,
}

/// How the base of an image is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownBy {
    /// Annotations or labels of the image say so, and nothing here speaks against it.
    Annotation,
    /// Its layers begin with those of an image that is stored here.
    Layers,
}

/// A newer base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newer {
    /// Of its manifest or index.
    pub digest: String,
    /// Where it is here.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
}

//! What an image was built on: `GET /api/v1/images/{digest}/base`, and `POST /api/v1/bases` for an image that is not
//! stored on the server.

use serde::{Deserialize, Serialize};

use crate::aging::{Base, Newer};

/// What is sent to `/api/v1/bases`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layers {
    /// Digests of the layers' archives (`rootfs.diff_ids` of the configuration), bottom first.
    pub layers: Vec<String>,
    /// What the image says its base is called (`org.opencontainers.image.base.name`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_name: Option<String>,
    /// And which digest it had (`org.opencontainers.image.base.digest`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_digest: Option<String>,
}

/// What an image was built on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bases {
    /// The nearest; absent where nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// Images stored here whose layers its own begin with, the nearest first; of equally near ones, those with a name.
    pub candidates: Vec<Candidate>,
    /// What the image says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
}

/// An image that could be the base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Of its manifest.
    pub digest: String,
    /// Its names here, those that it has no more after those that it has.
    pub names: Vec<String>,
    /// How many of the image's layers it has: all of its own.
    pub layers: u64,
    /// What stands where it was, where its name moved on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<Newer>,
}

/// What an image says about its base, which whoever built it could write as they liked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// `org.opencontainers.image.base.name`.
    pub name: String,
    /// `org.opencontainers.image.base.digest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether the layers say so too.
    pub layers: Agreement,
}

/// What the layers say about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Agreement {
    /// The image's layers begin with those of what it names.
    Agree,
    /// They do not: the claim is wrong, or was inherited and is of another image.
    Differ,
    /// What it names is not stored here, so nobody can tell.
    Unknown,
}

//! What an inventory is told.

use boltseal_model::{Digest, Finding, Package, Timestamp};
use serde::{Deserialize, Serialize};

/// An image, and what was found in it.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// Of the manifest.
    pub digest: &'a Digest,
    /// Where it is, for people: `shop/web:1`.
    pub names: &'a [String],
    /// Digests of its layers, stored and of their archives.
    pub layers: &'a [Digest],
    /// Its catalog.
    pub packages: &'a [Package],
    /// What of it is vulnerable.
    pub findings: &'a [Finding],
    /// Whose signatures it has that count: names of authorities, ids of keys, identities.
    pub keys: &'a [String],
    /// What of it can be executed or loaded. `None`: nobody looked.
    pub files: Option<&'a [File]>,
    /// Whether all of it was looked into.
    pub is_complete: bool,
}

/// A file that can be executed or loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// As the kernel names it, without links and without a slash in front.
    pub path: String,
    /// Of its content.
    pub sha256: Digest,
    /// The package it belongs to, by its place in [`Image::packages`].
    pub package: Option<usize>,
}

/// Something that runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Container {
    /// Who it is among all that run.
    pub id: String,
    /// `group/container`
    pub name: String,
    /// The machine.
    pub node: String,
    /// What it runs.
    pub image: Digest,
    /// When it started.
    pub since: Timestamp,
    /// Whether what it executes and loads is seen from its start on.
    pub is_watched: bool,
}

/// What a container did with a file, the less telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// It was mapped as code.
    Loaded,
    /// It was executed.
    Executed,
}

//! Finding things: `GET /api/v1/search?q=&kind=&limit=`.

use serde::{Deserialize, Serialize};

/// What was found, of each kind at most as many as were asked for. Only what the caller may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Repositories with the text anywhere in their name.
    pub repositories: Vec<String>,
    /// Tags with the text anywhere in them; those that begin with it first.
    pub tags: Vec<Tagged>,
    /// Manifests whose digest begins with it.
    pub digests: Vec<Placed>,
    /// Labels and annotations with it anywhere in their name or value, those that begin with it first; `NAME=VALUE` means
    /// the label of that name with that anywhere in its value.
    pub labels: Vec<Labelled>,
    /// Packages whose name begins with it, in images; `NAME@VERSION` means one version.
    pub packages: Vec<Packaged>,
    /// Vulnerabilities whose id begins with it, in images.
    pub vulnerabilities: Vec<Vulnerable>,
    /// Kinds of which there is more.
    pub more: Vec<String>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagged {
    /// Name of the repository.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// What it points to.
    pub digest: String,
}

/// A manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Name of the repository.
    pub repository: String,
    /// Of the manifest.
    pub digest: String,
}

/// A label of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labelled {
    /// Name of the repository.
    pub repository: String,
    /// Of the manifest.
    pub digest: String,
    /// Name of the label or annotation.
    pub name: String,
    /// Its value; a long one is cut.
    pub value: String,
}

/// A package in an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packaged {
    /// Name of the repository.
    pub repository: String,
    /// Of the image.
    pub digest: String,
    /// Name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A vulnerability in an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vulnerable {
    /// Name of the repository.
    pub repository: String,
    /// Of the image.
    pub digest: String,
    /// Such as `CVE-2024-3094`.
    pub id: String,
    /// The package that has it.
    pub package: String,
}

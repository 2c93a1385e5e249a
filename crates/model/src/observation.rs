//! What else was seen in an image: how it is made, what nobody answers for, what is malware.

use serde::{Deserialize, Serialize};

use crate::{Digest, Severity};

/// Something about how the image is made that should be otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Misconfiguration {
    /// `root-user`, `setuid-files`, …
    pub check: String,
    /// How bad.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: String,
    /// What was found here.
    pub found: String,
    /// What to do.
    pub fix: String,
    /// The layer that brought it, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Digest>,
}

/// An executable or a library that belongs to no package: nobody says what it is or whether it is vulnerable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Unowned {
    /// Clean, without leading slash.
    pub path: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The layer that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Digest>,
}

/// A file that is known to be malicious.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Malware {
    /// Clean, without leading slash.
    pub path: String,
    /// What it is called by who knows it.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The layer that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Digest>,
    /// A later layer deleted or replaced it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

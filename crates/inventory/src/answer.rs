//! What an inventory says.

use boltseal_model::{Digest, Severity};
use serde::{Deserialize, Serialize};

use crate::{Container, How};

/// What has what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// As what it is known. Nothing: under this name nothing is known, in images that were looked into.
    pub kinds: Vec<Kind>,
    /// Images that have it, in the order of their digests.
    pub images: Vec<Has>,
    /// Containers that run one of these: those that use it first, then by name.
    pub running: Vec<Running>,
    /// Containers of images that nobody looked into: they may have it.
    pub unknown: Vec<Container>,
    /// Images that do not have it as far as was seen, and were not looked into wholly: how many.
    pub incomplete: usize,
}

/// As what something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The digest of an image.
    Image,
    /// The digest of a layer, as stored or of its archive.
    Layer,
    /// The SHA-256 of a file that can be executed or loaded.
    File,
    /// An advisory, by its id or another name of it.
    Vulnerability,
    /// A package, by `NAME`, `NAME@VERSION` or its package URL.
    Package,
    /// Whose signature it has.
    Key,
}

/// An image that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Has {
    /// Of the image.
    pub digest: Digest,
    /// Where it is.
    pub names: Vec<String>,
    /// What of it; nothing where the image as a whole has it.
    pub found: Vec<Found>,
}

/// A package, and what is wrong with it where that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Found {
    /// Its name.
    pub package: String,
    /// As installed.
    pub version: String,
    /// The advisory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vulnerability: Option<String>,
    /// How bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The version that has a fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
}

/// A container that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Which.
    pub container: Container,
    /// Whether it uses it.
    pub used: Use,
}

/// Whether a container uses something that it has. The least first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "use", rename_all = "kebab-case")]
pub enum Use {
    /// It is there. Not that it is unused.
    Present {
        /// Why no more is known.
        why: Why,
    },
    /// A file of it was loaded.
    Loaded {
        /// Which, the first by name.
        path: String,
    },
    /// A file of it was executed.
    Executed {
        /// Which, the first by name.
        path: String,
    },
}

/// Why no more is known than that something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// No file of it can be executed or loaded: it is read, as data or by an interpreter, which nobody sees.
    NoFiles,
    /// Nobody looked which files of the image can be executed.
    NoIndex,
    /// Nobody sees what the container does.
    NotWatched,
    /// Not all was seen that it did.
    Lost,
    /// It was watched from its start, and did not.
    NotSeen,
}

/// A container, and how vulnerable it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub container: Container,
    /// Where its image is.
    pub names: Vec<String>,
    /// Its findings by severity, the worst first. `None`: nobody looked into its image.
    pub findings: Option<Vec<Counted>>,
    /// The worst of them; of several as bad, one whose package is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<Worst>,
    /// Whether all of the image was looked into.
    pub is_complete: bool,
}

/// The worst finding of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worst {
    /// Which.
    #[serde(flatten)]
    pub found: Found,
    /// What the container does with its package; nothing that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<How>,
}

/// Findings of one severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// How bad.
    pub severity: Severity,
    /// All of them.
    pub all: usize,
    /// Those of packages of which a file was executed.
    pub executed: usize,
    /// Those of packages of which a file was loaded, and none executed.
    pub loaded: usize,
}

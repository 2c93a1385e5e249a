//! What somebody signed about an image, and on which images it was built: what rules about trust look at.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Digest, Reference, Timestamp};

/// One signature that is attached to an image: over the image itself, or over a statement about it (an attestation).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Where it was found: `referrer df6421aaa1a1`, `tag sha256-cfbbd450ae92….sig`, `file app.sigstore.json`.
    pub place: String,
    /// Of the blob that holds it, or of the artifact where that has none that could be read.
    pub digest: Digest,
    /// Names of those whose it is, as the policy calls them, in the order of the policy. Nobody's: it counts for nothing.
    pub by: Vec<String>,
    /// Who exactly: the digest of a key, or an identity and who vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Moments that a log or a clock proves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Timestamp>,
    /// Whether it is proven to be in a log.
    #[serde(default)]
    pub logged: bool,
    /// When it may be worth something else by itself: it or a certificate runs out, or begins to count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What does not hold and whoever is believed lets pass all the same, and what nobody could look up; a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// What the statement is, such as `https://slsa.dev/provenance/v1`. Absent: it says no more than "I signed this". Of
    /// one that counts for nothing this is what it claims to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// How the image was built, where the statement says that and counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// Why it counts for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// Why a signature counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// In one word.
    pub kind: FaultKind,
    /// In a sentence.
    pub why: String,
}

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// It is damaged, about something else, or without the proof that is asked for.
    Bad,
    /// It is not by anybody whom the policy names.
    Stranger,
    /// It may be good; this program could not tell.
    Unchecked,
}

/// How an image was built, in the words of a signed statement (SLSA provenance 0.2 and 1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Who built it: `builder.id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builder: Option<String>,
    /// How: `buildType`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_type: Option<String>,
    /// From which source, which is not what was merely used: a URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// An image whose layers another one begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Of its manifest.
    pub digest: Digest,
    /// Indexes that list it, of multi-platform images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Digest>,
    /// Its names in the repositories that hold it, by its digest; of a cache, that in the repository it is a cache of, too.
    pub names: Vec<Reference>,
    /// How many layers of the image are its.
    pub layers: u64,
}

impl Signature {
    /// Whether it says no more than that somebody signed.
    pub const fn is_plain(&self) -> bool {
        self.predicate_type.is_none()
    }
}

impl FaultKind {
    /// The word as used in JSON and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Stranger => "stranger",
            Self::Unchecked => "unchecked",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

//! What became newly vulnerable, and what did not stay so.
//!
//! | path | what |
//! |---|---|
//! | `GET /api/v1/findings/new?since=&severity=&cause=&repository=&limit=&after=` | [`Changes`], the newest first |
//! | `GET /api/v1/findings/gone?since=&severity=&repository=&limit=&after=` | the same of what is not there any more |
//!
//! Only what is in repositories that the caller may see.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Causes, in the words of [`Change::cause`].
pub const CAUSES: [(&str, &str); 8] = [
    ("feed", "new vulnerability data says so"),
    ("scanner", "the same data, but the scanner sees more than it did"),
    ("returned", "it had gone, and is there again"),
    ("exploited", "it is known to be exploited, and was not"),
    ("worse", "it is more severe than it was"),
    ("likely", "its EPSS score has reached another tenth"),
    ("fixable", "there is a fix, and was none"),
    ("gone", "it is not there any more"),
];

/// A part of the list. A part may be empty and still have a next one, where there is much that the caller may not see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// As of then.
    pub at: Timestamp,
    /// The newest first.
    pub rows: Vec<Change>,
    /// `after` of the next part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Something that changed about a finding of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// In the order in which things changed.
    pub number: u64,
    /// When it was noticed.
    pub noticed: Timestamp,
    /// Why: one of [`CAUSES`].
    pub cause: String,
    /// When this server first saw the finding on this image; absent where that was before it kept that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Of the image.
    pub digest: String,
    /// Such as `CVE-2024-3094`.
    pub vulnerability: String,
    /// One line about it.
    pub title: String,
    /// How it is from then on; for one that has gone, how it was last.
    #[serde(flatten)]
    pub now: Standing,
    /// How it was before; absent where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Standing>,
    /// Installed package.
    pub package: String,
    /// Its package URL.
    pub purl: String,
    /// Its version.
    pub installed: String,
    /// The file that says it is installed.
    pub path: String,
    /// Where the image is stored and who pulled it last.
    pub places: Vec<Place>,
    /// Where it runs, as nodes said last. Absent: no node says that, or the caller may not see all images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Vec<Running>>,
}

/// How bad a finding is, as far as that changes without the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// `critical`, `high`, `medium`, `low`, `negligible` or `unknown`.
    pub severity: String,
    /// First version without the vulnerability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// CISA lists it as exploited.
    pub exploited: bool,
    /// FIRST's probability of exploitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<f64>,
}

/// Where an image is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Name of the repository.
    pub repository: String,
    /// Its tags there, and those of indexes that have it.
    pub tags: Vec<String>,
    /// When it was pulled from there last; absent if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulled: Option<Timestamp>,
    /// Who that was, where that was kept and the caller may see all images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulled_by: Option<String>,
}

/// Where an image runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// In the words of whoever looks: a cluster and a workload, a host and a container.
    pub place: String,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

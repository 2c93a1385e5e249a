//! Where an image comes from, link by link: `GET /api/v1/images/{digest}/custody`.

use serde::{Deserialize, Serialize};

/// All that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Of the image.
    pub digest: String,
    /// In the order of its life, one of every [`Step`].
    pub links: Vec<Link>,
}

/// One step of its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Which one.
    pub step: Step,
    /// Whether anything is known.
    pub known: bool,
    /// What is known, or why nothing is; a sentence each.
    pub facts: Vec<String>,
    /// Entries of the audit log about it, the first ones first; none where the caller may not read the log.
    pub records: Vec<u64>,
}

/// What happens to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Somebody brought it here.
    Pushed,
    /// Out of a source, on a base.
    Built,
    /// Somebody stands for it.
    Signed,
    /// It was held against what is known of vulnerabilities.
    Scanned,
    /// A policy has a verdict on it.
    Judged,
    /// It is in use.
    Running,
}

impl Step {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Built => "built",
            Self::Signed => "signed",
            Self::Scanned => "scanned",
            Self::Judged => "judged",
            Self::Running => "running",
        }
    }
}

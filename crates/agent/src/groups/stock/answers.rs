//! What is answered about what runs.

use boltseal_inventory::{Answer, Row};
use boltseal_model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// By what findings are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Source {
    /// By vulnerability data of this node.
    Feeds {
        /// Which snapshot.
        id: String,
        /// When that was made.
        built: Timestamp,
    },
    /// By what a server found.
    Server {
        /// Which.
        address: String,
    },
    /// By nothing: there is none.
    Nothing {
        /// Why, and what to do.
        why: String,
    },
}

/// Every container, and how vulnerable it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// By what that is known.
    pub source: Source,
    /// In the order of their names.
    pub containers: Vec<Running>,
}

/// A container that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its image as the group names it.
    pub image: String,
    /// Which container, and its findings; none where those are not known.
    #[serde(flatten)]
    pub row: Row,
    /// What to do first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// Why its findings are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// What of its image was not covered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
}

/// An upgrade that removes the worst findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// Of what.
    pub package: String,
    /// The version that is there.
    pub from: String,
    /// The version to have.
    pub to: String,
    /// How many vulnerabilities that removes.
    pub removes: usize,
}

/// Which images and containers have something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Where {
    /// What was asked for.
    pub asked: String,
    /// By what findings are known.
    pub source: Source,
    /// Who has it.
    #[serde(flatten)]
    pub answer: Answer,
    /// Images of which it is not known, or not whether it is a vulnerability of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlooked: Vec<Unlooked>,
}

/// An image of which something is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlooked {
    /// Its digest.
    pub image: Digest,
    /// Its names.
    pub names: Vec<String>,
    /// Why.
    pub why: String,
}

impl Findings {
    /// Whether all is known.
    pub fn is_complete(&self) -> bool {
        self.containers.iter().all(|one| one.row.findings.is_some() && one.row.is_complete)
    }
}

impl Where {
    /// Whether all is known that was asked for.
    pub fn is_complete(&self) -> bool {
        self.answer.unknown.is_empty() && self.unlooked.is_empty() && self.answer.incomplete == 0
    }
}

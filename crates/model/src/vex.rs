//! What somebody says about a vulnerability in a product (VEX, Vulnerability Exploitability eXchange).

use serde::{Deserialize, Serialize};

use crate::{Digest, Timestamp};

/// One statement of a VEX document, as it bears on a finding: who says what, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Statement {
    /// What is said.
    pub status: VexStatus,
    /// Who says so, in the words of the document. Nobody has proven it.
    pub author: String,
    /// When, as far as the document says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Timestamp>,
    /// Where we read it: a file, or the digest of a referrer of the image.
    pub source: String,
    /// The document's own id, where it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub document: String,
    /// Why it is not affected, as a word of the document's format: `vulnerable_code_not_in_execute_path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Impact, action or notes in the author's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Statement {
    /// In one line: `not affected, says Example Inc. on 2026-01-02: no shell is ever started (component_not_present)`.
    pub fn sentence(&self) -> String {
        let mut line = format!("{}, says {}", self.status.word().replace('_', " "), self.author);
        if let Some(said) = self.said {
            line = format!("{line} on {}", said.strftime("%Y-%m-%d"));
        }
        match (&self.reason, &self.justification) {
            (Some(reason), Some(word)) => format!("{line}: {reason} ({word})"),
            (Some(why), None) | (None, Some(why)) => format!("{line}: {why}"),
            (None, None) => line,
        }
    }
}

/// A VEX document that is attached to an image, and whether it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VexDocument {
    /// Where it was found: `referrer df6421aaa1a1`.
    pub place: String,
    /// Of the artifact that holds it.
    pub digest: Digest,
    /// Why its author is believed: `signed by releases`, `pushed by alice, who holds SecurityReviewer`. Absent: it changes
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// Why it changes nothing, or which of its statements do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// The four answers of VEX ("Minimum Requirements for VEX", section 3.2, CISA 2023).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VexStatus {
    /// Nothing to do: the vulnerability does no harm in this product.
    NotAffected,
    /// This version has the fix.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
    /// Something is to be done.
    Affected,
}

impl VexStatus {
    /// Every status, the most harmless first.
    pub const ALL: [Self; 4] = [Self::NotAffected, Self::Fixed, Self::UnderInvestigation, Self::Affected];

    /// As OpenVEX spells it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
            Self::Affected => "affected",
        }
    }

    /// Reads what [`Self::word`] writes.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether it says that nothing is to be done.
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

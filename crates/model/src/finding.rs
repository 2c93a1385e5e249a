//! An advisory that hits a package, with the proof why and the way to fix it.

use serde::{Deserialize, Serialize};

use crate::{Date, Digest, Severity, Statement, Status, Timestamp};

/// One vulnerability in one package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The CVE where there is one, otherwise the advisory's own id.
    pub id: String,
    /// Every other id of the same vulnerability, sorted.
    pub aliases: Vec<String>,
    /// Name of the installed package.
    pub package: String,
    /// Package URL of the installed package.
    pub purl: String,
    /// Its version.
    pub installed: String,
    /// First version without the vulnerability, if one exists.
    pub fixed: Option<String>,
    /// Day the fix came out, as far as a feed says.
    pub fixed_on: Option<Date>,
    /// From the vendor's word, otherwise from the worst CVSS vector.
    pub severity: Severity,
    /// Every vector known.
    pub cvss: Vec<Cvss>,
    /// Present when it is known to be exploited.
    pub kev: Option<Kev>,
    /// Present when FIRST predicts its exploitation.
    pub epss: Option<Epss>,
    /// What the vendor says.
    pub status: Status,
    /// How to get rid of it; absent when nobody has fixed it.
    pub fix: Option<Fix>,
    /// One line about the vulnerability.
    pub title: String,
    /// First published.
    pub published: Option<Timestamp>,
    /// Pages to read.
    pub references: Vec<String>,
    /// Why we say so.
    pub proof: Proof,
    /// What VEX documents say about it, the latest word of each author.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
}

impl Finding {
    /// The order of reports: known exploited first, then severity, then EPSS, then id and package.
    pub fn rank(&self, other: &Self) -> std::cmp::Ordering {
        let epss = |finding: &Self| finding.epss.map_or(0.0, |epss| epss.score);
        (other.kev.is_some().cmp(&self.kev.is_some()))
            .then_with(|| other.severity.cmp(&self.severity))
            .then_with(|| epss(other).total_cmp(&epss(self)))
            .then_with(|| self.id.cmp(&other.id))
            .then_with(|| self.purl.cmp(&other.purl))
            .then_with(|| self.proof.path.cmp(&other.proof.path))
    }
}

/// A CVSS vector and what it evaluates to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cvss {
    /// Such as `CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H`.
    pub vector: String,
    /// Base score, 0.0 to 10.0.
    pub score: f64,
}

/// An entry of CISA's Known Exploited Vulnerabilities catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kev {
    /// Day it was listed.
    pub added: Date,
    /// Day by which US federal agencies must have acted.
    pub due: Option<Date>,
    /// Used in ransomware campaigns, as far as CISA knows.
    pub ransomware: bool,
}

/// FIRST's Exploit Prediction Scoring System.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epss {
    /// Probability of exploitation in the next 30 days, 0 to 1.
    pub score: f64,
    /// Share of CVEs that score no higher, 0 to 1.
    pub percentile: f64,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fix {
    /// The version to reach.
    pub version: String,
    /// What to type, or to put into the Dockerfile.
    pub command: String,
}

/// Everything needed to check a finding by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The layer that holds the package.
    pub layer: Option<Digest>,
    /// The file that says the package is installed.
    pub path: String,
    /// The feed's record: its own id.
    pub advisory: String,
    /// Which feed.
    pub feed: String,
    /// The name the advisory uses, with its name space: `debian:12/openssl`.
    pub matched: String,
    /// The range, in words: `>= 1.0, < 1.2.3`.
    pub range: String,
    /// The comparison that decided: `3.0.11-1 < 3.0.13-1~deb12u1 (dpkg order)`.
    pub comparison: String,
}

//! What is known to be wrong with packages: one record of a feed.
//!
//! Modelled on the OSV schema 1.7, which every feed is translated to, because its ranges say what they mean.

use serde::{Deserialize, Serialize};

use crate::{Cvss, Date, Kev, Severity, Timestamp};

/// One vulnerability record of one feed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// As the feed names it: `CVE-2024-1013`, `GHSA-…`, `PYSEC-…`, `DSA-5380-1`.
    pub id: String,
    /// Other ids of the *same* vulnerability (not merely related ones).
    pub aliases: Vec<String>,
    /// Which feed it came from: an id of [`FeedInfo`].
    pub feed: String,
    /// One line.
    pub summary: String,
    /// The full text, possibly shortened.
    pub details: String,
    /// First published.
    pub published: Option<Timestamp>,
    /// Last changed.
    pub modified: Option<Timestamp>,
    /// The vendor's word, where it gives one for the whole record.
    pub severity: Option<Severity>,
    /// Vectors, as published.
    pub cvss: Vec<Cvss>,
    /// Pages to read.
    pub references: Vec<String>,
    /// Which packages it hits.
    pub affected: Vec<Affected>,
}

/// One package that an advisory speaks about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// The name space of `package`: `debian:12`, `alpine:v3.19`, `ubuntu:24.04`, `redhat:9`, `pypi`, `npm`, `golang`, `cargo`.
    pub space: String,
    /// Normalised by the ecosystem; for operating systems the source package or the package, as the vendor speaks;
    /// of rpm modules with the stream: `nodejs:18/nodejs`.
    pub package: String,
    /// Any of these ranges hits.
    pub ranges: Vec<Range>,
    /// Exact versions that are hit besides the ranges.
    pub versions: Vec<String>,
    /// What the vendor says about this package.
    pub status: Status,
    /// The vendor's word for this package, which may differ from the advisory's.
    pub severity: Option<Severity>,
    /// Only packages for these CPUs are meant, in the ecosystem's words, sorted; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<String>,
}

/// From `introduced` (inclusive; `None` is the beginning) to `fixed` (exclusive) or `last_affected` (inclusive);
/// neither means: to the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Range {
    /// First affected version.
    pub introduced: Option<String>,
    /// First version that is not affected any more.
    pub fixed: Option<String>,
    /// Last affected version, where the feed knows no fix.
    pub last_affected: Option<String>,
    /// Day the fix was published, where the feed says so.
    pub fixed_on: Option<Date>,
}

/// What the vendor says about a package and a vulnerability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Hit; the ranges say whether a fix exists.
    #[default]
    Affected,
    /// Explicitly not hit.
    NotAffected,
    /// The vendor is still looking.
    UnderInvestigation,
    /// The vendor decided not to fix it in this release, or not now (Debian `no-dsa`, `ignored`, `postponed`; Ubuntu
    /// `deferred`; Red Hat `Fix deferred`).
    WillNotFix,
    /// The vendor has stopped supporting the package or release.
    EndOfLife,
}

impl Status {
    /// The word as used in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::NotAffected => "not-affected",
            Self::UnderInvestigation => "under-investigation",
            Self::WillNotFix => "will-not-fix",
            Self::EndOfLife => "end-of-life",
        }
    }
}

/// What a second feed knows about a CVE that others describe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Enrichment {
    /// Listed in CISA's Known Exploited Vulnerabilities.
    Kev {
        /// The CVE.
        cve: String,
        /// The entry.
        kev: Kev,
    },
    /// FIRST's exploit prediction.
    Epss {
        /// The CVE.
        cve: String,
        /// The numbers.
        epss: crate::Epss,
    },
}

/// A source of advisories, as it stood when a snapshot was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedInfo {
    /// `osv:PyPI`, `debian-tracker`, `alpine-secdb:v3.19`, `kev`, `epss`.
    pub id: String,
    /// Where it was read from: a URL or a file name, never a secret.
    pub source: String,
    /// Records taken from it.
    pub records: u64,
    /// When the publisher last changed it, as far as the feed says.
    pub published: Option<Timestamp>,
    /// When we fetched or imported it.
    pub fetched: Timestamp,
    /// Name spaces it covers, so that "no finding" can be told from "no data".
    pub spaces: Vec<String>,
}

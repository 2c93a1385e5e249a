//! Everything we say about one image, as published in JSON (`docs/reference/report.schema.json`).
//!
//! The same image, snapshot and policy give the same bytes; nothing here depends on when or where it was made.

use serde::{Deserialize, Serialize};

use crate::{
    Base, Date, Digest, Distro, FeedInfo, Finding, Gap, GapKind, Layer, Leak, Malware, Misconfiguration,
    Package, Platform, Reference, Signature, Statement, Timestamp, Unowned, Verdict, VexDocument,
};

/// One image, judged or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Which image.
    pub subject: Subject,
    /// Which data it was matched with; absent in a bare SBOM or when there is none.
    pub snapshot: Option<SnapshotInfo>,
    /// What the report does not cover.
    pub coverage: Coverage,
    /// The operating system.
    pub distro: Option<Distro>,
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// What is installed.
    pub packages: Vec<Package>,
    /// Credentials that lie in it, by place. Absent: nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaks: Option<Vec<Leak>>,
    /// What should be otherwise about how the image is made, worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misconfigurations: Vec<Misconfiguration>,
    /// Executables and libraries that belong to no package, by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unowned: Vec<Unowned>,
    /// Files that are known to be malicious, by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub malware: Vec<Malware>,
    /// What is signed about it, by place. Absent: no rule asks for that, or nobody could look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Vec<Signature>>,
    /// Images that it was built on, the nearest first, told by their layers. Absent: no rule asks, or nobody could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bases: Option<Vec<Base>>,
    /// VEX documents that are attached to the image, where the policy accepts any; each says whether it counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vex: Vec<VexDocument>,
    /// In the order of [`Finding::rank`].
    pub findings: Vec<Finding>,
    /// What was left out of `findings` because the user asked for that.
    #[serde(default, skip_serializing_if = "Omitted::is_empty")]
    pub omitted: Omitted,
    /// Present when a policy was applied.
    pub verdict: Option<Verdict>,
}

impl Report {
    /// The distribution, and the last day of its security support, where that was over when the report was made.
    pub fn ended(&self) -> Option<(&Distro, Date)> {
        let over = self.coverage.gaps.iter().any(|gap| gap.kind == GapKind::EndOfLife);
        let distro = self.distro.as_ref().filter(|_| over)?;
        Some((distro, distro.end_of_life?))
    }
}

/// The image a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// As the user named it, with transport.
    pub reference: String,
    /// The normalised name, where the image has one; what registry rules look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Reference>,
    /// Of the manifest. Absent where there is none (a folder, a Docker archive).
    pub digest: Option<Digest>,
    /// Of the image configuration: Docker's image id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Digest>,
    /// What it runs on.
    pub platform: Option<Platform>,
}

/// The feeds a report was matched with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotInfo {
    /// Digest-derived name of the snapshot file's content.
    pub id: String,
    /// When it was built.
    pub built: Timestamp,
    /// Sorted by id.
    pub feeds: Vec<FeedInfo>,
}

/// Findings that exist but are not listed, so that a short list is never taken for the whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Omitted {
    /// How many a filter (severity, fixable) left out.
    pub filtered: u64,
    /// Those that an ignore file names, or that a VEX document says do no harm.
    pub ignored: Vec<Ignored>,
    /// What an earlier image or report has too, where only what is new was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
}

impl Omitted {
    /// Nothing was left out.
    pub const fn is_empty(&self) -> bool {
        self.filtered == 0 && self.ignored.is_empty() && self.baseline.is_none()
    }
}

/// How much of a report is not new, and is therefore not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The image or the file of the report that it was held against, as the user named it.
    pub against: String,
    /// How many findings it has too.
    pub findings: u64,
    /// How many credentials.
    pub leaks: u64,
    /// How many misconfigurations of the image.
    pub misconfigurations: u64,
    /// How many executables that belong to no package.
    pub unowned: u64,
    /// How many malicious files.
    pub malware: u64,
}

impl Baseline {
    /// All of it.
    pub const fn total(&self) -> u64 {
        self.findings + self.leaks + self.misconfigurations + self.unowned + self.malware
    }
}

/// A finding that an ignore file names, or that a VEX document says does no harm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ignored {
    /// What is ignored.
    pub finding: Finding,
    /// Why, in the words of the ignore file or the document.
    pub reason: Option<String>,
    /// Last day on which it is ignored.
    pub until: Option<Date>,
    /// The statement that decided, where it was a VEX document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
}

/// Whether silence means safety.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// True when `gaps` is empty.
    pub complete: bool,
    /// Sorted, without duplicates.
    pub gaps: Vec<Gap>,
}

impl Coverage {
    /// Sorts, removes duplicates, and is complete only when nothing is left.
    pub fn of(mut gaps: Vec<Gap>) -> Self {
        gaps.sort();
        gaps.dedup();
        Self { complete: gaps.is_empty(), gaps }
    }
}

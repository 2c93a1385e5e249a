//! The values that facts are read and written as.

use boltseal_model::{
    Catalog, Decision, Digest, Finding, Gap, Layer, Platform, Report, Severity, Standing, Subject, Timestamp,
    Verdict,
};
use serde::{Deserialize, Serialize};

use super::Having;
use crate::Error;

/// What a manifest is for, which decides whether a gate stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Something a runtime can run: judged.
    Image,
    /// A list of manifests: each of them is judged by itself.
    Index,
    /// A signature, an SBOM, an attestation, a chart: nothing a runtime would run.
    Artifact,
}

/// How far the judgement of an image has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Waiting for its first scan, or being scanned.
    Pending,
    /// There is a verdict.
    Judged,
    /// The image could not be read; it counts as unknown.
    Failed,
}

/// A finished or unfinished judgement, as small as the pull gate needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How far it is.
    pub state: State,
    /// Present when `state` is [`State::Judged`].
    pub verdict: Option<Verdict>,
    /// Why it failed, for people.
    pub error: Option<String>,
    /// Whether the verdict knows of all that is attached to the image by now.
    pub heeded: bool,
}

impl Judgement {
    /// The same in the words of gates.
    pub fn standing(self) -> Standing {
        match (self.state, self.verdict) {
            (State::Pending, _) => Standing::Pending,
            (State::Failed, _) => Standing::Failed(self.error),
            (State::Judged, _) if !self.heeded => Standing::Outdated,
            (State::Judged, Some(verdict)) => Standing::Judged(verdict),
            (State::Judged, None) => Standing::Failed(None),
        }
    }
}

/// How many findings of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// [`Severity::Critical`].
    pub critical: u64,
    /// [`Severity::High`].
    pub high: u64,
    /// [`Severity::Medium`].
    pub medium: u64,
    /// [`Severity::Low`].
    pub low: u64,
    /// [`Severity::Negligible`].
    pub negligible: u64,
    /// [`Severity::Unknown`].
    pub unknown: u64,
}

/// One manifest of one repository, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageRow {
    /// Name of the repository.
    pub repository: String,
    /// Sorted; empty when only the digest names it.
    pub tags: Vec<String>,
    /// Of the manifest.
    pub digest: Digest,
    /// As pushed.
    pub media_type: String,
    /// What it is for.
    pub kind: Kind,
    /// Bytes of configuration and layers as stored; for an index its manifests' own bytes.
    pub size: u64,
    /// When it was pushed last.
    pub pushed_at: Timestamp,
    /// One for an image, one per child for an index; empty when nobody said.
    pub platforms: Vec<Platform>,
    /// How far its judgement is; absent for an index or an artifact, which are not judged.
    pub state: Option<State>,
    /// The verdict's decision, once there is one. For an index: the worst of its children.
    pub decision: Option<Decision>,
    /// By severity.
    pub counts: Counts,
    /// Findings with a fixed version.
    pub fixable: u64,
    /// Packages in the catalog.
    pub packages: u64,
    /// Whether the report has no gaps.
    pub complete: bool,
    /// When it was judged last.
    pub judged_at: Option<Timestamp>,
    /// When the verdict may change by itself.
    pub expires: Option<Timestamp>,
}

/// Everything known about one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImageDetail {
    /// One row per repository that holds it.
    pub rows: Vec<ImageRow>,
    /// The whole report, once judged.
    pub report: Option<Report>,
    /// Why it could not be judged.
    pub error: Option<String>,
    /// Manifests that an index points to.
    pub children: Vec<ImageRow>,
    /// Signatures, SBOMs and attestations that name it as their subject.
    pub referrers: Vec<ReferrerRow>,
}

/// A manifest that names another as its subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReferrerRow {
    /// Name of the repository.
    pub repository: String,
    /// Of the referring manifest.
    pub digest: Digest,
    /// As pushed.
    pub media_type: String,
    /// Bytes of the manifest.
    pub size: u64,
    /// What it is: `application/vnd.dev.sigstore.bundle.v0.3+json`, …
    pub artifact_type: Option<String>,
    /// JSON object, as pushed.
    pub annotations: Option<String>,
}

/// Which images to list. The default lists all images and indexes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFilter {
    /// Only of this repository.
    pub repository: Option<String>,
    /// Part of a repository name or a tag, or the start of a digest.
    pub text: Option<String>,
    /// Only with this decision.
    pub decision: Option<Decision>,
    /// Only in this state.
    pub state: Option<State>,
    /// Also artifacts.
    pub artifacts: bool,
    /// Also manifests without a tag that an index points to; its row speaks for them.
    pub children: bool,
    /// Only with a finding in the package of this name.
    pub package: Option<String>,
    /// Only with this.
    pub having: Option<Having>,
    /// Which comes first.
    pub sort: ImageSort,
}

/// The order of a list of images. Ties go to the last pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSort {
    /// The last pushed first.
    #[default]
    Pushed,
    /// By repository.
    Name,
    /// The most critical findings first, then the most high ones, and so on.
    Severity,
    /// Denied first, then unknown, then the rest.
    Verdict,
    /// The largest first.
    Size,
}

/// Which vulnerabilities to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulnerabilityFilter {
    /// Part of an id, a package or a title.
    pub text: Option<String>,
    /// At least this severe.
    pub severity: Option<Severity>,
    /// Only with a fixed version somewhere.
    pub fixable: bool,
    /// Only known exploited ones.
    pub kev: bool,
    /// Which comes first.
    pub sort: VulnerabilitySort,
}

/// The order of a list of vulnerabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VulnerabilitySort {
    /// Known exploited first, then the most severe, then the most likely exploited.
    #[default]
    Risk,
    /// Those that hit the most images first.
    Images,
    /// The most likely exploited first.
    Epss,
    /// By id.
    Id,
}

/// A part of a long list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Rows to skip.
    pub offset: u64,
    /// Rows to give, at most [`Page::MAX`].
    pub limit: u64,
}

impl Page {
    /// More rows than this are never given at once: a page must stay readable and cheap.
    pub const MAX: u64 = 500;
}

impl Default for Page {
    fn default() -> Self {
        Self { offset: 0, limit: 50 }
    }
}

/// Rows, and how many there are without the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listing<T> {
    /// This page.
    pub rows: Vec<T>,
    /// All of them.
    pub total: u64,
}

/// One vulnerability over all images.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VulnerabilityRow {
    /// As in [`Finding::id`].
    pub id: String,
    /// One line.
    pub title: String,
    /// The worst of all hits.
    pub severity: Severity,
    /// Known exploited.
    pub kev: bool,
    /// FIRST's probability.
    pub epss: Option<f64>,
    /// Image digests hit.
    pub images: u64,
    /// Packages hit, by name.
    pub packages: Vec<String>,
    /// Whether any hit has a fixed version.
    pub fixable: bool,
}

/// One vulnerability with every image it hits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VulnerabilityDetail {
    /// What is known about it, taken from one of its findings.
    pub finding: Finding,
    /// The summary as in lists.
    pub row: VulnerabilityRow,
    /// Sorted by repository and package.
    pub hits: Vec<Hit>,
}

/// A vulnerability in a package of an image in a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// Name of the repository.
    pub repository: String,
    /// Sorted.
    pub tags: Vec<String>,
    /// Of the image.
    pub digest: Digest,
    /// Installed package.
    pub package: String,
    /// Its package URL.
    pub purl: String,
    /// Its version.
    pub installed: String,
    /// First version without the vulnerability.
    pub fixed: Option<String>,
    /// In this image.
    pub severity: Severity,
    /// When this server first saw it on this image; absent where that was before this was kept.
    pub since: Option<Timestamp>,
    /// What the gate says about the image.
    pub decision: Option<Decision>,
}

/// The whole store in a few numbers, for a front page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Repositories with at least one manifest.
    pub repositories: u64,
    /// Distinct image digests.
    pub images: u64,
    /// Images that may be pulled without remark.
    pub allowed: u64,
    /// Images that may be pulled, with something to look at.
    pub warned: u64,
    /// Images that a rule forbids.
    pub denied: u64,
    /// Images whose facts do not suffice, failed ones included.
    pub unknown: u64,
    /// Images waiting for their first judgement.
    pub pending: u64,
    /// Distinct vulnerabilities in them.
    pub vulnerabilities: u64,
    /// Bytes of distinct blobs.
    pub bytes: u64,
}

/// What an image is made of, kept so that it can be judged again without being opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// As first judged.
    pub subject: Subject,
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// Packages, distribution, and what could not be read.
    pub catalog: Catalog,
}

/// How judging one image ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was judged.
    Judged {
        /// With a verdict.
        report: Box<Report>,
        /// The gaps of the catalog alone, without those of feeds: a part of the report's.
        catalog_gaps: Vec<Gap>,
    },
    /// It could not be read.
    Failed {
        /// Why, and what to do.
        error: String,
    },
}

impl Kind {
    /// As stored and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Index => "index",
            Self::Artifact => "artifact",
        }
    }

    pub(super) fn read(word: &str) -> Result<Self, Error> {
        [Self::Image, Self::Index, Self::Artifact]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| Error::corrupt("manifests.kind", word))
    }
}

impl State {
    /// As stored and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Judged => "judged",
            Self::Failed => "failed",
        }
    }

    pub(super) fn read(word: &str) -> Result<Self, Error> {
        [Self::Pending, Self::Judged, Self::Failed]
            .into_iter()
            .find(|state| state.word() == word)
            .ok_or_else(|| Error::corrupt("judgements.state", word))
    }
}

impl Counts {
    /// Counts findings by severity.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            *counts.of_severity_mut(finding.severity) += 1;
        }
        counts
    }

    /// Counts one more.
    pub const fn add(&mut self, severity: Severity) {
        *self.of_severity_mut(severity) += 1;
    }

    /// How many of one severity.
    pub const fn of_severity(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Negligible => self.negligible,
            Severity::Unknown => self.unknown,
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        Severity::WORST_FIRST.into_iter().map(|severity| self.of_severity(severity)).sum()
    }

    pub(super) const fn of_severity_mut(&mut self, severity: Severity) -> &mut u64 {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Negligible => &mut self.negligible,
            Severity::Unknown => &mut self.unknown,
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        for severity in Severity::WORST_FIRST {
            *self.of_severity_mut(severity) += other.of_severity(severity);
        }
    }
}

/// A decision as stored.
pub(super) fn read_decision(word: &str) -> Result<Decision, Error> {
    [Decision::Allow, Decision::Warn, Decision::Unknown, Decision::Deny]
        .into_iter()
        .find(|decision| decision.word() == word)
        .ok_or_else(|| Error::corrupt("judgements.decision", word))
}

/// A severity as stored: its place in the order, so that the database can compare and sort.
pub(super) fn severity_rank(severity: Severity) -> i64 {
    Severity::WORST_FIRST
        .iter()
        .rev()
        .position(|s| *s == severity)
        .map_or(0, |rank| super::signed(rank as u64))
}

/// The other way; ranks that do not exist are unknown.
pub(super) fn severity_of(rank: i64) -> Severity {
    usize::try_from(rank)
        .ok()
        .and_then(|rank| Severity::WORST_FIRST.iter().rev().nth(rank))
        .copied()
        .unwrap_or_default()
}

//! What is installed in an image: its bill of materials.

use serde::{Deserialize, Serialize};

use crate::{Date, Digest, Leak, Malware, Misconfiguration, Unowned};

/// The packages of one tree, and what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// The operating system distribution, when `os-release` (or what stands in for it) says so.
    pub distro: Option<Distro>,
    /// Sorted by ecosystem, name, version, first path; no duplicates.
    pub packages: Vec<Package>,
    /// Credentials that lie in it, by place. `None`: nobody looked.
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
    /// What may be missing from `packages`. Empty means: nothing known to be missing.
    pub gaps: Vec<Gap>,
}

/// A release of an operating system distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distro {
    /// `ID` of os-release(5): `debian`, `ubuntu`, `alpine`, …; `ubuntu-pro` of an Ubuntu with a contract.
    pub id: String,
    /// `VERSION_ID`: `12`, `24.04`, `3.19.1`; empty for rolling releases.
    pub version: String,
    /// `PRETTY_NAME`.
    pub name: String,
    /// Last day of security support, if we know it.
    pub end_of_life: Option<Date>,
}

/// One installed package.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Package {
    /// Family that knows its versions and feeds: `debian`, `alpine`, `rpm`, `pypi`, `npm`, `golang`, `cargo`, `maven`, ….
    pub ecosystem: String,
    /// As installed.
    pub name: String,
    /// As installed, in the ecosystem's own grammar.
    pub version: String,
    /// Package URL (purl-spec).
    pub purl: String,
    /// What it was built from, where vendors publish advisories for that (Debian source, Alpine origin).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// CPU architecture in the ecosystem's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// As declared; not interpreted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<String>,
    /// Files that prove it is there, first the one it was read from.
    pub paths: Vec<String>,
    /// The layer that first brought this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Digest>,
    /// The operating system package that owns its files, if one does; then vendor data speaks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A source package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Source {
    /// Name of the source package.
    pub name: String,
    /// Its version, which may differ from the binary's.
    pub version: String,
}

impl Package {
    /// The name that vendors publish advisories under.
    pub fn source_name(&self) -> &str {
        self.source.as_ref().map_or(&self.name, |source| &source.name)
    }

    /// The version that vendors' ranges compare with.
    pub fn source_version(&self) -> &str {
        self.source.as_ref().map_or(&self.version, |source| &source.version)
    }
}

/// Something that was not looked at, so that silence about it proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gap {
    /// What kind of hole.
    pub kind: GapKind,
    /// What it is about: a path, a feed, a distribution, a layer digest.
    pub subject: String,
    /// One sentence for people: what is wrong and what to do.
    pub detail: String,
}

/// The kinds of holes in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// No distribution found, or one that no feed covers.
    UnknownDistribution,
    /// The vendor no longer publishes fixes for this release.
    EndOfLife,
    /// No feed for an ecosystem or release that has packages.
    FeedMissing,
    /// The feed is older than it should be.
    FeedStale,
    /// A file that should list packages could not be parsed.
    FileNotParsed,
    /// A version that the ecosystem's grammar cannot order.
    VersionNotComparable,
    /// A layer that was not read (foreign, encrypted).
    LayerNotRead,
    /// A layer that was read through its table of contents, as asked: its own digest was not checked.
    LayerNotVerified,
    /// A limit was reached.
    LimitReached,
}

impl GapKind {
    /// The word as used in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::UnknownDistribution => "unknown-distribution",
            Self::EndOfLife => "end-of-life",
            Self::FeedMissing => "feed-missing",
            Self::FeedStale => "feed-stale",
            Self::FileNotParsed => "file-not-parsed",
            Self::VersionNotComparable => "version-not-comparable",
            Self::LayerNotRead => "layer-not-read",
            Self::LayerNotVerified => "layer-not-verified",
            Self::LimitReached => "limit-reached",
        }
    }
}

impl Gap {
    /// A gap of `kind` about `subject`.
    pub fn new(kind: GapKind, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, subject: subject.into(), detail: detail.into() }
    }
}

//! A tree to its catalog, a catalog to its findings, and the snapshot of advisories in between.
//!
//! ```
//! use boltseal_model::{Advisory, Affected, Catalog, FeedInfo, Package, Range, Timestamp};
//! use boltseal_scan::{Builder, Snapshot, findings};
//!
//! // Feeds become one immutable file …
//! let mut builder = Builder::new()?;
//! builder.feed(FeedInfo {
//!     id: "osv:PyPI".into(),
//!     source: "all.zip".into(),
//!     records: 1,
//!     published: None,
//!     fetched: Timestamp::UNIX_EPOCH,
//!     spaces: vec!["pypi".into()],
//! });
//! builder.advisory(Advisory {
//!     id: "PYSEC-1".into(),
//!     aliases: vec!["CVE-2024-1".into()],
//!     feed: "osv:PyPI".into(),
//!     affected: vec![Affected {
//!         space: "pypi".into(),
//!         package: "demo".into(),
//!         ranges: vec![Range { fixed: Some("1.2".into()), ..Range::default() }],
//!         ..Affected::default()
//!     }],
//!     ..Advisory::default()
//! })?;
//! let mut file = std::io::Cursor::new(Vec::new());
//! builder.finish(Timestamp::UNIX_EPOCH, &mut file)?;
//!
//! // … which is mapped and asked.
//! let snapshot = Snapshot::open(file.into_inner())?;
//! let demo = Package { ecosystem: "pypi".into(), name: "demo".into(), version: "1.1".into(), ..Package::default() };
//! let matched = findings(&Catalog { packages: vec![demo], ..Catalog::default() }, &snapshot, Timestamp::UNIX_EPOCH);
//! assert_eq!(matched.findings[0].id, "CVE-2024-1");
//! assert_eq!(matched.findings[0].proof.comparison, "1.1 < 1.2 (PEP 440)");
//! # Ok::<(), boltseal_scan::Error>(())
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`catalog()`] | asks every ecosystem what is installed; sorts, removes duplicates |
//! | [`snapshot`] | advisories as one file: [`Builder`] writes it, [`Snapshot`] opens it in microseconds |
//! | [`pack`] | what a snapshot is built from, in chunks of which a client fetches those that changed |
//! | [`findings()`] | a catalog against a snapshot, with proof; what could not be decided is a gap, never silence |
//! | [`fleet`] | thousands of catalogs against a new snapshot, each distinct package once |
//! | [`format`](crate::format) | a report as JSON, SARIF, CycloneDX, SPDX |
//! | [`vex`] | what others say about findings: OpenVEX, CSAF, CycloneDX; read, applied, written |
//!
//! This crate must not know: archives, networks, policies, or what time it is (it is told).
//! Same input, same output: every list is sorted, and a snapshot's bytes do not depend on the order of advisories.

mod catalog;
mod error;
pub mod findings;
pub mod fleet;
pub mod format;
pub mod pack;
pub mod snapshot;
pub mod vex;

pub use catalog::catalog;
pub use error::Error;
pub use findings::{Matched, Matching, coverage::ended, findings, findings_with};
pub use fleet::Fleet;
pub use snapshot::{Builder, Snapshot, Vulnerability};

//! The nouns that cross from one hop to the next.
//!
//! A hop (`image`, `feed`, `scan`, `policy`, …) never imports another hop; they meet in the plain values
//! defined here. Reading the modules in order tells the story of one image:
//!
//! ```text
//! Reference, Digest, Platform   what was asked for
//! Tree                          the files of the image that somebody wanted to see, each knowing its layer
//! Catalog, Package              what is installed in it
//! Advisory                      what is known to be wrong with packages
//! Finding                       an advisory that hits a package, with the proof and the fix
//! Statement                     what somebody says about a finding: not affected, fixed, …
//! Signature, Base               who signed it, and what it was built on
//! Verdict                       what a policy says about all that
//! Ruling                        what every gate makes of it now, with what people decided otherwise
//! Report                        everything above about one image, as published in JSON
//! ```
//!
//! ```
//! use boltseal_model::{Digest, Reference};
//! let reference: Reference = "debian:12".parse().unwrap();
//! assert_eq!(reference.to_string(), "docker.io/library/debian:12");
//! assert_eq!(Digest::of(b"").to_string().len(), "sha256:".len() + 64);
//! ```
//!
//! This crate must not know: files, sockets, the clock, threads, or how anything is displayed to people.
//! A type enters it only when two hops need it; what one hop needs alone stays there.

mod advisory;
mod catalog;
mod digest;
mod finding;
mod fingerprint;
mod leak;
mod observation;
mod platform;
mod reference;
mod report;
mod ruling;
mod severity;
mod signature;
mod tree;
mod verdict;
mod vex;
mod window;

pub use advisory::{Advisory, Affected, Enrichment, FeedInfo, Range, Status};
pub use catalog::{Catalog, Distro, Gap, GapKind, Package, Source};
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use finding::{Cvss, Epss, Finding, Fix, Kev, Proof};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use leak::{Confidence, Leak, Place};
pub use observation::{Malware, Misconfiguration, Unowned};
pub use platform::{Platform, PlatformError};
pub use reference::{Reference, ReferenceError};
pub use report::{Baseline, Coverage, Ignored, Omitted, Report, SnapshotInfo, Subject};
pub use ruling::{Quarantine, QuarantineState, Ruling, Standing};
pub use severity::{Severity, SeverityError};
pub use signature::{Base, Fault, FaultKind, Provenance, Signature};
pub use tree::{Config, File, FileMeta, Layer, Selector, Text, Tree, Want};
pub use verdict::{Decision, Reason, Verdict};
pub use vex::{Statement, VexDocument, VexStatus};
pub use window::Window;

/// A point in time, always UTC. Hops are handed one; they never read the clock.
pub use jiff::Timestamp;
/// A calendar date, for dates that vendors give without a time.
pub use jiff::civil::Date;

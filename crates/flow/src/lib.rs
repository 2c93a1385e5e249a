//! The hops in order: bytes to a tree, a tree to a catalog, a catalog to findings, findings to a verdict.
//!
//! This is the file to read first. The command line, the push gate of the registry and every later gate call the
//! functions below; nobody repeats them. Each takes one step and hands on a plain value of `model`:
//!
//! ```text
//! image::open ──▶ Tree ──▶ scan::catalog ──▶ Catalog ──▶ scan::findings ──▶ Report ──▶ policy::decide ──▶ Verdict
//!    sbom() stops here ──────────────────────────┘            │                              │
//!    scan() stops here ───────────────────────────────────────┘                              │
//!    admit() goes all the way ───────────────────────────────────────────────────────────────┘
//! ```
//!
//! ```no_run
//! use boltseal_flow::{admit, feeds::Feeds};
//! use boltseal_model::{Decision, Timestamp};
//! use boltseal_policy::Policy;
//!
//! let snapshot = Feeds::at("/var/lib/boltseal".as_ref()).open()?;
//! let options = boltseal_image::Options::default();
//! let policy = Policy::built_in();
//! let report = admit("docker://debian:12", &options, snapshot.as_ref(), policy, Timestamp::now())?;
//! assert_eq!(report.verdict.map(|verdict| verdict.decision), Some(Decision::Allow));
//! # Ok::<(), boltseal_flow::Error>(())
//! ```
//!
//! Around the story: [`feeds`] keeps vulnerability data in a folder and swaps snapshots safely, [`upgrades`] groups
//! findings by what removes them, [`IgnoreFile`] sets findings aside without losing them.
//!
//! This crate must not know: HTTP, storage of images, terminals. Nothing here reads the clock: the time is handed in.

mod error;
pub mod feeds;
mod ignore;
mod upgrades;

use boltseal_ecosystem::Everything;
use boltseal_image::{Image, Options};
use boltseal_model::{Catalog, Coverage, Gap, GapKind, Layer, Omitted, Report, Subject, Timestamp};
use boltseal_policy::{Facts, Policy};
use boltseal_scan::{Matched, Snapshot};

pub use error::Error;
pub use ignore::{IgnoreError, IgnoreFile};
pub use upgrades::{Upgrade, upgrades};

/// What is installed in the image that `target` names.
pub fn sbom(target: &str, options: &Options<'_>) -> Result<Report, Error> {
    let image = boltseal_image::open(target, &Everything, options)?;
    let catalog = boltseal_scan::catalog(&image.tree);
    Ok(assemble(image.subject, image.tree.layers, catalog, None, Matched::default()))
}

/// What is known to be wrong with it, by the feeds of `snapshot`.
pub fn scan(
    target: &str,
    options: &Options<'_>,
    snapshot: Option<&Snapshot>,
    now: Timestamp,
) -> Result<Report, Error> {
    let image = boltseal_image::open(target, &Everything, options)?;
    Ok(examine(image, snapshot, now))
}

/// Whether it may pass: the same report with the verdict of `policy`.
pub fn admit(
    target: &str,
    options: &Options<'_>,
    snapshot: Option<&Snapshot>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Report, Error> {
    let mut report = scan(target, options, snapshot, now)?;
    judge(&mut report, policy, now);
    Ok(report)
}

/// The middle of the story, for whoever has opened an image already.
pub fn examine(image: Image, snapshot: Option<&Snapshot>, now: Timestamp) -> Report {
    let catalog = boltseal_scan::catalog(&image.tree);
    let matched = findings(&catalog, snapshot, now);
    assemble(image.subject, image.tree.layers, catalog, snapshot, matched)
}

/// What `snapshot` says about `catalog`. No snapshot is not "no findings": it is a gap.
pub fn findings(catalog: &Catalog, snapshot: Option<&Snapshot>, now: Timestamp) -> Matched {
    match snapshot {
        Some(snapshot) => boltseal_scan::findings(catalog, snapshot, now),
        None => Matched { findings: Vec::new(), gaps: vec![no_feeds()] },
    }
}

/// Everything known about one image, as one value.
pub fn assemble(
    subject: Subject,
    layers: Vec<Layer>,
    catalog: Catalog,
    snapshot: Option<&Snapshot>,
    matched: Matched,
) -> Report {
    let Catalog { distro, packages, mut gaps } = catalog;
    gaps.extend(matched.gaps);
    Report {
        subject,
        snapshot: snapshot.map(|snapshot| snapshot.info().clone()),
        coverage: Coverage::of(gaps),
        distro,
        layers,
        packages,
        findings: matched.findings,
        omitted: Omitted::default(),
        verdict: None,
    }
}

/// Adds what `policy` says to `report`.
pub fn judge(report: &mut Report, policy: &Policy, now: Timestamp) {
    let verdict = boltseal_policy::decide(policy, &Facts::from(&*report), now);
    report.verdict = Some(verdict);
}

/// Nothing was matched with anything, which must never look like "nothing found".
pub fn no_feeds() -> Gap {
    Gap::new(
        GapKind::FeedMissing,
        "all feeds",
        "there is no vulnerability data: run `boltseal feeds update`, or `boltseal feeds import` without a network",
    )
}

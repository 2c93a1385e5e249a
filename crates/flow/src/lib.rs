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
//! use boltseal_flow::{Cache, Wanted, admit, feeds::Feeds, look::Looking};
//! use boltseal_model::{Decision, Timestamp};
//! use boltseal_policy::Policy;
//!
//! let data = "/var/lib/boltseal".as_ref();
//! let (snapshot, cache) = (Feeds::at(data).open()?, Cache::at(data));
//! let options = boltseal_image::Options::default();
//! let wanted = Wanted { target: "docker://debian:12", options: &options, cache: Some(&cache), looking: Looking::default() };
//! let report = admit(&wanted, snapshot.as_ref(), Policy::built_in(), Timestamp::now())?;
//! assert_eq!(report.verdict.map(|verdict| verdict.decision), Some(Decision::Allow));
//! # Ok::<(), boltseal_flow::Error>(())
//! ```
//!
//! Around the story: [`Cache`] remembers catalogs of images and what their layers gave, [`feeds`] keeps vulnerability data in a folder and swaps snapshots safely, [`upgrades`] groups
//! findings by what removes them, [`IgnoreFile`] sets findings aside without losing them, [`vex`] does so where somebody who is
//! believed says that they do no harm, [`baseline`] leaves what is new.
//!
//! [`rules`] reads a policy with the keys beside it; [`statements`] says whose signatures an image has, for its rules about trust;
//! [`approvals`] who signed that an exception may be.
//!
//! Beside it, [`access`] is the other short story: who is asking, may they, and what the log says of it. [`retention`]
//! says which images of a repository go by rules, and why; [`aging`] which ones should be built again; [`history`] how one was built;
//! [`custody`] where one comes from; [`launch`] what a plan has to know of one.
//!
//! This crate must not know: HTTP, storage of images, terminals. Nothing here reads the clock: the time is handed in.

pub mod access;
pub mod aging;
pub mod approvals;
pub mod base;
pub mod baseline;
mod cache;
pub mod contents;
pub mod custody;
pub mod diff;
pub mod endorsed;
mod error;
pub mod feeds;
pub mod history;
pub mod ignore;
pub mod launch;
pub mod look;
pub mod notary;
pub mod pattern;
pub mod retention;
pub mod rules;
pub mod signatures;
pub mod signing;
pub mod statements;
mod upgrades;
pub mod uses;
pub mod vex;

use std::sync::Mutex;

use boltseal_image::{Extracts, Options};
use boltseal_model::{Catalog, Coverage, Digest, Gap, GapKind, Layer, Omitted, Report, Subject, Timestamp};
use boltseal_policy::{Facts, Policy};
use boltseal_scan::{Matched, Snapshot};

pub use cache::{Cache, Known};
pub use error::Error;
pub use ignore::{IgnoreError, IgnoreFile};
pub use look::Looking;
pub use upgrades::{Upgrade, upgrades};

/// Which image, and how to get at it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// As [`boltseal_image::open`] takes it.
    pub target: &'a str,
    /// Platform, credentials, limits; whether to read lazily, and then nobody looks for credentials.
    pub options: &'a Options<'a>,
    /// Where to look before reading; `None` reads always.
    pub cache: Option<&'a Cache>,
    /// What to look for besides packages. With anything but the default, leave the cache out.
    pub looking: Looking<'a>,
}

/// What is installed in the image.
pub fn sbom(wanted: &Wanted<'_>) -> Result<Report, Error> {
    let (subject, Known { layers, catalog }) = catalog(wanted)?;
    Ok(assemble(subject, layers, catalog, None, Matched::default()))
}

/// What is known to be wrong with it, by the feeds of `snapshot`.
pub fn scan(wanted: &Wanted<'_>, snapshot: Option<&Snapshot>, now: Timestamp) -> Result<Report, Error> {
    let (subject, Known { layers, catalog }) = catalog(wanted)?;
    let matched = findings(&catalog, snapshot, now);
    Ok(assemble(subject, layers, catalog, snapshot, matched))
}

/// The image's layers and catalog: read, unless this very program has read this very image before.
fn catalog(wanted: &Wanted<'_>) -> Result<(Subject, Known), Error> {
    let remembered = Mutex::new(None);
    let known = |digest: &Digest| {
        let found = wanted.cache.and_then(|cache| cache.get(digest));
        let hit = found.is_some();
        remembered.lock().map(|mut slot| *slot = found).is_ok() && hit
    };
    let mut options = wanted.options.clone();
    options.known = Some(&known);
    options.extracts = wanted.cache.map(|cache| cache as &dyn Extracts);
    // Texts are most of a layer: looking into them leaves nothing to be lazy about.
    let looking = Looking { without_texts: options.lazy, ..wanted.looking };
    let (image, catalog) = look::look(looking, |eyes| boltseal_image::open(wanted.target, eyes, &options))?;
    if let Some(known) = remembered.into_inner().ok().flatten().filter(|_| !image.read) {
        return Ok((image.subject, known));
    }
    let known = Known { catalog, layers: image.tree.layers };
    if let (Some(cache), Some(digest), false) = (wanted.cache, &image.subject.digest, wanted.options.lazy) {
        cache.put(digest, &known);
    }
    Ok((image.subject, known))
}

/// Whether it may pass: the same report with the verdict of `policy`.
pub fn admit(
    wanted: &Wanted<'_>,
    snapshot: Option<&Snapshot>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Report, Error> {
    let mut report = scan(wanted, snapshot, now)?;
    judge(&mut report, policy, now);
    Ok(report)
}

/// What `snapshot` says about `catalog`. No snapshot is not "no findings": it is a gap.
pub fn findings(catalog: &Catalog, snapshot: Option<&Snapshot>, now: Timestamp) -> Matched {
    let mut matched = match snapshot {
        Some(snapshot) => boltseal_scan::findings(catalog, snapshot, now),
        None => Matched { findings: Vec::new(), gaps: vec![no_feeds()] },
    };
    matched.gaps.extend(boltseal_scan::ended(catalog, now));
    matched
}

/// Everything known about one image, as one value.
pub fn assemble(
    subject: Subject,
    layers: Vec<Layer>,
    catalog: Catalog,
    snapshot: Option<&Snapshot>,
    matched: Matched,
) -> Report {
    let Catalog { distro, packages, leaks, misconfigurations, unowned, malware, mut gaps } = catalog;
    gaps.extend(matched.gaps);
    Report {
        subject,
        snapshot: snapshot.map(|snapshot| snapshot.info().clone()),
        coverage: Coverage::of(gaps),
        distro,
        layers,
        packages,
        leaks,
        misconfigurations,
        unowned,
        malware,
        signatures: None,
        bases: None,
        vex: Vec::new(),
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

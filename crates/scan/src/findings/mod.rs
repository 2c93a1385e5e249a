//! A catalog against a snapshot.

use std::time::Duration;

use boltseal_model::{Catalog, Finding, Gap, Timestamp};

use crate::Snapshot;

/// How old a feed may be before matching with it counts as incomplete.
pub const STALE_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What the snapshot says about a catalog.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matched {
    /// In the order of [`Finding::rank`].
    pub findings: Vec<Finding>,
    /// What could not be decided: feeds missing or stale, versions that cannot be compared. Sorted.
    pub gaps: Vec<Gap>,
}

/// How to match.
#[derive(Clone, Copy, Debug)]
pub struct Matching {
    /// The time feeds' ages are measured at.
    pub now: Timestamp,
    /// See [`STALE_AFTER`].
    pub stale_after: Duration,
}

impl Matching {
    /// As [`findings`] does.
    pub const fn at(now: Timestamp) -> Self {
        Self { now, stale_after: STALE_AFTER }
    }
}

/// Every vulnerability of every package, with proof; and what could not be decided.
pub fn findings(catalog: &Catalog, snapshot: &Snapshot, now: Timestamp) -> Matched {
    findings_with(catalog, snapshot, &Matching::at(now))
}

/// [`findings`] with another idea of what is stale.
pub fn findings_with(catalog: &Catalog, snapshot: &Snapshot, matching: &Matching) -> Matched {
    let _ = (catalog, snapshot, matching);
    Matched::default()
}

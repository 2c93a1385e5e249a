//! A catalog against a snapshot.
//!
//! * Packages of operating systems match by the names their vendors use (of the source package, of the package, of a
//!   package in a module), in the name space of their own release only: what another release or an upstream project
//!   says about the same software does not apply to a vendor's patched build.
//! * Packages of languages match by name. One that an operating system package owns is that vendor's business and
//!   does not match twice, unless no feed covers the release.
//! * All ids of one vulnerability are one finding; where several sources speak, the best one decides (`versions`).
//! * What cannot be decided (no feed, old feed, versions outside the grammar, a damaged snapshot) is a gap.
//!
//! `versions` decides, `proof` says why, `coverage` knows the feeds, `matcher` goes through packages.

pub(crate) mod coverage;
pub(crate) mod matcher;
pub(crate) mod proof;
mod versions;

use std::{collections::BTreeSet, time::Duration};

use boltseal_model::{Catalog, Finding, Gap, Package, Timestamp};

use self::{
    matcher::{Matcher, homeless, space, unreadable},
    proof::Place,
};
use crate::{Error, Snapshot};

/// How old a feed may be before matching with it counts as incomplete.
pub const STALE_AFTER: Duration = Duration::from_hours(7 * 24);

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
    let mut matcher = match Matcher::new(snapshot) {
        Ok(matcher) => matcher,
        Err(error) => return Matched { findings: Vec::new(), gaps: vec![unreadable("snapshot", &error)] },
    };
    let (queries, spaces, mut gaps) = queries(catalog, &matcher);
    gaps.extend(matcher.covers.gaps(&spaces, matching));
    let mut findings = Vec::new();
    for query in queries {
        if let Err(error) = one(&mut matcher, query, &mut findings, &mut gaps) {
            gaps.push(unreadable("snapshot", &error));
        }
    }
    findings.sort_by(Finding::rank);
    gaps.sort();
    gaps.dedup();
    Matched { findings, gaps }
}

/// A package that feeds may speak about.
pub(crate) struct Query<'c> {
    pub package: &'c Package,
    pub ecosystem: &'static dyn boltseal_ecosystem::Ecosystem,
    pub space: String,
}

/// What to ask about a catalog: packages, the spaces they live in, and the packages that live nowhere.
pub(crate) fn queries<'c>(
    catalog: &'c Catalog,
    matcher: &Matcher<'_>,
) -> (Vec<Query<'c>>, BTreeSet<String>, Vec<Gap>) {
    let mut queries = Vec::with_capacity(catalog.packages.len());
    let mut spaces = BTreeSet::new();
    let mut gaps = Vec::new();
    for package in &catalog.packages {
        match space(package, catalog.distro.as_ref()) {
            None => gaps.push(homeless(package)),
            Some((ecosystem, space)) => {
                if !spaces.contains(&space) {
                    spaces.insert(space.clone());
                }
                queries.push(Query { package, ecosystem, space });
            }
        }
    }
    gaps.dedup();
    if vendor_speaks(&queries, &spaces, matcher) {
        queries.retain(|query| query.package.owner.is_none() || query.ecosystem.is_system());
        spaces.retain(|space| queries.iter().any(|query| query.space == *space));
    }
    (queries, spaces, gaps)
}

/// Whether feeds cover the operating system, so that its vendor speaks for the packages it brought.
fn vendor_speaks(queries: &[Query<'_>], spaces: &BTreeSet<String>, matcher: &Matcher<'_>) -> bool {
    let covered: BTreeSet<&String> = spaces.iter().filter(|space| matcher.covers.covers(space)).collect();
    queries.iter().any(|query| query.ecosystem.is_system() && covered.contains(&query.space))
}

fn one(
    matcher: &mut Matcher<'_>,
    query: Query<'_>,
    findings: &mut Vec<Finding>,
    gaps: &mut Vec<Gap>,
) -> Result<(), Error> {
    let Query { package, ecosystem, space } = query;
    let judged = matcher.judge(package, ecosystem, space)?;
    if judged.is_clean() {
        return Ok(());
    }
    let place =
        Place { layer: package.layer.as_ref(), path: package.paths.first().map_or("", String::as_str) };
    findings.extend(matcher.findings(&judged, package, &place)?);
    gaps.extend(matcher.unclear(&judged, package)?);
    Ok(())
}

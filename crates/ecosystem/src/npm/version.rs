//! The order of npm versions: semantic versions, with the `v` and the missing numbers that node-semver forgives.

use std::cmp::Ordering;

use crate::{VersionError, semver};

/// What proofs call this order, and how strict it is.
pub(super) const ORDER: semver::Dialect =
    semver::Dialect { name: "npm semver order", prefix: &['v', '='], short: true };

/// Compares without allocating; both texts must be versions.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    semver::compare(ORDER, a, b)
}

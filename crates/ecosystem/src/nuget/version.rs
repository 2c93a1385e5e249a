//! The order of `NuGet` versions: semantic versions with a fourth number, in which case does not count.

use std::cmp::Ordering;

use crate::{VersionError, semver};

/// What proofs call this order.
pub(super) const NAME: &str = "NuGet order";

/// Compares; both texts must be versions.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    let ((main_a, pre_a), (main_b, pre_b)) = (split(a)?, split(b)?);
    let (mut main_a, mut main_b) = (main_a.split('.'), main_b.split('.'));
    for _ in 0..4 {
        let order = semver::number(main_a.next().unwrap_or("0"), main_b.next().unwrap_or("0"));
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(semver::pre_release(&pre_a.to_ascii_lowercase(), &pre_b.to_ascii_lowercase()))
}

/// Numbers and pre-release.
fn split(text: &str) -> Result<(&str, &str), VersionError> {
    let wrong = |reason| Err(VersionError::new(text, NAME, reason));
    let version = text.trim().trim_start_matches('v').split('+').next().unwrap_or_default();
    let (main, pre) = version.split_once('-').unwrap_or((version, ""));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if main.split('.').count() > 4 || !main.split('.').all(is_number) {
        return wrong("it does not start with one to four numbers");
    }
    if !pre.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')) {
        return wrong("the pre-release holds other than letters, digits, dots and hyphens");
    }
    Ok((main, pre))
}

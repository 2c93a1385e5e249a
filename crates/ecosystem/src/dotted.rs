//! Versions that are lists of parts between dots and hyphens, as CRAN, Hackage and Conan have them.

use std::cmp::Ordering;

use crate::{VersionError, semver::number};

/// A grammar of such versions.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    /// What proofs call it.
    pub name: &'static str,
    /// Whether what stands behind a hyphen makes a pre-release.
    pub pre_releases: bool,
}

/// Compares lists of numbers; the one that goes on is later.
pub(crate) fn numbers(dialect: Dialect, a: &str, b: &str) -> Result<Ordering, VersionError> {
    for text in [a, b] {
        if parts(text).any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(VersionError::new(text, dialect.name, "a part is not a number"));
        }
    }
    Ok(order(a, b))
}

/// Compares lists of numbers and words: numbers come before words, as in semantic versions, and missing parts first.
pub(crate) fn compare(dialect: Dialect, a: &str, b: &str) -> Result<Ordering, VersionError> {
    let (a, b) = (checked(dialect, a)?, checked(dialect, b)?);
    let split = |text| if dialect.pre_releases { str::split_once(text, '-') } else { None };
    let ((main_a, pre_a), (main_b, pre_b)) = (
        split(a).map_or((a, None), |(main, pre)| (main, Some(pre))),
        split(b).map_or((b, None), |(main, pre)| (main, Some(pre))),
    );
    Ok(order(main_a, main_b).then_with(|| match (pre_a, pre_b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => order(a, b),
    }))
}

fn checked(dialect: Dialect, text: &str) -> Result<&str, VersionError> {
    let main = text.split('+').next().unwrap_or(text).trim_start_matches('v');
    if main.is_empty() || !main.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(VersionError::new(
            text,
            dialect.name,
            "it is not one word of printable ASCII characters",
        ));
    }
    Ok(main)
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '-'])
}

fn order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (parts(a), parts(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => part(a, b),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn part(a: &str, b: &str) -> Ordering {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match (is_number(a), is_number(b)) {
        (true, true) => number(a, b),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

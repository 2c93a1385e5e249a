//! Semantic versions (semver.org 2.0.0, section 11) as three ecosystems use them.
//!
//! Numbers may be of any length; build metadata does not count. Feeds write `0` for "from the beginning" and people
//! leave out trailing numbers, so up to two may be missing where the dialect allows it.

use std::cmp::Ordering;

use crate::VersionError;

/// How strict a grammar is.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    /// What proofs call it.
    pub name: &'static str,
    /// Leading characters to drop, as in `v1.2.3`.
    pub prefix: &'static [char],
    /// Whether `1` and `1.2` are versions.
    pub short: bool,
}

/// Compares without allocating; both texts must be versions of the dialect.
pub(crate) fn compare(dialect: Dialect, a: &str, b: &str) -> Result<Ordering, VersionError> {
    let (a, b) = (Version::parse(dialect, a)?, Version::parse(dialect, b)?);
    Ok(a.numbers
        .iter()
        .zip(&b.numbers)
        .map(|(a, b)| number(a, b))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| pre_release(a.pre_release, b.pre_release)))
}

/// The same, where builds count, too: none comes before any, and they compare as pre-releases do.
pub(crate) fn compare_with_build(dialect: Dialect, a: &str, b: &str) -> Result<Ordering, VersionError> {
    let order = compare(dialect, a, b)?;
    let build = |text| str::split_once(text, '+').map_or("", |(_, build)| build);
    let (a, b) = (build(a.trim()), build(b.trim()));
    Ok(order.then_with(|| match (a.is_empty(), b.is_empty()) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        _ => pre_release(a, b),
    }))
}

struct Version<'a> {
    numbers: [&'a str; 3],
    pre_release: &'a str,
}

impl<'a> Version<'a> {
    fn parse(dialect: Dialect, text: &'a str) -> Result<Self, VersionError> {
        let wrong = |reason| Err(VersionError::new(text, dialect.name, reason));
        let rest = text.trim().trim_start_matches(dialect.prefix);
        let (rest, build) = rest.split_once('+').map_or((rest, None), |(rest, build)| (rest, Some(build)));
        let (core, pre_release) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
        let mut numbers = ["0"; 3];
        let mut count = 0;
        for part in core.split('.') {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return wrong("a part before the hyphen is not a number");
            }
            let Some(slot) = numbers.get_mut(count) else {
                return wrong("there are more than three numbers");
            };
            *slot = part;
            count += 1;
        }
        if count < 3 && !dialect.short {
            return wrong("there are fewer than three numbers");
        }
        let identifiers = |text: &str| {
            text.split('.')
                .all(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        };
        if !pre_release.is_none_or(identifiers) || !build.is_none_or(identifiers) {
            return wrong(
                "an identifier after the hyphen or plus is empty or holds other than letters, digits, -",
            );
        }
        Ok(Self { numbers, pre_release: pre_release.unwrap_or_default() })
    }
}

/// Compares numbers of any length.
pub(crate) fn number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// None is after any; otherwise identifier by identifier, numbers before words, and the longer is after.
pub(crate) fn pre_release(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let is_number = |id: &str| id.bytes().all(|byte| byte.is_ascii_digit());
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (is_number(a), is_number(b)) {
                (true, true) => number(a, b),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Dialect = Dialect { name: "strict", prefix: &[], short: false };
    const LOOSE: Dialect = Dialect { name: "loose", prefix: &['v', '='], short: true };

    #[test]
    fn only_versions_are_ordered() {
        for text in [
            "",
            "v",
            "1.2.3.4",
            "1..2",
            "1.2.x",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2.3+",
            "1.2.3-ä",
            "latest",
            "1.2.-3",
        ] {
            assert!(compare(LOOSE, text, "1.2.3").is_err(), "{text:?}");
            assert!(compare(LOOSE, "1.2.3", text).is_err(), "{text:?}");
        }
        for text in ["1", "1.2", "v1.2.3", "=1.2.3"] {
            assert!(compare(LOOSE, text, "1.2.3").is_ok(), "{text:?}");
            assert!(compare(STRICT, text, "1.2.3").is_err(), "{text:?}");
        }
        assert_eq!(compare(LOOSE, "0", "0.0.0-0"), Ok(Ordering::Greater));
        assert_eq!(compare(LOOSE, "1.02.3", "1.2.3"), Ok(Ordering::Equal));
    }
}

//! The order of ebuild versions, after the Package Manager Specification 8, "Version comparison".
//!
//! Numbers joined by dots, at most one letter, suffixes (`_alpha _beta _pre _rc _p`, each with a number), a revision.
//! After the first dot a leading zero makes a fraction: `1.05 < 1.1`.

use std::cmp::Ordering;

use crate::VersionError;

/// What proofs call this order.
pub(super) const NAME: &str = "ebuild order";

/// In their order; the first four come before the release they are of.
const SUFFIXES: [&str; 5] = ["alpha", "beta", "pre", "rc", "p"];
const AFTER_RELEASE: usize = 4;

/// Both texts must be versions.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    let wrong = |text: &str| VersionError::new(text, NAME, "it is not what an ebuild may be called");
    let a = Version::parse(a).ok_or_else(|| wrong(a))?;
    let b = Version::parse(b).ok_or_else(|| wrong(b))?;
    Ok(numbers(&a.numbers, &b.numbers)
        .then(a.letter.cmp(&b.letter))
        .then_with(|| suffixes(&a.suffixes, &b.suffixes))
        .then_with(|| integer(a.revision, b.revision)))
}

/// Whether `text` is a version.
pub(super) fn is(text: &str) -> bool {
    Version::parse(text).is_some()
}

struct Version<'a> {
    numbers: Vec<&'a str>,
    letter: Option<u8>,
    /// Index into [`SUFFIXES`], and the number.
    suffixes: Vec<(usize, &'a str)>,
    revision: &'a str,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (rest, revision) = match text.rsplit_once("-r") {
            Some((rest, revision)) => (rest, Some(revision).filter(|revision| digits(revision))?),
            None => (text, ""),
        };
        let mut parts = rest.split('_');
        let main = parts.next()?;
        let letter = main.bytes().last().filter(u8::is_ascii_lowercase);
        let main = main.get(..main.len() - usize::from(letter.is_some()))?;
        let numbers: Vec<&str> = main.split('.').collect();
        if !numbers.iter().all(|number| digits(number)) {
            return None;
        }
        let suffix = |part: &'a str| {
            let at = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
            let (name, number) = part.split_at(at);
            let known = SUFFIXES.iter().position(|suffix| *suffix == name)?;
            (number.is_empty() || digits(number)).then_some((known, number))
        };
        Some(Self { numbers, letter, suffixes: parts.map(suffix).collect::<Option<_>>()?, revision })
    }
}

fn numbers(a: &[&str], b: &[&str]) -> Ordering {
    let mut pairs = a.iter().zip(b).enumerate();
    let first = pairs.find_map(|(index, (a, b))| {
        let fraction = index > 0 && (a.starts_with('0') || b.starts_with('0'));
        let order =
            if fraction { a.trim_end_matches('0').cmp(b.trim_end_matches('0')) } else { integer(a, b) };
        order.is_ne().then_some(order)
    });
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn suffixes(a: &[(usize, &str)], b: &[(usize, &str)]) -> Ordering {
    for ((kind_a, number_a), (kind_b, number_b)) in a.iter().zip(b) {
        let order = kind_a.cmp(kind_b).then_with(|| integer(number_a, number_b));
        if order.is_ne() {
            return order;
        }
    }
    // What goes on with `_p` is newer, with anything else older.
    let goes_on = |rest: Option<&(usize, &str)>| match rest {
        None => 1,
        Some((kind, _)) if *kind >= AFTER_RELEASE => 2,
        Some(_) => 0,
    };
    goes_on(a.get(b.len())).cmp(&goes_on(b.get(a.len())))
}

/// Numbers of any length; none is 0.
fn integer(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of the specification and of portage's own tests, in ascending rows.
    #[test]
    fn as_the_specification_says() {
        for row in [
            &["1_alpha", "1_alpha1", "1_beta", "1_pre", "1_rc", "1", "1_p", "1_p1", "1.0", "1.1"][..],
            &["1.05", "1.1", "1.1a", "1.1b", "1.10", "1.20"],
            &["1.0-r0", "1.0-r1", "1.0-r2", "1.0-r10", "1.0b", "1.0.0"],
            &["1_alpha_alpha", "1_alpha", "1_alpha_p1", "1_alpha1"],
            &["12.2.4", "12.2.5", "19999999999999999999", "20000000000000000000"],
        ] {
            for (index, a) in row.iter().enumerate() {
                for (other, b) in row.iter().enumerate() {
                    assert_eq!(compare(a, b), Ok(index.cmp(&other)), "{a} {b}");
                }
            }
        }
        assert_eq!(compare("1.0-r0", "1.0"), Ok(Ordering::Equal));
        assert_eq!(compare("1_p0", "1_p"), Ok(Ordering::Equal));
    }

    #[test]
    fn only_versions_are_ordered() {
        for text in ["", "a", "1.", "1..2", "1_blah", "1-1", "1-r", "1aa", "1A", "1_", "1-r1-r2", "-r1"] {
            assert!(compare(text, "1").is_err() && compare("1", text).is_err(), "{text:?}");
        }
    }
}

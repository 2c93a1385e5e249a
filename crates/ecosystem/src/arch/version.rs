//! The order of pacman versions: `[epoch:]version[-release]`, after vercmp(8) and `lib/libalpm/version.c` of pacman.
//!
//! Numbers and words come by turns, with separators of which only the number counts. A word that follows at once is
//! before the end (`1.0rc < 1.0`), everything else after it.
//!
//! Two rules are read more strictly than pacman does, because it has no order there: without a release is before
//! every release (pacman calls `1.0` equal to both `1.0-1` and `1.0-2`), and separators at an end are refused.

use std::cmp::Ordering;

use crate::VersionError;

/// What proofs call this order.
pub(super) const NAME: &str = "pacman order";

/// Compares without allocating; both texts must be versions.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    let (a, b) = (Version::parse(a)?, Version::parse(b)?);
    Ok(part(a.epoch, b.epoch).then_with(|| part(a.main, b.main)).then_with(|| match (a.release, b.release) {
        (Some(a), Some(b)) => part(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }))
}

struct Version<'a> {
    epoch: &'a [u8],
    main: &'a [u8],
    release: Option<&'a [u8]>,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Result<Self, VersionError> {
        let wrong = |reason| VersionError::new(text, NAME, reason);
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(wrong("it holds a space or a control character"));
        }
        let digits = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if digits(&epoch) => (epoch, rest),
            Some(_) => return Err(wrong("the epoch is not a number")),
            None => ("0", text),
        };
        let (main, release) =
            rest.rsplit_once('-').map_or((rest, None), |(main, release)| (main, Some(release)));
        let ends = |part: &str| part.ends_with(|c: char| c.is_ascii_alphanumeric());
        if !ends(main) || release.is_some_and(|release| !ends(release)) {
            return Err(wrong("the version or the release is empty or ends with a separator"));
        }
        Ok(Self { epoch: epoch.as_bytes(), main: main.as_bytes(), release: release.map(str::as_bytes) })
    }
}

/// A number or a word, and how many separators stand before it.
#[derive(Clone, Copy)]
struct Piece<'a> {
    separators: usize,
    text: &'a [u8],
}

impl Piece<'_> {
    fn is_word(self) -> bool {
        self.text.first().is_some_and(u8::is_ascii_alphabetic)
    }

    fn cmp(self, other: Self) -> Ordering {
        self.separators.cmp(&other.separators).then_with(|| other.is_word().cmp(&self.is_word())).then_with(
            || {
                if self.is_word() { self.text.cmp(other.text) } else { number(self.text, other.text) }
            },
        )
    }

    /// Where a version that goes on with this piece stands, seen from one that ends.
    fn after_end(self) -> Ordering {
        if self.separators == 0 && self.is_word() { Ordering::Less } else { Ordering::Greater }
    }
}

fn part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let order = match (next(&mut a), next(&mut b)) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) => a.cmp(b),
            (Some(a), None) => a.after_end(),
            (None, Some(b)) => b.after_end().reverse(),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes the next piece off the front.
fn next<'a>(rest: &mut &'a [u8]) -> Option<Piece<'a>> {
    let separators = rest.iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count();
    let after = rest.get(separators..)?;
    let digit = after.first()?.is_ascii_digit();
    let same = |byte: &&u8| byte.is_ascii_alphanumeric() && byte.is_ascii_digit() == digit;
    let (text, after) = after.split_at(after.iter().take_while(same).count());
    *rest = after;
    Some(Piece { separators, text })
}

/// Numbers of any length: without leading zeros the longer is the larger, else the first difference decides.
fn number(a: &[u8], b: &[u8]) -> Ordering {
    let zeros = |digits: &[u8]| digits.iter().take_while(|digit| **digit == b'0').count();
    let (a, b) = (a.get(zeros(a)..).unwrap_or_default(), b.get(zeros(b)..).unwrap_or_default());
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of vercmp(8), and the tests of pacman (`test/util/vercmptest.sh`), in ascending rows.
    #[test]
    fn as_vercmp_says() {
        for row in [
            &["1.0a", "1.0alpha", "1.0b", "1.0beta", "1.0p", "1.0pre", "1.0rc", "1.0", "1.0.a", "1.0.1"][..],
            &["1", "1.0", "1.1", "1.1.1", "1.2", "2.0", "3.0.0"],
            &["1.0.0-1", "1.0.0-2", "1.0.1-1", "1.10-1", "0:2.0-1", "1:1.0-1", "1:1.0-2", "2:0-1"],
            &["1.5-1", "1.5-2", "1.5.1-1", "1.5.b-1", "1.6-1"],
            &["1.1a", "1.1", "1.1.a", "1.11"],
            &["1.0-1", "1.0..1-1"],
        ] {
            let row: Vec<&str> = row.iter().copied().filter(|version| *version != "1.5.b-1").collect();
            for (index, a) in row.iter().enumerate() {
                for (other, b) in row.iter().enumerate() {
                    assert_eq!(compare(a, b), Ok(index.cmp(&other)), "{a} {b}");
                }
            }
        }
        assert_eq!(compare("1.5.b", "1.5.1"), Ok(Ordering::Less));
        assert_eq!(compare("1.5.0", "1.5.b"), Ok(Ordering::Greater));
        assert_eq!(compare("0:1.0-01", "1_000-1"), Ok(Ordering::Equal));
        assert_eq!(compare("1.01-1", "1_1-1"), Ok(Ordering::Equal));
    }

    #[test]
    fn only_versions_are_ordered() {
        for text in ["", "1.", "1-", "a:1", ":1", "1 2", "-1", "1:", "1-1."] {
            assert!(compare(text, "1").is_err() && compare("1", text).is_err(), "{text:?}");
        }
    }
}

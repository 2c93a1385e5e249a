//! The order of rpm versions: `[epoch:]version[-release]`, each part by `rpmvercmp` (rpm-version(7)).
//!
//! A part is a row of numbers and words; everything between them only separates. `~` sorts before the end of a part,
//! `^` right after it, so that `1.0~rc1 < 1.0 < 1.0^20240101 < 1.0.1`.

use std::cmp::Ordering;

use crate::VersionError;

/// What proofs call this order.
pub(super) const NAME: &str = "rpm order";

/// Compares without allocating; both texts must be versions.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    let (a, b) = (Version::parse(a)?, Version::parse(b)?);
    Ok(number(a.epoch, b.epoch).then_with(|| part(a.main, b.main)).then_with(|| {
        // Without a release is before every release, also before an empty one.
        match (a.release, b.release) {
            (Some(a), Some(b)) => part(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }))
}

struct Version<'a> {
    epoch: &'a [u8],
    main: &'a [u8],
    release: Option<&'a [u8]>,
}

impl<'a> Version<'a> {
    /// As rpm itself, an epoch is digits only; other text before a colon belongs to the version.
    fn parse(text: &'a str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Err(VersionError::new(text, NAME, "it is empty"));
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(VersionError::new(text, NAME, "it holds a space or a control character"));
        }
        let digits = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if digits(&epoch) => (epoch, rest),
            _ => ("", text),
        };
        let (main, release) =
            rest.rsplit_once('-').map_or((rest, None), |(main, release)| (main, Some(release)));
        Ok(Self { epoch: epoch.as_bytes(), main: main.as_bytes(), release: release.map(str::as_bytes) })
    }
}

/// The pieces of a part, in their order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Tilde,
    End,
    Caret,
    Word(&'a [u8]),
    Number(&'a [u8]),
}

impl Piece<'_> {
    const fn rank(self) -> u8 {
        match self {
            Self::Tilde => 0,
            Self::End => 1,
            Self::Caret => 2,
            Self::Word(_) => 3,
            Self::Number(_) => 4,
        }
    }

    fn cmp(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Word(a), Self::Word(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => number(a, b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// `rpmvercmp`.
fn part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let (x, y) = (next(&mut a), next(&mut b));
        let order = x.cmp(y);
        if order.is_ne() || (x == Piece::End && y == Piece::End) {
            return order;
        }
    }
}

/// Takes the next piece off the front.
fn next<'a>(rest: &mut &'a [u8]) -> Piece<'a> {
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'~' | b'^' => {
                *rest = after;
                return if byte == b'~' { Piece::Tilde } else { Piece::Caret };
            }
            b'0'..=b'9' => return Piece::Number(take(rest, u8::is_ascii_digit)),
            b'a'..=b'z' | b'A'..=b'Z' => return Piece::Word(take(rest, u8::is_ascii_alphabetic)),
            _ => *rest = after,
        }
    }
    Piece::End
}

fn take<'a>(rest: &mut &'a [u8], wanted: fn(&u8) -> bool) -> &'a [u8] {
    let length = rest.iter().take_while(|byte| wanted(byte)).count();
    let (taken, after) = rest.split_at(length);
    *rest = after;
    taken
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

    #[test]
    fn epochs_tildes_and_carets() {
        for (a, b) in [
            ("1.0~rc1-1", "1.0-1"),
            ("1.0-1", "1.0^git1-1"),
            ("1.0^git1-1", "1.0.1-1"),
            ("9.9-9", "1:0.1-1"),
            ("1:1-1", "10:1-1"),
            ("1.0-9.el9", "1.0-10.el9"),
            ("1.0", "1.0-1"),
            ("99999999999999999999999", "100000000000000000000000"),
        ] {
            assert_eq!(compare(a, b), Ok(Ordering::Less), "{a} {b}");
            assert_eq!(compare(b, a), Ok(Ordering::Greater), "{a} {b}");
        }
        assert_eq!(compare("0:1.0-1", "1.0-1"), Ok(Ordering::Equal));
        assert_eq!(compare("001.000-1", "1_0-01"), Ok(Ordering::Equal));
    }

    #[test]
    fn only_versions_are_ordered() {
        for text in ["", "1 2", "1\n", "1\0"] {
            assert!(compare(text, "1").is_err() && compare("1", text).is_err(), "{text:?}");
        }
    }
}

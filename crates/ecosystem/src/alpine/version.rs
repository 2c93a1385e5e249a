//! The order of apk versions: `1.2.3b_alpha4_p5~hash-r6`.
//!
//! Numbers joined by dots, at most one letter (old packages go on with a number: OpenSSH's `6.6.2p1`), suffixes,
//! a commit hash since apk 3, and the package revision. Read token by token and compared as they come; where one
//! version ends first, the longer is newer unless it goes on with a suffix of the time before a release.

use std::cmp::Ordering;

use crate::VersionError;

/// What proofs call this order.
pub(super) const NAME: &str = "apk order";

/// More digits than that overflow in apk itself, which calls such versions invalid.
const MAX_DIGITS: usize = 18;

/// Suffixes in their order; those before `Release` come before the release they are of.
const SUFFIXES: [&str; 9] = ["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"];
const FIRST_AFTER_RELEASE: usize = 4;

/// Compares without allocating; both texts must be versions.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    let (mut tokens_a, mut tokens_b) = (Tokens::new(a), Tokens::new(b));
    let mut order = Ordering::Equal;
    loop {
        let (x, y) = (tokens_a.next()?, tokens_b.next()?);
        order = order.then_with(|| x.cmp(y));
        // Both are read to their ends even when the order is known, because both must be versions.
        if x == Token::End && y == Token::End {
            return Ok(order);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    First(&'a [u8]),
    Number(&'a [u8]),
    Letter(u8),
    Suffix(usize),
    SuffixNumber(&'a [u8]),
    Hash(&'a [u8]),
    Revision(&'a [u8]),
    End,
}

impl Token<'_> {
    /// Earlier parts of a version weigh more.
    fn rank(self) -> u8 {
        match self {
            Self::First(_) => 0,
            Self::Number(_) => 1,
            Self::Letter(_) => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Hash(_) => 5,
            Self::Revision(_) => 6,
            Self::End => 7,
        }
    }

    fn before_release(self) -> bool {
        matches!(self, Self::Suffix(index) if index < FIRST_AFTER_RELEASE)
    }

    fn cmp(self, other: Self) -> Ordering {
        match (self, other) {
            // After the first dot a leading zero makes a fraction: 1.05 is before 1.1, as in 1.05 < 1.10.
            (Self::Number(a), Self::Number(b)) if a.starts_with(b"0") || b.starts_with(b"0") => a.cmp(b),
            (Self::First(a), Self::First(b))
            | (Self::Number(a), Self::Number(b))
            | (Self::SuffixNumber(a), Self::SuffixNumber(b))
            | (Self::Revision(a), Self::Revision(b)) => number(a).cmp(&number(b)),
            (Self::Letter(a), Self::Letter(b)) => a.cmp(&b),
            (Self::Suffix(a), Self::Suffix(b)) => a.cmp(&b),
            (Self::Hash(a), Self::Hash(b)) => a.cmp(b),
            (Self::End, Self::End) => Ordering::Equal,
            _ if self.before_release() => Ordering::Less,
            _ if other.before_release() => Ordering::Greater,
            _ => other.rank().cmp(&self.rank()),
        }
    }
}

/// At most [`MAX_DIGITS`] digits, which fit.
fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
}

struct Tokens<'a> {
    text: &'a str,
    rest: &'a [u8],
    last: Option<Token<'a>>,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, rest: text.as_bytes(), last: None }
    }

    fn wrong(&self, reason: &'static str) -> VersionError {
        VersionError::new(self.text, NAME, reason)
    }

    fn next(&mut self) -> Result<Token<'a>, VersionError> {
        let token = self.read()?;
        if self.last.is_some_and(|last| !last.may_precede(token)) {
            return Err(self.wrong("its parts are in the wrong order"));
        }
        self.last = Some(token);
        Ok(token)
    }

    fn read(&mut self) -> Result<Token<'a>, VersionError> {
        let Some(last) = self.last else { return Ok(Token::First(self.digits()?)) };
        let Some((&byte, after)) = self.rest.split_first() else { return Ok(Token::End) };
        match (last, byte) {
            (Token::First(_) | Token::Number(_), b'a'..=b'z') => {
                self.rest = after;
                Ok(Token::Letter(byte))
            }
            (Token::Letter(_), b'0'..=b'9') => Ok(Token::Number(self.digits()?)),
            (Token::Suffix(_), b'0'..=b'9') => Ok(Token::SuffixNumber(self.digits()?)),
            (_, b'.') => {
                self.rest = after;
                Ok(Token::Number(self.digits()?))
            }
            (_, b'_') => {
                self.rest = after;
                self.suffix()
            }
            (_, b'~') => {
                self.rest = after;
                let hash = self.take(|b| b.is_ascii_hexdigit());
                if hash.is_empty() {
                    Err(self.wrong("the commit hash is empty"))
                } else {
                    Ok(Token::Hash(hash))
                }
            }
            (_, b'-') if after.starts_with(b"r") => {
                self.rest = after.get(1..).unwrap_or_default();
                Ok(Token::Revision(self.digits()?))
            }
            _ => Err(self.wrong("a character does not belong there")),
        }
    }

    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().take_while(|byte| wanted(**byte)).count();
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn digits(&mut self) -> Result<&'a [u8], VersionError> {
        let digits = self.take(|byte| byte.is_ascii_digit());
        match digits.len() {
            0 => Err(self.wrong("a number is missing")),
            n if n >= MAX_DIGITS => Err(self.wrong("a number has more than 17 digits")),
            _ => Ok(digits),
        }
    }

    fn suffix(&mut self) -> Result<Token<'a>, VersionError> {
        let name = self.take(|byte| byte.is_ascii_lowercase());
        let index = SUFFIXES.iter().position(|suffix| suffix.as_bytes() == name);
        index.map(Token::Suffix).ok_or_else(|| self.wrong("a suffix is not one that apk knows"))
    }
}

impl Token<'_> {
    /// Parts come in the order of their ranks; numbers and suffixes may repeat.
    fn may_precede(self, next: Self) -> bool {
        match (self, next) {
            (Self::Letter(_) | Self::Number(_), Self::Number(_))
            | (Self::Suffix(_) | Self::SuffixNumber(_), Self::Suffix(_))
            | (Self::End, Self::End) => true,
            _ => self.rank() < next.rank(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_are_ordered() {
        for text in
            ["", "a", ".1", "1.", "1..2", "1_blah", "1-r", "1-r1-r2", "1-ruff", "1a.2-r0x", "1-r0.1", "1~"]
        {
            assert!(compare(text, "1").is_err(), "{text:?}");
            assert!(compare("1", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn commit_hashes_are_apk_3() {
        assert_eq!(compare("1.2_git20240101~abc123-r0", "1.2_git20240101~abc123-r1"), Ok(Ordering::Less));
        assert_eq!(compare("1.2~abc-r0", "1.2~abd-r0"), Ok(Ordering::Less));
    }
}

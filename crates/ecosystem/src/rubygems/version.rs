//! The order of `Gem::Version`: numbers and words, where a word makes a pre-release.

use std::cmp::Ordering;

use crate::{VersionError, semver::number};

/// What proofs call this order.
pub const NAME: &str = "RubyGems order";

/// Compares; both texts must be of letters, digits, dots and hyphens.
pub(crate) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    let (a, b) = (Segments::of(a)?, Segments::of(b)?);
    for at in 0..a.0.len().max(b.0.len()) {
        // What is missing is zero.
        let order = match (a.at(at), b.at(at)) {
            (Part::Number(a), Part::Number(b)) => number(a, b),
            (Part::Word(a), Part::Word(b)) => a.cmp(b),
            (Part::Number(_), Part::Word(_)) => Ordering::Greater,
            (Part::Word(_), Part::Number(_)) => Ordering::Less,
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Number(&'a str),
    Word(&'a str),
}

impl Part<'_> {
    fn is_zero(&self) -> bool {
        matches!(self, Self::Number(digits) if digits.bytes().all(|digit| digit == b'0'))
    }
}

/// Parts without the zeros that mean nothing: those before the first word, and those at the end.
struct Segments<'a>(Vec<Part<'a>>);

impl<'a> Segments<'a> {
    fn of(text: &'a str) -> Result<Self, VersionError> {
        let version = text.trim();
        let wrong = |reason| VersionError::new(text, NAME, reason);
        if !version.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(wrong("it does not start with a digit"));
        }
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut words = 0;
        let mut rest = version;
        while let Some(first) = rest.chars().next() {
            let is_digit = first.is_ascii_digit();
            if first == '-' {
                // `1.0-x` stands for `1.0.pre.x`.
                push(&mut parts, &mut words, Part::Word("pre"));
            }
            let end = match first {
                '.' | '-' => 1,
                c if c.is_ascii_alphanumeric() => rest
                    .find(|c: char| !c.is_ascii_alphanumeric() || c.is_ascii_digit() != is_digit)
                    .unwrap_or(rest.len()),
                _ => return Err(wrong("it holds other than letters, digits, dots and hyphens")),
            };
            let (part, after) = rest.split_at(end);
            if !matches!(first, '.' | '-') {
                push(&mut parts, &mut words, if is_digit { Part::Number(part) } else { Part::Word(part) });
            }
            rest = after;
        }
        while parts.pop_if(|last| last.is_zero()).is_some() {}
        Ok(Self(parts))
    }

    fn at(&self, index: usize) -> Part<'a> {
        self.0.get(index).copied().unwrap_or(Part::Number("0"))
    }
}

/// Before the first word, zeros go.
fn push<'a>(parts: &mut Vec<Part<'a>>, words: &mut usize, part: Part<'a>) {
    if matches!(part, Part::Word(_)) {
        if *words == 0 {
            while parts.pop_if(|last| last.is_zero()).is_some() {}
        }
        *words += 1;
    }
    parts.push(part);
}

//! The order of Composer packages: that of PHP's `version_compare`, with branches before all releases.

use std::cmp::Ordering;

use crate::{VersionError, semver::number};

/// What proofs call this order.
pub(super) const NAME: &str = "PHP version order";

/// Words that mean something, oldest first; a word counts as the first of these that it begins with. Any other word is
/// before them all. `#` stands for the end, and a number comes right after it.
const FORMS: [(&str, u8); 10] = [
    ("dev", 1),
    ("alpha", 2),
    ("a", 2),
    ("beta", 3),
    ("b", 3),
    ("rc", 4),
    ("c", 4),
    ("#", END),
    ("pl", 7),
    ("p", 7),
];
const END: u8 = 5;
const NUMBER: u8 = 6;

/// Compares; both texts must be one word of printable ASCII.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    for text in [a, b] {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(VersionError::new(text, NAME, "it is not one word of printable ASCII characters"));
        }
    }
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let (mut a, mut b) = (parts(&a), parts(&b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ok(Ordering::Equal),
            (Some(part), None) => beyond(part),
            (None, Some(part)) => beyond(part).reverse(),
            (Some(a), Some(b)) if is_number(a) && is_number(b) => number(a, b),
            (Some(a), Some(b)) => rank(a).cmp(&rank(b)),
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
}

/// What a part does that the other version lacks: a number makes it later, a word what the word says.
fn beyond(part: &str) -> Ordering {
    if is_number(part) { Ordering::Greater } else { rank(part).cmp(&END) }
}

fn is_number(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_digit())
}

fn rank(part: &str) -> u8 {
    if is_number(part) {
        return NUMBER;
    }
    FORMS.iter().find(|(form, _)| part.starts_with(form)).map_or(0, |(_, rank)| *rank)
}

/// Runs of digits and runs of anything else, between separators; a leading `v` is none of them.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = text.split('+').next().unwrap_or(text);
    text.split(['.', '-', '_']).filter(|piece| !piece.is_empty()).flat_map(|piece| {
        let mut rest = piece;
        std::iter::from_fn(move || {
            let digit = rest.chars().next()?.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            rest = after;
            Some(part)
        })
    })
}

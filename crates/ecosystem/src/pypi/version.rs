//! The order of Python versions: PEP 440, and below it the strings from before it.
//!
//! pip ordered anything for a decade, and such strings are still installed and still in advisories. They compare as
//! `setuptools` compared them then: all of them before any PEP 440 version, among each other by runs of digits and
//! letters.

use std::cmp::Ordering;
use std::str::FromStr as _;

use pep440_rs::Version;

use crate::VersionError;

/// What proofs call this order.
pub(super) const NAME: &str = "PEP 440";

/// PEP 440 parsing is linear, but nothing real is longer.
const MAX_LENGTH: usize = 256;

/// Compares; both texts must be versions or at least one word of printable ASCII.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    for text in [a, b] {
        if text.len() > MAX_LENGTH {
            return Err(VersionError::new(text, NAME, "it is longer than 256 characters"));
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(VersionError::new(text, NAME, "it is not one word of printable ASCII characters"));
        }
    }
    Ok(match (Version::from_str(a), Version::from_str(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => legacy(a).cmp(&legacy(b)),
    })
}

/// What a missing part is: after everything that is before a release, before everything after it.
const FINAL: &str = "*final";

/// The old sort key: numbers padded, words marked with `*` so that they come before numbers.
fn legacy(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for word in words(&text.to_ascii_lowercase()) {
        let word = match word.as_str() {
            "." => continue,
            "pre" | "preview" | "rc" => "c",
            "-" => "final-",
            "dev" => "@",
            other => other,
        };
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            parts.push(format!("{word:0>8}"));
            continue;
        }
        let part = format!("*{word}");
        if part.as_str() < FINAL {
            while parts.pop_if(|last| last == "*final-").is_some() {}
        }
        while parts.pop_if(|last| last == "00000000").is_some() {}
        parts.push(part);
    }
    while parts.pop_if(|last| last == "00000000").is_some() {}
    parts.push(FINAL.to_owned());
    parts
}

/// Runs of digits, runs of letters, dots, hyphens, and runs of anything else.
fn words(text: &str) -> Vec<String> {
    let class = |c: char| match c {
        '0'..='9' => 0,
        'a'..='z' => 1,
        '.' => 2,
        '-' => 3,
        _ => 4,
    };
    let mut words: Vec<(i32, String)> = Vec::new();
    for character in text.chars() {
        let kind = class(character);
        match words.last_mut() {
            Some((last, word)) if *last == kind && !matches!(kind, 2 | 3) => word.push(character),
            _ => words.push((kind, character.to_string())),
        }
    }
    words.into_iter().map(|(_, word)| word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_ordered() {
        for text in ["", " ", "1 0", "1.0\n", "1.0\u{0}", "\u{e9}"] {
            assert!(compare(text, "1").is_err(), "{text:?}");
            assert!(compare("1", text).is_err(), "{text:?}");
        }
        assert_eq!(compare("2004d", "1.0"), Ok(Ordering::Less), "legacy is before PEP 440");
        assert_eq!(compare("1.0", "1.0.0"), Ok(Ordering::Equal));
    }
}

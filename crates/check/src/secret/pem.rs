//! Private keys in PEM, RFC 7468, also where a string holds them on one line.

use std::ops::Range;

use super::{Confidence, Found, MAX_VALUE};

/// The private key whose `-----BEGIN ` is at `at`.
pub(crate) fn at(text: &[u8], at: Range<usize>) -> Option<Found<'static>> {
    let rest = text.get(at.end..(at.end + MAX_VALUE).min(text.len()))?;
    let label = rest
        .iter()
        .take(40)
        .take_while(|byte| byte.is_ascii_uppercase() || matches!(byte, b' ' | b'0'..=b'9'))
        .count();
    let name = rest.get(..label)?;
    if !name.windows(11).any(|part| part == b"PRIVATE KEY") || !rest.get(label..)?.starts_with(b"-----") {
        return None;
    }
    let encrypted = name.starts_with(b"ENCRYPTED");
    let body = rest.get(label + 5..)?;
    let length = body.windows(5).position(|part| part == b"-----").unwrap_or(body.len());
    let digits = body
        .get(..length)?
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        .count();
    let text_only = body.get(..length)?.windows(3).any(|part| part == b"...");
    // 64 digits are less than the shortest key there is: an Ed25519 key in PKCS #8 has 64.
    if digits < 60 || text_only {
        return None;
    }
    let confidence = if encrypted { Confidence::Medium } else { Confidence::High };
    Some(Found {
        rule: "private-key",
        title: "Private key",
        confidence,
        span: at.start..at.end + label + 5 + length,
    })
}

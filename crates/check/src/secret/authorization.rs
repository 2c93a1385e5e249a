//! `Bearer` (RFC 6750) and `Basic` (RFC 7617) credentials, as they stand in headers, commands and recordings.

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use super::{Confidence, Found, MAX_VALUE, value};

/// What stops the automaton.
pub(crate) const SCHEMES: &[&str] = &["bearer ", "basic "];

/// The credentials behind the scheme at `at`.
pub(crate) fn at(text: &[u8], at: Range<usize>) -> Option<Found<'static>> {
    let scheme = text.get(at.clone())?;
    let before = at.start.checked_sub(1).and_then(|index| text.get(index));
    let rest = text.get(at.end..)?;
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    let length = rest.iter().take(MAX_VALUE).take_while(|byte| is_token(byte)).count();
    let token = rest.get(..length)?;
    if length < 12 || before.is_some_and(u8::is_ascii_alphanumeric) || value::is_placeholder(token) {
        return None;
    }
    let span = at.end..at.end + length;
    if scheme.eq_ignore_ascii_case(b"basic ") {
        let bare = token
            .iter()
            .rposition(|byte| *byte != b'=')
            .map_or(token, |last| token.get(..=last).unwrap_or(token));
        let decoded = STANDARD_NO_PAD.decode(bare).ok()?;
        let pair = std::str::from_utf8(&decoded).ok()?;
        let (_, password) = pair.split_once(':')?;
        let plain = pair.chars().all(|c| !c.is_control());
        let found = Found {
            rule: "basic-authorization",
            title: "Basic credentials",
            confidence: Confidence::High,
            span,
        };
        return (plain && !password.is_empty()).then_some(found);
    }
    let found =
        Found { rule: "bearer-authorization", title: "Bearer token", confidence: Confidence::Medium, span };
    value::is_key(token).then_some(found)
}

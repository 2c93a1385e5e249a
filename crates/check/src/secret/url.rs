//! `scheme://user:password@host`, RFC 3986 section 3.2.1.

use std::ops::Range;

use super::{Confidence, Found, value};

/// Bytes of user and password.
const MAX_USERINFO: usize = 512;

/// Passwords that examples use.
const EXAMPLES: &[&[u8]] = &[
    b"pass",
    b"password",
    b"passwd",
    b"pwd",
    b"secret",
    b"user",
    b"username",
    b"token",
    b"test",
    b"foo",
    b"bar",
    b"admin",
    b"root",
    b"guest",
];

/// The password in the URL whose `://` is at `at`.
pub(crate) fn at(text: &[u8], at: Range<usize>) -> Option<Found<'static>> {
    let scheme = text.get(..at.start)?.last()?;
    let rest = text.get(at.end..)?;
    let is_userinfo = |byte: &u8| byte.is_ascii_graphic() && !b"/\"'`<>\\ {}|^#?".contains(byte);
    let length = rest.iter().take(MAX_USERINFO).take_while(|byte| is_userinfo(byte)).count();
    let authority = rest.get(..length)?;
    let mark = authority.iter().rposition(|byte| *byte == b'@')?;
    let colon = authority.iter().position(|byte| *byte == b':').filter(|colon| colon + 1 < mark)?;
    let password = authority.get(colon + 1..mark)?;
    let example = EXAMPLES.iter().any(|known| password.eq_ignore_ascii_case(known));
    let host = authority.get(mark + 1..)?;
    if !scheme.is_ascii_alphanumeric() || example || host.is_empty() || value::is_placeholder(password) {
        return None;
    }
    let confidence = if value::is_chance(password) { Confidence::Medium } else { Confidence::Low };
    let span = at.end + colon + 1..at.end + mark;
    Some(Found { rule: "url-password", title: "Password in a URL", confidence, span })
}

//! JSON web tokens, RFC 7519: three base64url parts, of which the first is a JOSE header.

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Confidence, Found, MAX_VALUE};

/// The token that begins with the `eyJ` at `at`.
pub(crate) fn at(text: &[u8], at: Range<usize>) -> Option<Found<'static>> {
    let before = at.start.checked_sub(1).and_then(|index| text.get(index));
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) {
        return None;
    }
    let rest = text.get(at.start..)?;
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = rest.iter().take(MAX_VALUE).take_while(|byte| part(byte)).count();
    let token = rest.get(..length)?;
    let mut parts = token.split(|byte| *byte == b'.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if claims.len() < 8 || signature.len() < 16 {
        return None;
    }
    let header = URL_SAFE_NO_PAD.decode(header).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&header).ok()?;
    header.get("alg")?;
    let span = at.start..at.start + length;
    Some(Found { rule: "json-web-token", title: "JSON web token", confidence: Confidence::High, span })
}

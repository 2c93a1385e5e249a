//! Texts of strangers, made fit for one line.

use boltseal_model::Timestamp;

use crate::record::beginning;

/// Characters that end a line or make one look like another: C0, DEL, C1, Unicode's separators and text directions.
const fn misleads(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Appends at most `limit` bytes of `text`; `escape` answers for characters that need something else than themselves.
pub(super) fn write_escaped(
    text: &str,
    limit: usize,
    escape: impl Fn(char) -> Option<&'static str>,
    out: &mut Vec<u8>,
) {
    for c in beginning(text, limit).chars() {
        match escape(c) {
            Some(escaped) => out.extend_from_slice(escaped.as_bytes()),
            None if misleads(c) => out.extend_from_slice("\u{fffd}".as_bytes()),
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// `text` without what breaks or turns lines, at most `limit` bytes of it.
pub(super) fn clean(text: &str, limit: usize) -> String {
    beginning(text, limit).chars().map(|c| if misleads(c) { '\u{fffd}' } else { c }).collect()
}

/// Appends JSON on one line. Valid JSON has control characters only between its tokens, where a space means the same;
/// entries as they are written have none.
pub(super) fn write_json(json: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(json);
    for byte in out.iter_mut().skip(start).filter(|byte| **byte < 0x20) {
        *byte = b' ';
    }
}

/// Appends a moment as RFC 3339 with milliseconds, in UTC.
pub(super) fn write_time(time: Timestamp, out: &mut Vec<u8>) {
    let text = format!("{time:.3}");
    // A year before 0 has a sign, which RFC 3339 does not have.
    let is_plain = text.starts_with(|c: char| c.is_ascii_digit());
    out.extend_from_slice(if is_plain { text.as_bytes() } else { b"0000-01-01T00:00:00.000Z" });
}

/// Appends `text` with everything percent-encoded that a URI's path may not hold (RFC 3986, section 3.3).
pub(super) fn write_uri(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

/// The host in the name of a log.
pub(super) fn host(origin: &str) -> &str {
    origin.split('/').next().unwrap_or(origin)
}

//! JSON with one spelling: RFC 8785 (JSON Canonicalization Scheme).

use serde_json::{Map, Number, Value};

/// The largest integer that ECMAScript numbers hold exactly, 2^53 - 1 (RFC 8785, section 3.2.2.3 and appendix D).
pub(super) const MAX_SAFE: i64 = (1 << 53) - 1;

/// `value` in canonical form: no spaces, keys ordered by UTF-16 code units, strings escaped as little as may be.
///
/// Numbers that ECMAScript would not keep exactly, and all that are not whole, become strings of their digits: RFC
/// 8785 recommends that for numbers beyond 53 bits, and a record has no use for fractions.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out);
    out
}

/// Appends `value` in canonical form. As deep as `value` is; whoever reads one bounds that.
pub(super) fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(map) => write_object(map, out),
    }
}

fn write_object(map: &Map<String, Value>, out: &mut Vec<u8>) {
    let mut entries: Vec<(&String, &Value)> = map.iter().collect();
    // UTF-8 and UTF-16 order differ only where a key has characters beyond the basic plane.
    entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push(b'{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(key, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

fn write_number(number: &Number, out: &mut Vec<u8>) {
    match whole(number) {
        Some(integer) => write_integer(integer, out),
        None => write_string(&number.to_string(), out),
    }
}

/// The number as an integer, where it is one that ECMAScript keeps exactly.
pub(super) fn whole(number: &Number) -> Option<i64> {
    let safe = |integer: &i64| (-MAX_SAFE..=MAX_SAFE).contains(integer);
    if let Some(integer) = number.as_i64() {
        return Some(integer).filter(safe);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
    number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_991.0).map(|n| n as i64)
}

/// Appends an integer within 53 bits.
pub(super) fn write_integer(integer: i64, out: &mut Vec<u8>) {
    if integer < 0 {
        out.push(b'-');
    }
    write_decimal(integer.unsigned_abs(), out);
}

/// Appends the digits of a number.
pub(crate) fn write_decimal(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// Appends a string with its quotes (RFC 8785, section 3.2.2.2).
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text, out);
    out.push(b'"');
}

/// Appends a string without its quotes.
pub(crate) fn write_escaped(text: &str, out: &mut Vec<u8>) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| *b < 0x20 || *b == b'"' || *b == b'\\') {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((special, tail)) = tail.split_first() else { return };
        let short = match special {
            b'"' | b'\\' => Some(*special),
            0x08 => Some(b'b'),
            b'\t' => Some(b't'),
            b'\n' => Some(b'n'),
            0x0c => Some(b'f'),
            b'\r' => Some(b'r'),
            _ => None,
        };
        out.push(b'\\');
        if let Some(short) = short {
            out.push(short);
        } else {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'u', b'0', b'0', digit(special >> 4), digit(special & 15)]);
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
}

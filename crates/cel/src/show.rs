//! Values in words: for messages, and for `format`.

use std::fmt::{self, Write as _};

use crate::{functions::time, value::Value};

/// Levels that are shown.
const MAX_DEPTH: usize = 8;
/// Characters that are shown.
const MAX_LENGTH: usize = 4_096;

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(self))
    }
}

/// A value as `%s` writes it; cut where it is long.
pub(crate) fn shown(value: &Value<'_>) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

/// A number as people write it: never `1e21`, and without a point where there is nothing behind it.
pub(crate) fn double(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        number.to_string()
    }
}

fn write(value: &Value<'_>, depth: usize, out: &mut String) {
    if depth > MAX_DEPTH || out.len() > MAX_LENGTH {
        out.push('…');
        return;
    }
    // Writing to a text cannot fail.
    let _ = match value {
        Value::Null => out.write_str("null"),
        Value::Bool(truth) => write!(out, "{truth}"),
        Value::Int(number) => write!(out, "{number}"),
        Value::Uint(number) => write!(out, "{number}"),
        Value::Double(number) => out.write_str(&double(*number)),
        Value::Text(text) => out.write_str(text.as_str()),
        Value::Bytes(bytes) => out.write_str(&String::from_utf8_lossy(bytes)),
        Value::Type(name) => out.write_str(name),
        Value::Timestamp(at) => write!(out, "{at}"),
        Value::Duration(length) => out.write_str(&time::shown(*length)),
        Value::Quantity(quantity) => write!(out, "{quantity}"),
        Value::Ip(address) => write!(out, "{address}"),
        Value::Cidr(network) => write!(out, "{network}"),
        Value::Url(url) => out.write_str(url.as_str()),
        Value::Semver(version) => write!(out, "{version}"),
        Value::Format(format) => out.write_str(format.name),
        Value::Optional(None) => out.write_str("optional.none()"),
        Value::Optional(Some(value)) => {
            out.push_str("optional.of(");
            write(value, depth + 1, out);
            out.write_char(')')
        }
        Value::List(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write(&item, depth + 1, out);
                if out.len() > MAX_LENGTH {
                    break;
                }
            }
            out.write_char(']')
        }
        Value::Map(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write(&key, depth + 1, out);
                out.push_str(": ");
                write(&value, depth + 1, out);
                if out.len() > MAX_LENGTH {
                    break;
                }
            }
            out.write_char('}')
        }
    };
}

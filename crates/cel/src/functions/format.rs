//! Formats that texts are held to, and `'%s'.format([…])`.

use crate::{
    budget::Budget,
    error::Stop,
    functions::{Function, global, member, refuse},
    show,
    value::Value,
};

/// A format that Kubernetes has a name for.
#[derive(Debug)]
pub struct Format {
    /// `dns1123Label`
    pub(crate) name: &'static str,
    /// What is wrong with a text that has another.
    about: &'static str,
    test: fn(&str) -> bool,
}

static FORMATS: [Format; 9] = [
    Format {
        name: "dns1123Label",
        about: "lower-case letters, digits and `-`, at most 63, with a letter or digit at both ends",
        test: |text| text.len() <= 63 && label(text, false),
    },
    Format {
        name: "dns1123Subdomain",
        about: "labels of lower-case letters, digits and `-` with dots between them, at most 253",
        test: |text| text.len() <= 253 && text.split('.').all(|part| label(part, false)),
    },
    Format {
        name: "dns1035Label",
        about: "lower-case letters, digits and `-`, at most 63, that begin with a letter",
        test: |text| text.len() <= 63 && label(text, true),
    },
    Format {
        name: "dns1123LabelPrefix",
        about: "the beginning of a label of lower-case letters, digits and `-`",
        test: |text| text.len() <= 63 && label(text.strip_suffix('-').unwrap_or(text), false),
    },
    Format {
        name: "dns1035LabelPrefix",
        about: "the beginning of a label that begins with a letter",
        test: |text| text.len() <= 63 && label(text.strip_suffix('-').unwrap_or(text), true),
    },
    Format {
        name: "qualifiedName",
        about: "a name of letters, digits, `-`, `_` and `.`, with a domain and `/` before it if wanted",
        test: |text| match text.split_once('/') {
            Some((domain, name)) => {
                domain.len() <= 253 && domain.split('.').all(|part| label(part, false)) && word(name)
            }
            None => word(text),
        },
    },
    Format {
        name: "labelValue",
        about: "letters, digits, `-`, `_` and `.`, at most 63, or nothing",
        test: |text| text.is_empty() || word(text),
    },
    Format {
        name: "uri",
        about: "a URI",
        test: |text| url::Url::parse(text).is_ok() || text.starts_with('/'),
    },
    Format { name: "uuid", about: "a UUID", test: uuid },
];

fn label(text: &str, letter: bool) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().last()) else { return false };
    let first = if letter { first.is_ascii_lowercase() } else { plain(first) };
    first && plain(last) && text.bytes().all(|byte| plain(byte) || byte == b'-')
}

fn word(text: &str) -> bool {
    let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().last()) else { return false };
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.len() <= 63
        && first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && text.bytes().all(inner)
}

fn uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| hex(part))
}

fn found<'a>(name: &str) -> Value<'a> {
    let format = FORMATS.iter().find(|format| format.name == name);
    format.map_or(Value::NONE, |format| Value::some(Value::Format(format)))
}

/// The format of a function `format.NAME`.
fn named<'a>(name: &str) -> Result<Value<'a>, Stop> {
    let format = FORMATS.iter().find(|format| format.name == name);
    format.map(Value::Format).ok_or_else(|| "there is no such format".into())
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("format.named", 1, 1, |_, values| match values {
        [Value::Text(name)] => Ok(found(name.as_str())),
        _ => Err(refuse("format.named", values)),
    }),
    global("format.dns1123Label", 0, 0, |_, _| named("dns1123Label")),
    global("format.dns1123Subdomain", 0, 0, |_, _| named("dns1123Subdomain")),
    global("format.dns1035Label", 0, 0, |_, _| named("dns1035Label")),
    global("format.dns1123LabelPrefix", 0, 0, |_, _| named("dns1123LabelPrefix")),
    global("format.dns1035LabelPrefix", 0, 0, |_, _| named("dns1035LabelPrefix")),
    global("format.qualifiedName", 0, 0, |_, _| named("qualifiedName")),
    global("format.labelValue", 0, 0, |_, _| named("labelValue")),
    global("format.uri", 0, 0, |_, _| named("uri")),
    global("format.uuid", 0, 0, |_, _| named("uuid")),
    member("validate", 1, 1, |budget, values| {
        let [Value::Format(format), Value::Text(text)] = values else {
            return Err(refuse("validate", values));
        };
        budget.text(text.as_str().len())?;
        Ok(if (format.test)(text.as_str()) {
            Value::NONE
        } else {
            Value::some(Value::list(vec![Value::made(format!("wanted: {}", format.about))]))
        })
    }),
];

/// Digits behind the point that may be asked for.
const MAX_PRECISION: usize = 100;

/// `'%s has %d'.format([a, b])`
pub(super) fn write<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let [Value::Text(template), Value::List(given)] = values else { return Err(refuse("format", values)) };
    let mut out = String::new();
    let mut rest = template.as_str();
    let mut next = 0;
    while let Some((head, tail)) = rest.split_once('%') {
        out.push_str(head);
        if let Some(tail) = tail.strip_prefix('%') {
            out.push('%');
            rest = tail;
            continue;
        }
        let digits =
            tail.strip_prefix('.').map_or(0, |tail| 1 + tail.bytes().take_while(u8::is_ascii_digit).count());
        let precision = tail.get(1..digits).filter(|text| !text.is_empty()).map(str::parse::<usize>);
        let precision = precision.transpose().ok().flatten().unwrap_or(6).min(MAX_PRECISION);
        let kind = tail.get(digits..).and_then(|tail| tail.chars().next());
        let kind = kind.ok_or("`%` with nothing behind it")?;
        let value = given.get(next).ok_or("more places than values")?;
        next += 1;
        let made = one(kind, precision, &value).ok_or_else(|| {
            Stop::Wrong(format!("`%{}` does not write {}", kind.escape_debug(), value.kind()))
        })?;
        budget.text(made.len())?;
        out.push_str(&made);
        rest = tail.get(digits + kind.len_utf8()..).unwrap_or_default();
    }
    out.push_str(rest);
    budget.text(out.len())?;
    Ok(Value::made(out))
}

fn one(kind: char, precision: usize, value: &Value<'_>) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "%f and %e write floating point numbers")]
    let double = match value {
        Value::Double(number) => Some(*number),
        Value::Int(number) => Some(*number as f64),
        Value::Uint(number) => Some(*number as f64),
        _ => None,
    };
    if let (Some(number), 'd' | 'e' | 'f') = (double, kind)
        && !number.is_finite()
    {
        let word = if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        return Some(word.to_owned());
    }
    let bytes = match value {
        Value::Text(text) => Some(text.as_str().as_bytes()),
        Value::Bytes(bytes) => Some(&bytes[..]),
        _ => None,
    };
    match (kind, value) {
        ('s', value) => Some(show::shown(value)),
        ('d', Value::Int(_) | Value::Uint(_)) => Some(show::shown(value)),
        ('f', _) => double.map(|number| format!("{number:.precision$}")),
        ('e', _) => double.map(|number| scientific(number, precision)),
        ('b', Value::Bool(truth)) => Some(u8::from(*truth).to_string()),
        ('x' | 'X' | 'o' | 'b', Value::Int(number)) => {
            Some(format!("{}{}", minus(*number), based(kind, number.unsigned_abs())))
        }
        ('x' | 'X' | 'o' | 'b', Value::Uint(number)) => Some(based(kind, *number)),
        ('x', _) => bytes.map(hex),
        ('X', _) => bytes.map(|bytes| hex(bytes).to_ascii_uppercase()),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn based(kind: char, number: u64) -> String {
    match kind {
        'x' => format!("{number:x}"),
        'X' => format!("{number:X}"),
        'o' => format!("{number:o}"),
        _ => format!("{number:b}"),
    }
}

/// `1.5e+03`: a sign and two digits at least.
fn scientific(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

const fn minus(number: i64) -> &'static str {
    if number < 0 { "-" } else { "" }
}

//! `NAME=value` and its kin: the name says that it is secret, the value looks like it.
//!
//! Reads shell, dotenv, INI, YAML, JSON, XML, SQL and the source of most languages without parsing any of them: a name
//! around the anchor, a separator, a value.

mod name;

use std::ops::Range;

use self::name::{Kind, any, kind, words};
use super::{Confidence, Found, MAX_VALUE, value};

/// Words in names that stop the automaton. Whether the whole name speaks of a secret is decided on its words.
pub(crate) const WORDS: &[&str] = &[
    "pass",
    "pwd",
    "psw",
    "secret",
    "token",
    "key",
    "auth",
    "cred",
    "passwort",
    "seed",
    "identified by",
    "pw",
];

/// Bytes of a name.
const MAX_NAME: usize = 80;

/// What was read at an anchor.
pub(crate) struct Read {
    pub found: Option<Found<'static>>,
    /// Up to where the name goes; anchors within it say nothing new.
    pub named: usize,
}

/// Reads the assignment whose name holds the anchor at `at`.
pub(crate) fn at(text: &[u8], at: Range<usize>) -> Read {
    let start = text.get(at.start.saturating_sub(MAX_NAME)..at.start).unwrap_or_default();
    let start = at.start - start.iter().rev().take_while(|byte| is_name(**byte)).count();
    let rest = text.get(at.end..).unwrap_or_default();
    let end = at.end + rest.iter().take(MAX_NAME).take_while(|byte| is_name(**byte)).count();
    let name = text.get(start..end).unwrap_or_default();
    // `${PASSWORD:-…}` uses a variable; what stands behind is at most a default.
    let used = text.get(..start).is_some_and(|before| before.ends_with(b"${"));
    let found = kind(name).filter(|_| !used).and_then(|kind| {
        let value = value_after(text, start, end)?;
        judge(kind, name, text, value)
    });
    Read { found, named: end }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ' if byte != b' ')
}

/// A value and how it stands there.
struct Value {
    span: Range<usize>,
    quoted: bool,
}

/// The value that is given to the name at `start..end`.
fn value_after(text: &[u8], start: usize, end: usize) -> Option<Value> {
    let flag = text.get(start..end)?.starts_with(b"--");
    let mut at = end;
    let key_quote = quote(text, at);
    if let Some((_, width)) = key_quote {
        at += width;
    }
    if text.get(at) == Some(&b']') {
        at += 1;
    }
    let spaces = blanks(text, at);
    // `<add key="Password" value="…"/>`
    if key_quote.is_some() && text.get(at + spaces..).is_some_and(|rest| rest.starts_with(b"value=")) {
        at += "value".len();
    }
    let (next, separator) = separator(text, at + spaces)?;
    if separator == Separator::None && !(flag && spaces > 0 && key_quote.is_none()) {
        return None;
    }
    at = if separator == Separator::None { at + spaces } else { next };
    at += blanks(text, at);
    // The first of a list speaks for it: `"tokens": ["…"`.
    if text.get(at) == Some(&b'[') && quote(text, at + 1).is_some() {
        at += 1;
    }
    at = opening(text, at);
    match quote(text, at) {
        Some((mark, width)) => {
            let body = at + width;
            let length = closing(text.get(body..)?, mark, width)?;
            Some(Value { span: body..body + length, quoted: true })
        }
        None if matches!(separator, Separator::Comma | Separator::Call) => None,
        None => bare(text, at, separator),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    /// `=`, `:=`, `=>`, `?=`
    Equals,
    Colon,
    /// `"password", "value"`
    Comma,
    /// `setPassword("value")`
    Call,
    /// `<password>value<`
    Tag,
    None,
}

fn separator(text: &[u8], at: usize) -> Option<(usize, Separator)> {
    let rest = text.get(at..)?;
    let found = match rest {
        [b'=', b'=' | b'~', ..] | [b'!', ..] | [b':', b':', ..] => return None,
        [b':' | b'?', b'=', ..] | [b'=', b'>', ..] => (at + 2, Separator::Equals),
        [b'=', ..] => (at + 1, Separator::Equals),
        [b':', rest @ ..] => {
            typed(rest).map_or((at + 1, Separator::Colon), |skip| (at + 1 + skip, Separator::Equals))
        }
        [b',', ..] => (at + 1, Separator::Comma),
        [b'(', ..] => (at + 1, Separator::Call),
        [b'>', ..] => (at + 1, Separator::Tag),
        _ => (at, Separator::None),
    };
    Some(found)
}

/// `: String = `: how far to behind the equals sign.
fn typed(rest: &[u8]) -> Option<usize> {
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let is_type = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'&' | b'?' | b'\'' | b'_');
    let name = rest.iter().skip(spaces).take(24).take_while(|byte| is_type(byte)).count();
    let after = rest.iter().skip(spaces + name).take_while(|byte| **byte == b' ').count();
    let at = spaces + name + after;
    (name > 0 && after > 0 && rest.get(at) == Some(&b'=') && rest.get(at + 1) != Some(&b'='))
        .then_some(at + 1)
}

/// Past what languages put before a literal: `b"`, `[]byte("`, `new Password("`.
fn opening(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..(at + 48).min(text.len())).unwrap_or_default();
    let name = rest
        .iter()
        .take_while(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'.' | b'[' | b']' | b' ' | b'<' | b'>' | b'?' | b'&' | b'@')
        })
        .count();
    let prefix = rest.get(..name).unwrap_or_default();
    let lookup = |word: &[u8]| {
        any(
            word,
            &[
                "get", "env", "getenv", "environ", "read", "load", "config", "lookup", "decrypt", "prompt",
                "input", "param", "require", "find", "fetch", "hash", "verify", "equals", "contains",
            ],
        )
    };
    match rest.get(name) {
        Some(b'(') if name > 0 && quote(text, at + name + 1).is_some() && !words(prefix).any(lookup) => {
            at + name + 1
        }
        Some(b'"' | b'\'' | b'`') if name > 0 && name <= 2 && prefix.iter().all(u8::is_ascii_alphabetic) => {
            at + name
        }
        _ => at,
    }
}

/// The quote at `at` and its width; `\"` within a string is one too.
fn quote(text: &[u8], at: usize) -> Option<(u8, usize)> {
    match text.get(at..)? {
        [mark @ (b'"' | b'\'' | b'`'), ..] => Some((*mark, 1)),
        [b'\\', mark @ (b'"' | b'\''), ..] => Some((*mark, 2)),
        _ => None,
    }
}

fn blanks(text: &[u8], at: usize) -> usize {
    text.get(at..).unwrap_or_default().iter().take(40).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Length up to the quote that ends the value, on the same line.
fn closing(body: &[u8], mark: u8, width: usize) -> Option<usize> {
    let mut escaped = false;
    for (index, byte) in body.iter().take(MAX_VALUE).enumerate() {
        match byte {
            b'\n' => return None,
            b'\\' if width == 2 && body.get(index + 1) == Some(&mark) => return Some(index),
            b'\\' => escaped = !escaped,
            byte if *byte == mark && !escaped => return Some(index),
            _ => escaped = false,
        }
    }
    None
}

/// A value without quotes: up to a space or a mark that ends values in some language.
fn bare(text: &[u8], at: usize, separator: Separator) -> Option<Value> {
    let rest = text.get(at..)?;
    let stops = |byte: u8| byte.is_ascii_whitespace() || b"\"'`,;)}]<>|\\".contains(&byte);
    let length = rest.iter().take(MAX_VALUE).take_while(|byte| !stops(**byte)).count();
    let after = rest.get(length..)?;
    let gap = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let next = after.get(gap).copied().unwrap_or(b'\n');
    // `password: must be long` is prose, `A=b C=d` is a line of assignments.
    let prose = separator == Separator::Colon && gap > 0 && next.is_ascii_alphabetic();
    (length > 0 && !prose).then_some(Value { span: at..at + length, quoted: false })
}

fn judge(kind: Kind, name: &[u8], text: &[u8], value: Value) -> Option<Found<'static>> {
    let bytes = text.get(value.span.clone())?;
    if bytes.len() < 4
        || bytes.len() > 512
        || value::is_placeholder(bytes)
        || value::is_something_else(bytes, value.quoted)
    {
        return None;
    }
    let same = name.len() == bytes.len() && name.eq_ignore_ascii_case(bytes);
    let fits = match kind {
        Kind::Password => value::is_chance(bytes),
        Kind::Key => value::is_key(bytes) || value::is_uuid(bytes),
    };
    if same || !fits {
        return None;
    }
    let (rule, title) = match kind {
        Kind::Password => ("password", "Password"),
        Kind::Key => ("secret-value", "Key, token or other secret"),
    };
    Some(Found { rule, title, confidence: Confidence::Medium, span: value.span })
}

//! A text to words and signs, each with the byte at which it stands.

use crate::{error::Error, literal};

/// The longest expression: the longest of Kubernetes' own libraries has a tenth.
pub(crate) const MAX_TEXT: usize = 16 << 10;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Name(String),
    /// A field in backticks.
    Field(String),
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    Sign(&'static str),
    End,
}

/// Longest first.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "<", ">", "+", "-",
    "*", "/", "%", "!",
];

/// Words that are kept for later versions of the language.
const RESERVED: [&str; 18] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "in",
];

/// Whether `name` may not be the name of a variable.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Every token with its place, and an end.
pub(crate) fn tokens(source: &str) -> Result<Vec<(usize, Token)>, Error> {
    if source.len() > MAX_TEXT {
        let problem = format!("{} bytes, more than the {MAX_TEXT} that are read", source.len());
        return Err(Error::new(source, 0, problem));
    }
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (token, length) = token(rest).map_err(|problem| Error::new(source, at, problem))?;
        out.push((at, token));
        at += length;
    }
    out.push((source.len(), Token::End));
    Ok(out)
}

fn token(rest: &str) -> Result<(Token, usize), String> {
    let first = rest.chars().next().unwrap_or(' ');
    if let Some((token, length)) = literal::quoted(rest)? {
        return Ok((token, length));
    }
    let digit = |text: &str| text.starts_with(|sign: char| sign.is_ascii_digit());
    if digit(rest) || (first == '.' && rest.get(1..).is_some_and(digit)) {
        return literal::number(rest);
    }
    if first == '_' || first.is_ascii_alphabetic() {
        let part = |sign: char| sign == '_' || sign.is_ascii_alphanumeric();
        let length = rest.find(|sign| !part(sign)).unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default();
        return Ok((Token::Name(name.to_owned()), length));
    }
    if let Some(inside) = rest.strip_prefix('`') {
        let length = inside.find(['`', '\n']).filter(|end| inside[*end..].starts_with('`'));
        let name = length.and_then(|length| inside.get(..length)).filter(|name| !name.is_empty());
        let name = name.ok_or("a backtick that is not closed")?;
        return Ok((Token::Field(name.to_owned()), name.len() + 2));
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign) => Ok((Token::Sign(sign), sign.len())),
        None => Err(format!("`{}` has no meaning here", first.escape_debug())),
    }
}

//! A condition to its words, each with its place.

use super::{ConditionError, MAX_CONDITION, MAX_VALUE};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    BraceOpen,
    BraceClose,
    Comma,
    Not,
    And,
    Or,
    /// `@Request[…]` or `@Resource[…]`: the source and what is in the brackets.
    Attribute(String, String),
    /// A bare word: an operator, `ActionMatches`, the number of a role.
    Word(String),
    /// What stands between quotes.
    Text(String),
}

impl Token {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::BraceOpen => "`{`".to_owned(),
            Self::BraceClose => "`}`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::Not => "NOT".to_owned(),
            Self::And => "AND".to_owned(),
            Self::Or => "OR".to_owned(),
            Self::Attribute(source, name) => format!("`@{source}[{name}]`"),
            Self::Word(word) => format!("`{word}`"),
            Self::Text(text) => format!("'{text}'"),
        }
    }
}

/// Words with the number of bytes before each.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ConditionError> {
    if text.len() > MAX_CONDITION {
        return Err(ConditionError::TooMuch { what: "characters", limit: MAX_CONDITION });
    }
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let (token, length) = token(rest, first, at)?;
        found.push((at, token));
        rest = rest.get(length..).unwrap_or_default();
    }
}

fn token(rest: &str, first: char, at: usize) -> Result<(Token, usize), ConditionError> {
    let pair = rest.get(..2).unwrap_or_default();
    Ok(match first {
        '(' => (Token::Open, 1),
        ')' => (Token::Close, 1),
        '{' => (Token::BraceOpen, 1),
        '}' => (Token::BraceClose, 1),
        ',' => (Token::Comma, 1),
        '!' => (Token::Not, 1),
        '&' if pair == "&&" => (Token::And, 2),
        '|' if pair == "||" => (Token::Or, 2),
        '\'' | '"' => quoted(rest, first, at)?,
        '@' => attribute(rest, at)?,
        c if c.is_ascii_alphanumeric() => {
            let word: String =
                rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-')).collect();
            let length = word.len();
            let token = match word.to_ascii_uppercase().as_str() {
                "AND" => Token::And,
                "OR" => Token::Or,
                "NOT" => Token::Not,
                _ => Token::Word(word.chars().take(MAX_VALUE).collect()),
            };
            (token, length)
        }
        other => {
            let found =
                if other.is_control() { "a control character".to_owned() } else { format!("`{other}`") };
            return Err(ConditionError::Unexpected { at, found, wanted: "a word, a bracket or a text" });
        }
    })
}

/// What stands between quotes: no escapes, because no name of a repository needs one.
fn quoted(rest: &str, quote: char, at: usize) -> Result<(Token, usize), ConditionError> {
    let inner = rest.get(1..).unwrap_or_default();
    let Some(end) = inner.find(quote) else {
        return Err(ConditionError::Unexpected {
            at,
            found: "a text without end".to_owned(),
            wanted: "a quote",
        });
    };
    let text = inner.get(..end).unwrap_or_default();
    if text.len() > MAX_VALUE {
        return Err(ConditionError::TooMuch { what: "characters in a value", limit: MAX_VALUE });
    }
    if text.chars().any(|c| c.is_control() || matches!(c, '\'' | '"' | '\\')) {
        let found = "a quote, a backslash or a control character in a text".to_owned();
        return Err(ConditionError::Unexpected {
            at,
            found,
            wanted: "the name of a repository, or a pattern",
        });
    }
    Ok((Token::Text(text.to_owned()), end + 2))
}

/// `@Source[name]`
fn attribute(rest: &str, at: usize) -> Result<(Token, usize), ConditionError> {
    let wanted = "@Request[…] or @Resource[…]";
    let broken = || ConditionError::Unexpected { at, found: "`@`".to_owned(), wanted };
    let (source, after) = rest.get(1..).unwrap_or_default().split_once('[').ok_or_else(broken)?;
    let (name, _) = after.split_once(']').ok_or_else(broken)?;
    if source.len() > 16 || name.len() > MAX_VALUE || !source.chars().all(|c| c.is_ascii_alphabetic()) {
        return Err(broken());
    }
    let length = source.len() + name.len() + 3;
    let name = name.chars().filter(|c| !c.is_control()).collect();
    Ok((Token::Attribute(source.to_owned(), name), length))
}

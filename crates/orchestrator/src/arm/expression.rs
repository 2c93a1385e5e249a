//! The expressions of Azure's templates: `[concat(parameters('name'), '-', 1)]`.
//!
//! Grammar: Microsoft Learn, "Syntax and expressions in ARM templates". A text that begins with `[` and ends with `]` is
//! one; `[[` begins a plain text.

use std::iter::Peekable;
use std::str::CharIndices;

/// The longest expression that Azure reads.
const MAX_LENGTH: usize = 24_576;
/// Calls within calls; templates by people have about eight.
const MAX_DEPTH: usize = 32;

/// What stands between the brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// `'text'`
    Text(String),
    /// `42`
    Number(String),
    /// `name(argument, …)`, the name in lower case.
    Call(String, Vec<Expression>),
    /// `of.name`
    Property(Box<Expression>, String),
    /// `of[index]`
    Index(Box<Expression>, Box<Expression>),
}

/// What a text of a template is.
pub(super) enum Written<'a> {
    /// Itself.
    Plain(&'a str),
    /// What the expression comes to.
    Expression(&'a str),
}

/// Tells expressions from text.
pub(super) fn written(text: &str) -> Written<'_> {
    if let Some(escaped) = text.strip_prefix("[[") {
        return Written::Plain(text.get(text.len() - escaped.len() - 1..).unwrap_or_default());
    }
    match text.strip_prefix('[').and_then(|rest| rest.trim_end().strip_suffix(']')) {
        Some(inner) => Written::Expression(inner),
        None => Written::Plain(text),
    }
}

/// Reads what stands between the brackets.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("an expression of more than {MAX_LENGTH} bytes"));
    }
    let mut parser = Parser { signs: text.char_indices().peekable() };
    let expression = parser.expression(0)?;
    parser.space();
    match parser.signs.next() {
        None => Ok(expression),
        Some((at, sign)) => Err(format!("`{sign}` at {at} of the expression is not understood")),
    }
}

struct Parser<'a> {
    signs: Peekable<CharIndices<'a>>,
}

impl Parser<'_> {
    fn space(&mut self) {
        while self.signs.next_if(|(_, sign)| sign.is_whitespace()).is_some() {}
    }

    fn take(&mut self, wanted: char) -> bool {
        self.space();
        self.signs.next_if(|(_, sign)| *sign == wanted).is_some()
    }

    fn expression(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > MAX_DEPTH {
            return Err(format!("an expression of more than {MAX_DEPTH} levels"));
        }
        self.space();
        let mut whole = match self.signs.peek() {
            Some((_, '\'')) => Expression::Text(self.text()?),
            Some((_, sign)) if sign.is_ascii_digit() || *sign == '-' => {
                Expression::Number(self.word(|sign| sign.is_ascii_digit() || matches!(sign, '-' | '.')))
            }
            Some((_, sign)) if sign.is_ascii_alphabetic() => self.call(depth)?,
            _ => return Err("an expression without anything in it".to_owned()),
        };
        let mut links = 0;
        loop {
            links += 1;
            if links > MAX_DEPTH {
                return Err(format!("an expression of more than {MAX_DEPTH} properties"));
            }
            if self.take('.') {
                let name = self.word(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '$' | '-'));
                whole = Expression::Property(Box::new(whole), name);
            } else if self.take('[') {
                let index = self.expression(depth + 1)?;
                if !self.take(']') {
                    return Err("`]` is missing in an expression".to_owned());
                }
                whole = Expression::Index(Box::new(whole), Box::new(index));
            } else {
                return Ok(whole);
            }
        }
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let mut out = String::new();
        while let Some((_, sign)) = self.signs.next_if(|(_, sign)| belongs(*sign)) {
            out.push(sign);
        }
        out
    }

    /// Two quotes within a text are one.
    fn text(&mut self) -> Result<String, String> {
        let mut out = String::new();
        self.signs.next();
        loop {
            match self.signs.next() {
                None => return Err("a text in an expression never ends".to_owned()),
                Some((_, '\'')) => {
                    if self.signs.next_if(|(_, sign)| *sign == '\'').is_none() {
                        return Ok(out);
                    }
                    out.push('\'');
                }
                Some((_, sign)) => out.push(sign),
            }
        }
    }

    fn call(&mut self, depth: usize) -> Result<Expression, String> {
        // Functions of the template itself have a namespace: `contoso.uniqueName()`.
        let name =
            self.word(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '.')).to_ascii_lowercase();
        if !self.take('(') {
            return Err(format!("`(` is missing after `{name}`"));
        }
        let mut arguments = Vec::new();
        if self.take(')') {
            return Ok(Expression::Call(name, arguments));
        }
        loop {
            arguments.push(self.expression(depth + 1)?);
            if self.take(')') {
                return Ok(Expression::Call(name, arguments));
            }
            if !self.take(',') {
                return Err(format!("`,` or `)` is missing in `{name}(…)`"));
            }
        }
    }
}

//! JSON with the liberties that Azure's templates take: `//` and `/* */` comments, line breaks inside strings, and a comma
//! after the last element.

use super::{Budget, DocumentError, Entry, MAX_DEPTH, Node, Value};

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    budget: Budget,
}

/// The one document in `text`.
pub(super) fn read(text: &str, nodes: usize) -> Result<Node, DocumentError> {
    let mut reader = Reader { text, at: 0, line: 1, budget: Budget::new(nodes) };
    let node = reader.value(0)?;
    reader.space()?;
    if reader.at < text.len() {
        return Err(reader.wrong("more text after the end of the document"));
    }
    Ok(node)
}

impl Reader<'_> {
    fn wrong(&self, problem: &str) -> DocumentError {
        DocumentError::Syntax { line: self.line, problem: problem.to_owned() }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, bytes: usize) {
        let passed = self.text.as_bytes().get(self.at..self.at + bytes).unwrap_or_default();
        for byte in passed {
            self.line = self.line.saturating_add(u32::from(*byte == b'\n'));
        }
        self.at += bytes;
    }

    fn space(&mut self) -> Result<(), DocumentError> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            if blank > 0 {
                self.skip(blank);
            } else if rest.starts_with("//") {
                let length = rest.find('\n').unwrap_or(rest.len());
                self.skip(length);
            } else if rest.starts_with("/*") {
                let Some(length) = rest.find("*/") else {
                    return Err(self.wrong("a comment that never ends"));
                };
                self.skip(length + 2);
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, DocumentError> {
        self.space()?;
        let line = self.line;
        self.budget.take(1, line)?;
        if depth >= MAX_DEPTH {
            return Err(DocumentError::Limit { line, what: "levels", limit: MAX_DEPTH });
        }
        let value = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => self.word()?,
            None => return Err(self.wrong("a value is missing")),
        };
        Ok(Node::new(line, value))
    }

    fn map(&mut self, depth: usize) -> Result<Value, DocumentError> {
        let mut entries = Vec::new();
        self.skip(1);
        loop {
            self.space()?;
            match self.peek() {
                Some(b'}') => break self.skip(1),
                Some(b'"') => {}
                _ => return Err(self.wrong("a key or `}` is missing")),
            }
            let key = self.string()?;
            self.space()?;
            if self.peek() != Some(b':') {
                return Err(self.wrong("`:` is missing after a key"));
            }
            self.skip(1);
            let node = self.value(depth + 1)?;
            entries.push(Entry { key, node });
            self.comma(b'}')?;
        }
        Ok(Value::Map(entries))
    }

    fn list(&mut self, depth: usize) -> Result<Value, DocumentError> {
        let mut items = Vec::new();
        self.skip(1);
        loop {
            self.space()?;
            if self.peek() == Some(b']') {
                break self.skip(1);
            }
            items.push(self.value(depth + 1)?);
            self.comma(b']')?;
        }
        Ok(Value::List(items))
    }

    /// Between two elements, or before the end.
    fn comma(&mut self, end: u8) -> Result<(), DocumentError> {
        self.space()?;
        match self.peek() {
            Some(b',') => self.skip(1),
            Some(byte) if byte == end => {}
            _ => return Err(self.wrong("`,` or the end of a list is missing")),
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, DocumentError> {
        self.skip(1);
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let Some(plain) = rest.find(['"', '\\']) else {
                return Err(self.wrong("a text that never ends"));
            };
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.skip(plain);
            if self.peek() == Some(b'"') {
                self.skip(1);
                return Ok(out);
            }
            self.skip(1);
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, DocumentError> {
        let sign = match self.peek() {
            Some(b'u') => {
                self.skip(1);
                return self.unicode();
            }
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            _ => return Err(self.wrong("an escape that JSON does not have")),
        };
        self.skip(1);
        Ok(sign)
    }

    fn unicode(&mut self) -> Result<char, DocumentError> {
        let first = self.unit()?;
        // Half of a pair alone is no character; it is replaced, as most readers do.
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            self.skip(2);
            let second = self.unit()?;
            let both = 0x1_0000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff);
            return Ok(char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self) -> Result<u32, DocumentError> {
        let digits = self.rest().get(..4).filter(|four| four.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(unit) = digits.and_then(|four| u32::from_str_radix(four, 16).ok()) else {
            return Err(self.wrong("four hexadecimal digits are missing after \\u"));
        };
        self.skip(4);
        Ok(unit)
    }

    fn number(&mut self) -> Result<Value, DocumentError> {
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
            .count();
        let number = rest.get(..length).unwrap_or_default().to_owned();
        if number.parse::<f64>().is_err() {
            return Err(self.wrong("not a number"));
        }
        self.skip(length);
        Ok(Value::Number(number))
    }

    fn word(&mut self) -> Result<Value, DocumentError> {
        const WORDS: [(&str, Value); 3] =
            [("true", Value::Flag(true)), ("false", Value::Flag(false)), ("null", Value::Null)];
        let found = WORDS.into_iter().find(|(word, _)| self.rest().starts_with(word));
        let Some((word, value)) = found else { return Err(self.wrong("a value that JSON does not have")) };
        self.skip(word.len());
        Ok(value)
    }
}

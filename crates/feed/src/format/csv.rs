//! Rows of comma-separated values with quoted cells (RFC 4180).

use super::Document;
use crate::{Error, limits};

/// More columns than this is not one of our tables.
const MAX_COLUMNS: usize = 200;

/// Reads one row after the other.
pub(super) struct Rows {
    format: &'static str,
    number: u64,
    line: Vec<u8>,
}

impl Rows {
    pub(super) fn new(format: &'static str) -> Self {
        Self { format, number: 0, line: Vec::new() }
    }

    /// How many rows have been read.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next row that is not empty.
    pub(super) fn next(&mut self, document: &mut Document<'_>) -> Result<Option<Vec<String>>, Error> {
        let mut text = Vec::new();
        let mut quoted = false;
        loop {
            if !document.line(&mut self.line, limits::MAX_LINE_BYTES, self.format)? {
                if text.is_empty() {
                    return Ok(None);
                }
                return Err(Error::broken(document.name, self.format, "the file ends inside a quoted cell"));
            }
            text.extend_from_slice(&self.line);
            if text.is_empty() {
                continue;
            }
            // A cell may hold line breaks; then its quotes are not balanced yet.
            quoted ^= self.line.iter().fold(false, |odd, byte| odd ^ (*byte == b'"'));
            if !quoted {
                break;
            }
            text.push(b'\n');
            if text.len() as u64 > limits::MAX_LINE_BYTES {
                return Err(Error::limit(document.name, "the length of a row", limits::MAX_LINE_BYTES));
            }
        }
        self.number += 1;
        Ok(Some(cells(&String::from_utf8_lossy(&text))))
    }
}

fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = row.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                push(&mut cells, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted && cells.len() < MAX_COLUMNS => cells.push(String::new()),
            c => push(&mut cells, c),
        }
    }
    cells
}

fn push(cells: &mut [String], c: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(c);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn splits() {
        let cases: &[(&str, &[&str])] = &[
            ("a,b", &["a", "b"]),
            ("a,,", &["a", "", ""]),
            (r#""a,b",c"#, &["a,b", "c"]),
            (r#""say ""no""",c"#, &["say \"no\"", "c"]),
            ("\"two\nlines\",c", &["two\nlines", "c"]),
        ];
        for (row, cells) in cases {
            assert_eq!(super::cells(row), *cells, "{row}");
        }
    }
}

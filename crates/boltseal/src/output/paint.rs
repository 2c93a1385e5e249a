//! Words on a terminal: colour, width, and nothing that strangers could smuggle in.

use std::fmt::Write as _;

use boltseal_model::{Decision, Severity};

/// How text is dressed.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// Whether ANSI colours are welcome.
    pub colour: bool,
    /// Columns there are.
    pub width: usize,
}

impl Paint {
    /// `text` in the colour of `severity`.
    pub fn severity(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Critical => "1;97;41",
            Severity::High => "1;31",
            Severity::Medium => "33",
            Severity::Low => "36",
            Severity::Negligible => "2",
            Severity::Unknown => "35",
        };
        self.dress(code, text)
    }

    /// `text` in the colour of `decision`.
    pub fn decision(self, decision: Decision, text: &str) -> String {
        let code = match decision {
            Decision::Allow => "1;32",
            Decision::Warn => "1;33",
            Decision::Unknown => "1;35",
            Decision::Deny => "1;31",
        };
        self.dress(code, text)
    }

    /// Headings.
    pub fn bold(self, text: &str) -> String {
        self.dress("1", text)
    }

    /// What matters less.
    pub fn dim(self, text: &str) -> String {
        self.dress("2", text)
    }

    /// What must not be missed.
    pub fn alarm(self, text: &str) -> String {
        self.dress("1;31", text)
    }

    fn dress(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// `text` without characters that command a terminal or reverse the direction of reading.
///
/// Names, paths and titles come from images and feeds; a title must not be able to clear the screen or to draw a
/// green verdict.
pub fn clean(text: &str) -> String {
    let hostile = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if hostile(c) { '\u{fffd}' } else { c }).collect()
}

/// `text` on one line of at most `width` characters.
pub fn cut(text: &str, width: usize) -> String {
    let line = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= width {
        return line;
    }
    let mut short: String = line.chars().take(width.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// `text` broken at spaces into lines of at most `width` characters, each after the first behind `indent` spaces.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let (mut out, mut column) = (String::new(), indent);
    for word in clean(text).split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > width {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// `1 package`, `2 packages`, `1 vulnerability`, `2 vulnerabilities`, `2 days`.
pub fn count(number: usize, noun: &str) -> String {
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    match (number, stem) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_reaches_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\nd"), "a\u{fffd}[2Jb\u{fffd}c\nd");
        assert_eq!(cut("one\ttwo\n three", 40), "one\u{fffd}two three");
    }

    #[test]
    fn fits() {
        for (text, width, expected) in
            [("short", 5, "short"), ("a long title", 8, "a long…"), ("ääää", 3, "ää…"), ("", 3, "")]
        {
            assert_eq!(cut(text, width), expected);
        }
        assert_eq!(wrap("one two three", 10, 2), "one two\n  three");
        assert_eq!(count(2, "vulnerability"), "2 vulnerabilities");
        assert_eq!((count(1, "package"), count(2, "day")), ("1 package".to_owned(), "2 days".to_owned()));
    }
}

//! What is wrong with an expression, and where.

use std::fmt;

/// Characters of a line that are shown around the place.
const SHOWN: usize = 120;

/// What is wrong, where in the expression, and the line it is in with a caret under the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// Counted from one.
    pub line: u32,
    /// In characters, counted from one.
    pub column: u32,
    /// What is wrong, without the place.
    pub problem: String,
    /// The line, or the part of it around the place.
    pub text: String,
    /// Characters of `text` before the place.
    before: usize,
    /// Whether the budget was spent.
    pub spent: bool,
}

impl Error {
    /// At byte `at` of `source`.
    pub(crate) fn new(source: &str, at: usize, problem: impl Into<String>) -> Self {
        let at = at.min(source.len());
        let head = source.get(..at).unwrap_or(source);
        let start = head.rfind('\n').map_or(0, |newline| newline + 1);
        let line = source.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let column = head.get(start..).map_or(0, |text| text.chars().count());
        let skipped = column.saturating_sub(SHOWN / 2);
        let plain = |sign: char| if sign.is_control() { ' ' } else { sign };
        Self {
            line: u32::try_from(head.matches('\n').count() + 1).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
            problem: problem.into(),
            text: line.chars().skip(skipped).take(SHOWN).map(plain).collect(),
            before: column - skipped,
            spent: false,
        }
    }

    /// Place and problem in one line.
    pub fn sentence(&self) -> String {
        format!("line {}, column {}: {}", self.line, self.column, self.problem)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}\n  {:before$}^", self.sentence(), self.text, "", before = self.before)
    }
}

/// Why a function gives nothing.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// It cannot, with these values.
    Wrong(String),
    /// The budget is spent; nothing may absorb this.
    Spent,
}

/// The same, at a byte of the expression.
#[derive(Clone, Debug)]
pub(crate) struct Halt {
    pub(crate) at: u32,
    pub(crate) stop: Stop,
}

impl Stop {
    pub(crate) const fn at(self, at: u32) -> Halt {
        Halt { at, stop: self }
    }
}

impl From<String> for Stop {
    fn from(problem: String) -> Self {
        Self::Wrong(problem)
    }
}

impl From<&str> for Stop {
    fn from(problem: &str) -> Self {
        Self::Wrong(problem.to_owned())
    }
}

impl Halt {
    pub(crate) fn error(self, source: &str) -> Error {
        let at = self.at as usize;
        match self.stop {
            Stop::Wrong(problem) => Error::new(source, at, problem),
            Stop::Spent => {
                let problem = "more work than an expression may do: fewer comprehensions within each other";
                Error { spent: true, ..Error::new(source, at, problem) }
            }
        }
    }
}

//! Why a text is not a policy.

/// Every variant names the line, so that an editor can jump there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More text than any policy needs.
    #[error(
        "the policy has {found} bytes, more than the {limit} allowed: split it, or remove expired exceptions"
    )]
    TooLarge {
        /// Bytes of the text.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not YAML, or not the shape of a policy.
    #[error("policy line {line}, column {column}: {problem}")]
    Shape {
        /// From 1; 0 where the parser does not know.
        line: u64,
        /// From 1; 0 where the parser does not know.
        column: u64,
        /// What is wrong there.
        problem: String,
    },
    /// The right shape with a value that makes no sense.
    #[error("policy line {line}: {problem}")]
    Value {
        /// From 1.
        line: u64,
        /// What is wrong, and what to write instead.
        problem: String,
    },
}

impl From<serde_saphyr::Error> for Error {
    fn from(error: serde_saphyr::Error) -> Self {
        let error = error.without_snippet();
        let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
        Self::Shape { line, column, problem: problem(error, line, column) }
    }
}

fn problem(error: &serde_saphyr::Error, line: u64, column: u64) -> String {
    use serde_saphyr::{Error as Yaml, budget::BudgetBreach};
    match error {
        Yaml::SerdeUnknownField { field, expected, .. } => unknown("field", field, expected),
        Yaml::SerdeUnknownVariant { variant, expected, .. } => unknown("word", variant, expected),
        Yaml::DuplicateMappingKey { key, .. } => {
            format!("`{}` stands here twice: keep one", shown(key.as_deref().unwrap_or("a key")))
        }
        Yaml::Eof { .. } => "there is nothing here: a policy starts with `version: 1` and a name".to_owned(),
        Yaml::Budget { breach: BudgetBreach::Documents { .. }, .. } | Yaml::MultipleDocuments { .. } => {
            "a file holds one policy: put the second one into a file of its own".to_owned()
        }
        Yaml::Budget { breach, .. } => format!("more of something than a policy needs ({breach:?})"),
        other => {
            let text = other.to_string();
            // The parser repeats the place at the end; it is named once, in front.
            let place = format!(" at line {line}, column {column}");
            shown(text.strip_suffix(place.as_str()).unwrap_or(&text))
        }
    }
}

fn unknown(what: &str, found: &str, expected: &[&str]) -> String {
    let near = expected.iter().find(|word| distance(found, word) <= 2);
    let near = near.map(|word| format!("did you mean `{word}`? ")).unwrap_or_default();
    format!("unknown {what} `{}`; {near}known are: {}", shown(found), expected.join(", "))
}

/// Messages go to terminals, and the file may be anybody's.
fn shown(text: &str) -> String {
    text.chars().take(300).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// How many letters to add, leave out or change; enough of it to tell a slip from another word.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 40 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            left = (left + 1).min(*cell + 1).min(diagonal + usize::from(x != y));
            diagonal = std::mem::replace(cell, left);
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

//! Why an entry is not taken, and why a token fits none.

use uuid::Uuid;

use super::{MAX_CONDITIONS, MAX_TEXT};

/// Why an entry cannot be taken into the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FederationError {
    /// The issuer is no URL that keys may be fetched from.
    #[error("the issuer `{found}` is not an https URL without query and fragment")]
    Issuer {
        /// What is there.
        found: String,
    },
    /// A text is empty or too long.
    #[error("`{field}` has {found} bytes: 1 to {MAX_TEXT}")]
    Length {
        /// Which.
        field: &'static str,
        /// Bytes.
        found: usize,
    },
    /// Too many conditions.
    #[error("{found} conditions are more than {MAX_CONDITIONS}")]
    TooMany {
        /// Conditions.
        found: usize,
    },
    /// Anybody who has an account with the issuer would fit.
    #[error("every token of {issuer} would fit: {remedy}")]
    TooWide {
        /// The issuer.
        issuer: String,
        /// What to write.
        remedy: String,
    },
}

/// What a token said and an entry wanted: the first difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The claim: `iss`, `aud`, `sub` or the name of a condition.
    pub claim: String,
    /// What the entry wants.
    pub wanted: String,
    /// What the token says, made fit to be shown; `None` where it says nothing.
    pub found: Option<String>,
}

/// No entry fits a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no federation fits this token{}", .nearest.as_ref().map(|(id, difference)| format!(
    ": nearest is {id}, which wants `{}` to be `{}`{}",
    difference.claim,
    difference.wanted,
    difference.found.as_ref().map_or(", and it is not there".to_owned(), |found| format!(", not `{found}`")),
)).unwrap_or_default())]
pub struct Unmatched {
    /// The entry that fitted longest and the first thing that did not; `None` where the table is empty.
    pub nearest: Option<(Uuid, Difference)>,
}

//! Why a document says nothing to us.

/// Every variant names the document, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file cannot be read at all.
    #[error("cannot read {source_name}: {why}")]
    Unreadable {
        /// A file.
        source_name: String,
        /// What the system says.
        why: String,
    },
    /// Longer than [`super::MAX_BYTES`].
    #[error("{source_name}: longer than {limit} bytes, which no VEX document is")]
    TooLong {
        /// A file, or a referrer.
        source_name: String,
        /// The most there may be.
        limit: usize,
    },
    /// Not JSON, or fields of the wrong kind.
    #[error("{source_name}, line {line}, column {column}: {what}")]
    Json {
        /// A file, or a referrer.
        source_name: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// JSON, but none of the three formats.
    #[error(
        "{source_name}: neither OpenVEX (`@context`), nor CSAF (`document.category` is `csaf_vex`), nor CycloneDX (`bomFormat`)"
    )]
    NotVex {
        /// A file, or a referrer.
        source_name: String,
    },
    /// A field that the format wants is missing or says nothing that can be.
    #[error("{source_name}: {place}: {what}")]
    Field {
        /// A file, or a referrer.
        source_name: String,
        /// `statements[3].status`
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// More than anybody writes.
    #[error("{source_name}: more than {limit} {what}")]
    TooMany {
        /// A file, or a referrer.
        source_name: String,
        /// Of what.
        what: &'static str,
        /// The most there may be.
        limit: usize,
    },
}

/// The error of a document, at the place `place` in it.
pub(super) fn field(source: &str, place: impl Into<String>, what: impl Into<String>) -> Error {
    let what: String = what.into();
    Error::Field {
        source_name: source.to_owned(),
        place: place.into(),
        what: what.chars().take(200).collect(),
    }
}

/// What the JSON parser says.
pub(super) fn json(source: &str, error: &serde_json::Error) -> Error {
    // The position stands in fields of its own.
    let what = error.to_string();
    let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
    Error::Json {
        source_name: source.to_owned(),
        line: error.line(),
        column: error.column(),
        what: what.chars().take(200).collect(),
    }
}

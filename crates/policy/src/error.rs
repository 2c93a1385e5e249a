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

//! What every refusal looks like: RFC 9457, `application/problem+json`.

use serde::{Deserialize, Serialize};

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong, in a sentence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to do next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The action that was missing, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Where it was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

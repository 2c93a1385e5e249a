//! What an address or a form asks for, read without trust.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use url::form_urlencoded;

/// Longest value looked at; longer ones cannot name anything stored.
const MAX_VALUE: usize = 512;
/// Most pairs looked at; no page or form has more.
const MAX_PAIRS: usize = 32;

/// Names and values of a query or a form. The first of several counts; nonsense is simply not found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asking(Vec<(String, String)>);

impl Asking {
    /// Reads `application/x-www-form-urlencoded`.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(
            form_urlencoded::parse(encoded)
                .take(MAX_PAIRS)
                .map(|(name, value)| (name.into_owned(), value.chars().take(MAX_VALUE).collect()))
                .collect(),
        )
    }

    /// The value of `name`, or an empty text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(this, _)| this == name).map_or("", |(_, value)| value.trim())
    }

    /// All of it, in order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// As [`Asking::text`], and nothing when it is empty.
    pub(crate) fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Whether a box is ticked.
    pub(crate) fn ticked(&self, name: &str) -> bool {
        matches!(self.text(name), "yes" | "true" | "1" | "on")
    }

    /// A number of at least `least`, otherwise `least`.
    pub(crate) fn number(&self, name: &str, least: u64) -> u64 {
        self.text(name).parse().unwrap_or(least).max(least)
    }

    /// The value of `name` if it is one of `words`, otherwise the first of them.
    pub(crate) fn word(&self, name: &str, words: impl IntoIterator<Item = &'static str>) -> String {
        let mut words = words.into_iter().peekable();
        let first = words.peek().copied().unwrap_or_default();
        words.find(|word| *word == self.text(name)).unwrap_or(first).to_owned()
    }
}

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_without_trust() {
        let asking = Asking::parse(b"q=a%20b&q=second&page=0&sort=nonsense&kev=yes&%FF=%FF");
        assert_eq!(asking.text("q"), "a b");
        assert_eq!(asking.number("page", 1), 1);
        assert_eq!(asking.word("sort", ["pushed", "name"]), "pushed");
        assert!(asking.ticked("kev") && !asking.ticked("fixable"));
        let long = Asking::parse(format!("q={}", "x".repeat(100_000)).as_bytes());
        assert_eq!(long.text("q").len(), MAX_VALUE);
    }
}

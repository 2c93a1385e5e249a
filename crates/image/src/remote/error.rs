//! What a registry says no with, and what else can go wrong on the way to it.

use std::{fmt, io, time::Duration};

use boltseal_model::{Digest, ReferenceError};
use boltseal_wire::client::{self, Response};
use serde::Deserialize;

use crate::error::shown;

/// Bytes of an error answer or a token. Real ones have some kilobytes.
pub(super) const MAX_ANSWER: u64 = 256 << 10;
/// Words of one refusal that are kept. Registries send one; ours sends one for every reason.
const MAX_WORDS: usize = 10;

/// Why a request to a registry came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The registry answered, and said no.
    #[error("registry {registry}: {what}: {refusal}")]
    Refused {
        /// Host and port.
        registry: String,
        /// What was asked for.
        what: String,
        /// Its answer.
        refusal: Box<Refusal>,
    },
    /// There was no answer, or only a part of one.
    #[error("registry {registry}: {what}: {source}")]
    Unreachable {
        /// Host and port.
        registry: String,
        /// What was asked for.
        what: String,
        /// What happened.
        source: Box<client::Error>,
    },
    /// There was an answer, but it breaks the distribution specification.
    #[error("registry {registry}: {what}: {why}")]
    Answer {
        /// Host and port.
        registry: String,
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Bytes that are not what their digest promises.
    #[error("{what}: digest is {found}, expected {expected}: the content is damaged or was replaced")]
    Digest {
        /// Which content.
        what: String,
        /// Promised.
        expected: Box<Digest>,
        /// Computed.
        found: Box<Digest>,
    },
    /// The bytes to send could not be read, or those received not be kept.
    #[error("{what}: {source}")]
    Io {
        /// Of what.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// A manifest or index that breaks its format, or is more than we carry.
    #[error("{what}: {why}")]
    Content {
        /// Which one.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A text that names no repository, tag or digest.
    #[error("`{name}` is not a name in a registry: {why}")]
    Name {
        /// As given.
        name: String,
        /// What to write instead.
        why: &'static str,
    },
    /// A text that is no reference.
    #[error(transparent)]
    Reference(ReferenceError),
}

/// A registry's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status, 300 and above.
    pub status: u16,
    /// Its own words (distribution specification, "Error Codes"), if it said any.
    pub words: Vec<Word>,
    /// How long it wants us to wait.
    pub retry_after: Option<Duration>,
    /// Whether it knew who we are.
    pub logged_in: bool,
}

/// One of the errors in an answer, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Such as `MANIFEST_UNKNOWN`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Error {
    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// The registry's no, if that is what it is.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// The registry does not have it, or does not let us see that it has.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// We asked too often: 429, or the code `TOOMANYREQUESTS`.
    pub fn is_rate_limited(&self) -> bool {
        self.refusal().is_some_and(|refusal| {
            refusal.status == 429 || refusal.words.iter().any(|word| word.code == "TOOMANYREQUESTS")
        })
    }

    /// The registry cannot be reached or is out of order: another answer may come later.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => source.passing(),
            Self::Refused { refusal, .. } => refusal.status >= 500,
            _ => false,
        }
    }

    /// The registry wants a login, or another one, or says no to this one: 401, 403, or 405 for what is locked.
    pub fn is_denied(&self) -> bool {
        self.is_locked() || (matches!(self.status(), Some(401 | 403)) && !self.is_rate_limited())
    }

    /// The registry does not know such requests at all: 404, 405 or 501.
    pub fn is_unsupported(&self) -> bool {
        matches!(self.status(), Some(404 | 405 | 501)) && !self.is_locked()
    }

    /// The registry knows such requests, but this thing is locked: Azure's registries and ours answer 405 then.
    fn is_locked(&self) -> bool {
        const CODES: [&str; 2] = ["DENIED", "REGISTRY_DISALLOWED_OPERATION"];
        self.refusal().is_some_and(|refusal| {
            refusal.status == 405 && refusal.words.iter().any(|word| CODES.contains(&word.code.as_str()))
        })
    }

    /// How long the registry wants us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal()?.retry_after
    }

    pub(super) fn unreachable(registry: &str, what: &str, source: client::Error) -> Self {
        Self::Unreachable { registry: registry.to_owned(), what: shown(what), source: Box::new(source) }
    }

    pub(super) fn answer(registry: &str, what: &str, why: impl Into<String>) -> Self {
        Self::Answer { registry: registry.to_owned(), what: shown(what), why: why.into() }
    }

    pub(super) fn digest(what: impl Into<String>, expected: &Digest, found: Digest) -> Self {
        Self::Digest { what: what.into(), expected: Box::new(expected.clone()), found: Box::new(found) }
    }

    pub(super) fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }

    pub(super) fn content(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self::Content { what: what.into(), why: why.to_string() }
    }

    /// An error of ours that travelled as one of reading.
    pub(super) fn of_read(what: &str, source: io::Error) -> Self {
        source.downcast::<Self>().unwrap_or_else(|source| Self::io(what, source))
    }
}

impl Refusal {
    /// Reads what `answer` says.
    pub(super) fn read(answer: Response, logged_in: bool) -> Self {
        let status = answer.status();
        let retry_after = retry_after(&answer);
        let words = answer.bytes(MAX_ANSWER).map(|bytes| words(&bytes)).unwrap_or_default();
        Self { status, words, retry_after, logged_in }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered {}", self.status)?;
        for (at, word) in self.words.iter().enumerate() {
            f.write_str(if at == 0 { ": " } else { "; " })?;
            f.write_str(format!("{} {}", word.code, word.message).trim())?;
        }
        f.write_str(match self.status {
            401 if self.logged_in => "; the credentials were refused, log in again",
            401 => "; log in first (boltseal login, docker login or podman login)",
            429 => "; too many requests, wait or log in",
            413 => "; the registry takes nothing that large",
            _ => "",
        })?;
        match self.retry_after {
            Some(wait) => write!(f, "; it asks to wait {} s", wait.as_secs()),
            None => Ok(()),
        }
    }
}

/// `Retry-After` in seconds; a date would need a clock that agrees with the registry's.
pub(super) fn retry_after(answer: &Response) -> Option<Duration> {
    answer.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
}

/// The messages of an error answer.
fn words(bytes: &[u8]) -> Vec<Word> {
    #[derive(Deserialize)]
    struct Answer {
        errors: Vec<Problem>,
    }
    #[derive(Deserialize)]
    struct Problem {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(bytes) else { return Vec::new() };
    let word = |problem: &Problem| Word { code: shown(&problem.code), message: shown(&problem.message) };
    answer.errors.iter().take(MAX_WORDS).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_refusals_without_control_characters() {
        let answer = br#"{"errors":[{"code":"DENIED","message":"2 criticals\u001b[31m"},{"code":"X"}]}"#;
        let refusal = Refusal { status: 403, words: words(answer), retry_after: None, logged_in: true };
        assert_eq!(refusal.to_string(), "answered 403: DENIED 2 criticals\\u{1b}[31m; X");
        assert_eq!(words(b"<html>"), []);
    }

    #[test]
    fn tells_what_to_do() {
        let of = |status, code: &str| Error::Refused {
            registry: "r".into(),
            what: "w".into(),
            refusal: Box::new(Refusal {
                status,
                words: vec![Word { code: code.into(), message: String::new() }],
                retry_after: None,
                logged_in: false,
            }),
        };
        for (status, code, expected) in [
            (404, "", [true, false, false, false]),
            (429, "", [false, true, false, false]),
            (403, "TOOMANYREQUESTS", [false, true, false, false]),
            (403, "DENIED", [false, false, false, true]),
            (401, "", [false, false, false, true]),
            (500, "", [false, false, true, false]),
            (400, "", [false; 4]),
        ] {
            let error = of(status, code);
            let found =
                [error.is_not_found(), error.is_rate_limited(), error.is_unavailable(), error.is_denied()];
            assert_eq!(found, expected, "{status} {code}");
        }
    }
}

//! Why another registry did not give what it was asked for, and what our own clients are told.

use std::{io, time::Duration};

use axum::http::{StatusCode, header};
use boltseal_image::remote;

use crate::failure::{Code, Failure};

/// How long a registry is left alone that asked for it without saying for how long.
const DEFAULT_WAIT: Duration = Duration::from_mins(1);
/// The longest it is left alone: whoever asks for days is asked again after this.
const MAX_WAIT: Duration = Duration::from_mins(15);
/// When clients are told to come back that need a registry which is away.
const AWAY_SECONDS: &str = "10";

/// What went wrong. Cheap to clone: everybody who waits for the same thing hears the same.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// It does not have it.
    Missing(String),
    /// It does not let us have it.
    Denied(String),
    /// We asked too often.
    Limited {
        /// How long to leave it alone.
        wait: Duration,
        /// In its words.
        why: String,
    },
    /// It cannot be reached, or is out of order.
    Away(String),
    /// It sent something that is not what it should be.
    Wrong(String),
    /// Something is wrong here, or forbidden here.
    Ours(Failure),
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Manifest,
    Blob,
}

impl Trouble {
    /// Reads what the client of registries says.
    pub(crate) fn of(error: &remote::Error) -> Self {
        let why = error.to_string();
        if error.is_rate_limited() {
            let wait = error.retry_after().unwrap_or(DEFAULT_WAIT).min(MAX_WAIT);
            return Self::Limited { wait, why };
        }
        match error {
            _ if error.is_not_found() => Self::Missing(why),
            _ if error.is_denied() => Self::Denied(why),
            _ if error.is_unavailable() => Self::Away(why),
            remote::Error::Unreachable { .. } => Self::Away(why),
            remote::Error::Io { .. } => Self::Ours(Failure::fault(why)),
            _ => Self::Wrong(why),
        }
    }

    /// The same for one that came while reading a blob.
    pub(crate) fn of_read(error: io::Error) -> Self {
        match error.downcast::<remote::Error>() {
            Ok(error) => Self::of(&error),
            Err(error) => Self::Away(error.to_string()),
        }
    }

    /// A thread or task of ours ended unexpectedly.
    pub(crate) fn ended(error: impl std::fmt::Display) -> Self {
        Self::Ours(Failure::fault(error))
    }

    /// In a sentence.
    pub(crate) fn sentence(&self) -> &str {
        match self {
            Self::Missing(why)
            | Self::Denied(why)
            | Self::Away(why)
            | Self::Wrong(why)
            | Self::Limited { why, .. } => why,
            Self::Ours(failure) => failure.message(),
        }
    }

    /// What a client is told who wanted it, and there is nothing else to give.
    pub(crate) fn answer(self, wanted: Wanted) -> Failure {
        let unknown = match wanted {
            Wanted::Manifest => Code::ManifestUnknown,
            Wanted::Blob => Code::BlobUnknown,
        };
        match self {
            Self::Missing(why) => Failure::new(unknown, why),
            Self::Denied(why) => {
                let cure = "it is not there, or the upstream needs other credentials";
                Failure::new(Code::Denied, format!("{why}: {cure}"))
            }
            Self::Limited { wait, why } => Failure::new(Code::TooManyRequests, why)
                .header(header::RETRY_AFTER, wait.as_secs().max(1).to_string()),
            Self::Away(why) => Failure::new(unknown, format!("not stored here, and {why}"))
                .status(StatusCode::BAD_GATEWAY)
                .header(header::RETRY_AFTER, AWAY_SECONDS),
            Self::Wrong(why) => Failure::new(unknown, why).status(StatusCode::BAD_GATEWAY),
            Self::Ours(failure) => failure,
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Ours(failure)
    }
}

impl From<boltseal_store::Error> for Trouble {
    fn from(error: boltseal_store::Error) -> Self {
        Self::Ours(error.into())
    }
}

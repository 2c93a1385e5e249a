//! What can go wrong with a request, said once for people and once for programs.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use boltseal_audit::log;
use boltseal_flow::access::Missing;
use boltseal_identity::authority::Refused;

use crate::recorder::Error as Log;

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Nothing is there.
    #[error("there is no {0} here")]
    NotFound(String),
    /// It was here, and was archived.
    #[error("record {0} was archived")]
    Gone(u64),
    /// The address or the form makes no sense.
    #[error("{0}")]
    Asked(String),
    /// More bytes than a request may have.
    #[error("the request is longer than {0} bytes")]
    TooLarge(usize),
    /// As much of this runs as may.
    #[error("the server is busy with others of this kind")]
    Busy,
    /// Nobody is signed in.
    #[error("this needs you to sign in")]
    NotSignedIn,
    /// Too many failed attempts: seconds to wait.
    #[error("too many failed attempts by this name from your network: wait {0} seconds")]
    Wait(i64),
    /// The credentials are not good; what exactly is wrong stays inside.
    #[error("{0}")]
    Refused(Refused),
    /// A token of another issuer, or one that somebody signed themselves, that proves nothing here.
    #[error("{0}")]
    Foreign(String),
    /// Whoever asks may not.
    #[error("{}", .0.sentence)]
    Missing(Box<Missing>),
    /// An image that is not allowed.
    #[error("{0}")]
    Denied(String),
    /// A token that is good for some repositories only.
    #[error("this token is for the registry only")]
    Narrow,
    /// A change of who may do what that cannot be.
    #[error("{0}")]
    Conflict(String),
    /// The log cannot be read.
    #[error("the audit log cannot be read")]
    Log(crate::recorder::Error),
    /// A form of another site.
    #[error("this form was sent from another site, so it was not acted upon")]
    OtherSite,
    /// The store did not answer; the log says why, the visitor only that.
    #[error("the store did not answer")]
    Store(#[from] boltseal_store::Error),
    /// Writing a report failed.
    #[error("the report could not be written")]
    Format(#[from] std::io::Error),
}

/// Kept with a response, so that the frame around it can be made where the visitor is known.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// What is wrong.
    pub problem: String,
    /// What to do next.
    pub next: &'static str,
    /// The action that was missing, and where.
    pub missing: Option<(String, String)>,
}

impl Failure {
    /// A missing thing, named so that the sentence stays short whatever was asked for.
    pub(crate) fn missing(what: &str, name: &str) -> Self {
        Self::NotFound(format!("{what} `{}`", name.chars().take(120).collect::<String>()))
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Gone(_) => StatusCode::GONE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Asked(_) | Self::Store(boltseal_store::Error::Nul) => StatusCode::BAD_REQUEST,
            Self::NotSignedIn | Self::Refused(_) | Self::Foreign(_) => StatusCode::UNAUTHORIZED,
            Self::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::OtherSite | Self::Missing(_) | Self::Denied(_) | Self::Narrow => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Busy
            | Self::Log(Log::Unsealed { .. })
            | Self::Store(boltseal_store::Error::LogClosed(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(error) if error.is_full() => StatusCode::INSUFFICIENT_STORAGE,
            Self::Store(error) if error.is_of_the_storage() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Format(_) | Self::Log(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn next(&self) -> &'static str {
        match self {
            Self::Gone(_) => "Its hash is here, the entry itself in the folder audit-archive.",
            Self::TooLarge(_) => "Send less at a time.",
            Self::Busy | Self::Log(Log::Unsealed { .. }) => "Try again in a moment.",
            Self::NotFound(_) => "Check the name or the address. It may have been deleted.",
            Self::Asked(_) | Self::Store(boltseal_store::Error::Nul) => {
                "Correct the address or the form and try again."
            }
            Self::Store(error) if error.is_full() => "Make room on the server, then try again.",
            Self::NotSignedIn => {
                "Send HTTP Basic with your name and secret, or a bearer token: boltseal login."
            }
            Self::Refused(Refused::CodeNeeded) => "Give the one-time password as well.",
            Self::Refused(_) => "Sign in again.",
            Self::Foreign(_) => "Whoever may read the audit log finds the reason there.",
            Self::Missing(_) => "Ask whoever gives roles here for one that allows it.",
            Self::Denied(_) => "Run an image that is allowed, or have this one judged.",
            Self::Narrow => "Sign in with a name and secret, or with boltseal login.",
            Self::Conflict(_) => "Look at what is there, and change the request.",
            Self::Wait(_) => "Then try again with the right name and secret.",
            Self::OtherSite => "Open the page here and use the form on it.",
            Self::Store(_) | Self::Format(_) | Self::Log(_) => {
                "The log of the server says why. Try again in a moment."
            }
        }
    }
}

impl From<Log> for Failure {
    fn from(error: Log) -> Self {
        match error {
            Log::Log(log::Error::Archived { index, .. }) => Self::Gone(index),
            Log::Log(log::Error::NoEntry { index, .. }) => Self::missing("record", &index.to_string()),
            other => Self::Log(other),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wait { seconds } => Self::Wait(seconds),
            Refused::Busy => Self::Wait(1),
            other => Self::Refused(other),
        }
    }
}

impl From<crate::exchange::Error> for Failure {
    fn from(error: crate::exchange::Error) -> Self {
        use crate::exchange::Error;
        match error {
            Error::Asked(why) => Self::Asked(why),
            Error::Key(wrong) => Self::Asked(format!("`key`: {wrong}")),
            Error::Missing { what, name } => Self::missing(what, &name),
            Error::Store(error) => Self::Store(error),
            Error::Log(error) => error.into(),
            other => Self::Conflict(other.to_string()),
        }
    }
}

impl From<crate::access::Error> for Failure {
    fn from(error: crate::access::Error) -> Self {
        use boltseal_identity::EditError;

        use crate::access::Error;
        match error {
            Error::Missing(missing) => Self::Missing(missing),
            Error::Store(error) => Self::Store(error),
            Error::Edit(EditError::NotFound { kind, id }) => Self::missing(kind, &id),
            Error::Edit(EditError::Invalid(error)) => Self::Asked(error.to_string()),
            Error::Edit(error) => Self::Conflict(error.to_string()),
            other => Self::Asked(other.to_string()),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let of_the_storage = matches!(&self, Self::Store(error) if error.is_of_the_storage());
        if of_the_storage || self.status() == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = ?self, "a request failed");
        }
        let mut problem = self.to_string();
        if let Some(first) = problem.get(..1) {
            problem = first.to_uppercase() + problem.get(1..).unwrap_or_default();
        }
        let mut response = self.status().into_response();
        let missing = match &self {
            Self::Missing(missing) => {
                Some((missing.action.name().to_owned(), missing.scope.as_str().to_owned()))
            }
            _ => None,
        };
        if let Self::Wait(seconds) = self {
            response.headers_mut().insert("retry-after", seconds.into());
        } else if of_the_storage && response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert("retry-after", 10.into());
        }
        response.extensions_mut().insert(Told { problem, next: self.next(), missing });
        response
    }
}

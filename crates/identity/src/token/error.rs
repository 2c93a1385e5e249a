//! Why a token is not accepted, or not made.

use boltseal_model::Timestamp;

use super::Kind;
use crate::seal::SealError;

/// What is wrong with a token, or with the wish for one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not the form of our tokens.
    #[error("this is not a token of this server")]
    Malformed,
    /// The form of our tokens, but not sealed by us, or changed since.
    #[error("this token was not issued by this server, or its key was replaced twice since: sign in again")]
    NotOurs,
    /// Of another kind.
    #[error("this is a {found} token where a {wanted} token is needed")]
    Kind {
        /// What is accepted here.
        wanted: Kind,
        /// What came.
        found: Kind,
    },
    /// For somebody else.
    #[error("this token is for `{found}`, not for `{wanted}`")]
    Audience {
        /// Who we are.
        wanted: String,
        /// Whom it is for.
        found: String,
    },
    /// Over.
    #[error("this token expired at {at}: ask for another")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// From the future, so a clock is wrong.
    #[error("this token was issued at {at}, which is still to come: check the clocks")]
    NotYet {
        /// When.
        at: Timestamp,
    },
    /// Asked to make one that lives too long, or not at all.
    #[error("{found} seconds are no life for a {kind} token: 1 to {limit}")]
    Life {
        /// Of what.
        kind: Kind,
        /// Seconds asked for.
        found: i64,
        /// Seconds allowed.
        limit: i64,
    },
    /// Asked to make one that says too much.
    #[error("this token would be too long: ask for fewer scopes at once")]
    TooLong,
    /// See [`SealError`].
    #[error(transparent)]
    Seal(SealError),
}

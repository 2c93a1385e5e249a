//! Why a JWT is not believed.

use boltseal_model::Timestamp;

use super::MAX_JWT;

/// Every text in it comes from the token, shortened and made fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Too many bytes.
    #[error("the token has {found} bytes, more than {MAX_JWT}")]
    TooLarge {
        /// Bytes.
        found: usize,
    },
    /// Not a JWT in compact form.
    #[error("this is not a JWT: {part}: {problem}")]
    Malformed {
        /// Of the token.
        part: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Signed in a way that is not accepted, or not with the key that it names.
    #[error("the token is signed with `{found}`, which its key may not be used with")]
    Algorithm {
        /// The name.
        found: String,
    },
    /// It has extensions that must be understood (RFC 7515 section 4.1.11).
    #[error("the token has extensions that must be understood (`crit`), and none is here")]
    Critical,
    /// No key of the issuer has this id, or several fit a token without one.
    #[error("the issuer has no key {}", .id.as_ref().map_or("that alone fits a token without a key id".to_owned(), |id| format!("`{id}`")))]
    UnknownKey {
        /// The id in the token.
        id: Option<String>,
    },
    /// Not signed by that key, or changed since.
    #[error("the signature is wrong")]
    Signature,
    /// Nothing where something is needed.
    #[error("the token has no claim `{claim}`")]
    Missing {
        /// Its name.
        claim: &'static str,
    },
    /// Something else than what is needed.
    #[error("the claim `{claim}` is `{found}`, wanted is {wanted}")]
    Claim {
        /// Its name.
        claim: &'static str,
        /// What is needed.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// Over.
    #[error("the token expired at {at}")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// Not yet to be used, or from the future: a clock is wrong.
    #[error(
        "the token is good from {at} on, by its claim `{claim}`, which is still to come: check the clocks"
    )]
    NotYet {
        /// `nbf` or `iat`.
        claim: &'static str,
        /// When.
        at: Timestamp,
    },
}

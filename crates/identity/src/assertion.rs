//! Client assertions: a service principal proves itself by a JWT that it signed (RFC 7523 section 2.2, as Entra has it).
//!
//! The header names a registered certificate by its thumbprint; `iss` and `sub` are the client; `aud` is the token
//! endpoint; it lives an hour at most and works once.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_model::Timestamp;

pub use crate::expiring::Full;
use crate::{
    credential::{Certificate, Credentials},
    expiring::Expiring,
    jwt::{Expected, JwtError, LEEWAY, Unverified},
    primitive::{same, sha256},
};

/// What `client_assertion_type` must be (RFC 7523 section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Seconds that an assertion may live. Entra's libraries take ten minutes.
pub const MAX_LIFE: i64 = 3600;
/// Assertions remembered so that none works twice: an hour of 27 sign-ins a second.
pub const MAX_SEEN: usize = 100_000;

/// Why an assertion proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// See [`JwtError`].
    #[error("the client assertion: {0}")]
    Jwt(#[from] JwtError),
    /// The header names no certificate.
    #[error("the client assertion names no certificate: its header needs `x5t#S256` or `x5t`")]
    Unnamed,
    /// The client registered no such certificate.
    #[error("the client has no certificate with the thumbprint `{thumbprint}`")]
    UnknownCertificate {
        /// As in the header, shortened.
        thumbprint: String,
    },
    /// Its certificate has expired, or is not valid yet.
    #[error("the certificate of the client is good until {until} and not now")]
    CertificateExpired {
        /// The end.
        until: Timestamp,
    },
    /// It lives too long.
    #[error("the client assertion lives until {at}: an hour at most")]
    TooLong {
        /// Its end.
        at: Timestamp,
    },
    /// It came before.
    #[error("the client assertion was used before: sign another")]
    Repeated,
    /// Too many are remembered.
    #[error(transparent)]
    Full(#[from] Full),
}

/// Assertions that were used and have not expired.
#[derive(Clone, Debug)]
pub struct Seen(Expiring<[u8; 32]>);

impl Seen {
    /// None.
    pub const fn new() -> Self {
        Self(Expiring::new(MAX_SEEN))
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self::new()
    }
}

/// The client that an assertion is from, before it is believed: good for finding its credentials.
///
/// # Errors
/// Where it is no JWT, or says nobody.
pub fn client(assertion: &str) -> Result<String, AssertionError> {
    let token = Unverified::parse(assertion)?;
    Ok(token.subject().ok_or(JwtError::Missing { claim: "sub" })?.to_owned())
}

/// Believes an assertion: it was signed by a certificate of `credentials`, for `client_id`, for one of `endpoints`, and
/// was not seen before. The certificate comes back, for the log.
///
/// # Errors
/// See [`AssertionError`].
pub fn verify<'a>(
    assertion: &str,
    client_id: &str,
    credentials: &'a Credentials,
    endpoints: &[&str],
    seen: &mut Seen,
    now: Timestamp,
) -> Result<&'a Certificate, AssertionError> {
    let token = Unverified::parse(assertion)?;
    let certificate = select(&token, credentials)?;
    if !certificate.is_valid(now) {
        return Err(AssertionError::CertificateExpired { until: certificate.expires() });
    }
    let algorithm = token.header().algorithm;
    if !certificate.algorithms().contains(&algorithm) {
        return Err(JwtError::Algorithm { found: format!("{algorithm:?}") }.into());
    }
    let expected = Expected { issuer: client_id, audiences: endpoints };
    let verified = token.verify_with(&certificate.decoding_key(), &expected, now)?;
    let claims = &verified.claims;
    claims.check_is("sub", client_id)?;
    let expires = claims.expires().ok_or(JwtError::Missing { claim: "exp" })?;
    if expires.as_second() > now.as_second().saturating_add(MAX_LIFE + LEEWAY) {
        return Err(AssertionError::TooLong { at: expires });
    }
    let id = claims.id().ok_or(JwtError::Missing { claim: "jti" })?;
    // An id is the client's choice, so it is remembered together with the client. The leeway is added because the
    // assertion is believed so much longer.
    let end = Timestamp::from_second(expires.as_second().saturating_add(LEEWAY)).unwrap_or(Timestamp::MAX);
    let key = sha256(format!("{}:{client_id}:{id}", client_id.len()).as_bytes());
    if seen.0.add(key, end, now)? { Ok(certificate) } else { Err(AssertionError::Repeated) }
}

/// The certificate that the header names, by SHA-256 where it has both.
fn select<'a>(
    token: &Unverified<'_>,
    credentials: &'a Credentials,
) -> Result<&'a Certificate, AssertionError> {
    let header = token.header();
    let by_sha256 = header.thumbprint.as_ref().map(|text| (text, true));
    let (text, is_sha256) = by_sha256
        .or(header.thumbprint_sha1.as_ref().map(|text| (text, false)))
        .ok_or(AssertionError::Unnamed)?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).unwrap_or_default();
    let fits = |certificate: &&Certificate| {
        let own: &[u8] = if is_sha256 { certificate.thumbprint() } else { certificate.thumbprint_sha1() };
        same(own, &bytes)
    };
    let unknown = || AssertionError::UnknownCertificate { thumbprint: crate::json::shown(text) };
    credentials.certificates.iter().find(fits).ok_or_else(unknown)
}

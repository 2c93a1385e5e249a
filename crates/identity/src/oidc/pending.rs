//! What is remembered between sending a browser away and its coming back, sealed into a cookie of its own.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::OidcError;
use crate::{
    primitive::{random, sha256},
    seal::{Keys, Purpose},
    secret::Secret,
};

/// Seconds to sign in at the issuer.
pub const PENDING_LIFE: i64 = 600;
/// Bytes of the page to return to.
const MAX_RETURN_TO: usize = 512;
/// Bytes of a cookie value; browsers keep 4 KiB with its name.
const MAX_COOKIE: usize = 3 << 10;
/// So that the form may change.
const FORM: &[u8] = b"boltseal oidc 1";

/// A sign-in that has begun.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    issuer: String,
    state: Zeroizing<String>,
    nonce: Zeroizing<String>,
    verifier: Zeroizing<String>,
    return_to: String,
    expires: Timestamp,
}

impl Pending {
    pub(super) fn new(issuer: &str, return_to: &str, now: Timestamp) -> Result<Self, OidcError> {
        if !is_local(return_to) {
            return Err(OidcError::ReturnTo);
        }
        let word = || random::<32>().map(|bytes| Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes)));
        let end = now.as_second().saturating_add(PENDING_LIFE);
        Ok(Self {
            issuer: issuer.to_owned(),
            state: word()?,
            nonce: word()?,
            verifier: word()?,
            return_to: return_to.to_owned(),
            expires: Timestamp::from_second(end).unwrap_or(Timestamp::MAX),
        })
    }

    /// The value for a cookie: `HttpOnly`, `Secure`, `SameSite=Lax`, for [`PENDING_LIFE`] seconds.
    ///
    /// # Errors
    /// [`OidcError::Seal`]
    pub fn seal(&self, keys: &Keys) -> Result<Secret, OidcError> {
        let plain = serde_json::to_vec(self).map_err(|_| OidcError::Unknown)?;
        let plain = Zeroizing::new(plain);
        let value = URL_SAFE_NO_PAD.encode(keys.seal(Purpose::Cookie, &plain, FORM)?);
        if value.len() > MAX_COOKIE { Err(OidcError::ReturnTo) } else { Ok(Secret::new(value)) }
    }

    /// What [`Pending::seal`] made, while it is not over.
    ///
    /// # Errors
    /// [`OidcError::Unknown`]
    pub fn open(value: &str, keys: &Keys, now: Timestamp) -> Result<Self, OidcError> {
        let sealed = Some(value).filter(|value| value.len() <= MAX_COOKIE);
        let sealed = sealed.and_then(|value| URL_SAFE_NO_PAD.decode(value).ok()).ok_or(OidcError::Unknown)?;
        let plain = keys.open(Purpose::Cookie, &sealed, FORM).map_err(|_| OidcError::Unknown)?;
        let pending: Self = serde_json::from_slice(&plain).map_err(|_| OidcError::Unknown)?;
        if pending.is_over(now) { Err(OidcError::Unknown) } else { Ok(pending) }
    }

    /// The page of this server to go to afterwards.
    pub fn return_to(&self) -> &str {
        &self.return_to
    }

    /// Where the browser was sent.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    /// `code_challenge` (RFC 7636 section 4.2, S256).
    pub(super) fn challenge(&self) -> String {
        challenge(&self.verifier)
    }
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}

/// Whether a browser stays with us: `//host` and `/\host` lead elsewhere.
fn is_local(path: &str) -> bool {
    let mut bytes = path.bytes();
    bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && path.len() <= MAX_RETURN_TO
        && !path.chars().any(char::is_control)
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, return_to, expires, .. } = self;
        f.debug_struct("Pending")
            .field("issuer", issuer)
            .field("return_to", return_to)
            .field("expires", expires)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn only_our_own_pages_follow_a_sign_in() {
        for (path, local) in [
            ("/", true),
            ("/images?q=a", true),
            ("", false),
            ("images", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example", false),
            ("/a\r\nSet-Cookie: x", false),
        ] {
            assert_eq!(is_local(path), local, "{path}");
        }
    }
}

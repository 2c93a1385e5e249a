//! Tokens of other issuers: JWTs (RFC 7519) signed as JWS in compact form (RFC 7515).
//!
//! Everything in one is a stranger's word until [`Unverified::verify`] has checked the signature with a key that we
//! chose, and who made it, for whom and for when. `jku`, `x5u`, `jwk` and `x5c` are never followed, `none` and `HS*`
//! do not exist here, and extensions that must be understood (`crit`) are refused.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_model::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

pub use claims::Claims;
pub use error::JwtError;

use crate::{
    json::{object, shown},
    jwks::{Jwks, MAX_KEY_ID, NoKey, algorithm},
};

mod claims;
mod error;

/// Bytes of a token. Entra's with 200 groups has about 10 KiB.
pub const MAX_JWT: usize = 16 << 10;
/// Fields of a header; known ones are fewer.
const MAX_HEADER: usize = 32;
/// Seconds that clocks may differ (RFC 7519 section 4.1.4: "no more than a few minutes").
pub const LEEWAY: i64 = 60;

/// What a token must say, beyond a genuine signature.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// `iss`, exactly.
    pub issuer: &'a str,
    /// `aud` must be, or contain, one of these, exactly.
    pub audiences: &'a [&'a str],
}

/// A token taken apart and not yet believed.
pub struct Unverified<'a> {
    header: Header,
    claims: Map<String, Value>,
    /// What is signed: header and payload as they came.
    signed: &'a str,
    signature: &'a str,
}

/// The fields of a header that mean something here.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
    pub(crate) thumbprint_sha1: Option<String>,
    pub(crate) thumbprint: Option<String>,
}

/// A token that was verified.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What it says.
    pub claims: Claims,
    /// What it was signed with.
    pub(crate) algorithm: Algorithm,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`JwtError::TooLarge`], [`JwtError::Malformed`], [`JwtError::Algorithm`], [`JwtError::Critical`]
    pub fn parse(text: &'a str) -> Result<Self, JwtError> {
        if text.len() > MAX_JWT {
            return Err(JwtError::TooLarge { found: text.len() });
        }
        let malformed = |part, problem: &str| JwtError::Malformed { part, problem: problem.to_owned() };
        let (signed, signature) =
            text.rsplit_once('.').ok_or_else(|| malformed("token", "it has no dots"))?;
        let (header, payload) = signed.split_once('.').ok_or_else(|| malformed("token", "it has one dot"))?;
        if payload.contains('.') {
            return Err(malformed("token", "it has more than three parts"));
        }
        if URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err(malformed("signature", "not base64url"));
        }
        let header = Header::read(&part("header", header)?)?;
        Ok(Self { header, claims: part("payload", payload)?, signed, signature })
    }

    /// Who claims to have made it: good for finding keys, and for nothing else.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// Whom it claims to be about: good for finding keys, and for nothing else.
    pub fn subject(&self) -> Option<&str> {
        self.claims.get("sub").and_then(Value::as_str)
    }

    /// Which key it claims to be signed with: good for deciding whether the key set is out of date.
    pub fn key_id(&self) -> Option<&str> {
        self.header.key_id.as_deref()
    }

    pub(crate) const fn header(&self) -> &Header {
        &self.header
    }

    /// Believes it, where `keys` and `expected` say so.
    ///
    /// # Errors
    /// See [`JwtError`]: the first thing that is wrong.
    pub fn verify(self, keys: &Jwks, expected: &Expected<'_>, now: Timestamp) -> Result<Verified, JwtError> {
        let Header { algorithm, key_id, .. } = &self.header;
        let key = keys.find(key_id.as_deref(), *algorithm).map_err(|reason| match reason {
            NoKey::Unknown => JwtError::UnknownKey { id: key_id.as_deref().map(shown) },
            NoKey::Algorithm => JwtError::Algorithm { found: format!("{algorithm:?}") },
        })?;
        self.verify_with(key, expected, now)
    }

    /// The same with one key, whose algorithms the caller has checked.
    pub(crate) fn verify_with(
        self,
        key: &DecodingKey,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<Verified, JwtError> {
        let algorithm = self.header.algorithm;
        let genuine = jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm);
        if !genuine.unwrap_or(false) {
            return Err(JwtError::Signature);
        }
        let claims = Claims::new(self.claims);
        claims.check(expected, now)?;
        Ok(Verified { claims, algorithm })
    }
}

impl std::fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unverified").field("header", &self.header).finish_non_exhaustive()
    }
}

impl Header {
    fn read(fields: &Map<String, Value>) -> Result<Self, JwtError> {
        let malformed = |problem: String| JwtError::Malformed { part: "header", problem };
        if fields.len() > MAX_HEADER {
            return Err(malformed(format!("{} fields are more than {MAX_HEADER}", fields.len())));
        }
        let text = |name: &str| match fields.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= MAX_KEY_ID => Ok(Some(text.clone())),
            Some(_) => Err(malformed(format!("`{name}` is no text, or too long"))),
        };
        if fields.contains_key("crit") {
            return Err(JwtError::Critical);
        }
        let name = text("alg")?.ok_or_else(|| malformed("it has no `alg`".to_owned()))?;
        let algorithm = algorithm(&name).ok_or_else(|| JwtError::Algorithm { found: shown(&name) })?;
        Ok(Self {
            algorithm,
            key_id: text("kid")?,
            thumbprint_sha1: text("x5t")?,
            thumbprint: text("x5t#S256")?,
        })
    }
}

fn part(name: &'static str, text: &str) -> Result<Map<String, Value>, JwtError> {
    let malformed = |problem| JwtError::Malformed { part: name, problem };
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed("not base64url".to_owned()))?;
    object(&bytes).map_err(malformed)
}

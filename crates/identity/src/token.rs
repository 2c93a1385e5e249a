//! Internal tokens: sealed, opaque, and checked without asking anybody.
//!
//! A token says who, for which audience, how that was proven and until when. Only the server's key can write or read
//! it, so opening one needs no I/O and takes a few microseconds at most. What sealing cannot know, the caller asks:
//! whether the principal's epoch moved on (everything issued before is void), and whether this one token is
//! [`Revoked`].

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_model::Timestamp;

pub use crate::expiring::Full;
use crate::{
    expiring::Expiring,
    primitive::random,
    seal::{Keys, Purpose, SealError},
    secret::Secret,
};

pub use claims::{Claims, Grant, Kind, Method, TokenId};
pub use error::TokenError;

mod binary;
mod claims;
mod error;

/// So that secret scanners, ours included, can recognise one.
pub const PREFIX: &str = "bst_";
/// Longer ones are not ours: a token has to fit the header lines of every proxy, 8 KiB at the tightest.
pub const MAX_TOKEN: usize = 7 << 10;
/// Longest audience: a URL with a host name of 253 characters at most.
pub const MAX_AUDIENCE: usize = 255;
/// Tokens revoked one by one. Beyond that, move the principal's epoch.
pub const MAX_REVOKED: usize = 10_000;
/// Bound to every token, so that its form may change.
const FORM: &[u8] = b"boltseal token 1";

/// A token just made.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token itself, to be sent.
    pub token: Secret,
    /// What it says, for the answer and the log.
    pub claims: Claims,
}

/// Seconds that the clock of a replica may run ahead of ours.
const SKEW: i64 = 60;

impl Keys {
    /// Makes a token that lives `life` seconds.
    ///
    /// # Errors
    /// [`TokenError::Life`], [`TokenError::TooLong`], [`TokenError::Seal`]
    pub fn issue(&self, grant: Grant, life: i64, now: Timestamp) -> Result<Issued, TokenError> {
        let (kind, limit) = (grant.kind, grant.kind.longest_life());
        let wrong = TokenError::Life { kind, found: life, limit };
        if !(1..=limit).contains(&life) {
            return Err(wrong);
        }
        let issued = Timestamp::from_second(now.as_second()).map_err(|_| wrong.clone())?;
        let expires = Timestamp::from_second(now.as_second().saturating_add(life)).map_err(|_| wrong)?;
        let id = TokenId::new(random().map_err(|error| TokenError::Seal(error.into()))?);
        let claims = Claims { id, issued, expires, grant };
        let plain = binary::write(&claims).ok_or(TokenError::TooLong)?;
        let sealed = self.seal(Purpose::Token, &plain, FORM).map_err(TokenError::Seal)?;
        let mut text = String::with_capacity(PREFIX.len() + sealed.len().div_ceil(3) * 4);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(&sealed, &mut text);
        if text.len() > MAX_TOKEN {
            return Err(TokenError::TooLong);
        }
        Ok(Issued { token: Secret::new(text), claims })
    }

    /// What a token says, where it is genuine, of this kind, for this audience, and has not expired. Its scopes, the
    /// epoch and [`Revoked`] are still to be asked.
    ///
    /// # Errors
    /// Every variant of [`TokenError`] but those about making one.
    pub fn open_token(
        &self,
        token: &str,
        kind: Kind,
        audience: &str,
        now: Timestamp,
    ) -> Result<Claims, TokenError> {
        let claims = self.read_token(token)?;
        if claims.grant.kind != kind {
            return Err(TokenError::Kind { wanted: kind, found: claims.grant.kind });
        }
        if claims.grant.audience != audience {
            return Err(TokenError::Audience { wanted: audience.to_owned(), found: claims.grant.audience });
        }
        if claims.expires <= now {
            return Err(TokenError::Expired { at: claims.expires });
        }
        if claims.issued.as_second() > now.as_second().saturating_add(SKEW) {
            return Err(TokenError::NotYet { at: claims.issued });
        }
        Ok(claims)
    }

    fn read_token(&self, token: &str) -> Result<Claims, TokenError> {
        let text =
            token.strip_prefix(PREFIX).filter(|_| token.len() <= MAX_TOKEN).ok_or(TokenError::Malformed)?;
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Malformed)?;
        let plain = self.open(Purpose::Token, &sealed, FORM).map_err(|error| match error {
            SealError::NotOurs => TokenError::NotOurs,
            other => TokenError::Seal(other),
        })?;
        binary::read(&plain).ok_or(TokenError::NotOurs)
    }
}

/// Tokens that are void although they have not expired. Bounded: what has expired is forgotten.
#[derive(Clone, Debug)]
pub struct Revoked(Expiring<TokenId>);

impl Revoked {
    /// None.
    pub const fn new() -> Self {
        Self(Expiring::new(MAX_REVOKED))
    }

    /// Voids a token until it expires by itself.
    ///
    /// # Errors
    /// [`Full`] at [`MAX_REVOKED`]: then move the principal's epoch, which voids all its tokens.
    pub fn add(&mut self, id: TokenId, expires: Timestamp, now: Timestamp) -> Result<(), Full> {
        self.0.add(id, expires, now).map(|_| ())
    }

    /// Whether a token was voided.
    pub fn has(&self, id: TokenId) -> bool {
        self.0.has(&id)
    }
}

impl Default for Revoked {
    fn default() -> Self {
        Self::new()
    }
}

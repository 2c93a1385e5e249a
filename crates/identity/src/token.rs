//! Internal tokens: sealed, opaque, and checked without asking anybody.
//!
//! A token says who, for which audience, how that was proven and until when. Only the server's key can write or read
//! it, so opening one needs no I/O and takes a few microseconds at most. What sealing cannot know, the caller asks:
//! whether the principal's epoch moved on (everything issued before is void), and whether this one token is
//! [`Revoked`].

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_model::Timestamp;
use uuid::Uuid;

pub use crate::expiring::Full;
use crate::{
    expiring::Expiring,
    primitive::random,
    registry_scope::RegistryScopes,
    seal::{Keys, Purpose, SealError},
    secret::Secret,
};

mod binary;

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

/// What a token is for. One kind is never accepted for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Sent with requests: registry, API, vaults.
    Access,
    /// Exchanged for access tokens, as ACR's `/oauth2/exchange` gives.
    Refresh,
    /// In the cookie of the dashboard.
    Session,
    /// In a one-time sign-in link.
    Link,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Access, Self::Refresh, Self::Session, Self::Link];

    /// Seconds that one lives unless the settings say otherwise.
    pub const fn life(self) -> i64 {
        match self {
            // Long enough for a push over a slow line between two requests, short enough to be forgotten.
            Self::Access => 30 * 60,
            // ACR's refresh tokens live three hours.
            Self::Refresh => 3 * 3600,
            // A working day; idle ones end sooner, which the server counts.
            Self::Session => 12 * 3600,
            // Long enough to walk to another machine, short enough to be lost in a log.
            Self::Link => 15 * 60,
        }
    }

    /// The most seconds that one may live: revocation by id has to remember it so long.
    pub const fn longest_life(self) -> i64 {
        match self {
            Self::Access | Self::Link => 3600,
            Self::Session => 12 * 3600,
            Self::Refresh => 7 * 24 * 3600,
        }
    }

    /// For people and the log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Session => "session",
            Self::Link => "link",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How a principal proved who it is. Tokens made from tokens keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Nobody signed in.
    Anonymous,
    /// A password alone.
    Password,
    /// A password and a one-time password.
    PasswordAndTotp,
    /// A password and a recovery code.
    PasswordAndRecovery,
    /// A secret of a service principal: which.
    Secret(Uuid),
    /// A client assertion, signed by a registered certificate (RFC 7523).
    Certificate,
    /// A token of another issuer: by which entry of the federation table.
    Federation(Uuid),
    /// A one-time link.
    Link,
    /// A quorum of break-glass shares.
    Shares,
}

impl Method {
    /// For people and the log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Password => "password",
            Self::PasswordAndTotp => "password and one-time password",
            Self::PasswordAndRecovery => "password and recovery code",
            Self::Secret(_) => "secret",
            Self::Certificate => "certificate",
            Self::Federation(_) => "federation",
            Self::Link => "one-time link",
            Self::Shares => "break-glass shares",
        }
    }
}

/// Names one token, for the log and for revoking it. Random.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId([u8; 16]);

impl TokenId {
    /// From the bytes that [`TokenId::bytes`] gave.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({self})")
    }
}

/// What to write into a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What the token is for.
    pub kind: Kind,
    /// Who.
    pub principal: Uuid,
    /// The principal's epoch: the caller refuses a token with another.
    pub epoch: u32,
    /// How that was proven.
    pub method: Method,
    /// Where the token is good: the registry's service name, the resource of a vault.
    pub audience: String,
    /// What it allows in a registry.
    pub scopes: RegistryScopes,
}

/// What a genuine token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Names this token.
    pub id: TokenId,
    /// When it was made, in whole seconds.
    pub issued: Timestamp,
    /// The first moment at which it is void, in whole seconds.
    pub expires: Timestamp,
    /// What it is for, and whose it is.
    pub grant: Grant,
}

impl Claims {
    /// Whether it was issued before the principal's epoch moved on: then it is void.
    pub const fn is_outdated(&self, epoch: u32) -> bool {
        self.grant.epoch != epoch
    }

    /// Seconds left at `now`; 0 where it has expired.
    pub fn seconds_left(&self, now: Timestamp) -> i64 {
        self.expires.as_second().saturating_sub(now.as_second()).max(0)
    }
}

/// A token just made.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token itself, to be sent.
    pub token: Secret,
    /// What it says, for the answer and the log.
    pub claims: Claims,
}

/// Why a token is not accepted, or not made.
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
        let id = TokenId(random().map_err(|error| TokenError::Seal(error.into()))?);
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
    pub fn add(&mut self, claims: &Claims, now: Timestamp) -> Result<(), Full> {
        self.0.add(claims.id, claims.expires, now).map(|_| ())
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

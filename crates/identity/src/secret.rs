//! Secrets that are shown once, and what is kept of them.
//!
//! A secret of a service principal is 256 random bits. With that much randomness a slow password hash would protect
//! nothing and would cost every request, so a salted HMAC-SHA-256 is kept: checking a guess takes about a microsecond.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use crate::primitive::NoRandomness;
use crate::primitive::{hmac_sha256, random, same};

/// So that secret scanners, ours included, can recognise one.
pub const PREFIX: &str = "bsl_";
/// Bytes of randomness in a secret: beyond guessing, and beyond guessing with the hint known.
const BYTES: usize = 32;
/// Characters of the secret that stay visible, so that people can tell two apart. They give away 24 of 256 bits.
const HINT: usize = 4;
/// Longer guesses are not looked at; [`Secret::generate`] makes 47 characters.
const MAX_GUESS: usize = 256;

/// Text that proves something to whoever holds it. It cannot be printed by accident, and its memory is wiped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A fresh one: [`PREFIX`] and 256 random bits in base64url.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn generate() -> Result<Self, NoRandomness> {
        let bytes = Zeroizing::new(random::<BYTES>()?);
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + BYTES.div_ceil(3) * 4));
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        Ok(Self(text))
    }

    /// Takes over a text that came from outside.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that shows or sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is kept of a secret. Whoever reads it cannot find the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredSecret {
    id: Uuid,
    #[serde(with = "hex::serde")]
    salt: [u8; 32],
    #[serde(with = "hex::serde")]
    hmac: [u8; 32],
    created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    hint: String,
}

impl StoredSecret {
    /// What to keep of `secret`. It stops working at `expires`.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn new(
        secret: &Secret,
        created: Timestamp,
        expires: Option<Timestamp>,
    ) -> Result<Self, NoRandomness> {
        let salt = random()?;
        let text = secret.expose();
        let hint = text.strip_prefix(PREFIX).unwrap_or_default().chars().take(HINT).collect();
        let id = uuid::Builder::from_random_bytes(random()?).into_uuid();
        Ok(Self { id, salt, hmac: hmac_sha256(&salt, text.as_bytes()), created, expires, hint })
    }

    /// Whether `guess` is the secret and has not expired. Takes the same time whatever the guess.
    pub fn verify(&self, guess: &str, now: Timestamp) -> bool {
        let genuine =
            guess.len() <= MAX_GUESS && same(&hmac_sha256(&self.salt, guess.as_bytes()), &self.hmac);
        genuine && self.expires.is_none_or(|end| now < end)
    }

    /// Takes as long as [`StoredSecret::verify`], where there is nothing to verify.
    pub(crate) fn verify_nothing(guess: &str) {
        let nothing = [0; 32];
        std::hint::black_box(
            guess.len() <= MAX_GUESS && same(&hmac_sha256(&nothing, guess.as_bytes()), &nothing),
        );
    }

    /// Names this secret in the log and in `delete`.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// When it was made.
    pub const fn created(&self) -> Timestamp {
        self.created
    }

    /// The first moment at which it no longer works.
    pub const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// The four characters after [`PREFIX`], to tell one secret from another.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, created, expires, hint, .. } = self;
        f.debug_struct("StoredSecret")
            .field("id", id)
            .field("created", created)
            .field("expires", expires)
            .field("hint", hint)
            .finish_non_exhaustive()
    }
}

//! One-time passwords by time (TOTP, RFC 6238) and recovery codes.
//!
//! HMAC-SHA-1, six digits, thirty seconds: what every authenticator application speaks. A step is used once; the
//! caller remembers the last one, in memory, because signing in writes no rows.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    base32,
    primitive::{NoRandomness, hmac_sha256, random, same},
    seal::{Keys, Purpose, SealError},
    secret::Secret,
};

/// Seconds of a step (RFC 6238 section 5.2).
pub const STEP: i64 = 30;
/// Digits of a code.
const DIGITS: usize = 6;
const MODULUS: u32 = 1_000_000;
/// Bytes of a seed: as many as SHA-1 gives (RFC 4226 section 4, R6).
const SEED: usize = 20;
/// Recovery codes made at once.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of a recovery code: 80 bits are beyond guessing, and 16 characters can be typed.
const RECOVERY: usize = 10;
/// Longer texts are no code.
const MAX_TYPED: usize = 64;

/// The number of a step since 1970. Codes of this step and of those before are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(pub i64);

/// A seed that the server and an authenticator application share.
#[derive(Clone)]
pub struct Totp(Zeroizing<[u8; SEED]>);

impl Totp {
    /// A fresh one.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn generate() -> Result<Self, NoRandomness> {
        Ok(Self(Zeroizing::new(random()?)))
    }

    /// Takes over a seed.
    pub fn new(seed: [u8; SEED]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// What to show as a QR code: the `otpauth` URI of Google Authenticator's key URI format.
    pub fn uri(&self, issuer: &str, account: &str) -> Secret {
        let (issuer, account) = (escaped(issuer), escaped(account));
        let seed = Zeroizing::new(base32::encode(base32::RFC4648, self.0.as_slice()));
        let (seed, digits) = (seed.as_str(), DIGITS);
        Secret::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={seed}&issuer={issuer}&algorithm=SHA1&digits={digits}&period={STEP}"
        ))
    }

    /// What to type where no QR code can be read: the seed in base32.
    pub fn text(&self) -> Secret {
        Secret::new(base32::encode(base32::RFC4648, self.0.as_slice()))
    }

    /// The step that `code` belongs to, where it is right: the current one or a neighbour, for clocks that differ, and
    /// after `last`, for a code works once. Remember the answer as the next `last`.
    pub fn check(&self, code: &str, last: Option<Step>, now: Timestamp) -> Option<Step> {
        let code: Zeroizing<String> =
            Zeroizing::new(code.chars().take(MAX_TYPED).filter(|c| *c != ' ').collect());
        let current = now.as_second().div_euclid(STEP);
        // All three are compared, so that the time does not tell which one it was.
        let mut right = None;
        for step in [current - 1, current, current + 1].map(Step) {
            let fits = same(self.code(step).as_bytes(), code.as_bytes());
            if fits && last.is_none_or(|last| last < step) && right.is_none() {
                right = Some(step);
            }
        }
        right
    }

    /// The code of a step (RFC 4226 section 5.3).
    fn code(&self, step: Step) -> Zeroizing<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.as_slice());
        let tag = hmac::sign(&key, &step.0.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 15);
        let word = tag.get(offset..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        Zeroizing::new(format!("{:0DIGITS$}", (u32::from_be_bytes(word) & 0x7fff_ffff) % MODULUS))
    }

    /// Seals the seed for the database, bound to its principal.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, keys: &Keys, principal: Uuid) -> Result<SealedTotp, SealError> {
        let sealed = keys.seal(Purpose::Totp, self.0.as_slice(), principal.as_bytes())?;
        Ok(SealedTotp(STANDARD.encode(sealed)))
    }
}

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Totp(…)")
    }
}

/// A seed as the database keeps it: useless without the server's key, and for another principal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedTotp(String);

impl SealedTotp {
    /// The seed.
    ///
    /// # Errors
    /// [`SealError::NotOurs`] where the key was replaced twice, or the seed belongs to another principal.
    pub fn open(&self, keys: &Keys, principal: Uuid) -> Result<Totp, SealError> {
        let sealed = STANDARD.decode(&self.0).map_err(|_| SealError::NotOurs)?;
        let seed = keys.open(Purpose::Totp, &sealed, principal.as_bytes())?;
        let seed = seed.as_slice().try_into().map_err(|_| SealError::NotOurs)?;
        Ok(Totp::new(seed))
    }
}

impl fmt::Debug for SealedTotp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedTotp(…)")
    }
}

/// What is kept of a recovery code. It works once: [`Credentials::use_recovery`](crate::credential::Credentials::use_recovery).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredCode {
    #[serde(with = "hex::serde")]
    salt: [u8; 16],
    #[serde(with = "hex::serde")]
    hmac: [u8; 32],
}

impl StoredCode {
    /// A fresh code such as `7K3M-Q2XW-9F4H-TZ0C`, and what to keep of it.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn generate() -> Result<(Secret, Self), NoRandomness> {
        let bytes = Zeroizing::new(random::<RECOVERY>()?);
        let text = Zeroizing::new(base32::encode(base32::CROCKFORD, bytes.as_slice()));
        let salt = random()?;
        let hmac = hmac_sha256(&salt, text.as_bytes());
        Ok((Secret::new(base32::grouped(&text, 4)), Self { salt, hmac }))
    }

    /// Whether `typed` is the code. Small letters, spaces and hyphens do not matter, nor does O for 0.
    pub fn verify(&self, typed: &str) -> bool {
        if typed.len() > MAX_TYPED {
            return false;
        }
        let typed = Zeroizing::new(base32::crockford_plain(typed));
        same(&hmac_sha256(&self.salt, typed.as_bytes()), &self.hmac)
    }
}

impl fmt::Debug for StoredCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredCode(…)")
    }
}

/// Percent-encoded but for letters, digits and `-._~` (RFC 3986 section 2.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

//! Passwords of people: argon2id (RFC 9106), kept as PHC strings.
//!
//! Hashing takes about 30 ms and 19 MiB, so the caller bounds how many run at once.

use std::{fmt, sync::LazyLock};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};
use serde::{Deserialize, Deserializer, Serialize};

use crate::primitive::{NoRandomness, random};

/// Characters that a password needs at least: NIST SP 800-63B asks for 15 where nothing else is asked, OWASP for 8 with
/// a second factor; 12 is between them.
pub const MIN_CHARACTERS: usize = 12;
/// Bytes that a password has at most: room for every passphrase, no room for making us hash megabytes.
pub const MAX_BYTES: usize = 256;
/// Distinct characters that a password needs: `aaaaaaaaaaaa` is long.
const MIN_DISTINCT: usize = 5;
/// Characters that must be left when the name is taken out.
const MIN_BESIDE_NAME: usize = 8;
/// Names shorter than this stand in many a good password by chance.
const MIN_NAME: usize = 4;

/// KiB of memory, passes and lanes: the first choice of OWASP's password storage cheat sheet.
const MEMORY: u32 = 19 << 10;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// A stored hash that asks for more is not verified: whoever can write the database must not be able to stop us.
const MAX_MEMORY: u32 = 256 << 10;
const MAX_PASSES: u32 = 16;
/// PHC strings are about 97 bytes.
const MAX_PHC: usize = 512;

/// Common passwords that are long enough to pass otherwise, one a line.
static COMMON: &str = include_str!("password/common.txt");

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too few characters.
    #[error("the password has {found} characters, fewer than {MIN_CHARACTERS}: take a few words")]
    TooShort {
        /// Characters.
        found: usize,
    },
    /// Too many bytes.
    #[error("the password has {found} bytes, more than {MAX_BYTES}")]
    TooLong {
        /// Bytes.
        found: usize,
    },
    /// The same few characters again and again.
    #[error("the password has only {found} different characters: take a few words")]
    TooUniform {
        /// Distinct characters.
        found: usize,
    },
    /// The name, and little else.
    #[error("the password is hardly more than the name: take a few words")]
    LikeName,
    /// One of those that are tried first.
    #[error("the password is among those that are tried first: take a few words that do not belong together")]
    Common,
    /// See [`NoRandomness`].
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The hash function refused.
    #[error("the password could not be hashed: not enough memory")]
    Memory,
}

/// What is kept of a password: a PHC string.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Hashes a password that [`check`] accepts for the principal called `name`.
    ///
    /// # Errors
    /// See [`PasswordError`].
    pub fn new(name: &str, password: &str) -> Result<Self, PasswordError> {
        check(name, password)?;
        Self::hash(password)
    }

    fn hash(password: &str) -> Result<Self, PasswordError> {
        let salt: [u8; 16] = random()?;
        let hashed = hasher(MEMORY, PASSES, LANES)
            .and_then(|argon2| argon2.hash_password_with_salt(password.as_bytes(), &salt).ok())
            .ok_or(PasswordError::Memory)?;
        Ok(Self(hashed.to_string()))
    }

    /// Whether `guess` is the password.
    pub fn verify(&self, guess: &str) -> bool {
        if guess.len() > MAX_BYTES {
            return false;
        }
        let Some((hash, (memory, passes, lanes))) = self.read() else { return false };
        hasher(memory, passes, lanes)
            .is_some_and(|argon2| argon2.verify_password(guess.as_bytes(), &hash).is_ok())
    }

    /// Whether it was made with other costs than today's: hash the password anew at the next sign-in.
    pub fn needs_rehash(&self) -> bool {
        self.read().is_none_or(|(_, costs)| costs != (MEMORY, PASSES, LANES))
    }

    /// The hash and its memory in KiB, passes and lanes; `None` where it is not one, or asks for too much.
    fn read(&self) -> Option<(phc::PasswordHash, (u32, u32, u32))> {
        let hash = phc::PasswordHash::new(&self.0).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let genuine = hash.algorithm.as_str() == "argon2id"
            && hash.version == Some(Version::V0x13.into())
            && params.m_cost() <= MAX_MEMORY
            && params.t_cost() <= MAX_PASSES;
        genuine.then(|| (hash, (params.m_cost(), params.t_cost(), params.p_cost())))
    }
}

impl<'de> Deserialize<'de> for PasswordHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hash = Self(text);
        if hash.0.len() <= MAX_PHC && hash.read().is_some() {
            Ok(hash)
        } else {
            Err(serde::de::Error::custom("not an argon2id hash of this server"))
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Whether `guess` is the password behind `hash`. Without a hash it takes as long and says no, so that nobody learns
/// which names exist.
pub fn verify(hash: Option<&PasswordHash>, guess: &str) -> bool {
    if let Some(hash) = hash {
        return hash.verify(guess);
    }
    if let Some(nobody) = NOBODY.as_ref() {
        std::hint::black_box(nobody.verify(guess));
    }
    false
}

/// A hash that no password has: its own is random and forgotten.
static NOBODY: LazyLock<Option<PasswordHash>> = LazyLock::new(|| {
    let password = random::<32>().map(hex::encode).ok()?;
    PasswordHash::hash(&password).ok()
});

/// Whether a password may be taken by the principal called `name`.
///
/// # Errors
/// See [`PasswordError`].
pub fn check(name: &str, password: &str) -> Result<(), PasswordError> {
    if password.len() > MAX_BYTES {
        return Err(PasswordError::TooLong { found: password.len() });
    }
    let found = password.chars().count();
    if found < MIN_CHARACTERS {
        return Err(PasswordError::TooShort { found });
    }
    let mut distinct: Vec<char> = password.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < MIN_DISTINCT {
        return Err(PasswordError::TooUniform { found: distinct.len() });
    }
    let (lower, name) = (password.to_lowercase(), name.to_lowercase());
    if lower == name
        || (name.chars().count() >= MIN_NAME && lower.replace(&name, "").chars().count() < MIN_BESIDE_NAME)
    {
        return Err(PasswordError::LikeName);
    }
    if COMMON.lines().any(|common| common == lower) {
        return Err(PasswordError::Common);
    }
    Ok(())
}

fn hasher(memory: u32, passes: u32, lanes: u32) -> Option<Argon2<'static>> {
    let params = Params::new(memory, passes, lanes, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

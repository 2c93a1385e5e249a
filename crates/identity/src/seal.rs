//! The keys of the server, and sealing: what only we can write and only we can read.
//!
//! One root key of 256 bits, given by the caller, becomes one key per [`Purpose`] by HKDF-SHA-256 (RFC 5869), so that
//! nothing sealed for one purpose passes for another. Sealing is XAES-256-GCM (C2SP): its nonce of 192 bits may be
//! chosen at random for as long as anybody cares, where plain AES-256-GCM would have to count to 2³² tokens, five days
//! of a busy server. The key before the last rotation still opens, but never seals.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cmac,
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use zeroize::Zeroizing;

use crate::{
    primitive::{NoRandomness, random},
    signing::SigningKey,
};

/// Bytes that sealing adds: 24 of nonce in front, 16 of tag behind.
pub const OVERHEAD: usize = NONCE + TAG;
/// Nothing that we seal is larger: tokens, TOTP seeds, cookies.
pub const MAX_SEALED: usize = 16 << 10;

const NONCE: usize = 24;
const TAG: usize = 16;

/// What is sealed. One purpose never opens what was sealed for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Internal tokens.
    Token,
    /// Seeds of one-time passwords, in the database.
    Totp,
    /// What a browser carries for us between two steps of a sign-in.
    Cookie,
    /// Secrets in settings: what other systems are asked with.
    Setting,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::Token, Self::Totp, Self::Cookie, Self::Setting];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::Token => b"boltseal identity 1 token",
            Self::Totp => b"boltseal identity 1 totp",
            Self::Cookie => b"boltseal identity 1 cookie",
            Self::Setting => b"boltseal identity 1 setting",
        }
    }
}

/// Why something could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Larger than anything we seal.
    #[error("{found} bytes are more than the {limit} that may be sealed")]
    TooLarge {
        /// Bytes.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Changed, or sealed by another key, for another purpose or for something else.
    #[error("this was not sealed by the key of this server, or was changed since")]
    NotOurs,
    /// The cryptographic library refused what it has no reason to refuse.
    #[error("the cryptographic library failed")]
    Library,
    /// See [`NoRandomness`].
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// The root key: 256 random bits that the caller keeps safe. Everything sealed is lost with it.
#[derive(Clone)]
pub struct RootKey(Zeroizing<[u8; 32]>);

impl RootKey {
    /// A fresh one.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn generate() -> Result<Self, NoRandomness> {
        Ok(Self(Zeroizing::new(random()?)))
    }

    /// Takes over bytes that the caller kept.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one place that keeps them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key of 32 bytes for `label` (RFC 5869 section 2).
    pub(crate) fn derive(&self, label: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let root = Salt::new(HKDF_SHA256, b"boltseal").extract(self.0.as_slice());
        let mut key = Zeroizing::new([0; 32]);
        let filled = root.expand(&[label], KeyLength).and_then(|okm| okm.fill(key.as_mut_slice()));
        filled.map_err(|_| SealError::Library)?;
        Ok(key)
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(…)")
    }
}

/// Every key of the server. Cheap to ask, expensive to make: make it once.
pub struct Keys {
    current: Ring,
    previous: Option<Ring>,
}

/// What one root key gives.
struct Ring {
    sealers: [Sealer; Purpose::ALL.len()],
    signing: SigningKey,
}

impl Keys {
    /// Derives them. What `previous` sealed and signed is still accepted, so that rotation ends no session.
    ///
    /// # Errors
    /// When the cryptographic library refuses, which it has no reason to.
    pub fn new(root: &RootKey, previous: Option<&RootKey>) -> Result<Self, SealError> {
        Ok(Self { current: Ring::new(root)?, previous: previous.map(Ring::new).transpose()? })
    }

    /// Seals `plain` for `purpose`, bound to `context`: opening needs the same. Adds [`OVERHEAD`] bytes.
    ///
    /// # Errors
    /// When `plain` is larger than [`MAX_SEALED`], or there is no randomness.
    pub fn seal(&self, purpose: Purpose, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        self.current.sealer(purpose).seal(random()?, plain, context)
    }

    /// Opens what [`Keys::seal`] made with the same purpose and context, with this root key or the one before.
    ///
    /// # Errors
    /// [`SealError::NotOurs`], [`SealError::TooLarge`]
    pub fn open(
        &self,
        purpose: Purpose,
        sealed: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let opened = self.current.sealer(purpose).open(sealed, context);
        match (&opened, &self.previous) {
            (Err(SealError::NotOurs), Some(previous)) => previous.sealer(purpose).open(sealed, context),
            _ => opened,
        }
    }

    /// Whether the root key of today sealed it: what the one before did is to be sealed again before that goes.
    pub fn is_current(&self, purpose: Purpose, sealed: &[u8], context: &[u8]) -> bool {
        self.current.sealer(purpose).open(sealed, context).is_ok()
    }

    /// The key that signs, and the one that did before.
    pub(crate) fn signing(&self) -> (&SigningKey, Option<&SigningKey>) {
        (&self.current.signing, self.previous.as_ref().map(|ring| &ring.signing))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Ring {
    fn new(root: &RootKey) -> Result<Self, SealError> {
        let [token, totp, cookie, setting] =
            Purpose::ALL.map(|purpose| Sealer::new(&*root.derive(purpose.label())?));
        Ok(Self { sealers: [token?, totp?, cookie?, setting?], signing: SigningKey::derive(root)? })
    }

    const fn sealer(&self, purpose: Purpose) -> &Sealer {
        let [token, totp, cookie, setting] = &self.sealers;
        match purpose {
            Purpose::Token => token,
            Purpose::Totp => totp,
            Purpose::Cookie => cookie,
            Purpose::Setting => setting,
        }
    }
}

/// XAES-256-GCM (c2sp.org/XAES-256-GCM): a key per message from the first half of the nonce, AES-256-GCM with the
/// second. The derivation is the counter mode of SP 800-108r1 with CMAC, of one block.
struct Sealer(cmac::Key);

impl Sealer {
    fn new(key: &[u8; 32]) -> Result<Self, SealError> {
        cmac::Key::new(cmac::AES_256, key).map(Self).map_err(|_| SealError::Library)
    }

    fn message_key(&self, half: [u8; 12]) -> Result<LessSafeKey, SealError> {
        let mut key = Zeroizing::new([0; 32]);
        for (counter, part) in (1_u8..).zip(key.chunks_exact_mut(16)) {
            let mut block = [0; 16];
            let (head, tail) = block.split_at_mut(4);
            head.copy_from_slice(&[0, counter, b'X', 0]);
            tail.copy_from_slice(&half);
            let tag = cmac::sign(&self.0, &block).map_err(|_| SealError::Library)?;
            part.copy_from_slice(tag.as_ref());
        }
        UnboundKey::new(&AES_256_GCM, key.as_slice()).map(LessSafeKey::new).map_err(|_| SealError::Library)
    }

    fn seal(&self, nonce: [u8; NONCE], plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        if plain.len() > MAX_SEALED - OVERHEAD {
            return Err(SealError::TooLarge { found: plain.len(), limit: MAX_SEALED - OVERHEAD });
        }
        let (half, rest) = halves(&nonce)?;
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let body = sealed.get_mut(NONCE..).ok_or(SealError::Library)?;
        let nonce = Nonce::assume_unique_for_key(rest);
        let tag = self.message_key(half)?.seal_in_place_separate_tag(nonce, Aad::from(context), body);
        sealed.extend_from_slice(tag.map_err(|_| SealError::Library)?.as_ref());
        Ok(sealed)
    }

    fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if sealed.len() > MAX_SEALED {
            return Err(SealError::TooLarge { found: sealed.len(), limit: MAX_SEALED });
        }
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::NotOurs)?;
        let (half, rest) = halves(nonce)?;
        let mut plain = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(rest);
        let opened = self.message_key(half)?.open_in_place(nonce, Aad::from(context), &mut plain);
        let length = opened.map_err(|_| SealError::NotOurs)?.len();
        plain.truncate(length);
        Ok(plain)
    }
}

fn halves(nonce: &[u8; NONCE]) -> Result<([u8; 12], [u8; 12]), SealError> {
    let (half, rest) = nonce.split_at(12);
    Ok((half.try_into().map_err(|_| SealError::Library)?, rest.try_into().map_err(|_| SealError::Library)?))
}

/// For HKDF: how many bytes to give.
struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the XAES-256-GCM specification.
    #[test]
    fn seals_as_the_specification_says() {
        let check = |key: u8, context: &str, wanted: &str| {
            let nonce = *b"ABCDEFGHIJKLMNOPQRSTUVWX";
            let with = Sealer::new(&[key; 32]).unwrap();
            let sealed = with.seal(nonce, b"XAES-256-GCM", context.as_bytes()).unwrap();
            assert_eq!(hex::encode(&sealed[NONCE..]), wanted);
            assert_eq!(with.open(&sealed, context.as_bytes()).unwrap().as_slice(), b"XAES-256-GCM");
        };
        check(1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
        check(3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
    }
}

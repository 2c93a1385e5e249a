//! SHA-256 as RFC 6962 section 2.1 uses it: leaves and nodes can never be mistaken for each other.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{Context, SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;
/// Entries up to here are hashed in one call from the stack, which is three times as fast as piece by piece.
const SMALL: usize = 1023;
/// Characters of a hash in base64.
const TEXT: usize = 44;

/// A SHA-256 hash: of an entry, of a subtree or of a whole tree. Written in base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// The root of a tree without entries: SHA-256 of nothing.
    pub fn empty() -> Self {
        sha256(&[])
    }

    /// The hash of an entry: SHA-256 of a 0 byte and the entry.
    pub fn leaf(entry: &[u8]) -> Self {
        let mut buffer = [0; 1 + SMALL];
        if let Some(place) = buffer.get_mut(1..=entry.len()) {
            place.copy_from_slice(entry);
            return sha256(buffer.get(..=entry.len()).unwrap_or_default());
        }
        let mut context = Context::new(&SHA256);
        context.update(&[0]);
        context.update(entry);
        Self::of_digest(&context.finish())
    }

    /// The hash of a node over its two children: SHA-256 of a 1 byte and both.
    pub fn node(left: &Self, right: &Self) -> Self {
        let mut buffer = [1; 1 + 2 * HASH_BYTES];
        let (_, children) = buffer.split_at_mut(1);
        for (place, child) in children.chunks_exact_mut(HASH_BYTES).zip([left, right]) {
            place.copy_from_slice(&child.0);
        }
        sha256(&buffer)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }

    fn of_digest(digest: &aws_lc_rs::digest::Digest) -> Self {
        let mut hash = [0; HASH_BYTES];
        hash.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        Self(hash)
    }
}

/// Plain SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> Hash {
    Hash::of_digest(&digest(&SHA256, bytes))
}

impl From<[u8; HASH_BYTES]> for Hash {
    fn from(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 32 bytes in base64 with padding (RFC 4648 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is {HASH_BYTES} bytes in base64, {TEXT} characters with padding")]
pub struct HashError;

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        if text.len() != TEXT {
            return Err(HashError);
        }
        let bytes = STANDARD.decode(text).map_err(|_| HashError)?;
        bytes.try_into().map(Self).map_err(|_| HashError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_entries_are_hashed_alike() {
        for length in [0, 1, 31, SMALL - 1, SMALL, SMALL + 1, 65_535] {
            let entry = vec![7; length];
            let mut prefixed = vec![0];
            prefixed.extend_from_slice(&entry);
            assert_eq!(Hash::leaf(&entry), sha256(&prefixed), "{length} bytes");
        }
    }

    #[test]
    fn text_is_read_back_and_nothing_else_is() {
        let hash = Hash::leaf(b"x");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        // Unused bits that are set, no padding, a line end.
        let last = format!("{}B=", &hash.to_string()[..42]);
        for wrong in ["", "AA==", last.as_str(), &hash.to_string()[..43], &format!("{hash}\n")] {
            assert_eq!(wrong.parse::<Hash>(), Err(HashError), "{wrong}");
        }
    }
}

//! What a credential is recognised by where its value is not kept.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// 128 bits of a keyed hash of a credential. The same credential has the same one wherever it lies; who does not have the
/// key can neither find the credential nor test a guess.
///
/// Half of HMAC-SHA-256's output: nobody meets two equal ones by accident below some 10¹⁸ credentials (NIST SP 800-107
/// section 5.3.3), and people can still copy it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; Self::BYTES]);

/// A text that is not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 32 digits from 0 to 9 and a to f")]
pub struct FingerprintError;

impl Fingerprint {
    /// Its length.
    pub const BYTES: usize = 16;

    /// Of these bytes.
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The beginning, which tells it from the others on a page.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let lower = text.bytes().all(|byte| !byte.is_ascii_uppercase());
        let mut bytes = [0; Self::BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| FingerprintError)?;
        if lower { Ok(Self(bytes)) } else { Err(FingerprintError) }
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_to_write_it() {
        let text = "00ff102030405060708090a0b0c0d0e0";
        assert_eq!(text.parse::<Fingerprint>().map(|one| one.to_string()), Ok(text.to_owned()));
        assert_eq!(text.parse::<Fingerprint>().map(|one| one.short()), Ok("00ff10203040".to_owned()));
        for wrong in ["", "00ff", "00FF102030405060708090a0b0c0d0e0", "zzff102030405060708090a0b0c0d0e0"] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(FingerprintError), "{wrong}");
        }
    }
}

//! Patterns of subjects and claims.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a pattern.
const MAX_PATTERN: usize = 512;
/// Stars of a pattern.
const MAX_STARS: usize = 8;

/// A text in which `*` stands for any run of characters. Case matters.
///
/// A star at the end takes everything that follows. One in front of something else takes no `:`, because `:` separates
/// the parts of subjects: `repo:team/*:ref:refs/heads/main` must not fit a branch that somebody called
/// `x:ref:refs/heads/main`.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Empty, or too long.
    #[error("a pattern of {found} bytes: 1 to {MAX_PATTERN}")]
    Length {
        /// Bytes.
        found: usize,
    },
    /// Too many stars.
    #[error("a pattern with {found} stars: at most {MAX_STARS}")]
    Stars {
        /// Stars.
        found: usize,
    },
}

impl Pattern {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` fits.
    pub fn fits(&self, text: &str) -> bool {
        fits(self.0.as_bytes(), text.as_bytes())
    }

    /// Whether there is no star in it.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether it is nothing but stars.
    pub(super) fn is_anything(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'*')
    }

    /// What stands before the first star.
    pub(super) fn start(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }
}

/// Follows every place of the pattern at once, so the time is text × pattern at worst, whatever the stars.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let skip = |places: &mut [bool]| {
        for (place, byte) in pattern.iter().enumerate() {
            let here = places.get(place).copied().unwrap_or(false);
            if let Some(next) = places.get_mut(place + 1).filter(|_| here && *byte == b'*') {
                *next = true;
            }
        }
    };
    let last = pattern.len().saturating_sub(1);
    let mut places = vec![false; pattern.len() + 1];
    if let Some(first) = places.first_mut() {
        *first = true;
    }
    skip(&mut places);
    for found in text {
        let mut next = vec![false; places.len()];
        for (place, byte) in pattern.iter().enumerate().filter(|(place, _)| places.get(*place) == Some(&true))
        {
            let to = match byte {
                b'*' if *found != b':' || place == last => place,
                byte if byte == found => place + 1,
                _ => continue,
            };
            if let Some(to) = next.get_mut(to) {
                *to = true;
            }
        }
        skip(&mut next);
        places = next;
    }
    places.last() == Some(&true)
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let stars = text.matches('*').count();
        if text.is_empty() || text.len() > MAX_PATTERN {
            return Err(PatternError::Length { found: text.len() });
        }
        if stars > MAX_STARS {
            return Err(PatternError::Stars { found: stars });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.0)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

//! Break-glass shares: a key that only several people together can put together again.
//!
//! A key of 256 random bits is split by Shamir's scheme into shares, of which a quorum gives the key back and fewer say
//! nothing about it. A share is text for paper: eighteen groups of five characters in Crockford's base32, each with a
//! check character, so that a slip of the pen is found and named.

use std::fmt;

use blahaj::Sharks;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    primitive::{NoRandomness, hmac_sha256, random, same},
    secret::Secret,
};

mod text;

/// Fewest and most shares, and the same for a quorum: one share would be a password, and nobody finds 17 people.
pub const SHARES: std::ops::RangeInclusive<u8> = 2..=16;
/// What a share starts with, so that secret scanners can recognise it.
pub const PREFIX: &str = "BSS1";
const KEY: usize = 32;

/// Why shares could not be made, read or put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Numbers that make no sense.
    #[error("{quorum} of {shares}: a quorum is 2 to 16, and not more than there are shares, 16 at most")]
    Numbers {
        /// Shares that are needed.
        quorum: u8,
        /// Shares that there are.
        shares: u8,
    },
    /// Not the form of a share.
    #[error("this is not a share: {problem}")]
    Malformed {
        /// What is wrong.
        problem: String,
    },
    /// A slip of the pen.
    #[error("group {group} of the share is mistyped: compare it with the paper")]
    Typo {
        /// From 1; the prefix does not count.
        group: usize,
    },
    /// Every group looks right and the whole is not.
    #[error("the share is mistyped, or its groups are from different shares")]
    Checksum,
    /// Of another key.
    #[error("share {index} belongs to the set {found}, not to {wanted}")]
    OtherSet {
        /// Its number.
        index: u8,
        /// Which set is wanted.
        wanted: SetId,
        /// Which it is of.
        found: SetId,
    },
    /// The same share again.
    #[error("share {index} was given twice")]
    Repeated {
        /// Its number.
        index: u8,
    },
    /// Not enough.
    #[error("{found} shares are fewer than the {wanted} that are needed")]
    TooFew {
        /// Shares given.
        found: usize,
        /// Shares needed.
        wanted: u8,
    },
    /// More than exist.
    #[error("{found} shares are more than there are")]
    TooMany {
        /// Shares given.
        found: usize,
    },
    /// They fit together and give another key than the one that was split.
    #[error("the shares do not give the key: one of them is forged")]
    WrongKey,
    /// See [`NoRandomness`].
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// Names one split: shares of different splits do not go together. Random.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetId(#[serde(with = "hex::serde")] [u8; 4]);

impl fmt::Display for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetId({self})")
    }
}

/// What is kept of a split: enough to know the key again, nothing to find it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareSet {
    /// Which split.
    pub id: SetId,
    /// Shares that are needed.
    pub quorum: u8,
    /// Shares that there are.
    pub shares: u8,
    /// HMAC-SHA-256 of the key, with the id as key: 256 random bits need no more.
    #[serde(with = "hex::serde")]
    hash: [u8; 32],
}

/// One part of a key. A secret: a quorum of them is the key.
#[derive(Clone)]
pub struct Share {
    set: SetId,
    quorum: u8,
    shares: u8,
    index: u8,
    value: Zeroizing<[u8; KEY]>,
}

/// A key put together from shares, and who took part.
pub struct Combined {
    /// The key.
    pub key: Zeroizing<[u8; KEY]>,
    /// Numbers of the shares, for the log.
    pub indexes: Vec<u8>,
}

/// Splits a fresh key into shares, to be shown once each, and what to keep.
///
/// # Errors
/// [`ShareError::Numbers`], [`ShareError::Randomness`]
pub fn split(quorum: u8, shares: u8) -> Result<(ShareSet, Vec<Share>), ShareError> {
    split_key(&Zeroizing::new(random()?), quorum, shares)
}

/// The same with a key that the caller has.
///
/// # Errors
/// [`ShareError::Numbers`], [`ShareError::Randomness`]
pub fn split_key(
    key: &Zeroizing<[u8; KEY]>,
    quorum: u8,
    shares: u8,
) -> Result<(ShareSet, Vec<Share>), ShareError> {
    check_numbers(quorum, shares)?;
    let id = SetId(random()?);
    let dealt = Sharks(quorum).dealer(key.as_slice()).take(shares.into());
    let made = dealt.map(|dealt| {
        let bytes = Zeroizing::new(Vec::from(&dealt));
        let (index, value) = bytes.split_first()?;
        let value = Zeroizing::new(value.try_into().ok()?);
        Some(Share { set: id, quorum, shares, index: *index, value })
    });
    let made: Option<Vec<Share>> = made.collect();
    let made = made.ok_or_else(|| ShareError::Malformed { problem: "splitting failed".to_owned() })?;
    Ok((ShareSet { id, quorum, shares, hash: hmac_sha256(&id.0, key.as_slice()) }, made))
}

impl ShareSet {
    /// Puts the key together again.
    ///
    /// # Errors
    /// What is wrong with the shares, named by their numbers.
    pub fn combine(&self, shares: &[Share]) -> Result<Combined, ShareError> {
        check_numbers(self.quorum, self.shares)?;
        if shares.len() > usize::from(self.shares) {
            return Err(ShareError::TooMany { found: shares.len() });
        }
        let mut indexes: Vec<u8> = Vec::new();
        for share in shares {
            if share.set != self.id || share.quorum != self.quorum || share.shares != self.shares {
                return Err(ShareError::OtherSet { index: share.index, wanted: self.id, found: share.set });
            }
            if indexes.contains(&share.index) {
                return Err(ShareError::Repeated { index: share.index });
            }
            indexes.push(share.index);
        }
        if indexes.len() < usize::from(self.quorum) {
            return Err(ShareError::TooFew { found: indexes.len(), wanted: self.quorum });
        }
        let dealt: Result<Vec<blahaj::Share>, _> = shares.iter().map(Share::dealt).collect();
        let key = dealt.ok().and_then(|dealt| Sharks(self.quorum).recover(&dealt).ok().map(Zeroizing::new));
        let key: Option<[u8; KEY]> = key.and_then(|key| key.as_slice().try_into().ok());
        let key = Zeroizing::new(key.ok_or(ShareError::WrongKey)?);
        if !same(&hmac_sha256(&self.id.0, key.as_slice()), &self.hash) {
            return Err(ShareError::WrongKey);
        }
        Ok(Combined { key, indexes })
    }
}

impl Share {
    /// Reads a share as people type it: small letters, spaces and missing hyphens do not matter, nor does O for 0.
    ///
    /// # Errors
    /// [`ShareError::Malformed`], [`ShareError::Typo`], [`ShareError::Checksum`]
    pub fn parse(typed: &str) -> Result<Self, ShareError> {
        text::read(typed)
    }

    /// The text for paper.
    pub fn text(&self) -> Secret {
        text::write(self)
    }

    /// Its number, from 1.
    pub const fn index(&self) -> u8 {
        self.index
    }

    /// Which split it is of.
    pub const fn set(&self) -> SetId {
        self.set
    }

    /// How many are needed, and how many there are.
    pub const fn quorum(&self) -> (u8, u8) {
        (self.quorum, self.shares)
    }

    fn dealt(&self) -> Result<blahaj::Share, &'static str> {
        let bytes = Zeroizing::new([&[self.index], self.value.as_slice()].concat());
        blahaj::Share::try_from(bytes.as_slice())
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, quorum, shares, index, .. } = self;
        write!(f, "Share({index} of {shares}, {quorum} needed, set {set})")
    }
}

impl fmt::Debug for Combined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Combined({:?})", self.indexes)
    }
}

fn check_numbers(quorum: u8, shares: u8) -> Result<(), ShareError> {
    if SHARES.contains(&quorum) && SHARES.contains(&shares) && quorum <= shares {
        Ok(())
    } else {
        Err(ShareError::Numbers { quorum, shares })
    }
}

//! Entry bundles: up to 256 entries, each behind its length as two bytes, big-endian (C2SP tlog-tiles, "Log entries").

use std::ops::Range;

use super::tile::{TILE_WIDTH, TileError};

/// The longest entry: its length has two bytes.
pub const MAX_ENTRY: usize = 65_535;
/// Bytes before each entry.
const PREFIX: usize = 2;
/// The largest bundle: 256 of the longest entries.
pub(super) const MAX_BUNDLE: usize = TILE_WIDTH as usize * (PREFIX + MAX_ENTRY);

/// An entry that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entry of {found} bytes; at most {MAX_ENTRY} fit: keep the rest elsewhere and log its digest")]
pub struct EntryTooLong {
    /// Its bytes.
    pub found: usize,
}

/// Adds an entry to the bytes of a bundle.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLong> {
    let length = u16::try_from(entry.len()).map_err(|_| EntryTooLong { found: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of the bytes of a bundle of `width` entries, one after the other.
///
/// After the last entry there may be no more bytes; a bundle that is too short or too long ends in an error.
pub const fn read_entries(bytes: &[u8], width: u16) -> ReadEntries<'_> {
    ReadEntries { rest: bytes, next: 0, width }
}

/// Iterator of [`read_entries`].
#[derive(Clone, Debug)]
pub struct ReadEntries<'a> {
    rest: &'a [u8],
    next: u16,
    width: u16,
}

impl<'a> Iterator for ReadEntries<'a> {
    type Item = Result<&'a [u8], TileError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.width {
            let bytes = std::mem::take(&mut self.rest).len();
            return (bytes > 0).then_some(Err(TileError::Rest { bytes, width: self.width }));
        }
        let Some((entry, rest)) = split(self.rest) else {
            let cut = TileError::Cut { entry: self.next, width: self.width };
            (self.rest, self.next) = (&[], self.width);
            return Some(Err(cut));
        };
        self.rest = rest;
        self.next += 1;
        Some(Ok(entry))
    }
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<PREFIX>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// A bundle that was read and found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    bytes: Vec<u8>,
    /// The entry of the log that the bytes begin with.
    first: u64,
    width: u16,
    /// The entries that were asked for.
    wanted: Range<u64>,
}

impl Bundle {
    /// Checks that `bytes` are `width` entries; the first is entry `first` of the log, and only `wanted` shall be given.
    pub(super) fn new(bytes: Vec<u8>, first: u64, width: u16, wanted: Range<u64>) -> Result<Self, TileError> {
        read_entries(&bytes, width).try_for_each(|entry| entry.map(drop))?;
        Ok(Self { bytes, first, width, wanted })
    }

    /// The entries, each with its index in the log.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let entries = read_entries(&self.bytes, self.width).filter_map(Result::ok);
        (self.first..).zip(entries).filter(|(index, _)| self.wanted.contains(index))
    }
}

//! A snapshot's bytes as slices of records. Every number read from the file is checked before it is used.

use std::ops::Range;

use zerocopy::{
    FromBytes, Immutable, KnownLayout, Unaligned,
    little_endian::{U32, U64},
};

use super::layout::{self, Block, Entry, Group, Header, IdRow, Package, Record, Row, Section, Vector};
use crate::Error;

/// How far from its expected place a key is looked for before the whole section is. Keys are hashes, so they lie
/// evenly: among a million, the standard deviation is 500.
const WINDOW: usize = 2048;

/// Where each section lies, in the order of [`Section::ALL`].
pub(super) type Places = [Range<usize>; Section::ALL.len()];

/// All sections of an open snapshot.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(super) keys: &'a [U64],
    pub(super) packages: &'a [Package],
    pub(super) rows: &'a [Row],
    pub(super) lists: &'a [U32],
    pub(super) strings: &'a [u8],
    pub(super) advisories: &'a [Record],
    pub(super) groups: &'a [Group],
    pub(super) group_ids: &'a [U32],
    pub(super) members: &'a [U32],
    pub(super) vectors: &'a [Vector],
    pub(super) ids: &'a [IdRow],
    pub(super) briefs: &'a [u8],
    pub(super) blocks: &'a [Block],
    pub(super) texts: &'a [u8],
}

/// `what` is wrong at `offset` of `section`.
pub(super) fn damaged(section: Section, offset: impl TryInto<u64>, what: &'static str) -> Error {
    Error::Damaged { section: section.name(), offset: offset.try_into().unwrap_or(u64::MAX), what }
}

/// Reads header and section table: where everything is, and nothing about what is in it.
pub(super) fn places(bytes: &[u8]) -> Result<(Header, Vec<Entry>, Places), Error> {
    let (header, rest) =
        Header::read_from_prefix(bytes).map_err(|_| Error::NotASnapshot("too short for a header"))?;
    if header.magic != layout::MAGIC {
        return Err(Error::NotASnapshot("wrong first bytes"));
    }
    if header.format.get() != layout::FORMAT {
        return Err(Error::Format { found: header.format.get(), known: layout::FORMAT });
    }
    if header.sections.get() != layout::SECTIONS || header.length.get() != bytes.len() as u64 {
        return Err(damaged(Section::Info, bytes.len(), "the file has another length than its header says"));
    }
    let (entries, _) = <[Entry]>::ref_from_prefix_with_elems(rest, Section::ALL.len())
        .map_err(|_| Error::NotASnapshot("too short for a section table"))?;
    let mut places: Places = std::array::from_fn(|_| 0..0);
    for ((place, entry), section) in places.iter_mut().zip(entries).zip(Section::ALL) {
        let outside = || damaged(section, entry.offset.get(), "the section lies outside the file");
        let start = usize::try_from(entry.offset.get()).map_err(|_| outside())?;
        let length = usize::try_from(entry.length.get()).map_err(|_| outside())?;
        let end = start.checked_add(length).filter(|end| *end <= bytes.len()).ok_or_else(outside)?;
        *place = start..end;
    }
    Ok((header, entries.to_vec(), places))
}

/// The bytes of one section.
pub(super) fn section<'a>(bytes: &'a [u8], places: &Places, section: Section) -> Result<&'a [u8], Error> {
    let place = places.get(section as usize).cloned().unwrap_or_default();
    bytes.get(place).ok_or_else(|| damaged(section, 0u64, "the section lies outside the file"))
}

impl<'a> View<'a> {
    pub(super) fn new(bytes: &'a [u8], places: &Places) -> Result<Self, Error> {
        fn records<'a, T: FromBytes + KnownLayout + Immutable + Unaligned>(
            bytes: &'a [u8],
            places: &Places,
            which: Section,
        ) -> Result<&'a [T], Error> {
            <[T]>::ref_from_bytes(section(bytes, places, which)?)
                .map_err(|_| damaged(which, 0u64, "the section's length is no multiple of its records"))
        }
        let view = Self {
            keys: records(bytes, places, Section::Keys)?,
            packages: records(bytes, places, Section::Packages)?,
            rows: records(bytes, places, Section::Rows)?,
            lists: records(bytes, places, Section::Lists)?,
            strings: section(bytes, places, Section::Strings)?,
            advisories: records(bytes, places, Section::Advisories)?,
            groups: records(bytes, places, Section::Groups)?,
            group_ids: records(bytes, places, Section::GroupIds)?,
            members: records(bytes, places, Section::Members)?,
            vectors: records(bytes, places, Section::Vectors)?,
            ids: records(bytes, places, Section::Ids)?,
            briefs: section(bytes, places, Section::Briefs)?,
            blocks: records(bytes, places, Section::Blocks)?,
            texts: section(bytes, places, Section::Texts)?,
        };
        if view.keys.len() != view.packages.len() {
            return Err(damaged(Section::Packages, view.packages.len(), "not one package for each key"));
        }
        Ok(view)
    }

    /// The rows of package `name` (normalised) in `space`; none where no feed speaks about it.
    pub(super) fn rows_of(&self, space: &str, name: &str) -> Result<&'a [Row], Error> {
        let key = layout::key(space, name);
        let first = self.position(key);
        let same =
            self.keys.iter().zip(self.packages).skip(first).take_while(|(found, _)| found.get() == key);
        for (_, package) in same {
            // Two names may share a hash; the name decides.
            if self.string(package.name.get())? == name && self.string(package.space.get())? == space {
                return run(self.rows, package.first_row, package.rows, Section::Rows);
            }
        }
        Ok(&[])
    }

    /// The index of the first key that is not less than `key`.
    fn position(&self, key: u64) -> usize {
        let count = self.keys.len();
        let guess = usize::try_from((u128::from(key) * count as u128) >> 64).unwrap_or(0);
        let from = Some(guess.saturating_sub(WINDOW))
            .filter(|from| from.checked_sub(1).and_then(|at| self.keys.get(at)).is_none_or(|k| k.get() < key))
            .unwrap_or(0);
        let to = Some(count.min(guess + WINDOW))
            .filter(|to| self.keys.get(*to).is_none_or(|k| k.get() >= key))
            .unwrap_or(count);
        from + self.keys.get(from..to).unwrap_or_default().partition_point(|k| k.get() < key)
    }

    /// The string at offset `at`.
    pub(super) fn string(&self, at: u32) -> Result<&'a str, Error> {
        let outside = || damaged(Section::Strings, at, "the string lies outside the section");
        let rest = self.strings.get(at as usize..).ok_or_else(outside)?;
        let (length, rest) = U32::read_from_prefix(rest).map_err(|_| outside())?;
        let text = rest.get(..length.get() as usize).ok_or_else(outside)?;
        std::str::from_utf8(text).map_err(|_| damaged(Section::Strings, at, "the string is not UTF-8"))
    }

    /// The string at `at`, if it refers to one.
    pub(super) fn maybe(&self, at: u32) -> Result<Option<&'a str>, Error> {
        (at != layout::NONE).then(|| self.string(at)).transpose()
    }

    pub(super) fn record(&self, advisory: u32) -> Result<&'a Record, Error> {
        let outside = || damaged(Section::Advisories, advisory, "no such advisory");
        self.advisories.get(advisory as usize).ok_or_else(outside)
    }

    pub(super) fn group(&self, group: u32) -> Result<&'a Group, Error> {
        self.groups
            .get(group as usize)
            .ok_or_else(|| damaged(Section::Groups, group, "no such vulnerability"))
    }

    /// The groups that have `id` among their ids or their members' ids.
    pub(super) fn groups_of(&self, id: &str) -> impl Iterator<Item = u32> + use<'a> {
        let key = layout::id_key(id);
        let first = self.ids.partition_point(|row| row.hash.get() < key);
        let rest = self.ids.get(first..).unwrap_or_default();
        rest.iter().take_while(move |row| row.hash.get() == key).map(|row| row.group.get())
    }
}

/// `count` records from `first`.
pub(super) fn run<T>(all: &[T], first: U32, count: U32, section: Section) -> Result<&[T], Error> {
    let first = first.get() as usize;
    let outside = || damaged(section, first, "a run of records lies outside the section");
    first.checked_add(count.get() as usize).and_then(|end| all.get(first..end)).ok_or_else(outside)
}

//! The header of an installed package: an index of tags, and the store that their values lie in.
//!
//! After "RPM Package File Format", header structure, and `lib/header.c` of rpm. In a database the header starts with
//! the number of index entries and the size of the store; all numbers are big-endian.

use std::borrow::Cow;

use super::bytes::{Endian, run};

const BE: Endian = Endian::Big;
const ENTRY: usize = 16;
/// What rpm itself accepts (`hdrchkTags`).
const MAX_ENTRIES: usize = 0xffff;
/// Types of values.
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// Tags that we read, by the names that rpm gives them (rpm-tags(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Tag {
    Name = 1000,
    Version = 1001,
    Release = 1002,
    Epoch = 1003,
    Vendor = 1011,
    License = 1014,
    Arch = 1022,
    OldFilenames = 1027,
    SourceRpm = 1044,
    DirIndexes = 1116,
    BaseNames = 1117,
    DirNames = 1118,
    ModularityLabel = 5096,
}

impl Tag {
    const ALL: [Self; 13] = [
        Self::Name,
        Self::Version,
        Self::Release,
        Self::Epoch,
        Self::Vendor,
        Self::License,
        Self::Arch,
        Self::OldFilenames,
        Self::SourceRpm,
        Self::DirIndexes,
        Self::BaseNames,
        Self::DirNames,
        Self::ModularityLabel,
    ];
}

/// Where the value of a tag lies.
#[derive(Clone, Copy)]
struct Place {
    kind: u32,
    offset: usize,
    count: usize,
}

/// A header whose index was read.
pub(super) struct Header<'a> {
    store: &'a [u8],
    places: [Option<Place>; Tag::ALL.len()],
}

impl<'a> Header<'a> {
    pub(super) fn parse(blob: &'a [u8]) -> Result<Self, &'static str> {
        let (entries, size) =
            BE.size(blob, 0).zip(BE.size(blob, 4)).ok_or("the header of a package is cut off")?;
        if entries == 0 || entries > MAX_ENTRIES {
            return Err("the header of a package has no index, or an impossible one");
        }
        let index = run(blob, 8, entries * ENTRY).ok_or("the header of a package is cut off")?;
        let store = run(blob, 8 + index.len(), size).ok_or("the header of a package is cut off")?;
        let mut places = [None; Tag::ALL.len()];
        for entry in index.chunks_exact(ENTRY) {
            let number = |at| BE.u32(entry, at).unwrap_or_default();
            let slot = Tag::ALL.iter().position(|tag| *tag as u32 == number(0));
            // What rpm adds when it installs comes after what was in the package, and replaces it.
            if let Some(place) = slot.and_then(|slot| places.get_mut(slot)) {
                let size = |at| BE.size(entry, at).unwrap_or(usize::MAX);
                *place = Some(Place { kind: number(4), offset: size(8), count: size(12) });
            }
        }
        Ok(Self { store, places })
    }

    fn place(&self, tag: Tag) -> Option<(Place, &'a [u8])> {
        let slot = Tag::ALL.iter().position(|known| *known == tag)?;
        let place = (*self.places.get(slot)?)?;
        Some((place, self.store.get(place.offset..)?))
    }

    /// The text of `tag`, in the language of the packager; empty where there is none.
    pub(super) fn text(&self, tag: Tag) -> Cow<'a, str> {
        self.texts(tag).next().map(String::from_utf8_lossy).unwrap_or_default()
    }

    /// Every text of `tag`.
    pub(super) fn texts(&self, tag: Tag) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let found =
            self.place(tag).filter(|(place, _)| matches!(place.kind, STRING | STRING_ARRAY | I18N_STRING));
        let (count, store) = found.map_or((0, &[][..]), |(place, store)| (place.count, store));
        let mut rest = Some(store);
        std::iter::from_fn(move || {
            let store = rest.take()?;
            let end = memchr::memchr(0, store)?;
            rest = store.get(end + 1..);
            store.get(..end)
        })
        .take(count)
    }

    /// Every 32-bit number of `tag`.
    pub(super) fn numbers(&self, tag: Tag) -> impl Iterator<Item = u32> + use<'a> {
        let found = self.place(tag).filter(|(place, _)| place.kind == INT32);
        let (count, store) = found.map_or((0, &[][..]), |(place, store)| (place.count, store));
        store.as_chunks::<4>().0.iter().map(|bytes| u32::from_be_bytes(*bytes)).take(count)
    }
}

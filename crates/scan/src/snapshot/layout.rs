//! The bytes of a snapshot file. Everything is little endian and unaligned, so that records are read in place.
//!
//! ```text
//! Header                    magic, format, length of the file, id
//! Entry × Section::ALL      where each section lies, and its SHA-256
//! sections                  in any order; `Section` says what each holds
//! ```
//!
//! Records name strings by their offset in [`Section::Strings`] (a `u32` length, then UTF-8) and each other by index.
//! Nothing here is trusted when read: see `view`.

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{I32, I64, U32, U64},
};

/// First bytes of the file.
pub(super) const MAGIC: [u8; 8] = *b"BOLTSNAP";
/// Raised with every change of this module.
pub(super) const FORMAT: u32 = 2;
/// A reference to nothing.
pub(super) const NONE: u32 = u32::MAX;
/// A time that is not known.
pub(super) const NO_TIME: i64 = i64::MIN;

/// Bytes of the id: 128 bits of SHA-256, more than anybody can collide on purpose.
pub(super) const ID_BYTES: usize = 16;

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Header {
    pub magic: [u8; 8],
    pub format: U32,
    pub sections: U32,
    pub length: U64,
    /// Start of the SHA-256 of the section table, which holds the hash of everything else.
    pub id: [u8; ID_BYTES],
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Entry {
    pub offset: U64,
    pub length: U64,
    pub hash: [u8; 32],
}

/// How many sections there are.
pub(super) const SECTIONS: u32 = 15;

/// What a section holds. The order is the order of the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// JSON: when it was built, and of which feeds.
    Info,
    /// `U64` each: XXH3 of (space, package), ascending.
    Keys,
    /// [`Package`], one for each key.
    Packages,
    /// [`Row`], grouped by package, then by vulnerability.
    Rows,
    /// `U32` strings: exact versions, referred to by rows of kind [`Kind::Listed`].
    Lists,
    /// Text of names and versions.
    Strings,
    /// [`Record`], one for each advisory.
    Advisories,
    /// [`Group`], one for each vulnerability.
    Groups,
    /// `U32` strings: the ids of groups.
    GroupIds,
    /// `U32` advisories: the members of groups.
    Members,
    /// [`Vector`]: the CVSS vectors of groups.
    Vectors,
    /// [`IdRow`], ascending by hash.
    Ids,
    /// Titles and references, uncompressed because every finding shows them.
    Briefs,
    /// [`Block`]: where the zstd frames of [`Section::Texts`] lie.
    Blocks,
    /// Whole advisories as JSON in zstd frames, read only when somebody asks for one.
    Texts,
}

impl Section {
    pub(super) const ALL: [Self; SECTIONS as usize] = [
        Self::Info,
        Self::Keys,
        Self::Packages,
        Self::Rows,
        Self::Lists,
        Self::Strings,
        Self::Advisories,
        Self::Groups,
        Self::GroupIds,
        Self::Members,
        Self::Vectors,
        Self::Ids,
        Self::Briefs,
        Self::Blocks,
        Self::Texts,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Keys => "keys",
            Self::Packages => "packages",
            Self::Rows => "rows",
            Self::Lists => "lists",
            Self::Strings => "strings",
            Self::Advisories => "advisories",
            Self::Groups => "groups",
            Self::GroupIds => "group-ids",
            Self::Members => "members",
            Self::Vectors => "vectors",
            Self::Ids => "ids",
            Self::Briefs => "briefs",
            Self::Blocks => "blocks",
            Self::Texts => "texts",
        }
    }
}

/// One package name of one space.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Package {
    pub space: U32,
    pub name: U32,
    pub first_row: U32,
    pub rows: U32,
}

/// How a row says which versions it means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// From `a` (or the beginning) to before `b`, or up to and including `c`, or to the end.
    Range = 0,
    /// `b` strings of the lists section, from index `a`.
    Listed = 1,
}

/// One range of one package of one advisory, or its list of versions.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Row {
    pub advisory: U32,
    pub a: U32,
    pub b: U32,
    pub c: U32,
    /// Day the fix came out, as year × 10,000 + month × 100 + day; 0 is unknown.
    pub day: I32,
    pub kind: u8,
    pub status: u8,
    /// 0 is not said, otherwise a severity plus one.
    pub severity: u8,
    pub unused: u8,
    /// A string: the only CPUs that are meant, divided by commas; [`NONE`] means all.
    pub cpus: U32,
}

/// One advisory.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Record {
    pub id: U32,
    pub feed: U32,
    pub group: U32,
    pub rank: u8,
    pub severity: u8,
    pub unused: [u8; 2],
    pub published: I64,
    pub brief: U64,
    pub block: U32,
    pub within: U32,
}

/// One vulnerability: what all feeds together know about it.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Group {
    pub first_id: U32,
    pub ids: U32,
    pub first_member: U32,
    pub members: U32,
    pub first_vector: U32,
    pub vectors: U32,
    /// The member with the best title.
    pub about: U32,
    /// Days as in [`Row::day`].
    pub kev_added: I32,
    pub kev_due: I32,
    /// Billionths.
    pub epss_score: U32,
    pub epss_percentile: U32,
    pub severity: u8,
    /// [`KEV`], [`RANSOMWARE`], [`EPSS`].
    pub flags: u8,
    pub unused: [u8; 2],
}

/// The group is known to be exploited.
pub(super) const KEV: u8 = 1;
/// … in ransomware campaigns.
pub(super) const RANSOMWARE: u8 = 2;
/// The EPSS numbers are set.
pub(super) const EPSS: u8 = 4;
/// What EPSS fractions are multiplied with: exact for the nine digits that FIRST publishes.
pub(super) const BILLION: f64 = 1e9;

/// A CVSS vector.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Vector {
    pub text: U32,
    /// The score's bits.
    pub score: U64,
}

/// An id of a group, so that it can be found.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct IdRow {
    pub hash: U64,
    pub group: U32,
}

/// One zstd frame.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Block {
    pub offset: U64,
    pub length: U32,
    /// Bytes when inflated.
    pub inflated: U32,
}

/// The key of a package; `name` is normalised.
pub(super) fn key(space: &str, name: &str) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    hasher.update(space.as_bytes());
    hasher.update(&[0]);
    hasher.update(name.as_bytes());
    hasher.digest()
}

/// The key of an id.
pub(super) fn id_key(id: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(id.as_bytes())
}
